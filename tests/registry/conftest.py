"""A registry to push to: one instance of the shared cloud, with a private and a public namespace."""

from dataclasses import dataclass

import pytest

from cloud import eventually
from distribution import Login, Registry
from requester import Api


@dataclass(frozen=True)
class Place:
    """An instance and who may write to it."""

    name: str
    id: str
    login: Login

    @property
    def private(self):
        return f"{self.name}/private"

    @property
    def public(self):
        return f"{self.name}/public"

    def moved(self, cloud):
        """The same after a restart, which may have changed the port."""
        return Place(self.name, self.id, Login(cloud.registry, self.login.username, self.login.password))

    def repository(self, name, also=()):
        return Registry(self.login).repository(name, also)


def settle(cloud, name, edition="basic"):
    """Makes an instance that runs, its namespaces and a token."""
    api = Api(cloud)
    id = api.call("tcr", "CreateInstance", RegistryName=name, RegistryType=edition)["RegistryId"]
    status = lambda: api.call("tcr", "DescribeInstances", Registryids=[id])["Registries"][0]["Status"]
    eventually(f"{name} runs", lambda: status() == "Running")
    for namespace, public in (("private", False), ("public", True)):
        api.call("tcr", "CreateNamespace", RegistryId=id, NamespaceName=namespace, IsPublic=public)
    token = api.call("tcr", "CreateInstanceToken", RegistryId=id, TokenType="longterm")
    return Place(name, id, Login(cloud.registry, token["Username"], token["Token"]))


@pytest.fixture(scope="session")
def place(cloud):
    return settle(cloud, "data-plane")


@pytest.fixture
def settled():
    """Makes such a place in a cloud of one's own, or another one beside the shared."""
    return lambda cloud, name="data-plane", edition="basic": settle(cloud, name, edition)


@pytest.fixture
def repository(place, unique):
    """A private repository that no other test uses."""
    return place.repository(f"{place.private}/{unique('app')}")
