import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.sts.v20180813.sts_client import StsClient
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import sdk


@pytest.fixture
def sts(cloud):
    return lambda credential=None, **profile: StsClient(
        credential or sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud, **profile)
    )


@pytest.fixture
def tcr(cloud):
    return lambda credential=None, **profile: TcrClient(
        credential or sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud, **profile)
    )


@pytest.fixture
def refusal():
    """The exception that a call ends with."""

    def refusal(call, *arguments, **more):
        with pytest.raises(TencentCloudSDKException) as caught:
            call(*arguments, **more)
        return caught.value

    return refusal
