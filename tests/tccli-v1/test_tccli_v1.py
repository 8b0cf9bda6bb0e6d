"""The last line of tccli that signs with v1: HmacSHA256, and POST only."""

import json
import re
import subprocess

import pytest

from cloud import DEADLINE, REPOSITORY, clean_environment
from sdk_matrix import Client, Matrix, needs


class Tccli:
    """`tccli` in the place of a driver: each call runs it once."""

    def __init__(self, program, home):
        self.program, self.home = program, home

    def __call__(self, call):
        command = [self.program, call["product"], call["action"], "--endpoint", f"{call['scheme']}://{call['endpoint']}"]
        command += ["--region", call["region"], "--language", call["language"]]
        command += ["--secretId", call["secret_id"], "--secretKey", call["secret_key"]]
        command += ["--token", call["token"]] if call["token"] else []
        command += ["--https-proxy", f"http://{call['proxy']}"] if call["proxy"] else []
        for name, value in call["parameters"].items():
            # It takes `True` and `False` for booleans, and JSON for all else that is not text.
            command += [f"--{name}", str(value) if isinstance(value, (str, bool)) else json.dumps(value)]
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=clean_environment(HOME=self.home),
        )
        if ended.returncode == 0:
            return {"result": json.loads(ended.stdout)}
        printed = ended.stdout + ended.stderr
        error = re.search(r"\[TencentCloudSDKException\] code:(\S+) message:(.*) requestId:(\S+)", printed, re.S)
        if not error:
            return {"failure": printed}
        return {"error": dict(zip(("code", "message", "request_id"), error.groups(), strict=True))}


@pytest.fixture(scope="module")
def client(cloud, tmp_path_factory):
    # A home of its own: the current tccli leaves a configuration with products that this one does not know.
    home = tmp_path_factory.mktemp("tccli-v1")
    return Client(cloud, Tccli(needs(REPOSITORY / ".tools/tccli-v1/bin/tccli", "make tools"), home))


UNTRUSTED = "this tccli trusts the authorities of its own list, which no setting changes"


class TestTccliV1(Matrix):
    client_name = "SDK_PYTHON_3.0.1148"
    ways = [("HmacSHA256", "POST")]
    # Python signs the host as sent, which here ends with the path, and `/` for the path.
    readings_of_a_path = {"v1": "fixed-path"}
    cannot = {
        "https": UNTRUSTED,
        "https through a proxy": UNTRUSTED,
        "missing parameter": "tccli asks for required parameters itself",
        "unknown parameter": "tccli refuses parameters that it does not know",
    }
