"""The rule that every action has a life cycle in these tests, on made-up traces: what it finds, and what it must not let pass."""

from types import SimpleNamespace

import lifecycle

ROOT, USER = "AKIDroot", "AKIDuser"


def call(action, error=None, signer=ROOT, account=1, product="kms", **parameters):
    return {
        "client": "SDK_PYTHON_3",
        "product": product,
        "action": action,
        "account": account,
        "secret_id": signer,
        "parameters": parameters,
        "error": error,
    }


def begins(test):
    return call(None, product=None) | {"client": lifecycle.MARK + test}


def complete(*clouds):
    """The actions with a life cycle in those clouds' calls, which are given oldest first."""
    run = lifecycle.Run()
    for at, records in enumerate(clouds):
        run.add(SimpleNamespace(data=at, test="first"), records[::-1], lambda record: record["error"] == "refused")
    return {action for _, action in run.complete()}


ENCRYPTED = (call("CreateKey", Alias="data"), call("Encrypt", KeyId="key-1"))
FOUND = {
    "what the change named is read": ([call("UpdateAlias", KeyId="key-1"), call("DescribeKey", KeyId="key-1")], {"UpdateAlias", "DescribeKey"}),
    "a name within a list": ([call("DisableKeys", KeyIds=["key-1"]), call("DescribeKeys", KeyIds=["key-1", "key-2"])], {"DisableKeys", "DescribeKeys"}),
    "a number": ([call("UpdateUser", Uin=100001), call("GetUser", Uin=100001)], {"UpdateUser", "GetUser"}),
    "what the reply told": ([call("CreateKey", Alias="data"), call("DescribeKey", KeyId="key-1")], {"CreateKey", "DescribeKey"}),
    "what is gone": ([call("DeleteKey", KeyId="key-1"), call("DescribeKey", "refused", KeyId="key-1")], {"DeleteKey"}),
    "a ciphertext": ([*ENCRYPTED, call("Decrypt", CiphertextBlob="blob")], {"CreateKey", "Encrypt", "Decrypt"}),
    "parameters that were cut": ([*ENCRYPTED, call("Decrypt") | {"parameters": '{"CiphertextBlob":"blob…'}], {"CreateKey", "Encrypt", "Decrypt"}),
    "all there is of a kind": ([call("UpdatePasswordRules", Length=8), call("GetPasswordRules")], {"UpdatePasswordRules", "GetPasswordRules"}),
    "a key that signs": (
        [call("AssumeRole", RoleArn="role", product="sts"), call("GetCallerIdentity", product="sts", signer=USER)],
        {"AssumeRole", "GetCallerIdentity"},
    ),
    "an assertion": (
        [call("AssumeRoleWithSAML", signer=None, account=None), call("GetCallerIdentity", signer=USER)], {"AssumeRoleWithSAML", "GetCallerIdentity"}
    ),
}


def test_each_way_of_showing_is_found():
    for how, (records, expected) in FOUND.items():
        assert complete(records) == expected, how


LACKING = {
    "nothing follows": [call("CreateKey", Alias="data")],
    "nothing came before": [call("DescribeKey", KeyId="key-1")],
    "the reading came first": [call("DescribeKey", KeyId="key-1"), call("UpdateAlias", KeyId="key-1")],
    "another thing is read": [call("DescribeKey", KeyId="key-2"), call("UpdateAlias", KeyId="key-1"), call("DescribeKey", KeyId="key-2")],
    "what makes nothing tells nothing": [call("UpdateAlias", KeyId="key-1"), call("DescribeKey", KeyId="key-2")],
    "the change was refused": [call("UpdateAlias", "refused", KeyId="key-1"), call("DescribeKey", KeyId="key-1")],
    "the gateway refused the reading": [call("UpdateAlias", KeyId="key-1"), call("DescribeKey", "by the gateway", KeyId="key-1")],
    "another product": [call("UpdateAlias", KeyId="key-1"), call("DescribeKey", KeyId="key-1", product="ssm")],
    "another account": [call("UpdateAlias", KeyId="key-1"), call("DescribeKey", KeyId="key-1", account=2)],
    "another test": [call("UpdateAlias", KeyId="key-1"), begins("second"), call("DescribeKey", KeyId="key-1")],
    "another kind": [call("UpdatePasswordRules", Length=8), call("GetAccountSummary")],
    "a list that can name, and does not": [
        call("DescribeKeys", KeyIds=["key-2"]), call("DisableKeys", KeyIds=["key-1"]), call("DescribeKeys"),
    ],
    "the key that was asked and not what it gave": [call("DescribeKey", KeyId="key-1"), call("Encrypt", KeyId="key-1"), call("DescribeKey", KeyId="key-1")],
    "short words": [call("UpdateAlias", Mode="on", Days=30), call("DescribeKey", Mode="on", Days=30)],
}


def test_nothing_else_is_taken_for_one():
    for how, records in LACKING.items():
        assert complete(records) == set(), how


def test_a_word_that_many_tests_use_names_nothing():
    cycle = [call("UpdateAlias", Region="ap-guangzhou"), call("DescribeKey", Region="ap-guangzhou"), call("DescribeKey", KeyId="key-2")]
    tests = [[begins(f"test {at}"), *cycle] for at in range(lifecycle.SHARED + 1)]
    assert complete(*tests[:-1]) == {"UpdateAlias", "DescribeKey"}
    assert complete(*tests) == set()


def test_a_cloud_that_was_started_again_is_the_same_cloud():
    run = lifecycle.Run()
    cloud = SimpleNamespace(data="data", test="first")
    for record in (call("UpdateAlias", KeyId="key-1"), call("DescribeKey", KeyId="key-1")):
        run.add(cloud, [record], bool)
    assert run.complete() == {("kms", "UpdateAlias"), ("kms", "DescribeKey")}


def test_the_gate_names_what_lacks_and_what_is_excused_for_nothing():
    one, two, three, gone = (("kms", action) for action in ("CreateKey", "DescribeKey", "GetRegions", "Forgotten"))
    gaps = lambda complete, exempt: list(lifecycle.gaps({one, two, three}, complete, exempt))
    assert gaps({one, two}, {three: "fixed"}) == []
    assert gaps({one}, {three: "fixed"}) == ["kms DescribeKey: has no life cycle (tests/lifecycle.py)"]
    assert gaps({one, two, three}, {three: "fixed"}) == ["kms GetRegions: has a life cycle, and is said to have none: fixed"]
    assert gaps({one, two, three}, {gone: "why"}) == ["kms Forgotten: is said to have no life cycle, and is not implemented"]
