"""The clients that people use, against the registry: skopeo and crane."""

import json

import pytest

import images
from skopeo import Skopeo, holds
from tools import run


@pytest.fixture
def skopeo(place, home):
    return Skopeo(place.login, home)


@pytest.fixture
def name(place, unique):
    return f"{place.private}/{unique('app')}"


@pytest.fixture
def crane(place, tmp_path):
    """crane, logged in."""
    login = place.login
    run(
        "crane",
        "auth",
        "login",
        login.host,
        "--username",
        login.username,
        "--password-stdin",
        "--insecure",
        home=tmp_path,
        stdin=login.password,
    )
    return lambda *arguments, check=True: run("crane", "--insecure", *arguments, home=tmp_path, check=check)


@pytest.mark.parametrize("make", [images.single, images.multi], ids=["an image", "an index"])
def test_skopeo_pulls_what_it_pushed_to_the_byte(skopeo, name, tmp_path, make):
    layout = make(tmp_path / "layout", "hello")
    skopeo.push(layout, f"{name}:1")
    (tmp_path / "pulled").mkdir()
    skopeo.pull(f"{name}:1", tmp_path / "pulled")
    assert holds(tmp_path / "pulled", layout)


def test_skopeo_sees_tags_and_labels(skopeo, name, tmp_path):
    layout = images.single(tmp_path / "layout", "hello")
    for tag in ("1", "2"):
        skopeo.push(layout, f"{name}:{tag}")
    told = skopeo.inspect(f"{name}:1")
    assert told["Digest"] == layout.digest
    assert told["RepoTags"] == ["1", "2"]
    assert told["Labels"] == {"text": "hello"}


def test_skopeo_deletes(skopeo, place, name, tmp_path):
    skopeo.push(images.single(tmp_path / "layout", "hello"), f"{name}:1")
    login = place.login
    run(
        "skopeo",
        "delete",
        "--tls-verify=false",
        "--creds",
        f"{login.username}:{login.password}",
        skopeo.reference(f"{name}:1"),
        home=tmp_path,
    )
    assert skopeo.inspect(f"{name}:1", check=False).returncode != 0


def test_crane_reads_what_skopeo_pushed(crane, skopeo, place, name, tmp_path):
    layout = images.multi(tmp_path / "layout", "hello")
    skopeo.push(layout, f"{name}:1")
    reference = f"{place.login.host}/{name}"
    assert crane("digest", f"{reference}:1").stdout.strip() == layout.digest
    assert crane("manifest", f"{reference}:1").stdout.encode() == layout.top
    assert crane("ls", reference).stdout.split() == ["1"]
    crane("validate", "--remote", f"{reference}:1")


def test_crane_copies_tags_and_deletes(crane, skopeo, place, name, tmp_path):
    layout = images.single(tmp_path / "layout", "hello")
    skopeo.push(layout, f"{name}:1")
    reference = f"{place.login.host}/{name}"
    crane("tag", f"{reference}:1", "2")
    crane("copy", f"{reference}:2", f"{reference}-copy:3")
    assert crane("digest", f"{reference}-copy:3").stdout.strip() == layout.digest
    crane("delete", f"{reference}@{layout.digest}")
    assert crane("digest", f"{reference}:1", check=False).returncode != 0
    assert crane("digest", f"{reference}-copy:3").stdout.strip() == layout.digest


def test_crane_changes_an_image(crane, skopeo, place, name, tmp_path):
    skopeo.push(images.single(tmp_path / "layout", "hello"), f"{name}:1")
    reference = f"{place.login.host}/{name}"
    crane("mutate", f"{reference}:1", "--label", "more=yes", "--tag", f"{reference}:2")
    labels = json.loads(crane("config", f"{reference}:2").stdout)["config"]["Labels"]
    assert labels == {"text": "hello", "more": "yes"}
