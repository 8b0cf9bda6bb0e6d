"""Rules over tags: those that may not change, those that go, and copies."""

import json

import images
import place as places
from cloud import eventually
from place import NOBODYS, refusal
from signatures import beside, cosign

GONE = "ResourceNotFound.TcrResourceNotFound"


def rule(tags="v*", repositories="**", **more):
    return {"RepositoryPattern": repositories, "TagPattern": tags, "RepositoryDecoration": "repoMatches", "TagDecoration": "matches"} | more


# -- immutable tags


def immutable(place, namespace):
    rows = place("DescribeImmutableTagRules", Page=1, PageSize=100).Rules
    return next((row for row in rows if row.NsName == namespace), None)


def test_an_immutable_tag_keeps_its_image(place, image):
    namespace, first, second = place.namespace(), image(), image()
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule())
    for tag in ("v1", "latest"):
        place.push(first, f"{namespace}/app:{tag}")
    # The same again changes nothing and is let in.
    place.push(first, f"{namespace}/app:v1")
    refused = place.push(second, f"{namespace}/app:v1", check=False)
    assert refused.returncode != 0 and "configured as immutable" in refused.stderr, refused.stderr
    place.push(second, f"{namespace}/app:latest")
    pulled = place.registry(f"{namespace}/app")
    assert pulled.get("manifests/v1").body == first.top and pulled.get("manifests/latest").body == second.top


def test_an_immutable_tag_is_not_deleted(place, image):
    namespace, layout = place.namespace(), image()
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule())
    place.push(layout, f"{namespace}/app:v1")
    pulled = place.registry(f"{namespace}/app")
    for reference in ("v1", layout.digest):
        reply = pulled.delete(f"manifests/{reference}")
        assert (reply.status, reply.codes) == (412, ["PRECONDITION"]), reply.body
    where = {"NamespaceName": namespace, "RepositoryName": "app"}
    assert refusal(place, "DeleteImage", ImageVersion="v1", **where) == "FailedOperation.PreconditionFailed"
    assert refusal(place, "DeleteRepositoryTags", Tags=["v1"], **where) == "FailedOperation.PreconditionFailed"
    assert place.tags(namespace, "app") == ["v1"]


def test_signatures_are_exempt(place, image, story, tmp_path):
    namespace, key = place.namespace(), story.key()
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule(tags=""))
    story.policy(place.id, namespace, key)
    layout = image()
    place.push(layout, f"{namespace}/app:v1")
    assert len(beside(place.login, f"{place.name}/{namespace}/app", layout.digest)) == 1
    # Signing again replaces what is under the tag of the signature.
    place("CreateSignature", NamespaceName=namespace, RepositoryName="app", ImageVersion="v1")
    assert cosign(tmp_path, place.login, f"{place.name}/{namespace}/app:v1", key.public, "cosign3")


def test_a_rule_is_changed_disabled_and_deleted(place, image):
    namespace, first, second = place.namespace(), image(), image()
    assert namespace in place("DescribeImmutableTagRules", Page=1, PageSize=100).EmptyNs
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule("{v*, release-?}", "app"))
    row = immutable(place, namespace)
    assert (row.TagPattern, row.RepositoryPattern, row.Disabled) == ("{v*, release-?}", "app", False)
    assert namespace not in place("DescribeImmutableTagRules", Page=1, PageSize=100).EmptyNs
    place.push(first, f"{namespace}/app:release-1")
    assert place.push(second, f"{namespace}/app:release-1", check=False).returncode != 0
    place("ModifyImmutableTagRules", NamespaceName=namespace, RuleId=row.RuleId, Rule=rule("latest", TagDecoration="excludes"))
    assert immutable(place, namespace).TagDecoration == "excludes"
    assert place.push(second, f"{namespace}/app:release-1", check=False).returncode != 0
    place("ModifyImmutableTagRules", NamespaceName=namespace, RuleId=row.RuleId, Rule=rule("", Disabled=True))
    place.push(second, f"{namespace}/app:release-1")
    place("DeleteImmutableTagRules", NamespaceName=namespace, RuleId=row.RuleId)
    assert immutable(place, namespace) is None


