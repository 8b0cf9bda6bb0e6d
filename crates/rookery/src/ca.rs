//! `rookery ca`: the authority's certificate, and how clients are told to trust it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use rookery_gateway::tls::CA_FILE;

use crate::commands::{Ca, CaCommand};

/// Where systems keep the authorities they trust, as one file: Debian and Alpine, Fedora, older Red Hat, openSUSE, macOS and the BSDs.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

pub(crate) fn run(options: &Ca) -> Result<(), Box<dyn Error>> {
    let path = path(&options.directory.data)?;
    let pem = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    match &options.command {
        CaCommand::Print => print!("{pem}"),
        CaCommand::Path => println!("{}", path.display()),
        CaCommand::Trust => print!("{}", trust(&path.display().to_string())),
        CaCommand::Bundle { roots } => print!("{}", bundle(&system_roots(roots.as_deref())?, &pem)),
    }
    Ok(())
}

/// The certificate's absolute path, because clients are started anywhere.
fn path(data: &Path) -> Result<PathBuf, String> {
    data.join(CA_FILE).canonicalize().map_err(|_| {
        format!(
            "{0} has no {CA_FILE}: `rookery serve --data {0}` makes it at its first start",
            data.display()
        )
    })
}

fn system_roots(given: Option<&Path>) -> Result<String, String> {
    if let Some(file) = given {
        return fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()));
    }
    SYSTEM_ROOTS.iter().find_map(|file| fs::read_to_string(file).ok()).ok_or_else(|| {
        format!("the system's authorities are in none of {}: give --roots FILE", SYSTEM_ROOTS.join(", "))
    })
}

/// Ours after the system's, once.
fn bundle(roots: &str, ours: &str) -> String {
    let (roots, ours) = (roots.trim_end(), ours.trim());
    if roots.contains(ours) { format!("{roots}\n") } else { format!("{roots}\n{ours}\n") }
}

/// One way a client, and only what was tried or what the client's source says.
fn trust(ca: &str) -> String {
    format!(
        r#"The certificate of this cloud's authority: {ca}

Python SDK    HttpProfile(certification="{ca}"). It asks for certifi's authorities by name, so
              REQUESTS_CA_BUNDLE and SSL_CERT_FILE change nothing.
tccli         Has no setting for it. Use plain HTTP (--endpoint http://…), or append the certificate to certifi's:
              cat {ca} >> "$(python3 -m certifi)"     (with the python of tccli; an update of certifi undoes it)
requests      REQUESTS_CA_BUNDLE={ca}
Node          NODE_EXTRA_CA_CERTS={ca}
Go            SSL_CERT_FILE={ca}, on Linux. So also Terraform's provider, skopeo, crane and cosign.
Java          keytool -importcert -noprompt -alias rookery -file {ca} -keystore rookery.p12 -storepass rookery
              java -Djavax.net.ssl.trustStore=rookery.p12 -Djavax.net.ssl.trustStorePassword=rookery …
curl          --cacert {ca}, or SSL_CERT_FILE={ca}
docker        Linux: copy it to /etc/docker/certs.d/<registry host:port>/ca.crt
skopeo        copy it to DIR/ca.crt, then --src-cert-dir, --dest-cert-dir or --cert-dir DIR
rookery call  --ca {ca}, and nothing for the cloud of a data directory

Python, Go, curl: the settings above replace the system's authorities (Go keeps SSL_CERT_DIR). For a program that also speaks to
others: rookery ca bundle > bundle.pem, and name that file instead.
The system's own list, Debian: cp {ca} /usr/local/share/ca-certificates/rookery.crt && update-ca-certificates
Who holds ca.key, beside the certificate, can pose as any server to those who trust it: keep the data directory to yourself.
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_has_the_authority_once_and_ends_with_a_line_feed() {
        let bundled = bundle("A\nB\n\n", "OURS\n");
        assert_eq!(bundled, "A\nB\nOURS\n");
        assert_eq!(bundle(&bundled, "OURS\n"), bundled);
    }

    #[test]
    fn roots_come_from_the_file_that_was_named_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roots.pem");
        assert!(system_roots(Some(&file)).unwrap_err().contains("roots.pem"));
        fs::write(&file, "A\n").unwrap();
        assert_eq!(system_roots(Some(&file)).unwrap(), "A\n");
    }

    #[test]
    fn without_an_authority_the_error_says_what_makes_one() {
        let directory = tempfile::tempdir().unwrap();
        assert!(path(directory.path()).unwrap_err().contains("rookery serve --data"));
    }
}
