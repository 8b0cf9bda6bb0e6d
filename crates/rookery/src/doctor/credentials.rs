//! Keys: those of the environment and of the SDKs' files. A key that this cloud does not know is one of another cloud.

use std::fs;
use std::path::PathBuf;

use super::{Finding, Surroundings};

/// A key as a setting holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// What this cloud says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Known,
    /// No such SecretId.
    Foreign,
    /// The SecretId is known, but the call was refused with this code.
    Refused(String),
    /// No cloud runs that could be asked.
    Unknown,
}

/// Asks the cloud.
pub(super) type Asker = Box<dyn Fn(&Key) -> Standing>;

/// Judges a key that was found at `place`.
pub(super) fn judge(surroundings: &Surroundings, place: &str, key: &Key) -> Finding {
    let shown: String = key.id.chars().take(8).collect();
    let standing = (surroundings.asker)(key);
    let says = format!("{place}: {shown}… {standing}");
    match standing {
        Standing::Known => Finding::fine(says),
        Standing::Foreign => Finding::leaves(
            format!("{says}; where a call leaves, it would be signed with it"),
            "put this cloud's key there (rookery env), or take it away",
        ),
        Standing::Refused(_) => Finding::check(says, r#"eval "$(rookery env)""#),
        Standing::Unknown => Finding::check(says, "rookery serve"),
    }
}

pub(super) fn findings(surroundings: &Surroundings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(id) = surroundings.variable("TENCENTCLOUD_SECRET_ID") {
        let token = ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SESSION_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"]
            .iter()
            .find_map(|name| surroundings.variable(name));
        let key = Key {
            id: id.to_owned(),
            secret: surroundings.variable("TENCENTCLOUD_SECRET_KEY").unwrap_or_default().to_owned(),
            token: token.map(str::to_owned),
        };
        findings.push(judge(surroundings, "TENCENTCLOUD_SECRET_ID", &key));
    }
    let mut files = vec![
        surroundings.home.join(".tencentcloud/credentials"),
        surroundings.etc.join("tencentcloud/credentials"),
    ];
    files.extend(surroundings.variable("TENCENTCLOUD_CREDENTIALS_FILE").map(PathBuf::from));
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (section, key) in sections(&text) {
            findings.push(judge(surroundings, &format!("{} [{section}]", file.display()), &key));
        }
    }
    findings
}

/// The keys of an ini file, by section.
fn sections(text: &str) -> Vec<(String, Key)> {
    let mut found: Vec<(String, Key)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            found.push((section.trim().to_owned(), Key::default()));
        } else if let (Some((name, value)), Some((_, key))) = (line.split_once('='), found.last_mut()) {
            let value = value.trim().to_owned();
            match name.trim() {
                "secret_id" => key.id = value,
                "secret_key" => key.secret = value,
                "token" => key.token = Some(value).filter(|token| !token.is_empty()),
                _ => {}
            }
        }
    }
    found.retain(|(_, key)| !key.id.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_an_ini_file_are_read_by_section() {
        let text = "# x\nsecret_id = outside\n[default]\nsecret_id = AKIDa\nsecret_key=s=1\n; y\n\n[ other ]\nsecret_id=AKIDb\ntoken = t\n[empty]\nrole_arn = r\n";
        let key = |id: &str, secret: &str, token: Option<&str>| Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: token.map(str::to_owned),
        };
        assert_eq!(
            sections(text),
            [
                ("default".to_owned(), key("AKIDa", "s=1", None)),
                ("other".to_owned(), key("AKIDb", "", Some("t")))
            ]
        );
        assert!(sections("").is_empty());
    }
}
