"""Synchronisation: what is pushed to one instance is copied to another."""

import json
import uuid

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

import images
import place as places
from cloud import eventually
from place import NOBODYS, refusal
from signatures import cosign

INVALID, GONE = "InvalidParameter", "ResourceNotFound"


@pytest.fixture(scope="module")
def both(cloud, tmp_path_factory):
    unique = lambda stem: f"{stem}-{uuid.uuid4().hex[:8]}"
    return [places.instance(cloud, tmp_path_factory.mktemp("home"), unique) for _ in range(2)]


def filters(name="**", tag="**", resource=""):
    return [{"Type": "name", "Value": name}, {"Type": "tag", "Value": tag}, {"Type": "resource", "Value": resource}]


def manage(source, target, namespace, **more):
    """A rule for one namespace; its name."""
    name = source.unique("rule")
    rule = {"Name": name, "DestNamespace": "", "Override": True, "Filters": filters(f"{namespace}/**"), "Deletion": True} | more
    source.call("ManageReplication", SourceRegistryId=source.id, DestinationRegistryId=target.id, Rule=rule, Description="all of it")
    return name


def policy(source, name):
    rows = source("DescribeReplicationPolicies").ReplicationPolicyInfoList
    return next((row for row in rows if row.Name == name), None)


def runs(source, name):
    return source("DescribeReplicationExecutions", PolicyId=policy(source, name).ID).ReplicationExecutionList


def settled(source, name, count):
    def over():
        rows = runs(source, name)
        return rows if len(rows) == count and all(row.Status != "InProgress" for row in rows) else None

    return eventually(f"{count} runs of {name}", over)


def test_a_push_arrives_with_its_signatures(both, story, tmp_path, unique):
    source, target = both
    namespace, key = source.namespace(), story.key()
    story.policy(source.id, namespace, key)
    name = manage(source, target, namespace)
    index = images.multi(tmp_path / "index", unique("many"))
    source.push(index, f"{namespace}/deep/app:v1")
    (run,) = settled(source, name, 1)
    assert (run.Status, run.Total, run.Succeed) == ("Succeed", 1, 1) and run.EndTime >= run.StartTime
    (task,) = source("DescribeReplicationTasks", ExecutionId=run.ExecutionID if hasattr(run, "ExecutionID") else run.ExecutionId).ReplicationTaskList
    assert (task.ResourceType, task.SrcResource, task.Status) == ("image", f"{namespace}/deep/app:[v1]", "Succeed")
    # The namespace has been made, and the copy stands alone.
    place = f"{target.name}/{namespace}/deep/app"
    source("DeleteRepository", NamespaceName=namespace, RepositoryName="deep/app")
    assert target.skopeo().pull(f"{place}:v1", tmp_path / "pulled").returncode == 0
    for digest in (index.digest, *(child["digest"] for child in json.loads(index.top)["manifests"])):
        assert cosign(tmp_path, target.login, f"{place}@{digest}", key.public, "cosign3")
    (row,) = target("DescribeImages", NamespaceName=namespace, RepositoryName="deep/app").ImageInfoList
    assert row.Digest == index.digest and row.KmsSignature


def test_filters_and_another_namespace(both, image):
    source, target = both
    namespace, elsewhere = source.namespace(), target.unique("space")
    name = manage(source, target, namespace, DestNamespace=elsewhere, Filters=filters(f"{namespace}/app", "v*", "image"))
    layout = image()
    source.push(layout, f"{namespace}/other:v1")
    source.push(layout, f"{namespace}/app:latest")
    source.push(layout, f"{namespace}/app:v1")
    settled(source, name, 1)
    assert target.tags(elsewhere, "app") == ["v1"]
    row = policy(source, name)
    assert row.SrcResource == f"{source.id}/{namespace}/app ap-guangzhou" and row.DestResource == f"{target.id}/{elsewhere}/app ap-guangzhou"
    assert (row.Description, row.Override, row.Enabled, [one.Value for one in row.Filters]) == ("all of it", True, True, [f"{namespace}/app", "v*", "image"])


