//! `cargo xtask import-models`: rebuilds `models/` from the official packages on `PyPI`.

mod api_json;
mod errorcodes;
mod packages;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use self::api_json::ApiError;
use self::errorcodes::ErrorCodesError;
use self::packages::PackagesError;
use crate::model::{Inconsistency, Model};

/// The product versions that Rookery answers.
const PRODUCTS: [(&str, &str); 7] = [
    ("tcr", "2019-09-24"),
    ("kms", "2019-01-18"),
    ("sts", "2018-08-13"),
    ("cam", "2019-01-16"),
    ("cvm", "2017-03-12"),
    ("mariadb", "2017-03-12"),
    ("tag", "2018-08-13"),
];

/// Why an import stopped; nothing was written unless it stopped while writing.
#[derive(Debug, Error)]
pub(crate) enum ImportError {
    /// The packages cannot be had.
    #[error(transparent)]
    Packages(#[from] PackagesError),
    /// A file or directory cannot be read or written.
    #[error("{path}: {source}")]
    Io { path: String, source: io::Error },
    /// An `api.json` is not as expected.
    #[error("{path}: {source}")]
    Api { path: String, source: ApiError },
    /// An `errorcodes.py` is not as expected.
    #[error("{path}: {source}")]
    ErrorCodes { path: String, source: ErrorCodesError },
    /// The facts of a product contradict each other.
    #[error("{product}: {source}")]
    Inconsistent { product: String, source: Inconsistency },
    /// A model cannot be written as JSON.
    #[error("{product}: {source}")]
    Render { product: String, source: serde_json::Error },
}

/// Imports from the site-packages directory `from`, or downloads the packages first; returns the report.
pub(crate) fn run(from: Option<&Path>) -> Result<String, ImportError> {
    if let Some(site_packages) = from {
        return import(site_packages, &models_directory());
    }
    let downloads = tempfile::tempdir()
        .map_err(|source| ImportError::Io { path: "temporary directory".to_owned(), source })?;
    packages::download(downloads.path())?;
    import(downloads.path(), &models_directory())
}

/// `models/` at the root of the workspace.
fn models_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("models")
}

fn import(site_packages: &Path, models: &Path) -> Result<String, ImportError> {
    packages::check(site_packages)?;
    let mut files = vec![("SOURCES.json".to_owned(), packages::sources())];
    let mut report = String::new();
    for (product, version) in PRODUCTS {
        let model = read_product(site_packages, product, version)?;
        let text =
            model.render().map_err(|source| ImportError::Render { product: product.to_owned(), source })?;
        // Writing to a String cannot fail.
        let _ = writeln!(
            report,
            "{product} {version}: {} actions, {} structures, {} error codes",
            model.actions.len(),
            model.structures.len(),
            model.errors.len()
        );
        files.push((format!("{product}-{version}.json"), text));
    }
    std::fs::create_dir_all(models).map_err(|source| at(models, source))?;
    for (name, text) in files {
        let path = models.join(name);
        std::fs::write(&path, text).map_err(|source| at(&path, source))?;
    }
    Ok(report)
}

fn read_product(site_packages: &Path, product: &str, version: &str) -> Result<Model, ImportError> {
    let folder = format!("v{}", version.replace('-', ""));

    let path = site_packages.join("tccli/services").join(product).join(&folder).join("api.json");
    let text = std::fs::read_to_string(&path).map_err(|source| at(&path, source))?;
    let api = api_json::read(&text, version)
        .map_err(|source| ImportError::Api { path: path.display().to_string(), source })?;

    let path = site_packages.join("tencentcloud").join(product).join(&folder).join("errorcodes.py");
    let text = std::fs::read_to_string(&path).map_err(|source| at(&path, source))?;
    let errors = errorcodes::read(&text)
        .map_err(|source| ImportError::ErrorCodes { path: path.display().to_string(), source })?;

    let model = Model {
        product: product.to_owned(),
        version: version.to_owned(),
        actions: api.actions,
        structures: api.structures,
        errors,
    };
    model.check().map_err(|source| ImportError::Inconsistent { product: product.to_owned(), source })?;
    Ok(model)
}

