"""kill -9 in the midst of parallel pushes, again and again: whatever was acknowledged before is there after, and whole."""

import http.client
import os
import random
import threading

import images
from cloud import DEADLINE

# 200 rounds with ROOKERY_TESTS_LARGE=1.
ROUNDS = 200 if os.environ.get("ROOKERY_TESTS_LARGE") == "1" else 10
PUSHERS = 6


class Acknowledged:
    """What clients were told is stored."""

    def __init__(self):
        self.lock = threading.Lock()
        self.each = threading.Semaphore(0)
        self.blobs = {}
        self.manifests = {}
        # Tag → the digests that it may name: the last one acknowledged, and what was under way when the process ended.
        self.tags = {}


def push(repository, acknowledged, round, pusher, stop):
    """Pushes images under ever the same few tags until the registry is gone."""
    generator = random.Random(f"{round} {pusher}")
    for number in range(10_000):
        if stop.is_set():
            return
        layer = generator.randbytes(generator.choice((10, 4_000, 300_000)))
        config = images.compact({"architecture": "amd64", "os": "linux", "round": round, "pusher": pusher, "number": number})
        manifest = images.compact(
            {
                "schemaVersion": 2,
                "mediaType": images.MANIFEST,
                "config": images.descriptor(config, images.CONFIG),
                "layers": [images.descriptor(layer, images.LAYER)],
            }
        )
        tag = f"{pusher}-{number % 5}"
        try:
            for content in (layer, config):
                repository.put_blob(content)
                with acknowledged.lock:
                    acknowledged.blobs[images.digest(content)] = len(content)
                acknowledged.each.release()
            with acknowledged.lock:
                acknowledged.tags.setdefault(tag, set()).add(images.digest(manifest))
            reply = repository.put_manifest(tag, manifest)
        except (OSError, http.client.HTTPException):
            return  # the process is gone
        assert reply.status == 201, reply.body
        with acknowledged.lock:
            acknowledged.manifests[images.digest(manifest)] = manifest
            acknowledged.tags[tag] = {images.digest(manifest)}
        acknowledged.each.release()


def check(repository, acknowledged, recent):
    """Every acknowledged push of this run, and of all earlier ones by a HEAD of each blob."""
    for tag, allowed in acknowledged.tags.items():
        reply = repository.get(f"manifests/{tag}")
        if reply.status == 404:
            # Only a tag of which no push was ever acknowledged.
            assert not allowed & set(acknowledged.manifests), tag
            continue
        named = images.digest(reply.body)
        assert reply.status == 200 and named in allowed, (tag, named, allowed)
        # It is settled now.
        acknowledged.tags[tag] = {named}
        acknowledged.manifests[named] = reply.body
    for digest, manifest in acknowledged.manifests.items():
        if digest in recent:
            reply = repository.get(f"manifests/{digest}")
            assert (reply.status, reply.body) == (200, manifest), digest
    for digest, size in acknowledged.blobs.items():
        if digest in recent:
            reply = repository.get(f"blobs/{digest}")
            assert reply.status == 200 and len(reply.body) == size and images.digest(reply.body) == digest, digest


def test_every_acknowledged_push_survives_every_kill(start, settled):
    cloud = start()
    place = settled(cloud)
    name = f"{place.private}/app"
    acknowledged = Acknowledged()
    pushes = 0
    generator = random.Random(7)
    for round in range(ROUNDS):
        before = set(acknowledged.manifests) | set(acknowledged.blobs)
        place = place.moved(cloud)
        stop, failures = threading.Event(), []

        def pusher(number, place=place, round=round, stop=stop, failures=failures):
            try:
                push(place.repository(name), acknowledged, round, number, stop)
            except (OSError, http.client.HTTPException):
                pass  # killed before it could log in
            except AssertionError as failure:
                failures.append(failure)

        threads = [threading.Thread(target=pusher, args=(number,)) for number in range(PUSHERS)]
        for thread in threads:
            thread.start()
        # After how many answers it is killed is drawn by lot; the other pushers are then at every stage of theirs.
        for _ in range(generator.randint(1, 120)):
            assert acknowledged.each.acquire(timeout=DEADLINE) or failures
        cloud.kill()
        stop.set()
        for thread in threads:
            thread.join()
        while acknowledged.each.acquire(blocking=False):
            pass
        assert not failures, failures
        cloud.start()
        fresh = (set(acknowledged.manifests) | set(acknowledged.blobs)) - before
        pushes += len(fresh)
        check(place.moved(cloud).repository(name), acknowledged, fresh)
    # At the end everything of every round once more.
    repository = place.moved(cloud).repository(name)
    check(repository, acknowledged, set(acknowledged.manifests) | set(acknowledged.blobs))
    assert pushes > ROUNDS
    listed = set(repository.get("tags/list?n=1000").json["tags"])
    assert {tag for tag, digests in acknowledged.tags.items() if digests & set(acknowledged.manifests)} == listed
