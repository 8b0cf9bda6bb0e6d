"""Blobs: every way to push one, and to read it in whole or in part."""

import os

import pytest

import images

CONTENT = bytes(range(256)) * 8
DIGEST = images.digest(CONTENT)
ABSENT = images.digest(b"nobody ever pushed this")


def is_whole(repository, content):
    reply = repository.get(f"blobs/{images.digest(content)}")
    return reply.status == 200 and reply.body == content


def in_one_put(repository, content, digest):
    return repository.finish(repository.begin(), digest, content)


def in_one_post(repository, content, digest):
    return repository.ask("POST", f"blobs/uploads/?digest={digest}", body=content)


def as_a_stream(repository, content, digest):
    appended = repository.append(repository.begin(), (content[at : at + 300] for at in range(0, len(content), 300)))
    assert appended.status == 202
    assert appended.header("Range") == f"0-{len(content) - 1}"
    return repository.finish(appended.header("Location"), digest)


def in_chunks(repository, content, digest):
    location = repository.begin()
    for first in (0, 1000):
        appended = repository.append(location, content[first : first + 1000], first)
        assert appended.status == 202
        assert appended.header("Range") == f"0-{first + 999}"
        location = appended.header("Location")
    appended = repository.append(location, content[2000:], 2000)
    return repository.finish(appended.header("Location"), digest)


def in_chunks_with_the_last_in_the_put(repository, content, digest):
    appended = repository.append(repository.begin(), content[:1000], 0)
    return repository.finish(appended.header("Location"), digest, content[1000:])


pushed = pytest.mark.parametrize(
    "push", [in_one_put, in_one_post, as_a_stream, in_chunks, in_chunks_with_the_last_in_the_put], ids=lambda push: push.__name__
)


@pushed
def test_a_blob_is_pushed(repository, push):
    reply = push(repository, CONTENT, DIGEST)
    assert reply.status == 201
    assert reply.header("Docker-Content-Digest") == DIGEST
    assert repository.get(reply.header("Location")).body == CONTENT


@pushed
def test_a_blob_with_another_digest_is_refused_and_not_kept(repository, push):
    content = CONTENT + os.urandom(8)
    reply = push(repository, content, ABSENT)
    assert reply.status == 400
    assert reply.codes == ["DIGEST_INVALID"]
    for digest in (ABSENT, images.digest(content)):
        assert repository.head(f"blobs/{digest}").status == 404


@pytest.mark.parametrize("digest", ["sha256:short", "sha256:" + "G" * 64, "md5:" + "0" * 32, "nonsense", "sha256:" + "A" * 64])
def test_a_malformed_digest_is_refused(repository, digest):
    reply = in_one_put(repository, CONTENT, digest)
    assert reply.status == 400
    assert reply.codes == ["DIGEST_INVALID"]


@pytest.mark.parametrize("content", [b"", b"{}"])
def test_the_smallest_blobs_are_blobs(repository, content):
    assert repository.finish(repository.begin(), images.digest(content), content).status == 201
    assert is_whole(repository, content)


def test_head_says_what_get_sends(repository):
    repository.put_blob(CONTENT)
    for reply, body in ((repository.get(f"blobs/{DIGEST}"), CONTENT), (repository.head(f"blobs/{DIGEST}"), b"")):
        assert (reply.status, reply.body) == (200, body)
        assert reply.header("Content-Length") == str(len(CONTENT))
        assert reply.header("Docker-Content-Digest") == DIGEST
        assert reply.header("Accept-Ranges") == "bytes"
        assert reply.header("ETag") == f'"{DIGEST}"'


def test_a_missing_blob_is_unknown(repository):
    reply = repository.get(f"blobs/{ABSENT}")
    assert reply.status == 404
    assert reply.codes == ["BLOB_UNKNOWN"]
    assert repository.head(f"blobs/{ABSENT}").status == 404


RANGES = [
    ("bytes=500-1499", 500, 1499),
    ("bytes=0-0", 0, 0),
    ("bytes=500-", 500, 2047),
    ("bytes=-500", 1548, 2047),
    ("bytes=2000-5000", 2000, 2047),
]


