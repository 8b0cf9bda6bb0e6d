"""Instances as a user has them: made through the official SDK, asked through the `mariadb` client."""

import os
from pathlib import Path

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.mariadb.v20170312.mariadb_client import MariadbClient

from cloud import eventually
from tools import require, run

ZONE = "ap-guangzhou-3"
INIT = [{"Param": "character_set_server", "Value": "utf8mb4"}, {"Param": "lower_case_table_names", "Value": "1"}]
PASSWORD = "Correct-Horse-7"


class Databases:
    """The product in one cloud, through the Python SDK."""

    def __init__(self, cloud, home):
        self.cloud, self.home = cloud, home
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=cloud.authority), language="en-US")
        self.client = MariadbClient(Credential(cloud.secret_id, cloud.secret_key), "ap-guangzhou", profile)

    def __call__(self, action, **parameters):
        return self.client.call_json(action, parameters)["Response"]

    def refused(self, action, **parameters):
        with pytest.raises(TencentCloudSDKException) as caught:
            self(action, **parameters)
        return caught.value.code

    def flow(self, number):
        """Waits until a flow ends; says how."""

        def ended():
            status = self("DescribeFlow", FlowId=number)["Status"]
            return None if status == 2 else [status]

        return eventually(f"the end of flow {number}", ended)[0]

    def create(self, nodes=1, **more):
        # Where only root has `sbin` on the PATH it is there all the same.
        if not Path("/usr/sbin/mariadbd").exists():
            require("mariadbd")
        parameters = {"Zones": [ZONE], "NodeCount": nodes, "Memory": 2, "Storage": 20, "InitParams": INIT} | more
        made = self("CreateHourDBInstance", **parameters)
        assert self.flow(made["FlowId"]) == 0
        return Instance(self, made["InstanceIds"][0])

    def list(self, **parameters):
        return self("DescribeDBInstances", **parameters)["Instances"]


class Instance:
    """One instance."""

    def __init__(self, databases, id):
        self.databases, self.id = databases, id

    def __call__(self, action, **parameters):
        return self.databases(action, InstanceId=self.id, **parameters)

    def refused(self, action, **parameters):
        return self.databases.refused(action, InstanceId=self.id, **parameters)

    def does(self, action, **parameters):
        """An action with a flow, to its end."""
        assert self.databases.flow(self(action, **parameters)["FlowId"]) == 0

    @property
    def row(self):
        (row,) = self.databases.list(InstanceIds=[self.id])
        return row

    @property
    def directory(self):
        return self.databases.cloud.data / "mariadb" / self.id

    def becomes(self, status):
        eventually(f"status {status}", lambda: self.row["Status"] == status)

    def account(self, name="app", privileges=("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER"), **more):
        self("CreateAccount", UserName=name, Host="%", Password=PASSWORD, **more)
        if privileges:
            self("GrantAccountPrivileges", UserName=name, Host="%", DbName="*", Privileges=list(privileges))
        return name

    def sql(self, statement, user="app", password=PASSWORD, check=True, at=None, ca=None):
        """What the server answers to a user at the instance's address, or at another, a line for each row. With a `ca`, by TLS."""
        row = self.row
        host, port = at or (row["Vip"], row["Vport"])
        tls = (f"--ssl-ca={ca}", "--ssl-verify-server-cert") if ca else ("--skip-ssl",)
        ended = run(
            *("mariadb", "--no-defaults", "--batch", "--skip-column-names", "--connect-timeout=10", *tls),
            *("--protocol=tcp", f"--host={host}", f"--port={port}", f"--user={user}", "--execute", statement),
            home=self.databases.home,
            check=False,
            MYSQL_PWD=password,
        )
        if check:
            assert ended.returncode == 0, ended.stderr
            return ended.stdout.splitlines()
        return ended.stdout + ended.stderr

    def processes(self):
        return servers(self.directory)

    def destroy(self):
        self.does("DestroyHourDBInstance")


def servers(directory):
    """The process ids of the servers whose data are under a directory."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"mariadbd") and any(os.fsencode(directory) in word for word in words):
                found.append(int(place.name))
    return sorted(found)


