"""The state of a data directory as a whole: kept, carried elsewhere, brought back, forgotten."""

import json
import subprocess
from dataclasses import replace

import pytest

import images
from cloud import BINARY, Cloud, clean_environment, eventually, rookery
from distribution import Login, Registry
from requester import Api


@pytest.fixture
def furnished(start):
    """A cloud with something in it, stopped: the cloud, what it has, and a login to its registry."""
    cloud = start()
    api = Api(cloud)
    instance = api.call("tcr", "CreateInstance", RegistryName="furnished", RegistryType="basic")["RegistryId"]
    status = lambda: api.call("tcr", "DescribeInstances")["Registries"][0]["Status"]
    eventually("the instance runs", lambda: status() == "Running")
    api.call("tcr", "CreateNamespace", RegistryId=instance, NamespaceName="library", IsPublic=False)
    token = api.call("tcr", "CreateInstanceToken", RegistryId=instance, TokenType="longterm")
    login = Login(cloud.registry, token["Username"], token["Token"])
    Registry(login).repository("furnished/library/app").put_blob(b"content")
    cloud.stop()
    return cloud, login


def names(cloud):
    return [registry["RegistryName"] for registry in Api(cloud).call("tcr", "DescribeInstances")["Registries"]]


def content(cloud, login):
    """The blob, pulled from a cloud that runs now."""
    repository = Registry(replace(login, host=cloud.registry)).repository("furnished/library/app")
    return repository.get(f"blobs/{images.digest(b'content')}").body


def test_a_directory_in_use_is_left_alone(start, tmp_path):
    cloud = start()
    for command in (["export"], ["snapshot", tmp_path / "copy"], ["reset"]):
        ended = cloud.rookery("state", *command, check=False)
        assert ended.returncode != 0
        assert ended.stderr
    assert not (tmp_path / "copy").exists()
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]


def test_a_snapshot_is_a_cloud_of_its_own(furnished, tmp_path):
    cloud, login = furnished
    cloud.rookery("state", "snapshot", tmp_path / "copy")
    copy = Cloud(tmp_path / "copy").start()
    try:
        assert (copy.secret_id, copy.secret_key) == (cloud.secret_id, cloud.secret_key)
        assert names(copy) == ["furnished"]
        assert content(copy, login) == b"content"
    finally:
        copy.kill()


def test_a_snapshot_goes_to_a_new_directory(furnished, tmp_path):
    cloud, _ = furnished
    (tmp_path / "there").mkdir()
    ended = cloud.rookery("state", "snapshot", tmp_path / "there", check=False)
    assert ended.returncode != 0
    assert "exists already" in ended.stderr


def test_restore_brings_back_what_was(furnished, tmp_path):
    cloud, login = furnished
    cloud.rookery("state", "snapshot", tmp_path / "before")
    cloud.start()
    Api(cloud).call("tcr", "CreateInstance", RegistryName="later", RegistryType="basic")
    repository = Registry(replace(login, host=cloud.registry)).repository("furnished/library/app")
    assert repository.delete(f"blobs/{images.digest(b'content')}").status == 202
    cloud.stop()
    cloud.rookery("state", "restore", tmp_path / "before")
    cloud.start()
    assert names(cloud) == ["furnished"]
    assert content(cloud, login) == b"content"


def test_restore_takes_snapshots_only(furnished, tmp_path):
    cloud, _ = furnished
    (tmp_path / "nothing").mkdir()
    ended = cloud.rookery("state", "restore", tmp_path / "nothing", check=False)
    assert ended.returncode != 0
    assert "no snapshot" in ended.stderr


def test_what_is_exported_can_be_imported_into_the_same_directory_after_a_reset(furnished):
    cloud, _ = furnished
    exported = cloud.rookery("state", "export").stdout
    assert all(json.loads(line) for line in exported.splitlines())
    assert cloud.secret_key not in exported
    cloud.rookery("state", "reset")
    imported(cloud.data, exported)
    cloud.start()
    assert names(cloud) == ["furnished"]


def imported(data, text):
    subprocess.run([BINARY, "state", "--data", data, "import"], input=text, text=True, check=True, env=clean_environment())


def test_reset_forgets_everything_but_the_keys(furnished):
    cloud, _ = furnished
    keys = (cloud.secret_id, cloud.secret_key)
    cloud.rookery("state", "reset")
    cloud.start()
    assert (cloud.secret_id, cloud.secret_key) == keys
    assert Api(cloud).call("tcr", "DescribeInstances")["TotalCount"] == 0


def test_a_directory_that_is_not_there_has_no_state(tmp_path):
    ended = rookery("state", "--data", tmp_path / "nowhere", "export", check=False)
    assert ended.returncode != 0
    assert "nowhere" in ended.stderr
    assert not (tmp_path / "nowhere").exists()
