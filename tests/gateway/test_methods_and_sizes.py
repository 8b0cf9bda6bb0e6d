"""Methods, sizes and content types: what is decided before anything is understood."""

import json
from dataclasses import replace

import pytest

from messages import NOT_JSON, V1_BODY_TOO_LARGE
from requester import FORM

KIB, MIB = 1024, 1024 * 1024


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_only_get_and_post_are_spoken(ask, identity, method):
    assert ask(replace(identity.request(), method=method)).error[0] == "UnsupportedProtocol"


def test_a_get_may_have_31_kilobytes(ask, instances):
    query = f"Filters.0.Name=RegistryName&Filters.0.Values.0={'x' * 31 * KIB}"
    assert ask(instances.request(method="GET", query=query, content_type=FORM)).error is None


@pytest.mark.parametrize("size", [33 * KIB, 60 * KIB])
def test_a_get_over_32_kilobytes_is_too_large(ask, instances, size):
    query = f"Filters.0.Name=RegistryName&Filters.0.Values.0={'x' * size}"
    assert ask(instances.request(method="GET", query=query, content_type=FORM)).error[0] == "RequestSizeLimitExceeded"


def filters(size):
    return json.dumps({"Filters": [{"Name": "RegistryName", "Values": ["x" * size]}]}).encode()


def test_a_v3_post_may_have_9_megabytes(ask, instances):
    assert ask(instances.request(body=filters(9 * MIB))).error is None


def test_a_v3_post_over_10_megabytes_is_too_large(ask, instances):
    assert ask(instances.request(body=filters(11 * MIB))).error[0] == "RequestSizeLimitExceeded"


def test_a_v1_post_may_have_900_kilobytes(ask, api):
    parameters = (("Filters.0.Name", "RegistryName"), ("Filters.0.Values.0", "x" * 900 * KIB))
    assert ask(api.v1("tcr", "DescribeInstances", parameters=parameters).request()).error is None


def test_a_v1_post_over_1_megabyte_is_told_to_sign_otherwise(ask, api):
    parameters = (("Filters.0.Name", "RegistryName"), ("Filters.0.Values.0", "x" * MIB))
    assert ask(api.v1("tcr", "DescribeInstances", parameters=parameters).request()).error == V1_BODY_TOO_LARGE


@pytest.mark.parametrize(
    "body", [b"", b'{"Limit": 1', b'{"Limit": 1}}', b"[]", b"1", b"Limit=1", b'{"Registryids": ["\xff\xfe"]}', b"\x00"]
)
def test_a_body_that_is_no_json_object_is_refused(ask, instances, body):
    assert ask(instances.request(body=body)).error == NOT_JSON


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/octet-stream", "multipart/form-data"])
def test_v3_parameters_are_json(ask, instances, content_type):
    code, _ = ask(instances.request(content_type=content_type)).error
    assert code.split(".")[0] in {"InvalidParameter", "InvalidParameterValue", "InvalidRequest"}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_the_content_type_may_carry_a_charset_and_capitals(ask, instances, content_type):
    assert ask(instances.request(content_type=content_type)).error is None


def test_a_v1_form_may_carry_a_charset(ask, api):
    request = api.v1("sts", "GetCallerIdentity").request().with_header("Content-Type", f"{FORM}; charset=utf-8")
    assert ask(request).error is None
