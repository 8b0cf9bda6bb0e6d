"""The life of an instance: ordered, initialised, used, resized, isolated, activated, destroyed."""

import os
import signal

import pytest

from cloud import eventually
from databases import INIT, ZONE, Databases, Instance, servers
from tencent import Tccli, TccliError


def test_an_instance_answers_when_it_says_that_it_runs(databases):
    made = databases("CreateHourDBInstance", Zones=[ZONE], NodeCount=1, Memory=2, Storage=20, InitParams=INIT, InstanceName="订单-1")
    instance = Instance(databases, made["InstanceIds"][0])
    instance.becomes(2)
    assert databases.flow(made["FlowId"]) == 0
    order = databases("DescribeOrders", DealNames=[made["DealName"]])["Deals"][0]
    assert (order["InstanceIds"], order["FlowId"], order["PayMode"]) == ([instance.id], made["FlowId"], 0)
    row = instance.row
    assert row["Vip"].startswith("127.") and row["Vport"] == 3306 and row["InstanceName"] == "订单-1"
    instance.account()
    assert instance.sql("SELECT 1") == ["1"]
    detail = instance("DescribeDBInstanceDetail")
    assert (detail["Status"], detail["Vip"], detail["NodesInfo"][0]["Role"]) == (2, row["Vip"], "master")
    assert instance.sql("SELECT VERSION()")[0].startswith(detail["DbVersion"].split("-")[0])
    assert float(detail["StorageUsage"]) > 0
    nodes = instance("DescribeInstanceNodeInfo")
    assert nodes["TotalCount"] == 1 and nodes["NodesInfo"] == detail["NodesInfo"]
    (process,) = instance.processes()
    instance.destroy()
    assert not os.path.exists(f"/proc/{process}") and not instance.directory.exists()
    assert databases.list(InstanceIds=[instance.id]) == []
    assert instance.refused("DescribeDBInstanceDetail") == "ResourceNotFound.NoInstanceFound"


def test_an_instance_without_initial_parameters_waits_for_them(databases):
    instance = databases.create(InitParams=[])
    assert instance.row["Status"] == 3 and not instance.processes()
    assert instance.refused("CreateAccount", UserName="app", Host="%", Password="Secret-123") == (
        "ResourceUnavailable.InstanceStatusAbnormal"
    )
    init = [{"Param": "innodb_page_size", "Value": "8192"}, {"Param": "lower_case_table_names", "Value": "0"}]
    ids = {"InstanceIds": [instance.id]}
    assert databases.refused("InitDBInstances", **ids, Params=init) == "InvalidParameterValue.IllegalInitParam"
    begun = databases("InitDBInstances", **ids, Params=[*init, {"Param": "character_set_server", "Value": "latin1"}])
    assert begun["InstanceIds"] == [instance.id] and databases.flow(begun["FlowId"]) == 0
    instance.account()
    fixed = "SELECT @@innodb_page_size, @@lower_case_table_names, @@character_set_server"
    assert instance.sql(fixed) == ["8192\t0\tlatin1"]
    assert databases.refused("InitDBInstances", **ids, Params=INIT) == "ResourceUnavailable.BadInstanceStatus"
    instance.destroy()


def test_isolation_closes_the_address_and_keeps_the_data(databases):
    instance = databases.create()
    instance.account()
    instance.sql("CREATE DATABASE kept; CREATE TABLE kept.t (x INT); INSERT INTO kept.t VALUES (42)")
    ids = {"InstanceIds": [instance.id]}
    isolated = databases("IsolateHourDBInstance", **ids)
    assert (isolated["SuccessInstanceIds"], isolated["FailedInstanceIds"]) == ([instance.id], [])
    instance.becomes(-1)
    assert not instance.processes() and "Can't connect" in instance.sql("SELECT 1", check=False)
    assert databases("IsolateHourDBInstance", **ids)["FailedInstanceIds"] == [instance.id]
    assert databases.refused("RestartDBInstances", **ids) == "ResourceUnavailable.InstanceStatusAbnormal"
    assert instance.refused("ModifyDBInstanceName", InstanceName="no") == "ResourceUnavailable.InstanceStatusAbnormal"
    assert databases("ActivateHourDBInstance", **ids)["SuccessInstanceIds"] == [instance.id]
    instance.becomes(2)
    assert instance.sql("SELECT x FROM kept.t") == ["42"]
    assert databases("ActivateHourDBInstance", **ids)["FailedInstanceIds"] == [instance.id]
    unknown = {"InstanceIds": ["tdsql-00000000"]}
    for action in ("IsolateHourDBInstance", "ActivateHourDBInstance", "IsolateDBInstance"):
        assert databases.refused(action, **unknown) == "ResourceNotFound.NoInstanceFound"
    instance.destroy()


