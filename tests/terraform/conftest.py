"""Clouds that Terraform works in, and the ways that lead it there."""

import shlex

import pytest

import room as rooms
from house import furnish
from workspace import Workspace


def exported(cloud, *options):
    """What `rookery env` exports."""
    words = (shlex.split(line) for line in cloud.rookery("env", *options).stdout.splitlines())
    return dict(word[1].split("=", 1) for word in words if word[0] == "export")


# What every configuration begins with.
PROVIDER = """
terraform {
  required_providers {
    tencentcloud = {
      source = "tencentcloudstack/tencentcloud"
    }
  }
}
"""


@pytest.fixture
def terraform(tmp_path, home):
    """Makes workspaces whose every call goes through a cloud's proxy, by HTTPS: it is answered by the cloud or by nobody."""
    made = []

    def terraform(cloud, **environment):
        made.append(Workspace(tmp_path / f"workspace-{len(made)}", home, **exported(cloud, "--proxy") | environment))
        made[-1].write(PROVIDER, "provider.tf")
        return made[-1]

    return terraform


@pytest.fixture
def room():
    """Makes rooms (room.py) that lead to a cloud."""
    reason = rooms.refusal()
    if reason:
        pytest.skip(f"no namespaces on this machine: {reason}")
    return rooms.leading_to


@pytest.fixture
def house(start, tmp_path):
    """A furnished cloud of the test's own (house.py)."""
    return furnish(start(), tmp_path)
