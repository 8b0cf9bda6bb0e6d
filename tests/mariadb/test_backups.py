"""Backups, restoring to a moment, and files by signed addresses."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from cloud import eventually
from databases import INIT, ZONE, Databases, Instance, servers
from tencent import Tccli, TccliError
from tools import require, run

NOBODY = "tdsql-00000000"


@pytest.fixture(scope="module", autouse=True)
def tools():
    for name in ("mariabackup", "mbstream", "mariadb-binlog", "lz4"):
        require(name)


def backups(instance):
    return instance.databases("DescribeBackupFiles", InstanceId=instance.id, BackupType="Data")["Files"]


def backed_up(instance):
    """Waits for the first backup, which follows the creation."""
    eventually("the first backup", lambda: backups(instance))


def clock(instance):
    return instance.sql("SELECT DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 8 HOUR, '%Y-%m-%d %H:%i:%S')")[0]


def moment(instance):
    """This second, when it is over: what is done from now on is later."""
    now = clock(instance)
    eventually("the next second", lambda: clock(instance) > now)
    eventually("that it can be restored to", lambda: instance("DescribeBinlogTime")["EndTime"] >= now)
    return now


def purge(instance):
    """Has the server throw away all logs but the one that it writes, as it does by itself after some days."""
    (node,) = instance("DescribeInstanceNodeInfo")["NodesInfo"]
    data = instance.directory / node["NodeId"] / "data"
    client = [require("mariadb"), "--no-defaults", "--batch", "--skip-column-names", "--socket=s.sock", "--execute"]
    last = subprocess.run([*client, "SHOW MASTER STATUS"], cwd=data, check=True, capture_output=True, text=True).stdout.split()[0]

    def alone():
        # A log stays while InnoDB may have to recover from it.
        subprocess.run([*client, f"PURGE BINARY LOGS TO '{last}'"], cwd=data, check=True)
        return [log.name for log in data.glob("binlog.0*")] == [last]

    eventually("the purge", alone)


def temporary(databases, instance, at):
    flow = databases("CreateTmpInstances", InstanceIds=[instance.id], RollbackTime=at)["FlowId"]
    assert databases.flow(flow) == 0
    (made,) = instance("DescribeDBTmpInstances")["TmpInstances"]
    # The steward looks over what a flow has brought up, and says so for a moment.
    Instance(databases, made["InstanceId"]).becomes(2)
    (made,) = instance("DescribeDBTmpInstances")["TmpInstances"]
    return made


def fetch(url, **headers):
    with urlopen(Request(url, headers=headers)) as answer:
        return answer.status, answer.read()


def denied(url):
    with pytest.raises(HTTPError) as caught:
        fetch(url)
    return caught.value.code


def test_a_dropped_table_comes_back_in_a_temporary_instance(databases):
    instance = databases.create()
    instance.account()
    instance.sql("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1)")
    backed_up(instance)
    instance.sql("INSERT INTO shop.orders VALUES (2)")
    instance("FlushBinlog")
    instance.sql("INSERT INTO shop.orders VALUES (3)")
    at = moment(instance)
    instance("FlushBinlog")
    # What the server itself has no more is in the archive.
    purge(instance)
    instance.sql("INSERT INTO shop.orders VALUES (4)")
    instance.sql("DROP TABLE shop.orders")
    made = temporary(databases, instance, at)
    assert (made["TempType"], made["Status"], made["SrcInstanceId"], made["Vport"]) == (2, 2, instance.id, 3306)
    assert made["PeriodEndTime"] > made["CreateTime"] and made["Vip"] != instance.row["Vip"]
    restored = Instance(databases, made["InstanceId"])
    # The account has come along, with its password and its rights.
    assert restored.sql("SELECT id FROM shop.orders ORDER BY id") == ["1", "2", "3"]
    assert [user["UserName"] for user in restored("DescribeAccounts")["Users"]] == ["app"]
    restored.sql("INSERT INTO shop.orders VALUES (5)")
    assert "doesn't exist" in instance.sql("SELECT id FROM shop.orders", check=False)
    assert (restored.row["IsTmp"], instance.row["IsTmp"], restored("DescribeDBInstanceDetail")["IsTmp"]) == (1, 0, 1)
    again = {"InstanceIds": [instance.id], "RollbackTime": at}
    assert databases.refused("CreateTmpInstances", **again) == "ResourceInUse.TempInstanceExist"
    of_itself = {"InstanceIds": [restored.id], "RollbackTime": at}
    assert databases.refused("CreateTmpInstances", **of_itself) == "ResourceUnavailable.InstanceStatusAbnormal"
    # It ends with the instance that it is of.
    instance.destroy()
    eventually("the end of the temporary instance", lambda: databases.list(InstanceIds=[restored.id]) == [])
    assert not restored.directory.exists() and not servers(restored.directory)


def test_what_is_encrypted_is_restored_with_its_key(databases):
    instance = databases.create()
    instance.account()
    instance("ModifyDBEncryptAttributes", EncryptEnabled=1)
    backed_up(instance)
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    at = moment(instance)
    restored = Instance(databases, temporary(databases, instance, at)["InstanceId"])
    assert restored.sql("SELECT x FROM d.t") == ["1"]
    assert restored("DescribeDBEncryptAttributes")["EncryptStatus"] == 1
    instance.destroy()


def test_only_moments_with_a_backup_before_them_can_be_restored(databases):
    instance = databases.create()
    instance.account()
    backed_up(instance)
    for wrong in ("yesterday", "2020-01-01 00:00:00", "2040-01-01 00:00:00"):
        refused = databases.refused("CreateTmpInstances", InstanceIds=[instance.id], RollbackTime=wrong)
        assert refused == "InvalidParameter.IllegalTime"
    reach = instance("DescribeBinlogTime")
    assert backups(instance)[0]["EndTime"] == reach["StartTime"] <= reach["EndTime"]
    # The first and the last moment that are told can be restored.
    for at in (reach["StartTime"], reach["EndTime"]):
        restored = Instance(databases, temporary(databases, instance, at)["InstanceId"])
        assert restored.sql("SELECT CURRENT_USER()") == ["app@%"]
        restored.destroy()
        assert instance("DescribeDBTmpInstances")["TmpInstances"] == []
    waiting = databases.create(InitParams=[])
    assert waiting.refused("DescribeBinlogTime") == "FailedOperation.LogNotExisted"
    assert waiting("DescribeDBTmpInstances")["TmpInstances"] == []
    waiting.destroy()
    instance.destroy()


def test_a_new_instance_begins_with_the_state_of_another(databases):
    """Of another size, with a standby, and from a source that has switched its primary since the backup."""
    source = databases.create(nodes=2, InitParams=[*INIT, {"Param": "innodb_page_size", "Value": "8192"}])
    source.account()
    source("ModifyDBParameters", Params=[{"Param": "max_connections", "Value": "77"}])
    source.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT PRIMARY KEY, y MEDIUMBLOB); INSERT INTO d.t VALUES (1, '')")
    backed_up(source)
    source.sql("INSERT INTO d.t VALUES (2, REPEAT('x', 3000000))")
    source.does("SwitchDBInstanceHA", Zone=ZONE)
    source.becomes(2)
    source.sql("INSERT INTO d.t VALUES (3, '')")
    at = moment(source)
    source.sql("TRUNCATE d.t")
    wanted = {"Zones": [ZONE], "NodeCount": 2, "Memory": 4, "Storage": 30, "RollbackInstanceId": source.id}
    assert databases.refused("CreateHourDBInstance", **wanted).startswith("InvalidParameter")
    wanted["RollbackTime"] = at
    assert databases.refused("CreateHourDBInstance", **wanted, InitParams=INIT) == "InvalidParameterValue.IllegalInitParam"
    unknown = wanted | {"RollbackInstanceId": NOBODY}
    assert databases.refused("CreateHourDBInstance", **unknown) == "ResourceNotFound.NoInstanceFound"
    made = databases("CreateHourDBInstance", **wanted)
    assert databases.flow(made["FlowId"]) == 0
    instance = Instance(databases, made["InstanceIds"][0])
    instance.becomes(2)
    assert instance.sql("SELECT x, LENGTH(y) FROM d.t") == ["1\t0", "2\t3000000", "3\t0"]
    assert instance.sql("SELECT @@max_connections, @@innodb_page_size") == ["77\t8192"]
    assert (instance.row["IsTmp"], instance.row["Memory"], instance.row["Status"]) == (0, 4, 2)
    # Both servers have it, and go on together from there.
    instance.sql("INSERT INTO d.t VALUES (4, '')")
    instance.does("SwitchDBInstanceHA", Zone=ZONE)
    instance.becomes(2)
    assert instance.sql("SELECT x FROM d.t") == ["1", "2", "3", "4"]
    backed_up(instance)
    source.destroy()
    assert instance.sql("SELECT COUNT(*) FROM d.t") == ["4"], "it has nothing to do with its source any more"
    instance.destroy()


@pytest.mark.parametrize("until", ["", "tdsql-*/restoring-*/data/ibdata1", "processes/*.restore*"])
def test_a_kill_in_the_middle_of_a_restore_leaves_nothing_behind(start, home, until):
    cloud = start()
    databases = Databases(cloud, home)
    instance = databases.create()
    instance.account()
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT); INSERT INTO d.t VALUES (1)")
    backed_up(instance)
    at = moment(instance)
    instance.sql("DROP TABLE d.t")
    flow = databases("CreateTmpInstances", InstanceIds=[instance.id], RollbackTime=at)["FlowId"]
    if until:
        eventually(until, lambda: list((cloud.data / "mariadb").glob(until)) or databases("DescribeFlow", FlowId=flow)["Status"] != 2)
    cloud.kill()
    cloud.start()
    databases = Databases(cloud, home)
    instance = Instance(databases, instance.id)
    assert databases.flow(flow) == 0
    (made,) = instance("DescribeDBTmpInstances")["TmpInstances"]
    restored = Instance(databases, made["InstanceId"])
    restored.becomes(2)
    assert restored.sql("SELECT x FROM d.t") == ["1"]
    assert len(restored.processes()) == 1 and list(restored.directory.glob("restoring-*")) == []
    assert cloud.stop() == 0
    assert servers(cloud.data) == [] and strays(cloud.data) == []


def test_a_kill_in_the_middle_of_a_backup_leaves_nothing_behind(start, home):
    cloud = start()
    databases = Databases(cloud, home)
    instance = databases.create()
    eventually("a backup that is being taken", lambda: list(instance.directory.glob("backups/*")))
    cloud.kill()
    cloud.start()
    instance = Instance(Databases(cloud, home), instance.id)
    backed_up(instance)
    assert [backup["FileName"] for backup in backups(instance)] == os.listdir(instance.directory / "backups")
    eventually("the end of all tools", lambda: strays(cloud.data) == [])
    instance.destroy()
    assert not instance.directory.exists() and servers(cloud.data) == []


def test_an_instance_can_go_while_its_backup_is_taken(databases):
    instance = databases.create()
    eventually("a backup that is being taken", lambda: list(instance.directory.glob("backups/*")))
    instance.destroy()
    assert not instance.directory.exists() and not instance.processes()
    assert instance.id not in [found["InstanceId"] for found in databases("DescribeBackupFiles", Limit=100)["Files"]]


def strays(directory):
    """Programs that take backups, restore them or read logs, and were started by that cloud."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                environment = (place / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(variable == b"ROOKERY_MARIADB_TOOL_OF=" + os.fsencode(directory / "mariadb") for variable in environment):
                found.append(int(place.name))
    return found


