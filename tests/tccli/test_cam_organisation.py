"""An organisation from the command line: people, groups, policies, roles, keys and settings, and what a key may do."""

import json
from types import SimpleNamespace

import pytest

from tencent import Tccli

READ = json.dumps({"version": "2.0", "statement": [{"effect": "allow", "action": ["cam:List*", "cam:Get*"], "resource": ["*"]}]})
DENIED = "UnauthorizedOperation"


@pytest.fixture
def root(cloud, home):
    return Tccli(cloud, home)


@pytest.fixture
def holder(cloud, home):
    """The command line of whoever has a key."""

    def holder(id, key):
        keys = {"TENCENTCLOUD_SECRET_ID": id, "TENCENTCLOUD_SECRET_KEY": key}
        return Tccli(SimpleNamespace(endpoints=cloud.endpoints, keys=keys), home)

    return holder


def test_a_newcomer_gets_a_key_a_group_and_its_rights(root, holder, refused, unique):
    name = unique("newcomer")
    made = root("cam", "AddUser", Name=name, Remark="first day", UseApi=1)
    newcomer = holder(made["SecretId"], made["SecretKey"])
    assert refused(newcomer, "cam", "ListUsers").code == DENIED
    policy = root("cam", "CreatePolicy", PolicyName=unique("reading"), PolicyDocument=READ)["PolicyId"]
    group = root("cam", "CreateGroup", GroupName=unique("readers"))["GroupId"]
    root("cam", "AttachGroupPolicy", PolicyId=policy, AttachGroupId=group)
    root("cam", "AddUserToGroup", Info=[{"GroupId": group, "Uin": made["Uin"]}])
    assert name in [user["Name"] for user in newcomer("cam", "ListUsers")["Data"]]
    assert newcomer("cam", "GetUser", Name=name)["Uin"] == made["Uin"]
    assert refused(newcomer, "cam", "DeleteUser", Name=name).code == DENIED

    root("cam", "UpdateAccessKey", TargetUin=made["Uin"], AccessKeyId=made["SecretId"], Status="Inactive")
    assert refused(newcomer, "cam", "ListUsers").code == "AuthFailure.SecretIdNotFound"
    assert refused(root, "cam", "DeleteUser", Name=name).code == "OperationDenied.HaveKeys"
    root("cam", "DeleteUser", Name=name, Force=1)
    assert root("cam", "ListUsersForGroup", GroupId=group)["UserInfo"] == []


def test_a_role_is_made_described_and_ended(root, refused, unique):
    name, owner = unique("role"), root("cam", "GetUserAppId")["OwnerUin"]
    statement = {"effect": "allow", "action": "name/sts:AssumeRole", "principal": {"qcs": [f"qcs::cam::uin/{owner}:root"]}}
    trust = json.dumps({"version": "2.0", "statement": [statement]})
    id = root("cam", "CreateRole", RoleName=name, PolicyDocument=trust, SessionDuration=3600)["RoleId"]
    root("cam", "AttachRolePolicy", AttachRoleName=name, PolicyName="ReadOnlyAccess")
    attached = root("cam", "ListAttachedRolePolicies", RoleName=name, Page=1, Rp=20)["List"]
    assert [policy["PolicyName"] for policy in attached] == ["ReadOnlyAccess"]
    told = root("cam", "GetRole", RoleId=id)["RoleInfo"]
    assert (told["RoleName"], told["SessionDuration"], json.loads(told["PolicyDocument"])) == (name, 3600, json.loads(trust))
    root("cam", "DeleteRole", RoleName=name)
    assert refused(root, "cam", "GetRole", RoleId=id).code == "InvalidParameter.RoleNotExist"
    nobody = trust.replace(f"uin/{owner}:root", "uin/1:root")
    made = refused(root, "cam", "CreateRole", RoleName=name, PolicyDocument=nobody)
    assert made.code == "InvalidParameter.PrincipalQcsNotExist"


def test_policies_have_versions_and_say_what_is_wrong_with_them(root, refused, unique):
    id = root("cam", "CreatePolicy", PolicyName=unique("versions"), PolicyDocument=READ)["PolicyId"]
    version = root("cam", "CreatePolicyVersion", PolicyId=id, PolicyDocument=READ, SetAsDefault=True)["VersionId"]
    assert [(found["VersionId"], found["IsDefaultVersion"]) for found in root("cam", "ListPolicyVersions", PolicyId=id)["Versions"]] == [
        (1, 0), (version, 1)
    ]
    wrong = refused(root, "cam", "UpdatePolicy", PolicyId=id, PolicyDocument=READ.replace("allow", "perhaps"))
    assert wrong.code == "InvalidParameter.EffectError"
    root("cam", "DeletePolicy", PolicyId=[id])
    assert refused(root, "cam", "GetPolicy", PolicyId=id).code == "ResourceNotFound.PolicyIdNotFound"


def test_the_rules_of_passwords_are_the_administrators(root, refused, unique):
    add = {"Name": unique("weak"), "ConsoleLogin": 1, "Password": "password"}
    assert refused(root, "cam", "AddUser", **add).code == "InvalidParameter.PasswordViolatedRules"
    assert root("cam", "GetPasswordRules")["Rules"]["MinimumLength"] == 8
    rules = {"MinimumLength": 3}
    assert refused(root, "cam", "UpdatePasswordRules", Rules=rules).code == "InvalidParameter.PasswordRuleError"
