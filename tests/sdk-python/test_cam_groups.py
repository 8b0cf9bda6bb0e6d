"""Groups through the typed SDK."""

import organisation


def test_a_group_from_its_creation_to_its_end(cam, user, refusal, unique):
    name = unique("group")
    id = cam("CreateGroup", GroupName=name, Remark="运维").GroupId
    assert refusal(cam, "CreateGroup", GroupName=name).code == "InvalidParameter.GroupNameInUse"
    one, two = user(), user()
    cam("AddUserToGroup", Info=[{"GroupId": id, "Uin": one.Uin}, {"GroupId": id, "Uid": two.Uid}])
    cam("AddUserToGroup", Info=[{"GroupId": id, "Uin": one.Uin}])  # once more changes nothing
    told = cam("GetGroup", GroupId=id)
    assert (told.GroupName, told.Remark, told.GroupNum) == (name, "运维", 2)
    assert {(member.Uin, member.Uid, member.Name) for member in told.UserInfo} == {
        (user.Uin, user.Uid, user.Name) for user in (one, two)
    }
    page = cam("ListUsersForGroup", GroupId=id, Page=2, Rp=1)
    assert (page.TotalNum, len(page.UserInfo)) == (2, 1)
    listed = cam("ListGroupsForUser", Uid=one.Uid)
    assert (listed.TotalNum, listed.GroupInfo[0].GroupId) == (1, id)
    assert cam("ListGroupsForUser", SubUin=two.Uin).GroupInfo[0].GroupName == name

    renamed = unique("renamed")
    cam("UpdateGroup", GroupId=id, GroupName=renamed)
    found = cam("ListGroups", Keyword=renamed.upper())
    assert [(group.GroupId, group.GroupName, group.Remark) for group in found.GroupInfo] == [(id, renamed, "运维")]
    cam("RemoveUserFromGroup", Info=[{"GroupId": id, "Uin": one.Uin}])
    assert [member.Uin for member in cam("ListUsersForGroup", GroupId=id).UserInfo] == [two.Uin]
    cam("DeleteGroup", GroupId=id)
    assert cam("ListGroupsForUser", SubUin=two.Uin).TotalNum == 0
    for action in ("GetGroup", "DeleteGroup", "UpdateGroup", "ListUsersForGroup"):
        assert refusal(cam, action, GroupId=id).code == "ResourceNotFound.GroupNotExist"


def test_what_no_group_can_be_is_refused(cam, user, refusal, unique):
    assert refusal(cam, "CreateGroup", GroupName=" ").code == "InvalidParameter.ParamError"
    one, other = (cam("CreateGroup", GroupName=unique("group")) for _ in range(2))
    taken = cam("GetGroup", GroupId=other.GroupId).GroupName
    assert refusal(cam, "UpdateGroup", GroupId=one.GroupId, GroupName=taken).code == "InvalidParameter.GroupNameInUse"
    assert refusal(cam, "ListGroups", Rp=201).code == "InvalidParameter.ParamError"
    assert refusal(cam, "ListGroupsForUser").code == "InvalidParameter.ParamError"
    add = lambda **info: refusal(cam, "AddUserToGroup", Info=[{"GroupId": one.GroupId} | info]).code
    assert add() == "InvalidParameter.UserUinAndUinNotAllNull"
    assert add(Uin=1) == "ResourceNotFound.UserNotExist"
    assert add(GroupId=1, Uin=user().Uin) == "InvalidParameter.GroupNotExist"
    remove = lambda **info: refusal(cam, "RemoveUserFromGroup", Info=[{"GroupId": one.GroupId} | info]).code
    assert remove(Uin=1) == "ResourceNotFound.UserNotExist"
    assert remove(GroupId=1, Uin=1) == "ResourceNotFound.GroupNotExist"


def test_a_user_is_in_ten_groups_at_most(cam, user, refusal, unique):
    uin = user().Uin
    groups = [cam("CreateGroup", GroupName=unique("group")).GroupId for _ in range(11)]
    cam("AddUserToGroup", Info=[{"GroupId": group, "Uin": uin} for group in groups[:10]])
    refused = refusal(cam, "AddUserToGroup", Info=[{"GroupId": groups[10], "Uin": uin}])
    assert refused.code == "InvalidParameter.UserGroupFull"
    # All or none: the first of these two would have been possible.
    fresh = user().Uin
    both = [{"GroupId": groups[10], "Uin": fresh}, {"GroupId": groups[10], "Uin": uin}]
    assert refusal(cam, "AddUserToGroup", Info=both).code == "InvalidParameter.UserGroupFull"
    assert cam("ListUsersForGroup", GroupId=groups[10]).TotalNum == 0


def test_members_have_what_their_group_has_and_lose_it_with_it(cloud, cam, user, policy, refusal, unique):
    made = user(UseApi=1)
    own = organisation.cam(cloud, made.SecretId, made.SecretKey)
    group = cam("CreateGroup", GroupName=unique("group")).GroupId
    reading = policy(("allow", ["cam:List*"]))
    cam("AttachGroupPolicy", PolicyId=reading, AttachGroupId=group)
    may = lambda: own("ListGroups").TotalNum > 0
    may_not = lambda: refusal(own, "ListGroups").code == "UnauthorizedOperation"
    assert may_not()
    cam("AddUserToGroup", Info=[{"GroupId": group, "Uin": made.Uin}])
    assert may()
    attached = cam("ListAttachedUserAllPolicies", TargetUin=made.Uin, Page=1, Rp=20, AttachType=0).PolicyList
    assert [(found.PolicyId, found.Groups[0].GroupId) for found in attached] == [(str(reading), group)]
    assert cam("ListAttachedUserAllPolicies", TargetUin=made.Uin, Page=1, Rp=20, AttachType=1).TotalNum == 0
    cam("DetachGroupPolicy", PolicyId=reading, DetachGroupId=group)
    assert may_not()
    cam("AttachGroupPolicy", PolicyId=reading, AttachGroupId=group)
    cam("RemoveUserFromGroup", Info=[{"GroupId": group, "Uin": made.Uin}])
    assert may_not()
    cam("AddUserToGroup", Info=[{"GroupId": group, "Uin": made.Uin}])
    assert may()
    cam("DeleteGroup", GroupId=group)
    assert may_not()
