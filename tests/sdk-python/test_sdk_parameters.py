"""Parameters arrive whole, nested ones too, in JSON and flattened; what is wrong with them comes back as the SDK's exception."""

import json

import pytest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.tcr.v20190924 import models

import sdk
from requester import Api

ways = pytest.mark.parametrize(("sign", "method"), sdk.WAYS)


@pytest.fixture(scope="module")
def names(cloud):
    """Two instances to find."""
    for name in ("sdk-python-one", "sdk-python-two"):
        Api(cloud).call("tcr", "CreateInstance", RegistryName=name, RegistryType="basic")
    return ["sdk-python-one", "sdk-python-two"]


def listing(**parameters):
    request = models.DescribeInstancesRequest()
    request.from_json_string(json.dumps(parameters))
    return request


def found(client, **parameters):
    reply = client.DescribeInstances(listing(**parameters))
    assert reply.TotalCount >= len(reply.Registries)
    return [registry.RegistryName for registry in reply.Registries]


@ways
def test_nested_filters_choose(tcr, names, sign, method):
    client = tcr(sign=sign, method=method)
    one = [{"Name": "RegistryName", "Values": names[:1]}]
    assert found(client, Filters=one) == names[:1]
    assert sorted(found(client, Filters=[{"Name": "RegistryName", "Values": names}])) == names
    # Filters are all required; the values of one are alternatives.
    assert found(client, Filters=[*one, {"Name": "RegistryName", "Values": names[1:]}]) == []
    assert found(client, Filters=[{"Name": "RegistryName", "Values": ["a b+c/未*~'(&=", "q"]}]) == []


@ways
def test_numbers_and_booleans_arrive(tcr, names, sign, method):
    client = tcr(sign=sign, method=method)
    both = {"Filters": [{"Name": "RegistryName", "Values": names}]}
    assert len(found(client, **both, Limit=1, Offset=0, AllRegion=True)) == 1
    assert found(client, **both, Limit=10, Offset=2, AllRegion=False) == []
    pages = [found(client, **both, Limit=1, Offset=offset) for offset in (0, 1)]
    assert sorted(name for page in pages for name in page) == names


@ways
def test_empty_lists_are_no_fault(tcr, names, sign, method):
    assert set(names) <= set(found(tcr(sign=sign, method=method), Registryids=[], Filters=[], Limit=100))


@ways
def test_unset_members_are_missing(tcr, refusal, sign, method):
    request = models.CreateInstanceRequest()
    request.RegistryName = "sdk-python-three"
    error = refusal(tcr(sign=sign, method=method).CreateInstance, request)
    assert (error.code, error.message) == (
        "MissingParameter",
        "The request is missing a required parameter `RegistryType`.",
    )


@pytest.mark.parametrize("sign", ["TC3-HMAC-SHA256", "HmacSHA256"])
def test_unknown_parameters_are_named(cloud, refusal, sign):
    client = CommonClient("tcr", "2019-09-24", sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud, sign=sign))
    error = refusal(client.call_json, "DescribeInstances", {"Nope": 1})
    assert (error.code, error.message) == ("UnknownParameter", "The parameter `Nope` is not recognized.")


def test_a_number_is_not_a_name(cloud, refusal):
    client = CommonClient("tcr", "2019-09-24", sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud))
    error = refusal(client.call_json, "CreateInstance", {"RegistryName": 5, "RegistryType": "basic"})
    assert (error.code, error.message) == (
        "InvalidParameter",
        "The value type of parameter `RegistryName` is not valid, input type should be `string`",
    )


@ways
def test_an_unsupported_region_is_refused(cloud, refusal, sign, method):
    client = CommonClient("tcr", "2019-09-24", sdk.credential(cloud), "na-toronto", sdk.profile(cloud, sign=sign, method=method))
    error = refusal(client.call_json, "DescribeInstances", {})
    assert (error.code, error.message) == ("UnsupportedRegion", "The action not support this region.")


def test_an_action_that_is_not_built_yet_is_an_unsupported_operation(cloud, refusal):
    client = CommonClient("cvm", "2017-03-12", sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud))
    error = refusal(client.call_json, "DescribeInstances", {})
    assert error.code == "UnsupportedOperation"
    assert "DescribeInstances" in error.message


@pytest.mark.parametrize(
    ("language", "words"),
    [("en-US", "Rookery does not implement `ListWeChatWorkSubAccounts`: "), ("zh-CN", "操作不支持：Rookery 未实现 `ListWeChatWorkSubAccounts`：")],
)
def test_an_action_that_cannot_be_real_says_why(cloud, refusal, language, words):
    profile = sdk.profile(cloud)
    profile.language = language
    client = CommonClient("cam", "2019-01-16", sdk.credential(cloud), "", profile)
    error = refusal(client.call_json, "ListWeChatWorkSubAccounts", {"Offset": 0, "Limit": 10})
    assert error.code == "UnsupportedOperation"
    assert error.message.startswith(words) and len(error.message) > len(words) + 10


@ways
def test_a_new_instance_has_every_member_of_the_model(tcr, names, sign, method):
    (registry,) = (
        tcr(sign=sign, method=method)
        .DescribeInstances(listing(Filters=[{"Name": "RegistryName", "Values": names[:1]}]))
        .Registries
    )
    assert registry.RegistryId.startswith("tcr-") and len(registry.RegistryId) == 12
    assert registry.RegistryType == "basic"
    assert (registry.RegionName, registry.RegionId) == ("ap-guangzhou", 1)
    assert registry.PublicDomain == f"{names[0]}.cr.localhost"
    assert registry.CreatedAt.endswith("+08:00")
    assert (registry.PayMod, registry.ExpiredAt, registry.DeletionProtection) == (0, "", False)
    assert registry.TokenValidTime == 87600
