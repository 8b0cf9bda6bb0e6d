"""Every correct way of signing the same request verifies: the clients differ, the bytes decide."""

import pytest

from messages import CONTENT_SHA256
from requester import FORM, sha256

UNSIGNED = sha256(b"UNSIGNED-PAYLOAD")

STYLES = {
    "as the SDKs do": {},
    "with the action signed, in small letters as in the documents": {
        "signed": ("content-type", "host", "x-tc-action"),
        "lower_case": True,
    },
    "with the action signed as sent": {"signed": ("content-type", "host", "x-tc-action")},
    "with more headers signed": {
        "signed": ("content-type", "host", "x-tc-action", "x-tc-timestamp", "x-tc-version", "x-custom"),
        "extra": (("X-Custom", "  Spaces Around  "),),
    },
    "without the payload": {
        "payload_hash": UNSIGNED,
        "extra": (("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD"),),
    },
    "with the payload's hash sent": {"extra": (("X-TC-Content-SHA256", sha256(b"{}")),)},
    "with a service made of an IP address": {"scope_service": "127"},
    "with a service made of host and port": {"scope_service": "localhost:8080"},
}


@pytest.mark.parametrize("fields", STYLES.values(), ids=STYLES.keys())
def test_a_signature_made(ask, identity, fields):
    assert ask(identity.request(**fields)).error is None


def test_the_payload_may_be_left_out_of_a_get_too(ask, identity):
    extra = (("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD"),)
    request = identity.request(method="GET", content_type=FORM, payload_hash=UNSIGNED, extra=extra)
    assert ask(request).error is None


@pytest.mark.parametrize("value", [sha256(b"other"), "0" * 64, "unsigned-payload", "x"])
def test_a_wrong_payload_hash_is_refused(ask, identity, value):
    assert ask(identity.request(extra=(("X-TC-Content-SHA256", value),))).error == CONTENT_SHA256


def test_a_payload_is_not_unsigned_unless_the_request_says_so(ask, identity):
    assert ask(identity.request(payload_hash=UNSIGNED)).error[0] == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize("value", ["a%20b", "a+b", "%E6%9C%AA", "%7E", "~", "*", "%2A", "(x)!", "a%2bb"], ids=lambda value: value)
def test_a_query_is_signed_as_it_was_sent(ask, instances, value):
    query = f"Limit=5&Filters.0.Name=RegistryName&Filters.0.Values.0={value}&AllRegion=true"
    assert ask(instances.request(method="GET", query=query, content_type=FORM)).error is None


@pytest.mark.parametrize("algorithm", ["HmacSHA1", "HmacSHA256", None])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_v1_values_are_signed_undecorated(ask, api, method, algorithm):
    parameters = (("Filters.0.Name", "RegistryName"), ("Filters.0.Values.0", "a b+c/未*~'(&="), ("Limit", "1"))
    v1 = api.v1("tcr", "DescribeInstances", method=method, signature_method=algorithm, parameters=parameters)
    assert ask(v1.request()).error is None


def test_a_v1_signature_may_end_in_a_line_feed(ask, api):
    fed = lambda pairs: [(name, value + "\n" if name == "Signature" else value) for name, value in pairs]
    assert ask(api.v1("sts", "GetCallerIdentity").request(fed)).error is None


def test_skip_opens_only_the_two_actions_that_bring_their_own_proof(ask, identity):
    assert ask(identity.request().with_header("Authorization", "SKIP")).error[0] == "AuthFailure.InvalidAuthorization"
