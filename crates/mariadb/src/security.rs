//! What protects an instance's connections and files: TLS, and encryption of what is on disk. Here is what is kept of both, and what
//! the servers are told of it; the certificates are in [`crate::certificates`], the keys in [`crate::encryption`].

use std::path::Path;

use rookery_seal::Sealed;
use serde::{Deserialize, Serialize};

/// Kept with an instance.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Security {
    pub(crate) tls: Tls,
    /// `None` until encryption is asked for.
    pub(crate) encryption: Option<Encryption>,
}

/// Whether clients may speak TLS to an instance, or a flow is on the way to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tls {
    Opening,
    On,
    #[default]
    Off,
    Closing,
}

impl Tls {
    /// `Status` of `DescribeInstanceSSLAttributes`.
    pub(crate) fn status(self) -> i64 {
        match self {
            Self::Opening => 1,
            Self::On => 2,
            Self::Off => 3,
            Self::Closing => 4,
        }
    }
}

/// The key of an instance's files. It is never taken away: what it has encrypted needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Encryption {
    pub(crate) name: String,
    pub(crate) key: Sealed,
    /// Whether tables are encrypted with it; until the first flow has succeeded the key is only at hand.
    pub(crate) on: bool,
}

impl Security {
    pub(crate) fn encrypts(&self) -> bool {
        self.encryption.as_ref().is_some_and(|encryption| encryption.on)
    }

    /// The options of a server: its certificate is in `certificates`, its key in the file `key`.
    pub(crate) fn options(&self, certificates: &Path, key: &Path) -> Vec<(&'static str, String)> {
        let mut options = Vec::new();
        if self.tls == Tls::On {
            let file = |name: &str| certificates.join(name).display().to_string();
            options.push(("ssl_ca", file(crate::certificates::AUTHORITY)));
            options.push(("ssl_cert", file(crate::certificates::CERTIFICATE)));
            options.push(("ssl_key", file(crate::certificates::KEY)));
        } else {
            // Newer servers make a certificate of their own, which nobody knows.
            options.push(("ssl", "OFF".to_owned()));
        }
        let Some(encryption) = &self.encryption else { return options };
        options.push(("plugin_load_add", "file_key_management".to_owned()));
        options.push(("loose_file_key_management_filename", key.display().to_string()));
        options.push(("loose_file_key_management_encryption_algorithm", "AES_CTR".to_owned()));
        if encryption.on {
            // FORCE: not even `ENCRYPTED=NO` makes a plain table. Threads encrypt what is there already.
            options.push(("innodb_encrypt_tables", "FORCE".to_owned()));
            options.push(("innodb_encryption_threads", "2".to_owned()));
            for switch in [
                "innodb_encrypt_log",
                "innodb_encrypt_temporary_tables",
                "aria_encrypt_tables",
                "encrypt_tmp_disk_tables",
                "encrypt_tmp_files",
            ] {
                options.push((switch, "ON".to_owned()));
            }
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_what_is_on_and_nothing_else() {
        let (certificates, key) = (Path::new("/i/tls"), Path::new("/k/i"));
        let mut security = Security::default();
        assert_eq!(security.options(certificates, key), [("ssl", "OFF".to_owned())]);
        security.tls = Tls::On;
        assert!(
            security.options(certificates, key).contains(&("ssl_cert", "/i/tls/certificate.pem".to_owned()))
        );
        let sealed = rookery_seal::Seal::ephemeral().unwrap().seal("test", b"key").unwrap();
        security.encryption = Some(Encryption { name: "k".to_owned(), key: sealed, on: false });
        let force = ("innodb_encrypt_tables", "FORCE".to_owned());
        let waiting = security.options(certificates, key);
        assert!(waiting.iter().any(|(name, _)| *name == "plugin_load_add") && !waiting.contains(&force));
        assert!(!security.encrypts());
        security.encryption.as_mut().unwrap().on = true;
        assert!(security.encrypts() && security.options(certificates, key).contains(&force));
    }

    #[test]
    fn the_states_of_tls_have_their_numbers() {
        let states = [Tls::Opening, Tls::On, Tls::Off, Tls::Closing];
        assert_eq!(states.map(Tls::status), [1, 2, 3, 4]);
        assert_eq!(Security::default().tls, Tls::Off);
    }
}
