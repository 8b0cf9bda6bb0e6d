//! The region catalogue, and which product is offered where.
//!
//! Names and numeric ids: `protocol.md` §6.2 and `tcr.md` Appendix C of the project's fact base. Codes that are only seen there without
//! names (edge zones, `ap-shenzhen`) are left out.
//!
//! Each product's list is that of its own page and date, because the lists differ:
//!
//! | product | page | date | what is special |
//! |---|---|---|---|
//! | TCR | 'Request Structure' | 2025-10-30 | Nanjing, Jakarta, Bangkok, São Paulo; no Mumbai, Toronto, Moscow |
//! | MariaDB | 'Common Params', region list | 2026-03-23 | Nanjing, Jakarta; no Bangkok, Mumbai, Toronto, Moscow, São Paulo |
//! | CVM | 'Request Structure' | undated | Mumbai, Toronto, Moscow, Bangkok; no Nanjing, Jakarta, São Paulo |
//!
//! The general 'Request Structure' of 2021-08-16 lists what CVM's does, without finance zones, and is of no product. KMS and Tag publish
//! no list of their own, so they are offered wherever the most recent page offers anything.

/// A region of the platform.
#[derive(Debug, PartialEq, Eq)]
pub struct Region {
    /// The code that `X-TC-Region` carries.
    pub code: &'static str,
    /// The numeric id that TCR uses.
    pub id: u64,
    /// The short code (`gz`); empty where none is known.
    pub short: &'static str,
    /// The English display name.
    pub english: &'static str,
    /// The Chinese display name.
    pub chinese: &'static str,
    /// Whether it belongs to the isolated finance zones.
    pub finance: bool,
}

const fn region(
    code: &'static str,
    id: u64,
    short: &'static str,
    english: &'static str,
    chinese: &'static str,
) -> Region {
    Region { code, id, short, english, chinese, finance: false }
}

const fn finance(
    code: &'static str,
    id: u64,
    short: &'static str,
    english: &'static str,
    chinese: &'static str,
) -> Region {
    Region { code, id, short, english, chinese, finance: true }
}

/// Every region that the platform knows by name, retired ones included: naming a known region that a product does not
/// offer is another error than naming an unknown one.
pub static REGIONS: &[Region] = &[
    region("ap-guangzhou", 1, "gz", "South China (Guangzhou)", "华南地区(广州)"),
    region("ap-shanghai", 4, "sh", "East China (Shanghai)", "华东地区(上海)"),
    region("ap-hongkong", 5, "hk", "Hong Kong, Macao, Taiwan (Hong Kong, China)", "港澳台地区(中国香港)"),
    region("na-toronto", 6, "ca", "North America (Toronto)", "北美地区(多伦多)"),
    finance("ap-shanghai-fsi", 7, "shjr", "East China (Shanghai Finance)", "华东地区(上海金融)"),
    region("ap-beijing", 8, "bj", "North China (Beijing)", "华北地区(北京)"),
    region("ap-singapore", 9, "sg", "Southeast Asia (Singapore)", "亚太东南(新加坡)"),
    finance("ap-shenzhen-fsi", 11, "szjr", "South China (Shenzhen Finance)", "华南地区(深圳金融)"),
    region("na-siliconvalley", 15, "usw", "U.S. West Coast (Silicon Valley)", "美国西部(硅谷)"),
    region("ap-chengdu", 16, "cd", "Southwest China (Chengdu)", "西南地区(成都)"),
    region("eu-frankfurt", 17, "de", "Europe (Frankfurt)", "欧洲地区(法兰克福)"),
    region("ap-seoul", 18, "kr", "Northeast Asia (Seoul)", "亚太东北(首尔)"),
    region("ap-chongqing", 19, "cq", "Southwest China (Chongqing)", "西南地区(重庆)"),
    region("ap-mumbai", 21, "in", "South Asia (Mumbai)", "亚太南部(孟买)"),
    region("na-ashburn", 22, "use", "U.S. East Coast (Virginia)", "美国东部(弗吉尼亚)"),
    region("ap-bangkok", 23, "th", "Southeast Asia (Bangkok)", "亚太东南(曼谷)"),
    region("eu-moscow", 24, "ru", "Europe (Moscow)", "欧洲地区(莫斯科)"),
    region("ap-tokyo", 25, "jp", "Northeast Asia (Tokyo)", "亚太东北(东京)"),
    region("ap-nanjing", 33, "nj", "East China (Nanjing)", "华东地区(南京)"),
    region("ap-jakarta", 72, "jkt", "Southeast Asia (Jakarta)", "亚太东南(雅加达)"),
    finance("ap-beijing-fsi", 46, "bjjr", "North China (Beijing Finance)", "华北地区(北京金融)"),
    region("ap-guangzhou-open", 12, "gzopen", "Guangzhou Open", "广州Open"),
    region("me-saudi-arabia", 101, "", "Middle East (Riyadh)", "中东地区(利雅得)"),
    region("sa-saopaulo", 74, "sao", "South America (São Paulo)", "南美地区(圣保罗)"),
];

