"""The cloud under test: one `rookery serve` process on ports of its own, and the command line beside it."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("ROOKERY_BIN", REPOSITORY / "target/release/rookery"))

# The longest that anything on one machine may take before it counts as never.
DEADLINE = 60.0

# Clouds that run now; a failing test shows what they logged.
running = []


def clean_environment(**more):
    """The environment without what would point a tool at another cloud or through a proxy."""
    foreign = re.compile(r"(ROOKERY|TENCENTCLOUD|TCCLI|TKE|COSIGN|REGISTRY_AUTH|DOCKER|OTEL)_|(https?|all|no)_proxy$", re.I)
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return kept | {name: str(value) for name, value in more.items()}


def eventually(what, probe, deadline=DEADLINE):
    """Asks `probe` until it answers something true; that is the result."""
    end = time.monotonic() + deadline
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:.0f} s: {what}")
        time.sleep(0.02)


class Cloud:
    """A cloud on one data directory. It can be stopped, killed and started again; the directory stays."""

    def __init__(self, data, *options, **environment):
        self.data = Path(data)
        self.options = options
        self.environment = environment
        self.process = None
        self.log = self.data.parent / f"{self.data.name}.log"

    # -- the process

    def start(self):
        # Whose test it begins in: the first calls of its trace are that test's.
        self.test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        command = [BINARY, "serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--data", self.data, "--traces", "100000", *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=clean_environment(**self.environment)
            )
        running.append(self)
        self.endpoints = eventually("endpoints.json of the new process", self._published)
        self.keys = self.exports()
        return self

    def _published(self):
        if self.process.poll() is not None:
            raise AssertionError(f"rookery serve ended with {self.process.returncode}:\n{self.logged()}")
        try:
            endpoints = json.loads((self.data / "endpoints.json").read_text())
        except FileNotFoundError:
            return None
        # A killed process leaves its file behind until the next one holds the directory.
        return endpoints if endpoints["pid"] == self.process.pid else None

    def stop(self):
        """Ends it as a service manager does. The result is the exit status."""
        self._tell()
        return self._end(signal.SIGTERM)

    def kill(self):
        """Ends it as a power cut does."""
        self._tell()
        return self._end(signal.SIGKILL)

    def discard(self):
        """Kills it for good, with the servers that a killed process leaves to the next one."""
        self.kill()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended, or is somebody else's
                owned = b"ROOKERY_OWNED=" in (process / "environ").read_bytes()
                if owned and os.fsencode(self.data) in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)

    def _tell(self):
        """What it saw is evidence, and gone with the process."""
        if self.process is not None and self.process.poll() is None:
            import evidence  # here, because it reads this module's clouds

            with suppress(URLError):  # one that is already ending answers nobody
                evidence.collect(self)

    def _end(self, how):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(DEADLINE)
        self.process = None
        running.remove(self)
        return status

    def logged(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def peak_memory(self):
        """The largest resident set that the process ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    # -- where it is

    @property
    def address(self):
        url = urlsplit(self.endpoints["http"])
        return url.hostname, url.port

    @property
    def authority(self):
        """Host and port of the HTTP address."""
        return urlsplit(self.endpoints["http"]).netloc

    @property
    def registry(self):
        return self.endpoints["registry"]

    @property
    def secret_id(self):
        return self.keys["TENCENTCLOUD_SECRET_ID"]

    @property
    def secret_key(self):
        return self.keys["TENCENTCLOUD_SECRET_KEY"]

    # -- the command line

    def rookery(self, *arguments, check=True, **environment):
        return rookery(*arguments, check=check, ROOKERY_DATA=self.data, **environment)

    def exports(self, *options):
        """What `rookery env` prints, as a POSIX shell understands it."""
        printed = self.rookery("env", *options).stdout
        names = re.findall(r"^export (\w+)=", printed, re.M)
        script = printed + "".join(f'printf "%s\\0" "${name}"\n' for name in names)
        values = subprocess.run(["sh", "-euc", script], check=True, capture_output=True, text=True).stdout
        return dict(zip(names, values.split("\0"), strict=False))


def rookery(*arguments, check=True, **environment):
    """Runs a command to its end."""
    command = [str(BINARY), *map(str, arguments)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL, env=clean_environment(**environment)
    )
    if check and ended.returncode != 0:
        raise AssertionError(f"{shlex.join(command)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended


@contextmanager
def started(data, *options, **environment):
    cloud = Cloud(data, *options, **environment)
    try:
        yield cloud.start()
    finally:
        cloud.discard()
