"""What an operator of the registry does: watches it, reads its log, scrubs it, lets its disk run full."""

import json
import os
import re
import socket
import subprocess
from contextlib import contextmanager

import pytest

import images
from cloud import eventually, started
from distribution import ask
from requester import Api

LAYER = bytes(range(256)) * 1024


def figures(cloud):
    """The metrics as a dictionary from `name{labels}` to a number."""
    reply = ask(cloud.authority, "GET", "/_rookery/metrics")
    assert reply.status == 200
    assert reply.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in reply.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_what_happens_is_in_the_metrics(start, settled):
    cloud = start()
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    before = figures(cloud)
    count = 'rookery_registry_requests_total{operation="%s",status="%s"}'
    digest = repository.put_blob(LAYER)
    assert repository.get(f"blobs/{digest}").status == 200
    assert repository.get("manifests/none").status == 404
    Api(cloud).call("tcr", "DescribeInstances")
    after = figures(cloud)
    grown = lambda name: after.get(name, 0) - before.get(name, 0)
    assert grown(count % ("upload", "2xx")) == 2
    assert grown(count % ("blob", "2xx")) == 1
    assert grown(count % ("manifest", "4xx")) == 1
    assert grown('rookery_registry_request_duration_seconds_count{operation="upload"}') == 2
    assert grown('rookery_registry_request_duration_seconds_bucket{operation="upload",le="+Inf"}') == 2
    assert grown('rookery_api_calls_total{product="tcr",outcome="ok"}') == 1
    repository.begin()
    assert figures(cloud)["rookery_registry_uploads"] == after["rookery_registry_uploads"] + 1
    assert figures(cloud)["process_resident_memory_bytes"] > 1 << 20


def test_the_pages_of_a_monitor_are_for_this_machine_only(cloud):
    for page in ("metrics", "ready"):
        assert ask(cloud.authority, "GET", f"/_rookery/{page}").status == 200
        assert ask(cloud.authority, "GET", f"/_rookery/{page}", {"Origin": "http://evil.example"}).status == 403
        assert ask(cloud.authority, "POST", f"/_rookery/{page}").status == 405


def test_it_is_ready_only_while_it_can_write(start):
    cloud = start()
    assert json.loads(ask(cloud.authority, "GET", "/_rookery/ready").body)["status"] == "ready"
    uploads = cloud.data / "registry/uploads"
    uploads.rename(cloud.data / "registry/away")
    eventually("503 without a place for uploads", lambda: ask(cloud.authority, "GET", "/_rookery/ready").status == 503)
    (cloud.data / "registry/away").rename(uploads)
    eventually("200 again", lambda: ask(cloud.authority, "GET", "/_rookery/ready").status == 200)


def test_each_request_is_a_line_of_json(start, settled):
    cloud = start("--access-log", "--log-format", "json")
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    pulled = repository.get("manifests/none")
    assert ask(cloud.authority, "GET", f"/v2/{repository.name}/manifests/none").status == 401
    api = Api(cloud)
    called = api.call("tcr", "DescribeInstances")
    lines = [json.loads(line) for line in cloud.logged().splitlines() if line.startswith("{")]
    logged = {line["request_id"]: line for line in lines if line.get("target") == "access"}
    registry = logged[pulled.header("X-Request-Id")]
    assert registry["caller"] != "-"
    assert (registry["status"], registry["operation"], registry["method"]) == (404, "manifest", "GET")
    assert registry["what"] == f"{place.id}/private/app"
    assert [line["caller"] for line in logged.values() if line["status"] == 401] == ["-"]
    line = logged[called["RequestId"]]
    assert (line["operation"], line["what"], line["status"]) == ("DescribeInstances", "ok", 200)
    assert line["caller"].isdigit()
    # Neither tokens nor signatures are in it.
    assert place.login.password not in cloud.logged()
    assert "Authorization" not in cloud.logged() and "Signature=" not in cloud.logged()


