//! Random transactions, on every back end and on a model that is too simple to be wrong.

use std::collections::BTreeMap;

use crate::notes::{ByOwner, ByTitle, Note, Notes, stores, wait};
use proptest::prelude::*;
use rookery_store::{Read, Regional, Scan, StoreError, Transaction};

type Key = (String, u64);
type Model = BTreeMap<(Regional, Key), Note>;

#[derive(Debug, Clone)]
enum Step {
    Put(Regional, Key, Note),
    Insert(Regional, Key, Note),
    Delete(Regional, Key),
}

#[derive(Debug, Clone)]
struct Steps {
    steps: Vec<Step>,
    /// Whether the closure fails after its steps.
    fails: bool,
}

#[derive(Debug, Clone)]
struct Question {
    scope: Regional,
    book: Option<String>,
    start: Option<(Key, bool)>,
    skip: usize,
    limit: Option<usize>,
    reverse: bool,
}

/// Few different scopes, keys and titles, so that they meet, with the bytes that the encoding of keys treats specially.
fn scope() -> impl Strategy<Value = Regional> {
    let region = prop::sample::select(vec!["a", "a\0"]).prop_map(str::to_owned);
    (prop::sample::select(vec![1, u64::MAX]), region).prop_map(|(uin, region)| Regional { uin, region })
}

fn book() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "\u{1}", "a", "a\0"]).prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = Key> {
    (book(), prop::sample::select(vec![0, 255, 256]))
}

fn row() -> impl Strategy<Value = Note> {
    ("[a-p]", prop::option::of(0..3_u64)).prop_map(|(title, owner)| Note { title, owner })
}

fn steps() -> impl Strategy<Value = Steps> {
    let step = prop_oneof![
        3 => (scope(), key(), row()).prop_map(|(scope, key, row)| Step::Put(scope, key, row)),
        1 => (scope(), key(), row()).prop_map(|(scope, key, row)| Step::Insert(scope, key, row)),
        1 => (scope(), key()).prop_map(|(scope, key)| Step::Delete(scope, key)),
    ];
    (prop::collection::vec(step, 1..24), prop::bool::weighted(0.2))
        .prop_map(|(steps, fails)| Steps { steps, fails })
}

fn question() -> impl Strategy<Value = Question> {
    let start = prop::option::of((key(), any::<bool>()));
    (
        scope(),
        prop::option::weighted(0.3, book()),
        start,
        0..3_usize,
        prop::option::weighted(0.3, 0..4_usize),
        any::<bool>(),
    )
        .prop_map(|(scope, book, start, skip, limit, reverse)| Question {
            scope,
            book,
            start,
            skip,
            limit,
            reverse,
        })
}

impl Question {
    fn scan(&self) -> Scan<Key> {
        let mut scan = Scan::all().skip(self.skip);
        if let Some(book) = &self.book {
            scan = scan.prefix(book);
        }
        match &self.start {
            Some((key, true)) => scan = scan.from(key),
            Some((key, false)) => scan = scan.after(key),
            None => {}
        }
        if let Some(limit) = self.limit {
            scan = scan.limit(limit);
        }
        if self.reverse { scan.reverse() } else { scan }
    }

