//! What is on sale: zones, sizes and prices. The tables are Rookery's own, not the platform's: prices are invented so that formulas
//! have something to work with, and nobody pays them.

use rookery_api::mariadb::{ErrorCode, RegionInfo, SpecConfigInfo, ZoneChooseInfo, ZonesInfo};
use rookery_api::region::{self, Region, Support};
use rookery_gateway::Language;

use crate::error::Error;

/// The machine type of everything.
pub(crate) const MACHINE: &str = "ROOKERY";
/// The product type that goes with it.
pub(crate) const PRODUCT: i64 = 1_002_231;
/// Zones of each region.
const ZONES: i64 = 7;
/// How many servers an instance may have. One alone is an offer of ours.
pub(crate) const NODE_COUNTS: [i64; 3] = [1, 2, 3];
const STORAGE: (i64, i64) = (10, 3000);
/// Gigabytes of memory, processors and queries per second.
const SIZES: [(i64, i64, i64); 7] = [
    (1, 1, 1000),
    (2, 1, 2000),
    (4, 2, 4000),
    (8, 4, 8000),
    (16, 8, 16_000),
    (32, 16, 32_000),
    (64, 32, 64_000),
];
/// Cents: per gigabyte of memory and hour, per ten gigabytes of storage and hour; hours that a prepaid month costs.
const MEMORY_HOUR: i64 = 12;
const STORAGE_HOUR: i64 = 1;
const MONTH: i64 = 480;

/// A size with its processors and queries per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) cpu: i64,
    pub(crate) qps: i64,
}

/// The size of so much memory, if it is on sale with so many servers and so much storage.
pub(crate) fn size(nodes: i64, memory: i64, storage: i64) -> Result<Size, Error> {
    let found = SIZES.iter().find(|(offered, ..)| *offered == memory);
    match found {
        Some(&(_, cpu, qps))
            if NODE_COUNTS.contains(&nodes) && (STORAGE.0..=STORAGE.1).contains(&storage) =>
        {
            Ok(Size { cpu, qps })
        }
        _ => Err(Error::refuse(
            ErrorCode::InvalidParameterSpecNotFound,
            format!(
                "{nodes} nodes with {memory} GB of memory and {storage} GB of storage are not on sale; DescribeDBInstanceSpecs lists what is."
            ),
            format!(
                "没有 {nodes} 节点、{memory} GB 内存、{storage} GB 存储的规格，请通过 DescribeDBInstanceSpecs 查询。"
            ),
        )),
    }
}

/// Processors and queries per second of an instance that was sold.
pub(crate) fn sold(memory: i64) -> Size {
    let size = SIZES.iter().find(|(offered, ..)| *offered == memory);
    size.map_or(Size { cpu: 0, qps: 0 }, |&(_, cpu, qps)| Size { cpu, qps })
}

pub(crate) fn specs() -> Vec<SpecConfigInfo> {
    let all = NODE_COUNTS.iter().flat_map(|&nodes| SIZES.iter().map(move |size| (nodes, size)));
    all.map(|(node_count, &(memory, cpu, qps))| SpecConfigInfo {
        machine: MACHINE.to_owned(),
        memory,
        min_storage: STORAGE.0,
        max_storage: STORAGE.1,
        suit_info: "local development and tests".to_owned(),
        qps,
        pid: PRODUCT,
        node_count,
        cpu,
    })
    .collect()
}

/// The price in cents of `nodes` servers for an hour, or for months in advance.
pub(crate) fn price(nodes: i64, memory: i64, storage: i64, months: Option<i64>) -> i64 {
    let hour = nodes * (memory * MEMORY_HOUR + (storage + 9) / 10 * STORAGE_HOUR);
    months.map_or(hour, |months| hour * MONTH * months)
}

