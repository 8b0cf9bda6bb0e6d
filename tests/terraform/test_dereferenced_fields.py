"""Fields that the provider follows without a look: where one is null, it ends with a crash in place of an error.

This needs no provider, so it holds on every machine. Each row is a reply, the fields that the provider's reading of some type
dereferences in it, and the call that is made for it. A row whose action is not implemented yet is skipped, and runs by itself later.
"""

import pytest

import cloud as clouds
from house import furnish
from test_configurations import missing

DEMO = {"RegistryId": "demo"}
SHIPPED = DEMO | {"NamespaceName": "shipped"}
APP = SHIPPED | {"RepositoryName": "app"}

ROWS = {
    ("sts", "GetCallerIdentity"): ({}, ["Arn", "AccountId", "UserId", "PrincipalId", "Type"]),
    ("tcr", "DescribeInstances"): (
        {},
        ["Registries.*.RegistryId", "Registries.*.RegistryName", "Registries.*.RegistryType", "Registries.*.Status", "Registries.*.PayMod",
         "Registries.*.PublicDomain", "Registries.*.InternalEndpoint", "Registries.*.TagSpecification.Tags"],
    ),
    ("tcr", "DescribeNamespaces"): (DEMO, ["NamespaceList.*.Name", "NamespaceList.*.NamespaceId", "NamespaceList.*.Public"]),
    ("tcr", "DescribeRepositories"): (SHIPPED, ["RepositoryList.*.Name", "RepositoryList.*.Namespace"]),
    ("tcr", "DescribeInstanceToken"): (DEMO, ["Tokens.*.Id", "Tokens.*.Desc", "Tokens.*.Enabled", "Tokens.*.CreatedAt"]),
    ("tcr", "DescribeImages"): (APP, ["ImageInfoList.*.ImageVersion", "ImageInfoList.*.Digest"]),
    ("tcr", "DescribeImageManifests"): (APP | {"ImageVersion": "1"}, ["Manifest", "Config"]),
    ("tcr", "DescribeExternalEndpointStatus"): (DEMO, ["Status"]),
    ("kms", "ListKeyDetail"): ({"KeyUsage": "ALL"}, ["KeyMetadatas.*.KeyId", "KeyMetadatas.*.Alias", "KeyMetadatas.*.KeyState"]),
    ("kms", "ListKeys"): ({}, ["Keys.*.KeyId"]),
    ("kms", "DescribeKey"): ({"KeyId": "signer"}, ["KeyMetadata.KeyId", "KeyMetadata.KeyState", "KeyMetadata.ResourceId"]),
    ("kms", "DescribeKeys"): ({"KeyIds": ["signer"]}, ["KeyMetadatas.*.KeyId"]),
    ("kms", "GetPublicKey"): ({"KeyId": "signer"}, ["KeyId", "PublicKey", "PublicKeyPem"]),
    ("kms", "GetServiceStatus"): ({}, ["ServiceEnabled"]),
}  # fmt: skip


def named(value, names):
    """`value` with the ids of a cloud in place of the names that this file gives to what is in it."""
    if isinstance(value, dict):
        return {field: named(inner, names) for field, inner in value.items()}
    if isinstance(value, list):
        return [named(inner, names) for inner in value]
    return names.get(value, value)


def found(reply, path):
    """Every value that a path leads to; `*` stands for each element of a list that must not be empty."""
    values = [reply]
    for step in path.split("."):
        if step == "*":
            assert values and all(values), f"{path} leads through an empty list"
            values = [element for value in values for element in value]
        else:
            values = [value.get(step) for value in values]
    return values


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A furnished cloud for all rows, which change nothing."""
    directory = tmp_path_factory.mktemp("house")
    with clouds.started(directory / "data") as cloud:
        yield furnish(cloud, directory)


@pytest.mark.parametrize(("product", "action"), ROWS)
def test_a_field_that_is_followed_is_there(house, product, action):
    gaps = missing(house.cloud, f"# {product}: {action}")
    if gaps:
        pytest.skip(f"not implemented: {gaps[0]}")
    parameters, paths = ROWS[product, action]
    reply = house.api.call(product, action, **named(parameters, {"demo": house.demo, "signer": house.key}))
    for path in paths:
        assert None not in found(reply, path), path
