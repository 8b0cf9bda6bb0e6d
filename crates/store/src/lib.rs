//! State: transactions over typed, ordered tables.
//!
//! A [`Table`] declares its scope (global, per account, or per account and region), the type of its key and of its rows,
//! and its secondary indexes. Keys are encoded so that the order of the bytes is the order of the values, so a listing
//! is a range scan and costs what it returns. Rows are kept as JSON: a field added with `#[serde(default)]` needs no
//! migration, and an export can be read.
//!
//! - [`Store::write`] runs a closure alone among writers. Its effects are all kept or none, and they are durable when it
//!   returns `Ok`. Writers that arrive together share one synchronisation of the disk; one that fails takes nothing of
//!   the others with it.
//! - [`Store::read`] runs a closure over a consistent snapshot, on the calling thread, and blocks no writer.
//!
//! ```
//! use rookery_store::{Account, Index, ErasedIndex, Read, Scan, Store, StoreError, Table};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Instance { id: String, public: bool }
//!
//! struct Instances;
//! impl Table for Instances {
//!     const NAME: &'static str = "tcr.instances";
//!     type Scope = Account;
//!     type Key = String; // the instance's name
//!     type Row = Instance;
//!     const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ById];
//! }
//!
//! struct ById;
//! impl Index for ById {
//!     type Table = Instances;
//!     type Value = String;
//!     const NAME: &'static str = "id";
//!     const UNIQUE: bool = true;
//!     fn value(_: &Account, _: &String, row: &Instance) -> Option<String> { Some(row.id.clone()) }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = Store::in_memory();
//! let mine = Account { uin: 100_000_000_001 };
//! store.write(move |tx| {
//!     tx.put::<Instances>(&mine, &"build".to_owned(), &Instance { id: "tcr-1".to_owned(), public: false })
//! }).await?;
//! let (found, all) = store.read(|view| {
//!     Ok::<_, StoreError>((view.find::<ById>("tcr-1")?, view.scan::<Instances>(&mine, Scan::all().limit(20))?))
//! })?;
//! assert_eq!(found.map(|(_, name, _)| name).as_deref(), Some("build"));
//! assert_eq!(all.len(), 1);
//! # Ok::<(), StoreError>(()) }).unwrap();
//! ```

mod backend;
mod error;
mod group;
mod key;
mod migration;
mod read;
mod scan;
mod scope;
mod snapshot;
mod store;
mod table;
mod transaction;
mod transfer;
mod writer;

pub use error::{OpenError, StoreError, TransferError};
pub use key::{Key, KeyError, Prefix, Starting, ToKey};
pub use migration::Migration;
pub use read::{Keyed, Read, Scoped, View};
pub use scan::Scan;
pub use scope::{Account, Global, Regional, Scope};
pub use store::{STATE_FILE, Store};
pub use table::{ErasedIndex, Index, Table, Untyped};
pub use transaction::Transaction;
