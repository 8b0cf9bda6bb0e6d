//! Flows: work that a call begins and [`DescribeFlow`](crate::actions) follows. A flow is a row that is written with the call, so what a
//! process did not finish the next one does; each step can be done again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rookery_store::{Global, Read, Regional, Table, Transaction};
use rookery_supervisor::StartError;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::MariaDb;
use crate::changes::Change;
use crate::dcn;
use crate::error::Error;
use crate::instances::{self, InstanceRow, Instances, Phase};
use crate::replication;

/// Every flow, by number.
pub(crate) struct Flows;

impl Table for Flows {
    const NAME: &'static str = "mariadb.flows";
    type Scope = Global;
    type Key = u64;
    type Row = FlowRow;
}

/// Numbers that are counted over the whole cloud.
pub(crate) struct Counters;

impl Table for Counters {
    const NAME: &'static str = "mariadb.counters";
    type Scope = Global;
    type Key = String;
    type Row = u64;
}

/// How long a flow tries again.
const PERSISTENCE: Duration = Duration::from_mins(1);
/// How often it is looked whether a flow has ended.
const LOOK: Duration = Duration::from_millis(20);
/// The first number of a flow and of an instance is one above this.
const COUNTED_FROM: u64 = 1000;

pub(crate) fn count(tx: &mut Transaction<'_>, what: &str) -> Result<u64, Error> {
    let next = tx.get::<Counters>(&Global, what)?.unwrap_or(COUNTED_FROM) + 1;
    tx.put::<Counters>(&Global, &what.to_owned(), &next)?;
    Ok(next)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FlowRow {
    pub(crate) uin: u64,
    pub(crate) region: String,
    pub(crate) instances: Vec<String>,
    pub(crate) work: Work,
    pub(crate) state: FlowState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FlowState {
    Succeeded,
    Failed,
    Running,
}

/// What a flow does with each of its instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Makes an instance; with its initial parameters it is started as well.
    Create,
    Initialise,
    Restart,
    Activate,
    Isolate,
    Destroy,
    Resize {
        memory: i64,
        storage: i64,
    },
    Switch {
        to: usize,
    },
    /// As a switch, from a primary that does not answer.
    FailOver {
        to: usize,
    },
    SyncMode(i64),
    /// Gives a standby that can follow no more a copy of the primary.
    Rebuild {
        node: usize,
    },
    /// Ends the replication from another instance.
    CancelDcn,
    /// Another protection or address.
    Change(Change),
    /// What was done before the call was answered.
    Done,
}

impl Work {
    /// The phase in which an instance is while this is done.
    fn during(&self) -> Option<Phase> {
        match self {
            Self::Create => Some(Phase::Creating),
            Self::Initialise => Some(Phase::Initialising),
            Self::Restart => Some(Phase::Restarting),
            Self::Isolate => Some(Phase::Isolating),
            Self::Destroy => Some(Phase::Deleting),
            _ => None,
        }
    }

    /// The row as it is when this has been done; `None` for one that is gone.
    fn conclude(&self, mut row: InstanceRow) -> Option<InstanceRow> {
        row.flow = 0;
        match self {
            Self::Create | Self::Activate if row.initial.is_none() => row.phase = Phase::Uninitialised,
            Self::Create | Self::Initialise | Self::Restart | Self::Activate => row.phase = Phase::Running,
            Self::Isolate => row.phase = Phase::Isolated,
            Self::Destroy => return None,
            Self::Resize { memory, storage } => (row.memory, row.storage) = (*memory, *storage),
            Self::Switch { to } | Self::FailOver { to } => row.primary = *to,
            Self::SyncMode(mode) => row.sync_mode = *mode,
            Self::CancelDcn => row.follows = None,
            Self::Change(change) => change.conclude(&mut row),
            Self::Rebuild { .. } | Self::Done => {}
        }
        Some(row)
    }

    /// The row where this failed: what cannot be used is put aside, from where it can be activated again or destroyed.
    fn give_up(&self, mut row: InstanceRow) -> InstanceRow {
        row.flow = 0;
        if let Self::Change(change) = self {
            change.give_up(&mut row);
        }
        row.phase = match self {
            Self::Create | Self::Initialise | Self::Activate | Self::Isolate | Self::Destroy => {
                Phase::Isolated
            }
            // The steward goes on trying.
            Self::Restart => Phase::Running,
            _ => row.phase,
        };
        row
    }
}

/// Writes a flow, and locks its instances with it.
pub(crate) fn begin(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    ids: &[String],
    work: &Work,
) -> Result<u64, Error> {
    let flow = count(tx, "flow")?;
    for id in ids {
        let mut row = instances::existing(tx, scope, id)?;
        if row.flow != 0 {
            return Err(Error::locked(id, row.flow));
        }
        if *work == Work::Destroy {
            dcn::unfollowed(tx, scope.uin, id)?;
        }
        row.flow = flow;
        row.phase = work.during().unwrap_or(row.phase);
        if let Work::Change(change) = work {
            change.announce(&mut row);
        }
        tx.put::<Instances>(scope, id, &row)?;
    }
    let row = FlowRow {
        uin: scope.uin,
        region: scope.region.clone(),
        instances: ids.to_vec(),
        work: work.clone(),
        state: if *work == Work::Done { FlowState::Succeeded } else { FlowState::Running },
    };
    tx.put::<Flows>(&Global, &flow, &row)?;
    Ok(flow)
}

impl MariaDb {
    /// Does in the background what the flow of that number is to do.
    pub(crate) fn work(self: &Arc<Self>, flow: u64) {
        let product = Arc::clone(self);
        self.tasks.lock().spawn(async move {
            if let Err(error) = product.finish(flow).await {
                tracing::error!(flow, %error, "a flow could not be finished; the next start tries again");
            }
        });
    }

    async fn finish(&self, number: u64) -> Result<(), Error> {
        let Some(flow) = self.store.read(|view| view.get::<Flows>(&Global, &number))? else {
            return Err(Error::Inconsistent("there is no such flow"));
        };
        if flow.state != FlowState::Running {
            return Ok(());
        }
        let scope = Regional { uin: flow.uin, region: flow.region.clone() };
        let each = flow.instances.iter().map(|id| self.finish_one(&scope, id, number, &flow.work));
        let mut state = FlowState::Succeeded;
        for done in join_all(each).await {
            if !done? {
                state = FlowState::Failed;
            }
        }
        let now = FlowRow { state, ..flow };
        self.store.write(move |tx| tx.put::<Flows>(&Global, &number, &now)).await?;
        Ok(())
    }

    /// The part of a flow that is one instance's; whether it succeeded.
    async fn finish_one(&self, scope: &Regional, id: &str, number: u64, work: &Work) -> Result<bool, Error> {
        let alone = self.lock(id);
        let _alone = alone.lock().await;
        let row = self.store.read(|view| view.get::<Instances>(scope, id))?;
        // Otherwise it was done by the process before this one.
        let Some(row) = row.filter(|row| row.flow == number) else { return Ok(true) };
        // A primary that is to become read-only, or to stop, and a backup of it would wait for each other.
        self.end_backup(id);
        let outcome = self.persist(id, &row, number, work).await;
        if let Err(error @ Error::Start(StartError::Closed)) = outcome {
            // This process ends; the next one begins with it.
            return Err(error);
        }
        if let Err(error) = &outcome {
            let inner = rookery_gateway::Refusal::internal(error).unwrap_or_else(|| error.to_string());
            tracing::error!(instance = id, flow = number, error = inner, ?work, "a flow failed");
        }
        self.conclude(scope, id, work, outcome.is_ok()).await?;
        if *work == Work::Destroy {
            self.locks.lock().remove(id);
        }
        Ok(outcome.is_ok())
    }

    async fn conclude(&self, scope: &Regional, id: &str, work: &Work, done: bool) -> Result<(), Error> {
        let (scope, id, work, now) = (scope.clone(), id.to_owned(), work.clone(), self.now());
        self.store
            .write(move |tx| {
                let Some(row) = tx.get::<Instances>(&scope, &id)? else { return Ok(()) };
                if !done {
                    return instances::put(tx, &scope, &id, work.give_up(row), now);
                }
                if let (Work::CancelDcn, Some(source)) = (&work, &row.follows) {
                    dcn::inherit_accounts(tx, &source.id, &id)?;
                }
                if let Some(row) = work.conclude(row) {
                    return instances::put(tx, &scope, &id, row, now);
                }
                tx.delete::<Instances>(&scope, &id)?;
                replication::forget_instance(tx, &id)?;
                crate::backup::forget_instance(tx, &id)?;
                crate::accounts::forget_instance(tx, &id)
            })
            .await
    }

    /// Does it, and again while that fails for what may pass: a server that was killed in the middle is there again in a moment.
    async fn persist(&self, id: &str, row: &InstanceRow, number: u64, work: &Work) -> Result<(), Error> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            match self.perform(id, row.clone(), work).await {
                Err(error) if error.may_pass() && began.elapsed() < PERSISTENCE => {
                    let error =
                        rookery_gateway::Refusal::internal(&error).unwrap_or_else(|| error.to_string());
                    tracing::warn!(instance = id, flow = number, error, "a flow tries again");
                }
                outcome => return outcome,
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    async fn perform(&self, id: &str, mut row: InstanceRow, work: &Work) -> Result<(), Error> {
        match work {
            Work::Create | Work::Activate if row.initial.is_none() => Ok(()),
            Work::Create | Work::Initialise => {
                match (&row.follows, &row.origin) {
                    (Some(source), _) => self.copy_source(id, &row, source).await?,
                    (None, Some(origin)) => self.restore_origin(id, &row, origin).await?,
                    (None, None) => self.provision(id, &row).await?,
                }
                self.bring_up(id, &row).await
            }
            Work::Activate => self.bring_up(id, &row).await,
            Work::Restart => {
                self.take_down(id, &row).await;
                self.bring_up(id, &row).await
            }
            Work::Isolate => {
                self.take_down(id, &row).await;
                Ok(())
            }
            Work::Destroy => {
                self.take_down(id, &row).await;
                Ok(self.places.remove(id)?)
            }
            Work::Resize { memory, .. } => {
                self.bring_up(id, &row).await?;
                row.memory = *memory;
                self.resize(id, &row).await
            }
            Work::Switch { to } => {
                // A process before this one may have got half of the way, from where it first goes back.
                self.bring_up(id, &row).await?;
                self.switch(id, &row, *to).await
            }
            Work::FailOver { to } => self.take_over_from(id, &row, *to).await,
            Work::SyncMode(mode) => {
                row.sync_mode = *mode;
                self.bring_up(id, &row).await
            }
            Work::Rebuild { node } => self.rebuild(id, &row, *node).await,
            Work::CancelDcn => {
                row.follows = None;
                self.bring_up(id, &row).await
            }
            Work::Change(change) => self.change(id, row, change).await,
            Work::Done => Ok(()),
        }
    }
}

impl MariaDb {
    /// Begins a flow on instances that `fits` lets through: checked, written and locked at once.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        scope: Regional,
        ids: Vec<String>,
        work: Work,
        fits: impl Fn(&str, &InstanceRow) -> Result<(), Error> + Send + 'static,
    ) -> Result<u64, Error> {
        let flow = self
            .store
            .write(move |tx| {
                for id in &ids {
                    let row = instances::existing(tx, &scope, id)?;
                    if row.flow != 0 {
                        return Err(Error::locked(id, row.flow));
                    }
                    fits(id, &row)?;
                }
                begin(tx, &scope, &ids, &work)
            })
            .await?;
        self.work(flow);
        Ok(flow)
    }

    /// As [`begin`](Self::begin) for each instance by itself: which were let through, and which were not.
    pub(crate) async fn begin_each(
        self: &Arc<Self>,
        scope: &Regional,
        ids: &[String],
        work: &Work,
        fits: impl Fn(&str, &InstanceRow) -> Result<(), Error> + Copy + Send + 'static,
    ) -> Result<(Vec<String>, Vec<String>), Error> {
        // An id that is nobody's is a mistake in the request and no failure of one instance.
        self.store
            .read(|view| ids.iter().try_for_each(|id| instances::existing(view, scope, id).map(drop)))?;
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for id in ids {
            match self.begin(scope.clone(), vec![id.clone()], work.clone(), fits).await {
                Ok(_) => done.push(id.clone()),
                Err(Error::Refused { .. }) => failed.push(id.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok((done, failed))
    }

    /// Waits until a flow has ended, for actions that answer when all is done.
    pub(crate) async fn end_of(&self, flow: u64) -> Result<(), Error> {
        loop {
            match self.store.read(|view| view.get::<Flows>(&Global, &flow))?.map(|row| row.state) {
                Some(FlowState::Running) => sleep(LOOK).await,
                Some(FlowState::Succeeded) => return Ok(()),
                _ => return Err(Error::Inconsistent("the change did not succeed")),
            }
        }
    }

    /// Writes the flow of what has been done already, for actions that answer a number.
    pub(crate) async fn done(&self, scope: Regional, id: String) -> Result<u64, Error> {
        self.store
            .write(move |tx| {
                let flow = count(tx, "flow")?;
                let row = FlowRow {
                    uin: scope.uin,
                    region: scope.region.clone(),
                    instances: vec![id.clone()],
                    work: Work::Done,
                    state: FlowState::Succeeded,
                };
                tx.put::<Flows>(&Global, &flow, &row)?;
                Ok(flow)
            })
            .await
    }
}

/// Ids of a request: at least one, each once.
pub(crate) fn several(ids: &[String]) -> Result<Vec<String>, Error> {
    let mut cleaned: Vec<String> = ids.iter().map(|id| instances::clean(id).to_owned()).collect();
    cleaned.sort();
    cleaned.dedup();
    if cleaned.is_empty() || cleaned.len() > 100 {
        return Err(Error::invalid("InstanceIds", "must name 1 to 100 instances"));
    }
    Ok(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instances::{Initial, Place};
    use crate::ordering;

    #[test]
    fn each_work_leaves_its_row() {
        let held = InstanceRow { flow: 9, ..InstanceRow::sample() };
        let after = |work: Work| work.conclude(held.clone()).unwrap();
        assert_eq!((after(Work::Create).phase, after(Work::Create).flow), (Phase::Uninitialised, 0));
        assert_eq!(after(Work::Isolate).phase, Phase::Isolated);
        assert_eq!(after(Work::Activate).phase, Phase::Uninitialised);
        let ready = InstanceRow { initial: Some(Initial::sample()), ..held.clone() };
        assert_eq!(Work::Activate.conclude(ready.clone()).unwrap().phase, Phase::Running);
        assert_eq!(Work::Restart.give_up(ready).phase, Phase::Running, "it is tried again");
        let behind = InstanceRow {
            follows: Some(Place { region: "r".to_owned(), id: "i".to_owned() }),
            ..held.clone()
        };
        assert!(Work::CancelDcn.conclude(behind.clone()).unwrap().follows.is_none());
        assert!(Work::CancelDcn.give_up(behind).follows.is_some());
        assert_eq!(after(Work::Resize { memory: 4, storage: 30 }).storage, 30);
        assert_eq!(after(Work::FailOver { to: 1 }).primary, 1);
        assert!(Work::Destroy.conclude(held.clone()).is_none());
        assert_eq!(Work::Create.give_up(held.clone()).phase, Phase::Isolated);
        assert_eq!(Work::SyncMode(1).give_up(held.clone()).phase, Phase::Running);
        assert_eq!(Work::SyncMode(1).give_up(held).sync_mode, 0, "what failed has not changed");
    }

    #[tokio::test]
    async fn a_flow_locks_its_instances_and_another_is_refused() {
        let store = rookery_store::Store::in_memory();
        let scope = Regional { uin: 1, region: "ap-guangzhou".to_owned() };
        let (place, ids) = (scope.clone(), vec!["tdsql-00000000".to_owned()]);
        let begun = store
            .write(move |tx| {
                tx.put::<Instances>(&place, &ids[0], &InstanceRow::sample())?;
                let first = begin(tx, &place, &ids, &Work::Restart)?;
                assert!(begin(tx, &place, &ids, &Work::Isolate).is_err());
                assert!(begin(tx, &place, &["tdsql-none".to_owned()], &Work::Isolate).is_err());
                Ok::<_, Error>(first)
            })
            .await
            .unwrap();
        let row = store.read(|view| instances::existing(view, &scope, "tdsql-00000000")).unwrap();
        assert_eq!((row.flow, row.phase), (begun, Phase::Restarting));
        assert!(several(&[]).is_err());
        assert_eq!(several(&["b\r\n".to_owned(), "a".to_owned(), "b".to_owned()]).unwrap(), ["a", "b"]);
        assert!(ordering::prepayment(Some(61)).is_err());
    }
}
