"""Images on the command line: listed, described, deleted, with what skopeo and crane see of them."""

import json

import pytest

import images
from cloud import eventually
from signatures import beside
from tools import run

NOBODYS = "tcr-00000000"
GONE = "ResourceNotFound.TcrResourceNotFound"


@pytest.fixture
def library(story, premium):
    return story.namespace(premium.id)


@pytest.fixture
def tcr(story, premium, library):
    """A call about the repository `app` of a namespace."""
    place = {"RegistryId": premium.id, "NamespaceName": library, "RepositoryName": "app"}
    return lambda action, **parameters: story.tccli("tcr", action, **place | parameters)


@pytest.fixture
def push(story, premium, library):
    """Pushes a layout to `app` under tags. The result is the repository's name."""

    def push(layout, *tags):
        for tag in tags:
            story.skopeo(premium.login).push(layout, f"{premium.name}/{library}/app:{tag}")
        return f"{premium.name}/{library}/app"

    return push


@pytest.fixture
def two(tmp_path, unique):
    return [images.single(tmp_path / name, unique(name)) for name in ("one", "two")]


def listed(tcr, **more):
    told = tcr("DescribeImages", **more)
    assert told["TotalCount"] == len(told["ImageInfoList"])
    return [row["ImageVersion"] for row in told["ImageInfoList"]]


def test_deleting_a_tag_deletes_its_siblings_and_their_signatures(story, premium, library, tcr, push, two, refused, tmp_path):
    story.policy(premium.id, library, story.key())
    name = push(two[0], "v1", "latest")
    push(two[1], "v2")
    signed = lambda: all(row["KmsSignature"] for row in tcr("DescribeImages")["ImageInfoList"])
    eventually("all are signed", signed)
    assert beside(premium.login, name, two[0].digest) and beside(premium.login, name, two[1].digest)
    # The tags that hold the signatures are in the registry, and are no images.
    assert listed(tcr) == ["v2", "latest", "v1"]
    assert listed(tcr, ImageVersion="sha256") == []

    tcr("DeleteImage", ImageVersion="v1")
    assert listed(tcr) == ["v2"]
    skopeo = story.skopeo(premium.login)
    assert skopeo.inspect(f"{name}:latest", check=False).returncode != 0
    assert skopeo.raw_manifest(f"{name}:v2") == two[1].top
    assert beside(premium.login, name, two[0].digest) == []
    assert beside(premium.login, name, two[1].digest)
    reference = f"{premium.login.host}/{name}"
    crane = lambda *arguments, **more: run("crane", "--insecure", *arguments, home=tmp_path, check=False, **more)
    login = premium.login
    crane("auth", "login", login.host, "--username", login.username, "--password-stdin", stdin=login.password)
    assert crane("digest", f"{reference}:latest").returncode != 0
    assert crane("digest", f"{reference}@{two[0].digest}").returncode != 0
    assert crane("digest", f"{reference}:v2").stdout.strip() == two[1].digest
    assert crane("ls", reference).stdout.split() == sorted(["v2", two[1].digest.replace(":", "-") + ".sig"])
    for action in ("DeleteImage", "DescribeImageManifests"):
        assert refused(tcr, action, ImageVersion="latest").code == GONE


def test_images_are_found_by_tag_and_by_digest(tcr, push, two):
    push(two[0], "v1", "v1.1")
    push(two[1], "v2")
    assert listed(tcr) == ["v2", "v1.1", "v1"]
    assert listed(tcr, ImageVersion="v1") == ["v1.1", "v1"]
    assert listed(tcr, ImageVersion="v1", ExactMatch=True) == ["v1"]
    assert listed(tcr, Digest=two[0].digest) == ["v1.1", "v1"]


def test_a_manifest_is_text_and_its_config_is_encoded_twice(tcr, push, layout):
    push(layout, "1")
    config = layout.blobs[json.loads(layout.top)["config"]["digest"]]
    for version in ("1", layout.digest):
        told = tcr("DescribeImageManifests", ImageVersion=version)
        assert told["Manifest"].encode() == layout.top
        assert json.loads(told["Config"]).encode() == config
        assert told["Labels"] == [{"Key": "text", "Value": json.loads(config)["config"]["Labels"]["text"]}]
        assert told["Size"] == sum(map(len, layout.blobs.values()))


def test_the_manifest_of_an_index_has_no_config(tcr, push, index):
    push(index, "1")
    told = tcr("DescribeImageManifests", ImageVersion="1")
    assert told["Manifest"].encode() == index.top
    assert (json.loads(told["Config"]), told["Labels"]) == ("", [])


def test_what_is_nobodys_is_refused(tcr, refused):
    for action, more in (
        ("DescribeImages", {}),
        ("DescribeImageManifests", {"ImageVersion": "1"}),
        ("DeleteImage", {"ImageVersion": "1"}),
    ):
        assert refused(tcr, action, **more).code == GONE
        assert refused(tcr, action, RegistryId=NOBODYS, **more).code == "ResourceNotFound"
