"""The user's own tools: found on the PATH, or the test is skipped with what to install."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cloud import DEADLINE, REPOSITORY, clean_environment

STRICT = os.environ.get("CI") == "true" or os.environ.get("ROOKERY_TESTS_STRICT") == "1"

INSTALL = {
    "curl": "apt-get install curl",
    "skopeo": "apt-get install skopeo",
    "openssl": "apt-get install openssl",
    "mariadb": "apt-get install --no-install-recommends mariadb-client-core",
    "mariadbd": "apt-get install --no-install-recommends mariadb-server-core",
    "mariadb-backup": "apt-get install --no-install-recommends mariadb-backup",
    "mariabackup": "apt-get install --no-install-recommends mariadb-backup mariadb-client",
    "mbstream": "apt-get install --no-install-recommends mariadb-backup mariadb-client",
    "mariadb-binlog": "apt-get install --no-install-recommends mariadb-backup mariadb-client",
    "lz4": "apt-get install lz4",
    "strace": "apt-get install strace",
    "cosign": "make tools, or go install github.com/sigstore/cosign/v2/cmd/cosign@v2.6.5",
    "cosign3": "make tools, which builds github.com/sigstore/cosign/v3/cmd/cosign v3.1.3 under this name",
    "notation": "make tools, which builds github.com/notaryproject/notation/cmd/notation v1.3.2",
    "crane": "make tools, or go install github.com/google/go-containerregistry/cmd/crane@v0.22.1",
    "regctl": "make tools, or go install github.com/regclient/regclient/cmd/regctl@v0.11.7",
    "helm": "make tools, or go install helm.sh/helm/v3/cmd/helm@v3.22.0",
    "oras": "make tools",
    "versitygw": "make tools, or go install github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    "buildah": "apt-get install buildah",
    "podman": "apt-get install podman",
    "containers-image": "make tools, which builds tests/containers-image",
    "oci-conformance": "make tools, or build it from a checkout (tests/registry/test_conformance_suites.py)",
    "oci-conformance-legacy": "make tools, or build it from a checkout (tests/registry/test_conformance_suites.py)",
    "tofu": "make tools, which builds OpenTofu where there is neither terraform nor tofu",
    "terraform-provider-tencentcloud": "make tools, which has it installed by `terraform init`",
    "zsh": "apt-get install zsh",
    "fish": "apt-get install fish",
    "tccli": "pip install -r tests/requirements.txt",
}


def prepend_paths():
    """The repository's own tools come first, then those of the virtual environment that runs the tests."""
    first = [str(REPOSITORY / ".tools/bin"), str(Path(sys.executable).parent)]
    os.environ["PATH"] = os.pathsep.join([*first, os.environ["PATH"]])


def require(name):
    """The path of a tool. In CI a missing one is a failure."""
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not on the PATH: {INSTALL[name]}"
        pytest.fail(missing) if STRICT else pytest.skip(missing)
    return found


def run(*command, home, check=True, stdin=None, **environment):
    """Runs a tool with a home directory of its own, so that no login of the user is read or changed."""
    tool = require(command[0])
    ended = subprocess.run(
        [tool, *map(str, command[1:])],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=4 * DEADLINE,
        env=clean_environment(HOME=home, DOCKER_CONFIG=Path(home) / ".docker", **environment),
    )
    if check and ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended
