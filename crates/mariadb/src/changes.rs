//! Changes of an instance's protection and addresses, each of them a flow ([`crate::flows`]).

use std::sync::Arc;

use rookery_store::{Regional, Transaction};
use serde::{Deserialize, Serialize};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{self, Work};
use crate::instances::{self, InstanceRow, Instances};
use crate::moments::Moment;
use crate::network::{Public, PublicState, Reserved};
use crate::security::Tls;

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// TLS, on or off.
    Tls(bool),
    /// Encryption at rest, on for ever.
    Encrypt,
    /// The public address, open or closed.
    Public(bool),
    Move(Move),
}

/// Another address inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Move {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    /// How long the former one is kept; `None` closes it at once.
    pub(crate) keep: Option<Moment>,
}

impl Change {
    /// Writes into the row that the change is on its way.
    pub(crate) fn announce(&self, row: &mut InstanceRow) {
        match self {
            Self::Tls(true) => row.security.tls = Tls::Opening,
            Self::Tls(false) => row.security.tls = Tls::Closing,
            Self::Public(open) => {
                set_public(row, if *open { PublicState::Opening } else { PublicState::Closing });
            }
            Self::Encrypt | Self::Move(_) => {}
        }
    }

    /// The row as it is when this is done.
    pub(crate) fn conclude(&self, row: &mut InstanceRow) {
        match self {
            Self::Tls(true) => row.security.tls = Tls::On,
            Self::Tls(false) => row.security.tls = Tls::Off,
            Self::Encrypt => {
                if let Some(encryption) = &mut row.security.encryption {
                    encryption.on = true;
                }
            }
            Self::Public(open) => {
                set_public(row, if *open { PublicState::Open } else { PublicState::Closed });
            }
            Self::Move(Move { address, vpc, subnet, keep }) => {
                row.network.reserved.retain(|reserved| reserved.address != *address);
                let vpc = std::mem::replace(&mut row.vpc, vpc.clone());
                let subnet = std::mem::replace(&mut row.subnet, subnet.clone());
                let former = std::mem::replace(&mut row.address, *address);
                if let Some(until) = *keep
                    && former != *address
                {
                    row.network.reserved.push(Reserved { vpc, subnet, address: former, until });
                }
            }
        }
    }

    /// The row where this failed. A key stays: some table may be encrypted with it already.
    pub(crate) fn give_up(&self, row: &mut InstanceRow) {
        match self {
            Self::Tls(on) => Self::Tls(!on).conclude(row),
            Self::Public(open) => Self::Public(!open).conclude(row),
            Self::Encrypt | Self::Move(_) => {}
        }
    }
}

fn set_public(row: &mut InstanceRow, state: PublicState) {
    row.network.public = row.network.public.map(|public| Public { state, ..public });
}

impl MariaDb {
    /// Begins a change of an instance that runs. `prepare` checks the row, writes what the change needs into it, and says what it is.
    pub(crate) async fn begin_change(
        self: &Arc<Self>,
        scope: Regional,
        id: String,
        prepare: impl Fn(&Transaction<'_>, &mut InstanceRow) -> Result<Change, Error> + Send + 'static,
    ) -> Result<u64, Error> {
        let flow = self
            .store
            .write(move |tx| {
                let mut row = instances::usable(tx, &scope, &id)?;
                let change = prepare(tx, &mut row)?;
                tx.put::<Instances>(&scope, &id, &row)?;
                flows::begin(tx, &scope, std::slice::from_ref(&id), &Work::Change(change))
            })
            .await?;
        self.work(flow);
        Ok(flow)
    }

    /// Does it.
    pub(crate) async fn change(&self, id: &str, mut row: InstanceRow, change: &Change) -> Result<(), Error> {
        change.conclude(&mut row);
        match change {
            // Servers read these options when they start.
            Change::Tls(_) | Change::Encrypt => {
                self.take_down(id, &row).await;
                let up = self.bring_up(id, &row).await;
                if up.is_err() {
                    // None is left with options that do not hold; the steward starts them with those that do.
                    self.take_down(id, &row).await;
                }
                up
            }
            Change::Public(_) | Change::Move(_) => {
                // A process before this one may have left servers with its certificate: none is reached before it has the new one.
                self.keep_up(id, &row).await?;
                let all_open =
                    self.addresses(&row).into_iter().all(|address| self.is_reached_at(id, address));
                let matters = *change == Change::Public(true);
                if matters && !all_open {
                    return Err(Error::Inconsistent("the public address could not be opened"));
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn changes_are_announced_concluded_and_given_up() {
        let mut row = InstanceRow::sample();
        for (change, announced, concluded, given_up) in [
            (Change::Tls(true), Tls::Opening, Tls::On, Tls::Off),
            (Change::Tls(false), Tls::Closing, Tls::Off, Tls::On),
        ] {
            change.announce(&mut row);
            assert_eq!(row.security.tls, announced);
            change.give_up(&mut row);
            assert_eq!(row.security.tls, given_up);
            change.conclude(&mut row);
            assert_eq!(row.security.tls, concluded);
        }
        row.network.public = Some(Public { port: 1, state: PublicState::Closed });
        let state = |row: &InstanceRow| row.network.public.unwrap().state;
        Change::Public(true).announce(&mut row);
        assert_eq!(state(&row), PublicState::Opening);
        Change::Public(true).give_up(&mut row);
        assert_eq!(state(&row), PublicState::Closed);
        Change::Public(true).conclude(&mut row);
        assert_eq!(state(&row), PublicState::Open);
        Change::Public(false).announce(&mut row);
        assert_eq!(state(&row), PublicState::Closing);
    }

    #[test]
    fn a_move_keeps_the_former_address_for_its_time() {
        let former = InstanceRow::sample();
        let other = SocketAddr::from(([127, 70, 0, 4], 3306));
        let to = |address, keep| {
            Change::Move(Move { address, vpc: "vpc-1".to_owned(), subnet: "subnet-1".to_owned(), keep })
        };
        let mut row = former.clone();
        to(other, Some(Moment(9))).conclude(&mut row);
        assert_eq!((row.address, row.vpc.as_str()), (other, "vpc-1"));
        assert_eq!(row.network.reserved.len(), 1);
        assert_eq!(row.network.reserved[0].address, former.address);
        // Back to it: it is the address again, and not kept beside.
        to(former.address, None).conclude(&mut row);
        assert_eq!(row.address, former.address);
        assert!(row.network.reserved.is_empty());
    }
}
