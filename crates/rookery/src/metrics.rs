//! What a monitor reads: counters and latencies in the text format of Prometheus.
//!
//! The hot path adds to a few atomic numbers of a fixed table and allocates nothing. The format is lines of
//! `name{label="value"} number`; every label's values are words of ours, so nothing needs to be escaped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use rookery_api::PRODUCTS;
use rookery_gateway::Answered;
use rookery_registry::{Figures, Operation};

/// Upper bounds of the latencies, in microseconds.
const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 60_000_000,
];

/// The outcome of a call without an error code.
const OK: &str = "ok";

/// The classes of status codes, 1xx to 5xx.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// How long answers took to begin.
#[derive(Debug, Default)]
struct Latencies {
    /// Not cumulative; the last place is for what is slower than every bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Latencies {
    fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|bound| *bound < micros);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.load(Ordering::Relaxed) == 0)
    }

    fn write(&self, page: &mut Page, name: &str, labels: &str) {
        let mut below = 0;
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        for (bound, inside) in BOUNDS.iter().zip(counts) {
            below += inside;
            page.line(&format!("{name}_bucket"), &format!("{labels},le=\"{}\"", seconds(*bound)), below);
        }
        page.line(&format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), count);
        page.line(&format!("{name}_sum"), labels, seconds(self.micros.load(Ordering::Relaxed)));
        page.line(&format!("{name}_count"), labels, count);
    }
}

/// Microseconds as seconds, exactly and without zeros at the end.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[derive(Debug, Default)]
struct OfOperation {
    classes: [AtomicU64; CLASSES.len()],
    latencies: Latencies,
}

/// All counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
    in_flight: AtomicI64,
    registry: [OfOperation; Operation::ALL.len()],
    calls: Latencies,
    /// The calls that succeeded, by the places of their products in the contract.
    succeeded: Box<[AtomicU64]>,
    /// The others, by product and error code; both are words of the contract.
    failed: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

/// A request that is being answered.
pub(crate) struct Counting<'m> {
    metrics: &'m Metrics,
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counting<'_> {
    /// Counts an answer of the registry.
    pub(crate) fn registry(self, operation: Operation, status: StatusCode, took: Duration) {
        if let Some(of) = self.metrics.registry.get(operation as usize) {
            if let Some(class) = of.classes.get(usize::from(status.as_u16() / 100).saturating_sub(1)) {
                class.fetch_add(1, Ordering::Relaxed);
            }
            of.latencies.add(took);
        }
    }

    /// Counts the reply to a call.
    pub(crate) fn call(self, answered: &Answered) {
        let metrics = self.metrics;
        metrics.calls.add(answered.took);
        let product = answered.product.unwrap_or("unknown");
        let place = PRODUCTS.iter().position(|known| known.name == product);
        match (answered.code, place.and_then(|place| metrics.succeeded.get(place))) {
            (None, Some(succeeded)) => {
                succeeded.fetch_add(1, Ordering::Relaxed);
            }
            (code, _) => *metrics.failed().entry((product, code.unwrap_or(OK))).or_default() += 1,
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            in_flight: AtomicI64::new(0),
            registry: Default::default(),
            calls: Latencies::default(),
            succeeded: PRODUCTS.iter().map(|_| AtomicU64::default()).collect(),
            failed: Mutex::default(),
        }
    }

    fn failed(&self) -> MutexGuard<'_, BTreeMap<(&'static str, &'static str), u64>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) -> Counting<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Counting { metrics: self }
    }

    /// The page.
    pub(crate) fn page(&self, figures: &Figures) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.text(figures))));
        let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
        response
    }

    fn text(&self, figures: &Figures) -> String {
        let mut page = Page(String::with_capacity(16 * 1024));
        let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
        page.head("rookery_build_info", "gauge", "The version that runs.");
        page.line("rookery_build_info", &version, 1);
        page.head("rookery_uptime_seconds", "gauge", "Since the start of the process.");
        page.line("rookery_uptime_seconds", "", self.started.elapsed().as_secs());
        page.head("rookery_requests_in_flight", "gauge", "Requests whose answer has not begun.");
        page.line("rookery_requests_in_flight", "", self.in_flight.load(Ordering::Relaxed));
        self.write_registry(&mut page);
        self.write_calls(&mut page);
        write_figures(&mut page, figures);
        write_process(&mut page);
        page.0
    }

    fn write_registry(&self, page: &mut Page) {
        page.head("rookery_registry_requests_total", "counter", "Requests to the registry.");
        for (operation, of) in Operation::ALL.iter().zip(&self.registry) {
            for (class, count) in CLASSES.iter().zip(&of.classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = format!("operation=\"{}\",status=\"{class}\"", operation.name());
                    page.line("rookery_registry_requests_total", &labels, count);
                }
            }
        }
        let name = "rookery_registry_request_duration_seconds";
        page.head(name, "histogram", "Until the answer of the registry begins.");
        for (operation, of) in Operation::ALL.iter().zip(&self.registry) {
            if !of.latencies.is_empty() {
                of.latencies.write(page, name, &format!("operation=\"{}\"", operation.name()));
            }
        }
    }

    fn write_calls(&self, page: &mut Page) {
        page.head("rookery_api_calls_total", "counter", "Calls of the API, by product and error code.");
        let mut outcomes = self.failed().clone();
        for (product, succeeded) in PRODUCTS.iter().zip(&*self.succeeded) {
            let succeeded = succeeded.load(Ordering::Relaxed);
            if succeeded > 0 {
                *outcomes.entry((product.name, OK)).or_default() += succeeded;
            }
        }
        for ((product, outcome), count) in outcomes {
            let labels = format!("product=\"{product}\",outcome=\"{outcome}\"");
            page.line("rookery_api_calls_total", &labels, count);
        }
        let name = "rookery_api_call_duration_seconds";
        page.head(name, "histogram", "Until the reply to a call begins.");
        self.calls.write(page, name, "part=\"api\"");
    }
}

