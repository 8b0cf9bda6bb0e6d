//! What a 401 tells the client: where to get a token, and for what.

use crate::access::Actions;

/// What the missing token would have to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Any valid login.
    None,
    /// Actions on a repository, named as the client sees it.
    Repository { name: String, actions: Actions },
    /// Listing the repositories.
    Catalog,
}

/// Why the request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It came without credentials, or with a wrong password.
    NoLogin,
    /// The bearer token is not ours, altered, or out of its time.
    InvalidToken,
    /// The token is valid but does not allow this.
    InsufficientScope,
}

/// The value of `WWW-Authenticate`. `host` is the host as the client used it, already held to the characters of one.
pub(crate) fn bearer(host: &str, secure: bool, service: &str, scope: &Scope, why: Why) -> String {
    let scheme = if secure { "https" } else { "http" };
    let path = crate::router::TOKEN_PATH;
    let scope = match scope {
        Scope::None => String::new(),
        Scope::Repository { name, actions } => format!(r#",scope="repository:{name}:{actions}""#),
        Scope::Catalog => r#",scope="registry:catalog:*""#.to_owned(),
    };
    let error = match why {
        Why::NoLogin => "",
        Why::InvalidToken => r#",error="invalid_token""#,
        Why::InsufficientScope => r#",error="insufficient_scope""#,
    };
    format!(r#"Bearer realm="{scheme}://{host}{path}",service="{service}"{scope}{error}"#)
}

/// Whether `host` is made of the characters of a host and port, so that it can be quoted back.
pub(crate) fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_names_the_token_service_as_the_client_reaches_it() {
        assert_eq!(
            bearer("demo.example:5000", false, "s", &Scope::None, Why::NoLogin),
            r#"Bearer realm="http://demo.example:5000/service/token",service="s""#
        );
        let scope = Scope::Repository { name: "demo/a".into(), actions: Actions::PULL | Actions::PUSH };
        assert_eq!(
            bearer("h", true, "s", &scope, Why::InsufficientScope),
            r#"Bearer realm="https://h/service/token",service="s",scope="repository:demo/a:pull,push",error="insufficient_scope""#
        );
        assert!(
            bearer("h", true, "s", &Scope::Catalog, Why::InvalidToken)
                .ends_with(r#"scope="registry:catalog:*",error="invalid_token""#)
        );
    }

    #[test]
    fn a_host_cannot_break_out_of_the_quotes() {
        assert!(is_host("a.b-c_d:80") && is_host("[::1]:80"));
        assert!(
            !is_host("")
                && !is_host("a\"b")
                && !is_host("a/b")
                && !is_host("a b")
                && !is_host(&"a".repeat(256))
        );
    }
}