def test_what_is_there_is_replaced_only_where_the_rule_says_so(both, image):
    source, target = both
    namespace, ours, theirs = source.namespace(), image(), image()
    target("CreateNamespace", NamespaceName=namespace, IsPublic=False)
    target.push(theirs, f"{namespace}/app:1")
    name = manage(source, target, namespace, Override=False)
    source.push(ours, f"{namespace}/app:1")
    settled(source, name, 1)
    assert target.registry(f"{namespace}/app").get("manifests/1").body == theirs.top
    source.call("ModifyReplication", SourceRegistryId=source.id, RuleName=name, Rule={"Override": True})
    source.push(image(), f"{namespace}/app:1")
    source.push(ours, f"{namespace}/app:1")
    settled(source, name, 3)
    assert target.registry(f"{namespace}/app").get("manifests/1").body == ours.top


def test_deletions_follow_and_two_rules_come_to_rest(both, image):
    source, target = both
    namespace, layout = source.namespace(), image()
    there = manage(source, target, namespace)
    back = manage(target, source, namespace)
    source.push(layout, f"{namespace}/app:1")
    settled(source, there, 1)
    # The copy came back as no news.
    settled(target, back, 1)
    assert source.tags(namespace, "app") == target.tags(namespace, "app") == ["1"]
    source("DeleteRepositoryTags", NamespaceName=namespace, RepositoryName="app", Tags=["1"])
    settled(source, there, 2)
    settled(target, back, 2)
    assert source.tags(namespace, "app") == target.tags(namespace, "app") == []
    assert len(runs(source, there)) == len(runs(target, back)) == 2


def test_a_disabled_rule_rests_and_a_deleted_one_is_gone(both, image):
    source, target = both
    namespace = source.namespace()
    name = manage(source, target, namespace)
    source.call("ModifyReplication", SourceRegistryId=source.id, RuleName=name, Rule={"Enabled": False})
    source.push(image(), f"{namespace}/app:1")
    assert policy(source, name).Enabled is False and runs(source, name) == []
    source.call("DeleteReplicationRule", SourceRegistryId=source.id, RuleName=name)
    assert policy(source, name) is None


def test_a_run_survives_a_kill(start, home, unique, image):
    cloud = start()
    source, target = (places.instance(cloud, home, unique) for _ in range(2))
    namespace, layout = source.namespace(), image()
    name = manage(source, target, namespace)
    source.push(layout, f"{namespace}/app:1")
    cloud.kill()
    cloud.start()
    source, target = (places.Instance(one.id, one.name, one.login, places.client(cloud), home, unique) for one in (source, target))
    settled(source, name, 1)
    assert target.tags(namespace, "app") == ["1"]


def test_what_rules_refuse(both, cloud, home, unique):
    source, target = both
    namespace = source.namespace()
    name = manage(source, target, namespace)
    rule = {"Name": "fresh", "DestNamespace": "", "Override": True, "Filters": filters()}

    def create(source=source.id, target=target.id, more={}, **changes):
        return refusal(both[0].call, "ManageReplication", SourceRegistryId=source, DestinationRegistryId=target, Rule=rule | changes, **more)

    assert create(Name=name) == "InternalError.ErrorTcrResourceConflict"
    assert create(Name="No Name") == create(DestNamespace="No") == create(target=source.id) == INVALID
    assert create(Filters=[{"Type": "size", "Value": "1"}]) == create(Filters=filters(resource="model")) == create(Filters=filters(name="{")) == INVALID
    assert create(more={"DestinationRegionId": 4}) == INVALID
    assert create(source=NOBODYS) == create(target=NOBODYS) == GONE
    assert create(target=places.instance(cloud, home, unique, "basic").id) == "UnsupportedOperation"
    peer = {"PeerRegistryUin": target.login.username, "PeerRegistryToken": "wrong", "EnablePeerReplication": True}
    assert create(more={"PeerReplicationOption": peer}) == "UnauthorizedOperation"
    one = {"SourceRegistryId": source.id}
    assert refusal(source.call, "ModifyReplication", RuleName="nobodys", Rule={"Enabled": True}, **one) == GONE
    assert refusal(source.call, "DeleteReplicationRule", RuleName="nobodys", **one) == GONE
    assert refusal(source, "DescribeReplicationTasks", ExecutionId=99999) == GONE
    invalid = "InvalidParameter.ErrorTcrInvalidParameter"
    assert refusal(source, "DescribeReplicationExecutions", ReplicationInstanceId="tcr-1-5-x") == invalid
    assert refusal(source.call, "DescribeReplicationPolicies", RegistryId=NOBODYS) == invalid


