"""Instances for disaster recovery: they follow another instance, also of another region, and stand on their own when that is cancelled."""

import os
import signal

import pytest
from tencentcloud.mariadb.v20170312.mariadb_client import MariadbClient

from cloud import eventually
from databases import INIT, ZONE, Databases, Instance
from tencent import Tccli
from tools import require

SHANGHAI = "ap-shanghai"


@pytest.fixture(scope="module")
def elsewhere(cloud, home):
    """The same product, in another region."""
    other = Databases(cloud, home)
    client = other.client
    other.client = MariadbClient(client.credential, SHANGHAI, client.profile)
    return other


@pytest.fixture(scope="module")
def source(databases):
    require("mariadb-backup")
    made = databases.create(nodes=2, Zones=[ZONE, "ap-guangzhou-4"])
    made.account()
    made.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
    # What is to be followed is no longer whole in the log.
    made("FlushBinlog")
    yield made
    made.destroy()


def follow(databases, source, nodes=1, action="CreateHourDBInstance", **more):
    zone = f"{databases.client.region}-1"
    order = {"Zones": [zone], "NodeCount": nodes, "Memory": 2, "Storage": 20, "DcnInstanceId": source.id}
    return databases(action, **order | {"DcnRegion": "ap-guangzhou"} | more)


def holds(instance, rows):
    eventually(f"{rows} rows", lambda: instance.sql("SELECT COUNT(*) FROM d.t", check=False).strip() == str(rows))


def test_it_follows_and_is_read_only_until_that_is_cancelled(databases, elsewhere, source):
    made = follow(elsewhere, source, nodes=2, InstanceName="dr")
    creating = {item["InstanceId"]: item for item in source("DescribeDcnDetail")["DcnDetails"]}
    assert creating[made["InstanceIds"][0]]["DcnStatus"] in (1, 2)
    assert elsewhere.flow(made["FlowId"]) == 0
    standby = Instance(elsewhere, made["InstanceIds"][0])
    holds(standby, 1)
    source.sql("INSERT INTO d.t VALUES (2); CREATE TABLE d.later (x INT)")
    holds(standby, 2)

    row = standby.row
    assert (row["DcnFlag"], row["DcnStatus"], row["DcnDstNum"], row["InstanceType"]) == (2, 2, 0, 3)
    row = source.row
    assert (row["DcnFlag"], row["DcnStatus"], row["DcnDstNum"], row["InstanceType"]) == (1, 2, 1, 2)
    told = source("DescribeDcnDetail")["DcnDetails"]
    assert [(item["InstanceId"], item["Region"], item["DcnFlag"]) for item in told] == [
        (source.id, "ap-guangzhou", 1),
        (standby.id, SHANGHAI, 2),
    ]
    assert told[0]["ReplicaStatus"] is None and told[1]["ReplicaStatus"]["Status"] == "START"
    assert told[1]["ReplicaStatus"]["Delay"] >= 0 and standby("DescribeDcnDetail")["DcnDetails"][1]["InstanceName"] == "dr"
    detail = standby("DescribeDBInstanceDetail")
    assert (detail["DcnFlag"], detail["ReplicaStatus"]["Status"]) == (2, "START")

    # Its accounts are the source's; neither a user nor an action writes on it.
    assert "read-only" in standby.sql("INSERT INTO d.t VALUES (3)", check=False)
    assert standby.refused("CreateAccount", UserName="other", Host="%", Password="Secret-123") == (
        "UnsupportedOperation.OperationNotApplicable"
    )
    assert [user["UserName"] for user in standby("DescribeAccounts")["Users"]] == ["app"]
    assert elsewhere.list(FilterInstanceType="3", InstanceIds=[standby.id]) != []
    assert elsewhere.list(FilterInstanceType="2", InstanceIds=[standby.id]) == []

    # Both go on following when servers change or end.
    source.does("SwitchDBInstanceHA", Zone="ap-guangzhou-4")
    source.sql("INSERT INTO d.t VALUES (4)")
    holds(standby, 3)
    for process in standby.processes():
        os.kill(process, signal.SIGKILL)
    source.sql("INSERT INTO d.t VALUES (5)")
    holds(standby, 4)
    eventually("that it follows again", lambda: standby.row["DcnStatus"] == 2)

    # A source that is gone for now leaves the copy, and cannot be destroyed under it.
    assert source.refused("DestroyHourDBInstance") == "FailedOperation.InstanceCanNotReturn"
    databases("IsolateHourDBInstance", InstanceIds=[source.id])
    source.becomes(-1)
    eventually("that it is broken", lambda: standby.row["DcnStatus"] == 3)
    assert standby("DescribeDcnDetail")["DcnDetails"][1]["ReplicaStatus"]["Status"] == "STOP"
    databases("ActivateHourDBInstance", InstanceIds=[source.id])
    source.becomes(2)
    source.sql("INSERT INTO d.t VALUES (6)")
    holds(standby, 5)

    assert source.refused("CancelDcnJob") == "UnsupportedOperation.OperationNotApplicable"
    standby.does("CancelDcnJob")
    standby.becomes(2)
    assert (standby.row["DcnFlag"], standby.row["InstanceType"], source.row["DcnFlag"]) == (0, 2, 0)
    assert source("DescribeDcnDetail")["DcnDetails"] == []
    standby.sql("INSERT INTO d.t VALUES (100)")
    source.sql("INSERT INTO d.t VALUES (7)")
    assert "100" not in source.sql("SELECT x FROM d.t") and "7" not in standby.sql("SELECT x FROM d.t")
    standby.account("other")
    assert [user["UserName"] for user in standby("DescribeAccounts")["Users"]] == ["app", "other"]
    standby.destroy()


def test_tccli_orders_one_in_advance_and_cancels(cloud, home, databases, source):
    tccli = Tccli(cloud, home)
    made = tccli(
        *("mariadb", "CreateDBInstance"), Zones=[ZONE], NodeCount=1, Memory=2, Storage=20, Period=1, DcnInstanceId=source.id, InitParams=INIT
    )
    standby = Instance(databases, made["InstanceIds"][0])
    standby.becomes(2)
    assert tccli("mariadb", "DescribeDcnDetail", InstanceId=standby.id)["DcnDetails"][1]["DcnFlag"] == 2
    assert databases.flow(tccli("mariadb", "CancelDcnJob", InstanceId=standby.id)["FlowId"]) == 0
    databases("IsolateDBInstance", InstanceIds=[standby.id])
    standby.becomes(-1)
    standby.does("DestroyDBInstance")


def test_what_cannot_be_followed_is_refused(databases, elsewhere, source):
    def refused(code, where=databases, **wrong):
        order = {"Zones": [f"{where.client.region}-1"], "NodeCount": 1, "Memory": 2, "Storage": 20, "DcnInstanceId": source.id}
        for action in ("CreateHourDBInstance", "CreateDBInstance"):
            assert where.refused(action, **order | wrong) == code

    refused("ResourceNotFound.NoInstanceFound", DcnInstanceId="tdsql-00000000")
    refused("ResourceNotFound.NoInstanceFound", elsewhere)
    refused("ResourceNotFound.NoInstanceFound", DcnRegion=SHANGHAI)
    refused("InvalidParameter.IllegalParameterError", DcnInstanceId="", DcnRegion=SHANGHAI)
    refused("UnsupportedOperation.InvalidOperation", DcnSyncMode=1)
    refused("InvalidParameterValue.IllegalInitParam", InitParams=[INIT[0], {"Param": "lower_case_table_names", "Value": "0"}])
    assert databases.refused("DescribeDcnDetail", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
    assert databases.refused("CancelDcnJob", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
