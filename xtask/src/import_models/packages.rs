//! The two official packages: which versions are read, and where they come from.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

use thiserror::Error;

/// A package on `PyPI` in the one version that `models/` is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    /// Name on `PyPI`.
    pub(crate) name: &'static str,
    /// Version. Raising it is how a newer contract is imported.
    pub(crate) version: &'static str,
}

/// Actions, structures and members come from `tccli`; error codes from the Python SDK.
pub(crate) const PACKAGES: [Package; 2] = [
    Package { name: "tccli", version: "3.1.189.1" },
    Package { name: "tencentcloud-sdk-python", version: "3.1.195" },
];

/// Why the packages are not there.
#[derive(Debug, Error)]
pub(crate) enum PackagesError {
    /// pip could not be started.
    #[error("cannot run `python3 -m pip`: {0}")]
    NoPip(#[source] io::Error),
    /// pip ran and failed; its own words are on standard error.
    #[error("`python3 -m pip install` failed: {0}")]
    PipFailed(ExitStatus),
    /// The directory does not hold the package in the pinned version.
    #[error("{directory} does not hold {name} {version}: {source}")]
    NotInstalled { directory: String, name: &'static str, version: &'static str, source: io::Error },
}

/// Installs the packages, and nothing else, into `directory`. Only wheels: no code of theirs runs.
pub(crate) fn download(directory: &Path) -> Result<(), PackagesError> {
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"])
        .args(["--only-binary", ":all:", "--target"])
        .arg(directory)
        .args(PACKAGES.map(|package| format!("{}=={}", package.name, package.version)))
        .status()
        .map_err(PackagesError::NoPip)?;
    if status.success() { Ok(()) } else { Err(PackagesError::PipFailed(status)) }
}

/// Checks that a site-packages directory holds the pinned versions, so that `SOURCES.json` tells the truth.
pub(crate) fn check(directory: &Path) -> Result<(), PackagesError> {
    for Package { name, version } in PACKAGES {
        let metadata = format!("{}-{version}.dist-info/METADATA", name.replace('-', "_"));
        std::fs::metadata(directory.join(metadata)).map_err(|source| PackagesError::NotInstalled {
            directory: directory.display().to_string(),
            name,
            version,
            source,
        })?;
    }
    Ok(())
}

/// The text of `models/SOURCES.json`.
pub(crate) fn sources() -> String {
    let mut text = String::from("[\n");
    for (index, Package { name, version }) in PACKAGES.iter().enumerate() {
        let comma = if index + 1 == PACKAGES.len() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = writeln!(text, r#" {{"package":"{name}","version":"{version}"}}{comma}"#);
    }
    text.push_str("]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first package that `check` misses in a directory.
    fn missing(directory: &Path) -> Option<&'static str> {
        match check(directory) {
            Ok(()) => None,
            Err(PackagesError::NotInstalled { name, .. }) => Some(name),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_directory_must_hold_the_pinned_versions() {
        let directory = tempfile::tempdir().unwrap();
        let install = |package: &str| {
            let info = directory.path().join(format!("{package}.dist-info"));
            std::fs::create_dir(&info).unwrap();
            std::fs::write(info.join("METADATA"), "").unwrap();
        };
        assert_eq!(missing(directory.path()), Some("tccli"));
        install("tccli-3.0.0");
        assert_eq!(missing(directory.path()), Some("tccli"));
        install(&format!("tccli-{}", PACKAGES[0].version));
        assert_eq!(missing(directory.path()), Some("tencentcloud-sdk-python"));
        install(&format!("tencentcloud_sdk_python-{}", PACKAGES[1].version));
        assert_eq!(missing(directory.path()), None);
    }

    #[test]
    fn sources_are_the_pinned_versions() {
        let sources: serde_json::Value = serde_json::from_str(&sources()).unwrap();
        let listed: Vec<_> = sources.as_array().unwrap().iter().collect();
        assert_eq!(listed.len(), PACKAGES.len());
        for (line, package) in listed.iter().zip(PACKAGES) {
            assert_eq!(line["package"], package.name);
            assert_eq!(line["version"], package.version);
        }
    }
}
