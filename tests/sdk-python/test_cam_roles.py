"""Roles through the typed SDK: made, trusted, described, tagged, limited, ended; and the roles of products."""

import json

import pytest

from organisation import document, trust


def test_a_role_from_its_creation_to_its_end(cam, refusal, unique):
    name, owner = unique("life"), cam("GetUserAppId").OwnerUin
    text = trust(qcs=[f"qcs::cam::uin/{owner}:root"], service=["cvm.qcloud.com"])
    made = cam("CreateRole", RoleName=name, PolicyDocument=text, Description="runs", Tags=[{"Key": "team", "Value": "one"}])
    again = refusal(cam, "CreateRole", RoleName=name, PolicyDocument=text)
    assert again.code == "InvalidParameter.RoleNameInUse"
    told = cam("GetRole", RoleId=made.RoleId).RoleInfo
    assert len(told.RoleId) == 19 and told.RoleId == made.RoleId
    assert (told.RoleName, told.PolicyDocument, told.Description, told.RoleType) == (name, text, "runs", "user")
    assert (told.ConsoleLogin, told.SessionDuration, told.RoleArn) == (0, 7200, f"qcs::cam::uin/{owner}:roleName/{name}")

    other = trust(service=["scf.qcloud.com"])
    cam("UpdateAssumeRolePolicy", RoleName=name, PolicyDocument=other)
    cam("UpdateRoleDescription", RoleId=made.RoleId, Description="walks")
    cam("UpdateRoleConsoleLogin", RoleName=name, ConsoleLogin=1)
    cam("UpdateRoleSessionDuration", RoleId=int(made.RoleId), SessionDuration=43_200)
    cam("TagRole", RoleName=name, Tags=[{"Key": "team", "Value": "two"}, {"Key": "cost", "Value": ""}])
    told = cam("GetRole", RoleName=name).RoleInfo
    assert (told.PolicyDocument, told.Description, told.ConsoleLogin, told.SessionDuration) == (other, "walks", 1, 43_200)
    assert {tag.Key: tag.Value for tag in told.Tags} == {"team": "two", "cost": ""}
    found = cam("DescribeRoleList", Page=1, Rp=200, Tags=[{"Key": "team", "Value": "two"}]).List
    assert made.RoleId in [role.RoleId for role in found]
    assert cam("DescribeRoleList", Page=1, Rp=200, Tags=[{"Key": "team", "Value": "nobody's"}]).TotalNum == 0
    cam("UntagRole", RoleId=made.RoleId, TagKeys=["cost", "never-there"])
    assert [tag.Key for tag in cam("GetRole", RoleId=made.RoleId).RoleInfo.Tags] == ["team"]

    cam("DeleteRole", RoleName=name)
    for action, more in (
        ("GetRole", {}), ("DeleteRole", {}), ("UpdateRoleDescription", {"Description": ""}),
        ("UpdateRoleConsoleLogin", {"ConsoleLogin": 1}), ("UpdateRoleSessionDuration", {"SessionDuration": 1}),
        ("UpdateAssumeRolePolicy", {"PolicyDocument": other}), ("TagRole", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("UntagRole", {"TagKeys": ["a"]}),
    ):
        assert refusal(cam, action, RoleName=name, **more).code == "InvalidParameter.RoleNotExist", action


NOBODY = "qcs::cam::uin/1:root"
TRUST = {
    "nobody": (trust(), "InvalidParameter.PrincipalError"),
    "an account that is not there": (trust(qcs=[NOBODY]), "InvalidParameter.PrincipalQcsNotExist"),
    "a name that is none": (trust(qcs=["root"]), "InvalidParameter.PrincipalQcsError"),
    "a product that is none": (trust(service=["example.com"]), "InvalidParameter.PrincipalServiceNotExist"),
    "no principal": (document(("allow", ["sts:AssumeRole"])), "InvalidParameter.PrincipalError"),
    "no JSON": ("{", "InvalidParameter.PolicyDocumentError"),
}


@pytest.mark.parametrize(("text", "code"), TRUST.values(), ids=TRUST)
def test_whom_a_role_cannot_trust(cam, role, refusal, unique, text, code):
    assert refusal(cam, "CreateRole", RoleName=unique("never"), PolicyDocument=text).code == code
    assert refusal(cam, "UpdateAssumeRolePolicy", RoleId=role()[0], PolicyDocument=text).code == code


def test_what_no_role_can_be_is_refused(cam, role, refusal):
    good = trust(service=["cvm.qcloud.com"])
    make = lambda **more: refusal(cam, "CreateRole", **{"RoleName": "r", "PolicyDocument": good} | more).code
    assert make(RoleName="a b") == "InvalidParameter.RoleNameError"
    assert make(SessionDuration=43_201) == "InvalidParameter.ParamError"
    assert make(Description="d" * 301) == "InvalidParameter.DescriptionLengthOverlimit"
    assert make(Tags=[{"Key": str(at), "Value": ""} for at in range(51)]) == "InvalidParameter.TagLimitExceeded"
    assert make(Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]) == "InvalidParameter.TagParamError"
    assert refusal(cam, "GetRole").code == "InvalidParameter.ParamError"
    assert refusal(cam, "DescribeRoleList", Page=0, Rp=10).code == "InvalidParameter.ParamError"
    id, _ = role()
    assert refusal(cam, "UpdateRoleConsoleLogin", RoleId=int(id), ConsoleLogin=2).code == "InvalidParameter.ParamError"
    assert refusal(cam, "UntagRole", RoleId=id, TagKeys=[]).code == "InvalidParameter.TagParamError"


