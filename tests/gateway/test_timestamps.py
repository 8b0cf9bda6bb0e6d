"""A signature is good for five minutes before and after the server's time."""

import time

import pytest

from messages import EXPIRED


def answer_within_one_second(ask, request_at):
    """The answer to `request_at(now)`, asked again where the clock moved on meanwhile: the limit is a matter of one second."""
    while True:
        now = int(time.time())
        reply = ask(request_at(now))
        if int(time.time()) == now:
            return reply


@pytest.mark.parametrize("offset", [-300, -299, 0, 299, 300])
@pytest.mark.parametrize("style", ["v3", "v1"])
def test_within_five_minutes_is_in_time(ask, api, style, offset):
    signed = getattr(api, style)("sts", "GetCallerIdentity")
    assert answer_within_one_second(ask, lambda now: signed.request(timestamp=now + offset)).error is None


@pytest.mark.parametrize("offset", [-86400, -301, 301, 86400])
@pytest.mark.parametrize("style", ["v3", "v1"])
def test_beyond_five_minutes_is_expired(ask, api, style, offset):
    signed = getattr(api, style)("sts", "GetCallerIdentity")
    assert answer_within_one_second(ask, lambda now: signed.request(timestamp=now + offset)).error == EXPIRED


@pytest.mark.parametrize("timestamp", ["now", "1.5", "99999999999999999999"])
@pytest.mark.parametrize("style", ["v3", "v1"])
def test_a_timestamp_is_a_whole_number(ask, api, style, timestamp):
    if style == "v3":
        request = api.v3("sts", "GetCallerIdentity").request().with_header("X-TC-Timestamp", timestamp)
    else:
        changed = lambda pairs: [(name, timestamp if name == "Timestamp" else value) for name, value in pairs]
        request = api.v1("sts", "GetCallerIdentity").request(changed)
    assert ask(request).error[0] == "InvalidParameter"
