"""A push and a pull of any size need the same small memory."""

import hashlib
import os
from http.client import HTTPConnection

import pytest

MIB, GIB = 1024**2, 1024**3
ALLOWED = 100 * MIB


def stream(size):
    """`size` zero bytes, a mebibyte at a time."""
    block = bytes(MIB)
    return (block for _ in range(size // MIB))


def pulled(repository, digest):
    """The digest of a blob as it arrives, without keeping it."""
    connection = HTTPConnection(repository.host)
    connection.request("GET", f"/v2/{repository.name}/blobs/{digest}", headers=repository.headers)
    response = connection.getresponse()
    assert response.status == 200
    arriving = hashlib.sha256()
    while block := response.read(MIB):
        arriving.update(block)
    connection.close()
    return f"sha256:{arriving.hexdigest()}"


sizes = [
    pytest.param(GIB, id="1 GiB"),
    pytest.param(
        5 * GIB,
        id="5 GiB",
        marks=[
            pytest.mark.large,
            pytest.mark.skipif(os.environ.get("ROOKERY_TESTS_LARGE") != "1", reason="set ROOKERY_TESTS_LARGE=1"),
        ],
    ),
]


@pytest.mark.parametrize("size", sizes)
def test_a_layer_streams_through_in_constant_memory(start, settled, size):
    cloud = start()
    place = settled(cloud)
    repository = place.repository(f"{place.private}/large")
    whole = hashlib.sha256()
    for block in stream(size):
        whole.update(block)
    digest = f"sha256:{whole.hexdigest()}"

    appended = repository.append(repository.begin(), stream(size))
    assert (appended.status, appended.header("Range")) == (202, f"0-{size - 1}")
    assert repository.finish(appended.header("Location"), digest).status == 201
    assert pulled(repository, digest) == digest
    assert cloud.peak_memory() < ALLOWED
