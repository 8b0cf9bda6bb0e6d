"""Policies, their versions, and what they are attached to, through the typed SDK."""

import json
import urllib.parse

import pytest

import organisation
from organisation import document

READ = document(("allow", ["kms:Describe*"]))
WRITE = document(("allow", ["kms:*"]))


def test_a_policy_from_its_creation_to_its_end(cam, refusal, unique):
    name = unique("life")
    made = cam("CreatePolicy", PolicyName=name, PolicyDocument=READ, Description="reads", Tags=[{"Key": "team", "Value": "one"}])
    id = made.PolicyId
    assert refusal(cam, "CreatePolicy", PolicyName=name, PolicyDocument=READ).code == "FailedOperation.PolicyNameInUse"
    told = cam("GetPolicy", PolicyId=id)
    assert (told.PolicyName, told.Description, told.Type, told.PolicyDocument) == (name, "reads", 1, READ)
    assert [(tag.Key, tag.Value) for tag in told.Tags] == [("team", "one")]
    listed = cam("ListPolicies", Scope="Local", Keyword=name.upper())
    assert [(found.PolicyId, found.Type, found.Attachments, found.PermissionLevel) for found in listed.List] == [
        (id, 1, 0, "CloudProduct")
    ]

    renamed = unique("renamed")
    assert cam("UpdatePolicy", PolicyId=id, PolicyName=renamed, PolicyDocument=WRITE).PolicyId == id
    assert cam("UpdatePolicy", PolicyName=renamed, Description="writes").PolicyId == id
    told = cam("GetPolicy", PolicyId=id)
    assert (told.PolicyName, told.Description, told.PolicyDocument) == (renamed, "writes", WRITE)

    cam("DeletePolicy", PolicyId=[id])
    assert refusal(cam, "GetPolicy", PolicyId=id).code == "ResourceNotFound.PolicyIdNotFound"
    assert refusal(cam, "DeletePolicy", PolicyId=[id]).code == "ResourceNotFound.PolicyIdNotFound"
    assert refusal(cam, "UpdatePolicy", PolicyId=id, Description="").code == "ResourceNotFound.PolicyIdNotFound"
    assert refusal(cam, "UpdatePolicy", PolicyName=renamed).code == "InvalidParameter.PolicyNameError"
    assert refusal(cam, "UpdatePolicy", Description="").code == "InvalidParameter.ParamError"


def change(**parts):
    return json.dumps(json.loads(READ) | parts)


def statement(**parts):
    return change(statement=[json.loads(READ)["statement"][0] | parts])


DOCUMENTS = {
    "no JSON": ("nothing", "InvalidParameter.PolicyDocumentError"),
    "another version": (change(version="1.0"), "InvalidParameter.VersionError"),
    "no statement": (change(statement=[]), "InvalidParameter.StatementError"),
    "no effect": (statement(effect="perhaps"), "InvalidParameter.EffectError"),
    "an action without a product": (statement(action=["Describe"]), "InvalidParameter.ActionError"),
    "a resource of four segments": (statement(resource=["qcs::kms:*"]), "InvalidParameter.ResourceQcsError"),
    "an operator that is none": (statement(condition={"same_as": {"qcs:ip": "1"}}), "InvalidParameter.ConditionTypeError"),
    "a principal": (statement(principal={"service": "cvm.qcloud.com"}), "InvalidParameter.PrincipalError"),
    "6,145 characters": (READ + " " * (6145 - len(READ)), "InvalidParameter.PolicyDocumentLengthOverLimit"),
}