def test_a_backup_is_downloaded_and_unpacked(instance, databases, home, tmp_path):
    instance.sql("CREATE DATABASE IF NOT EXISTS kept; CREATE TABLE IF NOT EXISTS kept.t (x INT)")
    backed_up(instance)
    (backup,) = databases("DescribeBackupFiles", InstanceId=instance.id, BackupType="Data", OrderBy="Size", OrderType="ASC")["Files"]
    assert (backup["InstanceName"], backup["InstanceStatus"], backup["ManualBackup"]) == (instance.id, 2, 0)
    assert backup["StartTime"] <= backup["EndTime"] and backup["StorageClass"] == "STANDARD"
    url = instance("DescribeFileDownloadUrl", FilePath=backup["FilePath"])["PreSignedUrl"]
    status, content = fetch(url)
    assert status == 200 and len(content) == backup["FileSize"]
    archive, unpacked = tmp_path / backup["FileName"], tmp_path / "unpacked"
    archive.write_bytes(content)
    unpacked.mkdir()
    run("lz4", "-d", "-q", archive, tmp_path / "stream", home=home)
    with (tmp_path / "stream").open("rb") as stream:
        subprocess.run([require("mbstream"), "-x", "-C", unpacked], stdin=stream, check=True)
    assert (unpacked / "ibdata1").exists() and (unpacked / "xtrabackup_binlog_info").exists()
    run("mariabackup", "--prepare", f"--target-dir={unpacked}", home=home)


