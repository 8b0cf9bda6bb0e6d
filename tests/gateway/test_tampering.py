"""Each part of a signed request, changed after signing, is refused with the platform's own error."""

import time
from dataclasses import replace

import pytest

from messages import (
    AUTHORIZATION_CODE,
    AUTHORIZATION_TEXT,
    SECRET_ID,
    SECRET_ID_ZH,
    SERVICE,
    SIGNATURE,
    SIGNATURE_ZH,
    TOKEN_CODE,
    TOKEN_TEXT,
)


def edited(request, old, new):
    """The request with `old` in its Authorization replaced."""
    header = request.header("Authorization")
    assert old in header
    return request.with_header("Authorization", header.replace(old, new))


def flipped(signature):
    """Another signature of the same form."""
    return ("0" if signature[0] != "0" else "1") + signature[1:]


def same_day_neighbour(timestamp):
    day = timestamp // 86400
    return timestamp + 1 if (timestamp + 1) // 86400 == day else timestamp - 1


V3_CHANGES = {
    "method": lambda v3: replace(v3.request(), method="GET", body=b""),
    "host": lambda v3: v3.request().with_header("Host", f"localhost:{v3.host.rsplit(':')[-1]}"),
    "content type": lambda v3: v3.request().with_header("Content-Type", "application/json; charset=utf-8"),
    "body": lambda v3: replace(v3.request(), body=b"{ }"),
    "timestamp": lambda v3: v3.request().with_header("X-TC-Timestamp", str(same_day_neighbour(v3.timestamp))),
    "service of the scope": lambda v3: edited(v3.request(), "/sts/", "/kms/"),
    "signature": lambda v3: edited(v3.request(), v3.signature(), flipped(v3.signature())),
    "canonical path": lambda v3: v3.request(signed_path="/other"),
    "a signed header": lambda v3: v3.request(
        signed=("content-type", "host", "x-tc-version"),
    ).with_header("X-TC-Version", "2018-08-14"),
    "key": lambda v3: v3.request(secret_key="another key of thirty-two letters"),
}


@pytest.mark.parametrize("change", V3_CHANGES.values(), ids=V3_CHANGES.keys())
def test_a_change_after_signing_v3_breaks_the_signature(ask, identity, change):
    assert ask(identity.request()).error is None
    assert ask(change(identity)).error == SIGNATURE


def test_a_changed_query_breaks_the_signature(ask, instances):
    request = instances.request(method="GET", query="Limit=1", content_type="application/x-www-form-urlencoded")
    assert ask(request).error is None
    assert ask(replace(request, target="/?Limit=2")).error == SIGNATURE


def test_a_signature_failure_speaks_chinese_where_asked(ask, identity):
    request = identity.request(secret_key="wrong", extra=(("X-TC-Language", "zh-CN"),))
    assert ask(request).error == SIGNATURE_ZH


def test_an_unknown_secret_id_is_named_as_such(ask, identity):
    assert ask(identity.request(secret_id="AKID" + "x" * 32)).error == SECRET_ID
    request = identity.request(secret_id="AKID" + "x" * 32, extra=(("X-TC-Language", "zh-CN"),))
    assert ask(request).error == SECRET_ID_ZH


def test_a_token_that_is_not_the_keys_is_refused(ask, identity):
    code, message = ask(identity.request(extra=(("X-TC-Token", "somebody's"),))).error
    assert code == TOKEN_CODE
    assert message.startswith(TOKEN_TEXT)


def test_the_scope_must_name_the_product_of_the_address(ask, identity):
    assert ask(identity.request(host="sts.tencentcloudapi.com", scope_service="tcr")).error == SERVICE


AUTHORIZATIONS = {
    "of yesterday": lambda v3: v3.request(scope_date=time.strftime("%Y-%m-%d", time.gmtime(v3.timestamp - 86400))).header(
        "Authorization"
    ),
    "of another cloud": lambda v3: v3.authorization().replace("TC3-HMAC-SHA256", "AWS4-HMAC-SHA256"),
    "without credential": lambda v3: v3.authorization().replace("Credential=", "Who="),
    "without signed headers": lambda v3: v3.authorization().replace("SignedHeaders=", "Headers="),
    "without signature": lambda v3: v3.authorization().split(", Signature=")[0],
    "with another end of scope": lambda v3: v3.authorization().replace("/tc3_request", "/tc4_request"),
    "with a scope of two parts": lambda v3: v3.authorization().replace("/sts/", "/"),
    "that does not sign the host": lambda v3: v3.authorization().replace("content-type;host", "content-type"),
    "that does not sign the content type": lambda v3: v3.authorization().replace("content-type;host", "host"),
    "of one word": lambda v3: "nonsense",
    "of nothing": lambda v3: "",
}


@pytest.mark.parametrize("header", AUTHORIZATIONS.values(), ids=AUTHORIZATIONS.keys())
def test_an_authorization_that_does_not_conform_is_refused(ask, identity, header):
    code, message = ask(identity.request().with_header("Authorization", header(identity))).error
    assert code == AUTHORIZATION_CODE
    assert message.startswith(AUTHORIZATION_TEXT)
    assert len(message) > len(AUTHORIZATION_TEXT), "the part after the colon names what is wrong"


def test_two_spaces_after_the_scheme_are_no_fault(ask, identity):
    assert ask(edited(identity.request(), "SHA256 C", "SHA256  C")).error is None


V1_CHANGES = {
    "a value": lambda pairs: [(name, "ap-tokyo" if name == "Region" else value) for name, value in pairs],
    "a nonce": lambda pairs: [(name, "11887" if name == "Nonce" else value) for name, value in pairs],
    "a parameter more": lambda pairs: [*pairs, ("Limit", "1")],
    "a parameter less": lambda pairs: [pair for pair in pairs if pair[0] != "Region"],
    "the algorithm": lambda pairs: [pair for pair in pairs if pair[0] != "SignatureMethod"],
    "the signature": lambda pairs: [(name, flipped(value) if name == "Signature" else value) for name, value in pairs],
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("edit", V1_CHANGES.values(), ids=V1_CHANGES.keys())
def test_a_change_after_signing_v1_breaks_the_signature(ask, api, edit, method):
    v1 = api.v1("tcr", "DescribeInstances", method=method)
    assert ask(v1.request()).error is None
    assert ask(v1.request(edit)).error == SIGNATURE


def test_v1_signs_method_host_and_path(ask, api):
    v1 = api.v1("sts", "GetCallerIdentity", method="GET")
    request = v1.request()
    assert ask(request).error is None
    assert ask(replace(request, target=request.target.replace("/?", "/other?"))).error == SIGNATURE
    assert ask(request.with_header("Host", "sts.tencentcloudapi.com")).error == SIGNATURE
    form = v1.request(method="POST")
    assert ask(replace(form, method="GET", target=f"/?{form.body.decode()}", body=b"")).error == SIGNATURE


def test_v1_with_an_unknown_secret_id_is_named_as_such(ask, api):
    v1 = api.v1("sts", "GetCallerIdentity")
    assert ask(v1.request(secret_id="AKID" + "x" * 32)).error == SECRET_ID


def test_v1_with_a_foreign_token_is_refused(ask, api):
    v1 = api.v1("sts", "GetCallerIdentity")
    code, message = ask(v1.request(parameters=(("Token", "somebody's"),))).error
    assert code == TOKEN_CODE
    assert message.startswith(TOKEN_TEXT)
