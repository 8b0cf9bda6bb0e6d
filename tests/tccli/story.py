"""The parts of the signing story that its tests share, each made with the official command line."""

from dataclasses import dataclass

from distribution import Login
from skopeo import Skopeo
from tencent import Tccli

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


@dataclass(frozen=True)
class Place:
    """An instance with one login, shared by tests that make namespaces of their own in it."""

    name: str
    id: str
    login: Login
