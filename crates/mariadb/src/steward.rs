//! The background work: what should run is brought up and stays arranged; what has had its time is isolated, renewed or destroyed.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_store::{Global, Read, Regional, Scan, StoreError};
use rookery_supervisor::State;
use time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::MariaDb;
use crate::cluster::process;
use crate::error::Error;
use crate::flows::{self, FlowState, Flows, Work};
use crate::instances::{self, InstanceRow, Instances, Phase};
use crate::moments::Moment;

/// How many days isolated instances are kept: paid by use, and prepaid.
const KEPT: (i64, i64) = (3, 7);

/// How long the end waits for primaries that are told not to wait any more.
const RELEASED_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// At every so many looks the standbys are asked again whether they follow.
const ASK_EVERY: u32 = 20;

/// How long a primary may be down before a standby takes over. One that is started again is back within a second or two.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The servers of an instance at a look: the process of each that is ready, which is the primary, and whom that one follows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Snapshot {
    processes: Vec<Option<u32>>,
    primary: usize,
    upstream: Option<SocketAddr>,
}

impl Snapshot {
    fn primary_is_up(&self) -> bool {
        self.processes.get(self.primary).is_some_and(Option::is_some)
    }
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Seen {
    /// The servers of an instance, as they were when it was last arranged.
    arranged: HashMap<String, Snapshot>,
    /// As they were when the standbys were last level with the primary.
    level: HashMap<String, Snapshot>,
    /// Since when the primary of an instance is down.
    down: HashMap<String, Instant>,
    looks: u32,
}

impl Seen {
    fn forget(&mut self, id: &str) {
        self.arranged.remove(id);
        self.level.remove(id);
        self.down.remove(id);
    }
}

impl MariaDb {
    /// Works until `stop` turns true or its sender is gone, then stops every server; they are brought up by the next run.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let work = async {
            if let Err(error) = self.take_over().await {
                tracing::error!(%error, "what a former process left could not be taken over");
            }
            let seen = Arc::new(Mutex::new(Seen::default()));
            loop {
                if let Err(error) = self.look_after(&seen).await {
                    tracing::error!(%error, "instances could not be looked after; it will be tried again");
                }
                tokio::time::sleep(self.pulse).await;
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => {}
            () = work => {}
        }
        // Flows that are cut off here are done again by the next run.
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
        self.doors.lock().clear();
        self.release_commits().await;
        self.supervisor.stop_all().await;
        for (_, id, _) in self.all().unwrap_or_default() {
            self.remove_key(&id);
        }
    }

    /// Lets commits end that wait for a standby, whose clients are gone: a primary would wait for them before it ends.
    async fn release_commits(&self) {
        let Ok(rows) = self.all() else { return };
        let released = rows.iter().filter(|(_, _, row)| row.nodes.len() > 1).map(|(_, id, row)| async move {
            if row.primary_node().is_ok_and(|node| self.is_ready(id, node)) {
                self.primary(id, row).await?.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF").await?;
            }
            Ok::<_, Error>(())
        });
        let released = tokio::time::timeout(RELEASED_WITHIN, futures_util::future::join_all(released)).await;
        if !released.is_ok_and(|all| all.iter().all(Result::is_ok)) {
            tracing::warn!("a primary may wait for its standbys while it ends");
        }
    }

