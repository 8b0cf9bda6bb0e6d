"""The life of a key on the command line: every action about keys, once as it is meant and once refused."""

import base64

import pytest

NOBODYS = "08408a30-0416-11ed-abdc-52540036b432"
DAY = 24 * 60 * 60


@pytest.fixture
def kms(story):
    return lambda action, **parameters: story.tccli("kms", action, **parameters)


@pytest.fixture
def key(kms, story):
    """Makes a symmetric key: its id."""
    return lambda **more: kms("CreateKey", Alias=story.unique("data"), **more)["KeyId"]


@pytest.fixture
def state(kms):
    return lambda id: kms("DescribeKey", KeyId=id)["KeyMetadata"]["KeyState"]


def text(content):
    return base64.b64encode(content).decode()


def test_a_text_goes_through_a_key_and_back(kms, key):
    id, context = key(), '{"used": "here"}'
    blob = kms("Encrypt", KeyId=id, Plaintext=text(b"secret"), EncryptionContext=context)["CiphertextBlob"]
    told = kms("Decrypt", CiphertextBlob=blob, EncryptionContext='{ "used" : "here" }')
    assert (told["KeyId"], base64.b64decode(told["Plaintext"])) == (id, b"secret")

    other = key()
    moved = kms("ReEncrypt", CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other)
    assert (moved["KeyId"], moved["SourceKeyId"], moved["ReEncrypted"]) == (other, id, True)
    assert base64.b64decode(kms("Decrypt", CiphertextBlob=moved["CiphertextBlob"])["Plaintext"]) == b"secret"

    data = kms("GenerateDataKey", KeyId=id, KeySpec="AES_256")
    assert len(base64.b64decode(data["Plaintext"])) == 32
    assert kms("Decrypt", CiphertextBlob=data["CiphertextBlob"])["Plaintext"] == data["Plaintext"]
    assert len(base64.b64decode(kms("GenerateRandom", NumberOfBytes=24)["Plaintext"])) == 24


