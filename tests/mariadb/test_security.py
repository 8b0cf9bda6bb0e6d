"""What protects an instance: TLS with the cloud's authority, encryption at rest, security groups."""

import json
import re
import socket

import pytest

from cloud import eventually
from databases import INIT, ZONE, Databases, servers
from tencent import Tccli, TccliError

MARKER = "a-secret-that-nobody-else-writes"


def tls_status(instance):
    return instance("DescribeInstanceSSLAttributes")["Status"]


def switch_tls(instance, on):
    instance("ModifyInstanceSSLAttributes", SSLEnabled=int(on))
    assert tls_status(instance) in ((1, 2) if on else (4, 3))
    eventually("the end of the change", lambda: tls_status(instance) == (2 if on else 3))
    instance.becomes(2)


@pytest.fixture
def ca(cloud, tmp_path):
    """The authority's certificate, as a user gets it."""
    path = tmp_path / "ca.pem"
    path.write_text(cloud.rookery("ca", "print").stdout)
    return path


def test_tls_is_switched_on_and_off_and_verified_by_clients(databases, ca):
    instance = databases.create()
    instance.account()
    assert tls_status(instance) == 3
    assert instance.refused("ModifyInstanceSSLAttributes", SSLEnabled=0) == "ResourceUnavailable.SSLStatusAbnormal"
    assert "ERROR" in instance.sql("SELECT 1", ca=ca, check=False), "no TLS before it is on"
    switch_tls(instance, True)
    cipher = "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'"
    assert instance.sql(cipher, ca=ca) != [""]
    assert instance.sql(cipher) == [""], "who asks for none still comes in"
    # The server behind the address is not where its certificate says that the instance is.
    (options,) = instance.directory.glob("*/my.cnf")
    behind = re.search(r"^bind_address = (\S+)$", options.read_text(), re.M).group(1)
    assert instance.sql("SELECT 1", at=(behind, 3306)) == ["1"]
    assert "ERROR 2026" in instance.sql("SELECT 1", ca=ca, at=(behind, 3306), check=False)
    assert instance.refused("ModifyInstanceSSLAttributes", SSLEnabled=1) == "ResourceUnavailable.SSLStatusAbnormal"
    assert instance.refused("ModifyInstanceSSLAttributes", SSLEnabled=2) == "InvalidParameter.IllegalParameterError"
    # It is the instance's certificate: another authority's certificate does not vouch for it.
    other = ca.with_name("other.pem")
    other.write_text((instance.directory / "tls" / "certificate.pem").read_text())
    assert "ERROR 2026" in instance.sql("SELECT 1", ca=other, check=False)
    # A new address is in the certificate, without a restart.
    (process,) = instance.processes()
    instance.does("OpenDBExtranetAccess")
    row = instance.row
    assert instance.sql("SELECT 1", ca=ca, at=(row["WanDomain"], row["WanPort"])) == ["1"]
    assert instance.processes() == [process]
    switch_tls(instance, False)
    assert "ERROR" in instance.sql("SELECT 1", ca=ca, check=False) and instance.sql("SELECT 1") == ["1"]
    assert databases.refused("DescribeInstanceSSLAttributes", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
    instance.destroy()


def files_with(marker, directory):
    """The files of tables and their logs that hold a text. Binary logs are not encrypted."""
    looked_at = [path for path in directory.rglob("*") if path.is_file() and (path.suffix == ".ibd" or path.name.startswith("ib"))]
    assert looked_at
    return [path.name for path in looked_at if marker.encode() in path.read_bytes()]


def test_files_are_encrypted_from_the_day_that_it_is_asked_for(databases):
    instance = databases.create()
    instance.account()
    instance.sql(f"CREATE DATABASE d; CREATE TABLE d.t (x TEXT); INSERT INTO d.t VALUES ('{MARKER}')")
    attributes = {"EncryptStatus": 0, "CipherText": "", "ExpireDate": ""}
    assert instance("DescribeDBEncryptAttributes") | {"RequestId": ""} == attributes | {"RequestId": ""}
    assert databases.flow(databases("RestartDBInstances", InstanceIds=[instance.id])["FlowId"]) == 0
    eventually("the row in the file", lambda: "t.ibd" in files_with(MARKER, instance.directory))
    instance("ModifyDBEncryptAttributes", EncryptEnabled=0)
    assert "t.ibd" in files_with(MARKER, instance.directory)
    assert instance("ModifyDBEncryptAttributes", EncryptEnabled=1).keys() == {"RequestId"}
    told = instance("DescribeDBEncryptAttributes")
    assert told["EncryptStatus"] == 1 and told["CipherText"] and told["ExpireDate"] == "0000-00-00 00:00:00"
    assert instance("DescribeDBInstanceDetail")["EncryptStatus"] == 1
    # What was there is encrypted in the background, what is new at once; both are read by whoever may.
    instance.sql(f"CREATE TABLE d.later (x TEXT); INSERT INTO d.later VALUES ('{MARKER}')")
    eventually("that no file tells", lambda: files_with(MARKER, instance.directory) == [])
    assert instance.sql("SELECT x FROM d.t UNION ALL SELECT x FROM d.later") == [MARKER] * 2
    assert "ERROR" in instance.sql("CREATE TABLE d.plain (x TEXT) ENCRYPTED=NO", check=False)
    # The key opens everything again after a restart, and is on no disk.
    assert databases.flow(databases("RestartDBInstances", InstanceIds=[instance.id])["FlowId"]) == 0
    assert instance.sql("SELECT x FROM d.later") == [MARKER] and files_with(MARKER, instance.directory) == []
    instance("ModifyDBEncryptAttributes", EncryptEnabled=1)
    assert instance("DescribeDBEncryptAttributes")["CipherText"] == told["CipherText"], "the key stays"
    for value in (0, 2):
        assert instance.refused("ModifyDBEncryptAttributes", EncryptEnabled=value) == "InvalidParameter.IllegalParameterError"
    assert databases.refused("DescribeDBEncryptAttributes", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
    instance.destroy()


def test_encrypted_instances_outlive_a_killed_and_a_stopped_rookery(start, home):
    cloud = start()
    instance = Databases(cloud, home).create(nodes=2)
    instance.account()
    instance("ModifyDBEncryptAttributes", EncryptEnabled=1)
    instance("ModifyInstanceSSLAttributes", SSLEnabled=1)
    eventually("TLS", lambda: tls_status(instance) == 2)
    instance.sql(f"CREATE DATABASE d; CREATE TABLE d.t (x TEXT); INSERT INTO d.t VALUES ('{MARKER}')")
    for end in (cloud.kill, cloud.stop):
        end()
        cloud.start()
        instance.databases = Databases(cloud, home)
        instance.becomes(2)
        assert instance.sql("SELECT x FROM d.t", ca=cloud.data / "ca.pem") == [MARKER]
    instance.does("SwitchDBInstanceHA", Zone=ZONE)
    assert instance.sql("SELECT x FROM d.t", ca=cloud.data / "ca.pem") == [MARKER]
    assert files_with(MARKER, instance.directory) == []
    instance.destroy()
    assert servers(cloud.data) == []


def test_a_kill_in_the_middle_of_a_change_is_not_noticed_after_it(start, home):
    cloud = start()
    instance = Databases(cloud, home).create()
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    moved = instance.row["Vip"].rsplit(".", 1)[0] + ".3"
    flows = []
    for action, parameters in (
        ("ModifyInstanceSSLAttributes", {"SSLEnabled": 1}),
        ("OpenDBExtranetAccess", {}),
        ("ModifyInstanceVip", {"Vip": moved}),
    ):
        flows.append(instance(action, **parameters).get("FlowId"))
        cloud.kill()
        cloud.start()
        instance.databases = Databases(cloud, home)
        instance.becomes(2)
    assert [instance.databases.flow(flow) for flow in flows if flow] == [0, 0]
    row, ca = instance.row, cloud.data / "ca.pem"
    assert (tls_status(instance), row["WanStatus"], row["Vip"]) == (2, 1, moved)
    for at in (None, (row["WanDomain"], row["WanPort"])):
        assert instance.sql("SELECT x FROM d.t", ca=ca, at=at) == ["1"]
    assert len(instance.processes()) == 1
    instance.destroy()


def let_in(instance, client):
    """Whether a server greets a client that comes from an address of this machine."""
    row = instance.row
    with socket.create_connection((row["Vip"], row["Vport"]), timeout=10, source_address=(client, 0)) as connection:
        try:
            return connection.recv(1) != b""
        except ConnectionResetError:
            return False


def rule(action, cidr, ports="ALL"):
    return {"Action": action, "CidrIp": cidr, "PortRange": ports, "IpProtocol": "TCP"}


def test_rules_of_security_groups_are_enforced_where_they_are_known(start, home, tmp_path):
    path = tmp_path / "groups.json"

    def write(inbound):
        group = {"SecurityGroupId": "sg-aaaa1111", "SecurityGroupName": "office", "ProjectId": 0}
        other = {"SecurityGroupId": "sg-bbbb2222", "ProjectId": 7, "Inbound": [rule("ACCEPT", "0.0.0.0/0")]}
        path.write_text(json.dumps({"SecurityGroups": [group | {"Inbound": inbound, "Outbound": []}, other]}))

    write([rule("DROP", "127.0.0.9"), rule("ACCEPT", "127.0.0.0/28", "3306")])
    cloud = start("--security-groups", path)
    databases = Databases(cloud, home)
    instance = databases.create()
    assert let_in(instance, "127.0.0.33"), "without groups everybody comes in"
    bind = {"Product": "mariadb", "InstanceIds": [instance.id], "SecurityGroupId": "sg-aaaa1111"}
    databases("AssociateSecurityGroups", **bind)
    assert [let_in(instance, client) for client in ("127.0.0.1", "127.0.0.9", "127.0.0.33")] == [True, False, False]
    (shown,) = instance("DescribeDBSecurityGroups", Product="mariadb")["Groups"]
    assert (shown["SecurityGroupName"], len(shown["Inbound"])) == ("office", 2)
    assert shown["Inbound"][1] == rule("ACCEPT", "127.0.0.0/28", "3306")
    # The port of a rule is the instance's.
    instance("ModifyInstanceVport", Vport=3310)
    assert not let_in(instance, "127.0.0.1")
    write([rule("ACCEPT", "127.0.0.33", "3300-3310")])
    assert [let_in(instance, client) for client in ("127.0.0.1", "127.0.0.33")] == [False, True], "the file is read again"
    instance("ModifyDBInstanceSecurityGroups", Product="mariadb", SecurityGroupIds=["sg-aaaa1111", "sg-bbbb2222"])
    assert let_in(instance, "127.0.0.1")
    databases("DisassociateSecurityGroups", **bind | {"SecurityGroupId": "sg-bbbb2222"})
    assert not let_in(instance, "127.0.0.1")
    # An instance that nobody may reach is there all the same, and Rookery reaches it.
    instance.becomes(2)
    groups = databases("DescribeProjectSecurityGroups", Product="mariadb")
    assert groups["Total"] == 2 and [group["SecurityGroupId"] for group in groups["Groups"]] == ["sg-aaaa1111", "sg-bbbb2222"]
    assert databases("DescribeProjectSecurityGroups", Product="mariadb", ProjectId=7)["Total"] == 1
    for refused in (
        databases.refused("AssociateSecurityGroups", **bind | {"SecurityGroupId": "sg-cccc3333"}),
        instance.refused("ModifyDBInstanceSecurityGroups", Product="mariadb", SecurityGroupIds=["sg-cccc3333"]),
        databases.refused("CreateHourDBInstance", Zones=[ZONE], NodeCount=1, Memory=2, Storage=20, SecurityGroupIds=["sg-cccc3333"]),
    ):
        assert refused == "InvalidParameter.SGCheckFail"
    instance.destroy()


def test_a_file_of_groups_that_is_wrong_is_refused_at_the_start(start, tmp_path):
    path = tmp_path / "groups.json"
    path.write_text(json.dumps({"SecurityGroups": [{"SecurityGroupId": "sg-aaaa1111", "Inbound": [rule("PASS", "::/0")]}]}))
    with pytest.raises(AssertionError, match="sg-aaaa1111: `Action` of a rule is `PASS`"):
        start("--security-groups", path)


def test_without_a_file_groups_are_names_that_let_everybody_in(databases):
    instance = databases.create(InitParams=[], SecurityGroupIds=["sg-dddd4444"], ProjectId=77)
    (shown,) = databases("DescribeProjectSecurityGroups", Product="mariadb", ProjectId=77)["Groups"]
    assert (shown["SecurityGroupId"], shown["Inbound"]) == ("sg-dddd4444", [])
    assert databases.refused("DescribeProjectSecurityGroups", Product="cdb").startswith("InvalidParameter")
    instance.destroy()


def test_tccli_protects_an_instance(cloud, home, databases, ca):
    instance = databases.create(InitParams=INIT)
    instance.account()
    tccli = Tccli(cloud, home)
    tccli("mariadb", "ModifyInstanceSSLAttributes", InstanceId=instance.id, SSLEnabled=1)
    eventually("TLS", lambda: tccli("mariadb", "DescribeInstanceSSLAttributes", InstanceId=instance.id)["Status"] == 2)
    tccli("mariadb", "ModifyDBEncryptAttributes", InstanceId=instance.id, EncryptEnabled=1)
    assert tccli("mariadb", "DescribeDBEncryptAttributes", InstanceId=instance.id)["EncryptStatus"] == 1
    assert instance.sql("SELECT 1", ca=ca) == ["1"]
    with pytest.raises(TccliError) as refused:
        tccli("mariadb", "ModifyDBEncryptAttributes", InstanceId="tdsql-00000000", EncryptEnabled=1)
    assert refused.value.code == "ResourceNotFound.NoInstanceFound"
    assert tccli("mariadb", "DescribeProjectSecurityGroups", Product="mariadb")["Total"] == 0
    instance.destroy()
