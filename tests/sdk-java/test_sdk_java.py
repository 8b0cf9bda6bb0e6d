"""The official Java SDK."""

import subprocess
from pathlib import Path

import pytest

from cloud import REPOSITORY, clean_environment
from sdk_matrix import V3, WAYS, Client, Matrix, driven, needs


@pytest.fixture(scope="module")
def client(cloud, tmp_path_factory):
    java, keytool = (needs(tool, "apt-get install default-jdk-headless") for tool in ("java", "keytool"))
    needs("javac", "apt-get install default-jdk-headless")
    jars = needs(REPOSITORY / ".tools/sdk-java", "make tools")
    trusted = tmp_path_factory.mktemp("sdk-java") / "trusted.p12"
    imported = subprocess.run(
        [
            *(keytool, "-importcert", "-noprompt", "-alias", "rookery", "-file", cloud.endpoints["ca"]),
            *("-keystore", trusted, "-storetype", "PKCS12", "-storepass", "password"),
        ],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert imported.returncode == 0, imported.stdout
    trust = [f"-Djavax.net.ssl.trustStore={trusted}", "-Djavax.net.ssl.trustStorePassword=password"]
    driver = Path(__file__).with_name("Driver.java")
    with driven(java, *trust, "-Dfile.encoding=UTF-8", "-cp", f"{jars}/*", driver) as drive:
        yield Client(cloud, drive)


class TestJava(Matrix):
    client_name = "SDK_JAVA_"
    # The first label of the endpoint, whatever that is.
    scope_service = "127"
    # Whatever the path of the endpoint is, v3 signs `/`.
    readings_of_a_path = {"v3": "fixed-path"}
    cannot = {
        "unknown parameter": {
            way: "the Java SDK sends parameters outside of its models with TC3 POST only" for way in WAYS if way != V3[0]
        }
    }