/// The region of that code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.code == code)
}

/// What a product does with the region of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The product has no regions: the parameter is not needed and takes no effect (STS, CAM).
    Regionless,
    /// The parameter is required and must be one of these codes.
    Only(&'static [&'static str]),
}

/// What `product` does with the region of a call. An unknown product has no regions.
#[must_use]
pub fn support(product: &str) -> Support {
    match product {
        "tcr" => Support::Only(TCR),
        "mariadb" => Support::Only(MARIADB),
        "cvm" => Support::Only(CVM),
        "kms" | "tag" => Support::Only(ANYWHERE),
        _ => Support::Regionless,
    }
}

/// 'Request Structure' of TCR, 2025-10-30, in its order; finance zones last.
static TCR: &[&str] = &[
    "ap-guangzhou",
    "ap-shanghai",
    "ap-nanjing",
    "ap-beijing",
    "ap-chengdu",
    "ap-chongqing",
    "ap-hongkong",
    "ap-singapore",
    "ap-jakarta",
    "ap-bangkok",
    "ap-seoul",
    "ap-tokyo",
    "na-ashburn",
    "na-siliconvalley",
    "sa-saopaulo",
    "eu-frankfurt",
    "ap-shanghai-fsi",
    "ap-shenzhen-fsi",
];

/// Region list of MariaDB's 'Common Params', 2026-03-23, in its order.
static MARIADB: &[&str] = &[
    "ap-beijing",
    "ap-chengdu",
    "ap-chongqing",
    "ap-guangzhou",
    "ap-hongkong",
    "ap-jakarta",
    "ap-nanjing",
    "ap-seoul",
    "ap-shanghai",
    "ap-shanghai-fsi",
    "ap-shenzhen-fsi",
    "ap-singapore",
    "ap-tokyo",
    "eu-frankfurt",
    "na-ashburn",
    "na-siliconvalley",
];

/// 'Request Structure' of CVM, undated, in its order; finance zones last. The fact base has no newer list of CVM.
static CVM: &[&str] = &[
    "ap-guangzhou",
    "ap-shanghai",
    "ap-beijing",
    "ap-chengdu",
    "ap-chongqing",
    "ap-hongkong",
    "ap-singapore",
    "ap-bangkok",
    "ap-mumbai",
    "ap-seoul",
    "ap-tokyo",
    "na-ashburn",
    "na-siliconvalley",
    "na-toronto",
    "eu-frankfurt",
    "eu-moscow",
    "ap-shanghai-fsi",
    "ap-shenzhen-fsi",
];

/// The list of TCR: the newest one that says where addresses are.
static ANYWHERE: &[&str] = TCR;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ids_and_support_are_consistent() {
        for (at, region) in REGIONS.iter().enumerate() {
            assert!(REGIONS[..at].iter().all(|other| other.code != region.code && other.id != region.id));
        }
        for list in [TCR, MARIADB, CVM, ANYWHERE] {
            assert!(list.iter().all(|code| find(code).is_some()));
        }
        assert_eq!(support("sts"), Support::Regionless);
        assert_eq!(find("ap-atlantis"), None);
    }
}
