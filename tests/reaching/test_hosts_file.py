"""Names given to this machine: the real names, TLS with the authority, and no setting of an address at all."""

import json
import subprocess
import sys

import pytest

import tools
from cloud import clean_environment
from conftest import NAME

PROGRAM = """
import sys
from tencentcloud.common.credential import EnvironmentVariableCredential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sts.v20180813 import models, sts_client
credential = EnvironmentVariableCredential().get_credential()
profile = ClientProfile(httpProfile=HttpProfile(certification=sys.argv[1] if len(sys.argv) > 1 else None))
client = sts_client.StsClient(credential, "ap-guangzhou", profile)
print(client.GetCallerIdentity(models.GetCallerIdentityRequest()).to_json_string())
"""


@pytest.fixture
def python(cloud):
    def python(*arguments, path, ports):
        keys = {name: value for name, value in cloud.keys.items() if name.startswith("TENCENTCLOUD_")}
        environment = clean_environment(**keys, PYTHONPATH=path, RESOLVED=ports)
        ended = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, env=environment)
        return ended

    return python


def test_the_sdk_needs_the_authority_and_nothing_else(python, walled, ports, ca, host_of):
    found = python(ca, path=walled, ports=ports)
    assert found.returncode == 0, found.stderr
    assert host_of(json.loads(found.stdout)["RequestId"]) == NAME
    refused = python(path=walled, ports=ports)
    assert refused.returncode != 0 and "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_tccli_needs_the_authority_and_nothing_else(tccli, trusting, ports, host_of):
    found = tccli("sts", "GetCallerIdentity", PYTHONPATH=trusting, RESOLVED=ports)
    assert host_of(json.loads(found.stdout)["RequestId"]) == NAME


def test_without_the_names_nothing_leaves_the_wall(tccli, trusting):
    refused = tccli("sts", "GetCallerIdentity", PYTHONPATH=trusting, check=False)
    assert refused.returncode != 0 and f"{NAME} would have been asked" in refused.stdout + refused.stderr


@pytest.mark.parametrize("name", [NAME, "tcr.ap-guangzhou.tencentcloudapi.com", "demo.tencentcloudcr.com"])
def test_any_name_of_the_cloud_has_a_certificate(cloud, tmp_path, ca, name):
    port = cloud.endpoints["https"].rsplit(":", 1)[1]
    ended = tools.run(
        "curl", "-sS", "--cacert", ca, "--resolve", f"{name}:{port}:127.0.0.1",
        "-o", tmp_path / "reply", "-w", "%{http_code} %{ssl_verify_result}",
        f"https://{name}:{port}/", home=tmp_path,
    )  # fmt: skip
    assert ended.stdout == "200 0"
