"""Sub-users and their access keys through the typed SDK: made, changed, used, ended."""

import re

import pytest

import organisation


def test_a_user_from_the_first_day_to_the_last(cam, refusal, unique):
    name = unique("life")
    made = cam("AddUser", Name=name, Remark="of the team", ConsoleLogin=1, NeedResetPassword=1, Email="a@example.com")
    assert made.Name == name and 99_999_999_999 < made.Uin < 10**12 and made.Uid > 0
    # A random password has characters of every kind.
    assert len(made.Password) == 32 and all(re.search(kind, made.Password) for kind in ("[A-Z]", "[a-z]", "[0-9]", r"\W"))
    assert (made.SecretId, made.SecretKey) == ("", "")
    assert refusal(cam, "AddUser", Name=name).code == "InvalidParameter.SubUserNameInUse"

    told = cam("GetUser", Name=name)
    assert (told.Uin, told.Uid, told.Remark, told.ConsoleLogin) == (made.Uin, made.Uid, "of the team", 1)
    assert (told.Email, told.PhoneNum, told.CountryCode) == ("a@example.com", "", "")
    assert name in [user.Name for user in cam("ListUsers").Data]
    listed = cam("DescribeSubAccounts", FilterSubAccountUin=[made.Uin, 1]).SubAccounts
    assert [(user.Uin, user.Name, user.UserType) for user in listed] == [(made.Uin, name, 2)]

    cam("UpdateUser", Name=name, Remark="gone over", PhoneNum="13800000000", CountryCode="86", ConsoleLogin=0)
    told = cam("GetUser", Name=name)
    assert (told.Remark, told.PhoneNum, told.ConsoleLogin, told.Email) == ("gone over", "13800000000", 0, "a@example.com")

    cam("DeleteUser", Name=name)
    assert refusal(cam, "GetUser", Name=name).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "DeleteUser", Name=name).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "UpdateUser", Name=name).code == "ResourceNotFound.UserNotExist"
    assert cam("AddUser", Name=name).Uin != made.Uin, "numbers are not given again"


USERS = {
    "a name with a blank": ({"Name": "a b"}, "InvalidParameter.UserNameIllegal"),
    "no name": ({"Name": ""}, "InvalidParameter.UserNameIllegal"),
    "a flag that is neither": ({"UseApi": 2}, "InvalidParameter.ParamError"),
    "no mail address": ({"Email": "nobody"}, "InvalidParameter.ParamError"),
    "a weak password": ({"ConsoleLogin": 1, "Password": "password"}, "InvalidParameter.PasswordViolatedRules"),
    "a long remark": ({"Remark": "r" * 301}, "InvalidParameter.DescriptionLengthOverlimit"),
}


@pytest.mark.parametrize(("parameters", "code"), USERS.values(), ids=USERS)
def test_who_cannot_be_a_user_is_refused(cam, refusal, unique, parameters, code):
    assert refusal(cam, "AddUser", **{"Name": unique("never")} | parameters).code == code


def test_a_key_opens_from_its_creation_to_its_end(cloud, cam, user, refusal):
    made = user(UseApi=1)
    own = organisation.cam(cloud, made.SecretId, made.SecretKey)
    # Signed well, and without any policy refused for that reason alone.
    assert refusal(own, "ListUsers").code == "UnauthorizedOperation"
    unused = cam("CreateAccessKey", TargetUin=made.Uin, Description="for:ci/1").AccessKey
    assert unused.Status == "Active" and unused.Description == "for:ci/1"
    refused = refusal(cam, "CreateAccessKey", TargetUin=made.Uin)
    assert refused.code == "OperationDenied.AccessKeyOverLimit"
    keys = {key.AccessKeyId: key for key in cam("ListAccessKeys", TargetUin=made.Uin).AccessKeys}
    assert set(keys) == {made.SecretId, unused.AccessKeyId}
    assert made.SecretKey not in str(keys[made.SecretId]) and keys[made.SecretId].Status == "Active"

    used = cam("GetSecurityLastUsed", SecretIdList=[made.SecretId, unused.AccessKeyId]).SecretIdLastUsedRows
    assert used[0].LastSecretUsedDate > 1_600_000_000_000 and re.fullmatch(r"\d{4}-\d\d-\d\d", used[0].LastUsedDate)
    assert (used[1].LastUsedDate, used[1].LastSecretUsedDate) == (None, None)

    cam("UpdateAccessKey", TargetUin=made.Uin, AccessKeyId=made.SecretId, Status="Inactive")
    assert refusal(own, "ListUsers").code == "AuthFailure.SecretIdNotFound"
    cam("UpdateAccessKey", TargetUin=made.Uin, AccessKeyId=made.SecretId, Status="Active")
    assert refusal(own, "ListUsers").code == "UnauthorizedOperation"
    cam("DeleteAccessKey", TargetUin=made.Uin, AccessKeyId=made.SecretId)
    assert refusal(own, "ListUsers").code == "AuthFailure.SecretIdNotFound"
    gone = {"TargetUin": made.Uin, "AccessKeyId": made.SecretId}
    assert refusal(cam, "DeleteAccessKey", **gone).code == "ResourceNotFound.SecretNotExist"
    assert refusal(cam, "UpdateAccessKey", Status="Active", **gone).code == "ResourceNotFound.SecretNotExist"
    assert refusal(cam, "GetSecurityLastUsed", SecretIdList=[made.SecretId]).code == "InvalidParameter"