def test_a_role_has_a_boundary(cam, role, policy, refusal):
    (id, name), limit = role(), policy(("allow", ["kms:*"]))
    assert cam("GetRolePermissionBoundary", RoleId=id).PolicyId is None
    cam("PutRolePermissionsBoundary", RoleName=name, PolicyId=limit)
    told = cam("GetRolePermissionBoundary", RoleId=id)
    assert (told.PolicyId, told.CreateMode) == (limit, 2) and json.loads(told.PolicyDocument)
    cam("DeleteRolePermissionsBoundary", RoleId=id)
    assert cam("GetRolePermissionBoundary", RoleId=id).PolicyName is None
    assert refusal(cam, "PutRolePermissionsBoundary", RoleId=id, PolicyId=999).code == "InvalidParameter.PolicyIdNotExist"
    assert refusal(cam, "DeleteRolePermissionsBoundary", RoleId="1").code == "InvalidParameter.RoleNotExist"
    assert refusal(cam, "GetRolePermissionBoundary", RoleId="1").code == "InvalidParameter.RoleNotExist"


def test_a_products_role_is_the_products(cam, refusal, unique):
    suffix = unique("for")
    made = {"QCSServiceName": ["ccs.qcloud.com"], "CustomSuffix": suffix}
    id = cam("CreateServiceLinkedRole", **made).RoleId
    told = cam("GetRole", RoleId=id).RoleInfo
    assert (told.RoleName, told.RoleType) == (f"CCS_QCSLinkedRole_{suffix}", "service_linked")
    assert json.loads(told.PolicyDocument)["statement"][0]["principal"] == {"service": ["ccs.qcloud.com"]}
    assert refusal(cam, "CreateServiceLinkedRole", **made).code == "InvalidParameter.RoleNameInUse"
    for action, more in (
        ("DeleteRole", {}), ("UpdateAssumeRolePolicy", {"PolicyDocument": trust(service=["cvm.qcloud.com"])}),
    ):
        assert refusal(cam, action, RoleId=id, **more).code == "InvalidParameter.ParamError"
    assert refusal(cam, "AttachRolePolicy", AttachRoleId=id, PolicyId=1).code == "InvalidParameter.ParamError"
    boundary = refusal(cam, "PutRolePermissionsBoundary", RoleId=id, PolicyId=1)
    assert boundary.code == "InvalidParameter.ServiceLinkedRoleCantUsePermissionBoundary"
    task = cam("DeleteServiceLinkedRole", RoleName=told.RoleName).DeletionTaskId
    status = cam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)
    assert (status.Status, status.ServiceType) == ("SUCCEEDED", "ccs")
    for gone in ({"RoleId": id}, {"RoleName": told.RoleName}):
        assert refusal(cam, "GetRole", **gone).code == "InvalidParameter.RoleNotExist"


def test_roles_of_products_are_refused_where_they_make_no_sense(cam, role, refusal):
    service = refusal(cam, "CreateServiceLinkedRole", QCSServiceName=["example.com"])
    assert service.code == "InvalidParameter.PrincipalServiceNotExist"
    assert refusal(cam, "DeleteServiceLinkedRole", RoleName=role()[1]).code == "InvalidParameter.ParamError"
    assert refusal(cam, "DeleteServiceLinkedRole", RoleName="nobody").code == "InvalidParameter.RoleNotExist"
    task = refusal(cam, "GetServiceLinkedRoleDeletionStatus", DeletionTaskId="1")
    assert task.code == "InvalidParameter.DeletionTaskNotExist"
