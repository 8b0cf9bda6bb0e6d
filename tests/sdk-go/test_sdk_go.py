"""The official Go SDK: the current one, and one of 2021 that is still in use in pinned programs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cloud import REPOSITORY, clean_environment
from sdk_matrix import V3, WAYS, Client, Matrix, driven, needs

HERE = Path(__file__).parent


def built(module, directory):
    """The driver, built with the SDK that the `go.mod` of a module pins."""
    go = needs("go", "install Go, https://go.dev/doc/install")
    shutil.copy(HERE / "driver.go", directory)
    shutil.copytree(HERE / module, directory, dirs_exist_ok=True)
    modules = needs(REPOSITORY / ".tools/sdk-go", "make tools")
    offline = {"GOMODCACHE": modules, "GOPROXY": "off", "GOFLAGS": "-mod=readonly -buildvcs=false -modcacherw"}
    ended = subprocess.run(
        [go, "build", "-o", "driver", "."],
        cwd=directory,
        capture_output=True,
        text=True,
        env=clean_environment(GOWORK="off", CGO_ENABLED="0", **offline),
    )
    assert ended.returncode == 0, f"make tools, then:\n{ended.stderr}"
    return directory / "driver"


@pytest.fixture(scope="class")
def client(cloud, request, tmp_path_factory):
    driver = built(request.cls.module, tmp_path_factory.mktemp("sdk-go"))
    with driven(driver, SSL_CERT_FILE=cloud.endpoints["ca"]) as drive:
        yield Client(cloud, drive)


class TestGo(Matrix):
    module = "current"
    client_name = "SDK_GO_1.3."
    scope_service = "tcr"
    # Whatever the path of the endpoint is, v3 signs `/`.
    readings_of_a_path = {"v3": "fixed-path"}
    cannot = {
        "unknown parameter": {
            way: "a CommonRequest of the Go SDK sends its parameters with TC3 POST only" for way in WAYS if way != V3[0]
        }
    }


class TestOldGo(Matrix):
    module = "v1.0.162"
    client_name = "SDK_GO_1.0.162"
    scope_service = "tcr"
    cannot = {
        "who am I": "the STS of this SDK has no GetCallerIdentity",
        "tags of a namespace": "the CreateNamespace of this SDK has no TagSpecification",
        "unknown parameter": "this SDK has no CommonRequest",
        "endpoint with a path": "this SDK takes the path for a part of the host",
        "empty strings in lists": {
            way: "this SDK sends no empty values, which leaves gaps in lists that are flattened" for way in WAYS if way != V3[0]
        },
    }
