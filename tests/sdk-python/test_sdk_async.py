"""The SDK's asynchronous client. Unlike the synchronous one it sends to `/?`, and `true` where it signed `True`."""

import asyncio

import pytest
from tencentcloud.common.common_client_async import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import sdk


def call(cloud, sign, method, action, parameters, service="tcr", version="2019-09-24", credential=None):
    async def call():
        profile = sdk.profile(cloud, sign=sign, method=method)
        async with CommonClient(service, version, credential or sdk.credential(cloud), "ap-guangzhou", profile) as client:
            return await client.call_and_deserialize(action, parameters)

    return asyncio.run(call())


@pytest.mark.parametrize(("sign", "method"), sdk.WAYS)
def test_who_am_i(cloud, sign, method):
    assert "AccountId" in str(call(cloud, sign, method, "GetCallerIdentity", {}, "sts", "2018-08-13"))


@pytest.mark.parametrize(("sign", "method"), sdk.WAYS)
def test_booleans_and_nested_filters_arrive(cloud, sign, method):
    parameters = {"AllRegion": True, "Filters": [{"Name": "RegistryName", "Values": ["nobody's"]}], "Limit": 1}
    assert "TotalCount" in str(call(cloud, sign, method, "DescribeInstances", parameters))


@pytest.mark.parametrize(("sign", "method"), sdk.WAYS)
def test_a_wrong_key_is_a_signature_failure(cloud, sign, method):
    with pytest.raises(TencentCloudSDKException) as caught:
        call(cloud, sign, method, "DescribeInstances", {}, credential=sdk.credential(cloud, secret_key="x" * 32))
    assert caught.value.code == "AuthFailure.SignatureFailure"
