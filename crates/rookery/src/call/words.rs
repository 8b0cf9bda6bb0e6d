//! What is given on the command line beside product and action.

use std::path::PathBuf;

use rookery_client::{Hmac, Signing};

use super::output::Output;

/// An option of `rookery call`; parameters of actions begin with a capital letter, options never do.
pub(crate) struct Choice {
    /// Its name, without the hyphens.
    pub(crate) name: &'static str,
    /// What stands for its value in help; empty where it takes none.
    pub(crate) value: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
    /// Every value it takes, where they can be counted.
    pub(crate) values: &'static [&'static str],
}

const fn choice(name: &'static str, value: &'static str, about: &'static str) -> Choice {
    Choice { name, value, about, values: &[] }
}

/// Every option.
pub(crate) const CHOICES: [Choice; 16] = [
    choice(
        "endpoint",
        "URL",
        "call this endpoint; {product} in it is replaced. Without it, the running cloud of --data",
    ),
    choice("region", "REGION", "the region; TENCENTCLOUD_REGION, else the nearest one"),
    Choice { values: &["en-US", "zh-CN"], ..choice("language", "LANGUAGE", "the language of messages") },
    choice("ca", "FILE", "trust the authorities of this PEM file"),
    choice("data", "DIR", "the data directory of the running cloud; ROOKERY_DATA, else ./rookery-data"),
    choice("profile", "NAME", "sign with the key of this profile of tccli or of the credentials file"),
    choice(
        "metadata",
        "URL",
        "sign with the key of this machine's role, from the metadata service (http://metadata.tencentyun.com)",
    ),
    Choice {
        values: &["v3", "v3-get", "v1-sha1", "v1-sha256", "v1-sha1-get", "v1-sha256-get"],
        ..choice("signing", "WAY", "how to sign and carry the request; v3 unless given")
    },
    choice(
        "retries",
        "N",
        "try up to N times more where the platform says so, or the connection fails on a read",
    ),
    choice("timeout", "SECONDS", "wait this long for a reply; 60 unless given"),
    Choice { values: &["json", "table", "text"], ..choice("output", "FORM", "json unless given") },
    choice("filter", "EXPR", "print only what this JMESPath expression takes out of the reply"),
    choice(
        "cli-input-json",
        "JSON",
        "parameters as one JSON object, or file://PATH of one; single parameters override it",
    ),
    choice("generate-cli-skeleton", "", "print an object for --cli-input-json, and do not call"),
    choice("page-all", "", "fetch every page of a list by Offset and Limit"),
    choice("help", "", "list the parameters and these options"),
];

/// What is to be done with the action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Call it.
    #[default]
    Call,
    /// Call it for every page of its list.
    EveryPage,
    /// Print an object of its parameters.
    Skeleton,
    /// Describe it. Goes before everything else.
    Help,
}

impl Purpose {
    fn unless_help(self, other: Self) -> Self {
        if self == Self::Help { self } else { other }
    }
}

/// The words, read.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) language: Option<String>,
    pub(super) ca: Option<PathBuf>,
    pub(super) data: PathBuf,
    pub(super) profile: Option<String>,
    pub(super) metadata: Option<String>,
    pub(super) signing: Signing,
    pub(super) retries: u32,
    pub(super) timeout: Option<u64>,
    pub(super) output: Output,
    pub(super) filter: Option<String>,
    pub(super) input: Option<String>,
    pub(super) purpose: Purpose,
    pub(super) parameters: Vec<(String, String)>,
}

