"""Databases, objects, parameters, sessions, logs and security groups of an instance."""

import subprocess

import pytest

from cloud import clean_environment, eventually
from databases import PASSWORD
from tools import require


def test_databases_objects_and_columns(instance):
    instance("GrantAccountPrivileges", UserName="app", Host="%", DbName="*", Privileges=[
        "SELECT", "INSERT", "CREATE", "DROP", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE",
    ])  # fmt: skip
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (id BIGINT UNSIGNED, name VARCHAR(40)); CREATE VIEW d.v AS SELECT id FROM d.t")
    instance.sql("CREATE PROCEDURE d.p() SELECT 1")
    instance.sql("CREATE FUNCTION d.f() RETURNS INT DETERMINISTIC RETURN 1")
    assert {"DbName": "d"} in instance("DescribeDatabases")["Databases"]
    objects = instance("DescribeDatabaseObjects", DbName="d")
    found = {kind: objects[kind] for kind in ("Tables", "Views", "Procs", "Funcs")}
    assert found == {"Tables": [{"Table": "t"}], "Views": [{"View": "v"}], "Procs": [{"Proc": "p"}], "Funcs": [{"Func": "f"}]}
    columns = instance("DescribeDatabaseTable", DbName="d", Table="t")["Cols"]
    assert columns == [{"Col": "id", "Type": "bigint(20) unsigned"}, {"Col": "name", "Type": "varchar(40)"}]
    assert instance.refused("DescribeDatabaseTable", DbName="d", Table="none") == "InternalError.GetTableInfoFailed"
    assert instance.refused("DescribeDatabaseObjects", DbName="none") == "InternalError.GetDbObjectFailed"


