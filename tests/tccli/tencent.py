"""The official command line, pointed at a cloud."""

import json
import re

from tools import run


class TccliError(Exception):
    def __init__(self, code, message, request_id):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.request_id = code, message, request_id


class Tccli:
    """`tccli` as a user runs it: keys in the environment, the endpoint as a flag."""

    def __init__(self, cloud, home, region="ap-guangzhou", language="en-US"):
        self.cloud, self.home, self.region, self.language = cloud, home, region, language

    def __call__(self, product, action, *flags, **parameters):
        """The reply of an action. Lists and structures become JSON text, booleans the words of the shell."""
        command = ["tccli", product, action, "--endpoint", self.cloud.endpoints["http"], "--region", self.region]
        command += ["--language", self.language, *flags]
        for name, value in parameters.items():
            command += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        keys = {name: value for name, value in self.cloud.keys.items() if name.startswith("TENCENTCLOUD_SECRET")}
        ended = run(*command, home=self.home, check=False, **keys)
        if ended.returncode == 0:
            return json.loads(ended.stdout)
        refusal = re.search(
            r"\[TencentCloudSDKException\] code:(\S+) message:(.*) requestId:(\S+)", ended.stdout + ended.stderr, re.S
        )
        if not refusal:
            raise AssertionError(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        raise TccliError(*refusal.groups())
