//! `mariadb:DescribeProcessList`: the sessions of a server.

use rookery_api::mariadb::Filter;
use rookery_api::mariadb::{DescribeProcessListRequest, DescribeProcessListResponse, Process};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::moments::Moment;
use crate::sql;

pub(crate) async fn describe_process_list(
    mariadb: &MariaDb,
    call: Call<DescribeProcessListRequest>,
) -> Result<DescribeProcessListResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let node = row.node_named(Some(&request.node_id))?;
    let conditions = conditions(request.filters.unwrap_or_default())?;
    let offset = request.offset.unwrap_or_default();
    let limit = match request.limit.unwrap_or(20) {
        0 => 20,
        limit => limit,
    };
    if offset < 0 || !(1..=100).contains(&limit) {
        return Err(Error::invalid("Limit", "must be 1 to 100, and `Offset` not negative"));
    }
    let mut server = mariadb.connect(&id, node).await?;
    let question = format!(
        "SELECT ID, USER, HOST, IFNULL(DB, '') AS DB, COMMAND, TIME, IFNULL(STATE, '') AS STATE, \
         LEFT(IFNULL(INFO, ''), 1024) AS INFO, UNIX_TIMESTAMP() - TIME AS BEGAN \
         FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID(){conditions} ORDER BY ID LIMIT {limit} OFFSET {offset}"
    );
    let rows = server.query(&question).await?;
    let text = |row: &[Option<String>], column| rows.cell(row, column);
    let number = |row: &[Option<String>], column| rows.cell(row, column).parse::<i64>().unwrap_or_default();
    let processes = rows.rows.iter().map(|row| Process {
        id: number(row, "ID"),
        user: text(row, "USER"),
        host: text(row, "HOST"),
        db: text(row, "DB"),
        command: text(row, "COMMAND"),
        time: number(row, "TIME"),
        process_start_time: Moment(number(row, "BEGAN")).text(),
        state: text(row, "STATE"),
        info: text(row, "INFO"),
    });
    let process_list = processes.collect();
    Ok(DescribeProcessListResponse { process_list })
}

/// What the filters let through: every one of them, by any of its values.
fn conditions(filters: Vec<Filter>) -> Result<String, Error> {
    if filters.len() > 10 || filters.iter().any(|filter| filter.values.is_empty() || filter.values.len() > 50)
    {
        return Err(Error::invalid("Filters", "must be at most 10, with 1 to 50 values each"));
    }
    let mut text = String::new();
    for Filter { name, values } in filters {
        let one = |value: &String| match name.as_str() {
            "id" | "time" => {
                let number: i64 =
                    value.parse().map_err(|_| Error::invalid("Filters", "`id` and `time` are numbers"))?;
                Ok(if name == "id" { format!("ID = {number}") } else { format!("TIME > {number}") })
            }
            "user" | "state" | "db" | "command" => {
                Ok(format!("{} = {}", name.to_uppercase(), sql::text(value)))
            }
            // Not LIKE, in which a part of the value would be a wildcard.
            "host" | "info" => {
                let (column, length) = (name.to_uppercase(), value.chars().count());
                Ok(format!("LEFT({column}, {length}) = {}", sql::text(value)))
            }
            _ => Err(Error::invalid("Filters", "has an unknown name")),
        };
        if name == "time" && values.len() > 1 {
            return Err(Error::invalid("Filters", "has more than one `time`"));
        }
        let any: Vec<String> = values.iter().map(one).collect::<Result<_, Error>>()?;
        text.extend([" AND (", &any.join(" OR "), ")"]);
    }
    Ok(text)
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeProcessListRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
