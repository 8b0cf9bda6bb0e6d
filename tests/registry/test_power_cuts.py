"""A process that is killed in the middle of a push leaves what was acknowledged, and nothing that was not."""

import contextlib
import re
import signal
import subprocess
from pathlib import Path

import pytest

import images
from cloud import eventually
from tools import require

CONTENT = bytes(range(256)) * 4096
DIGEST = images.digest(CONTENT)
HALF = len(CONTENT) // 2


def test_half_a_blob_is_no_blob_after_a_power_cut_and_the_push_can_go_on(start, settled):
    cloud = start()
    place = settled(cloud)
    name = f"{place.private}/app"
    appended = place.repository(name).append(place.repository(name).begin(), CONTENT[:HALF], 0)
    assert appended.status == 202
    location = appended.header("Location")

    cloud.kill()
    cloud.start()
    place = place.moved(cloud)
    repository = place.repository(name)
    assert repository.head(f"blobs/{DIGEST}").status == 404
    assert repository.head(f"blobs/{images.digest(CONTENT[:HALF])}").status == 404

    location = location.replace(location.split("/v2/")[0], "") if location.startswith("http") else location
    status = repository.get(location)
    if status.status == 204:
        # What the upload still has is a beginning of what was sent.
        kept = int(status.header("Range").removeprefix("0-")) + 1
        assert kept <= HALF
        kept = 0 if kept == 1 else kept
    else:
        assert status.status == 404
        location, kept = repository.begin(), 0
    appended = repository.append(location, CONTENT[kept:], kept)
    assert appended.status == 202
    assert repository.finish(appended.header("Location"), DIGEST).status == 201
    assert repository.get(f"blobs/{DIGEST}").body == CONTENT


def test_a_connection_that_breaks_off_leaves_no_blob(repository):
    def chunks():
        yield CONTENT[:HALF]
        raise ConnectionAbortedError

    location = repository.begin()
    with contextlib.suppress(ConnectionAbortedError):
        repository.append(location, chunks())
    assert repository.head(f"blobs/{DIGEST}").status == 404
    # The upload is still there, or is begun again; either way the blob arrives.
    assert repository.finish(repository.begin(), DIGEST, CONTENT).status == 201
    assert repository.get(f"blobs/{DIGEST}").body == CONTENT


def test_what_was_acknowledged_is_there_after_a_power_cut(start, settled, tmp_path):
    cloud = start()
    place = settled(cloud)
    name = f"{place.private}/app"
    layout = images.multi(tmp_path / "layout", "kept")
    place.repository(name).put_layout(layout)
    cloud.kill()
    cloud.start()
    repository = place.moved(cloud).repository(name)
    for content in layout.blobs.values():
        kind = "manifests" if content.startswith(b'{"schemaVersion"') else "blobs"
        assert repository.get(f"{kind}/{images.digest(content)}").body == content
    assert repository.get("manifests/1").body == layout.top


@contextlib.contextmanager
def synced(cloud, record):
    """What the process asks the disk to make durable meanwhile: paths, in a list that is filled at the end."""
    process = cloud.process.pid
    calls = ["-e", "trace=fsync,fdatasync", "-y", "-f", "-p", str(process), "-o", record]
    tracer = subprocess.Popen([require("strace"), *calls], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    threads = list(Path(f"/proc/{process}/task").iterdir())
    traced = lambda: all("TracerPid:\t0\n" not in (thread / "status").read_text() for thread in threads)
    eventually("the tracer", lambda: traced() or tracer.poll() is not None)
    if tracer.poll() is not None:
        pytest.skip(f"a process cannot be traced here: {tracer.stderr.read().strip()}")
    paths = []
    try:
        yield paths
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
    paths += re.findall(r"f(?:data)?sync\(\d+<([^>]*)>", record.read_text())


@pytest.mark.parametrize("durability", ["strict", "relaxed"])
def test_layers_are_synced_before_a_push_is_answered_unless_nobody_asks_for_it(start, settled, tmp_path, durability):
    cloud = start("--layer-durability", durability)
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    with synced(cloud, tmp_path / "synced") as paths:
        assert repository.finish(repository.begin(), DIGEST, CONTENT).status == 201
    # The state is durable either way, and there is always something to say of a push.
    assert any(path.endswith("state.sqlite-wal") for path in paths)
    bytes_and_name = [any("/uploads/" in path for path in paths), any("/blobs/sha256/" in path for path in paths)]
    assert bytes_and_name == [durability == "strict"] * 2, paths
    cloud.kill()
    cloud.start()
    assert place.moved(cloud).repository(f"{place.private}/app").get(f"blobs/{DIGEST}").body == CONTENT


def test_a_bucket_answers_for_its_own_durability(start):
    with pytest.raises(AssertionError, match="--layer-durability"):
        start("--layer-durability", "relaxed", "--blobs", "s3://bucket")