def test_logs_are_downloaded_and_read(instance, databases, home, tmp_path):
    instance.sql("CREATE DATABASE IF NOT EXISTS kept; CREATE TABLE kept.log (words TEXT); INSERT INTO kept.log VALUES ('in the log')")
    instance.sql("SET long_query_time = 0.01; SELECT SLEEP(0.02)")

    def newest(kind):
        listed = instance("DescribeDBLogFiles", Type=kind)
        assert (listed["Type"], listed["Total"]) == (kind, len(listed["Files"])) and listed["VpcPrefix"] == listed["NormalPrefix"]
        file = listed["Files"][0]
        status, content = fetch(listed["VpcPrefix"] + file["Uri"])
        assert status == 200 and file["Mtime"] > 0
        if kind == 2:
            assert len(content) == file["Length"]
        return file, content

    backed_up(instance)
    assert newest(2)[1].startswith(b"\x04\x22\x4d\x18"), "an LZ4 frame"
    assert b"ready for connections" in newest(3)[1]
    eventually("the slow statement", lambda: b"SLEEP(0.02)" in newest(4)[1])
    file, content = newest(1)
    (tmp_path / file["FileName"]).write_bytes(content)
    read = run("mariadb-binlog", "--no-defaults", "--verbose", tmp_path / file["FileName"], home=home).stdout
    assert "INSERT INTO `kept`.`log`" in read and "in the log" in read
    kinds = {found["BackupType"] for found in databases("DescribeBackupFiles", InstanceId=instance.id, Limit=100)["Files"]}
    assert kinds == {"Data", "Binlog", "Errlog", "Slowlog"}


