//! The background work: what should run is brought up and stays arranged; what has had its time is isolated, renewed or destroyed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;
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

/// How long a primary may be down before a standby takes over. One that is started again is back within a second or two.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// What is remembered from one look to the next.
#[derive(Default)]
struct Seen {
    /// The processes of an instance, as they were when it was last arranged.
    arranged: HashMap<String, Vec<u32>>,
    /// Since when the primary of an instance is down.
    down: HashMap<String, Instant>,
}

impl MariaDb {
    /// Works until `stop` turns true or its sender is gone, then stops every server; they are brought up by the next run.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let work = async {
            if let Err(error) = self.take_over().await {
                tracing::error!(%error, "what a former process left could not be taken over");
            }
            let mut seen = Seen::default();
            loop {
                if let Err(error) = self.look_after(&mut seen).await {
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
        self.supervisor.stop_all().await;
        for (_, id, _) in self.all().unwrap_or_default() {
            self.remove_key(&id);
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

    async fn look_after(self: &Arc<Self>, seen: &mut Seen) -> Result<(), Error> {
        while self.tasks.lock().try_join_next().is_some() {}
        let rows = self.all()?;
        seen.arranged.retain(|id, _| rows.iter().any(|(_, known, _)| known == id));
        seen.down.retain(|id, _| rows.iter().any(|(_, known, _)| known == id));
        let mut down = Vec::new();
        let known: HashSet<String> = rows.iter().map(|(_, id, _)| id.clone()).collect();
        for (scope, id, row) in rows.into_iter().filter(|(_, _, row)| row.flow == 0) {
            self.keep_time(&scope, &id, &row, &known).await?;
            if row.phase != Phase::Running {
                seen.arranged.remove(&id);
                seen.down.remove(&id);
                continue;
            }
            if let Err(error) = self.keep_backups(&scope, &id, &row).await {
                tracing::error!(instance = id, %error, "backups could not be looked after; it will be tried again");
            }
            if self.fail_over(&scope, &id, &row, seen).await? {
                continue;
            }
            let processes = self.processes(&id, &row);
            let open = self.doors.lock().contains_key(&id);
            if open && processes.is_some() && processes.as_ref() == seen.arranged.get(&id) {
                self.keep_addresses(&scope, &id, &row).await?;
                continue;
            }
            down.push((scope, id));
        }
        // All at once: one that takes long holds up no other.
        let restored = down.iter().map(|(scope, id)| self.restore(scope, id));
        for restored in join_all(restored).await {
            seen.arranged.extend(restored?);
        }
        Ok(())
    }

    /// Brings an instance up that should be: what is restarted by itself comes back as a standby, so who is the primary is told again.
    /// Its processes, where that succeeds.
    async fn restore(&self, scope: &Regional, id: &str) -> Result<Option<(String, Vec<u32>)>, Error> {
        let alone = self.lock(id);
        // Held by a flow or a call: there is a next look.
        let Ok(_alone) = alone.try_lock() else { return Ok(None) };
        // A flow may have come first.
        let now = self.store.read(|view| view.get::<Instances>(scope, id))?;
        let Some(row) = now.filter(|row| row.flow == 0 && row.phase == Phase::Running) else {
            return Ok(None);
        };
        if let Err(error) = self.bring_up(id, &row).await {
            let inner = rookery_gateway::Refusal::internal(&error).unwrap_or_else(|| error.to_string());
            tracing::warn!(instance = id, error = inner, "an instance is not up; it will be tried again");
            return Ok(None);
        }
        Ok(self.processes(id, &row).map(|processes| (id.to_owned(), processes)))
    }

    /// Where the primary has been down for too long and a standby answers, that one takes over.
    async fn fail_over(
        self: &Arc<Self>,
        scope: &Regional,
        id: &str,
        row: &InstanceRow,
        seen: &mut Seen,
    ) -> Result<bool, Error> {
        if row.nodes.len() < 2 || self.is_ready(id, row.primary_node()?) {
            seen.down.remove(id);
            return Ok(false);
        }
        let since = *seen.down.entry(id.to_owned()).or_insert_with(Instant::now);
        if since.elapsed() < PATIENCE {
            return Ok(false);
        }
        let Some(to) = self.heir(id, row).await else { return Ok(false) };
        tracing::warn!(instance = id, to, "the primary does not come back; a standby takes over");
        seen.down.remove(id);
        seen.arranged.remove(id);
        let begun = self
            .begin(scope.clone(), vec![id.to_owned()], Work::FailOver { to }, |id, row| row.usable(id))
            .await;
        match begun {
            Ok(_) | Err(Error::Refused { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The processes of an instance whose servers are all ready.
    fn processes(&self, id: &str, row: &InstanceRow) -> Option<Vec<u32>> {
        let pid = |node| match self.supervisor.state(&process(id, node)) {
            State::Ready { pid } => Some(pid),
            _ => None,
        };
        row.nodes.iter().map(pid).collect()
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
    use super::*;
    use crate::instances::{Origin, Prepaid};

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
}