@pytest.mark.parametrize(("text", "code"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_is_no_policy_is_refused_wherever_it_comes_in(cam, refusal, policy, unique, text, code):
    assert refusal(cam, "CreatePolicy", PolicyName=unique("never"), PolicyDocument=text).code == code
    id = policy(("allow", ["kms:*"]))
    assert refusal(cam, "UpdatePolicy", PolicyId=id, PolicyDocument=text).code == code
    assert refusal(cam, "CreatePolicyVersion", PolicyId=id, PolicyDocument=text, SetAsDefault=False).code == code


def test_documents_and_names_are_taken_as_the_platform_takes_them(cam, refusal, unique):
    encoded = urllib.parse.quote(READ)
    id = cam("CreatePolicy", PolicyName=unique("encoded"), PolicyDocument=encoded).PolicyId
    assert cam("GetPolicy", PolicyId=id).PolicyDocument == READ
    longest = READ + " " * (6144 - len(READ))
    assert cam("CreatePolicy", PolicyName=unique("longest"), PolicyDocument=longest).PolicyId
    for name in ("", "a b", "n" * 129):
        assert refusal(cam, "CreatePolicy", PolicyName=name, PolicyDocument=READ).code == "InvalidParameter.PolicyNameError"
    preset = refusal(cam, "CreatePolicy", PolicyName="AdministratorAccess", PolicyDocument=READ)
    assert preset.code == "FailedOperation.PolicyNameInUse"


def test_versions_come_into_force_one_at_a_time(cam, refusal, unique):
    id = cam("CreatePolicy", PolicyName=unique("versions"), PolicyDocument=READ).PolicyId
    add = lambda default=False: cam("CreatePolicyVersion", PolicyId=id, PolicyDocument=WRITE, SetAsDefault=default).VersionId
    assert [add(), add(True), add(), add()] == [2, 3, 4, 5]
    refused = refusal(add)
    assert refused.code == "FailedOperation.PolicyVersionFull"
    versions = cam("ListPolicyVersions", PolicyId=id).Versions
    assert [(version.VersionId, version.IsDefaultVersion) for version in versions] == [(1, 0), (2, 0), (3, 1), (4, 0), (5, 0)]
    assert cam("GetPolicy", PolicyId=id).PolicyDocument == WRITE
    first = cam("GetPolicyVersion", PolicyId=id, VersionId=1).PolicyVersion
    assert (first.Document, first.IsDefaultVersion) == (READ, 0) and first.CreateDate.endswith("Z")
    cam("SetDefaultPolicyVersion", PolicyId=id, VersionId=1)
    assert cam("GetPolicy", PolicyId=id).PolicyDocument == READ
    again = refusal(cam, "SetDefaultPolicyVersion", PolicyId=id, VersionId=1)
    assert again.code == "FailedOperation.PolicyVersionAlreadyDefault"
    in_force = refusal(cam, "DeletePolicyVersion", PolicyId=id, VersionId=[2, 1])
    assert in_force.code == "FailedOperation.PolicyVersionAlreadyDefault"
    cam("DeletePolicyVersion", PolicyId=id, VersionId=[2, 3])
    assert [version.VersionId for version in cam("ListPolicyVersions", PolicyId=id).Versions] == [1, 4, 5]
    assert add() == 6, "numbers are not given again"
    for action in ("GetPolicyVersion", "SetDefaultPolicyVersion"):
        assert refusal(cam, action, PolicyId=id, VersionId=2).code == "InvalidParameter.PolicyVersionNotExists"
    missing = refusal(cam, "DeletePolicyVersion", PolicyId=id, VersionId=[2])
    assert missing.code == "InvalidParameter.PolicyVersionNotExists"
    assert refusal(cam, "ListPolicyVersions", PolicyId=999).code == "ResourceNotFound.PolicyIdNotFound"


def test_presets_are_there_and_stay_as_they_are(cam, refusal):
    listed = {found.PolicyName: found for found in cam("ListPolicies", Scope="QCS", Rp=200).List}
    assert {
        "AdministratorAccess", "ReadOnlyAccess", "QCloudResourceFullAccess", "QcloudTCRFullAccess", "QcloudTCRReadOnlyAccess",
        "QcloudKMSFullAccess", "QcloudCamFullAccess",
    } <= set(listed)
    assert listed["AdministratorAccess"].PolicyId == 1 and listed["AdministratorAccess"].PermissionLevel == "Global"
    told = cam("GetPolicy", PolicyId=1)
    assert (told.Type, json.loads(told.PolicyDocument)["version"]) == (2, "2.0")
    assert [version.IsDefaultVersion for version in cam("ListPolicyVersions", PolicyId=1).Versions] == [1]
    for action, more in (
        ("UpdatePolicy", {"PolicyId": 1, "PolicyDocument": READ}),
        ("DeletePolicy", {"PolicyId": [1]}),
        ("CreatePolicyVersion", {"PolicyId": 1, "PolicyDocument": READ, "SetAsDefault": True}),
        ("SetDefaultPolicyVersion", {"PolicyId": 1, "VersionId": 1}),
        ("DeletePolicyVersion", {"PolicyId": 1, "VersionId": [1]}),
    ):
        assert refusal(cam, action, **more).code == "InvalidParameter.PolicyIdError"
    cam("UpdatePolicy", PolicyId=1, Alias="for the few")
    assert cam("GetPolicy", PolicyId=1).PresetAlias == "for the few"
    assert refusal(cam, "ListPolicies", Scope="Some").code == "InvalidParameter.ScopeError"


def test_a_policy_says_who_has_it(cam, user, role, policy, refusal, unique):
    id, someone, (role_id, role_name) = policy(("allow", ["kms:*"])), user(), role()
    group = cam("CreateGroup", GroupName=unique("group")).GroupId
    cam("AttachUserPolicy", PolicyId=id, AttachUin=someone.Uin)
    cam("AttachGroupPolicy", PolicyId=id, AttachGroupId=group)
    cam("AttachRolePolicy", PolicyId=id, AttachRoleName=role_name)
    told = cam("ListEntitiesForPolicy", PolicyId=id)
    assert {(found.RelatedType, found.Id) for found in told.List} == {
        (1, str(someone.Uid)), (2, str(group)), (3, role_id)
    }
    only = cam("ListEntitiesForPolicy", PolicyId=id, EntityFilter="User")
    assert [(found.Name, found.Uin) for found in only.List] == [(someone.Name, someone.Uin)]
    assert refusal(cam, "ListEntitiesForPolicy", PolicyId=id, EntityFilter="Dog").code == "InvalidParameter.EntityFilterError"
    assert refusal(cam, "ListEntitiesForPolicy", PolicyId=999).code == "InvalidParameter.PolicyIdError"
    root = cam("GetUserAppId").OwnerUin
    attached = cam("ListAttachedUserPolicies", TargetUin=someone.Uin).List[0]
    assert (attached.PolicyId, attached.PolicyType, attached.OperateUin, attached.OperateUinType) == (id, "User", root, 0)
    assert cam("ListAttachedGroupPolicies", TargetGroupId=group).List[0].PolicyId == id
    assert cam("ListAttachedGroupPolicies", TargetGroupId=group, Keyword="nothing-like-it").TotalNum == 0
    of_role = cam("ListAttachedRolePolicies", RoleId=role_id, Page=1, Rp=20, PolicyType="User")
    assert [found.PolicyId for found in of_role.List] == [id]

    cam("DeletePolicy", PolicyId=[id])
    assert cam("ListAttachedUserPolicies", TargetUin=someone.Uin).TotalNum == 0
    assert cam("ListAttachedGroupPolicies", TargetGroupId=group).TotalNum == 0
    assert cam("ListAttachedRolePolicies", RoleName=role_name, Page=1, Rp=20).TotalNum == 0


def test_attaching_needs_both_ends(cam, user, role, refusal):
    uin, (role_id, _) = user().Uin, role()
    assert refusal(cam, "AttachUserPolicy", PolicyId=1, AttachUin=1).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "DetachUserPolicy", PolicyId=1, DetachUin=1).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "AttachGroupPolicy", PolicyId=1, AttachGroupId=1).code == "ResourceNotFound.GroupNotExist"
    assert refusal(cam, "DetachGroupPolicy", PolicyId=1, DetachGroupId=1).code == "ResourceNotFound.GroupNotExist"
    assert refusal(cam, "AttachUserPolicy", PolicyId=999, AttachUin=uin).code == "InvalidParameter.PolicyIdNotExist"
    assert refusal(cam, "AttachRolePolicy", PolicyId=1, AttachRoleId="1").code == "InvalidParameter.RoleNotExist"
    assert refusal(cam, "DetachRolePolicy", PolicyId=1, DetachRoleName="nobody").code == "InvalidParameter.RoleNotExist"
    assert refusal(cam, "AttachRolePolicy", PolicyName="Nothing", AttachRoleId=role_id).code == "InvalidParameter.PolicyNameError"
    assert refusal(cam, "AttachRolePolicy", AttachRoleId=role_id).code == "InvalidParameter.ParamError"
    cam("AttachRolePolicy", PolicyName="ReadOnlyAccess", AttachRoleId=role_id)
    cam("DetachRolePolicy", PolicyName="ReadOnlyAccess", DetachRoleId=role_id)
    for action, more in (
        ("ListAttachedUserPolicies", {"TargetUin": 1}),
        ("ListAttachedUserAllPolicies", {"TargetUin": 1, "Page": 1, "Rp": 20, "AttachType": 0}),
    ):
        assert refusal(cam, action, **more).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "ListAttachedGroupPolicies", TargetGroupId=1).code == "ResourceNotFound.GroupNotExist"
    assert refusal(cam, "ListAttachedRolePolicies", RoleName="nobody", Page=1, Rp=20).code == "InvalidParameter.RoleNotExist"


