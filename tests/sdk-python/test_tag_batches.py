"""Tags in batches through the typed SDK: many pairs, many resources, and the listings over them."""

import hashlib

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.tag.v20180813.tag_client import TagClient

import organisation
import sdk
from typed import Typed

REGION = "ap-guangzhou"
NO_RESOURCE = "InvalidParameterValue.ResourceDescriptionError"


def client(cloud, *key, language="en-US"):
    credential = Credential(*key) if key else sdk.credential(cloud)
    return Typed(TagClient(credential, REGION, sdk.profile(cloud, language=language)))


@pytest.fixture
def tag(cloud):
    return client(cloud)


@pytest.fixture
def users(user):
    """The numbers of two users, as texts."""
    return [str(user().Uin) for _ in range(2)]


@pytest.fixture
def of(tag):
    """The tags of users."""

    def of(uin):
        told = tag("DescribeResourceTagsByResourceIdsSeq", **USERS, ResourceRegion="", ResourceIds=[uin])
        assert all((row.ResourceId, row.ServiceType, row.Category) == (uin, "cam", "Custom") for row in told.Tags)
        return {row.TagKey: row.TagValue for row in told.Tags}

    return of


USERS = {"ServiceType": "cam", "ResourcePrefix": "uin"}
name = "qcs::cam::uin/:uin/{}".format


def pairs(**tags):
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def plain(tags):
    return [(tag.TagKey, tag.TagValue) for tag in tags]


def test_pairs_are_made_listed_and_deleted_together(tag, users, refusal, unique):
    one, other = sorted((unique("key"), unique("key")))
    made = [(one, "a"), (one, "b"), (other, "a")]
    parts = [{"TagKey": key, "TagValue": value} for key, value in made]
    tag("CreateTags", Tags=parts)
    # All or none: the first of these two would have been new.
    taken = refusal(tag, "CreateTags", Tags=[{"TagKey": one, "TagValue": "c"}, parts[0]])
    assert taken.code == "ResourceInUse.TagDuplicate"
    keys = {"TagKeys": [one, other]}
    assert plain(tag("GetTagValues", **keys).Tags) == made
    first = tag("GetTagValues", **keys, MaxResults=2)
    rest = tag("GetTagValues", **keys, MaxResults=2, PaginationToken=first.PaginationToken)
    assert (plain(first.Tags + rest.Tags), rest.PaginationToken) == (made, "")
    assert tag("GetTagValues", **keys, Category="System").Tags == []
    for action in ("DescribeTagValues", "DescribeTagValuesSeq"):
        page = tag(action, **keys, Offset=1, Limit=1)
        assert (plain(page.Tags), page.TotalCount, page.Offset, page.Limit) == (made[1:2], 3, 1, 1)
        assert page.Tags[0].Category == "Custom"
    assert tag("DescribeTagValues", **keys, Category="System").TotalCount == 0

    known, token = [], ""
    while not known or token:
        page = tag("GetTagKeys", MaxResults=1000, PaginationToken=token)
        known, token = known + page.TagKeys, page.PaginationToken
    assert one in known and other in known and len(known) == len(set(known))
    assert one not in tag("GetTagKeys", MaxResults=1000, Category="System").TagKeys

    tag("AttachResourcesTag", **USERS, ResourceIds=users, TagKey=one, TagValue="a")
    for action in ("DescribeTags", "DescribeTagsSeq"):
        listed = tag(action, **keys)
        assert (plain(listed.Tags), listed.TotalCount) == (made, 3)
        assert [row.CanDelete for row in listed.Tags] == [0, 1, 1]
        assert plain(tag(action, TagKey=one, TagValue="b").Tags) == made[1:2]
        assert plain(tag(action, TagKey=one, TagKeys=[other]).Tags) == made[2:]
    assert refusal(tag, "DeleteTags", Tags=parts).code == "FailedOperation.TagAttachedResource"
    assert plain(tag("DescribeTags", **keys).Tags) == made
    tag("DetachResourcesTag", **USERS, ResourceIds=users, TagKey=one)
    tag("DeleteTags", Tags=parts)
    assert tag("DescribeTags", **keys).TotalCount == tag("DescribeTagsSeq", **keys).TotalCount == 0
    assert refusal(tag, "DeleteTags", Tags=parts).code == "ResourceNotFound.TagNonExist"