def test_what_immutable_rules_refuse(place):
    namespace = place.namespace()
    create = lambda **rules: refusal(place, "CreateImmutableTagRules", NamespaceName=namespace, Rule=rule(**rules))
    invalid = "InvalidParameter.ErrorTcrInvalidParameter"
    assert create(RepositoryDecoration="matches") == invalid
    assert create(TagDecoration="repoMatches") == invalid
    assert create(tags="{") == invalid
    assert refusal(place, "CreateImmutableTagRules", NamespaceName="nowhere", Rule=rule()) == "ResourceNotFound"
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule())
    assert create() == "InternalError.ErrorTcrResourceConflict"
    assert refusal(place, "ModifyImmutableTagRules", NamespaceName=namespace, RuleId=99999, Rule=rule()) == invalid
    assert refusal(place, "DeleteImmutableTagRules", NamespaceName=namespace, RuleId=99999) == "ResourceNotFound"
    assert refusal(place.call, "DescribeImmutableTagRules", RegistryId=NOBODYS) == "ResourceNotFound"


# -- retention


def retention(place, namespace):
    """The namespace's rule."""
    (row,) = place("DescribeTagRetentionRules", NamespaceName=namespace).RetentionPolicyList
    return row


def kept(place, namespace, key="latestPushedK", value=1, **more):
    rule = {"Key": key, "Value": value}
    place("CreateTagRetentionRule", **{"NamespaceId": place.namespace_id(namespace), "CronSetting": "manual", "RetentionRule": rule} | more)
    return retention(place, namespace).RetentionId


def carried_out(place, id, dry_run=False):
    """The parts of a run that was just asked for."""
    place("CreateTagRetentionExecution", RetentionId=id, DryRun=dry_run)
    newest = lambda: place("DescribeTagRetentionExecution", RetentionId=id).RetentionExecutionList[0]
    run = eventually("the run ends", lambda: newest() if newest().Status != "InProgress" else None)
    assert run.Status == "Succeed" and run.RetentionId == id and run.EndTime >= run.StartTime
    rows = place("DescribeTagRetentionExecutionTask", RetentionId=id, ExecutionId=run.ExecutionId).RetentionTaskList
    return {row.Repository: (row.Total, row.Retained, row.Status) for row in rows}


def test_the_newest_images_stay(place, image):
    namespace = place.namespace()
    layouts = {tag: image() for tag in ("a", "b", "c", "d")}
    for tag, layout in layouts.items():
        place.push(layout, f"{namespace}/app:{tag}")
    place.push(image(), f"{namespace}/other:1")
    # A sibling of the oldest tag, pushed last: the image counts as new.
    place.push(layouts["a"], f"{namespace}/app:again")
    id = kept(place, namespace, value=2)
    assert carried_out(place, id, dry_run=True) == {"app": (4, 2, "Succeed"), "other": (1, 1, "Succeed")}
    assert place.tags(namespace, "app") == ["a", "again", "b", "c", "d"]
    assert carried_out(place, id) == {"app": (4, 2, "Succeed"), "other": (1, 1, "Succeed")}
    assert place.tags(namespace, "app") == ["a", "again", "d"]
    pulled = place.registry(f"{namespace}/app")
    assert pulled.get(f"manifests/{layouts['b'].digest}").status == 404
    assert pulled.get(f"manifests/{layouts['a'].digest}").status == 200
    assert len(place("DescribeTagRetentionExecution", RetentionId=id).RetentionExecutionList) == 2


def test_items_keep_what_any_of_them_keeps(place, image):
    namespace = place.namespace()
    for tag in ("v1", "v2", "dev1", "dev2", "other"):
        place.push(image(), f"{namespace}/app:{tag}")
    place.push(image(), f"{namespace}/left/alone:1")
    item = lambda tags, value, decoration="matches": {
        "RetentionPolicy": {"Key": "latestPushedK", "Value": value},
        "TagFilter": {"Decoration": decoration, "Pattern": tags},
        "RepositoryFilter": {"Decoration": "repoMatches", "Pattern": "app"},
    }
    items = [item("v*", 1), item("{v*, other}", 1, "excludes")]
    id = kept(place, namespace, AdvancedRuleItems=items)
    row = retention(place, namespace)
    assert [one.TagFilter.Pattern for one in row.AdvancedRuleItems] == ["v*", "{v*, other}"]
    assert [one.Key for one in row.RetentionRuleList] == ["latestPushedK", "latestPushedK"]
    assert carried_out(place, id) == {"app": (5, 2, "Succeed")}
    assert place.tags(namespace, "app") == ["dev2", "v2"]
    assert place.tags(namespace, "left/alone") == ["1"]


def test_days_keep_what_is_younger(place, image):
    namespace = place.namespace()
    place.push(image(), f"{namespace}/app:1")
    id = kept(place, namespace, "nDaysSinceLastPush", 1)
    assert carried_out(place, id) == {"app": (1, 1, "Succeed")}
    change = lambda value: place(
        "ModifyTagRetentionRule", NamespaceId=place.namespace_id(namespace), CronSetting="manual", RetentionId=id,
        RetentionRule={"Key": "nDaysSinceLastPush", "Value": value},
    )
    change(0)
    assert carried_out(place, id) == {"app": (1, 0, "Succeed")}
    assert place.tags(namespace, "app") == []