/// An amount in the unit of the request.
pub(crate) fn in_unit(cents: i64, unit: Option<&str>) -> Result<i64, Error> {
    match unit.unwrap_or("pent") {
        "" | "pent" => Ok(cents),
        "microPent" => Ok(cents.saturating_mul(1_000_000)),
        _ => Err(Error::invalid("AmountUnit", "must be `pent` or `microPent`")),
    }
}

/// Refuses processors that are not sold.
pub(crate) fn cpu_type(wanted: Option<&str>) -> Result<(), Error> {
    match wanted.unwrap_or_default() {
        "" | "Intel/AMD" => Ok(()),
        _ => Err(Error::invalid("CpuType", "must be `Intel/AMD`")),
    }
}

/// Refuses a zone that the region does not have.
pub(crate) fn zone(region: &str, zone: &str) -> Result<(), Error> {
    let number = zone.strip_prefix(region).and_then(|rest| rest.strip_prefix('-')?.parse::<i64>().ok());
    if number.is_some_and(|number| (1..=ZONES).contains(&number)) {
        return Ok(());
    }
    Err(Error::refuse(
        ErrorCode::InvalidParameterZoneIdIllegal,
        format!("The zone `{zone}` is not one of {region}-1 to {region}-{ZONES}."),
        format!("可用区 `{zone}` 不在 {region}-1 至 {region}-{ZONES} 之中。"),
    ))
}

/// The regions with their zones; every zone goes with every other.
pub(crate) fn regions(language: Language) -> Vec<RegionInfo> {
    let Support::Only(codes) = region::support("mariadb") else { return Vec::new() };
    codes.iter().filter_map(|code| region::find(code)).map(|region| sale(region, language)).collect()
}

fn sale(region: &Region, language: Language) -> RegionInfo {
    let zone = |number: i64| ZonesInfo {
        zone: format!("{}-{number}", region.code),
        zone_id: i64::try_from(region.id).unwrap_or_default() * 100_000 + number,
        zone_name: match language {
            Language::English => format!("{} zone {number}", region.english),
            Language::Chinese => format!("{}{number}区", region.chinese),
        },
        on_sale: true,
    };
    RegionInfo {
        region: region.code.to_owned(),
        region_id: i64::try_from(region.id).unwrap_or_default(),
        region_name: match language {
            Language::English => region.english.to_owned(),
            Language::Chinese => region.chinese.to_owned(),
        },
        zone_list: (1..=ZONES).map(zone).collect(),
        available_choice: (1..=ZONES)
            .map(|master| ZoneChooseInfo {
                master_zone: zone(master),
                slave_zones: (1..=ZONES).map(zone).collect(),
            })
            .collect(),
        cpu_type: "Intel/AMD".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_sold() {
        for spec in specs() {
            assert_eq!(size(spec.node_count, spec.memory, spec.max_storage).unwrap().cpu, spec.cpu);
        }
        for (nodes, memory, storage) in [(4, 2, 10), (2, 3, 10), (2, 2, 9), (2, 2, 3001)] {
            assert!(size(nodes, memory, storage).is_err());
        }
    }

    #[test]
    fn prices_grow_and_units_convert() {
        assert_eq!(price(2, 2, 20, None), 52);
        assert_eq!(price(2, 2, 20, Some(2)), 52 * MONTH * 2);
        assert_eq!(in_unit(3, Some("microPent")).unwrap(), 3_000_000);
        assert!(in_unit(3, Some("yuan")).is_err());
    }

    #[test]
    fn zones_are_those_of_their_region() {
        assert!(zone("ap-guangzhou", "ap-guangzhou-3").is_ok());
        for foreign in ["ap-guangzhou-8", "ap-shanghai-1", "ap-guangzhou", "ap-guangzhou-x", ""] {
            assert!(zone("ap-guangzhou", foreign).is_err());
        }
        let all = regions(Language::English);
        assert_eq!(all.len(), 16);
        assert!(all.iter().all(|one| one.zone_list.len() == 7 && one.available_choice.len() == 7));
    }
}