def test_a_tag_of_many_resources_from_its_first_value_to_its_end(tag, users, of, refusal, unique):
    key = unique("key")
    batch = USERS | {"ResourceIds": users, "TagKey": key}
    for action, more in (("ModifyResourcesTagValue", {"TagValue": "two"}), ("DetachResourcesTag", {})):
        assert refusal(tag, action, **batch, **more).code == "ResourceNotFound.AttachedTagKeyNotFound"
    tag("AttachResourcesTag", **batch, TagValue="one")
    assert of(users[0]) == of(users[1]) == {key: "one"}
    assert refusal(tag, "AttachResourcesTag", **batch, TagValue="two").code == "ResourceInUse.TagKeyAttached"
    tag("ModifyResourcesTagValue", **batch, TagValue="two")
    assert of(users[0]) == of(users[1]) == {key: "two"}
    tag("UpdateResourceTagValue", Resource=name(users[0]), TagKey=key, TagValue="three")
    assert (of(users[0]), of(users[1])) == ({key: "three"}, {key: "two"})
    assert plain(tag("GetTagValues", TagKeys=[key]).Tags) == [(key, "one"), (key, "three"), (key, "two")]
    absent = refusal(tag, "UpdateResourceTagValue", Resource=name(users[0]), TagKey=unique("never"), TagValue="x")
    assert absent.code == "ResourceNotFound.AttachedTagKeyNotFound"
    tag("DetachResourcesTag", **batch)
    assert of(users[0]) == of(users[1]) == {}


def test_a_batch_with_one_resource_that_is_none_changes_nothing(tag, users, of, refusal, unique):
    key = unique("key")
    batch = USERS | {"ResourceIds": [users[0], "1"], "TagKey": key}
    assert refusal(tag, "AttachResourcesTag", **batch, TagValue="one").code == NO_RESOURCE
    assert of(users[0]) == {}
    tag("AttachResourcesTag", **USERS, ResourceIds=users[:1], TagKey=key, TagValue="one")
    assert refusal(tag, "ModifyResourcesTagValue", **batch, TagValue="two").code == NO_RESOURCE
    assert refusal(tag, "DetachResourcesTag", **batch).code == NO_RESOURCE
    assert of(users[0]) == {key: "one"}


def test_tags_are_set_and_taken_where_that_can_be_done(cloud, tag, users, of, refusal, unique):
    key, more = unique("key"), unique("key")
    nobody, nothing = name("1"), "instance/1"
    told = tag("TagResources", ResourceList=[name(users[0]), nobody, nothing, name(users[1])], Tags=pairs(**{key: "1", more: "2"}))
    assert [(failed.Resource, failed.Code) for failed in told.FailedResources] == [(nobody, NO_RESOURCE), (nothing, NO_RESOURCE)]
    assert all(failed.Message for failed in told.FailedResources)
    assert of(users[0]) == of(users[1]) == {key: "1", more: "2"}
    # What is set already gets the new value, and what is made by it is to choose from.
    assert tag("TagResources", ResourceList=[name(users[0])], Tags=pairs(**{key: "3"})).FailedResources == []
    assert of(users[0]) == {key: "3", more: "2"}
    assert plain(tag("DescribeTags", TagKeys=[key]).Tags) == [(key, "1"), (key, "3")]
    told = client(cloud, language="zh-CN")("UnTagResources", ResourceList=[nobody, name(users[0])], TagKeys=[key, "never-there"])
    assert [failed.Resource for failed in told.FailedResources] == [nobody] and "资源" in told.FailedResources[0].Message
    assert (of(users[0]), of(users[1])) == ({more: "2"}, {key: "1", more: "2"})
    for wrong in ({"ResourceList": []}, {"ResourceList": [name(users[0])] * 11}):
        assert refusal(tag, "TagResources", **{"ResourceList": [name(users[0])], "Tags": pairs(a="1")} | wrong).code.startswith("LimitExceeded")
        assert refusal(tag, "UnTagResources", **{"ResourceList": [name(users[0])], "TagKeys": ["a"]} | wrong).code.startswith("LimitExceeded")
    for start in range(0, 49, 10):
        ten = {f"{more}-{at}": "" for at in range(start, min(start + 10, 49))}
        assert tag("TagResources", ResourceList=[name(users[0])], Tags=pairs(**ten)).FailedResources == []
    full = tag("TagResources", ResourceList=[name(users[0])], Tags=pairs(**{key: "4"})).FailedResources
    assert [failed.Code for failed in full] == ["LimitExceeded.ResourceAttachedTags"]