def test_scrub_finds_what_rotted_and_whom_it_concerns(start, settled, tmp_path):
    cloud = start()
    place = settled(cloud)
    layout = images.multi(tmp_path / "layout", "kept")
    place.repository(f"{place.private}/app").put_layout(layout)
    place.repository(f"{place.public}/whole").put_blob(LAYER)
    cloud.stop()
    whole = cloud.rookery("scrub")
    assert re.match(r"read \d+ blobs and 3 manifests, \d+ bytes\n$", whole.stdout)
    rotten = next(content for content in layout.blobs.values() if content.startswith(b"\x1f\x8b"))
    hexadecimal = images.digest(rotten).removeprefix("sha256:")
    file = cloud.data / "registry/blobs/sha256" / hexadecimal[:2] / hexadecimal
    file.write_bytes(rotten[:-1] + b"X")
    found = cloud.rookery("scrub", check=False)
    assert found.returncode == 1
    # It is not handed out, and whoever asks whether it is there is told to push it.
    cloud.start()
    repository = place.moved(cloud).repository(f"{place.private}/app")
    told = repository.get(f"blobs/{images.digest(rotten)}")
    assert (told.status, told.json["errors"][0]["detail"]) == (500, {"content": images.digest(rotten)})
    assert repository.head(f"blobs/{images.digest(rotten)}").status == 404
    cloud.stop()
    assert f"{images.digest(rotten)} is rotten" in found.stdout
    assert f"  needed by {place.id}/private/app:1\n" in found.stdout
    assert "public/whole" not in found.stdout
    file.unlink()
    report = json.loads(cloud.rookery("scrub", "--json", check=False).stdout)
    assert [(it["digest"], it["damage"]) for it in report["damaged"]] == [(images.digest(rotten), "missing")]
    # Whoever pushes it again has mended it.
    cloud.start()
    assert "in use" in cloud.rookery("scrub", check=False).stderr
    place.moved(cloud).repository(f"{place.private}/app").put_blob(rotten)
    cloud.stop()
    cloud.rookery("scrub")


@contextmanager
def small_disk(path, megabytes):
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which takes root")
def test_a_full_disk_refuses_and_loses_nothing(settled, tmp_path):
    with small_disk(tmp_path / "disk", 24) as disk:
        with started(disk / "data") as cloud:
            place = settled(cloud)
            repository = place.repository(f"{place.private}/app")
            kept, refused = [], None
            for number in range(64):
                content = number.to_bytes(4, "big") + bytes(1 << 20)
                location = repository.begin()
                reply = repository.finish(location, images.digest(content), content)
                if reply.status != 201:
                    refused = reply
                    break
                kept.append(content)
            assert refused is not None, "the disk never ran full"
            assert refused.status == 507, refused.body
            assert refused.json["errors"][0]["message"] == "no space left"
            assert kept, "the disk was full at once"
            # What was acknowledged can still be read, and space that is given back can be used again.
            assert all(repository.get(f"blobs/{images.digest(content)}").body == content for content in kept)
            for content in kept[:2]:
                (disk / "data/registry/blobs/sha256" / images.digest(content)[7:9] / images.digest(content)[7:]).unlink()
            again = (99).to_bytes(4, "big") + bytes(1 << 19)
            assert repository.put_blob(again) == images.digest(again)
            assert repository.get(f"blobs/{images.digest(again)}").body == again
            cloud.kill()
            cloud.start()
            repository = place.moved(cloud).repository(f"{place.private}/app")
            for content in (*kept[2:], again):
                assert repository.get(f"blobs/{images.digest(content)}").body == content


def test_a_disk_that_is_full_for_the_state_refuses_the_tag(settled, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a small disk is mounted, which takes root")
    with small_disk(tmp_path / "disk", 24) as disk, started(disk / "data") as cloud:
        place = settled(cloud)
        repository = place.repository(f"{place.private}/app")
        config = repository.put_blob(b"{}")
        manifest = lambda number: images.compact(
            {
                "schemaVersion": 2,
                "mediaType": images.MANIFEST,
                "config": {"mediaType": images.CONFIG, "digest": config, "size": 2},
                "layers": [],
                "annotations": {"number": str(number), "padding": "x" * 500_000},
            }
        )
        kept, refused = 0, None
        for number in range(200):
            reply = repository.put_manifest(f"v{number}", manifest(number))
            if reply.status != 201:
                refused = reply
                break
            kept += 1
        assert refused is not None and refused.status == 507, refused
        assert refused.json["errors"][0]["message"] == "no space left"
        assert ask(cloud.authority, "GET", "/_rookery/ready").status == 503
        assert all(repository.get(f"manifests/v{number}").body == manifest(number) for number in range(kept))
        assert repository.get(f"manifests/v{kept}").status == 404


def test_a_client_that_sends_nothing_is_sent_away_and_resumes(start, settled):
    cloud = start("--client-timeout", "1")
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    location = repository.begin()
    host, port = cloud.authority.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=60) as silent:
        head = f"PATCH {location} HTTP/1.1\r\nHost: {cloud.authority}\r\nContent-Length: {len(LAYER)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in dict(repository.headers).items())
        silent.sendall(head.encode() + b"\r\n" + LAYER[:1000])
        answer = b""
        while piece := silent.recv(1 << 16):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert repository.ask("GET", location).header("Range") == "0-999"
    location = repository.append(location, LAYER[1000:], 1000).header("Location")
    assert repository.finish(location, images.digest(LAYER)).status == 201
