//! `rookery doctor`: which settings of this shell, home and working directory still lead to the real cloud.
//!
//! It reads, and changes nothing. It asks the name resolver and the cloud that runs on the data directory, and nobody else.

mod credentials;
mod environment;
mod roads;
mod terraform;
mod tools;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::env;
use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use rookery_client::{Client, Credentials};
use rookery_identity::RootKey;

use crate::blocking;
use crate::commands::DataDirectory;
use crate::data_directory::{Endpoints, root_key};
use credentials::{Asker, Key, Standing};
use roads::{Resolver, Roads};

/// How a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// Leads here, or nowhere that matters.
    Fine,
    /// Will not work as it stands, or cannot be judged; nothing leaves through it.
    Check,
    /// A call, or a push, would go to somebody else.
    Leaves,
}

/// One line of the report.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    mark: Mark,
    says: String,
    /// What to do about it; empty where nothing is to be done.
    remedy: String,
}

impl Finding {
    fn fine(says: impl Into<String>) -> Self {
        Self { mark: Mark::Fine, says: says.into(), remedy: String::new() }
    }

    fn check(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: Mark::Check, says: says.into(), remedy: remedy.into() }
    }

    fn leaves(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: Mark::Leaves, says: says.into(), remedy: remedy.into() }
    }

    fn line(&self, coloured: bool) -> String {
        let (word, colour) = match self.mark {
            Mark::Fine => ("ok    ", "\x1b[32m"),
            Mark::Check => ("check ", "\x1b[33m"),
            Mark::Leaves => ("leaves", "\x1b[31m"),
        };
        let word = if coloured { format!("{colour}{word}\x1b[0m") } else { word.to_owned() };
        // A file may hold anything; a line of the report is a line.
        let says: String = self.says.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if self.remedy.is_empty() {
            format!("{word}  {says}")
        } else {
            format!("{word}  {says}. Do: {}", self.remedy)
        }
    }
}

/// Everything that the checks look at, so that tests can stand somewhere else.
struct Surroundings {
    variables: HashMap<String, String>,
    home: PathBuf,
    /// `/etc` on a real machine.
    etc: PathBuf,
    working_directory: PathBuf,
    cloud: Option<Endpoints>,
    roads: Roads,
    asker: Asker,
}

impl Surroundings {
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

pub(crate) fn run(options: &DataDirectory) -> ExitCode {
    let running = Endpoints::of_running(&options.data);
    let mut findings = vec![match &running {
        Ok(cloud) => Finding::fine(format!("Rookery answers at {} and {}", cloud.http, cloud.https)),
        Err(error) => Finding::check(error.to_string(), "start it, and ask again: more can be told then"),
    }];
    let cloud = running.ok();
    if let Some(cloud) = &cloud {
        findings.push(clock(cloud, root_key(&options.data).ok()));
    }
    let variables: HashMap<String, String> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let surroundings = Surroundings {
        home: variables.get("HOME").map(PathBuf::from).unwrap_or_default(),
        etc: PathBuf::from("/etc"),
        working_directory: PathBuf::from("."),
        roads: Roads::new(&variables, cloud.as_ref(), Resolver::system()),
        asker: asker(cloud.as_ref()),
        variables,
        cloud,
    };
    findings.extend(examine(&surroundings));
    report(findings)
}

fn examine(surroundings: &Surroundings) -> Vec<Finding> {
    let mut findings = environment::findings(surroundings);
    findings.extend(credentials::findings(surroundings));
    findings.extend(tools::tccli(surroundings));
    findings.extend(terraform::findings(surroundings));
    findings.extend(tools::registries(surroundings));
    findings
}

/// The worst first, and a sum.
fn report(mut findings: Vec<Finding>) -> ExitCode {
    findings.sort_by_key(|finding| Reverse(finding.mark));
    let coloured = std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
    for finding in &findings {
        println!("{}", finding.line(coloured));
    }
    let leaving = findings.iter().filter(|finding| finding.mark == Mark::Leaves).count();
    if leaving == 0 {
        println!("Nothing that was looked at leads to the real cloud.");
        return ExitCode::SUCCESS;
    }
    println!("{leaving} of {} findings lead away from Rookery.", findings.len());
    ExitCode::FAILURE
}

/// A signed call says whether this machine's clock and the cloud's agree within the 300 s that signatures last.
fn clock(cloud: &Endpoints, root: Option<RootKey>) -> Finding {
    let Some(root) = root else {
        return Finding::check(
            "the root's key cannot be read",
            "run this as the user who runs `rookery serve`, with the same ROOKERY_MASTER_KEY",
        );
    };
    let key = Key { id: root.secret_id.clone(), secret: root.secret_key.to_string(), token: None };
    match asker(Some(cloud))(&key) {
        Standing::Known => Finding::fine("the clock: a call signed now is accepted"),
        Standing::Refused(code) if code == "AuthFailure.SignatureExpire" => Finding::check(
            "the clock: it differs from the cloud's by more than 300 s",
            "set it; signatures and certificates depend on it",
        ),
        standing => {
            Finding::check(format!("a call with the root's key: {standing}"), "look at `rookery trace`")
        }
    }
}

/// Asks the running cloud whether it knows a key, by a signed call; the secret itself goes nowhere.
fn asker(cloud: Option<&Endpoints>) -> Asker {
    let Some(cloud) = cloud else { return Box::new(|_| Standing::Unknown) };
    let (endpoint, region) = (cloud.http.clone(), cloud.region.clone());
    Box::new(move |key| {
        let mut credentials = Credentials::new(key.id.clone(), key.secret.clone());
        if let Some(token) = &key.token {
            credentials = credentials.with_token(token.clone());
        }
        let called = Client::new(&endpoint, credentials).and_then(|client| {
            let client = client.region(region.clone());
            let call = client.call_json("sts", "2018-08-13", "GetCallerIdentity", b"{}");
            blocking::wait(call)
                .unwrap_or_else(|error| Err(rookery_client::ClientError::Unsendable(error.to_string())))
        });
        match called {
            Ok(_) => Standing::Known,
            Err(rookery_client::ClientError::Refused { code, .. })
                if code == "AuthFailure.SecretIdNotFound" =>
            {
                Standing::Foreign
            }
            Err(rookery_client::ClientError::Refused { code, .. }) => Standing::Refused(code),
            Err(_) => Standing::Unknown,
        }
    })
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known => f.write_str("is a key of this cloud"),
            Self::Foreign => f.write_str("is no key of this cloud"),
            Self::Refused(code) => write!(f, "is refused by this cloud ({code})"),
            Self::Unknown => f.write_str("cannot be judged while no cloud answers"),
        }
    }
}

#[cfg(test)]
mod tests;
