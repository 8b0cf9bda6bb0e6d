"""What happened to a request can be read by its RequestId, and a refused signature can be explained."""

import json
import time
from dataclasses import replace

import pytest

from requester import Request, send


@pytest.fixture
def trace(cloud):
    """Reads a page of the trace."""

    def trace(page, **headers):
        headers = {"Host": cloud.authority} | headers
        reply = send(cloud.address, Request("GET", f"/_rookery/{page}", tuple(headers.items())))
        return reply.status, json.loads(reply.body)

    return trace


def test_an_answered_request_leaves_a_record(ask, instances, trace, cloud):
    body = json.dumps({"Registryids": ["tcr-nobody12"], "Limit": 3}).encode()
    extra = (("X-TC-RequestClient", "SDK_TEST_1.0"), ("User-Agent", "test/1"))
    reply = ask(instances.request(body=body, extra=extra))
    status, record = trace(f"traces/{reply.request_id}")
    assert status == 200
    expected = {
        "request_id": reply.request_id,
        "method": "POST",
        "host": cloud.authority,
        "path": "/",
        "client": "SDK_TEST_1.0",
        "user_agent": "test/1",
        "signature": "v3",
        "product": "tcr",
        "version": "2019-09-24",
        "action": "DescribeInstances",
        "region": "ap-guangzhou",
        "secret_id": cloud.secret_id,
        "reading": "as-sent",
        "parameters": {"Registryids": ["tcr-nobody12"], "Limit": 3},
        "error": None,
        "computed": None,
        "likely_cause": None,
        "reply_bytes": len(reply.body),
    }
    assert {name: record[name] for name in expected} == expected
    assert record["permission"]["operation"] == "tcr:DescribeInstances"
    assert record["permission"]["decision"]
    assert record["account"] == record["principal"] > 0
    assert record["peer"].startswith("127.0.0.1:")
    assert record["duration_micros"] > 0


def test_what_nothing_read_is_named(ask, api, instances, identity, trace):
    v1 = api.v1("sts", "GetCallerIdentity", region="ap-guangzhou")
    read = instances.request()
    for request, expected in (
        (read, []),
        (read.with_header("X-TC-Nonce", "1"), ["x-tc-nonce"]),
        (replace(read, target="/?Limit=1"), ["the query of a POST"]),
        (identity.request(region="ap-guangzhou"), ["x-tc-region"]),
        (v1.request(), ["Region"]),
    ):
        _, record = trace(f"traces/{ask(request).request_id}")
        assert record["error"] is None and record["never_read"] == expected


def test_long_parameters_are_cut(ask, instances, trace):
    body = json.dumps({"Registryids": ["tcr-nobody12"] * 1000}).encode()
    _, record = trace(f"traces/{ask(instances.request(body=body)).request_id}")
    assert record["parameters"].startswith('{"Registryids":["tcr-nobody12","')
    assert record["parameters"].endswith("…") and len(record["parameters"]) == 4097


def test_a_refused_v3_signature_leaves_what_the_server_computed(ask, identity, trace):
    wrong = ask(identity.request(secret_key="wrong"))
    _, record = trace(f"traces/{wrong.request_id}")
    assert record["error"]["code"] == "AuthFailure.SignatureFailure"
    assert record["computed"] == {
        "canonical_request": identity.canonical_request(),
        "string_to_sign": identity.string_to_sign(),
    }


def test_a_refused_v1_signature_leaves_the_source_string(ask, api, trace):
    v1 = api.v1("sts", "GetCallerIdentity")
    wrong = ask(v1.request(secret_key="wrong"))
    _, record = trace(f"traces/{wrong.request_id}")
    assert record["computed"] == {"string_to_sign": v1.source()}


def test_a_record_holds_no_secret(ask, instances, trace, cloud):
    # Of a request that was not verified, no parameters are kept either.
    value = "a value that nobody signed"
    body = json.dumps({"Filters": [{"Name": "RegistryName", "Values": [value]}]}).encode()
    for reply in (
        ask(instances.request()),
        ask(instances.request(body=body, secret_key="wrong")),
        ask(instances.request(body=body, extra=(("X-TC-Token", "token of a session"),))),
    ):
        _, record = trace(f"traces/{reply.request_id}")
        text = json.dumps(record)
        assert cloud.secret_key not in text
        assert value not in text
        assert "token of a session" not in text
        assert "Signature=" not in text


def test_the_last_requests_are_listed_newest_first(ask, identity, trace):
    ids = [ask(identity.request()).request_id for _ in range(3)]
    _, listed = trace("traces")
    assert [record["request_id"] for record in listed[:3]] == ids[::-1]


def test_every_request_has_an_id_of_its_own(ask, identity, instances):
    signed = identity.request()
    # The same bytes again, another call, refusals before and after the signature.
    requests = [signed, signed, instances.request(), signed.without_header("Authorization"), identity.request(secret_key="wrong")]
    assert len({ask(request).request_id for request in requests}) == len(requests)


def test_an_unknown_id_has_no_record(trace):
    assert trace("traces/b5b41468-520d-4192-b42f-595cc34b6c1c")[0] == 404
    assert trace("traces/nonsense")[0] == 404


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}], ids=str)
def test_web_pages_cannot_read_the_trace(trace, headers):
    assert trace("traces", **headers)[0] == 403


