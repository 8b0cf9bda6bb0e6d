"""The official Go SDK: the current one, and one of 2021 that is still in use in pinned programs."""

import shutil

import pytest

from modules import HERE, compiled
from sdk_matrix import V3, WAYS, Client, Matrix, driven


def built(module, directory):
    """The driver, built with the SDK that the `go.mod` of a module pins."""
    shutil.copy(HERE / "driver.go", directory)
    return compiled(module, directory)


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
