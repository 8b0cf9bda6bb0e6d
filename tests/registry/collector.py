"""A collector of OpenTelemetry: takes what is posted to it as OTLP in protobuf and reads the spans."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2


class Span:
    """A span with its attributes, and those of who sent it."""

    def __init__(self, span, resource):
        self.name = span.name
        self.kind = trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.failed = span.status.code == trace_pb2.Status.STATUS_CODE_ERROR
        self.took = span.end_time_unix_nano - span.start_time_unix_nano
        self.attributes = {pair.key: value_of(pair.value) for pair in span.attributes}
        self.resource = {pair.key: value_of(pair.value) for pair in resource.attributes}

    def __getitem__(self, attribute):
        return self.attributes.get(attribute)


def value_of(value):
    return getattr(value, value.WhichOneof("value"))


class Collector:
    def __init__(self):
        self.spans, self.requests, self.raw = [], [], b""
        # What it answers with; a collector that is in trouble says 503.
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.take(self.path, dict(self.headers.items()), body)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path, headers, body):
        self.requests.append((path, headers))
        if self.status != 200:
            return
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [Span(span, resource.resource) for span in scope.spans]

    def find(self, **attributes):
        """The spans with these attributes; `__` stands for the dot."""
        wanted = {name.replace("__", "."): value for name, value in attributes.items()}
        name = wanted.pop("name", None)
        return [
            span
            for span in self.spans
            if (name is None or span.name == name) and all(span[key] == value for key, value in wanted.items())
        ]


@contextmanager
def collecting():
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        collector.server.server_close()
        thread.join()
