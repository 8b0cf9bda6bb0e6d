"""A process that is killed in the middle of a push leaves what was acknowledged, and nothing that was not."""

import contextlib

import images

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