def test_an_index_keeps_its_images_and_their_signatures_go_with_them(place, image, story, tmp_path, unique):
    namespace, key = place.namespace(), story.key()
    story.policy(place.id, namespace, key)
    index = images.multi(tmp_path / "index", unique("many"))
    child = json.loads(index.top)["manifests"][0]["digest"]
    old = image()
    place.push(old, f"{namespace}/app:old")
    place.push(index, f"{namespace}/app:1")
    pulled = place.registry(f"{namespace}/app")
    assert pulled.put_manifest("child", pulled.get(f"manifests/{child}").body).status == 201
    place.push(index, f"{namespace}/app:2")
    name = f"{place.name}/{namespace}/app"
    assert beside(place.login, name, old.digest)
    assert carried_out(place, kept(place, namespace)) == {"app": (3, 1, "Succeed")}
    assert place.tags(namespace, "app") == ["1", "2"]
    assert place.skopeo().pull(f"{name}:1", tmp_path / "pulled").returncode == 0
    assert pulled.get(f"manifests/{child}").status == 200
    assert beside(place.login, name, index.digest) and not beside(place.login, name, old.digest)
    assert cosign(tmp_path, place.login, f"{name}:1", key.public, "cosign3")


def test_immutable_images_stay(place, image):
    namespace = place.namespace()
    for tag in ("v1", "dev", "last"):
        place.push(image(), f"{namespace}/app:{tag}")
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule())
    assert carried_out(place, kept(place, namespace)) == {"app": (3, 2, "Succeed")}
    assert place.tags(namespace, "app") == ["last", "v1"]


def test_a_schedule_has_a_next_time(place):
    namespace = place.namespace()
    id = kept(place, namespace, CronSetting="weekly")
    assert retention(place, namespace).NextExecutionTime.endswith("T00:00:00Z")
    where = {"NamespaceId": place.namespace_id(namespace), "RetentionId": id}
    place("ModifyTagRetentionRule", CronSetting="daily", Disabled=True, **where)
    row = retention(place, namespace)
    assert (row.CronSetting, row.Disabled, row.NextExecutionTime) == ("daily", True, "0001-01-01T00:00:00Z")
    assert (row.RetentionRuleList[0].Key, row.RetentionRuleList[0].Value) == ("latestPushedK", 1)
    place("DeleteTagRetentionRule", RetentionId=id)
    assert place("DescribeTagRetentionRules", NamespaceName=namespace).TotalCount == 0


def test_what_retention_refuses(place):
    namespace = place.namespace()
    number = place.namespace_id(namespace)
    create = lambda **more: refusal(
        place, "CreateTagRetentionRule",
        **{"NamespaceId": number, "CronSetting": "manual", "RetentionRule": {"Key": "latestPushedK", "Value": 1}} | more,
    )
    assert create(CronSetting="0 0 * * *") == "InvalidParameter"
    assert create(RetentionRule={"Key": "latestPulledK", "Value": 1}) == "InvalidParameter"
    assert create(RetentionRule={"Key": "latestPushedK", "Value": -1}) == "InvalidParameter"
    assert create(NamespaceId=99999) == "ResourceNotFound"
    assert refusal(place, "CreateTagRetentionRule", NamespaceId=number, CronSetting="manual") == "MissingParameter"
    id = kept(place, namespace)
    assert create() == "InternalError.ErrConflict"
    other = place.namespace_id(place.namespace())
    modify = lambda **more: refusal(
        place, "ModifyTagRetentionRule", **{"NamespaceId": number, "CronSetting": "manual", "RetentionId": id} | more
    )
    assert modify(NamespaceId=other) == "InvalidParameter.ErrorTcrInvalidParameter"
    assert modify(RetentionId=99999) == "InternalError.ErrNotExist"
    for action in ("CreateTagRetentionExecution", "DescribeTagRetentionExecution", "DeleteTagRetentionRule"):
        assert refusal(place, action, RetentionId=99999) == "InternalError.ErrNotExist"
    assert refusal(place, "DescribeTagRetentionExecutionTask", RetentionId=id, ExecutionId=99999) == "ResourceNotFound"
    assert refusal(place.call, "DescribeTagRetentionRules", RegistryId=NOBODYS) == "ResourceNotFound"