def test_an_address_is_good_for_its_file_only(instance, databases):
    listed = instance("DescribeDBLogFiles", Type=3)
    file = listed["Files"][0]
    path = file["Uri"].split("?")[0]
    assert path in [found["FilePath"] for found in databases("DescribeBackupFiles", BackupType="Errlog")["Files"]]
    url = instance("DescribeFileDownloadUrl", FilePath=file["Uri"])["PreSignedUrl"]
    status, part = fetch(url, Range="bytes=2-9")
    assert status == 206 and part == fetch(url)[1][2:10]
    bare, query = url.split("?")
    expires, signature = query.split("&")
    long_ago = "expires=1000000000"
    for tampered in (bare, f"{bare}?{long_ago}&{signature}", f"{bare}?{expires}9&{signature}", f"{bare}?{expires}&signature=00"):
        assert denied(tampered) == 403
    other = newest_binlog(instance)
    assert denied(f"{listed['VpcPrefix']}{other}?{query}") == 403
    for missing in ("/etc/passwd", path + "/../my.cnf", "", other.replace(instance.id, NOBODY)):
        assert instance.refused("DescribeFileDownloadUrl", FilePath=missing) == "FailedOperation.LogNotExisted"
    assert instance.refused("DescribeDBLogFiles", Type=5).startswith("InvalidParameter")
    assert databases.refused("DescribeBackupFiles", BackupType="Relaylog").startswith("InvalidParameter")
    assert databases.refused("DescribeBackupFiles", Limit=101).startswith("InvalidParameter")
    assert databases.refused("DescribeBackupFiles", StartTime="today") == "InvalidParameter.IllegalTime"
    assert databases("DescribeBackupFiles", InstanceId=instance.id, StartTime="2040-01-01 00:00:00")["TotalCount"] == 0
    some = databases("DescribeBackupFiles", InstanceId=instance.id, Limit=1, Offset=1)
    assert len(some["Files"]) == 1 and some["TotalCount"] > 1 and some["UrlPrefix"] == listed["VpcPrefix"]


def newest_binlog(instance):
    return instance("DescribeDBLogFiles", Type=1)["Files"][0]["Uri"].split("?")[0]


def test_the_schedule_is_kept(databases):
    instance = databases.create(InitParams=[])
    days = ["Monday", "Sunday"]
    policy = {"EnableBackupPolicy": True, "BeginDate": "2026-01-01", "MaxRetentionDays": 365, "Frequency": "monthly", "BackupCount": 2}
    known = instance("DescribeBackupConfigs")
    assert (known["Days"], known["ArchiveDays"], known["BackupConfigSet"], len(known["WeekDays"])) == (7, -1, [], 7)
    instance("ModifyBackupConfigs", Days=30, WeekDays=["Sunday", "Monday"], BackupConfigSet=[policy])
    changed = instance("DescribeBackupConfigs")
    assert (changed["Days"], changed["WeekDays"], changed["StartBackupTime"]) == (30, days, known["StartBackupTime"])
    assert changed["BackupConfigSet"] == [policy | {"WeekDays": []}]
    instance("ModifyBackupConfigs", StartBackupTime="22:00", EndBackupTime="23:30", ArchiveDays=-1, BackupConfigSet=[])
    changed = instance("DescribeBackupConfigs")
    assert (changed["StartBackupTime"], changed["EndBackupTime"]) == ("22:00", "23:30")
    assert (changed["Days"], changed["BackupConfigSet"]) == (30, [])
    for wrong in ({"Days": 0}, {"ArchiveDays": 30}, {"WeekDays": ["Funday"]}, {"StartBackupTime": "23:45"}, {"BackupConfigSet": [policy, policy]}):
        assert instance.refused("ModifyBackupConfigs", **wrong)
    assert instance("DescribeBackupConfigs") | {"RequestId": ""} == changed | {"RequestId": ""}
    instance.destroy()


