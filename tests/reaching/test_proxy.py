"""The proxy: real names, no other setting, and nothing that is sent to anybody else."""

import json
import signal
import socket
import ssl
from pathlib import Path

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import tools
from cloud import DEADLINE, eventually
from conftest import NAME


@pytest.fixture
def proxied(cloud, monkeypatch):
    """This process, with the exports of `rookery env --proxy`."""
    for line in cloud.rookery("env", "--proxy").stdout.splitlines():
        name, value = line.removeprefix("export ").split("=", 1)
        if not name.startswith(("TENCENTCLOUD_", "ROOKERY_")):
            monkeypatch.setenv(name, value)


def ask(cloud, head, body=b""):
    """Sends a request line and headers to the HTTP address; the result is the connection and the head of the reply."""
    connection = socket.create_connection(cloud.address, timeout=DEADLINE)
    connection.sendall(head.encode() + b"\r\n\r\n" + body)
    return connection, read_head(connection)


def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(1)
        assert received, head
        head += received
    return head.decode()


def tunnel(cloud, context, host=NAME, sni=NAME):
    connection, head = ask(cloud, f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443")
    assert head.startswith("HTTP/1.1 200 ")
    return context.wrap_socket(connection, server_hostname=sni)


# -- the official clients


def test_the_sdk_reaches_the_real_name_by_http(cloud, proxied, identity_by_sdk, host_of):
    found = identity_by_sdk(protocol="http")
    assert found.AccountId and host_of(found.RequestId) == NAME


def test_the_sdk_reaches_the_real_name_by_https(cloud, proxied, identity_by_sdk, host_of, ca):
    found = identity_by_sdk(certification=ca)
    assert found.AccountId and host_of(found.RequestId) == NAME


def test_the_sdk_takes_a_proxy_from_its_profile(cloud, identity_by_sdk, host_of, ca):
    found = identity_by_sdk(certification=ca, proxy=cloud.endpoints["http"])
    assert host_of(found.RequestId) == NAME


def test_the_sdk_reads_no_authority_from_the_environment(proxied, identity_by_sdk):
    # REQUESTS_CA_BUNDLE and SSL_CERT_FILE are set by `proxied`.
    with pytest.raises(TencentCloudSDKException, match="CERTIFICATE_VERIFY_FAILED"):
        identity_by_sdk()


def test_tccli_reaches_the_real_name_by_http(cloud, tccli, walled, host_of):
    found = tccli(
        "sts", "GetCallerIdentity", "--endpoint", f"http://{NAME}", HTTP_PROXY=cloud.endpoints["http"], PYTHONPATH=walled
    )
    assert host_of(json.loads(found.stdout)["RequestId"]) == f"http://{NAME}"


def test_tccli_reaches_the_real_name_by_https(cloud, tccli, trusting, host_of):
    found = tccli("sts", "GetCallerIdentity", HTTPS_PROXY=cloud.endpoints["http"], PYTHONPATH=trusting)
    assert host_of(json.loads(found.stdout)["RequestId"]) == NAME


def test_skopeo_logs_in_at_the_registrys_real_name(cloud, api, tmp_path, unique, ca):
    name = unique("reach")
    instance = api.call("tcr", "CreateInstance", RegistryName=name, RegistryType="premium")["RegistryId"]
    token = api.call("tcr", "CreateInstanceToken", RegistryId=instance, TokenType="temp")
    login = ("skopeo", "login", "-u", token["Username"], "--password-stdin", f"{name}.tencentcloudcr.com")
    environment = {"HTTPS_PROXY": cloud.endpoints["http"], "SSL_CERT_FILE": ca}
    assert "Login Succeeded" in tools.run(*login, home=tmp_path, stdin=token["Token"], **environment).stdout
    assert tools.run(*login, home=tmp_path, stdin="wrong", check=False, **environment).returncode != 0


@pytest.mark.parametrize("version", ["2", "1.1"])
def test_both_versions_of_http_are_spoken_in_a_tunnel(cloud, tmp_path, ca, version):
    ended = tools.run(
        "curl", "-sS", "-x", cloud.endpoints["http"], "--cacert", ca, f"--http{version}",
        "-w", "\n%{http_version} %{http_code}", f"https://{NAME}/", home=tmp_path,
    )  # fmt: skip
    reply, seen = ended.stdout.rsplit("\n", 1)
    assert seen == f"{version} 200"
    assert json.loads(reply)["Response"]["Error"]["Code"] == "MissingParameter"


# -- what is refused


def refused(cloud, head):
    """The record of a refusal, found by the id that its head names and listed with the others."""
    request_id = head.lower().split("x-rookery-request-id: ")[1].split("\r\n")[0]
    record = json.loads(cloud.rookery("trace", request_id).stdout)
    assert record["error"]["code"] == "RefusedByProxy"
    assert any(request_id in line and "RefusedByProxy" in line for line in cloud.rookery("trace").stdout.splitlines())
    return record


@pytest.mark.parametrize(
    "target",
    ["example.com:443", "sts.amazonaws.com:443", "192.0.2.1:443", "127.0.0.1:22", "tencentcloudapi.com.evil.example:443"],
)
def test_a_tunnel_to_a_foreign_name_is_refused(cloud, target):
    connection, head = ask(cloud, f"CONNECT {target} HTTP/1.1\r\nHost: {target}")
    length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
    words = connection.recv(length, socket.MSG_WAITALL).decode()
    assert head.startswith("HTTP/1.1 403 ")
    assert words.startswith("Rookery is no open proxy") and target in words and words.count("\n") == 1
    record = refused(cloud, head)
    assert record["host"] == target and record["method"] == "CONNECT" and record["error"]["message"] == words.strip()
    # The connection is still good for what is ours.
    connection.sendall(b"GET /_rookery/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert read_head(connection).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://sts.amazonaws.com/?Action=GetCallerIdentity",
        "http://127.0.0.1:22/",
        "http://metadata.tencentyun.com/latest/",
    ],
)
def test_a_foreign_url_is_refused_and_not_answered_as_the_api(cloud, url):
    host = url.split("/")[2]
    _, head = ask(cloud, f"GET {url} HTTP/1.1\r\nHost: {host}")
    assert head.startswith("HTTP/1.1 403 ") and "text/plain" in head
    record = refused(cloud, head)
    # The query of a foreign request may hold anything and is not kept.
    assert record["host"] == host and record["path"] == "/" + url.split("/", 3)[3].split("?")[0]
    assert "GetCallerIdentity" not in json.dumps(record)


