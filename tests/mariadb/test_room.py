"""What the machine has to have: the server's programs, and room for the servers. Without it orders are refused, and the rest works."""

import os
from pathlib import Path

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from databases import INIT, ZONE, Databases, Instance

SERVER_PROGRAMS = ("mariadbd", "mariadb-install-db")
ORDER = {"Zones": [ZONE], "NodeCount": 1, "Memory": 2, "Storage": 20}


def refusal(databases, action, **parameters):
    with pytest.raises(TencentCloudSDKException) as caught:
        databases(action, **parameters)
    return caught.value.code, caught.value.message


def test_without_the_server_orders_name_what_installs_it_and_all_else_works(start, home, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    cloud = start(ROOKERY_MARIADB_PROGRAMS=programs)
    databases = Databases(cloud, home)
    for action in ("CreateHourDBInstance", "CreateDBInstance"):
        code, message = refusal(databases, action, **ORDER)
        assert code == "ResourceInsufficient" and "mariadbd" in message
        assert "apt-get install --no-install-recommends mariadb-server-core" in message
    assert databases.list() == [] and databases("DescribeSaleInfo")["RegionList"]
    assert databases("DescribePrice", Zone=ZONE, NodeCount=2, Memory=2, Storage=20)["Price"] > 0
    # Once it is there, nothing has to be started again.
    for program in SERVER_PROGRAMS:
        (programs / program).symlink_to(located(program))
    made = databases("CreateHourDBInstance", **ORDER, InitParams=INIT)
    assert databases.flow(made["FlowId"]) == 0
    instance = Instance(databases, made["InstanceIds"][0])
    # An instance for disaster recovery begins with a copy of another.
    code, message = refusal(databases, "CreateHourDBInstance", **ORDER, DcnInstanceId=instance.id)
    assert code == "ResourceInsufficient" and "mariadb-backup" in message.partition("Install it with")[2]
    instance.destroy()


def located(program):
    return next(place for place in (Path("/usr/sbin") / program, Path("/usr/bin") / program) if os.access(place, os.X_OK))


@pytest.mark.parametrize(
    ("limit", "fits", "exceeds"),
    [
        (("--mariadb-servers", "3"), {"NodeCount": 2}, {"NodeCount": 2}),
        (("--mariadb-memory", "200"), {"Memory": 8}, {"Memory": 16}),
    ],
)
def test_what_there_is_no_room_for_is_refused_before_anything_is_made(start, home, limit, fits, exceeds):
    cloud = start(*limit)
    databases = Databases(cloud, home)
    # Not initialised, so that nothing runs; the room is taken all the same.
    instance = databases.create(InitParams=[], **fits)
    code, message = refusal(databases, "CreateHourDBInstance", **ORDER | exceeds)
    assert code == "ResourceInsufficient" and limit[1] in message
    (kept,) = databases.list()
    assert [place.name for place in (cloud.data / "mariadb").glob("tdsql-*")] in ([], [kept["InstanceId"]])
    if "Memory" in exceeds:
        begun = databases("InitDBInstances", InstanceIds=[instance.id], Params=INIT)
        assert databases.flow(begun["FlowId"]) == 0
        assert instance.refused("UpgradeHourDBInstance", Memory=64, Storage=20) == "ResourceInsufficient"
    instance.destroy()
    databases.create(InitParams=[], **fits).destroy()


@pytest.mark.parametrize(
    ("action", "parameters", "reason"),
    [
        ("CreateDedicatedClusterDBInstance", {"GoodsNum": 1, "Memory": 2, "Storage": 20, "ClusterId": "dbdc-1"}, "dedicated cluster"),
        ("IsolateDedicatedDBInstance", {"InstanceId": "tdsql-00000000"}, "dedicated cluster"),
        ("TerminateDedicatedDBInstance", {"InstanceId": "tdsql-00000000"}, "dedicated cluster"),
        ("UpgradeDedicatedDBInstance", {"InstanceId": "tdsql-00000000", "Memory": 4, "Storage": 20}, "dedicated cluster"),
        ("ModifySyncTaskAttribute", {"TaskIds": ["sync-1"], "TaskName": "other"}, "synchronisation task"),
    ],
)
def test_what_cannot_be_real_on_one_machine_says_why(databases, action, parameters, reason):
    code, message = refusal(databases, action, **parameters)
    assert code == "UnsupportedOperation" and reason in message
