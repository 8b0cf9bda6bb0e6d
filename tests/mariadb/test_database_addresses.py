"""Where an instance can be reached: its address inside, former ones, and a public one."""

import socket
import subprocess

import pytest

from cloud import clean_environment, eventually
from databases import PASSWORD, Databases, Instance
from tools import require


def is_open(host, port):
    try:
        with socket.create_connection((host, port), timeout=10) as connection:
            return connection.recv(1) != b""
    except (ConnectionRefusedError, ConnectionResetError):
        return False


@pytest.fixture
def session(home):
    """Begins a session that goes on until it is cut, or the test ends."""
    begun = []

    def begin(host, port):
        process = subprocess.Popen(
            [require("mariadb"), "--no-defaults", "--skip-ssl", "--protocol=tcp", f"--host={host}", f"--port={port}", "--user=app", "--batch",
             "--unbuffered", "--skip-column-names", "--execute", "SELECT 'begun'; SELECT SLEEP(600)"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment(HOME=home, MYSQL_PWD=PASSWORD),
        )  # fmt: skip
        begun.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def test_the_public_address_is_opened_and_closed(instance, session):
    assert instance.row["WanStatus"] == 0
    assert instance("CloseDBExtranetAccess")["FlowId"] == 0, "there is nothing to do"
    for action in ("OpenDBExtranetAccess", "CloseDBExtranetAccess"):
        assert instance.refused(action, Ipv6Flag=1) == "UnsupportedOperation.InvalidOperation"
        assert instance.databases.refused(action, InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
    instance.does("OpenDBExtranetAccess")
    row, detail = instance.row, instance("DescribeDBInstanceDetail")
    where = (row["WanVip"], row["WanPort"])
    assert (row["WanStatus"], row["WanDomain"], row["WanVip"]) == (1, "localhost", "127.0.0.1"), "on this machine unless it is said otherwise"
    assert all(detail[member] == row[member] for member in ("WanStatus", "WanDomain", "WanVip", "WanPort"))
    assert instance.sql("SELECT 1", at=where) == ["1"] and instance.sql("SELECT 1") == ["1"]
    assert instance("OpenDBExtranetAccess")["FlowId"] == 0
    through = session(*where)
    instance.does("CloseDBExtranetAccess")
    assert through.wait(60) != 0, "connections through it end"
    row = instance.row
    assert (row["WanStatus"], row["WanVip"], row["WanPort"]) == (2, "", 0)
    assert not is_open(*where) and instance.sql("SELECT 1") == ["1"]
    instance.does("OpenDBExtranetAccess")
    assert (instance.row["WanVip"], instance.row["WanPort"]) == where, "it comes back where it was"


def test_the_operator_says_where_public_addresses_are(start, home):
    with pytest.raises(AssertionError, match="name the one address"):
        start("--mariadb-public-address", "0.0.0.0")
    cloud = start("--mariadb-public-address", "127.0.0.77", "--mariadb-public-name", "db.example")
    instance = Databases(cloud, home).create()
    instance.account()
    instance.does("OpenDBExtranetAccess")
    row = instance.row
    assert (row["WanDomain"], row["WanVip"]) == ("db.example", "127.0.0.77")
    assert instance.sql("SELECT 1", at=("127.0.0.77", row["WanPort"])) == ["1"]
    # An account for one place is for that place also by the public way.
    instance("CreateAccount", UserName="near", Host="127.0.0.1", Password=PASSWORD)
    assert instance.sql("SELECT 1", user="near", at=("127.0.0.77", row["WanPort"])) == ["1"]
    instance("CreateAccount", UserName="far", Host="10.%", Password=PASSWORD)
    assert "denied" in instance.sql("SELECT 1", user="far", at=("127.0.0.77", row["WanPort"]), check=False)
    cloud.stop()
    cloud.start()
    instance = Instance(Databases(cloud, home), instance.id)
    instance.becomes(2)
    eventually("the public address", lambda: is_open("127.0.0.77", row["WanPort"]))
    instance.databases("IsolateHourDBInstance", InstanceIds=[instance.id])
    eventually("that it is closed", lambda: not is_open("127.0.0.77", row["WanPort"]))


def test_the_address_inside_changes_and_the_former_one_is_kept(databases, session):
    instance = databases.create()
    instance.account()
    first = instance.row["Vip"]
    free = first.rsplit(".", 1)[0] + ".3"
    held = session(first, 3306)
    instance.does("ModifyInstanceVip", Vip=free)
    assert (instance.row["Vip"], instance.row["Vport"]) == (free, 3306)
    assert instance.sql("SELECT 1") == ["1"] and instance.sql("SELECT 1", at=(first, 3306)) == ["1"]
    assert held.poll() is None, "connections go on"
    (kept,) = instance("DescribeDBInstanceDetail")["ReservedNetResources"]
    assert (kept["Vip"], kept["Vports"]) == (first, [3306]) and kept["RecycleTime"] > instance.row["UpdateTime"]
    # Back, and the other is not kept.
    instance.does("ModifyInstanceVip", Vip=first, VipReleaseDelay=0)
    assert instance.row["Vip"] == first and not is_open(free, 3306)
    assert instance("DescribeDBInstanceDetail")["ReservedNetResources"] == []
    other = databases.create(InitParams=[])
    for parameters, code in (
        ({"Vip": first}, "FailedOperation.VipNotChange"),
        ({"Vip": "10.0.0.9"}, "InvalidParameter.VipNotInSubnet"),
        ({"Vip": other.row["Vip"]}, "InvalidParameter.VipUsed"),
        ({"Vip": free, "VipReleaseDelay": 169}, "InvalidParameter.IllegalParameterError"),
        ({"Vip": free, "Ipv6Flag": 1}, "UnsupportedOperation.InvalidOperation"),
    ):
        assert instance.refused("ModifyInstanceVip", **parameters) == code
    other.destroy()
    instance.destroy()


def test_an_instance_moves_to_another_network(databases):
    instance = databases.create(VpcId="vpc-11111111", SubnetId="subnet-11111111")
    instance.account()
    first = instance.row["Vip"]
    instance.does("ModifyInstanceNetwork", VpcId="vpc-22222222", SubnetId="subnet-22222222", VipReleaseDelay=1)
    row = instance.row
    assert (row["UniqueVpcId"], row["UniqueSubnetId"]) == ("vpc-22222222", "subnet-22222222") and row["Vip"] != first
    assert instance.sql("SELECT 1") == instance.sql("SELECT 1", at=(first, 3306)) == ["1"]
    (kept,) = instance("DescribeDBInstanceDetail")["ReservedNetResources"]
    assert (kept["VpcId"], kept["SubnetId"], kept["Vip"]) == ("vpc-11111111", "subnet-11111111", first)
    # The address may stay, if that is said.
    instance.does("ModifyInstanceNetwork", VpcId="vpc-33333333", SubnetId="subnet-33333333", Vip=row["Vip"])
    assert instance.row["Vip"] == row["Vip"]
    same = {"VpcId": "vpc-33333333", "SubnetId": "subnet-33333333"}
    assert instance.refused("ModifyInstanceNetwork", **same) == "FailedOperation.VipNotChange"
    assert instance.refused("ModifyInstanceNetwork", **same | {"Vipv6": "::1"}) == "UnsupportedOperation.InvalidOperation"
    assert instance.refused("ModifyInstanceNetwork", VpcId="", SubnetId="") == "InvalidParameter.IllegalParameterError"
    instance.destroy()


def test_the_port_inside_changes_at_once(instance):
    vip = instance.row["Vip"]
    instance("ModifyInstanceVport", Vport=13306)
    assert instance.row["Vport"] == 13306 and instance.sql("SELECT 1") == ["1"] and not is_open(vip, 3306)
    with socket.create_server((vip, 13307)):
        assert instance.refused("ModifyInstanceVport", Vport=13307) == "InvalidParameter.VportUsed"
    assert instance.refused("ModifyInstanceVport", Vport=13306) == "InvalidParameter.VportUsed"
    assert instance.refused("ModifyInstanceVport", Vport=80) == "InvalidParameter.IllegalParameterError"
    instance("ModifyInstanceVport", Vport=3306)


def test_servers_see_where_their_clients_are(instance):
    row = instance.row
    (node,) = instance("DescribeInstanceNodeInfo")["NodesInfo"]
    here = {"NodeId": node["NodeId"], "Filters": [{"Name": "host", "Values": ["127.0.0.55"]}]}
    assert instance("DescribeProcessList", **here)["ProcessList"] == []
    with socket.create_connection((row["Vip"], row["Vport"]), timeout=10, source_address=("127.0.0.55", 0)) as connection:
        assert connection.recv(1)
        (seen,) = eventually("the session", lambda: instance("DescribeProcessList", **here)["ProcessList"])
        assert seen["Host"].startswith(f"127.0.0.55:{connection.getsockname()[1]}")
