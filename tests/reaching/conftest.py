"""Clients that use the cloud's real names, and walls that keep them on this machine."""

import json
import shutil
from pathlib import Path

import certifi
import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sts.v20180813 import models
from tencentcloud.sts.v20180813.sts_client import StsClient

import tools

NAME = "sts.tencentcloudapi.com"

# Loaded by every Python of a test before its program: connections end on this machine, or in an exception. `RESOLVED` maps the
# ports of names that a hosts file would send to 127.0.0.1.
WALL = """
import os, socket
connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo
def walled(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
        raise RuntimeError(f"a connection to {address} would have left")
    return connect(self, address)
def resolved(host, port, *rest, **named):
    ports = os.environ.get("RESOLVED", "")
    if ports and str(host).endswith((".tencentcloudapi.com", ".tencentcloudcr.com")):
        host, port = "127.0.0.1", dict(pair.split(":") for pair in ports.split())[str(port)]
    elif host not in ("127.0.0.1", "::1", "localhost"):
        raise RuntimeError(f"{host} would have been asked of the resolver")
    return getaddrinfo(host, port, *rest, **named)
socket.socket.connect, socket.getaddrinfo = walled, resolved
"""


@pytest.fixture
def ca(cloud):
    return cloud.exports()["ROOKERY_CA"]


@pytest.fixture
def walled(tmp_path):
    """A directory for PYTHONPATH that holds the wall."""
    path = tmp_path / "walled"
    path.mkdir()
    (path / "sitecustomize.py").write_text(WALL)
    return path


@pytest.fixture
def trusting(walled, ca):
    """The same, with a certifi to which this cloud's authority was appended, as the guide says."""
    shutil.copytree(Path(certifi.__file__).parent, walled / "certifi")
    with (walled / "certifi/cacert.pem").open("a") as bundle:
        bundle.write(Path(ca).read_text())
    return walled


@pytest.fixture
def ports(cloud):
    """What a hosts file and two redirected ports do."""
    https = cloud.endpoints["https"].rsplit(":", 1)[1]
    return f"80:{cloud.address[1]} 443:{https}"


@pytest.fixture
def identity_by_sdk(cloud):
    """Asks who I am with the official SDK: its default address, and whatever else the profile says."""

    def identity(**profile):
        client = StsClient(
            Credential(cloud.secret_id, cloud.secret_key), "ap-guangzhou", ClientProfile(httpProfile=HttpProfile(**profile))
        )
        return client.GetCallerIdentity(models.GetCallerIdentityRequest())

    return identity


@pytest.fixture
def tccli(cloud, tmp_path):
    def tccli(*arguments, check=True, **environment):
        keys = {name: value for name, value in cloud.keys.items() if name.startswith("TENCENTCLOUD_")}
        return tools.run("tccli", *arguments, home=tmp_path, check=check, **keys, **environment)

    return tccli


@pytest.fixture
def host_of(cloud):
    """The Host that the cloud saw with a request."""
    return lambda request_id: json.loads(cloud.rookery("trace", request_id).stdout)["host"]
