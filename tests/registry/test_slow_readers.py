"""A client that stops reading what it pulls is sent away, over HTTP/1.1 and over HTTP/2."""

import socket
import struct
from pathlib import Path

import pytest

from cloud import DEADLINE, eventually
from distribution import ask

# More than the buffers of both ends hold.
LAYER = bytes(range(256)) * (64 << 12)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 4, 6, 7, 8
ACK, END_HEADERS, END_STREAM = 1, 4, 1
INITIAL_WINDOW_SIZE = 4


@pytest.fixture
def pulled(start, settled):
    """An impatient cloud, the path of a large blob in it, and what opens it."""
    cloud = start("--client-timeout", "1")
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    digest = repository.put_blob(LAYER)
    return cloud, f"/v2/{repository.name}/blobs/{digest}", repository.headers


def open_files(cloud):
    """How many files and connections the process holds, apart from its state."""
    links = [link for link in Path(f"/proc/{cloud.process.pid}/fd").iterdir()]
    found = []
    for link in links:
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:  # closed meanwhile
            pass
    return sum("/registry/blobs/" in name for name in found)


def connected(cloud, receive_buffer=None):
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(DEADLINE)
    connection.connect(cloud.address)
    return connection


def head(cloud, path, headers):
    lines = [f"GET {path} HTTP/1.1", f"Host: {cloud.authority}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_who_stops_reading_over_http_1_is_sent_away(pulled):
    cloud, path, headers = pulled
    with connected(cloud, receive_buffer=4096) as connection:
        connection.sendall(head(cloud, path, headers))
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert open_files(cloud) > 0
        eventually("the blob is closed", lambda: open_files(cloud) == 0)
        # The others are served meanwhile, and what is left on the way is not the whole.
        assert ask(cloud.authority, "GET", path, headers).body == LAYER
        rest = 0
        try:
            while block := connection.recv(1 << 20):
                rest += len(block)
        except ConnectionResetError:
            pass
        assert rest < len(LAYER)


# -- HTTP/2, as far as it takes to shut a window


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(value):
    """A string of HPACK, without Huffman's code."""
    raw, length = value.encode(), len(value.encode())
    if length < 127:
        return bytes([length]) + raw
    rest, coded = length - 127, [127]
    while rest >= 128:
        coded.append(rest % 128 + 128)
        rest //= 128
    return bytes([*coded, rest]) + raw


def fields(pairs):
    return b"".join(b"\0" + text(name.lower()) + text(value) for name, value in pairs)


def frames(connection):
    """What the server sends, until it closes the connection. Whether the client is there is answered, as HTTP/2 wants."""
    stream = connection.makefile("rb")
    try:
        while start := stream.read(9):
            length, kind, flags = int.from_bytes(start[:3]), start[3], start[4]
            payload = stream.read(length)
            if kind == PING and not flags & ACK:
                connection.sendall(frame(PING, ACK, 0, payload))
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            yield kind, payload
    except (ConnectionResetError, BrokenPipeError):
        return


def test_who_shuts_the_window_over_http_2_is_sent_away(pulled):
    cloud, path, headers = pulled
    with connected(cloud) as connection:
        shut = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
        asked = [(":method", "GET"), (":scheme", "http"), (":authority", cloud.authority), (":path", path), *headers.items()]
        connection.sendall(PREFACE + shut + frame(HEADERS, END_HEADERS | END_STREAM, 1, fields(asked)))
        seen = [kind for kind, payload in frames(connection) if payload or kind != DATA]
    assert HEADERS in seen and DATA not in seen
    eventually("the blob is closed", lambda: open_files(cloud) == 0)
