//! Projects: how an account groups its resources.

use rookery_api::tag::Project;
use rookery_store::{Account, Read, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

/// Projects by their number; 0 is the default project, which is no row.
pub(crate) struct Projects;

impl Table for Projects {
    const NAME: &'static str = "tag.projects";
    type Scope = Account;
    type Key = u64;
    type Row = ProjectRow;
}

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProjectRow {
    pub(crate) name: String,
    pub(crate) info: String,
    pub(crate) creator: u64,
    pub(crate) created_at: i64,
    pub(crate) disabled: bool,
}

/// How many projects an account may have.
pub(crate) const PROJECTS: usize = 1000;
/// The number before the first project's, as the platform's own have seven digits.
const BEFORE_FIRST: u64 = 1_000_000;

/// The number of the next project: projects are disabled and never deleted.
pub(crate) fn next(rows: &impl Read, account: u64) -> Result<u64, StoreError> {
    let last = rows.scan_keys::<Projects>(&Account { uin: account }, Scan::all().reverse().limit(1))?;
    Ok(last.into_iter().next().unwrap_or(BEFORE_FIRST) + 1)
}

/// The project of a name, whether or not it is disabled.
pub(crate) fn named(rows: &impl Read, account: u64, name: &str) -> Result<Option<u64>, StoreError> {
    let rows = rows.scan::<Projects>(&Account { uin: account }, Scan::all())?;
    Ok(rows.into_iter().find(|(_, row)| row.name == name).map(|(id, _)| id))
}

/// A project as replies have it; its moment in Beijing.
pub(crate) fn info(id: u64, row: ProjectRow) -> Project {
    let at = OffsetDateTime::from_unix_timestamp(row.created_at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let at = at.to_offset(UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC));
    let create_time = format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second());
    Project {
        project_id: id,
        project_name: row.name,
        creator_uin: row.creator,
        project_info: row.info,
        create_time,
    }
}
