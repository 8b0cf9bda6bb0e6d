//! `mariadb:DescribeBackupFiles`: backups and logs of one instance, or of all of them.

use rookery_api::mariadb::{DescribeBackupFilesRequest, DescribeBackupFilesResponse, InstanceBackupFileItem};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::MariaDb;
use crate::backup::files::{Kind, Stored};
use crate::error::Error;
use crate::instances::{self, InstanceRow, Instances};
use crate::moments;

const MOST: i64 = 100;

pub(crate) async fn describe_backup_files(
    mariadb: &MariaDb,
    call: Call<DescribeBackupFilesRequest>,
) -> Result<DescribeBackupFilesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let named = request.instance_id.as_deref().map(instances::clean).filter(|id| !id.is_empty());
    let rows = mariadb.store.read(|view| match named {
        Some(id) => Ok(vec![(id.to_owned(), instances::existing(view, &scope, id)?)]),
        None => view.scan::<Instances>(&scope, Scan::all()).map_err(Error::from),
    })?;
    let kinds = kinds(request.backup_type.as_deref())?;
    let from = moments::asked("StartTime", request.start_time.as_deref())?;
    let to = moments::asked("EndTime", request.end_time.as_deref())?;
    let mut found = Vec::new();
    for (id, row) in &rows {
        for kind in &kinds {
            let files = mariadb.files(id, row, *kind)?.into_iter();
            let within = files.filter(|file| {
                from.is_none_or(|from| from <= file.begun) && to.is_none_or(|to| file.begun <= to)
            });
            found.extend(within.map(|file| (id, row, file)));
        }
    }
    match request.order_by.as_deref().unwrap_or("Time") {
        "" | "Time" => found.sort_by_key(|(_, _, file)| file.begun),
        "Size" => found.sort_by_key(|(_, _, file)| file.length),
        _ => return Err(Error::invalid("OrderBy", "must be `Time` or `Size`")),
    }
    match request.order_type.as_deref().unwrap_or("DESC") {
        "ASC" => {}
        "" | "DESC" => found.reverse(),
        _ => return Err(Error::invalid("OrderType", "must be `ASC` or `DESC`")),
    }
    let (offset, limit) = page(request.offset, request.limit)?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let files = found.into_iter().skip(offset).take(limit);
    let files = files.map(|(id, row, file)| describe(mariadb, id, row, file)).collect();
    Ok(DescribeBackupFilesResponse { files, total_count, url_prefix: mariadb.files_prefix()? })
}

fn describe(mariadb: &MariaDb, id: &str, row: &InstanceRow, file: Stored) -> InstanceBackupFileItem {
    InstanceBackupFileItem {
        instance_id: id.to_owned(),
        instance_name: row.name.clone(),
        instance_status: mariadb.status(id, row).0,
        // Instances have no shards.
        shard_id: String::new(),
        file_path: file.path,
        file_name: file.name,
        file_size: i64::try_from(file.length).unwrap_or(i64::MAX),
        backup_type: file.kind.name().to_owned(),
        manual_backup: 0,
        start_time: file.begun.text(),
        end_time: file.ended.text(),
        storage_class: "STANDARD".to_owned(),
    }
}

fn kinds(named: Option<&str>) -> Result<Vec<Kind>, Error> {
    let Some(named) = named.filter(|name| !name.is_empty()) else { return Ok(Kind::ALL.to_vec()) };
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == named);
    let kind = kind.ok_or_else(|| Error::invalid("BackupType", "must be Data, Binlog, Errlog or Slowlog"))?;
    Ok(vec![kind])
}

fn page(offset: Option<i64>, limit: Option<i64>) -> Result<(usize, usize), Error> {
    let limit = limit.filter(|limit| *limit != 0).unwrap_or(20);
    match (usize::try_from(offset.unwrap_or_default()), usize::try_from(limit)) {
        (Ok(offset), Ok(size)) if limit <= MOST => Ok((offset, size)),
        _ => Err(Error::invalid("Limit", "must be 1 to 100, and `Offset` not negative")),
    }
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeBackupFilesRequest>) -> Vec<Resource> {
    match call.request.instance_id.as_deref().map(instances::clean) {
        None | Some("") => vec![Resource::any()],
        Some(id) => instances::resource(id),
    }
}
