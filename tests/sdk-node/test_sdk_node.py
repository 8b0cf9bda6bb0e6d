"""The official Node SDK."""

from pathlib import Path

import pytest

from cloud import REPOSITORY
from sdk_matrix import Client, Matrix, driven, needs


@pytest.fixture(scope="module")
def client(cloud):
    node = needs("node", "apt-get install nodejs npm")
    packages = needs(REPOSITORY / ".tools/sdk-node/node_modules", "make tools")
    driver = Path(__file__).with_name("driver.js")
    with driven(node, driver, NODE_PATH=packages, NODE_EXTRA_CA_CERTS=cloud.endpoints["ca"]) as drive:
        yield Client(cloud, drive)


class TestNode(Matrix):
    client_name = "SDK_NODEJS_"
    # The first label of the endpoint, whatever that is.
    scope_service = "127"
    # It signs the host without the port in v3, and with it in v1.
    readings = {"v3": "host-without-port", "v1": "as-sent"}
    cannot = {"unsigned payload": "the Node SDK has no setting for it"}
