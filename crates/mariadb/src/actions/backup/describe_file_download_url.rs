//! `mariadb:DescribeFileDownloadUrl`: an address of a file that is good for an hour.

use rookery_api::mariadb::{DescribeFileDownloadUrlRequest, DescribeFileDownloadUrlResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_file_download_url(
    mariadb: &MariaDb,
    call: Call<DescribeFileDownloadUrlRequest>,
) -> Result<DescribeFileDownloadUrlResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    // A uri of `DescribeDBLogFiles` has an older signature, which is made anew.
    let path = request.file_path.trim().split('?').next().unwrap_or_default();
    let file = mariadb.file(&id, &row, path)?.ok_or_else(|| {
        Error::refuse(
            ErrorCode::FailedOperationLogNotExisted,
            format!("The instance `{id}` has no file `{path}`."),
            format!("实例 `{id}` 没有文件 `{path}`。"),
        )
    })?;
    let (prefix, signed) = (mariadb.files_prefix()?, mariadb.signed_path(&file.path).await?);
    Ok(DescribeFileDownloadUrlResponse { pre_signed_url: format!("{prefix}{signed}") })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeFileDownloadUrlRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
