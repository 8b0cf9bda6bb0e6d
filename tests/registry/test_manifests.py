"""Manifests, tags and referrers."""

import json

import pytest

import images

EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"


def artefact(repository, subject=None, kind="application/vnd.example.sbom", **annotations):
    """A manifest without an image: its bytes. Its blob is pushed."""
    repository.put_blob(EMPTY)
    manifest = {
        "schemaVersion": 2,
        "mediaType": images.MANIFEST,
        "artifactType": kind,
        "config": images.descriptor(EMPTY, EMPTY_TYPE),
        "layers": [images.descriptor(EMPTY, EMPTY_TYPE)],
        "annotations": annotations,
    }
    if subject is not None:
        manifest["subject"] = subject
    return images.compact(manifest)


@pytest.fixture
def layout(tmp_path, unique):
    return images.single(tmp_path / "layout", unique("hello"))


@pytest.fixture
def index(tmp_path, unique):
    return images.multi(tmp_path / "index", unique("hello"))


@pytest.mark.parametrize("which", ["layout", "index"])
def test_a_manifest_comes_back_as_it_was_pushed(repository, request, which):
    layout = request.getfixturevalue(which)
    reply = repository.put_layout(layout)
    assert reply.header("Docker-Content-Digest") == layout.digest
    for reference in ("1", layout.digest):
        for reply, body in (
            (repository.get(f"manifests/{reference}"), layout.top),
            (repository.head(f"manifests/{reference}"), b""),
        ):
            assert (reply.status, reply.body) == (200, body)
            assert reply.header("Content-Type") == layout.media_type
            assert reply.header("Content-Length") == str(len(layout.top))
            assert reply.header("Docker-Content-Digest") == layout.digest


def test_a_manifest_keeps_its_spaces_and_its_unknown_members(repository):
    artefact(repository)
    loose = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": images.MANIFEST,
            "config": images.descriptor(EMPTY, EMPTY_TYPE),
            "layers": [],
            "x-own": {"a": [1]},
        },
        indent=3,
    ).encode()
    assert repository.put_manifest("loose", loose).status == 201
    assert repository.get("manifests/loose").body == loose


def test_a_missing_manifest_is_unknown(repository, layout):
    repository.put_layout(layout)
    for reference in ("none", images.digest(b"none")):
        reply = repository.get(f"manifests/{reference}")
        assert reply.status == 404
        assert reply.codes == ["MANIFEST_UNKNOWN"]
        assert repository.head(f"manifests/{reference}").status == 404


def test_a_manifest_is_pushed_under_its_own_digest_only(repository):
    manifest = artefact(repository)
    assert repository.put_manifest(images.digest(manifest), manifest).status == 201
    reply = repository.put_manifest(images.digest(b"other"), manifest)
    assert reply.status == 400
    assert reply.codes == ["DIGEST_INVALID"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"schemaVersion":1}', b"nonsense"])
def test_a_body_that_is_no_manifest_is_refused(repository, body):
    reply = repository.put_manifest("bad", body)
    assert reply.status == 400
    assert reply.codes == ["MANIFEST_INVALID"]
    assert repository.head("manifests/bad").status == 404


def test_a_manifest_over_blobs_that_are_not_there_is_refused(repository, layout):
    reply = repository.put_manifest("1", layout.top)
    assert reply.status in (400, 404)
    assert reply.codes[0] == "MANIFEST_BLOB_UNKNOWN"
    assert repository.head("manifests/1").status == 404


@pytest.mark.parametrize("tag", ["-x", ".x", "a" * 129, "a%20b", "%C3%A4"])
def test_a_malformed_tag_is_refused(repository, tag):
    assert repository.put_manifest(tag, artefact(repository)).status in (400, 404)


def test_a_tag_moves_to_the_last_manifest_pushed(repository):
    first, second = artefact(repository, n="1"), artefact(repository, n="2")
    repository.put_manifest("latest", first)
    repository.put_manifest("latest", second)
    assert repository.get("manifests/latest").body == second
    assert repository.get(f"manifests/{images.digest(first)}").body == first


