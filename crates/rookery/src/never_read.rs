//! Which members of their requests the actions never read. `build/` reads it off their sources, so nobody keeps a list.

use rookery_gateway::never_read::Unread;

/// One row for each action that there is.
pub(crate) static NEVER_READ: &[Unread] = include!(concat!(env!("OUT_DIR"), "/never_read.rs"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;
    use rookery_gateway::Standing;
    use rookery_store::Store;
    use rookery_world::World;

    use super::*;
    use crate::commands::{Cli, Command};

    /// A member that a client sends is read, or refused by name. What is inside one that is refused as a whole may stay unread.
    #[test]
    fn no_action_leaves_a_member_of_its_request_unread() {
        let of_row = |row: &Unread| -> Vec<String> {
            let at_the_top = row.members.iter().filter(|name| !name.contains('.'));
            at_the_top.map(|name| format!("{}:{}.{name}", row.product, row.action)).collect()
        };
        let unread: Vec<String> = NEVER_READ.iter().flat_map(of_row).collect();
        assert_eq!(unread, [""; 0], "sent by clients and read by nobody");
    }

    /// An action without a row would be said to read everything.
    #[tokio::test]
    async fn every_registered_action_has_its_row() {
        let directory = tempfile::tempdir().unwrap();
        let Command::Serve(options) = Cli::parse_from(["rookery", "serve"]).command else { unreachable!() };
        let (store, world) = (Store::open(directory.path()).unwrap(), World::system());
        let (front, ..) =
            crate::serve::wire(&options, directory.path(), None, store, &world, None).await.unwrap();
        let rows: BTreeSet<_> = NEVER_READ.iter().map(|row| (row.product, row.version, row.action)).collect();
        let registered = front.gateway.actions().coverage();
        let registered = registered.filter(|(_, _, standing)| *standing == Standing::Implemented);
        let without: Vec<_> = registered
            .map(|(product, action, _)| (product.name, product.version, action.name))
            .filter(|action| !rows.contains(action))
            .collect();
        assert_eq!(without, [], "no file `actions/<group>/<action>.rs` was found for them");
        assert!(rows.len() >= 30);
    }
}
