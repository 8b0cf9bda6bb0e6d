"""What HTTP allows and few clients do: it changes nothing about the answer."""

import http.client
import json

import pytest

from cloud import DEADLINE
from requester import Request, send
from tools import run


def test_a_body_may_come_in_chunks(ask, identity):
    class Chunked(Request):
        def wire(self):
            whole = super().wire().replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")
            return whole.removesuffix(b"{}") + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"

    request = identity.request()
    assert ask(Chunked(request.method, request.target, request.headers, request.body)).error is None


def test_a_client_may_speak_http_1_0(cloud, identity):
    class Old(Request):
        def wire(self):
            return super().wire().replace(b"HTTP/1.1", b"HTTP/1.0")

    request = identity.request()
    reply = send(cloud.address, Old(request.method, request.target, request.headers, request.body))
    assert (reply.status, reply.error) == (200, None)


def test_one_connection_serves_many_requests(cloud, identity, instances):
    connection = http.client.HTTPConnection(*cloud.address, timeout=DEADLINE)
    connection.connect()
    first = connection.sock
    answers = []
    for signed in (identity, instances, identity):
        for request in (signed.request(), signed.request(secret_key="wrong")):
            connection.request(request.method, request.target, request.body, dict(request.headers))
            answers.append(json.loads(connection.getresponse().read())["Response"].get("Error", {}).get("Code"))
    assert answers == [None, "AuthFailure.SignatureFailure"] * 3
    assert connection.sock is first
    connection.close()


def test_a_refused_body_does_not_cost_the_client_the_answer(ask, instances):
    # The body is larger than what the two sides buffer: it has to be read before the answer, or the client sees a broken pipe.
    assert ask(instances.request(body=b" " * (20 * 1024 * 1024))).error[0] == "RequestSizeLimitExceeded"


def test_a_large_header_is_no_large_request(ask, identity):
    assert ask(identity.request(extra=(("X-Custom", "x" * 16 * 1024),))).error is None


@pytest.mark.parametrize(("size", "code"), [(30_000, "MissingParameter"), (40_000, "RequestSizeLimitExceeded")])
def test_a_large_get_over_http_2_gets_the_platforms_words(cloud, tmp_path, size, code):
    url = f"{cloud.endpoints['http']}/?Filter={'x' * size}"
    told = run("curl", "--silent", "--show-error", "--http2-prior-knowledge", url, home=tmp_path).stdout
    assert json.loads(told)["Response"]["Error"]["Code"] == code
