"""Tags through the typed SDK: pairs, resources of every product, projects; and policies that ask for them."""

import hashlib
import json

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.kms.v20190118.kms_client import KmsClient
from tencentcloud.tag.v20180813.tag_client import TagClient
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import organisation
import sdk
from typed import Typed

REGION = "ap-guangzhou"


@pytest.fixture
def tag(cloud):
    return Typed(TagClient(sdk.credential(cloud), REGION, sdk.profile(cloud)))


@pytest.fixture
def registries(cloud):
    return Typed(TcrClient(sdk.credential(cloud), REGION, sdk.profile(cloud)))


@pytest.fixture
def tagged(tag):
    """The tags of a resource as the tag service tells them."""

    def tagged(service, prefix, id, region=""):
        place = {"ServiceType": service, "ResourcePrefix": prefix, "ResourceRegion": region}
        told = tag("DescribeResourceTagsByResourceIds", ResourceIds=[id], **place)
        assert {row.ResourceId for row in told.Tags} <= {id} and told.TotalCount == len(told.Tags)
        return {row.TagKey: row.TagValue for row in told.Tags}

    return tagged


def pairs(**tags):
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def test_a_tag_from_its_creation_to_its_end(tag, user, refusal, unique):
    key = unique("key")
    tag("CreateTag", TagKey=key, TagValue="one")
    tag("CreateTag", TagKey=key, TagValue="two")
    assert refusal(tag, "CreateTag", TagKey=key, TagValue="one").code == "ResourceInUse.TagDuplicate"
    told = tag("GetTags", TagKeys=[key])
    assert [(found.TagKey, found.TagValue) for found in told.Tags] == [(key, "one"), (key, "two")]
    first = tag("GetTags", TagKeys=[key], MaxResults=1)
    second = tag("GetTags", TagKeys=[key], MaxResults=1, PaginationToken=first.PaginationToken)
    assert ([found.TagValue for found in first.Tags + second.Tags], second.PaginationToken) == (["one", "two"], "")
    assert key in tag("DescribeTagKeys", Limit=1000).Tags
    assert tag("GetTags", TagKeys=[key], Category="System").Tags == []

    resource = f"qcs::cam::uin/:uin/{user().Uin}"
    tag("AddResourceTag", TagKey=key, TagValue="one", Resource=resource)
    assert refusal(tag, "DeleteTag", TagKey=key, TagValue="one").code == "FailedOperation.TagAttachedResource"
    tag("DeleteResourceTag", TagKey=key, Resource=resource)
    for value in ("one", "two"):
        tag("DeleteTag", TagKey=key, TagValue=value)
    assert refusal(tag, "DeleteTag", TagKey=key, TagValue="one").code == "ResourceNotFound.TagNonExist"
    assert tag("GetTags", TagKeys=[key]).Tags == []
    assert key not in tag("DescribeTagKeys", Limit=1000).Tags


WRONG_TAGS = {
    "no key": ({"TagKey": ""}, "InvalidParameterValue.TagKeyEmpty"),
    "a long key": ({"TagKey": "k" * 128}, "InvalidParameterValue.TagKeyLengthExceeded"),
    "a key of other characters": ({"TagKey": "a|b"}, "InvalidParameterValue.TagKeyCharacterIllegal"),
    "a key of the platform": ({"TagKey": "qcs:name"}, "InvalidParameter.ReservedTagKey"),
    "a long value": ({"TagValue": "v" * 256}, "InvalidParameterValue.TagValueLengthExceeded"),
    "a value of other characters": ({"TagValue": "a|b"}, "InvalidParameterValue.TagValueCharacterIllegal"),
}


