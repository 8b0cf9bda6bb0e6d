"""Layers in a bucket: a real S3-compatible server (versitygw), and clients of a registry that do not notice."""

import socket
import subprocess

import pytest

import images
import tools
from cloud import clean_environment, eventually
from distribution import ask

KEYS = {"AWS_ACCESS_KEY_ID": "bucket-key", "AWS_SECRET_ACCESS_KEY": "bucket-secret", "AWS_REGION": "ap-guangzhou"}
# Two parts of an upload to the bucket.
LAYER = bytes(range(256)) * (9 << 12)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def bucket(tmp_path):
    """A server with one bucket. The result is its directory, and what `rookery serve` has to be told."""
    program = tools.require("versitygw")
    (tmp_path / "s3/layers").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--access", KEYS["AWS_ACCESS_KEY_ID"], "--secret", KEYS["AWS_SECRET_ACCESS_KEY"]]
    command += ["--region", KEYS["AWS_REGION"], "--quiet", "--port", f"127.0.0.1:{port}", "posix", tmp_path / "s3"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
    try:
        eventually("the S3 server answers", lambda: answers(port))
        yield tmp_path / "s3/layers", ("--blobs", "s3://layers/rookery", "--blobs-endpoint", f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def test_layers_come_from_the_bucket(start, settled, bucket, tmp_path):
    objects, options = bucket
    cloud = start(*options, **KEYS)
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    digest = repository.put_blob(LAYER)
    kept = objects / "rookery/blobs/sha256" / digest.removeprefix("sha256:")
    assert kept.read_bytes() == LAYER
    assert not list((cloud.data / "registry").rglob(digest.removeprefix("sha256:")))
    assert repository.get(f"blobs/{digest}").body == LAYER
    part = repository.get(f"blobs/{digest}", Range="bytes=1000-8999999")
    assert (part.status, part.body) == (206, LAYER[1000:9_000_000])
    # In pieces, resumed after the process was killed.
    content = LAYER[::-1]
    location = repository.append(repository.begin(), content[:1000], 0).header("Location")
    cloud.kill()
    cloud.start()
    repository = place.moved(cloud).repository(f"{place.private}/app")
    location = repository.append(location, content[1000:], 1000).header("Location")
    assert repository.finish(location, images.digest(content)).status == 201
    assert repository.get(f"blobs/{images.digest(content)}").body == content
    layout = images.multi(tmp_path / "layout", "in a bucket")
    repository.put_layout(layout)
    assert repository.get("manifests/1").body == layout.top

    # A scrub reads the bucket, and only the bucket.
    cloud.stop()
    scrub = lambda check=True: cloud.rookery("scrub", *options, check=check, **KEYS)
    scrub()
    kept.write_bytes(LAYER[:-1] + b"X")
    assert f"{digest} is rotten" in scrub(check=False).stdout


def test_crane_does_not_notice(start, settled, bucket, tmp_path):
    _, options = bucket
    cloud = start(*options, **KEYS)
    place = settled(cloud)
    name = f"{place.login.host}/{place.private}/app"
    user = ("--username", place.login.username, "--password-stdin", "--insecure")
    tools.run("crane", "auth", "login", place.login.host, *user, home=tmp_path, stdin=place.login.password)
    layout = images.single(tmp_path / "layout", "by crane")
    tools.run("crane", "--insecure", "push", layout.path, f"{name}:1", home=tmp_path)
    tools.run("crane", "--insecure", "validate", "--remote", f"{name}:1", home=tmp_path)
    tools.run("crane", "--insecure", "copy", f"{name}:1", f"{place.login.host}/{place.public}/copy:1", home=tmp_path)
    tools.run("crane", "--insecure", "validate", "--remote", f"{place.login.host}/{place.public}/copy:1", home=tmp_path)


def test_blobs_are_not_looked_for_elsewhere(start, settled, bucket):
    _, options = bucket
    cloud = start(*options, **KEYS)
    place = settled(cloud)
    place.repository(f"{place.private}/app").put_blob(b"content")
    cloud.stop()
    cloud.options = ()
    with pytest.raises(AssertionError, match="the blobs of this state are in s3://layers/rookery, not in the data directory"):
        cloud.start()
    cloud.process.wait()


def test_a_bucket_that_refuses_is_not_ready_and_loses_nothing(start, settled, bucket):
    objects, options = bucket
    cloud = start(*options, **(KEYS | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}))
    assert ask(cloud.authority, "GET", "/_rookery/ready").status == 503
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    assert repository.finish(repository.begin(), images.digest(LAYER), LAYER).status == 500
    assert repository.head(f"blobs/{images.digest(LAYER)}").status == 404
    assert "wrong-secret" not in cloud.logged()
    assert not list(objects.rglob("*/blobs/*/*"))


@pytest.mark.parametrize(
    ("options", "environment", "told"),
    [
        (("--blobs", "layers"), KEYS, "layers is no s3://BUCKET"),
        (("--blobs", "s3://layers"), {}, "AWS_REGION is not set"),
        (("--blobs", "s3://layers", "--blobs-endpoint", "nowhere"), KEYS, "nowhere is no http"),
    ],
)
def test_a_place_that_cannot_be_is_refused_at_the_start(start, options, environment, told):
    with pytest.raises(AssertionError, match=told):
        start(*options, **environment)