def test_parameters_take_effect_now_or_with_the_next_start(instance, databases):
    def parameter(name):
        (found,) = [one for one in instance("DescribeDBParameters")["Params"] if one["Param"] == name]
        return found

    connections = parameter("max_connections")
    assert not connections["NeedRestart"] and connections["Constraint"]["Type"] == "section"
    assert not connections["HaveSetValue"] and parameter("back_log")["NeedRestart"]
    result = instance("ModifyDBParameters", Params=[
        {"Param": "max_connections", "Value": "77"},
        {"Param": "back_log", "Value": "99"},
        {"Param": "autocommit", "Value": "perhaps"},
        {"Param": "datadir", "Value": "/"},
    ])["Result"]  # fmt: skip
    assert [(one["Param"], one["Code"]) for one in result] == [
        ("max_connections", 0), ("back_log", 0), ("autocommit", -2), ("datadir", -1),
    ]  # fmt: skip
    asked = "SELECT @@max_connections, @@back_log"
    assert instance.sql(asked)[0].split("\t")[0] == "77" != instance.sql(asked)[0].split("\t")[1]
    assert (parameter("max_connections")["Value"], parameter("max_connections")["HaveSetValue"]) == ("77", True)
    assert parameter("back_log")["SetValue"] == "99" != parameter("back_log")["Value"]
    assert databases.flow(databases("RestartDBInstances", InstanceIds=[instance.id])["FlowId"]) == 0
    assert instance.sql(asked) == ["77\t99"] and parameter("back_log")["Value"] == "99"
    assert instance.refused("ModifyDBParameters", Params=[]).startswith("InvalidParameter")
    assert databases.refused("DescribeDBParameters", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"


def test_sessions_are_listed_and_killed(instance, databases, home):
    row = instance.row
    client = subprocess.Popen(
        [require("mariadb"), "--no-defaults", "--skip-ssl", f"--host={row['Vip']}", f"--port={row['Vport']}", "--user=app",
         "--execute", "SELECT SLEEP(1000)"],
        env=clean_environment(HOME=home, MYSQL_PWD=PASSWORD), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    (node,) = instance("DescribeInstanceNodeInfo")["NodesInfo"]

    def sleeping(**more):
        filters = [{"Name": "user", "Values": ["app"]}, {"Name": "info", "Values": ["SELECT SLEEP"]}]
        return instance("DescribeProcessList", NodeId=node["NodeId"], Filters=filters, **more)["ProcessList"]

    (session,) = eventually("the session", sleeping)
    assert (session["Command"], session["Info"]) == ("Query", "SELECT SLEEP(1000)")
    assert instance.refused("DescribeProcessList", NodeId="000000000000").startswith("InvalidParameter")
    assert databases.flow(instance("KillSession", SessionId=[session["Id"]])["TaskId"]) == 0
    assert "2013" in client.communicate(timeout=60)[1] and client.returncode != 0
    assert sleeping() == []
    assert instance.refused("KillSession", SessionId=[987654321]).startswith("InvalidParameter")


def test_logs_are_flushed_and_kept(instance, databases):
    instance("GrantAccountPrivileges", UserName="app", Host="%", DbName="*", Privileges=["SELECT", "REPLICATION CLIENT"])
    before = instance.sql("SHOW BINARY LOGS")
    instance("FlushBinlog")
    assert len(instance.sql("SHOW BINARY LOGS")) == len(before) + 1
    assert databases.refused("FlushBinlog", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
    assert instance("DescribeLogFileRetentionPeriod")["Days"] == 7
    instance("ModifyLogFileRetentionPeriod", Days=30)
    assert instance("DescribeLogFileRetentionPeriod")["Days"] == 30
    assert float(instance.sql("SELECT @@expire_logs_days")[0]) == 30
    assert instance.refused("ModifyLogFileRetentionPeriod", Days=31) == "InvalidParameterValue.IllegalLogSaveDays"
    refused = databases.refused("DescribeLogFileRetentionPeriod", InstanceId="tdsql-00000000")
    assert refused == "ResourceNotFound.NoInstanceFound"


def test_slow_statements_are_summed_up(instance):
    instance.sql("SET long_query_time = 0.01; SELECT SLEEP(0.02); SELECT SLEEP(0.03)")
    wanted = {"Offset": 0, "Limit": 10, "StartTime": "2020-01-01 00:00:00"}

    def sleeps():
        return [one for one in instance("DescribeDBSlowLogs", **wanted)["Data"] if one["FingerPrint"] == "select sleep(?)"]

    (found,) = eventually("the slow statements", sleeps)
    assert (found["QueryCount"], found["User"], found["RowsSentSum"]) == ("2", "app", "2")
    assert float(found["QueryTimeSum"]) >= 0.05 and found["ExampleSql"] == "SELECT SLEEP(0.03)"
    assert instance("DescribeDBSlowLogs", **wanted | {"StartTime": "2040-01-01 00:00:00"})["Total"] == 0
    assert instance.refused("DescribeDBSlowLogs", **wanted, Slave=1).startswith("InvalidParameter")


def test_security_groups_are_bound(instance, databases):
    several = {"Product": "mariadb", "InstanceIds": [instance.id]}

    def bound():
        groups = instance("DescribeDBSecurityGroups", Product="mariadb")
        assert (groups["VIP"], groups["VPort"]) == (instance.row["Vip"], "3306")
        return [group["SecurityGroupId"] for group in groups["Groups"]]

    databases("AssociateSecurityGroups", **several, SecurityGroupId="sg-aaaa1111")
    databases("AssociateSecurityGroups", **several, SecurityGroupId="sg-bbbb2222")
    assert bound() == ["sg-aaaa1111", "sg-bbbb2222"]
    databases("DisassociateSecurityGroups", **several, SecurityGroupId="sg-aaaa1111")
    assert bound() == ["sg-bbbb2222"]
    instance("ModifyDBInstanceSecurityGroups", Product="mariadb", SecurityGroupIds=["sg-cccc3333"])
    assert bound() == ["sg-cccc3333"]
    for action in ("AssociateSecurityGroups", "DisassociateSecurityGroups"):
        assert databases.refused(action, **several, SecurityGroupId="none") == "InvalidParameter.SGCheckFail"
    wrong = {"Product": "cdb", "SecurityGroupIds": []}
    assert instance.refused("ModifyDBInstanceSecurityGroups", **wrong).startswith("InvalidParameter")
    assert instance.refused("DescribeDBSecurityGroups", Product="cdb").startswith("InvalidParameter")


@pytest.mark.parametrize("action", ["DescribeDatabases", "DescribeInstanceNodeInfo", "DescribeRenewalPrice"])
def test_what_is_asked_of_nobody_is_refused(databases, action):
    assert databases.refused(action, InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"
