"""Go programs of this directory, built offline with what their `go.mod` pins."""

import shutil
import subprocess
from pathlib import Path

from cloud import REPOSITORY, clean_environment
from sdk_matrix import needs

HERE = Path(__file__).parent


def compiled(module, directory):
    """The program of a module; more of its sources may be in `directory` already."""
    go = needs("go", "install Go, https://go.dev/doc/install")
    shutil.copytree(HERE / module, directory, dirs_exist_ok=True)
    modules = needs(REPOSITORY / ".tools/sdk-go", "make tools")
    offline = {"GOMODCACHE": modules, "GOPROXY": "off", "GOFLAGS": "-mod=readonly -buildvcs=false -modcacherw"}
    ended = subprocess.run(
        [go, "build", "-o", "program", "."],
        cwd=directory,
        capture_output=True,
        text=True,
        env=clean_environment(GOWORK="off", CGO_ENABLED="0", **offline),
    )
    assert ended.returncode == 0, f"make tools, then:\n{ended.stderr}"
    return directory / "program"
