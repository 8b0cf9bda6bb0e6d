"""`rookery call`: any action of the contract, from the command line."""

import json

from requester import UUID


def call(cloud, *words, **more):
    return json.loads(cloud.rookery("call", *words, **more).stdout)


def test_who_am_i(cloud):
    told = call(cloud, "sts", "GetCallerIdentity")
    assert told["Arn"] == f"qcs::cam:{told['AccountId']}:uin/{told['UserId']}"
    assert UUID.fullmatch(told["RequestId"])


def test_parameters_are_dotted_or_json(cloud, api, unique):
    name = unique("called")
    created = call(cloud, "tcr", "CreateInstance", "--RegistryName", name, "--RegistryType=basic")
    for filters in (
        ["--Filters.0.Name", "RegistryName", "--Filters.0.Values.0", name],
        ["--Filters", json.dumps([{"Name": "RegistryName", "Values": [name]}])],
    ):
        (found,) = call(cloud, "tcr", "DescribeInstances", *filters, "--Limit", "5")["Registries"]
        assert found["RegistryId"] == created["RegistryId"]


def test_a_refusal_is_printed_and_is_a_failure(cloud):
    ended = cloud.rookery("call", "tcr", "CreateInstance", "--RegistryName", "Bad Name", "--RegistryType", "basic", check=False)
    assert ended.returncode != 0
    assert "InvalidParameter.ErrorNameIllegal" in ended.stderr


def test_the_language_may_be_chosen(cloud):
    ended = cloud.rookery("call", "cvm", "DescribeInstances", "--language", "zh-CN", check=False)
    assert ended.returncode != 0
    assert "UnsupportedOperation" in ended.stderr and "操作不支持" in ended.stderr


def test_an_endpoint_may_be_given_with_keys_of_the_environment(cloud):
    endpoint, authority = cloud.endpoints["https"], cloud.endpoints["ca"]
    keys = {name: cloud.keys[name] for name in ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")}
    told = call(cloud, "sts", "GetCallerIdentity", "--endpoint", endpoint, "--ca", authority, **keys)
    assert told["AccountId"]
    wrong = keys | {"TENCENTCLOUD_SECRET_KEY": "wrong"}
    words = ["call", "sts", "GetCallerIdentity", "--endpoint", cloud.endpoints["http"]]
    ended = cloud.rookery(*words, check=False, **wrong)
    assert ended.returncode != 0 and "AuthFailure.SignatureFailure" in ended.stderr


def test_without_words_it_lists_what_there_is(cloud):
    assert "tcr" in cloud.rookery("call").stdout
    assert "CreateSignaturePolicy" in cloud.rookery("call", "tcr").stdout.split()
    described = cloud.rookery("call", "tcr", "CreateSignaturePolicy", "--help").stdout
    assert "--KmsId" in described and "required" in described


def test_what_the_contract_does_not_know_is_refused_before_it_is_sent(cloud):
    for words in (
        ["nosuch"],
        ["tcr", "Nope"],
        ["tcr", "DescribeInstances", "--Nope", "1"],
        ["tcr", "DescribeInstances", "--Limit", "many"],
        ["tcr", "CreateInstance"],
    ):
        ended = cloud.rookery("call", *words, check=False)
        assert ended.returncode != 0 and ended.stderr