@pytest.mark.parametrize(("asked", "first", "last"), RANGES)
def test_a_range_of_a_blob_is_sent(repository, asked, first, last):
    repository.put_blob(CONTENT)
    reply = repository.get(f"blobs/{DIGEST}", Range=asked)
    assert reply.status == 206
    assert reply.header("Content-Range") == f"bytes {first}-{last}/2048"
    assert reply.body == CONTENT[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=500-0", "bytes=5000-10000"])
def test_a_range_outside_a_blob_is_not_satisfiable(repository, asked):
    repository.put_blob(CONTENT)
    reply = repository.get(f"blobs/{DIGEST}", Range=asked)
    assert reply.status == 416
    assert reply.header("Content-Range") == "bytes */2048"


# -- uploads


def test_an_upload_says_how_far_it_is(repository):
    location = repository.begin()
    appended = repository.append(location, CONTENT[:1000], 0)
    reply = repository.get(appended.header("Location"))
    assert reply.status == 204
    assert reply.header("Range") == "0-999"
    # An older location of the same upload is the same upload.
    assert repository.get(location).header("Range") == "0-999"


@pytest.mark.parametrize("first", [1, 500, 1500], ids=["gap", "overlap", "beyond"])
def test_a_chunk_out_of_order_is_refused_and_changes_nothing(repository, first):
    location = repository.begin()
    if first != 1:
        location = repository.append(location, CONTENT[:1000], 0).header("Location")
    reply = repository.append(location, CONTENT[first:], first)
    assert reply.status == 416
    status = repository.get(location)
    assert status.status == 204
    assert status.header("Range") == ("0-0" if first == 1 else "0-999")
    # And it goes on where it was.
    at = 0 if first == 1 else 1000
    appended = repository.append(location, CONTENT[at:], at)
    assert repository.finish(appended.header("Location"), DIGEST).status == 201


def test_the_same_chunk_again_is_out_of_order(repository):
    location = repository.begin()
    assert repository.append(location, CONTENT[:1000], 0).status == 202
    assert repository.append(location, CONTENT[:1000], 0).status == 416


def test_the_last_chunk_in_a_put_must_be_in_order_too(repository):
    location = repository.append(repository.begin(), CONTENT[:1000], 0).header("Location")
    separator = "&" if "?" in location else "?"
    headers = {"Content-Range": f"1500-{len(CONTENT) - 1}", "Content-Type": "application/octet-stream"}
    reply = repository.ask("PUT", f"{location}{separator}digest={DIGEST}", headers, CONTENT[1500:])
    assert reply.status == 416
    assert repository.head(f"blobs/{DIGEST}").status == 404


@pytest.mark.parametrize("claimed", ["bytes 0-999", "0-", "a-b", "999-0"])
def test_a_malformed_chunk_range_is_refused(repository, claimed):
    headers = {"Content-Range": claimed, "Content-Type": "application/octet-stream"}
    assert repository.ask("PATCH", repository.begin(), headers, CONTENT[:1000]).status in (400, 416)


def test_a_cancelled_upload_is_gone(repository):
    location = repository.append(repository.begin(), CONTENT[:1000], 0).header("Location")
    assert repository.delete(location).status == 204
    for reply in (repository.get(location), repository.append(location, CONTENT), repository.finish(location, DIGEST)):
        assert reply.status == 404
        assert reply.codes == ["BLOB_UPLOAD_UNKNOWN"]


def test_an_upload_belongs_to_its_repository(place, repository, unique):
    location = repository.begin()
    other = place.repository(f"{place.private}/{unique('other')}")
    assert other.get(location.replace(repository.name, other.name)).status == 404


# -- mounts and deletes


def test_a_blob_is_mounted_from_another_repository(place, repository, unique):
    repository.put_blob(CONTENT)
    other = place.repository(f"{place.private}/{unique('other')}", also=[repository.name])
    reply = other.ask("POST", f"blobs/uploads/?mount={DIGEST}&from={repository.name}")
    assert reply.status == 201
    assert reply.header("Docker-Content-Digest") == DIGEST
    assert is_whole(other, CONTENT)


def test_a_blob_that_is_not_there_is_uploaded_instead_of_mounted(place, repository, unique):
    other = place.repository(f"{place.private}/{unique('other')}", also=[repository.name])
    reply = other.ask("POST", f"blobs/uploads/?mount={ABSENT}&from={repository.name}")
    assert reply.status == 202
    assert other.finish(reply.header("Location"), DIGEST, CONTENT).status == 201


def test_nothing_is_mounted_from_another_instance(cloud, place, repository, settled, unique):
    repository.put_blob(CONTENT)
    stranger = settled(cloud, unique("stranger"))
    target = stranger.repository(f"{stranger.private}/target", also=[repository.name])
    for source in (f"&from={repository.name}", ""):
        assert target.ask("POST", f"blobs/uploads/?mount={DIGEST}{source}").status == 202
        assert target.head(f"blobs/{DIGEST}").status == 404


def test_a_deleted_blob_is_gone_in_this_repository_only(place, repository, unique):
    repository.put_blob(CONTENT)
    other = place.repository(f"{place.private}/{unique('other')}", also=[repository.name])
    assert other.ask("POST", f"blobs/uploads/?mount={DIGEST}&from={repository.name}").status == 201
    assert repository.delete(f"blobs/{DIGEST}").status == 202
    assert repository.head(f"blobs/{DIGEST}").status == 404
    assert is_whole(other, CONTENT)
    assert repository.delete(f"blobs/{ABSENT}").status == 404