def test_tags_are_listed_in_byte_order_page_by_page(repository):
    manifest = artefact(repository)
    tags = ["a", "B", "b", "1", "_x", "a.1", "a-1"]
    for tag in tags:
        assert repository.put_manifest(tag, manifest).status == 201
    in_order = sorted(tags, key=str.encode)
    assert repository.get("tags/list").json == {"name": repository.name, "tags": in_order}

    pages, path = [], "tags/list?n=3"
    while path:
        reply = repository.get(path)
        pages.append(reply.json["tags"])
        link = reply.header("Link")
        path = link and link[link.index("<") + 1 : link.index(">")]
        assert link is None or link.endswith('rel="next"')
    assert pages == [in_order[:3], in_order[3:6], in_order[6:]]
    assert repository.get("tags/list?last=a").json["tags"] == in_order[in_order.index("a") + 1 :]
    nothing = repository.get("tags/list?n=0")
    assert nothing.json["tags"] == [] and nothing.header("Link") is None


def test_a_repository_that_was_never_written_has_no_tags(repository):
    reply = repository.get("tags/list")
    assert reply.status == 404
    assert reply.codes == ["NAME_UNKNOWN"]


def test_a_deleted_tag_leaves_the_manifest(repository):
    manifest = artefact(repository)
    for tag in ("one", "two"):
        repository.put_manifest(tag, manifest)
    assert repository.delete("manifests/one").status == 202
    assert repository.head("manifests/one").status == 404
    assert repository.get("manifests/two").body == manifest
    assert repository.get(f"manifests/{images.digest(manifest)}").body == manifest


def test_a_deleted_manifest_takes_its_tags_along(repository):
    manifest = artefact(repository)
    for tag in ("one", "two"):
        repository.put_manifest(tag, manifest)
    assert repository.delete(f"manifests/{images.digest(manifest)}").status == 202
    for reference in ("one", "two", images.digest(manifest)):
        assert repository.head(f"manifests/{reference}").status == 404
    assert repository.delete("manifests/one").status == 404


# -- referrers


def referrers(repository, digest, query=""):
    reply = repository.get(f"referrers/{digest}{query}")
    assert reply.status == 200
    assert reply.header("Content-Type") == images.INDEX
    assert (reply.json["schemaVersion"], reply.json["mediaType"]) == (2, images.INDEX)
    return reply


def test_a_manifest_with_a_subject_is_listed_under_it(repository, layout):
    repository.put_layout(layout)
    subject = images.descriptor(layout.top, images.MANIFEST)
    sbom = artefact(repository, subject, "application/vnd.example.sbom", tool="a")
    note = artefact(repository, subject, "application/vnd.example.note")
    for manifest in (sbom, note):
        reply = repository.put_manifest(images.digest(manifest), manifest)
        assert reply.status == 201
        assert reply.header("OCI-Subject") == layout.digest
    listed = {row["digest"]: row for row in referrers(repository, layout.digest).json["manifests"]}
    assert set(listed) == {images.digest(sbom), images.digest(note)}
    row = listed[images.digest(sbom)]
    assert row["artifactType"] == "application/vnd.example.sbom"
    assert (row["mediaType"], row["size"], row["annotations"]) == (images.MANIFEST, len(sbom), {"tool": "a"})

    chosen = referrers(repository, layout.digest, "?artifactType=application%2Fvnd.example.note")
    assert chosen.header("OCI-Filters-Applied") == "artifactType"
    assert [row["digest"] for row in chosen.json["manifests"]] == [images.digest(note)]

    assert repository.delete(f"manifests/{images.digest(sbom)}").status == 202
    assert [row["digest"] for row in referrers(repository, layout.digest).json["manifests"]] == [images.digest(note)]


def test_a_subject_may_come_later(repository, layout):
    manifest = artefact(repository, images.descriptor(layout.top, images.MANIFEST))
    reply = repository.put_manifest(images.digest(manifest), manifest)
    assert (reply.status, reply.header("OCI-Subject")) == (201, layout.digest)
    assert len(referrers(repository, layout.digest).json["manifests"]) == 1


def test_what_has_no_referrers_has_an_empty_list_of_them(repository):
    assert referrers(repository, images.digest(b"none")).json["manifests"] == []


def test_a_malformed_digest_has_no_referrers(repository):
    reply = repository.get("referrers/sha256:short")
    assert reply.status == 400
    assert reply.codes == ["DIGEST_INVALID"]
