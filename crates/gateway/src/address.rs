//! Step 2: the address. Which product and which access region the `Host` of a request names.
//!
//! Shapes (`protocol.md` §6.1): `<product>.<root>`, `<product>.intl.<root>`, `<product>.<region>.<root>`, and addresses that name no
//! product (an IP address, `localhost`), where the product follows from the credential scope or the action. The root domain may be any.

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
    let host = host.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let mut labels = host.split('.');
    let first = labels.next().unwrap_or_default();
    let product = products.iter().find(|product| product.name == first).map(|product| product.name);
    let access_region = product.and_then(|_| labels.next()).and_then(region::find);
    let under_root = ROOTS.iter().any(|root| host.ends_with(root) && host.len() > root.len());
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
    use super::*;

    fn at(host: &str) -> Address {
        read(host.as_bytes(), rookery_api::PRODUCTS)
    }

    #[test]
    fn names_products_under_any_root() {
        for host in [
            "tcr.tencentcloudapi.com",
            "tcr.intl.tencentcloudapi.com",
            "TCR.localhost:8080",
            "http://tcr.x.test:1",
        ] {
            assert_eq!(at(host).product, Some("tcr"), "{host}");
        }
        let regional = at("cvm.ap-shanghai-fsi.tencentcloudapi.com");
        assert_eq!(regional.access_region.map(|region| region.code), Some("ap-shanghai-fsi"));
    }

    #[test]
    fn addresses_without_a_product_name_none() {
        for host in ["127.0.0.1:8080", "localhost", "http://127.0.0.1:8080", "[::1]:8080", ""] {
            let address = at(host);
            assert_eq!((address.product, address.unknown_product), (None, false), "{host}");
        }
        assert!(at("nosuch.tencentcloudapi.com").unknown_product);
        assert!(read(b"\xff\xfe", rookery_api::PRODUCTS).product.is_none());
    }

    #[test]
    fn finance_zones_are_isolated() {
        let (plain, finance) = (at("tcr.tencentcloudapi.com"), at("tcr.ap-shanghai-fsi.tencentcloudapi.com"));
        let guangzhou = region::find("ap-guangzhou").unwrap();
        let shanghai_finance = region::find("ap-shanghai-fsi").unwrap();
        assert!(plain.reaches(guangzhou) && !plain.reaches(shanghai_finance));
        assert!(finance.reaches(shanghai_finance) && !finance.reaches(guangzhou));
        assert!(at("127.0.0.1").reaches(shanghai_finance));
    }
}
