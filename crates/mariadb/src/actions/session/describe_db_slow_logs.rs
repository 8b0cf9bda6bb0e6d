//! `mariadb:DescribeDBSlowLogs`: slow statements of an instance, summed up by what they have in common.

use rookery_api::mariadb::{DescribeDBSlowLogsRequest, DescribeDBSlowLogsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{self, InstanceRow, Node};
use crate::moments::{Moment, asked};
use crate::slow_log;

pub(crate) async fn describe_db_slow_logs(
    mariadb: &MariaDb,
    call: Call<DescribeDBSlowLogsRequest>,
) -> Result<DescribeDBSlowLogsResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let node = asked_node(&row, request.slave.unwrap_or_default())?;
    let (from, to) =
        (asked("StartTime", Some(&request.start_time))?, asked("EndTime", request.end_time.as_deref())?);
    let within = |at: Moment| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at <= to);
    let database = request.db.filter(|database| !database.is_empty());
    let path = mariadb.places.data(&id, node).join("slow.log");
    let log = tokio::task::spawn_blocking(move || slow_log::read(&path)).await;
    let log = log.map_err(|_| Error::Inconsistent("reading a log panicked"))??;
    let mut entries = slow_log::parse(&log);
    entries
        .retain(|entry| within(entry.at) && database.as_ref().is_none_or(|wanted| *wanted == entry.database));
    let mut groups = slow_log::group(entries);
    match request.order_by.as_deref().unwrap_or("query_time_sum") {
        "" | "query_time_sum" => groups.sort_by(|one, other| one.query_time().total_cmp(&other.query_time())),
        "query_count" => groups.sort_by_key(slow_log::Group::count),
        _ => return Err(Error::invalid("OrderBy", "must be `query_time_sum` or `query_count`")),
    }
    match request.order_by_type.as_deref().unwrap_or("desc") {
        "asc" => {}
        "" | "desc" => groups.reverse(),
        _ => return Err(Error::invalid("OrderByType", "must be `asc` or `desc`")),
    }
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(DescribeDBSlowLogsResponse {
        lock_time_sum: groups.iter().map(slow_log::Group::lock_time).sum(),
        query_count: count(groups.iter().map(slow_log::Group::count).sum()),
        total: count(groups.len()),
        query_time_sum: groups.iter().map(slow_log::Group::query_time).sum(),
        data: groups
            .iter()
            .skip(size(request.offset))
            .take(size(request.limit))
            .filter_map(slow_log::Group::describe)
            .collect(),
    })
}

/// The primary, or the first standby.
fn asked_node(row: &InstanceRow, slave: i64) -> Result<&Node, Error> {
    match slave {
        0 => row.primary_node(),
        1 => {
            let standby = row.standbys().next();
            standby
                .map(|(_, node)| node)
                .ok_or_else(|| Error::invalid("Slave", "asks for a standby, and there is none"))
        }
        _ => Err(Error::invalid("Slave", "must be 0 or 1")),
    }
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBSlowLogsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
