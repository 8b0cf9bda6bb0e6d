"""Starting and stopping: what `rookery serve` announces, keeps and refuses."""

import json
import re
import signal
import socket
import ssl
import subprocess
from http.client import HTTPSConnection
from urllib.parse import urlsplit

import pytest

from cloud import BINARY, DEADLINE, clean_environment, rookery
from requester import Api


def serve(data, http="127.0.0.1:0", https="127.0.0.1:0"):
    """A start that is expected to be refused: how it ended."""
    return rookery("serve", "--http", http, "--https", https, "--data", data, check=False)


def test_the_endpoints_are_published_while_it_runs_and_no_longer(start):
    cloud = start()
    published = json.loads((cloud.data / "endpoints.json").read_text())
    assert published["pid"] == cloud.process.pid
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", published["http"])
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", published["https"])
    assert published["registry"] == urlsplit(published["http"]).netloc
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]
    assert cloud.stop() == 0
    assert not (cloud.data / "endpoints.json").exists()


def test_what_a_killed_process_left_is_not_believed(start):
    cloud = start()
    cloud.kill()
    assert (cloud.data / "endpoints.json").exists()
    ended = cloud.rookery("env", check=False)
    assert ended.returncode != 0
    assert "no cloud runs on" in ended.stderr
    cloud.start()
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]


def test_the_start_says_where_it_is_and_what_to_try(start):
    cloud = start()
    logged = cloud.logged()
    for endpoint in ("http", "https", "registry"):
        assert cloud.endpoints[endpoint] in logged
    assert "rookery env" in logged


def test_plain_http_is_served_on_loopback_only(tmp_path):
    ended = serve(tmp_path / "data", http="0.0.0.0:0")
    assert ended.returncode != 0
    assert "loopback" in ended.stderr and "0.0.0.0" in ended.stderr
    assert not (tmp_path / "data").exists(), "what is refused makes nothing"


@pytest.fixture
def begun(tmp_path):
    """Starts a process that is watched by its output. The result is the process and the first line that it wrote."""
    processes = []

    def begun(https="127.0.0.1:0"):
        command = [BINARY, "serve", "--http", "127.0.0.1:0", "--https", https, "--data", tmp_path / "data"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment())
        processes.append(process)
        return process, process.stdout.readline()

    yield begun
    for process in processes:
        process.kill()
        process.wait(DEADLINE)
        process.stdout.close()


def test_https_may_be_served_on_every_address(begun):
    _, line = begun(https="0.0.0.0:0")
    port = int(re.search(r"https://0\.0\.0\.0:(\d+)", line).group(1))
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE):
        pass


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "interrupted"])
def test_it_ends_in_good_order_as_soon_as_it_says_that_it_is_there(begun, tmp_path, how):
    process, _ = begun()
    process.send_signal(how)
    assert process.wait(DEADLINE) == 0
    assert not (tmp_path / "data/endpoints.json").exists()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_in_use_is_named_with_what_to_do(tmp_path, scheme):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = serve(tmp_path / "data", **{scheme: address})
    assert ended.returncode != 0
    assert address in ended.stderr and "in use" in ended.stderr and "--http" in ended.stderr
    assert not (tmp_path / "data/endpoints.json").exists()


def test_a_data_directory_belongs_to_one_process(start):
    cloud = start()
    ended = serve(cloud.data)
    assert ended.returncode != 0
    assert re.search("in use|already|another", ended.stderr, re.I), ended.stderr
    # And the first is none the worse for it.
    assert (cloud.data / "endpoints.json").exists()
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--region", "ap-nowhere"], "ap-nowhere"),
        (["--secret-id", "AKIDalone"], "--secret-key"),
        (["--secret-key", "alone"], "--secret-id"),
        (["--secret-id", "AKID with blanks", "--secret-key", "x"], "without blanks"),
        (["--http", "nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_wrong_option_is_named(tmp_path, options, complaint):
    ended = rookery("serve", "--data", tmp_path / "data", *options, check=False)
    assert ended.returncode != 0
    assert complaint in ended.stderr
    assert not (tmp_path / "data").exists()


def test_state_survives_a_restart(start):
    cloud = start()
    api = Api(cloud)
    who = api.call("sts", "GetCallerIdentity")
    created = api.call("tcr", "CreateInstance", RegistryName="survivor", RegistryType="standard")["RegistryId"]
    keys = (cloud.secret_id, cloud.secret_key)
    for end in (cloud.stop, cloud.kill):
        end()
        cloud.start()
        assert (cloud.secret_id, cloud.secret_key) == keys
        again = Api(cloud)
        assert again.call("sts", "GetCallerIdentity")["Arn"] == who["Arn"]
        (instance,) = again.call("tcr", "DescribeInstances")["Registries"]
        assert (instance["RegistryId"], instance["RegistryName"]) == (created, "survivor")


def test_the_authority_survives_a_restart_and_vouches_for_the_server(start):
    cloud = start()

    def reached():
        url = urlsplit(cloud.endpoints["https"])
        context = ssl.create_default_context(cafile=cloud.endpoints["ca"])
        connection = HTTPSConnection(url.hostname, url.port, context=context, timeout=DEADLINE)
        connection.request("GET", "/_rookery/health")
        return connection.getresponse().status

    first = open(cloud.endpoints["ca"]).read()
    assert reached() == 200
    cloud.stop()
    cloud.start()
    assert open(cloud.endpoints["ca"]).read() == first
    assert reached() == 200


def test_a_request_that_has_begun_is_finished_before_the_end(start):
    cloud = start()
    api = Api(cloud)
    request = api.v3("sts", "GetCallerIdentity").request()
    with socket.create_connection(cloud.address, timeout=DEADLINE) as connection:
        head, _, body = request.wire().partition(b"\r\n\r\n")
        # The server says that it waits for the body: it has begun.
        connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        assert answer.startswith(b"HTTP/1.1 100 ")
        connection.sendall(body[:1])
        cloud.process.terminate()
        connection.sendall(body[1:])
        while block := connection.recv(65536):
            answer += block
    assert b"AccountId" in answer
    assert cloud.stop() == 0
