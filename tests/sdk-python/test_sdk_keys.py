"""Keys through the typed SDK: made, found, used, disabled."""

import base64
import hashlib
import time

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from typed import Typed

RSA = "ASYMMETRIC_SIGN_VERIFY_RSA_2048"
ECC = "ASYMMETRIC_SIGN_VERIFY_ECC"
NOBODYS = "08408a30-0416-11ed-abdc-52540036b432"
MESSAGE = base64.b64encode(b"what is signed").decode()


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def elsewhere(cloud):
    """The same account in another region."""
    return Typed(KmsClient(sdk.credential(cloud), "ap-shanghai", sdk.profile(cloud)))


@pytest.fixture
def key(kms, unique):
    """Makes a key: its id."""
    return lambda alias=None, **more: kms("CreateKey", **{"Alias": alias or unique("key"), "KeyUsage": RSA} | more).KeyId


def sign(kms, key, **more):
    parameters = {"KeyId": key, "Algorithm": "RSA_PKCS1_SHA_256", "Message": MESSAGE, "MessageType": "RAW"}
    return kms("SignByAsymmetricKey", **parameters | more).Signature


def verify(kms, key, signature, **more):
    parameters = {"KeyId": key, "Algorithm": "RSA_PKCS1_SHA_256", "Message": MESSAGE, "MessageType": "RAW"}
    return kms("VerifyByAsymmetricKey", **parameters | {"SignatureValue": signature} | more).SignatureValid


def test_a_key_from_its_creation_to_its_disabling(kms, refusal, unique):
    alias, before = unique("life"), int(time.time())
    made = kms("CreateKey", Alias=alias, KeyUsage=RSA, Description="signs", Tags=[{"TagKey": "team", "TagValue": "one"}])
    assert (made.Alias, made.KeyUsage, made.KeyState, made.Description) == (alias, RSA, "Enabled", "signs")
    assert (made.TagCode, made.TagMsg) == (0, "ok")
    assert before - 1 <= made.CreateTime <= time.time() + 1

    told = kms("DescribeKey", KeyId=made.KeyId).KeyMetadata
    assert (told.KeyId, told.Alias, told.Description, told.CreateTime) == (made.KeyId, alias, "signs", made.CreateTime)
    assert (told.Owner, told.Origin, told.DeletionDate, told.ValidTo) == ("user", "TENCENT_KMS", 0, 0)
    assert told.ResourceId == f"creatorUin/{told.CreatorUin}/{made.KeyId}"

    signature = sign(kms, made.KeyId)
    assert verify(kms, made.KeyId, signature) is True
    other = base64.b64encode(b"something else").decode()
    assert verify(kms, made.KeyId, signature, Message=other) is False
    digest = base64.b64encode(hashlib.sha256(b"what is signed").digest()).decode()
    assert verify(kms, made.KeyId, signature, Message=digest, MessageType="DIGEST") is True

    public = kms("GetPublicKey", KeyId=made.KeyId)
    assert public.PublicKeyPem.startswith("-----BEGIN PUBLIC KEY-----\n")

    for _ in range(2):  # disabling a disabled key changes nothing
        kms("DisableKey", KeyId=made.KeyId)
    assert kms("DescribeKey", KeyId=made.KeyId).KeyMetadata.KeyState == "Disabled"
    assert refusal(sign, kms, made.KeyId).code == "ResourceUnavailable.CmkDisabled"
    assert refusal(verify, kms, made.KeyId, signature).code == "ResourceUnavailable.CmkDisabled"
    assert refusal(kms, "GetPublicKey", KeyId=made.KeyId).code == "ResourceUnavailable.CmkDisabled"
    kms("EnableKey", KeyId=made.KeyId)
    assert kms("DescribeKey", KeyId=made.KeyId).KeyMetadata.KeyState == "Enabled"
    assert verify(kms, made.KeyId, signature) is True
    assert kms("GetPublicKey", KeyId=made.KeyId).PublicKey == public.PublicKey


CREATIONS = {
    "a reserved alias": ({"Alias": "kms-mine"}, "InvalidParameterValue.InvalidAlias"),
    "a usage that does not exist": ({"KeyUsage": "SIGN_EVERYTHING"}, "InvalidParameterValue.InvalidKeyUsage"),
    "a type that does not exist": ({"Type": 3}, "InvalidParameterValue.InvalidType"),
    "a cluster that does not exist": ({"HsmClusterId": "cluster-1"}, "InvalidParameterValue.InvalidHsmClusterId"),
    "a tag twice": (
        {"Tags": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]},
        "InvalidParameterValue.TagKeysDuplicated",
    ),
    "a description that is too long": ({"Description": "x" * 1025}, "InvalidParameter"),
}


@pytest.mark.parametrize(("parameters", "code"), CREATIONS.values(), ids=CREATIONS)
def test_what_cannot_be_created_is_not(kms, refusal, unique, parameters, code):
    alias = unique("never")
    assert refusal(kms, "CreateKey", **{"Alias": alias, "KeyUsage": RSA} | parameters).code == code
    assert kms("ListKeyDetail", SearchKeyAlias=alias, KeyUsage="ALL").TotalCount == 0


def test_an_alias_is_free_in_another_region(key, elsewhere, refusal, unique, kms):
    alias = unique("twice")
    key(alias)
    assert refusal(kms, "CreateKey", Alias=alias, KeyUsage=RSA).code == "InvalidParameterValue.AliasAlreadyExists"
    assert elsewhere("CreateKey", Alias=alias, KeyUsage=RSA).KeyId


