//! AWS Signature Version 4 for S3: pure.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;
use zeroize::Zeroizing;

/// What stays as it is in a parameter.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Who signs.
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: Zeroizing<String>,
    pub(super) session_token: Option<Zeroizing<String>>,
    pub(super) region: String,
}

/// What is signed. The path is encoded already.
pub(super) struct Signed<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    /// The parameters as they will be sent, by [`query`].
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// Parameters in the form and the order that the signature wants.
pub(super) fn query(parameters: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, PARAMETER).to_string();
    let mut pairs: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

impl Credentials {
    /// Adds the signature's headers; every header that is there by then is signed.
    pub(super) fn sign(
        &self,
        request: &Signed<'_>,
        host: &str,
        headers: &mut HeaderMap,
        now: OffsetDateTime,
    ) -> Result<(), InvalidHeaderValue> {
        let moment = now.format(format_description!("[year][month][day]T[hour][minute][second]Z"));
        let moment = moment.unwrap_or_default();
        let day = moment.get(..8).unwrap_or_default();
        let hash = hex::encode(Sha256::digest(request.body));
        headers.insert(HOST, HeaderValue::from_str(host)?);
        headers.insert(CONTENT_HASH, HeaderValue::from_str(&hash)?);
        headers.insert(DATE, HeaderValue::from_str(&moment)?);
        if let Some(token) = &self.session_token {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            headers.insert(TOKEN, token);
        }
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let mut lines = String::new();
        for name in &names {
            let value = headers.get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            lines.extend([name, ":", value.trim(), "\n"]);
        }
        let names = names.join(";");
        let Signed { method, path, query, .. } = request;
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let signature = hex::encode(hmac(&self.key(day)[..], &text));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        );
        let mut value = HeaderValue::from_str(&value)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The key of a day.
    fn key(&self, day: &str) -> Zeroizing<Vec<u8>> {
        let first = Zeroizing::new(format!("AWS4{}", *self.secret_key));
        let day = Zeroizing::new(hmac(first.as_bytes(), day));
        let region = Zeroizing::new(hmac(&day, &self.region));
        let service = Zeroizing::new(hmac(&region, "s3"));
        Zeroizing::new(hmac(&service, "aws4_request"))
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken; nothing else can fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::RANGE;
    use time::macros::datetime;

    fn example() -> Credentials {
        Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: Zeroizing::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
            region: "us-east-1".to_owned(),
        }
    }

    fn signature(request: &Signed<'_>, mut headers: HeaderMap) -> String {
        let now = datetime!(2013-05-24 00:00:00 UTC);
        example().sign(request, "examplebucket.s3.amazonaws.com", &mut headers, now).expect("signed");
        let value = headers[AUTHORIZATION].to_str().expect("text").to_owned();
        value.rsplit_once('=').expect("a signature").1.to_owned()
    }

    /// The examples of the protocol's documentation, "Authenticating Requests: Using the Authorization Header".
    #[test]
    fn the_documented_examples_come_out() {
        let get = Signed { method: &Method::GET, path: "/test.txt", query: "", body: b"" };
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
        assert_eq!(
            signature(&get, headers),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let listed = query(&[("prefix".to_owned(), "J".to_owned()), ("max-keys".to_owned(), "2".to_owned())]);
        assert_eq!(listed, "max-keys=2&prefix=J");
        let list = Signed { method: &Method::GET, path: "/", query: &listed, body: b"" };
        assert_eq!(
            signature(&list, HeaderMap::new()),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn parameters_are_encoded_and_ordered() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(query(&[pair("b", "x/y z~"), pair("a", ""), pair("a-", "+")]), "a=&a-=%2B&b=x%2Fy%20z~");
    }
}
