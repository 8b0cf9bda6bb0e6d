//! `mariadb:DescribeDBLogFiles`: the files of one kind, each with an address that is good for a while.

use rookery_api::mariadb::{DescribeDBLogFilesRequest, DescribeDBLogFilesResponse, LogFileInfo};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::backup::files::Kind;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_db_log_files(
    mariadb: &MariaDb,
    call: Call<DescribeDBLogFilesRequest>,
) -> Result<DescribeDBLogFilesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let kind = Kind::numbered(request.r#type);
    let kind = kind.ok_or_else(|| Error::invalid("Type", "must be 1, 2, 3 or 4"))?;
    let mut files = Vec::new();
    for file in mariadb.files(&id, &row, kind)? {
        files.push(LogFileInfo {
            mtime: u64::try_from(file.ended.0).unwrap_or_default(),
            length: file.length,
            // Clients put a prefix before it and have an address, so the signature is in it.
            uri: mariadb.signed_path(&file.path).await?,
            file_name: file.name,
        });
    }
    // The youngest first.
    files.reverse();
    let prefix = mariadb.files_prefix()?;
    Ok(DescribeDBLogFilesResponse {
        instance_id: id,
        r#type: request.r#type,
        total: files.len() as u64,
        files,
        vpc_prefix: prefix.clone(),
        normal_prefix: prefix,
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBLogFilesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
