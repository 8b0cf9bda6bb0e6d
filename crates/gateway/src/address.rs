//! Step 2: the address. Which product and which access region the `Host` of a request names.
//!
//! Shapes (`protocol.md` §6.1), under any root domain and any port:
//!
//! | name | access region |
//! |---|---|
//! | `<product>.<root>` | the nearest gateway |
//! | `<product>.intl.<root>`, `<product>.internal.<root>`, `<product>.api3.<root>` | the nearest gateway, abroad, from inside, of a private cloud |
//! | `<product>.<region>.<root>` | that region's; `ap-shanghai-fsi` and `ap-shenzhen-fsi` are those of the finance zones |
//! | an IP address, `localhost`, any other name | none: the product follows from the credential scope or from the action |
//!
//! What the address says is what the `Host` header says, so a client that overrides the header (Go) reaches the product that it names. A path
//! after the root (Go's `1.2.3.4/tc_api`) names nothing. A label between product and root that is no region is part of the root.

use std::borrow::Cow;

use rookery_api::region::{self, Region};
use rookery_api::shape::ProductShape;

/// What an address says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Address {
    /// The product that the first label names.
    pub product: Option<&'static str>,
    /// The gateway's region that the second label names; absent for the nearest gateway.
    pub access_region: Option<&'static Region>,
    /// Whether the first label should have named a product but names none that exists here.
    pub unknown_product: bool,
}

/// The platform's own root domains, under which the first label can only be a product.
const ROOTS: [&str; 2] = ["tencentcloudapi.com", "tencentcloudapi.com.cn"];

/// Reads a `Host` as received. Some clients put a whole URL there (`http://127.0.0.1:8080`, tccli); it is read all the same.
#[must_use]
pub fn read(host: &[u8], products: &[&'static ProductShape]) -> Address {
    let Ok(host) = std::str::from_utf8(host) else { return Address::default() };
    let host = host.strip_prefix("http://").or_else(|| host.strip_prefix("https://")).unwrap_or(host);
    let host = host.split(['/', ':']).next().unwrap_or_default().trim_end_matches('.');
    let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    };
    let mut labels = host.split('.');
    let first = labels.next().unwrap_or_default();
    let product = products.iter().find(|product| product.name == first).map(|product| product.name);
    let access_region = product.and_then(|_| labels.next()).and_then(region::find);
    let is_below = |root: &&str| host.strip_suffix(*root).is_some_and(|labels| labels.ends_with('.'));
    let under_root = ROOTS.iter().any(is_below);
    Address { product, access_region, unknown_product: product.is_none() && under_root }
}

impl Address {
    /// Whether data of `region` may be worked with through this address: finance zones are isolated, so a finance region needs the
    /// address of a finance zone and the other way round. An address that names no product is nobody's gateway and reaches all.
    #[must_use]
    pub fn reaches(&self, region: &Region) -> bool {
        self.product.is_none() || self.access_region.is_some_and(|access| access.finance) == region.finance
    }
}

#[cfg(test)]
mod tests {
    use rookery_api::region::Support;

    use super::*;

    fn at(host: &str) -> Address {
        read(host.as_bytes(), rookery_api::PRODUCTS)
    }

    /// Each line of a page's table of domain names is an address of its product, and reaches the regions of its own zone only.
    fn page(product: &str, nearest: &str, regional: &[&str], finance: &[&str]) {
        let named = at(nearest);
        assert_eq!((named.product, named.access_region), (Some(product), None), "{nearest}");
        for (codes, is_finance) in [(regional, false), (finance, true)] {
            for code in codes {
                let region = region::find(code).unwrap();
                assert_eq!(region.finance, is_finance, "{code}");
                let own = at(&format!("{product}.{code}.tencentcloudapi.com"));
                assert_eq!((own.product, own.access_region), (Some(product), Some(region)));
                assert!(own.reaches(region), "{code}");
                assert_eq!(named.reaches(region), !is_finance, "{code} through {nearest}");
            }
        }
        let Support::Only(supported) = region::support(product) else { panic!("{product} has regions") };
        let listed: Vec<&str> = regional.iter().chain(finance).copied().collect();
        for region in region::REGIONS {
            assert_eq!(supported.contains(&region.code), listed.contains(&region.code), "{}", region.code);
        }
    }

    const FINANCE: [&str; 2] = ["ap-shanghai-fsi", "ap-shenzhen-fsi"];

    #[test]
    fn tcr_request_structure_2025_10_30() {
        let regional = [
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
        ];
        page("tcr", "tcr.intl.tencentcloudapi.com", &regional, &FINANCE);
    }

    /// The general page of 2021-08-16 has the same regions and no names.
    const CVM: [&str; 16] = [
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
    ];