ABOUT_A_KEY = {
    "DescribeKey": {},
    "EnableKey": {},
    "DisableKey": {},
    "GetPublicKey": {},
    "SignByAsymmetricKey": {"Algorithm": "RSA_PKCS1_SHA_256", "Message": MESSAGE},
    "VerifyByAsymmetricKey": {"Algorithm": "RSA_PKCS1_SHA_256", "Message": MESSAGE, "SignatureValue": MESSAGE},
}


@pytest.mark.parametrize(("action", "more"), ABOUT_A_KEY.items(), ids=ABOUT_A_KEY)
def test_a_key_that_is_not_there_is_not_found(kms, elsewhere, key, refusal, action, more):
    assert refusal(kms, action, KeyId=NOBODYS, **more).code == "ResourceUnavailable.CmkNotFound"
    assert refusal(elsewhere, action, KeyId=key(), **more).code == "ResourceUnavailable.CmkNotFound"
    assert refusal(kms, action, KeyId="not-a-uuid", **more).code == "InvalidParameterValue.InvalidKeyId"


FAULTS = {
    "an algorithm of other keys": {"Algorithm": "ECC_P256_R1"},
    "an algorithm that does not exist": {"Algorithm": "ROT13"},
    "a message that is not Base64": {"Message": "!"},
    "a message that is too long": {"Message": base64.b64encode(bytes(4097)).decode()},
    "a digest of another length": {"MessageType": "DIGEST"},
    "a kind of message that does not exist": {"MessageType": "COOKED"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_signed_cannot_be_verified_either(kms, key, refusal, fault):
    id = key()
    assert refusal(sign, kms, id, **fault).code == "InvalidParameter"
    assert refusal(verify, kms, id, MESSAGE, **fault).code == "InvalidParameter"


def test_the_longest_message_is_signed(kms, key):
    id, longest = key(), base64.b64encode(bytes(4096)).decode()
    assert verify(kms, id, sign(kms, id, Message=longest), Message=longest) is True


# -- lists


def test_keys_are_listed_the_newest_first(kms, key):
    ids = [key() for _ in range(3)]
    listed = lambda **more: [row.KeyId for row in kms("ListKeys", **more).Keys]
    assert listed(Limit=3) == ids[::-1]
    assert listed(Limit=1, Offset=1) == ids[1:2]
    total = kms("ListKeys", Limit=0).TotalCount
    assert listed(Limit=0) == []
    assert listed(Offset=total) == []
    pages = [id for offset in range(0, total, 2) for id in listed(Offset=offset, Limit=2)]
    assert len(pages) == len(set(pages)) == total and set(ids) <= set(pages)
    assert kms("ListKeys", Role=1).TotalCount == 0
    # A disabled key is still listed.
    kms("DisableKey", KeyId=ids[2])
    assert listed(Limit=1) == ids[2:]


def test_keys_are_listed_in_detail_by_what_they_are(kms, key, unique):
    stem = unique("detail")
    rsa = key(f"{stem}-rsa", Tags=[{"TagKey": "team", "TagValue": "one"}])
    ecc = key(f"{stem}-ecc", KeyUsage=ECC, Tags=[{"TagKey": "team", "TagValue": "two"}])
    off = key(f"{stem}-off")
    kms("DisableKey", KeyId=off)

    def found(**more):
        told = kms("ListKeyDetail", **{"SearchKeyAlias": stem, "KeyUsage": "ALL"} | more)
        assert told.TotalCount >= len(told.KeyMetadatas)
        return [row.KeyId for row in told.KeyMetadatas]

    assert found() == [off, ecc, rsa]
    assert found(OrderType=1) == [rsa, ecc, off]
    assert found(KeyUsage=ECC) == [ecc]
    assert found(KeyUsage=RSA) == [off, rsa]
    assert found(KeyState=1) == [ecc, rsa]
    assert found(KeyState=2) == [off]
    assert found(KeyState=3) == found(KeyState=4) == found(KeyState=5) == []
    assert found(Origin="TENCENT_KMS") == found(Origin="ALL") == [off, ecc, rsa]
    assert found(Origin="EXTERNAL") == found(Role=1) == []
    assert found(SearchKeyAlias=rsa) == [rsa]
    assert found(TagFilters=[{"TagKey": "team"}]) == [ecc, rsa]
    assert found(TagFilters=[{"TagKey": "team", "TagValue": ["two", "three"]}]) == [ecc]
    assert [found(Offset=offset, Limit=1) for offset in range(4)] == [[off], [ecc], [rsa], []]
    (row,) = kms("ListKeyDetail", SearchKeyAlias=stem, KeyUsage=ECC).KeyMetadatas
    assert vars(row) == vars(kms("DescribeKey", KeyId=ecc).KeyMetadata)


LISTS = {
    "Limit": 201,
    "Role": 2,
    "HsmClusterId": "cluster-1",
}
DETAILS = LISTS | {"OrderType": 2, "KeyState": 6, "Origin": "MARS", "KeyUsage": "SIGN_EVERYTHING"}
CODES = {
    "HsmClusterId": "InvalidParameterValue.InvalidHsmClusterId",
    "KeyUsage": "InvalidParameterValue.InvalidKeyUsage",
}


@pytest.mark.parametrize(
    ("action", "name", "value"),
    [(action, *fault) for action, faults in (("ListKeys", LISTS), ("ListKeyDetail", DETAILS)) for fault in faults.items()],
)
def test_what_no_list_knows_is_refused(kms, refusal, action, name, value):
    assert refusal(kms, action, **{name: value}).code == CODES.get(name, "InvalidParameter")