def test_a_run_survives_a_power_cut(start, home, unique, image):
    cloud = start()
    place = places.instance(cloud, home, unique)
    namespace = place.namespace()
    for tag in ("1", "2"):
        place.push(image(), f"{namespace}/app:{tag}")
    id = kept(place, namespace)
    place("CreateTagRetentionExecution", RetentionId=id)
    cloud.kill()
    cloud.start()
    place = places.Instance(place.id, place.name, place.login, places.client(cloud), home, unique)
    status = lambda: place("DescribeTagRetentionExecution", RetentionId=id).RetentionExecutionList[0].Status
    eventually("the run ends", lambda: status() == "Succeed")
    assert place.tags(namespace, "app") == ["2"]


# -- tags and copies


def test_tags_are_deleted_and_their_siblings_stay(place, image):
    namespace, layout = place.namespace(), image()
    for tag in ("1", "2", "3"):
        place.push(layout, f"{namespace}/app:{tag}")
    where = {"NamespaceName": namespace, "RepositoryName": "app"}
    place("DeleteRepositoryTags", Tags=["1", "3"], **where)
    assert place.tags(namespace, "app") == ["2"]
    assert place.registry(f"{namespace}/app").get("manifests/2").body == layout.top
    # All or none.
    assert refusal(place, "DeleteRepositoryTags", Tags=["2", "nothing"], **where) == GONE
    assert place.tags(namespace, "app") == ["2"]
    invalid = "InvalidParameter.ErrorTcrInvalidParameter"
    assert refusal(place, "DeleteRepositoryTags", Tags=[str(number) for number in range(21)], **where) == invalid


def test_a_copy_is_whole_and_keeps_its_signatures(place, story, tmp_path, unique):
    source, target, key = place.namespace(), place.namespace(), story.key()
    story.policy(place.id, source, key)
    index = images.multi(tmp_path / "index", unique("many"))
    place.push(index, f"{source}/app:1")
    signed = {row.ImageVersion: row.KmsSignature for row in place("DescribeImages", NamespaceName=source, RepositoryName="app").ImageInfoList}
    place(
        "DuplicateImage", SourceNamespace=source, SourceRepo="app", SourceReference="1",
        DestinationNamespace=target, DestinationRepo="deep/copy", DestinationTag="v1",
    )
    (row,) = place("DescribeImages", NamespaceName=target, RepositoryName="deep/copy").ImageInfoList
    assert (row.ImageVersion, row.Digest, row.KmsSignature) == ("v1", index.digest, signed["1"]) and row.KmsSignature
    # The source may go: the copy stands alone.
    place("DeleteRepository", NamespaceName=source, RepositoryName="app")
    name = f"{place.name}/{target}/deep/copy"
    assert place.skopeo().pull(f"{name}:v1", tmp_path / "pulled").returncode == 0
    for digest in (index.digest, *(child["digest"] for child in json.loads(index.top)["manifests"])):
        for tool in ("cosign", "cosign3"):
            assert cosign(tmp_path, place.login, f"{name}@{digest}", key.public, tool)


def test_a_tag_is_copied_beside_itself(place, image):
    namespace, layout, other = place.namespace(), image(), image()
    place.push(layout, f"{namespace}/app:1")
    place.push(other, f"{namespace}/app:2")
    copy = {"SourceNamespace": namespace, "SourceRepo": "app", "SourceReference": "1"}
    place("DuplicateImage", DestinationTag="3", **copy)
    assert place.registry(f"{namespace}/app").get("manifests/3").body == layout.top
    assert refusal(place, "DuplicateImage", DestinationTag="2", **copy) == "InternalError.ErrorTcrResourceConflict"
    place("DuplicateImage", DestinationTag="2", Override=True, **copy)
    assert place.registry(f"{namespace}/app").get("manifests/2").body == layout.top


def test_what_copies_refuse(place, image):
    namespace = place.namespace()
    place.push(image(), f"{namespace}/app:1")
    copy = lambda **more: refusal(
        place, "DuplicateImage",
        **{"SourceNamespace": namespace, "SourceRepo": "app", "SourceReference": "1", "DestinationTag": "2"} | more,
    )
    invalid = "InvalidParameter.ErrorTcrInvalidParameter"
    assert copy(DestinationTag="no tag") == copy(DestinationTag=f"sha256-{'0' * 64}.sig") == invalid
    assert copy(DestinationRepo="No Name") == invalid
    assert copy(DestinationNamespace="nowhere") == "ResourceNotFound"
    assert copy(SourceReference="9") == copy(SourceRepo="nothing") == GONE
    place("CreateImmutableTagRules", NamespaceName=namespace, Rule=rule("v1"))
    place.push(image(), f"{namespace}/app:v1")
    assert copy(DestinationTag="v1", Override=True) == "FailedOperation.PreconditionFailed"
