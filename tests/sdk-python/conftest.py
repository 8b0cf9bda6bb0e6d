import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.sts.v20180813.sts_client import StsClient
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import organisation
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
def cam(cloud):
    """CAM, asked by the root."""
    return organisation.cam(cloud)


@pytest.fixture
def user(cam, unique):
    """Makes a sub-user: the reply."""
    return lambda **more: cam("AddUser", **{"Name": unique("user")} | more)


@pytest.fixture
def policy(cam, unique):
    """Makes a policy of statements: its number."""
    return lambda *statements: cam(
        "CreatePolicy", PolicyName=unique("policy"), PolicyDocument=organisation.document(*statements)
    ).PolicyId


@pytest.fixture
def role(cam, unique):
    """Makes a role that the root may assume: its number and name."""

    def role(**more):
        name = unique("role")
        owner = cam("GetUserAppId").OwnerUin
        document = organisation.trust(qcs=[f"qcs::cam::uin/{owner}:root"])
        made = cam("CreateRole", **{"RoleName": name, "PolicyDocument": document} | more)
        return made.RoleId, name

    return role


@pytest.fixture
def refusal():
    """The exception that a call ends with."""

    def refusal(call, *arguments, **more):
        with pytest.raises(TencentCloudSDKException) as caught:
            call(*arguments, **more)
        return caught.value

    return refusal
