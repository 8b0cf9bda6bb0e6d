"""Accounts that only read are led to standbys, as their level says."""

import subprocess

import pytest

from cloud import clean_environment, eventually
from databases import PASSWORD, ZONE
from tools import require

OTHER = "ap-guangzhou-4"
# Which of its instance's servers it is: numbers of servers go on in fours from instance to instance.
WHERE = "SELECT @@server_id % 4"


@pytest.fixture(scope="module")
def trio(databases):
    """A primary with two standbys: server 1 and 3 in one zone, 2 in another."""
    made = databases.create(nodes=3, Zones=[ZONE, OTHER, ZONE])
    made.account()
    made.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    for level in (1, 2, 3):
        reader(made, f"level{level}", ReadOnly=level)
    yield made
    made.destroy()


def reader(instance, name, **more):
    """An account that only reads, known to every standby."""
    instance.account(name, privileges=("SELECT",), **more)
    eventually("the account everywhere", lambda: all("ERROR" not in instance.sql(WHERE, user=name, check=False) for _ in range(4)))


def superuser(instance, zone_or_role, statement):
    """What one of the servers answers to its superuser, by its socket: to break what a user cannot."""
    for node in instance("DescribeInstanceNodeInfo")["NodesInfo"]:
        if zone_or_role in (node["Role"], node["Zone"] if node["Role"] == "slave" else None):
            data = instance.directory / node["NodeId"] / "data"
            command = [require("mariadb"), "--no-defaults", "--batch", "--socket=s.sock", "--execute", statement]
            subprocess.run(command, cwd=data, check=True, capture_output=True, env=clean_environment())


def led(instance, user, to, **more):
    """Waits until connections of a user are led to these servers and to no other; standbys that were just arranged are not fit yet."""
    def seen():
        answers = [instance.sql(WHERE, user=user, check=False, **more).strip() for _ in range(6)]
        return set(answers) == to

    eventually(f"that {user} is led to {to}", seen)


def test_each_level_is_led_where_it_belongs(trio):
    led(trio, "app", {"1"})
    for user in ("level1", "level2", "level3"):
        led(trio, user, {"2", "3"})
        eventually("the row on the standby", lambda user=user: trio.sql("SELECT x FROM d.t", user=user) == ["1"])
        assert trio.sql("SELECT @@read_only, CURRENT_USER()", user=user) == [f"1\t{user}@%"]
        assert "denied" in trio.sql("SELECT 1", user=user, password="Wrong-Horse-1", check=False)
        assert "read-only" in trio.sql("INSERT INTO d.t VALUES (2)", user=user, check=False)
    users = {user["UserName"]: user for user in trio("DescribeAccounts")["Users"]}
    assert [users[name]["ReadOnly"] for name in ("app", "level1", "level2", "level3")] == [0, 1, 2, 3]


def test_the_nearest_standby_is_taken_where_that_is_asked_for(trio):
    trio("ModifyRealServerAccessStrategy", RsAccessStrategy=1)
    assert trio("DescribeDBInstanceDetail")["RsAccessStrategy"] == 1
    led(trio, "level2", {"3"})
    trio("ModifyRealServerAccessStrategy", RsAccessStrategy=0)
    led(trio, "level2", {"2", "3"})
    assert trio.refused("ModifyRealServerAccessStrategy", RsAccessStrategy=2) == "InvalidParameter.IllegalParameterError"


def test_standbys_that_do_not_follow_serve_those_only_who_ignore_it(trio):
    superuser(trio, "slave", "STOP SLAVE SQL_THREAD")
    led(trio, "level1", {"1"})
    assert "No standby is fit" in trio.sql(WHERE, user="level2", check=False)
    led(trio, "level3", {"2", "3"})
    superuser(trio, "slave", "START SLAVE")
    eventually("that they are fit again", lambda: "ERROR" not in trio.sql(WHERE, user="level2", check=False))


def test_a_delay_makes_a_standby_unfit_for_whom_it_is_too_long(trio):
    reader(trio, "strict", ReadOnly=2, DelayThresh=2)
    reader(trio, "patient", ReadOnly=2, DelayThresh=3600)
    # Standbys wait an hour before they do what they have received.
    superuser(trio, "slave", "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE")
    trio.sql("INSERT INTO d.t VALUES (10)")
    eventually("that it is too late for one", lambda: "No standby is fit" in trio.sql(WHERE, user="strict", check=False))
    led(trio, "patient", {"2", "3"})
    superuser(trio, "slave", "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE")
    eventually("that nobody waits", lambda: "ERROR" not in trio.sql(WHERE, user="strict", check=False))
    strict = next(user for user in trio("DescribeAccounts")["Users"] if user["UserName"] == "strict")
    assert (strict["DelayThresh"], strict["SlaveConst"]) == (2, 0)


def test_a_connection_that_is_bound_to_its_standby_ends_with_its_fitness(trio, home):
    reader(trio, "bound", ReadOnly=1, SlaveConst=1)
    led(trio, "bound", {"2", "3"})
    led(trio, "level1", {"2", "3"})
    row = trio.row
    sessions = {}
    for user in ("bound", "level1"):
        sessions[user] = subprocess.Popen(
            [require("mariadb"), "--no-defaults", "--skip-ssl", f"--host={row['Vip']}", f"--port={row['Vport']}", f"--user={user}", "--batch",
             "--unbuffered", "--skip-column-names", "--execute", "SELECT 'begun'; SELECT SLEEP(600)"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment(HOME=home, MYSQL_PWD=PASSWORD),
        )  # fmt: skip
        assert sessions[user].stdout.readline() == "begun\n"
    superuser(trio, "slave", "STOP SLAVE SQL_THREAD")
    try:
        assert sessions["bound"].wait(60) != 0
        assert sessions["level1"].poll() is None, "the other goes on"
    finally:
        superuser(trio, "slave", "START SLAVE")
        for session in sessions.values():
            session.kill()
            session.wait()


def test_by_tls_they_are_led_as_well(trio, cloud):
    ca = cloud.data / "ca.pem"
    trio("ModifyInstanceSSLAttributes", SSLEnabled=1)
    eventually("TLS", lambda: trio("DescribeInstanceSSLAttributes")["Status"] == 2)
    eventually("that standbys are fit", lambda: "ERROR" not in trio.sql(WHERE, user="level2", check=False))
    led(trio, "level2", {"2", "3"}, ca=ca)
    led(trio, "app", {"1"}, ca=ca)
    led(trio, "level2", {"2", "3"})
    cipher = "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'"
    for user in ("app", "level2"):
        assert trio.sql(cipher, user=user, ca=ca) != [""], "the server is spoken to by TLS, too"
    assert "denied" in trio.sql("SELECT 1", user="level2", password="Wrong-Horse-1", ca=ca, check=False)


def test_with_one_server_there_is_no_standby(instance):
    instance.account("alone1", privileges=("SELECT",), ReadOnly=1)
    instance.account("alone2", privileges=("SELECT",), ReadOnly=2)
    assert instance.sql("SELECT 1", user="alone1") == ["1"] and instance.sql("SELECT 1") == ["1"]
    assert "No standby is fit" in instance.sql("SELECT 1", user="alone2", check=False)
    instance("ModifyRealServerAccessStrategy", RsAccessStrategy=1)
    assert instance("DescribeDBInstanceDetail")["RsAccessStrategy"] == 1
    assert instance.sql("SELECT 1", user="alone1") == ["1"]
