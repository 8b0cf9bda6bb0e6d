//! Security groups from a file, for as long as no product here keeps them: `serve --security-groups FILE`.
//!
//! The file is JSON, in the words of the platform's replies. It is read again when it has changed; one that has become unreadable changes
//! nothing, so that a slip of an editor opens no door and closes none.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rookery_mariadb::{Group, Rule, RuleError, SecurityGroups};
use serde::Deserialize;

/// Why a file tells of no groups.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupsError {
    #[error("{0}: {1}")]
    File(PathBuf, #[source] std::io::Error),
    #[error("{0}: {1}")]
    Form(PathBuf, #[source] serde_json::Error),
    #[error("{0}: {1}: {2}")]
    Rule(PathBuf, String, #[source] RuleError),
    #[error("{0}: the group {1} is there twice")]
    Twice(PathBuf, String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    security_groups: Vec<WrittenGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WrittenGroup {
    security_group_id: String,
    #[serde(default)]
    security_group_name: String,
    #[serde(default)]
    security_group_remark: String,
    #[serde(default)]
    project_id: i64,
    #[serde(default)]
    create_time: String,
    /// The only region that has it; every region where none is named.
    region: Option<String>,
    #[serde(default)]
    inbound: Vec<WrittenRule>,
    #[serde(default)]
    outbound: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WrittenRule {
    action: String,
    cidr_ip: String,
    #[serde(default = "all")]
    port_range: String,
    #[serde(default = "all")]
    ip_protocol: String,
}

fn all() -> String {
    "ALL".to_owned()
}

/// A group, and the only region that has it.
type Placed = (Option<String>, Group);

/// The groups of a file.
#[derive(Debug)]
pub(crate) struct GroupsFile {
    path: PathBuf,
    read: Mutex<(Stamp, Vec<Placed>)>,
}

/// What changes when a file is written.
type Stamp = (Option<SystemTime>, u64);

impl GroupsFile {
    pub(crate) fn open(path: &Path) -> Result<Self, GroupsError> {
        let stamp = stamp(path);
        Ok(Self { read: Mutex::new((stamp, read(path)?)), path: path.to_owned() })
    }
}

impl SecurityGroups for GroupsFile {
    fn groups(&self, region: &str) -> Vec<Group> {
        // What panicked while it held this has not left half of it.
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path);
        if known.0 != now {
            match read(&self.path) {
                Ok(groups) => known.1 = groups,
                Err(error) => tracing::error!(%error, "the security groups stay as they were"),
            }
            known.0 = now;
        }
        let here = known.1.iter().filter(|(only, _)| only.as_deref().is_none_or(|only| only == region));
        here.map(|(_, group)| group.clone()).collect()
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok();
    let changed = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
    (changed, metadata.map_or(0, |metadata| metadata.len()))
}

fn read(path: &Path) -> Result<Vec<Placed>, GroupsError> {
    let text = fs::read(path).map_err(|error| GroupsError::File(path.to_owned(), error))?;
    let written: Written =
        serde_json::from_slice(&text).map_err(|error| GroupsError::Form(path.to_owned(), error))?;
    let mut groups: Vec<Placed> = Vec::new();
    for group in written.security_groups {
        let id = group.security_group_id.clone();
        if groups.iter().any(|(_, known)| known.id == id) {
            return Err(GroupsError::Twice(path.to_owned(), id));
        }
        let group = placed(group).map_err(|error| GroupsError::Rule(path.to_owned(), id, error))?;
        groups.push(group);
    }
    Ok(groups)
}

fn placed(group: WrittenGroup) -> Result<Placed, RuleError> {
    let rules = |rules: Vec<WrittenRule>| {
        let rules = rules.iter();
        let rules =
            rules.map(|rule| Rule::new(&rule.action, &rule.cidr_ip, &rule.port_range, &rule.ip_protocol));
        rules.collect::<Result<Vec<_>, _>>()
    };
    let name = group.security_group_name;
    let known = Group {
        name: if name.is_empty() { group.security_group_id.clone() } else { name },
        id: group.security_group_id,
        remark: group.security_group_remark,
        project: group.project_id,
        created: group.create_time,
        inbound: rules(group.inbound)?,
        outbound: rules(group.outbound)?,
    };
    Ok((group.region, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(groups: &GroupsFile, region: &str) -> Vec<String> {
        groups.groups(region).into_iter().map(|group| group.id).collect()
    }

    #[test]
    fn groups_are_of_every_region_or_of_one_and_follow_the_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("groups.json");
        fs::write(
            &path,
            r#"{"SecurityGroups": [
                {"SecurityGroupId": "sg-one", "Inbound": [{"Action": "ACCEPT", "CidrIp": "127.0.0.1", "PortRange": "3306"}]},
                {"SecurityGroupId": "sg-two", "SecurityGroupName": "two", "Region": "ap-tokyo"}
            ]}"#,
        )
        .unwrap();
        let groups = GroupsFile::open(&path).unwrap();
        assert_eq!(ids(&groups, "ap-tokyo"), ["sg-one", "sg-two"]);
        assert_eq!(ids(&groups, "ap-guangzhou"), ["sg-one"]);
        fs::write(&path, "{").unwrap();
        assert_eq!(ids(&groups, "ap-guangzhou"), ["sg-one"], "what cannot be read changes nothing");
        fs::write(&path, r#"{"SecurityGroups": []}"#).unwrap();
        assert_eq!(ids(&groups, "ap-guangzhou"), [""; 0]);
    }

    #[test]
    fn a_file_that_is_wrong_is_refused_by_name() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("groups.json");
        for (text, says) in [
            ("[]", "groups.json"),
            (r#"{"SecurityGroups": [{"SecurityGroupId": "sg-one", "Colour": 1}]}"#, "Colour"),
            (
                r#"{"SecurityGroups": [{"SecurityGroupId": "sg-one"}, {"SecurityGroupId": "sg-one"}]}"#,
                "twice",
            ),
            (
                r#"{"SecurityGroups": [{"SecurityGroupId": "sg-one", "Inbound": [{"Action": "PASS", "CidrIp": "::/0"}]}]}"#,
                "sg-one: `Action`",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let error = GroupsFile::open(&path).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(GroupsFile::open(&place.path().join("none")).is_err());
    }
}
