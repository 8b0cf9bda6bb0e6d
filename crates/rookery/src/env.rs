//! `rookery env`: what clients need, one export a line.

use std::error::Error;

use crate::commands::DataDirectory;
use crate::data_directory::{Endpoints, root_key};

pub(crate) fn run(options: &DataDirectory) -> Result<(), Box<dyn Error>> {
    let endpoints = Endpoints::of_running(&options.data)?;
    let key = root_key(&options.data)?;
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
    Ok(())
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