def test_it_is_told_which_policies_open_which_product(cam, user, policy, refusal, unique):
    uin, group = user().Uin, cam("CreateGroup", GroupName=unique("group")).GroupId
    cam("AddUserToGroup", Info=[{"GroupId": group, "Uin": uin}])
    signing = policy(("allow", ["kms:Sign*", "kms:Verify*"]), ("deny", ["kms:VerifyMac"]))
    cam("AttachUserPolicy", PolicyId=signing, AttachUin=uin)
    cam("AttachGroupPolicy", PolicyId=1, AttachGroupId=group)
    nodes = {node.Service.ServiceType: node for node in cam("ListPoliciesGrantingServiceAccess", TargetUin=uin).List}
    assert {policy.PolicyId for policy in nodes["kms"].Policy} == {str(signing), "1"}
    assert [policy.PolicyType for policy in nodes["tcr"].Policy] == ["Presetting"]
    cam("DetachGroupPolicy", PolicyId=1, DetachGroupId=group)
    [node] = cam("ListPoliciesGrantingServiceAccess", TargetUin=uin, ServiceType="kms").List
    assert "SignByAsymmetricKey" in [action.Name for action in node.Action]
    assert "Decrypt" not in [action.Name for action in node.Action]
    assert cam("ListPoliciesGrantingServiceAccess", GroupId=group).List == []
    assert refusal(cam, "ListPoliciesGrantingServiceAccess").code == "InvalidParameter.ParamError"
    assert refusal(cam, "ListPoliciesGrantingServiceAccess", TargetUin=1).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "ListPoliciesGrantingServiceAccess", TargetUin=uin, ServiceType="xyz").code == "InvalidParameter"