def test_a_proxy_that_is_left_out_by_the_client_is_not_one(cloud, identity_by_sdk, proxied):
    # The address itself, through the proxy: the Python SDK does that, because it compares NO_PROXY with host and port.
    assert identity_by_sdk(protocol="http", endpoint=cloud.authority).AccountId


# -- tunnels


def test_a_tunnel_without_a_server_name_has_the_certificate_of_its_target(cloud, ca):
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    with tunnel(cloud, context, host="KMS.tencentcloudapi.com", sni=None) as stream:
        assert stream.getpeercert()["subjectAltName"] == (("DNS", "kms.tencentcloudapi.com"),)


def test_a_client_of_another_authority_gets_no_tunnel(cloud):
    with pytest.raises(ssl.SSLCertVerificationError):
        tunnel(cloud, ssl.create_default_context())


def test_plain_requests_are_served_in_a_tunnel_as_the_sdk_of_node_sends_them(cloud):
    connection, head = ask(cloud, f"CONNECT {NAME}:80 HTTP/1.1\r\nHost: {NAME}:80")
    assert head.startswith("HTTP/1.1 200 ")
    connection.sendall(b"GET /_rookery/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert read_head(connection).startswith("HTTP/1.1 200 ")


def test_what_is_neither_tls_nor_http_ends_the_tunnel_and_nothing_else(cloud):
    for noise in (b"\x16\x03\x01\x00\x05noise", b"\x00\x01\r\n\r\n"):
        connection, head = ask(cloud, f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443")
        assert head.startswith("HTTP/1.1 200 ")
        connection.sendall(noise)
        while connection.recv(4096):  # an alert or a 400, then the end
            pass
    assert ask(cloud, "GET /_rookery/health HTTP/1.1\r\nHost: localhost")[1].startswith("HTTP/1.1 200 ")


def test_a_stop_finishes_what_began_in_a_tunnel(start):
    cloud = start()
    context = ssl.create_default_context(cafile=cloud.exports()["ROOKERY_CA"])
    idle = tunnel(cloud, context)
    busy = tunnel(cloud, context)
    head = f"POST / HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    busy.sendall(head.encode())
    # The server says that it waits for the body: it has begun.
    assert read_head(busy).startswith("HTTP/1.1 100 ")
    busy.sendall(b"{")
    cloud.process.send_signal(signal.SIGTERM)
    eventually("the endpoints are taken back", lambda: not (Path(cloud.data) / "endpoints.json").exists())
    busy.sendall(b"}")
    assert read_head(busy).startswith("HTTP/1.1 200 ")
    assert cloud.process.wait(DEADLINE) == 0
    assert idle.recv(1) == b""
