//! Signed addresses of files: whoever has one may read that file until it expires, and nothing else.

use hmac::{Hmac, KeyInit, Mac};
use rookery_seal::Sealed;
use rookery_store::{Global, Read, Table};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::MariaDb;
use crate::error::Error;
use crate::moments::Moment;

/// Secrets of the product itself, by what they are for.
pub(crate) struct Secrets;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecretRow {
    secret: Sealed,
}

impl Table for Secrets {
    const NAME: &'static str = "mariadb.secrets";
    type Scope = Global;
    type Key = String;
    type Row = SecretRow;
}

const NAME: &str = "file-addresses";
const CONTEXT: &str = "mariadb/file-addresses";

/// What signs addresses.
#[derive(Clone)]
pub(crate) struct UrlKey(Hmac<Sha256>);

impl std::fmt::Debug for UrlKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UrlKey(…)")
    }
}

impl UrlKey {
    fn new(secret: &[u8]) -> Result<Self, Error> {
        let mac = Hmac::new_from_slice(secret)
            .map_err(|_| Error::Inconsistent("the key of addresses has no length"))?;
        Ok(Self(mac))
    }

    fn of(&self, path: &str, expires: i64) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // No path has a line end in it, so no other pair gives the same bytes.
        mac.update(format!("GET\n{path}\n{expires}").as_bytes());
        mac
    }

    /// The query that lets `path` be read until `expires`.
    pub(crate) fn sign(&self, path: &str, expires: Moment) -> String {
        let signature = self.of(path, expires.0).finalize().into_bytes();
        format!("expires={}&signature={}", expires.0, hex::encode(signature))
    }

    /// Whether that query lets `path` be read now. The signature is compared in constant time.
    pub(crate) fn allows(&self, path: &str, query: &str, now: Moment) -> bool {
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let expires = value("expires").and_then(|text| text.parse::<i64>().ok());
        let signature = value("signature").and_then(|text| hex::decode(text).ok());
        let (Some(expires), Some(signature)) = (expires, signature) else { return false };
        self.of(path, expires).verify_slice(&signature).is_ok() && now < Moment(expires)
    }
}

impl MariaDb {
    /// The key, made once and kept sealed, so that addresses outlive the process.
    pub(crate) async fn url_key(&self) -> Result<UrlKey, Error> {
        let known = self.store.read(|view| view.get::<Secrets>(&Global, NAME))?;
        if let Some(row) = known {
            return UrlKey::new(&self.seal.open(CONTEXT, &row.secret)?);
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| Error::Inconsistent("the system gives no randomness"))?;
        let fresh = SecretRow { secret: self.seal.seal(CONTEXT, &random)? };
        let put = move |tx: &mut rookery_store::Transaction<'_>| {
            // Another call may have come first.
            if let Some(row) = tx.get::<Secrets>(&Global, NAME)? {
                return Ok::<_, Error>(row);
            }
            tx.put::<Secrets>(&Global, &NAME.to_owned(), &fresh)?;
            Ok(fresh.clone())
        };
        let row = self.store.write(put).await?;
        UrlKey::new(&self.seal.open(CONTEXT, &row.secret)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_good_for_its_file_and_its_time_only() {
        let key = UrlKey::new(&[7; 32]).unwrap();
        let query = key.sign("/tdsql/a/slow.log", Moment(100));
        assert!(key.allows("/tdsql/a/slow.log", &query, Moment(99)));
        assert!(!key.allows("/tdsql/a/slow.log", &query, Moment(100)), "it has expired");
        assert!(!key.allows("/tdsql/b/slow.log", &query, Moment(99)), "another file");
        let longer = query.replace("expires=100", "expires=101");
        assert!(!key.allows("/tdsql/a/slow.log", &longer, Moment(99)), "its time was changed");
        assert!(!key.allows("/tdsql/a/slow.log", "", Moment(0)));
        assert!(!key.allows("/tdsql/a/slow.log", "expires=100", Moment(0)));
        assert!(
            !UrlKey::new(&[8; 32]).unwrap().allows("/tdsql/a/slow.log", &query, Moment(99)),
            "another key"
        );
        let (expires, signature) = query.split_once('&').unwrap();
        assert!(key.allows("/tdsql/a/slow.log", &format!("{signature}&{expires}"), Moment(99)));
        assert!(
            !key.allows("/tdsql/a/slow.log", &query[..query.len() - 2], Moment(99)),
            "a part of a signature"
        );
    }

    proptest! {
        #[test]
        fn no_query_is_let_through_by_chance(query in "\\PC{0,80}") {
            prop_assert!(!UrlKey::new(&[7; 32]).unwrap().allows("/a", &query, Moment(0)));
        }
    }
}