impl Words {
    /// Reads the words after product and action.
    pub(super) fn read(words: &[String]) -> Result<Self, String> {
        let data =
            std::env::var_os("ROOKERY_DATA").map_or_else(|| PathBuf::from("./rookery-data"), PathBuf::from);
        let mut read = Self {
            endpoint: None,
            region: std::env::var("TENCENTCLOUD_REGION").ok().filter(|region| !region.is_empty()),
            language: None,
            ca: None,
            data,
            profile: None,
            metadata: None,
            signing: Signing::default(),
            retries: 0,
            timeout: None,
            output: Output::Json,
            filter: None,
            input: None,
            purpose: Purpose::default(),
            parameters: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name =
                word.strip_prefix("--").ok_or_else(|| format!("`{word}`: parameters begin with --"))?;
            match name {
                "help" => read.purpose = Purpose::Help,
                "generate-cli-skeleton" => read.purpose = read.purpose.unless_help(Purpose::Skeleton),
                "page-all" => read.purpose = read.purpose.unless_help(Purpose::EveryPage),
                _ => {
                    let (name, value) = match name.split_once('=') {
                        Some((name, value)) => (name, value.to_owned()),
                        None => {
                            (name, words.next().ok_or_else(|| format!("--{name} needs a value"))?.clone())
                        }
                    };
                    read.take(name, value)?;
                }
            }
        }
        if read.metadata.is_some() && read.profile.is_some() {
            return Err("--profile and --metadata name two keys; give one".to_owned());
        }
        Ok(read)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        let number = |value: &str| format!("--{name} takes a whole number, not `{value}`");
        match name {
            "endpoint" => self.endpoint = Some(value),
            "region" => self.region = Some(value),
            "language" => self.language = Some(value),
            "ca" => self.ca = Some(value.into()),
            "data" => self.data = value.into(),
            "profile" => self.profile = Some(value),
            "metadata" => self.metadata = Some(value),
            "signing" => self.signing = signing(&value)?,
            "retries" => self.retries = value.parse().map_err(|_| number(&value))?,
            "timeout" => self.timeout = Some(value.parse().map_err(|_| number(&value))?),
            "output" => self.output = Output::parse(&value)?,
            "filter" => self.filter = Some(value),
            "cli-input-json" => self.input = Some(value),
            _ => self.parameters.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

fn signing(word: &str) -> Result<Signing, String> {
    Ok(match word {
        "v3" => Signing::V3Post,
        "v3-get" => Signing::V3Get,
        "v1-sha1" => Signing::V1Post(Hmac::HmacSha1),
        "v1-sha256" => Signing::V1Post(Hmac::HmacSha256),
        "v1-sha1-get" => Signing::V1Get(Hmac::HmacSha1),
        "v1-sha256-get" => Signing::V1Get(Hmac::HmacSha256),
        _ => {
            return Err(format!(
                "`{word}` is no way to sign; `rookery call PRODUCT ACTION --help` lists them"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Words, String> {
        Words::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_listed_option_and_value_is_taken_and_is_no_parameter() {
        for choice in &CHOICES {
            let flag = format!("--{}", choice.name);
            let values = if choice.values.is_empty() { &["1"] } else { choice.values };
            for value in values {
                let words: &[&str] = if choice.value.is_empty() { &[&flag] } else { &[&flag, value] };
                let read = read(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
                assert!(read.parameters.is_empty(), "{flag}");
            }
        }
    }

    #[test]
    fn words_are_options_or_parameters_or_refused() {
        let words = read(&["--Limit", "5", "--output=table", "--Filters.0.Name", "a=b"]).unwrap();
        assert_eq!(words.parameters, [("Limit".into(), "5".into()), ("Filters.0.Name".into(), "a=b".into())]);
        assert_eq!((words.output, words.purpose), (Output::Table, Purpose::Call));
        assert_eq!(read(&["--page-all"]).unwrap().purpose, Purpose::EveryPage);
        assert_eq!(read(&["--help", "--generate-cli-skeleton"]).unwrap().purpose, Purpose::Help);
        for refused in [
            &["Limit"][..],
            &["--Limit"],
            &["--output", "xml"],
            &["--signing", "v2"],
            &["--retries", "many"],
            &["--timeout", "-1"],
            &["--metadata", "http://127.0.0.1", "--profile", "ci"],
        ] {
            assert!(read(refused).is_err(), "{refused:?}");
        }
    }
}