fn at(path: &Path, source: io::Error) -> ImportError {
    ImportError::Io { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A site-packages directory with the pinned versions and one small product in every folder.
    fn site_packages() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for package in packages::PACKAGES {
            let info = format!("{}-{}.dist-info", package.name.replace('-', "_"), package.version);
            write(directory.path(), &format!("{info}/METADATA"), "");
        }
        for (product, version) in PRODUCTS {
            let folder = format!("{product}/v{}", version.replace('-', ""));
            write(
                directory.path(),
                &format!("tccli/services/{folder}/api.json"),
                &format!(
                    r#"{{"actions":{{"Make":{{"document":"","name":"","input":"MakeRequest","output":"MakeResponse","status":"online"}}}},
                        "metadata":{{"apiVersion":"{version}"}},"version":"1.0",
                        "objects":{{"MakeRequest":{{"document":"","members":[]}},"MakeResponse":{{"document":"","members":[
                            {{"name":"RequestId","type":"string","member":"string","document":""}}]}}}}}}"#
                ),
            );
            write(directory.path(), &format!("tencentcloud/{folder}/errorcodes.py"), "A = 'A'\n");
        }
        directory
    }

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn an_import_writes_the_sources_and_a_file_a_product() {
        let (packages, models) = (site_packages(), tempfile::tempdir().unwrap());
        let report = import(packages.path(), models.path()).unwrap();
        assert_eq!(report.lines().count(), PRODUCTS.len());
        assert!(report.starts_with("tcr 2019-09-24: 1 actions, 2 structures, 1 error codes\n"));
        assert_eq!(names(models.path()), expected_names());
    }

    #[test]
    fn a_product_that_is_missing_or_wrong_stops_the_import_before_anything_is_written() {
        type Expected = fn(&ImportError) -> bool;
        let api = "tccli/services/tag/v20180813/api.json";
        let codes = "tencentcloud/tag/v20180813/errorcodes.py";
        let dangling = r#"{"actions":{},"metadata":{"apiVersion":"2018-08-13"},"version":"1.0",
            "objects":{"A":{"document":"","members":[{"name":"B","type":"object","member":"B","document":""}]}}}"#;
        let cases: [(&str, Option<&str>, Expected); 5] = [
            (api, None, |error| matches!(error, ImportError::Io { .. })),
            (codes, None, |error| matches!(error, ImportError::Io { .. })),
            (api, Some("{}"), |error| matches!(error, ImportError::Api { .. })),
            (codes, Some("import os"), |error| matches!(error, ImportError::ErrorCodes { .. })),
            (api, Some(dangling), |error| matches!(error, ImportError::Inconsistent { .. })),
        ];
        for (name, text, expected) in cases {
            let (packages, models) = (site_packages(), tempfile::tempdir().unwrap());
            match text {
                Some(text) => write(packages.path(), name, text),
                None => std::fs::remove_file(packages.path().join(name)).unwrap(),
            }
            let error = import(packages.path(), models.path()).unwrap_err();
            assert!(expected(&error), "{name}: {error}");
            assert_eq!(names(models.path()), BTreeSet::new());
        }
    }

    fn names(directory: &Path) -> BTreeSet<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn expected_names() -> BTreeSet<String> {
        let models = PRODUCTS.map(|(product, version)| format!("{product}-{version}.json"));
        models.into_iter().chain(["SOURCES.json".to_owned()]).collect()
    }

    #[test]
    fn the_committed_models_are_whole() {
        let counts =
            [("tcr", 127), ("kms", 69), ("sts", 7), ("cam", 95), ("cvm", 106), ("mariadb", 81), ("tag", 31)];
        assert_eq!(names(&models_directory()), expected_names());
        for ((product, version), (counted, actions)) in PRODUCTS.into_iter().zip(counts) {
            let path = models_directory().join(format!("{product}-{version}.json"));
            let text = std::fs::read_to_string(path).unwrap();
            let model: Model = serde_json::from_str(&text).unwrap();
            assert_eq!((model.product.as_str(), model.version.as_str()), (product, version));
            assert_eq!((product, model.actions.len()), (counted, actions));
            assert_eq!(model.check(), Ok(()));
            assert_eq!(model.render().unwrap(), text, "{product} is not as the importer writes it");
        }
        let sources = std::fs::read_to_string(models_directory().join("SOURCES.json")).unwrap();
        assert_eq!(sources, packages::sources());
    }
}