@pytest.mark.parametrize(("wrong", "code"), WRONG_TAGS.values(), ids=WRONG_TAGS)
def test_what_is_no_tag_is_refused_wherever_it_comes_in(tag, user, refusal, wrong, code):
    parts = {"TagKey": "key", "TagValue": "value"} | wrong
    assert refusal(tag, "CreateTag", **parts).code == code
    resource = f"qcs::cam::uin/:uin/{user().Uin}"
    assert refusal(tag, "AddResourceTag", Resource=resource, **parts).code == code
    assert refusal(tag, "ModifyResourceTags", Resource=resource, ReplaceTags=[parts]).code == code


WRONG_RESOURCES = [
    "", "instance/tcr-1", "qcs::tcr:ap-guangzhou:uin/1:instance/tcr-1", "qcs::nothing::uin/:a/b", "qcs::tcr:mars:uin/:instance/a",
    "qcs::tcr:ap-guangzhou:uin/:instance/tcr-nobodys", "qcs::cam::uin/:role/1",
]


@pytest.mark.parametrize("resource", WRONG_RESOURCES)
def test_a_resource_that_is_none_gets_no_tags(tag, refusal, resource):
    wrong = "InvalidParameterValue.ResourceDescriptionError"
    assert refusal(tag, "AddResourceTag", TagKey="key", TagValue="value", Resource=resource).code == wrong
    assert refusal(tag, "ModifyResourceTags", Resource=resource, ReplaceTags=pairs(key="value")).code == wrong


