"""White-box keys, through the typed SDK: openssl decrypts with their files, and a bound file opens on its device alone."""

import base64
import uuid

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from tools import run
from typed import Typed

ABSENT = "08408a30-0416-11ed-abdc-52540036b432"
DEVICES = [
    {"Identity": f"{number:08x}-5ad6930a52d808-0123456789ab03-ddfd218bab945f-0c275b7f7d2c8c68", "Description": f"till {number}"}
    for number in range(1, 202)
]
CIPHERS = {"AES_256": "-aes-256-cbc", "SM4": "-sm4-cbc"}


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def made(kms, unique):
    """Makes a key that is deleted after the test: an account has fifty."""
    ids = []

    def made(**more):
        made = kms("CreateWhiteBoxKey", **{"Alias": unique("boxed"), "Algorithm": "SM4"} | more)
        ids.append(made.KeyId)
        return made

    yield made
    for id in ids:
        if any(key.KeyId == id for key in listed(kms)):
            kms("DisableWhiteBoxKey", KeyId=id)
            kms("DeleteWhiteBoxKey", KeyId=id)


def listed(kms, **filters):
    return kms("DescribeWhiteBoxKeyDetails", **filters).KeyInfos


def text(content):
    return base64.b64encode(content).decode()


def encrypt(kms, id, content, **more):
    answer = kms("EncryptByWhiteBox", KeyId=id, PlainText=text(content), **more)
    return base64.b64decode(answer.InitializationVector), base64.b64decode(answer.CipherText)


@pytest.mark.parametrize("algorithm", CIPHERS)
def test_openssl_decrypts_with_the_key_of_the_file(kms, made, tmp_path, algorithm):
    key = made(Algorithm=algorithm)
    file = base64.b64decode(key.DecryptKey)
    assert (file[:8], file[8:24]) == (b"RKWB\x01\x02" + bytes([1 + (algorithm == "SM4"), 0]), uuid.UUID(key.KeyId).bytes)
    vector = bytes(range(16))
    for content, more in ((b"test\n", {}), (bytes(4096), {"InitializationVector": text(vector)})):
        used, ciphertext = encrypt(kms, key.KeyId, content, **more)
        assert used == vector or not more
        (tmp_path / "ciphertext").write_bytes(ciphertext)
        files = ("-in", tmp_path / "ciphertext", "-out", tmp_path / "text")
        run("openssl", "enc", "-d", CIPHERS[algorithm], "-K", file[24:].hex(), "-iv", used.hex(), *files, home=tmp_path)
        assert (tmp_path / "text").read_bytes() == content


def test_a_bound_file_opens_with_the_fingerprint_of_a_device_and_no_other(kms, made):
    key = made(Algorithm="AES_256")
    bare = base64.b64decode(key.DecryptKey)[24:]
    kms("OverwriteWhiteBoxDeviceFingerprints", KeyId=key.KeyId, DeviceFingerprints=DEVICES[:2])
    told = kms("DescribeWhiteBoxDeviceFingerprints", KeyId=key.KeyId).DeviceFingerprints
    assert [(device.Identity, device.Description) for device in told] == [(d["Identity"], d["Description"]) for d in DEVICES[:2]]
    file = base64.b64decode(kms("DescribeWhiteBoxDecryptKey", KeyId=key.KeyId).DecryptKey)
    header, envelopes = file[:24], [file[at : at + 48] for at in range(24, len(file), 48)]
    assert header[7] == 1 and bare not in file

    def opened(fingerprint):
        derived = HKDF(SHA256(), 32, salt=header[8:24], info=b"rookery white-box device").derive(fingerprint.encode())
        found = []
        for envelope in envelopes:
            try:
                found.append(AESGCM(derived).decrypt(bytes(12), envelope, header))
            except InvalidTag:
                found.append(None)
        return found

    assert opened(DEVICES[0]["Identity"]) == [bare, None]
    assert opened(DEVICES[1]["Identity"]) == [None, bare]
    assert opened(DEVICES[2]["Identity"]) == [None, None]
    info = kms("DescribeWhiteBoxKey", KeyId=key.KeyId).KeyInfo
    assert info.DeviceFingerprintBind is True and base64.b64decode(info.DecryptKey) == file
    kms("OverwriteWhiteBoxDeviceFingerprints", KeyId=key.KeyId, DeviceFingerprints=[])
    assert kms("DescribeWhiteBoxDecryptKey", KeyId=key.KeyId).DecryptKey == key.DecryptKey