def test_resources_are_found_by_what_hangs_on_them(tag, users, unique):
    team, stage = unique("team"), unique("stage")
    tag("TagResources", ResourceList=[name(users[0])], Tags=pairs(**{team: "one", stage: "test"}))
    tag("TagResources", ResourceList=[name(users[1])], Tags=pairs(**{team: "two"}))
    id = unique("ins")
    machine = f"qcs::cvm:{REGION}:uin/:instance/{id}"
    tag("TagResources", ResourceList=[machine], Tags=pairs(**{stage: "test"}))

    def found(action, *filters, **more):
        given = [{"TagKey": key, "TagValue": list(values)} for key, *values in filters]
        told = tag(action, TagFilters=given, **more)
        assert told.TotalCount == len(told.Rows)
        return {row.ResourceId: dict(plain(row.Tags)) for row in told.Rows}

    every, some = "DescribeResourcesByTags", "DescribeResourcesByTagsUnion"
    both = {team: "one", stage: "test"}
    assert found(every, (team,)) == {users[0]: both, users[1]: {team: "two"}}
    assert found(every, (team, "one", "two"), (stage, "test")) == {users[0]: both}
    assert found(every, (team, "one"), (stage, "live")) == {}
    assert found(some, (team, "two"), (stage, "test")) == {users[0]: both, users[1]: {team: "two"}, id: {stage: "test"}}
    assert found(some, (stage,), ServiceType="cvm", ResourcePrefix="instance", ResourceRegion=REGION, ResourceId=id) == {id: {stage: "test"}}
    for narrowed in ({"ServiceType": "cam"}, {"ResourcePrefix": "uin"}, {"ResourceId": users[0]}):
        assert set(found(some, (stage,), **narrowed)) == {users[0]}
    (row,) = tag(every, TagFilters=[{"TagKey": stage}], ResourceRegion=REGION).Rows
    assert (row.ResourceRegion, row.ServiceType, row.ResourcePrefix, row.ResourceId) == (REGION, "cvm", "instance", id)

    place = {"ServiceType": "cvm", "ResourcePrefix": "instance", "ResourceRegion": REGION}
    (row,) = tag("DescribeResourceTags", **place, ResourceId=id).Rows
    assert (row.TagKey, row.TagValue, row.ResourceId, row.ServiceType, row.Category) == (stage, "test", id, "cvm", "Custom")
    assert (row.TagKeyMd5, row.TagValueMd5) == tuple(hashlib.md5(text.encode()).hexdigest() for text in (stage, "test"))
    of_keys = lambda *keys: tag("DescribeResourceTagsByTagKeys", **USERS, ResourceRegion="", ResourceIds=users, TagKeys=list(keys))
    told = of_keys(team)
    assert (told.TotalCount, told.Offset, told.Limit) == (2, 0, 400)
    assert [(row.ResourceId, plain(row.TagKeyValues)) for row in told.Rows] == [(users[0], [(team, "one")]), (users[1], [(team, "two")])]
    assert [row.ResourceId for row in of_keys(stage, "never-there").Rows] == users[:1]


