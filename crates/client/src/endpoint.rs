//! Where calls go.

/// An endpoint: scheme and authority, the authority possibly with `{product}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: &'static str,
    authority: String,
}

/// An endpoint that cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no endpoint: give http://host[:port], https://host[:port] or a host name")]
pub struct EndpointError(String);

impl Endpoint {
    /// Reads `http://host:port`, `https://host` or a bare host (HTTPS).
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => ("http", rest),
            Some(("https", rest)) => ("https", rest),
            Some(_) => return Err(EndpointError(text.to_owned())),
            None => ("https", text),
        };
        let authority = rest.trim_end_matches('/');
        let unusable = |c: char| c.is_whitespace() || c.is_control() || c == '/' || c == '@';
        if authority.is_empty() || authority.contains(unusable) {
            return Err(EndpointError(text.to_owned()));
        }
        Ok(Self { scheme, authority: authority.to_owned() })
    }

    /// Scheme and host for calls of `product`, without a path: calls go to `/`.
    #[must_use]
    pub fn origin(&self, product: &str) -> String {
        format!("{}://{}", self.scheme, self.host(product))
    }

    /// The `Host` for calls of `product`, with its port: what is signed.
    #[must_use]
    pub fn host(&self, product: &str) -> String {
        self.authority.replace("{product}", product)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_or_refused() {
        let url = |text: &str| Endpoint::parse(text).map(|endpoint| endpoint.origin("tcr"));
        assert_eq!(url("http://127.0.0.1:8080/"), Ok("http://127.0.0.1:8080".to_owned()));
        assert_eq!(url("{product}.tencentcloudapi.com"), Ok("https://tcr.tencentcloudapi.com".to_owned()));
        for text in ["", "ftp://host", "http://", "http://a b", "http://user@host", "http://host/path"] {
            assert!(url(text).is_err(), "{text}");
        }
    }
}
