"""An instance, a login to it, and typed calls about it: what the tests of rules, accounts and triggers begin with."""

from dataclasses import dataclass

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import sdk
from distribution import Login, Registry
from skopeo import Skopeo
from typed import Typed

# The id of an instance that nobody has.
NOBODYS = "tcr-00000000"


def refusal(call, *arguments, **more):
    """The code with which a call is refused."""
    with pytest.raises(TencentCloudSDKException) as caught:
        call(*arguments, **more)
    return caught.value.code


@dataclass(frozen=True)
class Instance:
    id: str
    name: str
    login: Login
    call: Typed
    home: object
    unique: object

    def __call__(self, action, **parameters):
        """Calls an action about the instance."""
        return self.call(action, RegistryId=self.id, **parameters)

    def namespace(self, public=False):
        name = self.unique("space")
        self("CreateNamespace", NamespaceName=name, IsPublic=public)
        return name

    def namespace_id(self, name):
        rows = self("DescribeNamespaces", NamespaceName=name).NamespaceList
        return next(row.NamespaceId for row in rows if row.Name == name)

    def push(self, layout, path, login=None, check=True):
        """`path` is `<namespace>/<repository>:<tag>`."""
        return Skopeo(login or self.login, self.home).push(layout, f"{self.name}/{path}", check=check)

    def skopeo(self, login=None):
        return Skopeo(login or self.login, self.home)

    def registry(self, path, login=None):
        return Registry(login or self.login).repository(f"{self.name}/{path}")

    def tags(self, namespace, repository):
        rows = self("DescribeImages", NamespaceName=namespace, RepositoryName=repository, Limit=100).ImageInfoList
        return sorted(row.ImageVersion for row in rows)


def client(cloud):
    """Typed calls of a cloud."""
    return Typed(TcrClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


def instance(cloud, home, unique, edition="premium"):
    """A new instance of the cloud."""
    call = client(cloud)
    name = unique("place")
    id = call("CreateInstance", RegistryName=name, RegistryType=edition).RegistryId
    token = call("CreateInstanceToken", RegistryId=id, TokenType="longterm")
    return Instance(id, name, Login(cloud.registry, token.Username, token.Token), call, home, unique)