def test_a_user_with_keys_is_only_deleted_by_force_and_its_keys_end_with_it(cloud, cam, user, refusal):
    made = user(UseApi=1)
    own = organisation.cam(cloud, made.SecretId, made.SecretKey)
    assert refusal(cam, "DeleteUser", Name=made.Name).code == "OperationDenied.HaveKeys"
    assert refusal(own, "GetUserAppId").code == "UnauthorizedOperation"
    cam("DeleteUser", Name=made.Name, Force=1)
    assert refusal(own, "GetUserAppId").code == "AuthFailure.SecretIdNotFound"


def test_keys_are_managed_for_the_right_identity(cloud, cam, user, policy, refusal):
    root = int(cam("GetUserAppId").OwnerUin)
    assert refusal(cam, "CreateAccessKey", TargetUin=1).code == "InvalidParameter.UserNotExist"
    assert refusal(cam, "ListAccessKeys", TargetUin=1).code == "InvalidParameter.UserNotExist"
    one, two = user(UseApi=1), user(UseApi=1)
    mixed = {"TargetUin": one.Uin, "AccessKeyId": two.SecretId}
    assert refusal(cam, "DeleteAccessKey", **mixed).code == "OperationDenied.UinNotMatch"
    assert refusal(cam, "UpdateAccessKey", Status="Sleeping", **mixed).code == "InvalidParameter.ParamError"

    everything = policy(("allow", ["cam:*"]))
    cam("AttachUserPolicy", PolicyId=everything, AttachUin=one.Uin)
    own = organisation.cam(cloud, one.SecretId, one.SecretKey)
    assert [key.AccessKeyId for key in own("ListAccessKeys").AccessKeys] == [one.SecretId]
    assert refusal(own, "CreateAccessKey", TargetUin=root).code == "OperationDenied.SubUin"
    told = own("GetUserAppId")
    assert (told.Uin, told.OwnerUin) == (str(one.Uin), str(root))


def test_a_forced_deletion_needs_the_permission_to_delete_keys(cloud, cam, user, policy, refusal):
    administrator, victim = user(UseApi=1), user(UseApi=1)
    cam("AttachUserPolicy", PolicyId=policy(("allow", ["cam:DeleteUser"])), AttachUin=administrator.Uin)
    own = organisation.cam(cloud, administrator.SecretId, administrator.SecretKey)
    assert refusal(own, "DeleteUser", Name=victim.Name, Force=1).code == "UnauthorizedOperation.DeleteApiKey"
    cam("AttachUserPolicy", PolicyId=policy(("allow", ["cam:DeleteApiKey"])), AttachUin=administrator.Uin)
    own("DeleteUser", Name=victim.Name, Force=1)


def test_all_accounts_are_listed_page_by_page(cam, user, refusal, unique):
    made = [user().Uin for _ in range(3)]
    seen, marker = [], ""
    while True:
        page = cam("ListAccounts", MaxItems=2, **({"Marker": marker} if marker else {}))
        seen += page.Users
        assert len(page.Users) <= 2
        if not page.IsTruncated:
            break
        marker = page.Marker
    uins = [user.Uin for user in seen]
    assert set(made) <= set(uins) and uins == sorted(set(uins))
    assert [user.UserType for user in seen].count("Owner") == 1
    assert {user.UserType for user in cam("ListAccounts", UserType="SubUser").Users} == {"SubUser"}
    assert cam("ListAccounts", UserType="Collaborator").Users == []
    assert refusal(cam, "ListAccounts", Marker="x").code == "InvalidParameter.PaginationTokenInvalid"
    assert refusal(cam, "ListAccounts", MaxItems=101).code == "InvalidParameter"
    assert refusal(cam, "DescribeSubAccounts", FilterSubAccountUin=list(range(51))).code == "InvalidParameter"


def test_the_summary_counts(start, unique):
    cam = organisation.cam(start())
    counted = lambda: {name: getattr(cam("GetAccountSummary"), name) for name in ("User", "Group", "Member", "Policies", "Roles")}
    assert set(counted().values()) == {0}
    user = cam("AddUser", Name="one").Uin
    group = cam("CreateGroup", GroupName="one").GroupId
    cam("AddUserToGroup", Info=[{"GroupId": group, "Uin": user}])
    cam("CreatePolicy", PolicyName="one", PolicyDocument=organisation.document(("allow", ["*"])))
    cam("CreateRole", RoleName="one", PolicyDocument=organisation.trust(service=["cvm.qcloud.com"]))
    assert set(counted().values()) == {1}


def test_users_keys_and_policies_survive_a_restart(start, refusal):
    cloud = start()
    cam = organisation.cam(cloud)
    user = cam("AddUser", Name="one", UseApi=1)
    cam("AttachUserPolicy", PolicyId=1, AttachUin=user.Uin)
    cloud.stop()
    cloud.start()
    own = organisation.cam(cloud, user.SecretId, user.SecretKey)
    assert own("GetUser", Name="one").Uin == user.Uin
    organisation.cam(cloud)("DetachUserPolicy", PolicyId=1, DetachUin=user.Uin)
    assert refusal(own, "GetUser", Name="one").code == "UnauthorizedOperation"


def test_refusals_are_told_in_chinese_to_who_reads_it(cloud, refusal):
    told = refusal(organisation.cam(cloud, language="zh-CN"), "GetUser", Name="nobody")
    assert told.code == "ResourceNotFound.UserNotExist" and "不存在" in told.message
