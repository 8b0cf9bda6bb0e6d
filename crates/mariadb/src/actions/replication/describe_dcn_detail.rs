//! `mariadb:DescribeDcnDetail`: an instance with those that follow it, or with the one that it follows and the others behind that.

use rookery_api::mariadb::{DcnDetailItem, DescribeDcnDetailRequest, DescribeDcnDetailResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::dcn::{Instance, Part};
use crate::error::Error;
use crate::instances;
use crate::moments::NEVER;

pub(crate) async fn describe_dcn_detail(
    mariadb: &MariaDb,
    call: Call<DescribeDcnDetailRequest>,
) -> Result<DescribeDcnDetailResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id);
    let row = mariadb.store.read(|view| instances::existing(view, &scope, id))?;
    let first = row.follows.as_ref().map_or(id, |source| &source.id);
    let of_account = mariadb.of_account(scope.uin)?;
    let followers = |(_, _, row): &&Instance| row.follows.as_ref().is_some_and(|source| source.id == first);
    let source = of_account.iter().filter(|(_, id, _)| id == first);
    let mut dcn_details = Vec::new();
    for instance in source.chain(of_account.iter().filter(followers)) {
        let (_, id, row) = instance;
        let part = mariadb.part(&of_account, id, row).await;
        // An instance on its own is in no disaster recovery.
        if part.flag != 0 {
            dcn_details.push(mariadb.dcn_item(instance, part));
        }
    }
    Ok(DescribeDcnDetailResponse { dcn_details })
}

impl MariaDb {
    fn dcn_item(&self, (scope, id, row): &Instance, part: Part) -> DcnDetailItem {
        let (status, status_desc) = self.status(id, row);
        let (replica_config, replica_status) = part.replica().unzip();
        DcnDetailItem {
            instance_id: id.clone(),
            instance_name: row.name.clone(),
            region: scope.region.clone(),
            zone: row.zones.first().cloned().unwrap_or_default(),
            vip: row.address.ip().to_string(),
            vipv6: String::new(),
            vport: i64::from(row.address.port()),
            status,
            status_desc: status_desc.to_owned(),
            dcn_flag: part.flag,
            dcn_status: part.status,
            cpu: catalogue::sold(row.memory).cpu,
            memory: row.memory,
            storage: row.storage,
            pay_mode: i64::from(row.is_prepaid()),
            create_time: row.created.text(),
            period_end_time: row.prepaid.map_or(NEVER.to_owned(), |prepaid| prepaid.until.text()),
            instance_type: row.kind(),
            replica_config,
            replica_status,
            encrypt_status: i64::from(row.security.encrypts()),
            dcn_status_desc: part.words().to_owned(),
            // There is no product here that would direct clients to one or the other.
            polaris_instance_id: String::new(),
            polaris_instance_name: String::new(),
            polaris_namespace: String::new(),
            polaris_service: String::new(),
            polaris_service_status: 0,
            polaris_service_status_desc: String::new(),
            polaris_region: String::new(),
            is_dcn_switch_supported: 0,
        }
    }
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDcnDetailRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