@contextmanager
def writing(instance):
    """Somebody who writes as fast as the server takes it."""
    instance.sql("CREATE DATABASE d; CREATE TABLE d.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, x VARCHAR(2000))")
    rows = "INSERT INTO d.t (x) SELECT REPEAT('x', 1500) FROM d.seq_1_to_{}"
    instance.sql(rows.format(100000))
    done = Event()

    def write():
        while not done.is_set():
            instance.sql(rows.format(20000) + "; DELETE FROM d.t ORDER BY id LIMIT 20000")

    with ThreadPoolExecutor() as beside:
        writer = beside.submit(write)
        try:
            yield
        finally:
            done.set()
        writer.result()


def test_another_backup_is_taken_in_the_window_of_the_day(cloud, databases):
    instance = databases.create()
    instance.account()
    backed_up(instance)
    first = clock(instance)[11:16]

    def later():
        # A window ends on the day on which it begins, so the last minute of a day has none.
        now = clock(instance)[11:16]
        return now if first < now < "23:59" or now < first else None

    start = eventually("the next minute", later, deadline=130)
    assert len(backups(instance)) == 1, "it is not the time yet"
    with writing(instance):
        instance("ModifyBackupConfigs", StartBackupTime=start, EndBackupTime="23:59")
        eventually("the second backup", lambda: len(backups(instance)) == 2)
    failed = [line for line in cloud.logged().splitlines() if "a backup failed" in line and instance.id in line]
    assert failed == [], "the first attempt succeeded"
    newest, oldest = backups(instance)
    assert newest["StartTime"][11:16] >= start and newest["StartTime"] > oldest["StartTime"]
    assert instance("DescribeBinlogTime")["StartTime"] == oldest["EndTime"]
    listed = [file["FileName"] for file in instance("DescribeDBLogFiles", Type=2)["Files"]]
    assert listed == [newest["FileName"], oldest["FileName"]]
    assert fetch(instance("DescribeFileDownloadUrl", FilePath=newest["FilePath"])["PreSignedUrl"])[0] == 200
    instance.destroy()


def test_tccli_sets_the_window(databases, cloud, home):
    instance = databases.create(InitParams=[])
    tccli = Tccli(cloud, home)
    window = {"StartBackupTime": "02:00", "EndBackupTime": "03:00"}
    assert tccli("mariadb", "ModifyBackupTime", InstanceId=instance.id, **window)["Status"] == 0
    told = tccli("mariadb", "DescribeBackupTime", InstanceIds=[instance.id])
    assert (told["TotalCount"], told["Items"]) == (1, [{"InstanceId": instance.id, **window}])
    with pytest.raises(TccliError) as refused:
        tccli("mariadb", "ModifyBackupTime", InstanceId=instance.id, StartBackupTime="03:00", EndBackupTime="02:00")
    assert refused.value.code == "InvalidParameter.IllegalParameterError"
    instance.destroy()


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("DescribeBackupConfigs", {}),
        ("ModifyBackupConfigs", {"Days": 8}),
        ("ModifyBackupTime", {"StartBackupTime": "01:00", "EndBackupTime": "02:00"}),
        ("DescribeBackupFiles", {}),
        ("DescribeBinlogTime", {}),
        ("DescribeDBLogFiles", {"Type": 1}),
        ("DescribeFileDownloadUrl", {"FilePath": "/x"}),
        ("DescribeDBTmpInstances", {}),
    ],
)
def test_nothing_is_told_of_nobody(databases, action, more):
    assert databases.refused(action, InstanceId=NOBODY, **more) == "ResourceNotFound.NoInstanceFound"


def test_nothing_is_told_of_several_of_whom_one_is_nobody(databases, instance):
    ids = {"InstanceIds": [instance.id, NOBODY]}
    assert databases.refused("DescribeBackupTime", **ids) == "ResourceNotFound.NoInstanceFound"
    refused = databases.refused("CreateTmpInstances", InstanceIds=[NOBODY], RollbackTime="2026-01-01 00:00:00")
    assert refused == "ResourceNotFound.NoInstanceFound"