def test_what_is_paid_in_advance_is_renewed_isolated_and_destroyed(databases):
    made = databases("CreateDBInstance", Zones=[ZONE], NodeCount=1, Memory=2, Storage=20, Period=1, AutoRenewFlag=1)
    instance = Instance(databases, made["InstanceIds"][0])
    instance.becomes(2)
    before = instance.row
    assert (before["Paymode"], before["AutoRenewFlag"]) == ("prepaid", 1)
    assert instance.refused("DestroyHourDBInstance") == "InvalidParameter.NotSupportedPayMode"
    assert instance.refused("DestroyDBInstance") == "ResourceUnavailable.InstanceStatusAbnormal"
    assert instance.refused("RenewDBInstance", Period=0).startswith("InvalidParameter")
    deal = instance("RenewDBInstance", Period=2)["DealName"]
    assert databases("DescribeOrders", DealNames=[deal])["Deals"][0]["PayMode"] == 1
    assert instance.row["PeriodEndTime"] > before["PeriodEndTime"]
    assert instance("DescribeRenewalPrice", Period=2)["Price"] == 2 * instance("DescribeRenewalPrice")["Price"] > 0
    instance("UpgradeDBInstance", Memory=4, Storage=30)
    eventually("its new size", lambda: (instance.row["Memory"], instance.row["Storage"]) == (4, 30))
    assert instance.refused("UpgradeDBInstance", Memory=5, Storage=30) == "InvalidParameter.SpecNotFound"
    assert databases("IsolateDBInstance", InstanceIds=[instance.id])["SuccessInstanceIds"] == [instance.id]
    instance.becomes(-1)
    instance("RenewDBInstance", Period=1)
    instance.becomes(2)
    databases("IsolateDBInstance", InstanceIds=[instance.id])
    instance.becomes(-1)
    instance.does("DestroyDBInstance")
    assert not instance.directory.exists()
    assert databases("DescribeDBInstances", InstanceIds=[instance.id])["TotalCount"] == 0


def test_names_projects_protection_and_size_change(databases):
    instance = databases.create(ResourceTags=[{"TagKey": "team", "TagValue": "blue"}], SecurityGroupIds=["sg-abcd1234"])
    instance.account()
    assert instance("ModifyDBInstanceName", InstanceName="renamed")["InstanceId"] == instance.id
    assert instance.refused("ModifyDBInstanceName", InstanceName="a b") == "InvalidParameterValue.InstanceNameIllegal"
    databases("ModifyDBInstancesProject", InstanceIds=[instance.id], ProjectId=7)
    refused = databases.refused("ModifyDBInstancesProject", InstanceIds=[instance.id], ProjectId=-1)
    assert refused == "InvalidParameter.IllegalParameterError"
    instance("ModifyInstanceProtectedProperty", ProtectedProperty=1)
    assert instance.refused("ModifyInstanceProtectedProperty", ProtectedProperty=2).startswith("InvalidParameter")
    assert instance.refused("DestroyHourDBInstance") == "FailedOperation.InstanceCanNotReturn"
    row = instance.row
    assert (row["InstanceName"], row["ProjectId"], row["ProtectedProperty"]) == ("renamed", 7, 1)
    assert row["ResourceTags"] == [{"TagKey": "team", "TagValue": "blue"}]
    pool = "SELECT @@innodb_buffer_pool_size"
    small = int(instance.sql(pool)[0])
    assert instance("DescribeUpgradePrice", Memory=16, Storage=20)["Price"] > 0
    assert instance.refused("DescribeUpgradePrice", Memory=17, Storage=20) == "InvalidParameter.SpecNotFound"
    instance("UpgradeHourDBInstance", Memory=16, Storage=40)
    eventually("its new size", lambda: instance.row["Memory"] == 16 and instance.row["Status"] == 2)
    assert int(instance.sql(pool)[0]) == 8 * small
    assert instance.refused("UpgradeHourDBInstance", Memory=16, Storage=20).startswith("InvalidParameter")
    for filters in (
        {"SearchName": "instancename", "SearchKey": "name"},
        {"SearchName": "vip", "SearchKey": row["Vip"]},
        {"ProjectIds": [7]},
        {"TagKeys": ["team"]},
        {"Status": [2]},
        {"OrderBy": "createtime", "OrderByType": "asc"},
    ):
        assert instance.id in [found["InstanceId"] for found in databases.list(**filters)]
    for filters in ({"ProjectIds": [8]}, {"ExcludeStatus": [2]}, {"FilterInstanceType": "3"}, {"SearchKey": "nobody"}):
        assert instance.id not in [found["InstanceId"] for found in databases.list(**filters)]
    assert databases.refused("DescribeDBInstances", Limit=101).startswith("InvalidParameter")
    instance("ModifyInstanceProtectedProperty", ProtectedProperty=0)
    instance.destroy()


