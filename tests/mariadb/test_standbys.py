"""Two servers and more: they hold the same rows, and either can be the primary."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from cloud import eventually
from databases import servers
from tools import require, run

ZONES = ["ap-guangzhou-3", "ap-guangzhou-4"]


@pytest.fixture(scope="module")
def pair(databases):
    made = databases.create(nodes=2, Zones=ZONES)
    made.account()
    made.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT PRIMARY KEY)")
    yield made
    made.destroy()


def roles(instance):
    return {node["Zone"]: node["Role"] for node in instance("DescribeInstanceNodeInfo")["NodesInfo"]}


def test_a_switch_keeps_every_row_and_the_address(pair):
    assert roles(pair) == {ZONES[0]: "master", ZONES[1]: "slave"}
    address = pair.row["Vip"]
    for turn, zone in enumerate((ZONES[1], ZONES[0], ZONES[1])):
        pair.sql(f"INSERT INTO d.t VALUES ({turn})")
        pair.does("SwitchDBInstanceHA", Zone=zone)
        assert roles(pair)[zone] == "master" and pair.row["Vip"] == address
        assert pair.sql("SELECT COUNT(*) FROM d.t") == [str(turn + 1)]
    pair.does("SwitchDBInstanceHA", Zone=ZONES[1], ZoneMode="avoid")
    assert roles(pair)[ZONES[0]] == "master"
    pair.sql("INSERT INTO d.t VALUES (100)")
    assert pair.refused("SwitchDBInstanceHA", Zone=ZONES[0]) == "InvalidParameterValue.IllegalZone"


def test_the_mode_of_replication_changes(pair, instance):
    assert pair("DescribeDBSyncMode") | {"RequestId": ""} == {
        "SyncMode": 2, "IsModifying": 0, "CurrentSyncMode": 1, "RequestId": "",
    }  # fmt: skip
    for mode, waits in ((0, 0), (1, 1), (2, 1)):
        pair.does("ModifyDBSyncMode", SyncMode=mode)
        told = pair("DescribeDBSyncMode")
        assert (told["SyncMode"], told["CurrentSyncMode"]) == (mode, waits)
        pair.sql(f"INSERT INTO d.t VALUES ({200 + mode})")
    assert pair.refused("ModifyDBSyncMode", SyncMode=3) == "InvalidParameterValue.BadSyncMode"
    assert instance.refused("ModifyDBSyncMode", SyncMode=1) == "InvalidParameterValue.SyncModeNotAllowed"
    assert instance.databases.refused("DescribeDBSyncMode", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"


def test_killed_servers_come_back_with_what_was_acknowledged(pair):
    for value, victim in ((300, 0), (301, 1)):
        pair.sql(f"INSERT INTO d.t VALUES ({value})")
        processes = pair.processes()
        os.kill(processes[victim], signal.SIGKILL)
        eventually("two others", lambda seen=processes: len(pair.processes()) == 2 and pair.processes() != seen)
        eventually("a write", lambda value=value: "ERROR" not in pair.sql(f"INSERT INTO d.t VALUES ({value + 50})", check=False))
        assert pair.sql(f"SELECT x FROM d.t WHERE x = {value}") == [str(value)]
    eventually("that the primary waits again", lambda: pair("DescribeDBSyncMode")["CurrentSyncMode"] == 1)


def node(instance, role):
    (found,) = [node for node in instance("DescribeInstanceNodeInfo")["NodesInfo"] if node["Role"] == role]
    return instance.directory / found["NodeId"]


def as_superuser(instance, node, statement):
    client = ("mariadb", "--no-defaults", "--batch", f"--socket={node}/data/s.sock")
    return run(*client, "--execute", statement, home=instance.databases.home).stdout


def test_a_standby_is_led_back_while_a_backup_waits_for_it(databases):
    instance = databases.create(nodes=2, Zones=ZONES)
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT)")
    instance.does("ModifyDBSyncMode", SyncMode=1)
    primary, (standby,) = node(instance, "master"), servers(node(instance, "slave"))

    def waits(what):
        eventually(what, lambda: what in as_superuser(instance, primary, "SHOW PROCESSLIST"))

    with ThreadPoolExecutor() as beside:
        os.kill(standby, signal.SIGSTOP)
        write = beside.submit(instance.sql, "INSERT INTO d.t VALUES (1)")
        waits("Waiting for semi-sync ACK from slave")
        # What a backup does at its end: it waits for commits, and changes of accounts wait for it.
        stages = "".join(f"BACKUP STAGE {stage};" for stage in ("START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT", "END"))
        backup = beside.submit(as_superuser, instance, primary, stages)
        waits("Waiting for backup lock")
        os.kill(standby, signal.SIGKILL)
        assert (write.result(), backup.result()) == ([], "")
    instance.becomes(2)
    instance.destroy()


def test_three_servers_restart_together(databases):
    instance = databases.create(nodes=3)
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    assert len(instance.processes()) == 3
    assert databases.flow(databases("RestartDBInstances", InstanceIds=[instance.id])["FlowId"]) == 0
    assert instance.sql("INSERT INTO d.t VALUES (2); SELECT COUNT(*) FROM d.t") == ["2"]
    instance.destroy()
    assert instance.processes() == []


def test_a_standby_takes_over_from_a_primary_that_does_not_come_back(databases):
    instance = databases.create(nodes=2, Zones=ZONES)
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    primary = node(instance, "master")
    data = primary / "data"
    (data / "ibdata1").rename(data / "away")
    (process,) = servers(primary)
    os.kill(process, signal.SIGKILL)
    eventually("another primary", lambda: roles(instance)[ZONES[1]] == "master")
    eventually("a write", lambda: "ERROR" not in instance.sql("INSERT INTO d.t VALUES (2)", check=False))
    assert instance.sql("SELECT x FROM d.t ORDER BY x") == ["1", "2"]
    instance.becomes(2)
    # What comes back is a standby, and catches up.
    (data / "away").replace(data / "ibdata1")
    eventually("that the primary waits for it", lambda: instance("DescribeDBSyncMode")["CurrentSyncMode"] == 1)
    instance.does("SwitchDBInstanceHA", Zone=ZONES[0])
    assert instance.sql("SELECT x FROM d.t ORDER BY x") == ["1", "2"]
    instance.destroy()


@pytest.mark.parametrize(("mode", "encrypted"), [(0, False), (1, False), (1, True)])
def test_a_standby_that_strayed_is_made_anew_from_the_primary(databases, mode, encrypted):
    require("mariadb-backup")
    instance = databases.create(nodes=2, Zones=ZONES)
    instance.account()
    if encrypted:
        instance("ModifyDBEncryptAttributes", EncryptEnabled=1)
        eventually("encryption", lambda: instance("DescribeDBEncryptAttributes")["EncryptStatus"] == 1)
        instance.becomes(2)
    instance.does("ModifyDBSyncMode", SyncMode=mode)
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
    standby = node(instance, "slave")
    # Past everything that keeps users from it.
    as_superuser(instance, standby, "SET GLOBAL read_only = OFF; INSERT INTO d.t VALUES (666); SET GLOBAL read_only = ON")
    (process,) = servers(standby)
    os.kill(process, signal.SIGKILL)
    # In mode 1 it waits for the standby, and the copy for it.
    eventually("a write", lambda: "ERROR" not in instance.sql("REPLACE INTO d.t VALUES (2)", check=False))
    eventually("another server", lambda: servers(standby) not in ([], [process]))
    instance.becomes(2)
    eventually("a switch", lambda: switched(instance, ZONES[1]))
    assert instance.sql("SELECT x FROM d.t ORDER BY x") == ["1", "2"]
    instance.destroy()


def switched(instance, zone):
    """Whether the primary is in a zone; asks for it where nothing else goes on."""
    if roles(instance)[zone] == "slave" and instance.row["Status"] == 2:
        with suppress(TencentCloudSDKException):
            instance("SwitchDBInstanceHA", Zone=zone)
    return roles(instance)[zone] == "master" and instance.row["Status"] == 2