def test_the_life_of_a_key(kms, made, unique, refusal):
    alias = unique("boxed")
    key = made(Alias=alias, Description="for tills", Tags=[{"TagKey": "stage", "TagValue": alias}])
    assert (key.TagCode, key.TagMsg) == (0, "ok")
    info = kms("DescribeWhiteBoxKey", KeyId=key.KeyId).KeyInfo
    assert (info.Alias, info.Description, info.Algorithm, info.Status) == (alias, "for tills", "SM4", "Enabled")
    assert info.ResourceId == f"creatorUin/{info.CreatorUin}/{key.KeyId}" and info.OwnerUin == info.CreatorUin
    assert (info.EncryptKey, info.DecryptKey) == (key.EncryptKey, key.DecryptKey)
    filters = {"TagFilters": [{"TagKey": "stage", "TagValue": [alias]}]}
    assert [found.KeyId for found in listed(kms, KeyStatus=1, **filters)] == [key.KeyId]

    assert refusal(kms, "DeleteWhiteBoxKey", KeyId=key.KeyId).code == "FailedOperation"
    kms("DisableWhiteBoxKey", KeyId=key.KeyId)
    assert refusal(encrypt, kms, key.KeyId, b"text").code == "ResourceUnavailable.KeyDisabled"
    assert [found.Status for found in listed(kms, KeyStatus=0, **filters)] == ["Disabled"]
    kms("EnableWhiteBoxKeys", KeyIds=[key.KeyId])
    assert encrypt(kms, key.KeyId, b"text")
    kms("DisableWhiteBoxKeys", KeyIds=[key.KeyId])
    kms("EnableWhiteBoxKey", KeyId=key.KeyId)
    kms("DisableWhiteBoxKey", KeyId=key.KeyId)
    kms("DeleteWhiteBoxKey", KeyId=key.KeyId)
    assert refusal(kms, "DescribeWhiteBoxKey", KeyId=key.KeyId).code == "ResourceNotFound"


def test_the_service_is_open(kms):
    assert kms("DescribeWhiteBoxServiceStatus").ServiceEnabled is True


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Alias": "-"}, "InvalidParameterValue.InvalidAlias"),
        ({"Algorithm": "AES_128"}, "InvalidParameterValue"),
        ({"Description": "x" * 1025}, "InvalidParameter"),
        ({"Tags": [{"TagKey": "a", "TagValue": one} for one in "12"]}, "InvalidParameterValue.TagKeysDuplicated"),
    ],
)
def test_keys_that_break_a_rule_are_not_made(made, refusal, changes, code):
    assert refusal(made, **changes).code == code


def test_an_alias_is_taken_once(made, unique, refusal):
    alias = unique("boxed")
    made(Alias=alias)
    assert refusal(made, Alias=alias).code == "InvalidParameterValue.AliasAlreadyExists"


def test_texts_and_vectors_of_a_wrong_length_are_refused(kms, made, refusal):
    id = made().KeyId
    for parameters in ({"PlainText": text(bytes(4097))}, {"PlainText": text(b"text"), "InitializationVector": text(bytes(12))}):
        assert refusal(kms, "EncryptByWhiteBox", KeyId=id, **parameters).code == "InvalidParameterValue"


def test_fingerprints_that_are_none_or_too_many_are_refused(kms, made, refusal):
    id = made().KeyId
    for devices, code in (
        ([{"Identity": "c19c024c-2ba1-11b2-a85c-96f970f4a8e1"}], "InvalidParameterValue"),
        (DEVICES[:1] * 2, "InvalidParameterValue"),
        (DEVICES, "LimitExceeded.FingerprintsLimitExceeded"),
    ):
        assert refusal(kms, "OverwriteWhiteBoxDeviceFingerprints", KeyId=id, DeviceFingerprints=devices).code == code


ONE = ["DescribeWhiteBoxKey", "DescribeWhiteBoxDecryptKey", "DescribeWhiteBoxDeviceFingerprints", "EnableWhiteBoxKey"]
ONE += ["DisableWhiteBoxKey", "DeleteWhiteBoxKey", "OverwriteWhiteBoxDeviceFingerprints"]


@pytest.mark.parametrize("action", ONE)
def test_keys_that_are_not_there_are_not_found(kms, refusal, action):
    assert refusal(kms, action, KeyId=ABSENT).code == "ResourceNotFound"
    assert refusal(kms, action, KeyId="no-uuid").code == "InvalidParameterValue.InvalidKeyId"


@pytest.mark.parametrize("action", ["EnableWhiteBoxKeys", "DisableWhiteBoxKeys"])
def test_many_keys_are_switched_together_or_not_at_all(kms, made, refusal, action):
    id = made().KeyId
    before = kms("DescribeWhiteBoxKey", KeyId=id).KeyInfo.Status
    for ids, code in (
        ([id, ABSENT], "ResourceNotFound"),
        ([id, id], "InvalidParameterValue.DuplicatedKeyId"),
        ([], "InvalidParameter"),
        ([id] * 51, "InvalidParameter"),
    ):
        assert refusal(kms, action, KeyIds=ids).code == code
    assert kms("DescribeWhiteBoxKey", KeyId=id).KeyInfo.Status == before


def test_a_status_that_is_none_is_refused(kms, refusal):
    assert refusal(listed, kms, KeyStatus=2).code == "InvalidParameter"