def test_the_tag_service_and_the_instance_hold_the_same_tags(databases, api):
    instance = databases.create(InitParams=[], ResourceTags=[{"TagKey": "team", "TagValue": "blue"}])
    name = f"qcs::mariadb:ap-guangzhou:uin/:instance/{instance.id}"
    api.call("tag", "ModifyResourceTags", Resource=name, ReplaceTags=[{"TagKey": "stage", "TagValue": "test"}])
    assert instance.row["ResourceTags"] == [{"TagKey": "stage", "TagValue": "test"}, {"TagKey": "team", "TagValue": "blue"}]
    instance.destroy()


def test_a_restart_is_one_and_a_killed_server_comes_back(databases):
    instance = databases.create()
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    (first,) = instance.processes()
    assert databases.flow(databases("RestartDBInstances", InstanceIds=[instance.id])["FlowId"]) == 0
    (second,) = instance.processes()
    assert second != first and instance.sql("SELECT x FROM d.t") == ["1"]
    os.kill(second, signal.SIGKILL)
    eventually("another process", lambda: instance.processes() not in ([], [second]))
    instance.becomes(2)
    eventually("that it can be written to", lambda: "ERROR" not in instance.sql("INSERT INTO d.t VALUES (2)", check=False))
    assert instance.sql("SELECT COUNT(*) FROM d.t") == ["2"]
    instance.destroy()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Zones": ["ap-shanghai-1"]}, "InvalidParameter.ZoneIdIllegal"),
        ({"Memory": 3}, "InvalidParameter.SpecNotFound"),
        ({"NodeCount": 4}, "InvalidParameter.SpecNotFound"),
        ({"Count": 0}, "InvalidParameterValue.IllegalQuantity"),
        ({"DbVersionId": "11.8"}, "UnsupportedOperation.DbVersionNotSupported"),
        ({"InitParams": [{"Param": "colour", "Value": "red"}]}, "InvalidParameterValue.IllegalInitParam"),
        ({"InstanceName": "a b"}, "InvalidParameterValue.InstanceNameIllegal"),
        ({"SecurityGroupIds": ["none"]}, "InvalidParameter.SGCheckFail"),
        ({"DcnInstanceId": "tdsql-00000000"}, "ResourceNotFound.NoInstanceFound"),
        ({"Memory": 64, "Count": 10, "NodeCount": 3}, "ResourceInsufficient"),
    ],
)
def test_orders_that_cannot_be_are_refused(databases, wrong, code):
    good = {"Zones": [ZONE], "NodeCount": 1, "Memory": 2, "Storage": 20}
    assert databases.refused("CreateHourDBInstance", **good | wrong) == code
    assert databases.refused("CreateDBInstance", **good | wrong) == code


def test_what_is_on_sale_and_what_it_costs(databases):
    (region,) = [one for one in databases("DescribeSaleInfo")["RegionList"] if one["Region"] == "ap-guangzhou"]
    assert ZONE in [zone["Zone"] for zone in region["ZoneList"]]
    (spec,) = databases("DescribeDBInstanceSpecs")["Specs"]
    sizes = {(size["NodeCount"], size["Memory"]) for size in spec["SpecInfos"]}
    assert {(1, 2), (2, 2), (3, 64)} <= sizes
    assert databases.refused("DescribeDBInstanceSpecs", CpuType="Hygon").startswith("InvalidParameter")
    wanted = {"Zone": ZONE, "NodeCount": 2, "Memory": 2, "Storage": 20}
    one = databases("DescribePrice", **wanted, Paymode="postpaid")["Price"]
    assert databases("DescribePrice", **wanted, Paymode="postpaid", Count=3)["Price"] == 3 * one > 0
    assert databases("DescribePrice", **wanted, Paymode="postpaid", AmountUnit="microPent")["Price"] == 1_000_000 * one
    assert databases.refused("DescribePrice", **wanted | {"Memory": 3}) == "InvalidParameter.SpecNotFound"
    assert databases.refused("DescribeFlow", FlowId=1) == "InvalidParameter.FlowNotFound"
    assert databases("DescribeOrders", DealNames=["20200101000000"])["TotalCount"] == 0
    assert databases.refused("DescribeOrders", DealNames=[]) == "InvalidParameter.DealNameNotGiven"