def test_a_boundary_limits_a_user_and_keeps_its_policy(cloud, cam, user, policy, refusal):
    made = user(UseApi=1)
    own = organisation.cam(cloud, made.SecretId, made.SecretKey)
    cam("AttachUserPolicy", PolicyId=1, AttachUin=made.Uin)
    own("ListUsers")
    limit = policy(("allow", ["cam:List*"]))
    assert cam("GetUserPermissionBoundary", TargetUin=made.Uin).PolicyId is None
    cam("PutUserPermissionsBoundary", TargetUin=made.Uin, PolicyId=limit)
    told = cam("GetUserPermissionBoundary", TargetUin=made.Uin)
    assert (told.PolicyId, told.PolicyType) == (limit, 1) and json.loads(told.PolicyDocument)
    own("ListUsers")
    assert refusal(own, "GetUser", Name=made.Name).code == "UnauthorizedOperation"
    assert refusal(cam, "DeletePolicy", PolicyId=[limit]).code == "InvalidParameter.ParamError"
    cam("DeleteUserPermissionsBoundary", TargetUin=made.Uin)
    own("GetUser", Name=made.Name)
    cam("DeletePolicy", PolicyId=[limit])
    put = refusal(cam, "PutUserPermissionsBoundary", TargetUin=made.Uin, PolicyId=limit)
    assert put.code == "InvalidParameter.PolicyIdNotExist"
    assert refusal(cam, "PutUserPermissionsBoundary", TargetUin=1, PolicyId=1).code == "InvalidParameter.UserNotExist"
    assert refusal(cam, "DeleteUserPermissionsBoundary", TargetUin=1).code == "InvalidParameter.UserNotExist"
    assert refusal(cam, "GetUserPermissionBoundary", TargetUin=1).code == "ResourceNotFound.UserNotExist"
