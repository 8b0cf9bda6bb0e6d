"""What happened to a request can be read by its RequestId, and a refused signature can be explained."""

import json

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
    reply = ask(instances.request(extra=(("X-TC-RequestClient", "SDK_TEST_1.0"),)))
    status, record = trace(f"traces/{reply.request_id}")
    assert status == 200
    expected = {
        "request_id": reply.request_id,
        "method": "POST",
        "host": cloud.authority,
        "path": "/",
        "client": "SDK_TEST_1.0",
        "signature": "v3",
        "product": "tcr",
        "version": "2019-09-24",
        "action": "DescribeInstances",
        "region": "ap-guangzhou",
        "secret_id": cloud.secret_id,
        "error": None,
        "computed": None,
    }
    assert {name: record[name] for name in expected} == expected


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
    secret = "a value nobody should read"
    body = json.dumps({"Filters": [{"Name": "RegistryName", "Values": [secret]}]}).encode()
    for reply in (
        ask(instances.request(body=body)),
        ask(instances.request(body=body, secret_key="wrong")),
        ask(instances.request(body=body, extra=(("X-TC-Token", "token of a session"),))),
    ):
        _, record = trace(f"traces/{reply.request_id}")
        text = json.dumps(record)
        assert cloud.secret_key not in text
        assert secret not in text
        assert "token of a session" not in text
        assert "Signature=" not in text


def test_the_last_requests_are_listed_newest_first(ask, identity, trace):
    ids = [ask(identity.request()).request_id for _ in range(3)]
    _, listed = trace("traces")
    assert [record["request_id"] for record in listed[:3]] == ids[::-1]


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
