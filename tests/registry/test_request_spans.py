"""Spans for a collector: a call and a push, in the trace of the client that asked for them."""

import json
import subprocess

import pytest

import images
from cloud import BINARY, clean_environment, eventually
from collector import collecting
from distribution import ask
from requester import Api
from tools import run

LAYER = bytes(range(256)) * 8192
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@pytest.fixture
def collector():
    with collecting() as collector:
        yield collector


@pytest.fixture
def traced(start, collector):
    """A cloud that sends its spans to the collector, soon."""
    return lambda *options, **environment: start(
        "--otlp", collector.address, *options, OTEL_BSP_SCHEDULE_DELAY="50", **environment
    )


def found(collector, **attributes):
    """The first span with these attributes."""
    return eventually(f"a span with {attributes}", lambda: collector.find(**attributes))[0]


def test_a_call_of_tccli_is_a_span(traced, collector, home):
    cloud = traced(OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test")
    where = ["--endpoint", cloud.endpoints["http"], "--region", "ap-guangzhou"]
    told = run("tccli", "tcr", "DescribeInstances", *where, home=home, **cloud.keys)
    span = found(collector, name="tcr:DescribeInstances")
    assert span["rookery.request_id"] == json.loads(told.stdout)["RequestId"]
    assert (span.kind, span.parent, span.failed) == ("server", "", False)
    assert span["http.request.method"] == "POST" and span["http.response.status_code"] == 200
    assert span["server.address"] == "127.0.0.1" and span["server.port"] == cloud.address[1]
    assert span["url.path"] == "/" and span["url.scheme"] == "http" and span["rookery.caller"].isdigit()
    assert span.resource["service.name"] == "rookery" and span.resource["service.version"]
    assert span.resource["deployment.environment.name"] == "test"
    assert collector.requests[0][0] == "/v1/traces"


def test_a_push_is_in_the_trace_of_its_client(traced, collector, settled):
    cloud = traced()
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    repository.headers |= TRACEPARENT
    digest = repository.put_blob(LAYER)
    got = repository.get(f"blobs/{digest}")
    assert got.body == LAYER
    put = found(collector, name="PUT /v2/{name}/blobs/uploads/{id}")
    assert (put.trace, put.parent, put.kind) == (TRACE, PARENT, "server")
    assert put["rookery.repository"].endswith("/private/app") and put["rookery.caller"]
    pulled = found(collector, name="GET /v2/{name}/blobs/{digest}")
    assert pulled.trace == TRACE and pulled["url.path"] == f"/v2/{repository.name}/blobs/{digest}"
    assert pulled["http.response.body.size"] == len(LAYER) and pulled["error.type"] is None
    assert pulled["rookery.request_id"] == got.header("X-Request-Id")


def test_what_is_refused_is_a_span_and_no_failure_of_the_server(traced, collector):
    cloud = traced()
    assert ask(cloud.authority, "GET", "/v2/nobody/none/manifests/1", TRACEPARENT).status == 404
    span = found(collector, http__response__status_code=404)
    assert not span.failed and span["rookery.caller"] is None and span.trace == TRACE
    reply = json.loads(ask(cloud.authority, "POST", "/", {"Host": "tcr.tencentcloudapi.com"} | TRACEPARENT, b"{}").body)
    error = reply["Response"]["Error"]["Code"]
    span = found(collector, rookery__request_id=reply["Response"]["RequestId"])
    assert span["error.type"] == error and not span.failed and span["rookery.action"] is None


def test_a_client_that_does_not_sample_is_obeyed(traced, collector):
    cloud = traced()
    unsampled = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    ask(cloud.authority, "GET", "/v2/", unsampled)
    ask(cloud.authority, "GET", "/v2/unsampled", {"traceparent": "nonsense"})
    assert found(collector, url__path="/v2/unsampled").trace != TRACE
    assert collector.find(url__path="/v2/") == []


def test_a_signature_is_below_the_push_and_a_webhook_is_told_of_its_trace(traced, collector, settled, tmp_path):
    cloud = traced()
    place = settled(cloud, edition="premium")
    api = Api(cloud)
    key = api.call("kms", "CreateKey", Alias="signer", KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048")["KeyId"]
    policy = {"Name": "signed", "NamespaceName": "private", "KmsId": key, "KmsRegion": "ap-guangzhou"}
    api.call("tcr", "CreateSignaturePolicy", RegistryId=place.id, **policy)
    [space] = api.call("tcr", "DescribeNamespaces", RegistryId=place.id, NamespaceName="private")["NamespaceList"]
    with collecting() as receiver:
        receiver.status = 204
        trigger = {
            "Name": "told",
            "Targets": [{"Address": f"{receiver.address}/secret-hook", "Headers": []}],
            "EventTypes": ["pushImage"],
            "Condition": ".*",
            "Enabled": True,
            "NamespaceId": space["NamespaceId"],
        }
        api.call("tcr", "CreateWebhookTrigger", RegistryId=place.id, Namespace="private", Trigger=trigger)
        repository = place.repository(f"{place.private}/app")
        repository.headers |= TRACEPARENT
        repository.put_layout(images.single(tmp_path / "layout", "signed"))
        sent = found(collector, name="deliver webhook")
        headers = next(headers for path, headers in receiver.requests if path == "/secret-hook")
        assert headers["traceparent"] == f"00-{sent.trace}-{sent.id}-01" and sent.kind == "client"
    push = found(collector, name="PUT /v2/{name}/manifests/{reference}")
    signed = found(collector, name="sign image")
    assert (signed.trace, signed.parent) == (TRACE, push.id) and not signed.failed
    for secret in (b"secret-hook", place.login.password.encode(), cloud.keys["TENCENTCLOUD_SECRET_KEY"].encode()):
        assert secret not in collector.raw


def test_the_last_spans_are_sent_at_the_end(start, collector):
    cloud = start("--otlp", f"{collector.address}/")
    ask(cloud.authority, "GET", "/v2/")
    assert cloud.stop() == 0
    assert [span["url.path"] for span in collector.find(name="GET /v2/")] == ["/v2/"]


def test_the_environment_asks_too_and_no_traces_are_the_rule(start, collector):
    silent = start()
    told = ask(silent.authority, "GET", "/v2/", TRACEPARENT)
    assert told.header("X-Request-Id") is None and silent.stop() == 0
    named = start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.address, OTEL_SERVICE_NAME="mirror")
    ask(named.authority, "GET", "/v2/")
    assert named.stop() == 0
    [span] = collector.find(url__path="/v2/")
    assert span.resource["service.name"] == "mirror"


def test_a_collector_in_trouble_holds_nobody_up(traced, collector):
    collector.status = 400
    cloud = traced()
    ask(cloud.authority, "GET", "/v2/")
    eventually("the log says so", lambda: "the collector answered 400" in cloud.logged())
    collector.status = 200
    ask(cloud.authority, "GET", "/v2/again")
    assert found(collector, url__path="/v2/again")
    # The collector has them before its answer is read.
    eventually("the log says so", lambda: "traces can be sent again" in cloud.logged())
    assert cloud.logged().count("traces cannot be sent") == 1


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        (["--otlp", "collector:4318"], {}, "begins with http://"),
        (["--otlp", "http://127.0.0.1:9"], {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf only"),
        (["--otlp", "https://127.0.0.1:9"], {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_the_start(options, environment, words, tmp_path):
    command = [BINARY, "serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--data", tmp_path / "data", *options]
    ended = subprocess.run(command, env=clean_environment(**environment), capture_output=True, text=True)
    assert ended.returncode == 1 and words in ended.stderr
