"""Networks that may call, and networks that may not."""

import pytest

from requester import Api, send


def answer(cloud):
    return send(cloud.address, Api(cloud).v3("sts", "GetCallerIdentity").request()).error


@pytest.mark.parametrize(
    "options, refusal",
    [
        (("--allow-ip", "127.0.0.0/8"), None),
        (("--allow-ip", "10.0.0.0/8,127.0.0.1/32"), None),
        (("--deny-ip", "10.0.0.0/8"), None),
        (("--allow-ip", "10.0.0.0/8"), ("IpNotInWhitelist", "Your IP is not in uin IP whitelist.")),
        (("--deny-ip", "127.0.0.1/32"), ("IpInBlacklist", "Your IP is in uin IP blacklist.")),
        (
            ("--allow-ip", "127.0.0.1/32", "--deny-ip", "::1/128", "--deny-ip", "127.0.0.0/8"),
            ("IpInBlacklist", "Your IP is in uin IP blacklist."),
        ),
    ],
)
def test_the_senders_network_decides(start, options, refusal):
    assert answer(start(*options)) == refusal