def test_tccli_makes_asks_and_destroys(cloud, home, databases):
    tccli = Tccli(cloud, home)
    made = tccli("mariadb", "CreateHourDBInstance", Zones=[ZONE], NodeCount=1, Memory=2, Storage=20, InitParams=INIT)
    instance = Instance(databases, made["InstanceIds"][0])
    assert databases.flow(made["FlowId"]) == 0
    assert tccli("mariadb", "DescribeDBInstances", InstanceIds=[instance.id])["Instances"][0]["Status"] == 2
    tccli("mariadb", "CreateAccount", InstanceId=instance.id, UserName="app", Host="%", Password="Secret-123")
    assert instance.sql("SELECT CURRENT_USER()", password="Secret-123") == ["app@%"]
    assert tccli("mariadb", "DescribeFlow", FlowId=made["FlowId"])["Status"] == 0
    with pytest.raises(TccliError) as refused:
        tccli("mariadb", "DestroyDBInstance", InstanceId=instance.id)
    assert refused.value.code == "InvalidParameter.NotSupportedPayMode"
    gone = tccli("mariadb", "DestroyHourDBInstance", InstanceId=instance.id)
    assert databases.flow(gone["FlowId"]) == 0 and not instance.directory.exists()


def test_another_region_sees_nothing_of_it(cloud, home, databases):
    instance = databases.create(InitParams=[])
    tccli = Tccli(cloud, home, region="ap-shanghai")
    assert tccli("mariadb", "DescribeDBInstances", InstanceIds=[instance.id])["TotalCount"] == 0
    instance.destroy()


def test_servers_outlive_a_killed_rookery_and_end_with_a_stopped_one(start, home, tmp_path):
    cloud = start()
    databases = Databases(cloud, home)
    instance = databases.create()
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    processes = instance.processes()
    assert len(processes) == 1
    cloud.kill()
    assert instance.processes() == processes, "the server is left running"
    for command in ("snapshot", "restore"):
        refused = cloud.rookery("state", command, tmp_path, check=False)
        assert refused.returncode == 1 and f"still run on {cloud.data}" in refused.stderr and instance.id in refused.stderr
    cloud.start()
    instance = Instance(Databases(cloud, home), instance.id)
    instance.becomes(2)
    assert instance.processes() == processes, "it is adopted, not started again"
    assert instance.sql("SELECT x FROM d.t") == ["1"]
    instance.sql("INSERT INTO d.t VALUES (2)")
    assert cloud.stop() == 0
    assert servers(cloud.data) == []
    cloud.start()
    instance = Instance(Databases(cloud, home), instance.id)
    instance.becomes(2)
    assert instance.sql("SELECT COUNT(*) FROM d.t") == ["2"]
    instance.destroy()
    assert servers(cloud.data) == []


def test_a_kill_in_the_middle_of_flows_leaves_none_of_them_behind(start, home):
    cloud = start()
    databases = Databases(cloud, home)
    made = databases("CreateHourDBInstance", Zones=[ZONE], NodeCount=1, Memory=2, Storage=20, InitParams=INIT, Count=3)
    cloud.kill()
    cloud.start()
    databases = Databases(cloud, home)
    assert databases.flow(made["FlowId"]) == 0
    instances = [Instance(databases, id) for id in made["InstanceIds"]]
    for instance in instances:
        instance.becomes(2)
    flows = [instance("DestroyHourDBInstance")["FlowId"] for instance in instances]
    cloud.kill()
    cloud.start()
    databases = Databases(cloud, home)
    assert [databases.flow(flow) for flow in flows] == [0, 0, 0]
    assert databases.list() == [] and servers(cloud.data) == []
    assert [place.name for place in (cloud.data / "mariadb").glob("tdsql-*")] == []
