"""The three ways with the SDK that the provider is made of: its resolver, its proxies, its authorities.

This holds what the guide says of names on machines, too, that cannot have the provider.
"""

import json
import os
import subprocess
import sys

import pytest

from cloud import BINARY, DEADLINE, REPOSITORY, clean_environment
from requester import VERSIONS
from test_terraform_guide import NAME, PREAMBLE, WAYS, block

sys.path.append(str(REPOSITORY / "tests/sdk-go"))
from test_sdk_go import built  # noqa: E402


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return built("current", tmp_path_factory.mktemp("sdk-go"))


@pytest.mark.parametrize("way", WAYS)
def test_it_is_led_here_by_the_commands_of_the_page(cloud, room, driver, tmp_path, way):
    (tmp_path / "rookery").symlink_to(BINARY.resolve())
    host = WAYS[way]
    call = {
        "product": "sts", "version": VERSIONS["sts"], "action": "GetCallerIdentity", "parameters": {}, "region": "ap-guangzhou",
        "sign": "TC3-HMAC-SHA256", "method": "POST", "language": "en-US", "secret_id": cloud.secret_id, "secret_key": cloud.secret_key,
        # Without an endpoint it calls the real name, by HTTPS.
        "scheme": "https" if host == NAME else "http", "endpoint": "" if host == NAME else host,
    }  # fmt: skip
    with room(cloud) as inside:
        ended = subprocess.run(
            inside.command("bash", "-euc", f'{PREAMBLE}{block(way, "sh")}printf "%s\\n" "$0" | {driver}', json.dumps(call)),
            env=clean_environment(ROOKERY_DATA=cloud.data, PATH=f"{tmp_path}:{os.environ['PATH']}"),
            capture_output=True, text=True, timeout=DEADLINE,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert "result" in told, told
    record = json.loads(cloud.rookery("trace", told["result"]["RequestId"]).stdout)
    assert record["host"] == host and record["client"].startswith("SDK_GO_")
