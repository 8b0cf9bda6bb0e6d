"""Rookery and the servers are killed at random while clients write: nothing that was acknowledged is lost, and nothing is left over.

`ROOKERY_CHAOS_ROUNDS` (40, half a minute) is how long it goes on: 200 are some minutes. `ROOKERY_CHAOS_SEED` repeats the choices of a run, which
prints its seed; the kernel's own order of things is not repeated.
"""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from cloud import eventually
from databases import INIT, PASSWORD, ZONE, Databases, Instance, servers
from tools import run

ROUNDS = int(os.environ.get("ROOKERY_CHAOS_ROUNDS", "40"))
WRITERS = 2
ZONES = ["ap-guangzhou-3", "ap-guangzhou-4"]

PASSING = (
    "ResourceUnavailable.InstanceHasBeenLocked",
    "ResourceUnavailable.InstanceStatusAbnormal",
    "InvalidParameterValue.IllegalZone",
)

# Recovery of several servers on a busy machine, after several faults in a row.
RECOVERY = 180.0


def zones(instance):
    """The zone of each role."""
    return {node["Role"]: node["Zone"] for node in instance("DescribeInstanceNodeInfo")["NodesInfo"]}


class Writers:
    """Clients that insert one number after another, each on a connection of its own, and note which were acknowledged."""

    def __init__(self, address, home):
        self.address, self.home = address, home
        self.acknowledged, self.tried = [], 0
        self.lock, self.done = Lock(), Event()
        self.threads = [Thread(target=self._write, daemon=True) for _ in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def _write(self):
        while not self.done.is_set():
            with self.lock:
                self.tried += 1
                number = self.tried
            if self.ask(f"INSERT INTO d.t VALUES ({number})").returncode == 0:
                with self.lock:
                    self.acknowledged.append(number)
            else:
                self.done.wait(0.02)

    def ask(self, statement):
        host, port = self.address
        return run(
            *("mariadb", "--no-defaults", "--batch", "--skip-column-names", "--connect-timeout=5", "--skip-ssl"),
            *(f"--host={host}", f"--port={port}", "--user=app", "--execute", statement),
            home=self.home,
            check=False,
            MYSQL_PWD=PASSWORD,
        )

    def go_on(self):
        """Waits until each of them could have had a statement acknowledged that it began after this call."""
        before = len(self.acknowledged)
        eventually("acknowledged rows", lambda: len(self.acknowledged) > before + WRITERS, RECOVERY)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(RECOVERY)
            assert not thread.is_alive(), "a client hangs"


class Chaos:
    """One cloud with a pair, and what can happen to it."""

    def __init__(self, cloud, home, dice):
        self.cloud, self.home, self.dice = cloud, home, dice
        self.flows, self.history = [], []
        self.pair = Databases(cloud, home).create(nodes=2, Zones=ZONES)
        self.pair.account()
        self.pair.sql("CREATE DATABASE d; CREATE TABLE d.t (x INT PRIMARY KEY)")
        self.row = self.pair.row

    # -- faults

    def kill_rookery(self):
        self.cloud.kill()
        if self.dice.random() < 0.5:
            self.kill_servers()
        self.start()

    def start(self):
        self.cloud.start()
        self.pair = Instance(Databases(self.cloud, self.home), self.pair.id)

    def kill_servers(self):
        running = servers(self.cloud.data)
        for process in self.dice.sample(running, self.dice.randint(1, len(running)) if running else 0):
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(process, signal.SIGKILL)

    def fault(self):
        what = self.dice.choice([self.kill_rookery, self.kill_servers, self.kill_servers])
        self.history.append(what.__name__)
        what()

    # -- what goes on while the faults come

    def nothing(self):
        self.fault()

    def stop_and_start(self):
        assert self.cloud.stop() == 0
        assert servers(self.cloud.data) == []
        self.start()

    def switch(self):
        self.during("SwitchDBInstanceHA", lambda: {"InstanceId": self.pair.id, "Zone": zones(self.pair)["slave"]})

    def restart(self):
        self.during("RestartDBInstances", lambda: {"InstanceIds": [self.pair.id]})

    def change_mode(self):
        mode = self.dice.choice([1, 2])
        self.during("ModifyDBSyncMode", lambda: {"InstanceId": self.pair.id, "SyncMode": mode})

    def upgrade(self):
        def other_size():
            row = self.pair.row
            return {"InstanceId": self.pair.id, "Memory": 6 - row["Memory"], "Storage": row["Storage"]}

        self.during("UpgradeHourDBInstance", other_size)

    def create_and_destroy(self):
        order = {"Zones": [ZONE], "NodeCount": 1, "Memory": 2, "Storage": 20, "InitParams": INIT}
        made = self.during("CreateHourDBInstance", lambda: order)
        assert self.outcome(made["FlowId"]) == 0
        instance = Instance(self.pair.databases, made["InstanceIds"][0])
        eventually("the new instance", lambda: instance.row["Status"] == 2, RECOVERY)
        gone = self.during("DestroyHourDBInstance", lambda: {"InstanceId": instance.id})
        assert self.outcome(gone["FlowId"]) == 0
        instance = Instance(self.pair.databases, instance.id)
        assert not instance.directory.exists() and not instance.processes()

    def during(self, action, parameters):
        """Begins a flow, and has a fault come at a random moment of it."""
        self.history.append(action)

        def begun():
            try:
                return self.pair.databases(action, **parameters())
            except TencentCloudSDKException as refused:
                # What the fault before has set going may still hold the instance, and may have changed who is the primary.
                assert refused.code in PASSING, refused
                return None

        answer = eventually(f"{action} let through", begun, RECOVERY)
        self.flows.append(answer.get("FlowId"))
        time.sleep(self.dice.random() * 0.6)
        self.fault()
        return answer

    def outcome(self, flow):
        def ended():
            status = self.pair.databases("DescribeFlow", FlowId=flow)["Status"]
            return None if status == 2 else [status]

        return eventually(f"the end of flow {flow}", ended, RECOVERY)[0]

    def round(self):
        self.history.append("/")
        happening = self.dice.choice(
            [self.nothing] * 3
            + [self.switch, self.restart, self.change_mode, self.upgrade, self.create_and_destroy, self.stop_and_start]
        )
        happening()
        for _ in range(self.dice.choice([0, 0, 1, 2])):
            self.fault()


def listening(row):
    """Which of an instance's four addresses, its own and its servers', somebody listens at."""
    network, port = row["Vip"].rpartition(".")[0], row["Vport"]
    first = int(row["Vip"].rpartition(".")[2])
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        octets = [str(byte) for byte in reversed(bytes.fromhex(local[:8]))]
        block = ".".join(octets[:3]) == network and first <= int(octets[3]) < first + 4
        if state == "0A" and block and int(local[9:], 16) == port:
            found.append(".".join(octets))
    return found


def test_nothing_acknowledged_is_lost_and_nothing_is_left_when_all_is_killed_at_random(start, home):
    seed = int(os.environ.get("ROOKERY_CHAOS_SEED") or random.randrange(1 << 32))
    print(f"ROOKERY_CHAOS_SEED={seed}")
    cloud = start()
    chaos = Chaos(cloud, home, random.Random(seed))
    writers = Writers((chaos.row["Vip"], chaos.row["Vport"]), home)
    try:
        for _ in range(ROUNDS):
            chaos.round()
            if chaos.dice.random() < 0.7:
                writers.go_on()
        for flow in filter(None, chaos.flows):
            assert chaos.outcome(flow) in (0, 1)
        eventually("the instance", lambda: chaos.pair.row["Status"] == 2, RECOVERY)
        writers.go_on()
    finally:
        print(" ".join(chaos.history))
        writers.stop()
    pair = chaos.pair
    # Each of the two servers is asked, as the primary.
    for turn in range(2):
        roles = zones(pair)
        eventually("that the primary waits", lambda: pair("DescribeDBSyncMode")["CurrentSyncMode"] == 1, RECOVERY)
        held = {int(line) for line in writers.ask("SELECT x FROM d.t").stdout.split()}
        assert [number for number in writers.acknowledged if number not in held] == [], (turn, roles)
        pair.does("SwitchDBInstanceHA", Zone=roles["slave"])
    print(f"{len(writers.acknowledged)} of {writers.tried} rows were acknowledged")
    assert len(servers(cloud.data)) == 2 and len(listening(chaos.row)) == 3
    directory = cloud.data / "mariadb"
    assert [place.name for place in directory.glob("tdsql-*")] == [pair.id]
    assert len(list((directory / "processes").iterdir())) == 2
    pair.destroy()
    assert servers(cloud.data) == [] and listening(chaos.row) == []
    assert list(directory.glob("tdsql-*")) == [] and list((directory / "processes").iterdir()) == []
