//! `rookery env`: what clients need, one export a line.

use std::error::Error;

use crate::commands::Env;
use crate::data_directory::{Endpoints, root_key};

/// What is reached without the proxy: programs on this machine.
const NOT_PROXIED: &str = "localhost,127.0.0.1,::1";

pub(crate) fn run(options: &Env) -> Result<(), Box<dyn Error>> {
    let data = &options.directory.data;
    let endpoints = Endpoints::of_running(data)?;
    let key = root_key(data)?;
    let ca = endpoints.ca.display().to_string();
    let exports = [
        ("TENCENTCLOUD_SECRET_ID", key.secret_id.as_str()),
        ("TENCENTCLOUD_SECRET_KEY", key.secret_key.as_str()),
        ("TENCENTCLOUD_REGION", &endpoints.region),
        ("ROOKERY_ENDPOINT", &endpoints.http),
        ("ROOKERY_HTTPS_ENDPOINT", &endpoints.https),
        ("ROOKERY_REGISTRY", &endpoints.registry),
        ("ROOKERY_CA", &ca),
    ];
    for (name, value) in exports {
        println!("export {name}={}", quoted(value));
    }
    if options.proxy {
        for (name, value) in through_the_proxy(&endpoints.http, &ca) {
            println!("export {name}={}", quoted(value));
        }
    }
    Ok(())
}

/// Both spellings, because clients differ: curl reads `http_proxy` only, the SDKs of Python and Go read both. The variables for
/// authorities name this one alone where they replace the system's: through this proxy no other is met.
fn through_the_proxy<'a>(proxy: &'a str, ca: &'a str) -> [(&'static str, &'a str); 9] {
    [
        ("HTTP_PROXY", proxy),
        ("HTTPS_PROXY", proxy),
        ("http_proxy", proxy),
        ("https_proxy", proxy),
        ("NO_PROXY", NOT_PROXIED),
        ("no_proxy", NOT_PROXIED),
        ("SSL_CERT_FILE", ca),
        ("REQUESTS_CA_BUNDLE", ca),
        ("NODE_EXTRA_CA_CERTS", ca),
    ]
}

/// A value as a shell takes it: bare where it is harmless, else in single quotes.
fn quoted(value: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=".contains(c);
    if !value.is_empty() && value.chars().all(harmless) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn values_survive_a_shell() {
        assert_eq!(quoted("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(quoted("it's; rm -rf $HOME"), r"'it'\''s; rm -rf $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
