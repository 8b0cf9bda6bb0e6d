//! `mariadb:DescribeDBTmpInstances`: the temporary instances of an instance.

use rookery_api::mariadb::{DescribeDBTmpInstancesRequest, DescribeDBTmpInstancesResponse, TmpInstance};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::MariaDb;
use crate::backup::restore::is_temporary_of;
use crate::error::Error;
use crate::instances::{self, InstanceRow, Instances, Phase};
use crate::moments::{Moment, NEVER};
use crate::orders::signed;

pub(crate) async fn describe_db_tmp_instances(
    mariadb: &MariaDb,
    call: Call<DescribeDBTmpInstancesRequest>,
) -> Result<DescribeDBTmpInstancesResponse, Error> {
    let (scope, account) = (instances::scope(&call), call.caller.account);
    let source = instances::clean(&call.request.instance_id).to_owned();
    let rows = mariadb.store.read(|view| {
        instances::existing(view, &scope, &source)?;
        view.scan::<Instances>(&scope, Scan::all()).map_err(Error::from)
    })?;
    let describe = |(id, row): (String, InstanceRow)| {
        let (status, status_desc) = mariadb.status(&id, &row);
        TmpInstance {
            app_id: signed(account.app_id),
            create_time: row.created.text(),
            instance_remark: row.name.clone(),
            temp_type: if row.phase == Phase::Running { RESTORED } else { NOT_RESTORED },
            status,
            instance_id: id,
            vip: row.address.ip().to_string(),
            vport: i64::from(row.address.port()),
            period_end_time: row.ends().map_or(NEVER.to_owned(), Moment::text),
            src_instance_id: source.clone(),
            status_desc: status_desc.to_owned(),
            region: scope.region.clone(),
            zone: row.zones.first().cloned().unwrap_or_default(),
            vipv6: String::new(),
            ipv6_flag: 0,
        }
    };
    let temporary = rows.into_iter().filter(|(_, row)| is_temporary_of(row, &source));
    Ok(DescribeDBTmpInstancesResponse { tmp_instances: temporary.map(describe).collect() })
}

/// `TempType`: what could not be restored, or not yet, is of no use.
const NOT_RESTORED: i64 = 1;
const RESTORED: i64 = 2;

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBTmpInstancesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
