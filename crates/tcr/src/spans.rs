//! The work that no request waits for, as spans, for whoever has asked for traces. Where nobody has, nothing is recorded and nothing sent.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};

use crate::signatures::ImageKey;

/// Does `work` as a span, below the one that is under way, if there is one. What the work begins in turn is below this one.
pub(crate) async fn spanned<T, E>(
    name: &'static str,
    kind: SpanKind,
    attributes: impl FnOnce() -> Vec<KeyValue>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let tracer = global::tracer("rookery-tcr");
    let span = tracer.build(tracer.span_builder(name).with_kind(kind));
    let context = Context::current_with_span(span);
    let recording = context.span().is_recording();
    if recording {
        context.span().set_attributes(attributes());
    }
    let done = work.with_context(context.clone()).await;
    if recording && done.is_err() {
        // What went wrong is in the log: it may name an address that holds a secret.
        context.span().set_status(Status::error(""));
    }
    context.span().end();
    done
}

/// Whose work it is.
pub(crate) fn of_instance(id: &str, number: i64) -> Vec<KeyValue> {
    vec![KeyValue::new("rookery.instance", id.to_owned()), KeyValue::new("rookery.number", number)]
}

/// Which image it is about.
pub(crate) fn of_image((registry, repository, digest): &ImageKey) -> Vec<KeyValue> {
    vec![
        KeyValue::new("rookery.repository", format!("{registry}/{repository}")),
        KeyValue::new("rookery.digest", digest.clone()),
    ]
}

/// Tells a receiver to which trace its request belongs (W3C Trace Context), if it belongs to one.
pub(crate) fn tell(headers: &mut HeaderMap) {
    let context = Context::current();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return;
    }
    let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags());
    if let Ok(value) = HeaderValue::from_str(&format!("00-{trace:032x}-{id:016x}-{flags:02x}")) {
        headers.insert(HeaderName::from_static("traceparent"), value);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    #[tokio::test]
    async fn without_traces_the_work_is_done_and_nobody_is_told() {
        let work = async {
            let mut headers = HeaderMap::new();
            tell(&mut headers);
            headers.is_empty().then_some(7).ok_or("told")
        };
        assert_eq!(spanned("work", SpanKind::Internal, || panic!("recorded"), work).await, Ok(7));
    }

    #[tokio::test]
    async fn a_receiver_is_told_of_the_trace() {
        let (trace, span) = (TraceId::from(0xabc_u128), SpanId::from(0xde_u64));
        let remote = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
        let context = Context::new().with_remote_span_context(remote);
        let _attached = context.attach();
        let mut headers = HeaderMap::new();
        tell(&mut headers);
        let told = "00-00000000000000000000000000000abc-00000000000000de-01";
        assert_eq!(headers.get("traceparent").unwrap(), told);
    }
}
