//! `rookery scrub`: reads everything that the registry keeps back, and says what is damaged and whom that concerns.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rookery_registry::{Bucket, Scrub as Reading, Scrubbed};
use serde::Serialize;

use crate::commands::{BlobPlace, Scrub};
use crate::migrations;

/// How often a terminal is shown how far it is.
const PULSE: Duration = Duration::from_millis(200);

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    scrubbed: Scrubbed,
    damaged: Vec<rookery_registry::Finding>,
}

pub(crate) fn run(options: &Scrub) -> Result<(), Box<dyn Error>> {
    let directory = &options.directory.data;
    if !directory.is_dir() {
        return Err(format!("{}: no such data directory", directory.display()).into());
    }
    let store = migrations::open(directory)?;
    let reading = match bucket(&options.place)? {
        Some(bucket) => Reading::of_bucket(store, &bucket)?,
        None => Reading::of_directory(store, &registry_of(directory))?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut progress = Progress::new();
    let (scrubbed, damaged) = runtime.block_on(reading.run(at_once, |now| progress.show(now)))?;
    progress.clear();
    let report = Report { scrubbed, damaged };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        tell(&report);
    }
    match report.damaged.len() {
        0 => Ok(()),
        damaged => Err(format!("{damaged} damaged").into()),
    }
}

/// Where the registry of a data directory keeps its files.
fn registry_of(data: &Path) -> std::path::PathBuf {
    rookery_tcr::Options::new(data, rookery_tcr::SUFFIX).directory
}

/// The bucket that `--blobs` names, with the keys of the environment.
pub(crate) fn bucket(place: &BlobPlace) -> Result<Option<Bucket>, Box<dyn Error>> {
    let Some(address) = &place.blobs else { return Ok(None) };
    let endpoint = place.blobs_endpoint.as_deref();
    let mut bucket = Bucket::parse(address, endpoint, |name| std::env::var(name).ok())?;
    if let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let pem = std::fs::read(&path).map_err(|error| format!("AWS_CA_BUNDLE: {error}"))?;
        bucket.authority = Some(pem);
    }
    Ok(Some(bucket))
}

fn tell(report: &Report) {
    let Scrubbed { blobs, manifests, bytes, .. } = report.scrubbed;
    println!("read {blobs} blobs and {manifests} manifests, {bytes} bytes");
    for finding in &report.damaged {
        println!("{} is {}", finding.digest, name(finding.damage));
        for repository in &finding.repositories {
            println!("  held by {repository}");
        }
        for image in &finding.images {
            println!("  needed by {image}");
        }
    }
}

fn name(damage: rookery_registry::Damage) -> &'static str {
    use rookery_registry::Damage;
    match damage {
        Damage::Rotten => "rotten: its bytes are not what was pushed",
        Damage::WrongSize => "of another size than what was pushed",
        Damage::Missing => "missing",
        Damage::Unreadable => "unreadable",
    }
}

/// One line of a terminal, written over and over; nothing where nobody watches.
struct Progress {
    shown: Option<Instant>,
    watched: bool,
}

impl Progress {
    fn new() -> Self {
        Self { shown: None, watched: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, now: Scrubbed) {
        if !self.watched || self.shown.is_some_and(|at| at.elapsed() < PULSE) {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = (now.bytes.min(now.bytes_in_all) * 100).checked_div(now.bytes_in_all).unwrap_or(100);
        write_to_terminal(&format!("\r\x1b[K{} of {} blobs, {percent} %", now.blobs, now.blobs_in_all));
    }

    fn clear(&self) {
        if self.shown.is_some() {
            write_to_terminal("\r\x1b[K");
        }
    }
}

fn write_to_terminal(text: &str) {
    let mut out = std::io::stderr().lock();
    // A terminal that is gone is no reason to stop reading.
    let _shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
