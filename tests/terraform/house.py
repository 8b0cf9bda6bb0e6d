"""A furnished cloud: what configurations find when they begin."""

from dataclasses import dataclass

import images
from cloud import Cloud, eventually
from distribution import Login, Registry
from requester import Api


@dataclass(frozen=True)
class House:
    """A cloud with an instance that runs, `demo`, an image in it, `shipped/app:1`, which a policy signs, and the key, `signer`."""

    cloud: Cloud
    api: Api
    demo: str
    key: str
    image: images.Layout


def furnish(cloud, directory):
    api = Api(cloud)
    demo = api.call("tcr", "CreateInstance", RegistryName="demo", RegistryType="premium")["RegistryId"]
    key = api.call("kms", "CreateKey", Alias="signer", KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048")["KeyId"]
    runs(api, demo)
    api.call("tcr", "CreateNamespace", RegistryId=demo, NamespaceName="shipped", IsPublic=False)
    policy = {"Name": "signing", "NamespaceName": "shipped", "KmsId": key, "KmsRegion": api.region}
    api.call("tcr", "CreateSignaturePolicy", RegistryId=demo, **policy)
    token = api.call("tcr", "CreateInstanceToken", RegistryId=demo, TokenType="longterm")
    login = Login(cloud.registry, token["Username"], token["Token"])
    image = images.single(directory / "image", "shipped", tag="1")
    Registry(login).repository("demo/shipped/app").put_layout(image)
    return House(cloud, api, demo, key, image)


def runs(api, id):
    """Waits until an instance is ready."""
    status = lambda: api.call("tcr", "DescribeInstances", Registryids=[id])["Registries"][0]["Status"]
    eventually(f"{id} runs", lambda: status() == "Running")
