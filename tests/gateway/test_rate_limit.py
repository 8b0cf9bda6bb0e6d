"""The rate limit, where it is asked for."""

import re

from requester import Api, send


def test_the_call_over_the_limit_is_refused_with_both_numbers(start):
    cloud = start("--rate-limit", "2")
    api = Api(cloud)
    # Any burst of 100 calls has three in one second, unless each takes half a second.
    errors = [send(cloud.address, api.v3("sts", "GetCallerIdentity").request()).error for _ in range(100)]
    refused = [error for error in errors if error]
    assert refused and len(refused) < len(errors)
    for code, message in refused:
        assert code == "RequestLimitExceeded"
        assert re.fullmatch(
            r"Your current request times equals to `\d+` in a second, which exceeds the frequency limit `2` for a second\. "
            r"Please reduce the frequency of calls\.",
            message,
        )


def test_without_a_limit_nothing_is_refused(ask, identity):
    assert all(ask(identity.request()).error is None for _ in range(100))
