//! Traces for a collector (`rookery serve --otlp`): who decides that there are any, and where they go.
//!
//! The settings of OpenTelemetry's own environment hold, as the specification names them; what only another transport could do is refused.

mod collector;
mod request_span;

use std::error::Error;
use std::time::Duration;

use opentelemetry::{Key, global};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;

use self::collector::Collector;
pub(crate) use self::request_span::{RequestSpan, Spanned, route};

/// What a collector takes below its base address.
const TRACES_PATH: &str = "v1/traces";
/// How long the last spans may take at the end of the process.
const FAREWELL: Duration = Duration::from_secs(5);
const SERVICE: &str = "rookery";

/// Why traces cannot be sent as they were asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("{name}={value}: spans are sent as http/protobuf only; name the collector's HTTP port (4318)")]
    Protocol { name: &'static str, value: String },
    #[error("--otlp {0}: an address begins with http:// or https://")]
    Address(String),
    #[error("{name}={value}: not a number of milliseconds above 0")]
    Timeout { name: &'static str, value: String },
    #[error("{path}: {error}")]
    Certificate { path: String, error: std::io::Error },
}

/// What is asked for by the command line and the environment.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    /// Where spans go, as a whole; `None` leaves it to the environment.
    endpoint: Option<String>,
    timeout: Duration,
    /// The file of the authority that signed the collector's certificate.
    certificate: Option<String>,
}

impl Settings {
    /// `None` where nobody wants traces.
    fn read(
        otlp: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, SettingError> {
        let set = |name: &'static str| environment(name).filter(|value| !value.is_empty());
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, set(name)?)));
        let addressed =
            first(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]).is_some();
        let exported = set("OTEL_TRACES_EXPORTER").is_none_or(|exporter| exporter == "otlp");
        let disabled = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if disabled || !(otlp.is_some() || addressed && exported) {
            return Ok(None);
        }
        let protocol = first(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
        if let Some((name, value)) = protocol.filter(|(_, value)| value != "http/protobuf") {
            return Err(SettingError::Protocol { name, value });
        }
        let timeout = match first(["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"]) {
            Some((name, value)) => match value.parse() {
                Ok(milliseconds) if milliseconds > 0 => Duration::from_millis(milliseconds),
                _ => return Err(SettingError::Timeout { name, value }),
            },
            None => Duration::from_secs(10),
        };
        let certificate = first(["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"]);
        let endpoint = otlp.map(traces_address).transpose()?;
        Ok(Some(Self { endpoint, timeout, certificate: certificate.map(|(_, path)| path) }))
    }
}

/// Where spans go at a collector, whose base address may be given with and without the path of its traces.
fn traces_address(base: &str) -> Result<String, SettingError> {
    let address = base.trim_end_matches('/');
    if !address.starts_with("http://") && !address.starts_with("https://") {
        return Err(SettingError::Address(base.to_owned()));
    }
    let whole = address.ends_with(&format!("/{TRACES_PATH}"));
    Ok(if whole { address.to_owned() } else { format!("{address}/{TRACES_PATH}") })
}

/// What sends spans. Batches go out on a thread of their own, and what a queue of 2048 does not hold is dropped: no request waits.
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// `None` where nobody asked for traces. Needs the runtime whose connections it uses.
    pub(crate) fn start(otlp: Option<&str>) -> Result<Option<Self>, Box<dyn Error>> {
        let Some(settings) = Settings::read(otlp, |name| std::env::var(name).ok())? else { return Ok(None) };
        let authority = match settings.certificate {
            Some(path) => {
                Some(std::fs::read(&path).map_err(|error| SettingError::Certificate { path, error })?)
            }
            None => None,
        };
        let collector = Collector::new(authority, settings.timeout, Handle::current())?;
        let exporter = SpanExporter::builder().with_http().with_http_client(collector);
        let exporter = match settings.endpoint {
            Some(endpoint) => exporter.with_endpoint(endpoint),
            None => exporter,
        };
        let exporter = exporter.with_timeout(settings.timeout).build()?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        // What the products do in the background finds it there.
        global::set_tracer_provider(provider.clone());
        Ok(Some(Self { provider }))
    }

    /// Sends what has not been sent. Blocks; to be called while the runtime still runs.
    pub(crate) fn finish(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(FAREWELL) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Who the spans are from: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, and what they leave out.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let named = told.get_ref(&Key::from_static_str("service.name"));
    let unnamed = named.is_none_or(|name| name.as_str().starts_with("unknown_service"));
    let versioned = told.get_ref(&Key::from_static_str("service.version")).is_some();
    let mut resource = Resource::builder();
    if unnamed {
        resource = resource.with_service_name(SERVICE);
    }
    if !versioned {
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        resource = resource.with_attribute(version);
    }
    resource.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(otlp: Option<&str>, environment: &[(&str, &str)]) -> Result<Option<Settings>, SettingError> {
        let find = |name: &str| environment.iter().find(|(of, _)| *of == name);
        Settings::read(otlp, |name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    fn to(endpoint: Option<&str>) -> Settings {
        let endpoint = endpoint.map(str::to_owned);
        Settings { endpoint, timeout: Duration::from_secs(10), certificate: None }
    }

    #[test]
    fn nobody_is_told_anything_unless_somebody_asks() {
        for environment in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "cloud")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SDK_DISABLED", "TRUE")],
        ] {
            assert_eq!(read(None, environment).unwrap(), None, "{environment:?}");
        }
        assert_eq!(read(Some("http://c:4318"), &[("OTEL_SDK_DISABLED", "true")]).unwrap(), None);
    }

    #[test]
    fn the_command_line_or_the_environment_asks() {
        for base in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
            let read = read(Some(base), &[("OTEL_TRACES_EXPORTER", "none")]).unwrap();
            assert_eq!(read, Some(to(Some("http://c:4318/v1/traces"))), "{base}");
        }
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            assert_eq!(read(None, &[(name, "http://c:4318")]).unwrap(), Some(to(None)));
        }
        let environment = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ];
        let read = read(Some("https://c"), &environment).unwrap().unwrap();
        assert_eq!(read.timeout, Duration::from_millis(2500));
        assert_eq!(read.certificate.as_deref(), Some("/ca.pem"));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let told =
            |otlp, environment: &[(&str, &str)]| read(Some(otlp), environment).unwrap_err().to_string();
        assert!(told("collector:4318", &[]).contains("begins with http://"));
        let grpc = told("http://c:4317", &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert!(grpc.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL=grpc: spans are sent as http/protobuf only"));
        for value in ["soon", "0", "-1"] {
            let timeout = told("http://c", &[("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", value)]);
            assert!(timeout.contains("not a number of milliseconds"), "{timeout}");
        }
    }
}