    #[test]
    fn cvm_request_structure() {
        page("cvm", "cvm.tencentcloudapi.com", &CVM, &FINANCE);
    }

    #[test]
    fn request_structure_2021_08_16() {
        // Its names of the regions, in its order.
        let names = [
            "South China (Guangzhou)",
            "East China (Shanghai)",
            "North China (Beijing)",
            "Southwest China (Chengdu)",
            "Southwest China (Chongqing)",
            "Hong Kong, Macao, Taiwan (Hong Kong, China)",
            "Southeast Asia (Singapore)",
            "Southeast Asia (Bangkok)",
            "South Asia (Mumbai)",
            "Northeast Asia (Seoul)",
            "Northeast Asia (Tokyo)",
            "U.S. East Coast (Virginia)",
            "U.S. West Coast (Silicon Valley)",
            "North America (Toronto)",
            "Europe (Frankfurt)",
            "Europe (Moscow)",
        ];
        for (code, name) in CVM.iter().zip(names) {
            assert_eq!(region::find(code).map(|region| region.english), Some(name));
        }
    }

    #[test]
    fn mariadb_common_params_2026_03_23() {
        let regional = [
            "ap-beijing",
            "ap-chengdu",
            "ap-chongqing",
            "ap-guangzhou",
            "ap-hongkong",
            "ap-jakarta",
            "ap-nanjing",
            "ap-seoul",
            "ap-shanghai",
            "ap-singapore",
            "ap-tokyo",
            "eu-frankfurt",
            "na-ashburn",
            "na-siliconvalley",
        ];
        page("mariadb", "mariadb.tencentcloudapi.com", &regional, &FINANCE);
    }

    #[test]
    fn names_products_under_any_root() {
        for host in [
            "tcr.tencentcloudapi.com",
            "tcr.tencentcloudapi.com.",
            "tcr.tencentcloudapi.com:443",
            "tcr.intl.tencentcloudapi.com",
            "tcr.internal.tencentcloudapi.com",
            "tcr.ai.internal.tencentcloudapi.com",
            "tcr.api3.cloud.example",
            "tcr.test",
            "tcr.cloud.corp.example/tc_api",
            "TCR.localhost:8080",
            "http://tcr.x.test:1",
            "https://tcr.x.test/",
        ] {
            let address = at(host);
            assert_eq!((address.product, address.access_region), (Some("tcr"), None), "{host}");
        }
        for host in ["cvm.ap-tokyo.tencentcloudapi.com", "CVM.AP-TOKYO.cloud.example:8080/x"] {
            assert_eq!(at(host).access_region.map(|region| region.code), Some("ap-tokyo"), "{host}");
        }
    }

    #[test]
    fn addresses_without_a_product_name_none() {
        for host in [
            "127.0.0.1:8080",
            "10.1.2.3/tc_api",
            "localhost",
            "http://127.0.0.1:8080",
            "[::1]:8080",
            "",
            "cloud.example",
            "tencentcloudapi.com",
            "nottencentcloudapi.com",
        ] {
            let address = at(host);
            assert_eq!((address.product, address.unknown_product), (None, false), "{host}");
        }
        for host in
            ["nosuch.tencentcloudapi.com", "nosuch.intl.tencentcloudapi.com:443", "x.tencentcloudapi.com.cn"]
        {
            assert!(at(host).unknown_product, "{host}");
        }
        assert!(read(b"\xff\xfe", rookery_api::PRODUCTS).product.is_none());
    }

    #[test]
    fn finance_zones_are_isolated() {
        let guangzhou = region::find("ap-guangzhou").unwrap();
        let shanghai_finance = region::find("ap-shanghai-fsi").unwrap();
        for host in ["tcr.tencentcloudapi.com", "tcr.intl.test", "tcr.ap-shanghai.tencentcloudapi.com"] {
            assert!(at(host).reaches(guangzhou) && !at(host).reaches(shanghai_finance), "{host}");
        }
        let finance = at("tcr.ap-shanghai-fsi.tencentcloudapi.com");
        assert!(finance.reaches(shanghai_finance) && !finance.reaches(guangzhou));
    }

    #[test]
    fn addresses_of_nobody_reach_every_zone() {
        for code in ["ap-guangzhou", "ap-shanghai-fsi"] {
            assert!(at("127.0.0.1").reaches(region::find(code).unwrap()));
        }
        // Through another finance zone than that of the data is allowed; the same is only preferred.
        let shenzhen = at("tcr.ap-shenzhen-fsi.tencentcloudapi.com");
        assert!(shenzhen.reaches(region::find("ap-shanghai-fsi").unwrap()));
        assert!(!shenzhen.reaches(region::find("ap-guangzhou").unwrap()));
    }
}