def test_a_token_of_the_other_side_opens_it(both, image):
    source, target = both
    namespace = source.namespace()
    token = target("CreateInstanceToken", TokenType="longterm")
    peer = {"PeerRegistryUin": token.Username, "PeerRegistryToken": token.Token, "EnablePeerReplication": True}
    name = source.unique("rule")
    rule = {"Name": name, "DestNamespace": "", "Override": True, "Filters": filters(f"{namespace}/**")}
    source.call("ManageReplication", SourceRegistryId=source.id, DestinationRegistryId=target.id, Rule=rule, PeerReplicationOption=peer)
    source.push(image(), f"{namespace}/app:1")
    assert settled(source, name, 1)[0].Status == "Succeed"
    target("DeleteInstanceToken", TokenId=token.TokenId)
    source.push(image(), f"{namespace}/app:2")
    assert settled(source, name, 2)[0].Status == "Failed"
    assert target.tags(namespace, "app") == ["1"]


# -- replicas


def test_a_replica_is_deployed_and_holds_its_instance(cloud, home, unique):
    place = places.instance(cloud, home, unique)
    id = place("CreateReplicationInstance", ReplicationRegionName="ap-shanghai").ReplicationRegistryId
    assert id.startswith(f"{place.id}-4-") and len(id) == len(place.id) + 9
    rows = lambda: place("DescribeReplicationInstances").ReplicationRegistries
    assert [(row.ReplicationRegistryId, row.ReplicationRegionId, row.ReplicationRegionName, row.Status) for row in rows()] == [(id, 4, "ap-shanghai", "Deploying")]
    which = {"ReplicationRegistryId": id, "ReplicationRegionId": 4}
    creation = lambda **more: place.call("DescribeReplicationInstanceCreateTasks", **which | more)
    making = creation()
    [task] = making.TaskDetail
    assert making.Status == task.TaskStatus == ("SUCCESS" if task.FinishedTime else "RUNNING")
    eventually("it runs", lambda: rows()[0].Status == "Running")
    made = creation()
    [done] = made.TaskDetail
    assert (made.Status, done.TaskStatus, done.TaskUUID, done.TaskMessage) == ("SUCCESS", "SUCCESS", task.TaskUUID, "")
    assert done.TaskName == task.TaskName and rows()[0].CreatedAt == done.CreatedTime < done.FinishedTime
    assert refusal(creation, ReplicationRegionId=5) == refusal(creation, ReplicationRegistryId=f"{place.id}-4-nobody") == INVALID
    assert refusal(creation, ReplicationRegistryId=NOBODYS) == INVALID
    assert refusal(place, "CreateReplicationInstance", ReplicationRegionId=4) == "InvalidParameter.ReplicationExists"
    assert refusal(place, "ModifyInstance", RegistryType="standard") == "OperationDenied"
    assert refusal(place, "DeleteInstance") == "InternalError.ErrorConflict"
    which = {"ReplicationRegistryId": id}
    assert refusal(place, "DeleteReplicationInstance", ReplicationRegionId=5, **which) == INVALID
    place("DeleteReplicationInstance", ReplicationRegionId=4, **which)
    assert place("DescribeReplicationInstances").TotalCount == 0
    place("DeleteInstance")


def test_what_replicas_refuse(both, cloud, home, unique):
    source, _ = both
    create = lambda **more: refusal(source, "CreateReplicationInstance", **more)
    unsupported = "InvalidParameter.UnsupportedRegion"
    assert create(ReplicationRegionName="ap-nowhere") == create(ReplicationRegionName="ap-guangzhou") == create(ReplicationRegionId=999) == unsupported
    assert create() == "MissingParameter"
    basic = places.instance(cloud, home, unique, "basic")
    assert refusal(basic, "CreateReplicationInstance", ReplicationRegionId=4) == "UnsupportedOperation"
    assert refusal(source.call, "DescribeReplicationInstances", RegistryId=NOBODYS) == INVALID


@pytest.mark.parametrize(
    ("action", "parameters", "why"),
    [
        ("DescribeReplicationInstanceSyncStatus", {"ReplicationRegistryId": "tcr-1-4-x"}, "nothing is copied"),
        ("DescribeInternalEndpoints", {}, "no VPC"),
        ("ModifyInstanceStorage", {"TargetRegion": "ap-shanghai", "TargetStorageName": "layers"}, "--blobs"),
    ],
)
def test_what_no_machine_alone_has_says_why(both, action, parameters, why):
    with pytest.raises(TencentCloudSDKException) as refused:
        both[0](action, **parameters)
    assert refused.value.code == "UnsupportedOperation" and why in refused.value.message
