"""What a sub-user may do: nothing of its own, what policies say, and not a request longer."""

import json

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.kms.v20190118.kms_client import KmsClient
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import organisation
import sdk
from typed import Typed

DENIED = "UnauthorizedOperation"
ASKS_FOR_NOTHING = [
    "GetUserAppId", "ListUsers", "ListAccounts", "GetAccountSummary", "ListGroups", "ListPolicies", "ListSAMLProviders",
    "DescribeUserSAMLConfig", "DescribeSafeAuthFlag", "DescribeSafeAuthFlagIntl", "GetPasswordRules", "ListReceiver",
]


@pytest.fixture
def staff(cloud, user):
    """A sub-user with a key: its number, and clients of CAM, KMS and TCR that sign with it."""

    def staff():
        made = user(UseApi=1)
        credential = Credential(made.SecretId, made.SecretKey)
        client = lambda kind: Typed(kind(credential, "ap-guangzhou", sdk.profile(cloud)))
        own = organisation.cam(cloud, made.SecretId, made.SecretKey)
        return made, own, client(KmsClient), client(TcrClient)

    return staff


def test_who_has_no_policy_may_do_nothing(staff, refusal):
    _, own, kms, tcr = staff()
    for action in ASKS_FOR_NOTHING:
        assert refusal(own, action).code == DENIED, action
    assert refusal(kms, "ListKeys").code == DENIED
    assert refusal(tcr, "DescribeInstances").code == DENIED
    told = refusal(own, "ListUsers")
    assert "cam:ListUsers" in told.message


PRESETS = {
    "AdministratorAccess": ("cam kms tcr", "cam kms tcr"),
    "ReadOnlyAccess": ("cam kms tcr", ""),
    "QCloudResourceFullAccess": ("kms tcr", "kms tcr"),
    "QcloudTCRFullAccess": ("tcr", "tcr"),
    "QcloudTCRReadOnlyAccess": ("tcr", ""),
    "QcloudKMSFullAccess": ("kms", "kms"),
    "QcloudKMSReadOnlyAccess": ("kms", ""),
    "QcloudCAMFullAccess": ("cam", "cam"),
    "QcloudCamReadOnlyAccess": ("cam", ""),
}


@pytest.mark.parametrize(("preset", "may"), PRESETS.items(), ids=PRESETS)
def test_a_preset_opens_what_its_name_says(cam, staff, refusal, unique, preset, may):
    made, own, kms, tcr = staff()
    found = {policy.PolicyName.lower(): policy.PolicyId for policy in cam("ListPolicies", Scope="QCS", Keyword=preset).List}
    cam("AttachUserPolicy", PolicyId=found[preset.lower()], AttachUin=made.Uin)
    read = {"cam": lambda: own("ListUsers"), "kms": lambda: kms("ListKeys"), "tcr": lambda: tcr("DescribeInstances")}
    write = {
        "cam": lambda: own("CreateGroup", GroupName=unique("by-preset")),
        "kms": lambda: kms("CreateKey", Alias=unique("by-preset"), KeyUsage="ASYMMETRIC_SIGN_VERIFY_ECC"),
        "tcr": lambda: tcr("CreateInstance", RegistryName=unique("preset")[:40], RegistryType="basic"),
    }
    for calls, products in ((read, may[0]), (write, may[1])):
        for product, call in calls.items():
            if product in products.split():
                call()
            else:
                assert refusal(call).code == DENIED, product


def test_a_policy_opens_one_resource_and_a_deny_closes_it(cam, staff, user, policy, refusal):
    made, own, _, _ = staff()
    owner, mine, other = cam("GetUserAppId").OwnerUin, user(), user()
    on = lambda someone: [f"qcs::cam::uin/{owner}:uin/{someone.Uin}"]
    cam("AttachUserPolicy", PolicyId=policy(("allow", ["cam:GetUser", "cam:UpdateUser"], on(mine))), AttachUin=made.Uin)
    assert own("GetUser", Name=mine.Name).Uin == mine.Uin
    own("UpdateUser", Name=mine.Name, Remark="seen")
    assert refusal(own, "GetUser", Name=other.Name).code == DENIED
    # Who may not look at all users does not learn which there are.
    assert refusal(own, "GetUser", Name="nobody-of-that-name").code == DENIED
    denial = policy(("deny", ["cam:UpdateUser"], on(mine)))
    cam("AttachUserPolicy", PolicyId=denial, AttachUin=made.Uin)
    assert refusal(own, "UpdateUser", Name=mine.Name, Remark="again").code == DENIED
    assert own("GetUser", Name=mine.Name).Remark == "seen"
    cam("DetachUserPolicy", PolicyId=denial, DetachUin=made.Uin)
    own("UpdateUser", Name=mine.Name, Remark="again")


def test_the_version_in_force_decides(cam, staff, policy, refusal):
    made, own, _, _ = staff()
    id = policy(("allow", ["cam:ListUsers"]))
    cam("AttachUserPolicy", PolicyId=id, AttachUin=made.Uin)
    own("ListUsers")
    nothing = organisation.document(("deny", ["cam:ListUsers"]))
    cam("CreatePolicyVersion", PolicyId=id, PolicyDocument=nothing, SetAsDefault=True)
    assert refusal(own, "ListUsers").code == DENIED
    cam("SetDefaultPolicyVersion", PolicyId=id, VersionId=1)
    own("ListUsers")
    cam("UpdatePolicy", PolicyId=id, PolicyDocument=nothing)
    assert refusal(own, "ListUsers").code == DENIED
    cam("DetachUserPolicy", PolicyId=id, DetachUin=made.Uin)


def test_group_policy_and_boundary_meet(cam, staff, policy, refusal, unique):
    made, own, kms, _ = staff()
    group = cam("CreateGroup", GroupName=unique("group")).GroupId
    cam("AttachGroupPolicy", PolicyId=policy(("allow", ["cam:*", "kms:*"])), AttachGroupId=group)
    cam("AddUserToGroup", Info=[{"GroupId": group, "Uin": made.Uin}])
    own("ListUsers"), kms("ListKeys")
    cam("PutUserPermissionsBoundary", TargetUin=made.Uin, PolicyId=policy(("allow", ["kms:*", "tcr:*"])))
    kms("ListKeys")
    assert refusal(own, "ListUsers").code == DENIED
    # Nobody lifts the own limit without the right to.
    assert refusal(own, "DeleteUserPermissionsBoundary", TargetUin=made.Uin).code == DENIED
    cam("DeleteUserPermissionsBoundary", TargetUin=made.Uin)
    own("ListUsers")


def test_a_condition_on_the_address_holds(cam, staff, refusal, unique):
    made, own, _, _ = staff()
    statement = {"effect": "allow", "action": "cam:ListUsers", "resource": "*"}
    make = lambda network: cam(
        "CreatePolicy", PolicyName=unique("address"),
        PolicyDocument=json.dumps({"version": "2.0", "statement": [statement | {"condition": {"ip_equal": {"qcs:ip": network}}}]}),
    ).PolicyId
    cam("AttachUserPolicy", PolicyId=make("10.0.0.0/8"), AttachUin=made.Uin)
    assert refusal(own, "ListUsers").code == DENIED
    cam("AttachUserPolicy", PolicyId=make("127.0.0.0/8"), AttachUin=made.Uin)
    own("ListUsers")