def test_a_registry_shows_the_tags_that_the_tag_service_sets(tag, tagged, registries, refusal, unique):
    name = unique("tagged")[:40]
    specification = {"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "one"}]}
    id = registries("CreateInstance", RegistryName=name, RegistryType="basic", TagSpecification=specification).RegistryId
    shown = lambda: {
        tag.Key: tag.Value for tag in registries("DescribeInstances", Registryids=[id]).Registries[0].TagSpecification.Tags
    }
    assert shown() == tagged("tcr", "instance", id, REGION) == {"team": "one"}
    resource = f"qcs::tcr:{REGION}:uin/:instance/{id}"
    tag("ModifyResourceTags", Resource=resource, ReplaceTags=pairs(team="two", cost="shared"))
    assert shown() == tagged("tcr", "instance", id, REGION) == {"team": "two", "cost": "shared"}
    tag("ModifyResourceTags", Resource=resource, DeleteTags=[{"TagKey": "team"}], ReplaceTags=pairs(cost="own"))
    assert shown() == {"cost": "own"}
    found = registries("DescribeInstances", Filters=[{"Name": "Tags", "Values": ["cost:own"]}])
    assert id in [registry.RegistryId for registry in found.Registries]
    assert tagged("tcr", "instance", id, "ap-shanghai") == {}

    registries("CreateNamespace", RegistryId=id, NamespaceName="team", IsPublic=False)
    tag("ModifyResourceTags", Resource=f"qcs::tcr:{REGION}:uin/:repository/{id}/team", ReplaceTags=pairs(of="namespace"))
    [namespace] = registries("DescribeNamespaces", RegistryId=id, NamespaceName="team").NamespaceList
    assert [(tag.Key, tag.Value) for tag in namespace.TagSpecification.Tags] == [("of", "namespace")]
    owner = tag("GetResources", TagFilters=[{"TagKey": "of", "TagValue": ["namespace"]}]).ResourceTagMappingList
    assert [mapping.Resource.split(":", 5)[5] for mapping in owner] == [f"repository/{id}/team"]


def test_users_roles_and_policies_have_the_same_tags_on_both_sides(cam, tag, tagged, user, role, policy):
    (role_id, _), policy_id, uin = role(), policy(("allow", ["kms:*"])), user().Uin
    for prefix, id in (("uin", uin), ("role", role_id), ("policy", policy_id)):
        # Terraform names regions where CAM has none.
        for region in ("", REGION):
            tag("ModifyResourceTags", Resource=f"qcs::cam:{region}:uin/:{prefix}/{id}", ReplaceTags=pairs(place=region or "none"))
            assert tagged("cam", prefix, str(id), region) == {"place": region or "none"}
    assert [(tag.Key, tag.Value) for tag in cam("GetRole", RoleId=role_id).RoleInfo.Tags] == [("place", REGION)]
    assert [(tag.Key, tag.Value) for tag in cam("GetPolicy", PolicyId=policy_id).Tags] == [("place", REGION)]
    cam("TagRole", RoleId=role_id, Tags=[{"Key": "more", "Value": ""}])
    assert tagged("cam", "role", role_id) == {"place": REGION, "more": ""}


def test_products_that_keep_no_tags_have_them_kept_here(tag, tagged, refusal, unique):
    id = unique("ins")
    resource = f"qcs::cvm:{REGION}:uin/:instance/{id}"
    tag("ModifyResourceTags", Resource=resource, ReplaceTags=pairs(env="test"))
    assert tagged("cvm", "instance", id, REGION) == {"env": "test"}
    told = tag("DescribeResourceTagsByResourceIds", ServiceType="cvm", ResourcePrefix="instance", ResourceRegion=REGION, ResourceIds=[id])
    assert told.Tags[0].TagKeyMd5 == hashlib.md5(b"env").hexdigest()
    assert refusal(tag, "AddResourceTag", TagKey="env", TagValue="x", Resource=resource).code == "ResourceInUse.TagKeyAttached"
    tag("DeleteResourceTag", TagKey="env", Resource=resource)
    gone = refusal(tag, "DeleteResourceTag", TagKey="env", Resource=resource)
    assert gone.code == "ResourceNotFound.AttachedTagKeyNotFound"
    assert tagged("cvm", "instance", id, REGION) == {}


def test_changes_of_tags_are_whole_and_have_limits(tag, tagged, user, refusal):
    uin = user().Uin
    resource = f"qcs::cam::uin/:uin/{uin}"
    modify = lambda **more: refusal(tag, "ModifyResourceTags", Resource=resource, **more).code
    assert modify() == modify(ReplaceTags=[]) == "InvalidParameter.Tag"
    assert modify(ReplaceTags=pairs(a="1"), DeleteTags=[{"TagKey": "a"}]) == "InvalidParameterValue.DeleteTagsParamError"
    assert modify(ReplaceTags=pairs(a="1") + pairs(a="2")) == "InvalidParameter.Tag"
    assert modify(ReplaceTags=pairs(**{f"k{at}": "" for at in range(11)})) == "LimitExceeded.Quota"
    for start in range(0, 50, 10):
        tag("ModifyResourceTags", Resource=resource, ReplaceTags=pairs(**{f"k{at}": "" for at in range(start, start + 10)}))
    assert modify(ReplaceTags=pairs(more="1")) == "LimitExceeded.ResourceAttachedTags"
    page = tag(
        "DescribeResourceTagsByResourceIds", ServiceType="cam", ResourcePrefix="uin", ResourceRegion="",
        ResourceIds=[str(uin)], Offset=45, Limit=15,
    )
    assert (page.TotalCount, len(page.Tags), page.Offset, page.Limit) == (50, 5, 45, 15)


def test_listings_refuse_what_they_cannot_answer(tag, refusal):
    good = {"ServiceType": "cvm", "ResourcePrefix": "instance", "ResourceRegion": REGION, "ResourceIds": ["a"]}
    for wrong, code in (
        ({"ServiceType": "nothing"}, "InvalidParameterValue.ServiceTypeInvalid"),
        ({"ResourcePrefix": ""}, "InvalidParameterValue.ResourcePrefixInvalid"),
        ({"ResourceRegion": "mars"}, "InvalidParameterValue.RegionInvalid"),
        ({"ResourceIds": []}, "InvalidParameterValue.ResourceIdInvalid"),
        ({"Limit": 0}, "FailedOperation"),
    ):
        assert refusal(tag, "DescribeResourceTagsByResourceIds", **good | wrong).code == code
    assert refusal(tag, "GetTags", PaginationToken="x").code == "InvalidParameter.PaginationTokenInvalid"
    assert refusal(tag, "GetResources", PaginationToken="x").code == "InvalidParameter.PaginationTokenInvalid"
    filters = [{"TagKey": str(at)} for at in range(7)]
    assert refusal(tag, "GetResources", TagFilters=filters).code == "LimitExceeded.TagNumPerRequest"
    assert refusal(tag, "GetResources", ResourceList=["nothing"]).code == "InvalidParameterValue.ResourceDescriptionError"
    assert refusal(tag, "DescribeTagKeys", CreateUin=1).code == "InvalidParameterValue.UinInvalid"


def test_a_project_from_its_creation_to_its_end(tag, refusal, unique):
    name = unique("project")
    made = tag("AddProject", ProjectName=name, Info="what for")
    assert made.IsNew == 1
    assert refusal(tag, "AddProject", ProjectName=name).code == "InvalidParameter.ProjectNameExisted"
    assert refusal(tag, "AddProject", ProjectName=" ").code == "FailedOperation"
    find = lambda everything=0: tag("DescribeProjects", AllList=everything, Limit=1000, Offset=0, ProjectId=made.ProjectId).Projects
    assert [(project.ProjectName, project.ProjectInfo) for project in find()] == [(name, "what for")]
    tag("UpdateProject", ProjectId=made.ProjectId, ProjectName=f"{name}-2", Disable=1)
    assert find() == [] and find(1)[0].ProjectName == f"{name}-2"
    disabled = refusal(tag, "UpdateProject", ProjectId=made.ProjectId, Info="again")
    assert disabled.code == "FailedOperation.ProjectDisabled"
    tag("UpdateProject", ProjectId=made.ProjectId, Info="again", Disable=0)
    assert find()[0].ProjectInfo == "again"
    assert refusal(tag, "UpdateProject", ProjectId=1, Info="").code == "ResourceNotFound.RecordNotFound"
    assert refusal(tag, "DescribeProjects", AllList=2, Limit=10, Offset=0).code == "InvalidParameter"


def test_a_condition_on_tags_opens_what_has_them(cloud, cam, tag, user, refusal, unique):
    staff, mine, other = user(UseApi=1), user(), user()
    own = organisation.cam(cloud, staff.SecretId, staff.SecretKey)
    statement = {
        "effect": "allow", "action": "cam:*", "resource": "*",
        "condition": {"for_any_value:string_equal": {"qcs:resource_tag": ["team&one"]}},
    }
    text = json.dumps({"version": "2.0", "statement": [statement]})
    id = cam("CreatePolicy", PolicyName=unique("by-tag"), PolicyDocument=text).PolicyId
    cam("AttachUserPolicy", PolicyId=id, AttachUin=staff.Uin)
    tag("ModifyResourceTags", Resource=f"qcs::cam::uin/:uin/{mine.Uin}", ReplaceTags=pairs(team="one"))
    tag("ModifyResourceTags", Resource=f"qcs::cam::uin/:uin/{other.Uin}", ReplaceTags=pairs(team="two"))
    assert own("GetUser", Name=mine.Name).Uin == mine.Uin
    assert refusal(own, "GetUser", Name=other.Name).code == "UnauthorizedOperation"
    tag("DeleteResourceTag", TagKey="team", Resource=f"qcs::cam::uin/:uin/{mine.Uin}")
    assert refusal(own, "GetUser", Name=mine.Name).code == "UnauthorizedOperation"


@pytest.fixture
def owner(cam):
    return cam("GetUserAppId").OwnerUin


@pytest.fixture
def allowed(cloud, cam, user, unique):
    """A sub-user with a policy of these statements: makes clients that sign with its key."""

    def allowed(*statements):
        staff = user(UseApi=1)
        text = json.dumps({"version": "2.0", "statement": list(statements)})
        id = cam("CreatePolicy", PolicyName=unique("tags"), PolicyDocument=text).PolicyId
        cam("AttachUserPolicy", PolicyId=id, AttachUin=staff.Uin)
        credential = Credential(staff.SecretId, staff.SecretKey)
        return lambda kind: Typed(kind(credential, REGION, sdk.profile(cloud)))

    return allowed


def test_who_may_tag_one_resource_may_not_tag_another(owner, tag, tagged, user, allowed, refusal):
    mine, other = (f"qcs::cam::uin/{owner}:uin/{user().Uin}" for _ in range(2))
    own = allowed({"effect": "allow", "action": "tag:*", "resource": mine})(TagClient)
    # However the resource is written.
    for name in (mine, mine.replace(owner, "", 1)):
        own("ModifyResourceTags", Resource=name, ReplaceTags=pairs(team="one"))
    own("AddResourceTag", Resource=mine, TagKey="stage", TagValue="test")
    own("DeleteResourceTag", Resource=mine, TagKey="stage")
    assert len(own("GetResources", ResourceList=[mine]).ResourceTagMappingList) == 1
    place = {"ServiceType": "cam", "ResourcePrefix": "uin", "ResourceRegion": ""}
    number = lambda name: name.rsplit("/", 1)[1]
    assert own("DescribeResourceTagsByResourceIds", ResourceIds=[number(mine)], **place).TotalCount == 1
    for action, parameters in {
        "ModifyResourceTags": {"Resource": other, "ReplaceTags": pairs(team="one")},
        "AddResourceTag": {"Resource": other, "TagKey": "team", "TagValue": "one"},
        "DeleteResourceTag": {"Resource": other, "TagKey": "team"},
        "GetResources": {"ResourceList": [mine, other]},
        "DescribeResourceTagsByResourceIds": {"ResourceIds": [number(mine), number(other)], **place},
    }.items():
        told = refusal(own, action, **parameters)
        assert (told.code, other in told.message) == ("UnauthorizedOperation", True), action
    # What names no resource, or none that there can be, is for those who may do it to all.
    for action, parameters in {
        "GetResources": {},
        "CreateTag": {"TagKey": "team", "TagValue": "one"},
        "ModifyResourceTags": {"Resource": "team", "ReplaceTags": pairs(team="one")},
    }.items():
        assert refusal(own, action, **parameters).code == "UnauthorizedOperation", action
    assert tagged("cam", "uin", number(mine)) == {"team": "one"} and tagged("cam", "uin", number(other)) == {}


def test_another_name_of_a_resource_is_no_way_around_a_denial(owner, user, allowed, refusal):
    id = user().Uin
    name = f"qcs::cam::uin/{owner}:uin/{id}"
    statements = [{"effect": effect, "action": "tag:*", "resource": on} for effect, on in (("allow", "*"), ("deny", name))]
    own = allowed(*statements)(TagClient)
    for other in (name, f"qcs::cam:{REGION}::uin/{id}", f"qcs::cam::uin/:uin/any/{id}", f"qcs::cam::uin/:uin/0{id}"):
        told = refusal(own, "ModifyResourceTags", Resource=other, ReplaceTags=pairs(team="one"))
        assert told.code == "UnauthorizedOperation", other


def test_conditions_see_the_tags_that_are_there_and_those_that_are_to_be(owner, tag, tagged, user, allowed, refusal):
    """Who may move resources of their team to a stage, and nothing else, cannot take those of others over."""
    mine, other = (str(user().Uin) for _ in range(2))
    name = "qcs::cam::uin/:uin/{}".format
    tag("ModifyResourceTags", Resource=name(mine), ReplaceTags=pairs(team="one"))
    condition = {
        "for_any_value:string_equal": {"qcs:resource_tag": ["team&one"]},
        "for_all_value:string_equal": {"qcs:request_tag": ["stage&test", "stage&live"]},
    }
    actions = ["tag:ModifyResourceTags", "tag:AddResourceTag"]
    own = allowed({"effect": "allow", "action": actions, "resource": "*", "condition": condition})(TagClient)
    own("AddResourceTag", Resource=name(mine), TagKey="stage", TagValue="test")
    own("ModifyResourceTags", Resource=name(mine), ReplaceTags=pairs(stage="live"))
    for parameters in (
        {"Resource": name(mine), "ReplaceTags": pairs(stage="none")},
        {"Resource": name(mine), "ReplaceTags": pairs(stage="test", team="two")},
        {"Resource": name(other), "ReplaceTags": pairs(stage="test")},
    ):
        assert refusal(own, "ModifyResourceTags", **parameters).code == "UnauthorizedOperation", parameters
    for id, key, value in ((mine, "team", "two"), (other, "team", "one"), (other, "stage", "test")):
        told = refusal(own, "AddResourceTag", Resource=name(id), TagKey=key, TagValue=value)
        assert told.code == "UnauthorizedOperation"
    assert (tagged("cam", "uin", mine), tagged("cam", "uin", other)) == ({"team": "one", "stage": "live"}, {})


def test_what_is_made_must_have_the_tags_that_the_policy_asks_for(tag, allowed, registries, refusal, unique):
    """At creation the tags of the request count, afterwards those of the resource; for keys and for registries."""
    on = lambda actions, key: {
        "effect": "allow", "action": actions, "resource": "*",
        "condition": {"for_any_value:string_equal": {key: ["team&build"]}},
    }
    own = allowed(
        on(["kms:CreateKey", "tcr:CreateInstance", "tcr:CreateNamespace"], "qcs:request_tag"),
        on(["kms:DescribeKey", "kms:GetPublicKey", "tcr:DeleteInstance", "tcr:ModifyInstance"], "qcs:resource_tag"),
    )
    keys, instances = own(KmsClient), own(TcrClient)
    new = {"KeyUsage": "ASYMMETRIC_SIGN_VERIFY_ECC"}
    for tags in ({}, {"Tags": pairs(team="other")}, {"Tags": pairs(build="team")}):
        assert refusal(keys, "CreateKey", Alias=unique("k"), **new, **tags).code == "UnauthorizedOperation", tags
    id = keys("CreateKey", Alias=unique("k"), **new, Tags=pairs(stage="test", team="build")).KeyId
    assert keys("DescribeKey", KeyId=id).KeyMetadata.KeyId == id

    kind = {"RegistryType": "premium"}
    cloud_tags = lambda **tags: {
        "TagSpecification": {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    }
    name = lambda: unique("by-tag")[:40]
    for tags in ({}, cloud_tags(team="other")):
        told = refusal(instances, "CreateInstance", RegistryName=name(), **kind, **tags)
        assert told.code == "UnauthorizedOperation", tags
    made = instances("CreateInstance", RegistryName=name(), **kind, **cloud_tags(team="build")).RegistryId
    instances("ModifyInstance", RegistryId=made, **kind, DeletionProtection=False)
    told = refusal(instances, "CreateNamespace", RegistryId=made, NamespaceName="plain", IsPublic=False)
    assert told.code == "UnauthorizedOperation"
    instances("CreateNamespace", RegistryId=made, NamespaceName="built", IsPublic=False, **cloud_tags(team="build"))

    resource = next(
        row.Resource for row in tag("GetResources", TagFilters=[{"TagKey": "team", "TagValue": ["build"]}], MaxResults=200)
        .ResourceTagMappingList if id in row.Resource
    )
    tag("ModifyResourceTags", Resource=resource, DeleteTags=[{"TagKey": "team"}])
    assert refusal(keys, "DescribeKey", KeyId=id).code == "UnauthorizedOperation"
    tag("ModifyResourceTags", Resource=f"qcs::tcr:{REGION}:uin/:instance/{made}", ReplaceTags=pairs(team="other"))
    assert refusal(instances, "DeleteInstance", RegistryId=made).code == "UnauthorizedOperation"
    registries("DeleteInstance", RegistryId=made, DeleteBucket=True)