    /// Ends processes and removes directories that belong to no instance any more, and goes on with flows that were begun.
    async fn take_over(self: &Arc<Self>) -> Result<(), Error> {
        let rows = self.all()?;
        let owned: Vec<String> =
            rows.iter().flat_map(|(_, id, row)| row.nodes.iter().map(|node| process(id, node))).collect();
        for name in self.supervisor.recorded()? {
            if !owned.contains(&name) {
                tracing::warn!(name, "a process of no instance is ended");
                self.supervisor.stop(&name).await;
            }
        }
        for id in self.places.instances()? {
            if !rows.iter().any(|(_, known, _)| *known == id) {
                tracing::warn!(id, "the directory of no instance is removed");
                self.places.remove(&id)?;
                self.remove_key(&id);
            }
        }
        self.end_strays().await?;
        for (_, id, _) in &rows {
            self.tidy_backups(id)?;
            self.tidy_attempts(id)?;
        }
        let flows = self.store.read(|view| view.scan::<Flows>(&Global, Scan::all()))?;
        for (number, _) in flows.into_iter().filter(|(_, flow)| flow.state == FlowState::Running) {
            self.work(number);
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<(Regional, String, InstanceRow)>, StoreError> {
        self.store.read(|view| view.scan_all::<Instances>())
    }

    async fn look_after(self: &Arc<Self>, seen: &Arc<Mutex<Seen>>) -> Result<(), Error> {
        while self.tasks.lock().try_join_next().is_some() {}
        let rows = self.all()?;
        {
            let mut seen = seen.lock();
            seen.looks = seen.looks.wrapping_add(1);
            if seen.looks.is_multiple_of(ASK_EVERY) {
                seen.level.clear();
            }
            // What a flow has left is arranged once more.
            let calm = |id: &String| rows.iter().any(|(_, known, row)| known == id && row.flow == 0);
            seen.arranged.retain(|id, _| calm(id));
            seen.level.retain(|id, _| calm(id));
            seen.down.retain(|id, _| calm(id));
        }
        let known: HashSet<String> = rows.iter().map(|(_, id, _)| id.clone()).collect();
        for (scope, id, row) in rows.into_iter().filter(|(_, _, row)| row.flow == 0) {
            self.keep_time(&scope, &id, &row, &known).await?;
            if row.phase != Phase::Running {
                seen.lock().forget(&id);
                continue;
            }
            if let Err(error) = self.keep_backups(&scope, &id, &row).await {
                tracing::error!(instance = id, %error, "backups could not be looked after; it will be tried again");
            }
            if self.fail_over(&scope, &id, &row, seen).await? {
                continue;
            }
            let now = self.snapshot(&id, &row)?;
            let open = self.doors.lock().contains_key(&id);
            let arranged = seen.lock().arranged.get(&id) == Some(&now);
            if open && arranged && now.primary_is_up() && seen.lock().level.get(&id) == Some(&now) {
                self.keep_addresses(&scope, &id, &row).await?;
                continue;
            }
            // Each by itself: one that takes long holds up no other.
            let (product, seen) = (Arc::clone(self), Arc::clone(seen));
            self.tasks.lock().spawn(async move {
                if let Err(error) = product.restore(&scope, &id, &seen).await {
                    let inner =
                        rookery_gateway::Refusal::internal(&error).unwrap_or_else(|| error.to_string());
                    tracing::warn!(
                        instance = id,
                        error = inner,
                        "an instance is not up; it will be tried again"
                    );
                }
            });
        }
        Ok(())
    }

    /// Brings an instance up that should be: what is restarted by itself comes back as a standby, so who is the primary is told again.
    async fn restore(self: &Arc<Self>, scope: &Regional, id: &str, seen: &Mutex<Seen>) -> Result<(), Error> {
        let alone = self.lock(id);
        // Held by a flow, a call or the look before: there is a next one.
        let Ok(_alone) = alone.try_lock() else { return Ok(()) };
        // A flow may have come first.
        let now = self.store.read(|view| view.get::<Instances>(scope, id))?;
        let Some(row) = now.filter(|row| row.flow == 0 && row.phase == Phase::Running) else {
            return Ok(());
        };
        let before = self.snapshot(id, &row)?;
        self.mend(id, &row).await?;
        // A server that does not start is tried again by the supervisor, less and less often.
        let kept = row.nodes.iter().all(|node| self.supervisor.state(&process(id, node)) != State::Stopped);
        if kept && !before.primary_is_up() {
            return Ok(());
        }
        let open = self.doors.lock().contains_key(id);
        if !open || !before.primary_is_up() || seen.lock().arranged.get(id) != Some(&before) {
            let arranged = self.keep_up(id, &row).await?;
            if let Some(&node) = arranged.strayed.first() {
                tracing::warn!(
                    instance = id,
                    node,
                    "a standby can follow no more; it gets a copy of the primary"
                );
                let work = Work::Rebuild { node };
                self.begin(scope.clone(), vec![id.to_owned()], work, |id, row| row.usable(id)).await?;
                return Ok(());
            }
            let after = self.snapshot(id, &row)?;
            if arranged.late.is_empty() && after.primary_is_up() {
                seen.lock().arranged.insert(id.to_owned(), after);
            }
        }
        let level = row.nodes.len() == 1 || self.note_level(id, &row).await?;
        let follow = level || self.standbys_follow(id, &row).await?;
        let after = self.snapshot(id, &row)?;
        let mut seen = seen.lock();
        if !follow {
            tracing::warn!(instance = id, "a standby does not follow any more");
            seen.arranged.remove(id);
        }
        // Standbys that are down cannot be level; there is nothing to look for until one is up.
        if (level || after.processes.contains(&None)) && seen.arranged.get(id) == Some(&after) {
            seen.level.insert(id.to_owned(), after);
        }
        Ok(())
    }

    /// Where the primary has been down for too long and a standby answers, that one takes over.
    async fn fail_over(
        self: &Arc<Self>,
        scope: &Regional,
        id: &str,
        row: &InstanceRow,
        seen: &Mutex<Seen>,
    ) -> Result<bool, Error> {
        if row.nodes.len() < 2 || self.is_ready(id, row.primary_node()?) {
            seen.lock().down.remove(id);
            return Ok(false);
        }
        let since = *seen.lock().down.entry(id.to_owned()).or_insert_with(Instant::now);
        if since.elapsed() < PATIENCE {
            return Ok(false);
        }
        let Some(to) = self.heir(id, row).await? else { return Ok(false) };
        tracing::warn!(instance = id, to, "the primary does not come back; a standby takes over");
        seen.lock().forget(id);
        let begun = self
            .begin(scope.clone(), vec![id.to_owned()], Work::FailOver { to }, |id, row| row.usable(id))
            .await;
        match begun {
            Ok(_) | Err(Error::Refused { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn snapshot(&self, id: &str, row: &InstanceRow) -> Result<Snapshot, Error> {
        let pid = |node| match self.supervisor.state(&process(id, node)) {
            State::Ready { pid } => Some(pid),
            _ => None,
        };
        let upstream = self.upstream(row)?.map(|leader| leader.node.address);
        Ok(Snapshot { processes: row.nodes.iter().map(pid).collect(), primary: row.primary, upstream })
    }

    /// What is due: a prepaid instance is renewed or isolated at the end of its time, an isolated one destroyed after its days.
    async fn keep_time(
        self: &Arc<Self>,
        scope: &Regional,
        id: &str,
        row: &InstanceRow,
        known: &HashSet<String>,
    ) -> Result<(), Error> {
        let Some(due) = due(row, self.now(), |other| known.contains(other)) else { return Ok(()) };
        let (scope, id, now) = (scope.clone(), id.to_owned(), self.now());
        let begun = self
            .store
            .write(move |tx| {
                let mut row = instances::existing(tx, &scope, &id)?;
                match &due {
                    Due::Renewal => {
                        if let Some(prepaid) = &mut row.prepaid {
                            prepaid.until = prepaid.until.plus_months(1);
                        }
                        instances::put(tx, &scope, &id, row, now)?;
                        Ok(None)
                    }
                    Due::Work(work) => flows::begin(tx, &scope, std::slice::from_ref(&id), work).map(Some),
                }
            })
            .await;
        match begun {
            Ok(Some(flow)) => self.work(flow),
            // A call has come first.
            Ok(None) | Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Due {
    Renewal,
    Work(Work),
}

fn due(row: &InstanceRow, now: Moment, exists: impl Fn(&str) -> bool) -> Option<Due> {
    // A temporary instance ends with its time, or with the instance that it is of.
    if let Some(origin) = &row.origin
        && origin.until.is_some_and(|until| until <= now || !exists(&origin.source))
    {
        return Some(Due::Work(Work::Destroy));
    }
    if row.phase == Phase::Isolated {
        // Nothing else changes an isolated instance, so the last change is its isolation.
        let days = if row.is_prepaid() { KEPT.1 } else { KEPT.0 };
        return (!row.protected && row.updated.plus(Duration::days(days)) <= now)
            .then_some(Due::Work(Work::Destroy));
    }
    let prepaid = row.prepaid.filter(|prepaid| prepaid.until <= now)?;
    Some(if prepaid.renew { Due::Renewal } else { Due::Work(Work::Isolate) })
}

#[cfg(test)]
mod tests {
    use rookery_store::Store;
    use rookery_world::World;

    use super::*;
    use crate::instances::{Origin, Place, Prepaid};

    const DAY: i64 = 86_400;

    fn due_at(row: &InstanceRow, now: Moment) -> Option<Due> {
        due(row, now, |other| other == "tdsql-here")
    }

    #[test]
    fn temporary_instances_end_with_their_time_or_their_source() {
        let of = |source: &str, until| {
            let origin = Some(Origin { source: source.to_owned(), moment: Moment(1), until });
            InstanceRow { origin, ..InstanceRow::sample() }
        };
        let destroyed = Some(Due::Work(Work::Destroy));
        assert_eq!(due_at(&of("tdsql-here", Some(Moment(DAY))), Moment(DAY - 1)), None);
        assert_eq!(due_at(&of("tdsql-here", Some(Moment(DAY))), Moment(DAY)), destroyed);
        assert_eq!(due_at(&of("tdsql-gone", Some(Moment(DAY))), Moment(0)), destroyed);
        assert_eq!(
            due_at(&of("tdsql-gone", None), Moment(9 * DAY)),
            None,
            "it has nothing to do with it any more"
        );
    }

    #[test]
    fn isolated_instances_are_kept_for_their_days() {
        let isolated = InstanceRow { phase: Phase::Isolated, ..InstanceRow::sample() };
        let destroyed = Some(Due::Work(Work::Destroy));
        assert_eq!(due_at(&isolated, Moment(3 * DAY - 1)), None);
        assert_eq!(due_at(&isolated, Moment(3 * DAY)), destroyed);
        let prepaid = Some(Prepaid { until: Moment(0), renew: true });
        let isolated = InstanceRow { prepaid, ..isolated };
        assert_eq!(due_at(&isolated, Moment(7 * DAY - 1)), None);
        assert_eq!(due_at(&isolated, Moment(7 * DAY)), destroyed);
        assert_eq!(due_at(&InstanceRow { protected: true, ..isolated }, Moment(99 * DAY)), None);
    }

    #[test]
    fn the_end_of_a_prepaid_time_renews_or_isolates() {
        let row = InstanceRow::sample();
        assert_eq!(due_at(&row, Moment(999 * DAY)), None, "paid by use");
        let paid =
            |renew| InstanceRow { prepaid: Some(Prepaid { until: Moment(DAY), renew }), ..row.clone() };
        assert_eq!(due_at(&paid(false), Moment(DAY - 1)), None);
        assert_eq!(due_at(&paid(false), Moment(DAY)), Some(Due::Work(Work::Isolate)));
        assert_eq!(due_at(&paid(true), Moment(DAY)), Some(Due::Renewal));
    }

    /// A cloud with one instance that waits to be initialised, so that its life needs no server; and a clock to step.
    async fn cloud(row: InstanceRow) -> (tempfile::TempDir, Arc<MariaDb>, World, Regional) {
        let place = tempfile::tempdir().unwrap();
        let world = World::pinned(time::OffsetDateTime::UNIX_EPOCH, 7);
        let seal = rookery_seal::Seal::ephemeral().unwrap();
        let options = crate::Options::new(place.path());
        let mariadb = MariaDb::new(options, Store::in_memory(), seal, world.clone()).unwrap();
        let scope = Regional { uin: 1, region: "ap-guangzhou".to_owned() };
        let (row, there) = (InstanceRow { phase: Phase::Uninitialised, ..row }, scope.clone());
        let put = move |tx: &mut rookery_store::Transaction<'_>| {
            tx.put::<Instances>(&there, &"tdsql-00000000".to_owned(), &row)
        };
        mariadb.store.write(put).await.unwrap();
        (place, mariadb, world, scope)
    }

    /// Looks once, and lets the flows of it end. The row that is left.
    async fn looked(mariadb: &Arc<MariaDb>, scope: &Regional) -> Option<InstanceRow> {
        mariadb.look_after(&Arc::new(Mutex::new(Seen::default()))).await.unwrap();
        let mut tasks = std::mem::take(&mut *mariadb.tasks.lock());
        while tasks.join_next().await.is_some() {}
        mariadb.store.read(|view| view.get::<Instances>(scope, "tdsql-00000000")).unwrap()
    }

    #[tokio::test]
    async fn a_prepaid_instance_is_isolated_at_its_end_and_destroyed_a_week_later() {
        let prepaid = Some(Prepaid { until: Moment(30 * DAY), renew: false });
        let (_place, mariadb, world, scope) = cloud(InstanceRow { prepaid, ..InstanceRow::sample() }).await;
        world.advance(Duration::days(30) - Duration::SECOND);
        assert_eq!(looked(&mariadb, &scope).await.unwrap().phase, Phase::Uninitialised);
        world.advance(Duration::SECOND);
        assert_eq!(looked(&mariadb, &scope).await.unwrap().phase, Phase::Isolated);
        world.advance(Duration::days(7) - Duration::SECOND);
        assert_eq!(looked(&mariadb, &scope).await.unwrap().phase, Phase::Isolated);
        world.advance(Duration::SECOND);
        assert!(looked(&mariadb, &scope).await.is_none());
    }

    #[tokio::test]
    async fn what_renews_itself_goes_on_and_what_was_activated_in_time_is_kept() {
        let prepaid = Some(Prepaid { until: Moment(DAY), renew: true });
        let (_place, mariadb, world, scope) = cloud(InstanceRow { prepaid, ..InstanceRow::sample() }).await;
        world.advance(Duration::days(40));
        looked(&mariadb, &scope).await.unwrap();
        let row = looked(&mariadb, &scope).await.unwrap();
        assert_eq!(
            (row.phase, row.prepaid.unwrap().until),
            (Phase::Uninitialised, Moment(DAY).plus_months(2))
        );

        let (_place, mariadb, world, scope) = cloud(InstanceRow::sample()).await;
        let id = "tdsql-00000000".to_owned();
        for (days, work) in [(0, Work::Isolate), (2, Work::Activate), (3, Work::Isolate)] {
            world.advance(Duration::days(days));
            assert!(looked(&mariadb, &scope).await.is_some());
            mariadb.begin(scope.clone(), vec![id.clone()], work, |_, _| Ok(())).await.unwrap();
        }
        assert_eq!(looked(&mariadb, &scope).await.unwrap().phase, Phase::Isolated);
        world.advance(Duration::days(3));
        assert!(looked(&mariadb, &scope).await.is_none());
    }

    #[tokio::test]
    async fn what_others_follow_is_not_destroyed() {
        let (_place, mariadb, world, scope) =
            cloud(InstanceRow { phase: Phase::Isolated, ..InstanceRow::sample() }).await;
        let there = scope.clone();
        let follows = Some(Place { region: scope.region.clone(), id: "tdsql-00000000".to_owned() });
        let behind = InstanceRow { follows, phase: Phase::Uninitialised, ..InstanceRow::sample() };
        let put = move |tx: &mut rookery_store::Transaction<'_>| {
            tx.put::<Instances>(&there, &"tdsql-11111111".to_owned(), &behind)
        };
        mariadb.store.write(put).await.unwrap();
        let isolate =
            mariadb.begin(scope.clone(), vec!["tdsql-00000000".to_owned()], Work::Isolate, |_, _| Ok(()));
        isolate.await.unwrap();
        looked(&mariadb, &scope).await.unwrap();
        world.advance(Duration::days(30));
        assert_eq!(looked(&mariadb, &scope).await.unwrap().phase, Phase::Isolated);
    }
}
