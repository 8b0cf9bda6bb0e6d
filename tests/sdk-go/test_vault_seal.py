"""The seal of Vault: the wrapper of HashiCorp's own library, which asks the real service names through the proxy."""

import subprocess

import pytest
from modules import compiled

from cloud import DEADLINE, clean_environment
from requester import Api

SECRET = b"the key that opens a vault"


@pytest.fixture(scope="module")
def seal(tmp_path_factory):
    """Runs `wrap` or `unwrap` of a cloud's key."""
    program = compiled("vault-seal", tmp_path_factory.mktemp("vault-seal"))

    def seal(cloud, key, what, read):
        environment = clean_environment(**cloud.exports("--proxy"), TENCENTCLOUD_KMS_KEY_ID=key)
        return subprocess.run([program, what], input=read, capture_output=True, timeout=DEADLINE, env=environment)

    return seal


def key_of(cloud, unique):
    return Api(cloud).call("kms", "CreateKey", Alias=unique("seal"))["KeyId"]


def test_what_was_wrapped_opens_after_a_kill_and_a_rotation(start, seal, unique):
    cloud = start()
    key = key_of(cloud, unique)
    wrapped = seal(cloud, key, "wrap", SECRET)
    assert wrapped.returncode == 0, wrapped.stderr
    assert SECRET not in wrapped.stdout and len(wrapped.stdout) > len(SECRET)
    cloud.kill()
    cloud.start()
    Api(cloud).call("kms", "EnableKeyRotation", KeyId=key)
    Api(cloud).call("kms", "RotateKey", KeyId=key)
    opened = seal(cloud, key, "unwrap", wrapped.stdout)
    assert (opened.returncode, opened.stdout) == (0, SECRET), opened.stderr


def test_a_key_that_is_disabled_opens_nothing(cloud, seal, unique):
    key = key_of(cloud, unique)
    wrapped = seal(cloud, key, "wrap", SECRET).stdout
    Api(cloud).call("kms", "DisableKey", KeyId=key)
    refused = seal(cloud, key, "unwrap", wrapped)
    assert refused.returncode == 1 and refused.stdout == b""
    assert b"ResourceUnavailable.CmkDisabled" in refused.stderr
    Api(cloud).call("kms", "EnableKey", KeyId=key)
    assert seal(cloud, key, "unwrap", wrapped).stdout == SECRET


def test_another_cloud_opens_nothing(cloud, start, seal, unique):
    wrapped = seal(cloud, key_of(cloud, unique), "wrap", SECRET).stdout
    other = start()
    refused = seal(other, key_of(other, unique), "unwrap", wrapped)
    assert refused.returncode == 1 and b"ResourceUnavailable.CmkNotFound" in refused.stderr


def test_a_key_that_is_not_there_seals_nothing(cloud, seal):
    refused = seal(cloud, "00000000-0000-0000-0000-000000000000", "wrap", SECRET)
    assert refused.returncode == 1 and b"CmkNotFound" in refused.stderr
