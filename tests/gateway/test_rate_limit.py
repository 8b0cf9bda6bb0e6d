"""The rate limit, where it is asked for."""

import re

import pytest

from cloud import rookery
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


def codes(cloud, request, calls=100):
    errors = [send(cloud.address, request).error for _ in range(calls)]
    return {error[0] for error in errors if error}, sum(error is None for error in errors)


def test_the_platforms_own_limits(start):
    cloud = start("--rate-limits", "platform")
    api = Api(cloud)
    # Twenty at once, and not a hundred unless they take four seconds.
    for request in (api.v3("tcr", "DescribeInstances"), api.v3("sts", "GetCallerIdentity")):
        refused, answered = codes(cloud, request.request())
        assert refused == {"RequestLimitExceeded"} and answered >= 20


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("--account-rate-limit", "RequestLimitExceeded.UinLimitExceeded"),
        ("--account-rate-limit-everywhere", "RequestLimitExceeded.GlobalRegionUinLimitExceeded"),
        ("--ip-rate-limit", "RequestLimitExceeded.IPLimitExceeded"),
    ],
)
def test_accounts_and_addresses_have_limits_of_their_own(start, option, code):
    cloud = start(option, "2")
    refused, answered = codes(cloud, Api(cloud).v3("sts", "GetCallerIdentity").request())
    assert refused == {code} and answered >= 2


@pytest.mark.parametrize("limit", ["0", "-1", "some", ""])
def test_a_limit_that_is_none_is_refused_at_the_start(limit):
    ended = rookery("serve", f"--rate-limits={limit}", check=False)
    assert ended.returncode != 0 and "rate limit" in ended.stderr


def test_the_replay_guard_answers_a_v1_request_once(start):
    cloud = start("--replay-guard")
    v1 = Api(cloud).v1("sts", "GetCallerIdentity").request()
    assert send(cloud.address, v1).error is None
    assert send(cloud.address, v1).error == (
        "AuthFailure.SignatureExpire",
        "The signature is expired, please request again.",
    )
    v3 = Api(cloud).v3("sts", "GetCallerIdentity").request()
    assert [send(cloud.address, v3).error for _ in range(2)] == [None, None]


def test_a_v1_request_can_be_repeated_without_the_guard(ask, api):
    v1 = api.v1("sts", "GetCallerIdentity").request()
    assert [ask(v1).error for _ in range(2)] == [None, None]


def test_without_a_limit_nothing_is_refused(ask, identity):
    assert all(ask(identity.request()).error is None for _ in range(100))
