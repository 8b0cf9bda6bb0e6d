"""Lists of keys on the command line, and the refusals of every action about a key."""

import pytest

RSA = "ASYMMETRIC_SIGN_VERIFY_RSA_2048"
ECC = "ASYMMETRIC_SIGN_VERIFY_ECC"
NOBODYS = "08408a30-0416-11ed-abdc-52540036b432"


@pytest.fixture
def kms(story):
    return lambda action, **parameters: story.tccli("kms", action, **parameters)


def test_keys_are_listed_the_newest_first(kms, story):
    ids = [story.key().id for _ in range(3)]
    told = kms("ListKeys", Limit=3)
    assert [row["KeyId"] for row in told["Keys"]] == ids[::-1]
    assert told["TotalCount"] >= 3
    assert [row["KeyId"] for row in kms("ListKeys", Offset=1, Limit=1)["Keys"]] == ids[1:2]
    end = kms("ListKeys", Offset=told["TotalCount"])
    assert (end["Keys"], end["TotalCount"]) == ([], told["TotalCount"])


def test_keys_are_listed_in_detail_by_what_they_are(kms, story):
    stem = story.unique("detail")
    tags = [{"TagKey": "team", "TagValue": "one"}]
    rsa = kms("CreateKey", Alias=f"{stem}-rsa", KeyUsage=RSA, Tags=tags)["KeyId"]
    ecc = kms("CreateKey", Alias=f"{stem}-ecc", KeyUsage=ECC)["KeyId"]

    def found(**more):
        told = kms("ListKeyDetail", **{"SearchKeyAlias": stem, "KeyUsage": "ALL"} | more)
        assert told["TotalCount"] == len(told["KeyMetadatas"])
        return [row["KeyId"] for row in told["KeyMetadatas"]]

    assert found() == [ecc, rsa]
    assert found(OrderType=1) == [rsa, ecc]
    assert found(KeyUsage=RSA) == [rsa]
    assert found(TagFilters=[{"TagKey": "team", "TagValue": ["one"]}]) == [rsa]
    assert found(KeyState=2) == []
    kms("DisableKey", KeyId=ecc)
    assert found(KeyState=2) == [ecc]
    assert found(KeyState=1) == [rsa]
    kms("EnableKey", KeyId=ecc)
    assert found(KeyState=1) == [ecc, rsa]
    row = kms("ListKeyDetail", SearchKeyAlias=stem, KeyUsage=ECC)["KeyMetadatas"][0]
    assert row == kms("DescribeKey", KeyId=ecc)["KeyMetadata"]


FAULTS = [
    ("ListKeys", "Limit", 201, "InvalidParameter"),
    ("ListKeys", "HsmClusterId", "cluster-1", "InvalidParameterValue.InvalidHsmClusterId"),
    ("ListKeyDetail", "Role", 2, "InvalidParameter"),
    ("ListKeyDetail", "KeyState", 6, "InvalidParameter"),
    ("ListKeyDetail", "KeyUsage", "SIGN_EVERYTHING", "InvalidParameterValue.InvalidKeyUsage"),
]


@pytest.mark.parametrize(("action", "name", "value", "code"), FAULTS)
def test_what_no_list_knows_is_refused(kms, refused, action, name, value, code):
    assert refused(kms, action, **{name: value}).code == code


ABOUT_A_KEY = {
    "EnableKey": {},
    "DisableKey": {},
    "SignByAsymmetricKey": {"Algorithm": "RSA_PKCS1_SHA_256", "Message": "AAAA"},
    "VerifyByAsymmetricKey": {"Algorithm": "RSA_PKCS1_SHA_256", "Message": "AAAA", "SignatureValue": "AAAA"},
}


@pytest.mark.parametrize(("action", "more"), ABOUT_A_KEY.items(), ids=ABOUT_A_KEY)
def test_a_key_that_is_not_there_is_not_found(kms, refused, action, more):
    assert refused(kms, action, KeyId=NOBODYS, **more).code == "ResourceUnavailable.CmkNotFound"
    assert refused(kms, action, KeyId="not-a-uuid", **more).code == "InvalidParameterValue.InvalidKeyId"
