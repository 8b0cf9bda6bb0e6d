"""A room of its own for a program that reads names and ports as the machine has them.

Go, Java and Node resolve names by themselves, and no setting gives a port to the cloud's real names. So such programs run in namespaces of
their own: `/etc/hosts` is a file of the test, the network is loopback and nothing else, and chosen ports of it lead to the cloud outside.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent

# What the user of a new network namespace does first: SIOCSIFFLAGS with IFF_UP.
SET_FLAGS, UP = 0x8914, 1

NAMESPACES = ["unshare", "--mount", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def refusal():
    """Why this machine gives no namespaces to the tests, or nothing."""
    try:
        tried = subprocess.run([*NAMESPACES, "mount", "--bind", "/etc/hosts", "/etc/hosts"], capture_output=True, text=True)
    except FileNotFoundError as missing:
        return f"{missing.filename} is not on the PATH: apt-get install util-linux"
    return tried.stderr.strip() if tried.returncode else None


class Room:
    """What a program in it finds: a hosts file that it may write, and ports of 127.0.0.1 that lead out."""

    def __init__(self, hosts, doors):
        self.hosts, self.doors = hosts, doors

    def command(self, *command):
        """The command line that runs `command` inside."""
        doors = json.dumps({port: str(path) for port, path in self.doors.items()})
        return [*NAMESPACES, sys.executable, HERE / "room.py", self.hosts, doors, *command]


@contextmanager
def built(ports):
    """A room whose `ports` lead to addresses: `{443: ("127.0.0.1", 40000)}`."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="room-")))
        hosts = directory / "hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        doors = {}
        for port, address in ports.items():
            path = directory / f"door-{port}"
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(path))
            serve(listener, lambda address=address: socket.create_connection(address))
            doors[port] = path
        yield Room(hosts, doors)


def leading_to(cloud):
    """A room whose usual ports lead to a cloud, and so do the cloud's own."""
    http, https = (int(cloud.endpoints[scheme].rsplit(":", 1)[1]) for scheme in ("http", "https"))
    ports = {8080: http, 8443: https, 443: https, http: http, https: https}
    return built({port: ("127.0.0.1", to) for port, to in ports.items()})


def serve(listener, onward):
    """Joins everybody who comes to `listener` with a connection of their own to `onward`."""
    listener.listen(64)

    def accept():
        with suppress(OSError):  # the end of the test closes the listener
            while True:
                threading.Thread(target=join, args=(listener.accept()[0], onward), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def join(near, onward):
    with near, suppress(OSError), onward() as far:
        back = threading.Thread(target=pour, args=(far, near), daemon=True)
        back.start()
        pour(near, far)
        back.join()


def pour(source, sink):
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
        sink.shutdown(socket.SHUT_WR)


def inside(hosts, doors, command):
    """Runs in the new namespaces. The result is the command's exit status."""
    import fcntl
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    for port, path in json.loads(doors).items():
        listener = socket.create_server(("127.0.0.1", int(port)))
        serve(listener, lambda path=path: connected(path))
    return subprocess.run(command).returncode


def connected(path):
    door = socket.socket(socket.AF_UNIX)
    door.connect(path)
    return door


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1], sys.argv[2], sys.argv[3:]))
