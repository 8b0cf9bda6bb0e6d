"""The parts of the signing story that its tests share, each made with the official command line."""

from dataclasses import dataclass

import pytest
import requester
from distribution import Login
from skopeo import Skopeo
from tencent import Tccli

import images

REGION = "ap-guangzhou"


@dataclass(frozen=True)
class Key:
    id: str
    public: str


class Story:
    """What a user makes and holds: instances, namespaces, keys, tokens."""

    def __init__(self, cloud, home, unique):
        self.cloud, self.home, self.unique = cloud, home, unique
        self.tccli = Tccli(cloud, home)

    def instance(self, stem="demo", edition="premium"):
        """An instance that runs: its name and its id."""
        name = self.unique(stem)
        id = self.tccli("tcr", "CreateInstance", RegistryName=name, RegistryType=edition)["RegistryId"]
        running = "{'expr':'Registries[0].Status','to':'Running','timeout':120,'interval':1}"
        self.tccli("tcr", "DescribeInstances", "--waiter", running, Registryids=[id])
        return name, id

    def namespace(self, registry, stem="library", public=False):
        name = self.unique(stem)
        self.tccli("tcr", "CreateNamespace", RegistryId=registry, NamespaceName=name, IsPublic=public)
        return name

    def key(self, usage="ASYMMETRIC_SIGN_VERIFY_RSA_2048"):
        id = self.tccli("kms", "CreateKey", Alias=self.unique("signer"), KeyUsage=usage)["KeyId"]
        return Key(id, self.tccli("kms", "GetPublicKey", KeyId=id)["PublicKeyPem"])

    def policy(self, registry, namespace, key, **more):
        self.tccli(
            "tcr",
            "CreateSignaturePolicy",
            RegistryId=registry,
            Name="library signing",
            NamespaceName=namespace,
            KmsId=key.id,
            **{"KmsRegion": REGION} | more,
        )

    def login(self, registry):
        token = self.tccli("tcr", "CreateInstanceToken", RegistryId=registry, TokenType="longterm", Desc="tests")
        return Login(self.cloud.registry, token["Username"], token["Token"])

    def skopeo(self, login):
        return Skopeo(login, self.home)

    def images(self, registry, namespace, repository, **more):
        return self.tccli(
            "tcr", "DescribeImages", RegistryId=registry, NamespaceName=namespace, RepositoryName=repository, **more
        )["ImageInfoList"]

    def sign(self, registry, namespace, repository, tag):
        return self.tccli(
            "tcr",
            "CreateSignature",
            RegistryId=registry,
            NamespaceName=namespace,
            RepositoryName=repository,
            ImageVersion=tag,
        )


@pytest.fixture
def tell(home, unique):
    """Begins a story in a cloud of one's own."""
    return lambda cloud: Story(cloud, home, unique)


@pytest.fixture
def story(cloud, tell):
    """A story in the shared cloud."""
    return tell(cloud)


@dataclass(frozen=True)
class Place:
    """An instance with one login, shared by tests that make namespaces of their own in it."""

    name: str
    id: str
    login: Login


@pytest.fixture(scope="module")
def premium(cloud, home, request):
    story = Story(cloud, home, lambda stem: f"{stem}-{request.module.__name__.replace('_', '-')}"[:40])
    name, id = story.instance("premium")
    return Place(name, id, story.login(id))


@pytest.fixture
def layout(tmp_path, unique):
    return images.single(tmp_path / "layout", unique("hello"))


@pytest.fixture
def index(tmp_path, unique):
    return images.multi(tmp_path / "index", unique("hello"))


@pytest.fixture
def refused():
    """The code and the message with which something is refused."""

    def refused(function, *arguments, **more):
        import tencent

        with pytest.raises((tencent.TccliError, requester.ApiError)) as caught:
            function(*arguments, **more)
        return caught.value

    return refused