fn write_figures(page: &mut Page, figures: &Figures) {
    page.head("rookery_registry_uploads", "gauge", "Uploads under way.");
    page.line("rookery_registry_uploads", "", figures.uploads);
    page.head("rookery_registry_collecting", "gauge", "Whether garbage is being collected.");
    page.line("rookery_registry_collecting", "", u8::from(figures.collecting));
    let collected = &figures.collected;
    page.head("rookery_registry_collected_total", "counter", "What collections took away.");
    for (what, count) in [
        ("manifests", collected.manifests),
        ("links", collected.links),
        ("blobs", collected.blobs),
        ("files", collected.files),
    ] {
        page.line("rookery_registry_collected_total", &format!("what=\"{what}\""), count);
    }
    page.head("rookery_registry_collected_bytes_total", "counter", "Bytes of the blobs among it.");
    page.line("rookery_registry_collected_bytes_total", "", collected.bytes);
}

/// What the system says of this process; left out where it does not.
fn write_process(page: &mut Page) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    if let Some(kilobytes) = resident.and_then(|text| text.trim().parse::<u64>().ok()) {
        page.head("process_resident_memory_bytes", "gauge", "Resident memory.");
        page.line("process_resident_memory_bytes", "", kilobytes * 1024);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        page.head("process_open_fds", "gauge", "Open files and sockets.");
        page.line("process_open_fds", "", open.count());
    }
}

/// The text as it grows.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.add(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        if labels.is_empty() {
            self.add(format_args!("{name} {value}\n"));
        } else {
            self.add(format_args!("{name}{{{labels}}} {value}\n"));
        }
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _written = self.0.write_fmt(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_gateway::RequestId;
    use rookery_registry::Collected;

    fn figures() -> Figures {
        let collected = Collected { blobs: 2, bytes: 9, ..Collected::default() };
        Figures { uploads: 3, collecting: true, collected }
    }

    #[test]
    fn seconds_are_exact() {
        for (micros, text) in
            [(0, "0"), (100, "0.0001"), (2_500_000, "2.5"), (60_000_000, "60"), (1, "0.000001")]
        {
            assert_eq!(seconds(micros), text);
        }
    }

    #[test]
    fn requests_are_counted() {
        let metrics = Metrics::new();
        let pending = metrics.begin();
        let took = Duration::from_micros(70);
        metrics.begin().registry(Operation::Manifest, StatusCode::OK, took);
        metrics.begin().registry(Operation::Manifest, StatusCode::NOT_FOUND, took);
        let answered = |product, code| Answered {
            request_id: RequestId(rookery_world::World::system().uuid()),
            product,
            action: None,
            principal: None,
            code,
            took,
        };
        metrics.begin().call(&answered(Some("tcr"), None));
        metrics.begin().call(&answered(Some("tcr"), Some("AuthFailure")));
        metrics.begin().call(&answered(None, Some("NoSuchProduct")));
        let text = metrics.text(&figures());
        for line in [
            "rookery_requests_in_flight 1",
            "rookery_registry_requests_total{operation=\"manifest\",status=\"2xx\"} 1",
            "rookery_registry_requests_total{operation=\"manifest\",status=\"4xx\"} 1",
            "rookery_registry_request_duration_seconds_bucket{operation=\"manifest\",le=\"+Inf\"} 2",
            "rookery_registry_request_duration_seconds_count{operation=\"manifest\"} 2",
            "rookery_api_calls_total{product=\"tcr\",outcome=\"AuthFailure\"} 1",
            "rookery_api_calls_total{product=\"tcr\",outcome=\"ok\"} 1",
            "rookery_api_calls_total{product=\"unknown\",outcome=\"NoSuchProduct\"} 1",
            "rookery_api_call_duration_seconds_count{part=\"api\"} 3",
            "rookery_registry_collected_total{what=\"blobs\"} 2",
            "rookery_registry_collected_bytes_total 9",
            "rookery_registry_uploads 3",
            "rookery_registry_collecting 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("operation=\"blob\""));
        drop(pending);
        assert!(metrics.text(&figures()).contains("rookery_requests_in_flight 0"));
    }

    #[test]
    fn latencies_are_cumulative() {
        let latencies = Latencies::default();
        for micros in [50, 100, 101, 3_000, 120_000_000] {
            latencies.add(Duration::from_micros(micros));
        }
        let mut page = Page(String::new());
        latencies.write(&mut page, "t", "l=\"x\"");
        let value = |bound: &str| {
            let prefix = format!("t_bucket{{l=\"x\",le=\"{bound}\"}} ");
            page.0.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
        };
        let all = ["0.0001", "0.00025", "0.0025", "0.005", "60", "+Inf"].map(value);
        assert_eq!(all.map(Option::unwrap_or_default), ["2", "3", "3", "4", "4", "5"]);
        assert!(page.0.contains("t_sum{l=\"x\"} 120.003251\n"), "{}", page.0);
    }
}
