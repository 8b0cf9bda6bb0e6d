//! `openssl` as a second opinion on keys and signatures, for tests.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use parking_lot::{RwLock, RwLockWriteGuard};
use tempfile::TempDir;

/// Held for reading while a child runs.
static CHILDREN: RwLock<()> = RwLock::new(());

/// Waits until no child runs, and starts none until the guard is dropped. A child that is being started has a copy of every
/// open file for a moment, and with it the lock of every open store.
pub(crate) fn no_children() -> RwLockWriteGuard<'static, ()> {
    CHILDREN.write()
}

/// A directory in which `openssl` works.
pub(crate) struct Workshop {
    directory: TempDir,
}

/// How a signature is padded, as far as `openssl` has to be told.
#[derive(Clone, Copy)]
pub(crate) enum Padding {
    None,
    Pss,
}

impl Workshop {
    /// `None`, with a word about it, only where `openssl` is not installed.
    pub(crate) fn open() -> Option<Self> {
        let _running = CHILDREN.read();
        match Command::new("openssl").arg("version").output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("openssl is not installed: skipped");
                None
            }
            found => {
                assert!(found.unwrap().status.success());
                Some(Self { directory: TempDir::new().unwrap() })
            }
        }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let _running = CHILDREN.read();
        Command::new("openssl").args(arguments).current_dir(self.directory.path()).output().unwrap()
    }

    /// A public key in DER, as `openssl` writes it in PEM.
    pub(crate) fn public_key_as_pem(&self, der: &[u8]) -> String {
        self.file("key.der", der);
        let output = self.run(&["pkey", "-pubin", "-inform", "DER", "-in", "key.der"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `openssl` says of a public key.
    pub(crate) fn describe_public_key(&self, pem: &str) -> String {
        self.file("key.pem", pem.as_bytes());
        let output = self.run(&["pkey", "-pubin", "-in", "key.pem", "-noout", "-text"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a text is encrypted to by a public key that says how.
    pub(crate) fn encrypt_by(&self, pem: &str, text: &[u8]) -> Vec<u8> {
        self.file("key.pem", pem.as_bytes());
        self.file("text", text);
        let output = self.run(&["pkeyutl", "-encrypt", "-pubin", "-inkey", "key.pem", "-in", "text"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// What a ciphertext of a symmetric cipher, such as `-sm4-cbc`, decrypts to.
    pub(crate) fn decipher(&self, cipher: &str, key: &[u8], vector: &[u8], ciphertext: &[u8]) -> Vec<u8> {
        let digits =
            |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        self.file("ciphertext", ciphertext);
        let output =
            self.run(&["enc", "-d", cipher, "-K", &digits(key), "-iv", &digits(vector), "-in", "ciphertext"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Whether `signature` is one over the SHA-256 digest of `message`.
    pub(crate) fn verifies_message(
        &self,
        pem: &str,
        padding: Padding,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.file("key.pem", pem.as_bytes());
        self.file("message", message);
        self.file("signature", signature);
        let mut arguments = vec!["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"];
        if matches!(padding, Padding::Pss) {
            arguments.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]);
        }
        arguments.push("message");
        self.run(&arguments).status.success()
    }

    /// Whether `signature` is one over the SHA-256 digest `digest`.
    pub(crate) fn verifies_digest(
        &self,
        pem: &str,
        padding: Padding,
        digest: &[u8],
        signature: &[u8],
    ) -> bool {
        self.file("key.pem", pem.as_bytes());
        self.file("digest", digest);
        self.file("signature", signature);
        let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-in", "digest"];
        arguments.extend(["-sigfile", "signature", "-pkeyopt", "digest:sha256"]);
        if matches!(padding, Padding::Pss) {
            arguments.extend(["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]);
        }
        self.run(&arguments).status.success()
    }
}