# -- the same by the command line


def test_trace_shows_one_request_or_the_last(ask, cloud, identity):
    answered = ask(identity.request()).request_id
    assert json.loads(cloud.rookery("trace", answered).stdout)["action"] == "GetCallerIdentity"
    refused = ask(identity.request(action="Nope")).request_id
    lines = cloud.rookery("trace").stdout.splitlines()
    line = next(line for line in lines if refused in line)
    assert "Nope" in line and "InvalidAction" in line
    line = next(line for line in lines if answered in line)
    assert "sts:GetCallerIdentity" in line and "ok" in line


def test_explain_prints_what_the_server_expected(ask, cloud, identity):
    refused = ask(identity.request(secret_key="wrong")).request_id
    printed = cloud.rookery("explain", refused).stdout
    assert "AuthFailure.SignatureFailure" in printed
    plain = [line.strip() for line in printed.splitlines()]
    for line in (identity.canonical_request() + "\n" + identity.string_to_sign()).split("\n"):
        assert line in plain
    assert cloud.secret_key not in printed


def test_explain_points_at_the_line_that_differs(ask, cloud, identity, tmp_path):
    refused = ask(identity.request().with_header("Content-Type", "application/json; charset=utf-8")).request_id
    (tmp_path / "mine").write_text(identity.canonical_request())
    printed = cloud.rookery("explain", refused, "--canonical-request", tmp_path / "mine").stdout
    assert "Line 4" in printed
    assert "content-type:application/json; charset=utf-8" in printed


# A mistake of a client: what it sends, and the words that the explanation has to hold.
MISTAKES = {
    "serialised again": (
        lambda v3: replace(v3.request(body=b'{"Limit": 1}'), body=b'{"Limit":1}'),
        ["re-serialised after signing", "payload hash"],
    ),
    "a charset added": (
        lambda v3: v3.request().with_header("Content-Type", "application/json; charset=utf-8"),
        ["another charset", "Line 4 (header content-type) differs at byte 29"],
    ),
    "signed for the real cloud": (
        lambda v3: v3.request(signed_host="sts.tencentcloudapi.com"),
        ["the platform's host `sts.tencentcloudapi.com`", "Line 5 (header host) differs at byte 5"],
    ),
    "a key with a line break": (lambda v3: v3.request(secret_key=v3.secret_key + "\n"), ["white space around it"]),
    "a clock behind": (lambda v3: v3.request(timestamp=v3.timestamp - 412), ["Your clock is 41", "s behind"]),
    "a clock ahead": (lambda v3: v3.request(timestamp=v3.timestamp + 412), ["Your clock is 41", "s ahead"]),
    "milliseconds": (
        lambda v3: v3.request(timestamp=v3.timestamp * 1000, scope_date="2026-01-01"),
        ["in milliseconds"],
    ),
    "local time": (
        lambda v3: v3.request(scope_date=time.strftime("%Y-%m-%d", time.gmtime(v3.timestamp + 86400))),
        ["the date was taken in local time"],
    ),
    "another product's address": (
        lambda v3: v3.request(host="kms.tencentcloudapi.com"),
        ["The scope's service is `sts`, and the address is that of `kms`"],
    ),
    "another key": (lambda v3: v3.request(secret_key="wrong"), ["No known mistake"]),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_explain_names_the_likely_cause(ask, cloud, identity, mistake):
    make, words = MISTAKES[mistake]
    printed = cloud.rookery("explain", ask(make(identity)).request_id).stdout
    for expected in words:
        assert expected in printed, printed


def test_explain_names_the_likely_cause_of_a_v1_refusal(ask, cloud, api):
    v1 = api.v1("sts", "GetCallerIdentity")
    signed = v1.request(host="sts.tencentcloudapi.com").with_header("Host", cloud.authority)
    printed = cloud.rookery("explain", ask(signed).request_id).stdout
    assert "the platform's host `sts.tencentcloudapi.com`" in printed
    assert "The source string differs at byte 4" in printed


def test_the_cause_is_not_told_to_the_client(ask, identity, trace):
    reply = ask(identity.request(secret_key=identity.secret_key + "\n"))
    assert reply.error[1] == (
        "The provided credentials could not be validated. Please check your signature is correct."
    )
    _, record = trace(f"traces/{reply.request_id}")
    assert record["likely_cause"]["cause"] == "key-white-space"


def test_explain_says_when_only_the_key_differs(ask, cloud, identity, tmp_path):
    refused = ask(identity.request(secret_key="wrong")).request_id
    (tmp_path / "mine").write_text(identity.canonical_request())
    printed = cloud.rookery("explain", refused, "--canonical-request", tmp_path / "mine").stdout
    assert "SecretKey" in printed


def test_explain_says_when_nothing_was_refused(ask, cloud, identity):
    assert "was not refused" in cloud.rookery("explain", ask(identity.request()).request_id).stdout


def test_explain_and_trace_fail_for_an_unknown_request(cloud):
    for command in ("explain", "trace"):
        ended = cloud.rookery(command, "b5b41468-520d-4192-b42f-595cc34b6c1c", check=False)
        assert ended.returncode != 0 and "no record" in ended.stderr