LISTINGS = {
    "GetTagKeys": [({"PaginationToken": "x"}, "InvalidParameter.PaginationTokenInvalid"), ({"Category": "x"}, "InvalidParameter")],
    "GetTagValues": [({"TagKeys": []}, "InvalidParameter"), ({"TagKeys": ["a"], "MaxResults": 1001}, "InvalidParameter")],
    "DescribeTagValues": [({"TagKeys": ["a"] * 21}, "InvalidParameter"), ({"TagKeys": ["a"], "CreateUin": 1}, "InvalidParameterValue.UinInvalid")],
    "DescribeTagValuesSeq": [({"TagKeys": [""]}, "InvalidParameterValue.TagKeyEmpty"), ({"TagKeys": ["a"], "Limit": 1001}, "FailedOperation")],
    "DescribeTags": [({"TagValue": "a"}, "InvalidParameter"), ({"ShowProject": 2}, "FailedOperation")],
    "DescribeTagsSeq": [({"TagValue": "a"}, "InvalidParameter"), ({"CreateUin": 1}, "InvalidParameterValue.UinInvalid")],
    "CreateTags": [
        ({}, "LimitExceeded.Quota"), ({"Tags": pairs(**{"a|b": "x"})}, "InvalidParameterValue.TagKeyCharacterIllegal"),
        ({"Tags": [{"TagKey": "a", "TagValue": "b", "Category": "System"}]}, "InvalidParameter"),
    ],
    "DeleteTags": [({"Tags": pairs(**{str(at): "" for at in range(11)})}, "LimitExceeded.Quota")],
    "DescribeResourceTags": [
        ({"ServiceType": "nothing"}, "InvalidParameterValue.ServiceTypeInvalid"), ({"ResourceRegion": "mars"}, "InvalidParameterValue.RegionInvalid"),
        ({"CosResourceId": 1, "ResourceId": "bucket"}, "InvalidParameter"),
    ],
    "DescribeResourcesByTags": [
        ({"TagFilters": []}, "InvalidParameterValue.TagFilters"),
        ({"TagFilters": [{"TagKey": str(at)} for at in range(7)]}, "InvalidParameterValue.TagFiltersLengthExceeded"),
    ],
    "DescribeResourcesByTagsUnion": [
        ({"TagFilters": [{"TagKey": ""}]}, "InvalidParameterValue.TagKeyEmpty"),
        ({"TagFilters": [{"TagKey": "a"}], "CreateUin": 1}, "InvalidParameterValue.UinInvalid"),
    ],
    "DescribeResourceTagsByResourceIdsSeq": [
        (USERS | {"ResourceRegion": "", "ResourceIds": []}, "InvalidParameterValue.ResourceIdInvalid"),
        (USERS | {"ResourceRegion": "mars", "ResourceIds": ["1"]}, "InvalidParameterValue.RegionInvalid"),
    ],
    "DescribeResourceTagsByTagKeys": [
        (USERS | {"ResourceRegion": "", "ResourceIds": ["1"] * 21, "TagKeys": ["a"]}, "InvalidParameterValue.ResourceIdInvalid"),
        (USERS | {"ResourceRegion": "", "ResourceIds": ["1"], "TagKeys": []}, "InvalidParameter"),
    ],
    "AttachResourcesTag": [
        ({"ServiceType": "cam", "ResourceIds": ["1"], "TagKey": "a", "TagValue": ""}, "InvalidParameterValue.ResourcePrefixInvalid"),
        (USERS | {"ResourceIds": ["1"], "TagKey": "qcs:a", "TagValue": ""}, "InvalidParameter.ReservedTagKey"),
    ],
    "DetachResourcesTag": [(USERS | {"ResourceIds": ["1"], "TagKey": ""}, "InvalidParameterValue.TagKeyEmpty")],
    "ModifyResourcesTagValue": [
        (USERS | {"ResourceIds": ["1"], "TagKey": "a", "TagValue": "a|b"}, "InvalidParameterValue.TagValueCharacterIllegal")
    ],
    "UpdateResourceTagValue": [({"Resource": "nothing", "TagKey": "a", "TagValue": "b"}, NO_RESOURCE)],
    "TagResources": [({"ResourceList": ["a"], "Tags": []}, "LimitExceeded.Quota")],
    "UnTagResources": [({"ResourceList": ["a"], "TagKeys": []}, "LimitExceeded.Quota")],
}


@pytest.mark.parametrize("action", LISTINGS)
def test_what_cannot_be_answered_is_refused(tag, refusal, action):
    for parameters, code in LISTINGS[action]:
        assert refusal(tag, action, **parameters).code == code, parameters


def test_batches_are_for_who_may_touch_each_resource_of_them(cloud, cam, user, users, of, refusal, unique):
    staff, owner = user(UseApi=1), cam("GetUserAppId").OwnerUin
    mine, other = (f"qcs::cam::uin/{owner}:uin/{uin}" for uin in users)
    policy = cam("CreatePolicy", PolicyName=unique("batch"), PolicyDocument=organisation.document(("allow", ["tag:*"], [mine]))).PolicyId
    cam("AttachUserPolicy", PolicyId=policy, AttachUin=staff.Uin)
    own = client(cloud, staff.SecretId, staff.SecretKey)
    key = unique("key")
    given = {
        "AttachResourcesTag": lambda uins: USERS | {"ResourceIds": uins, "TagKey": key, "TagValue": "one"},
        "ModifyResourcesTagValue": lambda uins: USERS | {"ResourceIds": uins, "TagKey": key, "TagValue": "two"},
        "DescribeResourceTagsByResourceIdsSeq": lambda uins: USERS | {"ResourceIds": uins, "ResourceRegion": ""},
        "DescribeResourceTagsByTagKeys": lambda uins: USERS | {"ResourceIds": uins, "ResourceRegion": "", "TagKeys": [key]},
        "DetachResourcesTag": lambda uins: USERS | {"ResourceIds": uins, "TagKey": key},
        "TagResources": lambda uins: {"ResourceList": [name(uin) for uin in uins], "Tags": pairs(**{key: "three"})},
        "UpdateResourceTagValue": lambda uins: {"Resource": name(uins[-1]), "TagKey": key, "TagValue": "four"},
        "UnTagResources": lambda uins: {"ResourceList": [name(uin) for uin in uins], "TagKeys": [key]},
    }
    for action, parameters in given.items():
        told = refusal(own, action, **parameters(users))
        assert (told.code, other in told.message) == ("UnauthorizedOperation", True), action
        own(action, **parameters(users[:1]))
    for action, parameters in LISTINGS.items():
        if action not in given:
            assert refusal(own, action, **parameters[0][0]).code == "UnauthorizedOperation", action
    assert of(users[1]) == {}
