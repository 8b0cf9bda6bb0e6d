"""Calls through the typed clients of the official Python SDK, with the parameters as keywords."""

import json
import sys


class Typed:
    """`call("DescribeInstances", Limit=1)` builds the request of that name, sends it, and gives the typed reply."""

    def __init__(self, client):
        self.client = client
        self.models = sys.modules[type(client).__module__.rpartition(".")[0] + ".models"]

    def __call__(self, action, **parameters):
        request = getattr(self.models, f"{action}Request")()
        request.from_json_string(json.dumps(parameters))
        return getattr(self.client, action)(request)