def test_a_key_lives_and_is_deleted(kms, key, state, story):
    id, alias = key(), story.unique("renamed")
    kms("UpdateAlias", KeyId=id, Alias=alias)
    kms("UpdateKeyDescription", KeyId=id, Description="renamed")
    (told,) = kms("DescribeKeys", KeyIds=[id])["KeyMetadatas"]
    assert (told["Alias"], told["Description"]) == (alias, "renamed")

    assert kms("GetKeyRotationStatus", KeyId=id)["KeyRotationEnabled"] is False
    kms("EnableKeyRotation", KeyId=id, RotateDays=30)
    assert kms("GetKeyRotationStatus", KeyId=id)["KeyRotationEnabled"] is True
    old = kms("Encrypt", KeyId=id, Plaintext=text(b"old"))["CiphertextBlob"]
    assert kms("RotateKey", KeyId=id)["TaskId"]
    told = kms("DescribeKey", KeyId=id)["KeyMetadata"]
    assert told["NextRotateTime"] - told["LastRotateTime"] == 30 * DAY
    assert base64.b64decode(kms("Decrypt", CiphertextBlob=old)["Plaintext"]) == b"old"
    kms("DisableKeyRotation", KeyId=id)

    kms("ArchiveKey", KeyId=id)
    assert state(id) == "Archived"
    assert base64.b64decode(kms("Decrypt", CiphertextBlob=old)["Plaintext"]) == b"old"
    kms("CancelKeyArchive", KeyId=id)
    kms("DisableKeys", KeyIds=[id])
    assert state(id) == "Disabled"
    kms("EnableKeys", KeyIds=[id])
    assert state(id) == "Enabled"

    kms("BindCloudResource", KeyId=id, ProductId="ssm", ResourceId="secret")
    kms("UnbindCloudResource", KeyId=id, ProductId="ssm", ResourceId="secret")
    kms("DisableKey", KeyId=id)
    planned = kms("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=7)
    assert planned["KeyId"] == id
    told = kms("DescribeKey", KeyId=id)["KeyMetadata"]
    assert (told["KeyState"], told["DeletionDate"]) == ("PendingDelete", planned["DeletionDate"])
    assert id not in [row["KeyId"] for row in kms("ListKeys", Limit=200)["Keys"]]
    assert kms("CancelKeyDeletion", KeyId=id)["KeyId"] == id
    assert state(id) == "Disabled"


def test_what_the_service_says_of_itself(kms, key):
    key()
    assert "ap-guangzhou" in kms("GetRegions")["Regions"]
    told = kms("GetServiceStatus")
    assert told["ServiceEnabled"] is True and told["InvalidType"] == 1
    assert 1 <= told["CmkUserCount"] <= told["CmkLimit"]
    assert kms("ListAlgorithms")["SymmetricAlgorithms"] == [{"KeyUsage": "ENCRYPT_DECRYPT", "Algorithm": "SM4"}]


# Every action that names a key: what it needs besides.
ABOUT_A_KEY = {
    "ArchiveKey": {},
    "AsymmetricRsaDecrypt": {"Ciphertext": "AAAA", "Algorithm": "RSAES_OAEP_SHA_256"},
    "BindCloudResource": {"ProductId": "ssm", "ResourceId": "secret"},
    "CancelKeyArchive": {},
    "CancelKeyDeletion": {},
    "DeleteImportedKeyMaterial": {},
    "DisableKeyRotation": {},
    "EnableKeyRotation": {},
    "Encrypt": {"Plaintext": "AAAA"},
    "GenerateDataKey": {"NumberOfBytes": 16},
    "GetKeyRotationStatus": {},
    "GetParametersForImport": {"WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"},
    "ImportKeyMaterial": {"EncryptedKeyMaterial": "AAAA", "ImportToken": "AAAA"},
    "RotateKey": {},
    "ScheduleKeyDeletion": {"PendingWindowInDays": 7},
    "UnbindCloudResource": {"ProductId": "ssm", "ResourceId": "secret"},
    "UpdateAlias": {"Alias": "another"},
    "UpdateKeyDescription": {"Description": "another"},
}


@pytest.mark.parametrize(("action", "more"), ABOUT_A_KEY.items(), ids=ABOUT_A_KEY)
def test_a_key_that_is_not_there_is_not_found(kms, refused, action, more):
    assert refused(kms, action, KeyId=NOBODYS, **more).code == "ResourceUnavailable.CmkNotFound"
    assert refused(kms, action, KeyId="not-a-uuid", **more).code == "InvalidParameterValue.InvalidKeyId"


@pytest.mark.parametrize("action", ["DescribeKeys", "EnableKeys", "DisableKeys"])
def test_a_batch_is_done_as_a_whole_or_not_at_all(kms, key, state, refused, action):
    id = key()
    assert refused(kms, action, KeyIds=[id, NOBODYS]).code == "ResourceUnavailable.CmkNotFound"
    assert refused(kms, action, KeyIds=[id, id]).code == "InvalidParameterValue.DuplicatedKeyId"
    assert refused(kms, action, KeyIds=[id] * 101).code == "InvalidParameter"
    assert state(id) == "Enabled"


REFUSED = {
    "too long a text": ("Encrypt", {"Plaintext": text(bytes(4097))}, "InvalidParameterValue.InvalidPlaintext"),
    "a text that is no Base64": ("Encrypt", {"Plaintext": "!"}, "InvalidParameterValue.InvalidPlaintext"),
    "a context that is no object": ("Encrypt", {"Plaintext": "AAAA", "EncryptionContext": "[]"}, "InvalidParameter"),
    "a data key without a length": ("GenerateDataKey", {}, "InvalidParameter"),
    "a rotation every day": ("EnableKeyRotation", {"RotateDays": 1}, "InvalidParameter"),
    "a rotation that is not enabled": ("RotateKey", {}, "UnsupportedOperation.RotateNotSupported"),
    "a deletion tomorrow": ("ScheduleKeyDeletion", {"PendingWindowInDays": 1}, "InvalidParameter.InvalidPendingWindowInDays"),
    "a deletion of a key in use": ("ScheduleKeyDeletion", {"PendingWindowInDays": 7}, "ResourceUnavailable.CmkShouldBeDisabled"),
    "keeping what is not to be deleted": ("CancelKeyDeletion", {}, "ResourceUnavailable.CmkNotPendingDelete"),
    "importing into a key of the service's own": (
        "GetParametersForImport",
        {"WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"},
        "UnsupportedOperation.NotExternalCmk",
    ),
    "a resource that is not bound": (
        "UnbindCloudResource",
        {"ProductId": "ssm", "ResourceId": "nothing"},
        "ResourceUnavailable.CloudResourceBindingNotFound",
    ),
    "decrypting RSA with a symmetric key": (
        "AsymmetricRsaDecrypt",
        {"Ciphertext": "AAAA", "Algorithm": "RSAES_OAEP_SHA_1"},
        "InvalidParameterValue.InvalidKeyUsage",
    ),
    "a name that is reserved": ("UpdateAlias", {"Alias": "kms-x"}, "InvalidParameterValue.InvalidAlias"),
}


@pytest.mark.parametrize(("action", "more", "code"), REFUSED.values(), ids=REFUSED)
def test_what_a_key_does_not_do_is_refused(kms, key, refused, action, more, code):
    assert refused(kms, action, KeyId=key(), **more).code == code


def test_what_is_no_ciphertext_is_refused(kms, key, refused):
    blob = kms("Encrypt", KeyId=key(), Plaintext="AAAA")["CiphertextBlob"]
    altered = base64.b64decode(blob)
    altered = text(altered[:-1] + bytes([altered[-1] ^ 1]))
    for action in ("Decrypt", "ReEncrypt"):
        assert refused(kms, action, CiphertextBlob="AAAA").code == "InvalidParameterValue.InvalidCiphertext"
        assert refused(kms, action, CiphertextBlob=altered).code == "FailedOperation.DecryptError"
    assert refused(kms, "Decrypt", CiphertextBlob=blob, EncryptionContext='{"a":"b"}').code == "FailedOperation.DecryptError"
    assert refused(kms, "GenerateRandom", NumberOfBytes=1025).code == "InvalidParameter"


def test_a_key_that_a_product_uses_stays(kms, key, state, refused):
    id = key()
    kms("BindCloudResource", KeyId=id, ProductId="ssm", ResourceId="secret")
    for action, parameters in (("DisableKey", {"KeyId": id}), ("DisableKeys", {"KeyIds": [id]}), ("ArchiveKey", {"KeyId": id})):
        assert refused(kms, action, **parameters).code == "FailedOperation.CmkUsedByCloudProduct"
    assert state(id) == "Enabled"
