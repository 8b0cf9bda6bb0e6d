"""The root's key: random unless pinned, printed for a shell, and nowhere else to be read."""

import re
import subprocess
from dataclasses import replace

from cloud import BINARY, clean_environment
from requester import Api, send


def test_the_first_start_makes_a_random_key(start):
    one, other = start(), start()
    for cloud in (one, other):
        assert re.fullmatch(r"AKID[0-9A-Za-z]{32}", cloud.secret_id)
        assert len(cloud.secret_key) == 32
    assert one.secret_key != other.secret_key


def test_env_prints_what_clients_need(cloud):
    assert cloud.keys == {
        "TENCENTCLOUD_SECRET_ID": cloud.secret_id,
        "TENCENTCLOUD_SECRET_KEY": cloud.secret_key,
        "TENCENTCLOUD_REGION": "ap-guangzhou",
        "ROOKERY_ENDPOINT": cloud.endpoints["http"],
        "ROOKERY_HTTPS_ENDPOINT": cloud.endpoints["https"],
        "ROOKERY_REGISTRY": cloud.endpoints["registry"],
        "ROOKERY_CA": cloud.endpoints["ca"],
    }


def test_env_is_for_eval_in_a_posix_shell(cloud):
    script = f"eval \"$('{BINARY}' env --data '{cloud.data}')\" && printf %s \"$TENCENTCLOUD_SECRET_KEY\""
    printed = subprocess.run(["sh", "-euc", script], check=True, capture_output=True, text=True, env=clean_environment())
    assert printed.stdout == cloud.secret_key
    assert printed.stderr == ""


def test_a_key_may_be_pinned_by_options(start):
    cloud = start("--secret-id", "AKIDpinned", "--secret-key", "pinned'key'$HOME;`x`")
    assert (cloud.secret_id, cloud.secret_key) == ("AKIDpinned", "pinned'key'$HOME;`x`")
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]


def test_a_key_may_be_pinned_by_the_environment_and_stays(start):
    cloud = start(ROOKERY_SECRET_ID="AKIDpinned", ROOKERY_SECRET_KEY="pinned-key-of-ones-own")
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]
    cloud.stop()
    cloud.environment = {}
    cloud.start()
    assert (cloud.secret_id, cloud.secret_key) == ("AKIDpinned", "pinned-key-of-ones-own")


def test_a_pinned_key_replaces_the_one_before(start):
    cloud = start()
    before = Api(cloud).v3("sts", "GetCallerIdentity")
    account = Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]
    cloud.stop()
    cloud.options = ("--secret-id", "AKIDpinned", "--secret-key", "pinned")
    cloud.start()
    assert Api(cloud).call("sts", "GetCallerIdentity")["AccountId"] == account
    former = replace(before, host=cloud.authority).request()
    assert send(cloud.address, former).error[0] == "AuthFailure.SecretIdNotFound"


def test_no_secret_is_kept_or_logged_in_the_clear(start):
    cloud = start("--log", "trace")
    api = Api(cloud)
    instance = api.call("tcr", "CreateInstance", RegistryName="quiet", RegistryType="basic")["RegistryId"]
    token = api.call("tcr", "CreateInstanceToken", RegistryId=instance, TokenType="longterm")["Token"]
    cloud.stop()
    secrets = [cloud.secret_key.encode(), token.encode()]
    for path in [cloud.log, *(path for path in cloud.data.rglob("*") if path.is_file())]:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path


def test_what_seals_the_secrets_is_for_the_owner_only(start):
    cloud = start()
    for path in cloud.data.rglob("*"):
        if path.is_file() and "key" in path.name:
            assert path.stat().st_mode & 0o077 == 0, path
