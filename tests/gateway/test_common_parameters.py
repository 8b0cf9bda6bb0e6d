"""What every request has to say about itself, in the one style and in the other."""

import pytest

from messages import invalid_value, missing, missing_header
from requester import FORM, Request


@pytest.mark.parametrize("name", ["X-TC-Action", "X-TC-Version", "X-TC-Timestamp"])
def test_a_missing_header_is_named(ask, identity, name):
    assert ask(identity.request().without_header(name)).error == missing_header(name)


@pytest.mark.parametrize("name", ["Action", "Version", "Timestamp", "Nonce", "SecretId", "Signature"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_missing_parameter_is_named(ask, api, name, method):
    without = lambda pairs: [pair for pair in pairs if pair[0] != name]
    assert ask(api.v1("sts", "GetCallerIdentity", method=method).request(without)).error == missing(name)


def test_without_authorization_the_parameters_are_looked_for_in_the_request(ask, identity):
    assert ask(identity.request().without_header("Authorization")).error == missing("Action")


def test_with_authorization_they_are_looked_for_in_the_headers(ask, cloud):
    headers = (("Host", cloud.authority), ("Content-Type", FORM), ("Authorization", "AWS4-HMAC-SHA256 Credential=x"))
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    assert ask(Request("POST", "/", headers, body)).error == missing_header("X-TC-Action")


def test_a_form_of_another_type_holds_no_parameters(ask, api):
    request = api.v1("sts", "GetCallerIdentity").request(timestamp=1551113065)
    assert ask(request.with_header("Content-Type", "application/x-www-form-urlencode")).error == missing("Action")


def test_an_empty_request_misses_its_action(ask, cloud):
    assert ask(Request("GET", "/", (("Host", cloud.authority),))).error == missing("Action")


@pytest.mark.parametrize("language", ["fr-FR", "en", "zh_CN"])
def test_a_language_is_one_of_two(ask, api, identity, language):
    assert ask(identity.request(extra=(("X-TC-Language", language),))).error == invalid_value("X-TC-Language")
    v1 = api.v1("sts", "GetCallerIdentity", parameters=(("Language", language),))
    assert ask(v1.request()).error == invalid_value("Language")


@pytest.mark.parametrize("nonce", ["-1", "abc", "1.5"])
def test_a_nonce_is_a_positive_number(ask, api, nonce):
    changed = lambda pairs: [(name, nonce if name == "Nonce" else value) for name, value in pairs]
    code, message = ask(api.v1("sts", "GetCallerIdentity").request(changed)).error
    assert (code, message) == ("InvalidParameter", "Parameter `Nonce` type error.")


def test_an_absent_signature_method_means_sha1(ask, api):
    v1 = api.v1("sts", "GetCallerIdentity", signature_method=None)
    assert ask(v1.request()).error is None


def test_the_client_may_name_itself_and_its_trace(ask, identity):
    extra = (("X-TC-RequestClient", "SDK_TEST_1.0"), ("X-TC-TraceId", "b5b41468-520d-4192-b42f-595cc34b6c1c"))
    assert ask(identity.request(extra=extra)).error is None
