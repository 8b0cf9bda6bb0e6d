"""A client that keeps the server waiting is sent away, whatever it is slow with, and nobody else waits for it."""

import socket
import ssl
from urllib.parse import urlsplit

import pytest

from cloud import DEADLINE, rookery
from requester import Api, send

HEAD = b"POST / HTTP/1.1\r\nHost: sts.tencentcloudapi.com\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /_rookery/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def impatient(start):
    return start("--client-timeout", "1")


def connected(cloud, scheme="http"):
    url = urlsplit(cloud.endpoints[scheme])
    return socket.create_connection((url.hostname, url.port), timeout=DEADLINE)


def dismissed(connection):
    """What the server says until it closes the connection, as it must."""
    said = b""
    while block := connection.recv(65536):
        said += block
    return said


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"P",  # the beginning of POST, and of the preface of HTTP/2
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
        b"POST / HT",
        HEAD,
        b"CONNECT sts.tencentcloudapi.com:443 HTTP/1.1\r\n",
    ],
    ids=["nothing", "one letter", "most of a preface", "half a line", "a head without its end", "half a CONNECT"],
)
def test_a_head_that_does_not_end_costs_its_connection(impatient, sent):
    with connected(impatient) as connection:
        connection.sendall(sent)
        # The others are served meanwhile.
        assert send(impatient.address, Api(impatient).v3("sts", "GetCallerIdentity").request()).error is None
        said = dismissed(connection)
    assert said == b"" or said.startswith(b"HTTP/1.1 408 ")


def test_a_handshake_that_does_not_go_on_costs_its_connection(impatient):
    with connected(impatient, "https") as connection:
        connection.sendall(b"\x16\x03\x01")
        assert dismissed(connection) == b""


def test_a_tunnel_in_which_nothing_comes_is_closed(impatient):
    with connected(impatient) as connection:
        connection.sendall(b"CONNECT sts.tencentcloudapi.com:443 HTTP/1.1\r\nHost: sts.tencentcloudapi.com:443\r\n\r\n")
        assert dismissed(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_without_a_next_request_is_closed(impatient, scheme):
    connection = connected(impatient, scheme)
    if scheme == "https":
        trusting = ssl.create_default_context(cafile=impatient.endpoints["ca"])
        connection = trusting.wrap_socket(connection, server_hostname="localhost")
    with connection:
        connection.sendall(HEALTH)
        assert dismissed(connection).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_does_not_go_on_is_answered_and_traced(impatient):
    with connected(impatient) as connection:
        connection.sendall(HEAD + b"Authorization: x\r\nContent-Length: 100\r\n\r\n{")
        said = dismissed(connection)
    assert b"The request body ended before it was complete." in said
    assert "InvalidParameter" in impatient.rookery("trace").stdout


def test_a_client_that_is_slow_but_goes_on_is_served(impatient):
    request = Api(impatient).v3("sts", "GetCallerIdentity").request()
    with connected(impatient) as connection:
        # One byte at a time: each of them in time.
        for byte in request.wire():
            connection.sendall(bytes([byte]))
        assert b"AccountId" in dismissed(connection)


def test_a_head_without_bounds_is_refused(cloud):
    said = b""
    with connected(cloud) as connection:
        try:
            connection.sendall(HEAD + (b"X-Filler: " + b"x" * 8000 + b"\r\n") * 200)
            said = dismissed(connection)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server had stopped reading before all was sent
    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")
    assert send(cloud.address, Api(cloud).v3("sts", "GetCallerIdentity").request()).error is None


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_time_that_is_none_is_refused_at_the_start(value, tmp_path):
    ended = rookery("serve", "--data", tmp_path / "data", f"--client-timeout={value}", check=False)
    assert ended.returncode != 0 and "--client-timeout" in ended.stderr
