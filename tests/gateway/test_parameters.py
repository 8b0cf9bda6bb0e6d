"""Parameters are held against the model, however they were sent, and what is wrong is named by its dotted path."""

import json

import pytest

from messages import EMPTY_KEY, NO_EQUALS, indices, missing, mistyped, repeated, same, unknown
from requester import FORM

JSON_REFUSALS = [
    # unknown
    ("DescribeInstances", {"Nope": 1}, unknown("Nope")),
    ("DescribeInstances", {"limit": 1}, unknown("limit")),
    ("DescribeInstances", {"Filters": [{"Name": "a", "Values": []}, {"Nope": 1}]}, unknown("Filters.1.Nope")),
    ("DescribeInstances", {"$schema": "x"}, unknown("$schema")),
    # missing
    ("CreateInstance", {}, missing("RegistryName")),
    ("CreateInstance", {"RegistryName": "x"}, missing("RegistryType")),
    ("CreateInstance", {"RegistryName": None, "RegistryType": "basic"}, missing("RegistryName")),
    (
        "CreateInstance",
        {"RegistryName": "x", "RegistryType": "basic", "RegistryChargePrepaid": {"RenewFlag": 0}},
        missing("RegistryChargePrepaid.Period"),
    ),
    ("DescribeInstances", {"Filters": [{"Name": "RegistryName"}]}, missing("Filters.0.Values")),
    (
        "CreateInstance",
        {
            "RegistryName": "x",
            "RegistryType": "basic",
            "TagSpecification": {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c"}]},
        },
        missing("TagSpecification.Tags.1.Value"),
    ),
    # another type than the model's
    ("DescribeInstances", {"Limit": "many"}, mistyped("Limit")),
    ("DescribeInstances", {"Limit": 1.5}, mistyped("Limit")),
    ("DescribeInstances", {"Limit": True}, mistyped("Limit")),
    ("DescribeInstances", {"Limit": [1]}, mistyped("Limit")),
    ("DescribeInstances", {"Limit": 10**30}, mistyped("Limit")),
    ("DescribeInstances", {"AllRegion": 1}, mistyped("AllRegion")),
    ("DescribeInstances", {"AllRegion": "yes"}, mistyped("AllRegion")),
    ("DescribeInstances", {"Filters": {}}, mistyped("Filters")),
    ("DescribeInstances", {"Filters": "a"}, mistyped("Filters")),
    ("DescribeInstances", {"Filters": ["a"]}, mistyped("Filters.0")),
    ("DescribeInstances", {"Filters": [{"Name": 1, "Values": []}]}, mistyped("Filters.0.Name", "string")),
    ("DescribeInstances", {"Filters": [{"Name": {}, "Values": []}]}, mistyped("Filters.0.Name", "string")),
    ("DescribeInstances", {"Registryids": ["a", 2]}, mistyped("Registryids.1", "string")),
    ("CreateInstance", {"RegistryName": 5, "RegistryType": "basic"}, mistyped("RegistryName", "string")),
    ("CreateInstance", {"RegistryName": True, "RegistryType": "basic"}, mistyped("RegistryName", "string")),
]


@pytest.mark.parametrize(("action", "parameters", "refusal"), JSON_REFUSALS, ids=json.dumps)
def test_json_that_does_not_fit_the_model_is_refused(ask, api, action, parameters, refusal):
    error = ask(api.v3("tcr", action, body=json.dumps(parameters).encode()).request()).error
    assert same(error, refusal), error


FLATTENED_REFUSALS = [
    ("Filters.0.Name=a&Filters.2.Name=b", indices("Filters")),
    ("Filters.1.Name=a", indices("Filters")),
    ("Registryids.0=a&Registryids.2=b", indices("Registryids")),
    ("Filters.0.Name=a&Filters.0.Values.1=b", indices("Filters.0.Values")),
    ("Limit=1&Limit=2", repeated("Limit")),
    ("Registryids.0=a&Registryids.0=b", repeated("Registryids.0")),
    ("Filters.0.Name=a&Filters.0.Name=b&Filters.0.Values.0=c", repeated("Filters.0.Name")),
    ("Nope=1", unknown("Nope")),
    ("Filters.0.Nope=1", unknown("Filters.0.Nope")),
    ("Filters.0.Name=a", missing("Filters.0.Values")),
    ("Limit=many", mistyped("Limit")),
    ("AllRegion=perhaps", mistyped("AllRegion")),
]


@pytest.mark.parametrize(("text", "refusal"), FLATTENED_REFUSALS, ids=str)
def test_flattened_text_that_does_not_fit_the_model_is_refused(ask, api, instances, text, refusal):
    by_get = ask(instances.request(method="GET", query=text, content_type=FORM))
    assert same(by_get.error, refusal), by_get.error
    pairs = tuple(tuple(pair.split("=")) for pair in text.split("&"))
    for method in ("GET", "POST"):
        by_v1 = ask(api.v1("tcr", "DescribeInstances", parameters=pairs, method=method).request())
        assert same(by_v1.error, refusal), by_v1.error


@pytest.mark.parametrize(("text", "refusal"), [("Limit", NO_EQUALS), ("=1", EMPTY_KEY), ("Limit=1&=2", EMPTY_KEY)])
def test_a_query_is_made_of_names_and_values(ask, api, instances, text, refusal):
    assert ask(instances.request(method="GET", query=text, content_type=FORM)).error == refusal
    assert ask(api.v1("tcr", "DescribeInstances", method="POST").carrying(text)).error == refusal
    assert ask(api.v1("tcr", "DescribeInstances", method="GET").carrying(text)).error == refusal


@pytest.mark.parametrize("text", ["Limit=%", "Limit=%2", "Limit=%zz", "Registryids.0=%ff"])
def test_percent_escapes_must_be_whole_and_utf_8(ask, instances, text):
    code, message = ask(instances.request(method="GET", query=text, content_type=FORM)).error
    assert (code, message) == ("InvalidParameter", f"Parameter `{text.split('=')[0]}` format invalid.")


def test_a_member_is_sent_once(ask, instances):
    assert ask(instances.request(body=b'{"Limit":1,"Limit":2}')).error == repeated("Limit")


def test_json_as_deep_as_a_well_is_refused(ask, instances):
    depth = 100_000
    code, _ = ask(instances.request(body=b'{"Filters":' + b"[" * depth + b"]" * depth + b"}")).error
    assert code == "InvalidParameter"


def test_a_common_parameter_is_sent_once(ask, api):
    twice = lambda pairs: [*pairs, ("Action", "Other")]
    assert ask(api.v1("sts", "GetCallerIdentity").request(twice)).error == repeated("Action")


@pytest.mark.parametrize(
    "parameters",
    [
        {"Limit": "20", "AllRegion": "true"},
        {"Limit": 20, "AllRegion": False},
        {"Limit": None, "Filters": None},
        {"Registryids": [], "Filters": []},
    ],
    ids=json.dumps,
)
def test_numbers_and_booleans_may_come_as_text_and_members_as_nothing(ask, instances, parameters):
    assert ask(instances.request(body=json.dumps(parameters).encode())).error is None


@pytest.mark.parametrize("text", ["AllRegion=True", "AllRegion=true", "AllRegion=False", "AllRegion=false", "Limit=20"])
def test_flattened_scalars_are_read_by_the_model(ask, instances, text):
    assert ask(instances.request(method="GET", query=text, content_type=FORM)).error is None


def test_chinese_words_for_what_is_wrong(ask, instances):
    request = instances.request(body=b'{"Filters":[{"Name":"a"}]}', extra=(("X-TC-Language", "zh-CN"),))
    assert ask(request).error == ("MissingParameter", "请求缺少必传参数 `Filters.0.Values`。")


def test_a_caller_is_known_before_the_parameters_are_looked_at(ask, instances):
    request = instances.request(body=b'{"Nope":1}', secret_key="wrong")
    assert ask(request).error[0] == "AuthFailure.SignatureFailure"