    fn answer(&self, model: &Model) -> Vec<(Key, Note)> {
        let mut rows: Vec<_> = model
            .iter()
            .filter(|((scope, key), _)| {
                let started = self.start.as_ref().is_none_or(|(start, inclusive)| {
                    let follows = if self.reverse { key < start } else { key > start };
                    follows || (*inclusive && key == start)
                });
                *scope == self.scope && started && self.book.as_ref().is_none_or(|book| key.0 == *book)
            })
            .map(|((_, key), row)| (key.clone(), row.clone()))
            .collect();
        if self.reverse {
            rows.reverse();
        }
        rows.into_iter().skip(self.skip).take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

/// What each step came to: whether it changed something, or `None` where a unique index refused it.
fn run(tx: &mut Transaction<'_>, steps: &Steps) -> Result<Vec<Option<bool>>, StoreError> {
    let mut results = Vec::new();
    for step in &steps.steps {
        let result = match step {
            Step::Put(scope, key, row) => tx.put::<Notes>(scope, key, row).map(|()| true),
            Step::Insert(scope, key, row) => tx.insert::<Notes>(scope, key, row),
            Step::Delete(scope, key) => tx.delete::<Notes>(scope, key),
        };
        results.push(match result {
            Ok(changed) => Some(changed),
            Err(StoreError::Conflict { .. }) => None,
            Err(error) => return Err(error),
        });
    }
    Ok(results)
}

/// [`run`] on the model.
fn expect(model: &mut Model, steps: &Steps) -> Vec<Option<bool>> {
    let results = steps.steps.iter().map(|step| match step {
        Step::Delete(scope, key) => Some(model.remove(&(scope.clone(), key.clone())).is_some()),
        Step::Insert(scope, key, _) if model.contains_key(&(scope.clone(), key.clone())) => Some(false),
        Step::Put(scope, key, row) | Step::Insert(scope, key, row) => {
            let at = (scope.clone(), key.clone());
            let taken = model
                .iter()
                .any(|(other, existing)| other.0 == *scope && *other != at && existing.title == row.title);
            if taken {
                return None;
            }
            model.insert(at, row.clone());
            Some(true)
        }
    });
    results.collect()
}

/// Everything that `read` shows, compared with the model.
fn assert_same(read: &impl Read, model: &Model, questions: &[Question]) -> Result<(), StoreError> {
    let all: Vec<_> =
        read.scan_all::<Notes>()?.into_iter().map(|(scope, key, row)| ((scope, key), row)).collect();
    let expected: Vec<_> = model.iter().map(|(at, row)| (at.clone(), row.clone())).collect();
    assert_eq!(all, expected);
    for uin in [1, u64::MAX] {
        let of_account = expected.iter().filter(|((scope, _), _)| scope.uin == uin).count();
        assert_eq!(read.scan_account::<Notes>(uin)?.len(), of_account);
    }
    for question in questions {
        let answer = question.answer(model);
        assert_eq!(read.scan::<Notes>(&question.scope, question.scan())?, answer, "{question:?}");
        assert_eq!(read.count::<Notes>(&question.scope, question.scan())?, answer.len(), "{question:?}");
    }
    for ((scope, key), row) in &expected {
        let title = (scope.uin, scope.region.clone(), row.title.clone());
        assert_eq!(read.find::<ByTitle>(&title)?, Some((scope.clone(), key.clone(), row.clone())));
    }
    assert_eq!(read.count_index::<ByTitle>(Scan::all())?, expected.len());
    for owner in 0..3 {
        let owned: Vec<_> = read.find_all::<ByOwner>(&owner, usize::MAX)?;
        let owned: Vec<_> = owned.into_iter().map(|(scope, key, row)| ((scope, key), row)).collect();
        let expected: Vec<_> = expected.iter().filter(|(_, row)| row.owner == Some(owner)).cloned().collect();
        assert_eq!(owned, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_store_does_what_the_model_does(
        transactions in prop::collection::vec((steps(), prop::collection::vec(question(), 4..12)), 1..10)
    ) {
        for (store, _kept) in stores() {
            let mut model = Model::new();
            for (steps, questions) in &transactions {
                let mut after = model.clone();
                let expected = expect(&mut after, steps);
                let (asked, within) = (steps.clone(), after.clone());
                let asked_of = questions.clone();
                let results = wait(store.write(move |tx| {
                    let results = run(tx, &asked)?;
                    assert_same(tx, &within, &asked_of)?;
                    if asked.fails { Err(StoreError::Closed) } else { Ok(results) }
                }));
                match results {
                    Err(StoreError::Closed) if steps.fails => {}
                    Ok(results) => {
                        prop_assert_eq!(results, expected);
                        model = after;
                    }
                    Err(error) => prop_assert!(false, "{}", error),
                }
                store.read(|view| assert_same(view, &model, questions)).unwrap();
            }
        }
    }
}
