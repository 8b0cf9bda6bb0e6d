"""Data keys that the service keeps, through the typed SDK."""

import base64

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from tools import run
from typed import Typed

ABSENT = "08408a30-0416-11ed-abdc-52540036b432"


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def key(kms, unique):
    return lambda **more: kms("CreateKey", **{"Alias": unique("root")} | more).KeyId


@pytest.fixture
def hosted(kms, unique):
    """Makes a data key that is kept: the whole reply."""

    def hosted(key, **more):
        parameters = {"KeyId": key, "KeySpec": "AES_256", "IsHostedByKms": 1, "DataKeyName": unique("data")}
        return kms("GenerateDataKey", **parameters | more)

    return hosted


def text(content):
    return base64.b64encode(content).decode()


def plaintext(kms, id, **more):
    return kms("GetDataKeyPlaintext", DataKeyId=id, **more).Plaintext


def described(kms, id):
    return kms("DescribeDataKey", DataKeyId=id).DataKeyMetadata


def names(kms, **filters):
    return [found.DataKeyName for found in kms("ListDataKeyDetail", **filters).DataKeyMetadatas]


def test_what_is_kept_can_be_had_again(kms, key, hosted):
    root = key()
    context = '{"app": "1"}'
    for made, more in ((hosted(root), {}), (hosted(root, EncryptionContext=context), {"EncryptionContext": context})):
        assert plaintext(kms, made.DataKeyId) == made.Plaintext
        blob = kms("GetDataKeyCiphertextBlob", DataKeyId=made.DataKeyId).CiphertextBlob
        assert blob == made.CiphertextBlob
        assert kms("Decrypt", CiphertextBlob=blob, **more).Plaintext == made.Plaintext


def test_the_holder_of_a_key_pair_gets_it_encrypted(kms, key, hosted, tmp_path):
    private = tmp_path / "own"
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private, home=tmp_path)
    public = run("openssl", "pkey", "-in", private, "-pubout", home=tmp_path).stdout
    made = hosted(key())
    wrapped = plaintext(kms, made.DataKeyId, EncryptionPublicKey=public, EncryptionAlgorithm="RSAES_PKCS1_V1_5")
    (tmp_path / "wrapped").write_bytes(base64.b64decode(wrapped))
    files = ("-in", tmp_path / "wrapped", "-out", tmp_path / "key")
    run("openssl", "pkeyutl", "-decrypt", "-inkey", private, *files, home=tmp_path)
    assert text((tmp_path / "key").read_bytes()) == made.Plaintext


def test_a_data_key_is_described_and_listed_as_it_was_made(kms, key, hosted, unique):
    root, name = key(), unique("data")
    made = hosted(root, DataKeyName=name, Description="for tills", Tags=[{"TagKey": "stage", "TagValue": name}])
    found = described(kms, made.DataKeyId)
    assert (found.DataKeyName, found.Description, found.KeyId, found.NumberOfBytes) == (name, "for tills", root, 32)
    assert (found.KeyState, found.Origin, found.Owner, found.DeletionDate) == ("Enabled", "TENCENT_KMS", "user", 0)
    assert found.ResourceId == f"creatorUin/{found.CreatorUin}/{made.DataKeyId}"
    many = kms("DescribeDataKeys", DataKeyIds=[made.DataKeyId]).DataKeyMetadatas
    assert [one.DataKeyName for one in many] == [name]
    for filters in (
        {"KeyId": root},
        {"SearchKeyAlias": name},
        {"SearchKeyAlias": made.DataKeyId},
        {"TagFilters": [{"TagKey": "stage", "TagValue": [name]}]},
        {"KeyId": root, "DataKeyLen": 32, "KeyState": 1, "Origin": "TENCENT_KMS", "OrderType": 1},
    ):
        assert names(kms, **filters) == [name]
    assert names(kms, KeyId=root, KeyState=2) == names(kms, KeyId=root, Origin="EXTERNAL") == []
    assert made.DataKeyId in [one.DataKeyId for one in kms("ListDataKeys", Limit=200).DataKeys]


def test_data_keys_are_imported_in_clear_and_encrypted(kms, key, hosted, unique):
    root = key()
    clear = kms("ImportDataKey", DataKeyName=unique("own"), ImportType=2, ImportKeyMaterial=text(bytes(24)), KeyId=root)
    assert (plaintext(kms, clear.DataKeyId), clear.KeyId) == (text(bytes(24)), root)
    found = described(kms, clear.DataKeyId)
    assert (found.Origin, found.NumberOfBytes) == ("EXTERNAL", 24)
    made = hosted(root)
    copy = kms("ImportDataKey", DataKeyName=unique("own"), ImportType=1, ImportKeyMaterial=made.CiphertextBlob)
    assert (plaintext(kms, copy.DataKeyId), copy.KeyId) == (made.Plaintext, root)


def test_the_life_of_a_data_key(kms, key, hosted, unique, refusal):
    id = hosted(key()).DataKeyId
    name = unique("renamed")
    kms("UpdateDataKeyName", DataKeyId=id, DataKeyName=name)
    kms("UpdateDataKeyDescription", DataKeyId=id, Description="described")
    assert (described(kms, id).DataKeyName, described(kms, id).Description) == (name, "described")
    kms("DisableDataKey", DataKeyId=id)
    assert refusal(plaintext, kms, id).code == "ResourceUnavailable.DataKeyDisabled"
    kms("EnableDataKey", DataKeyId=id)
    kms("DisableDataKeys", DataKeyIds=[id])
    kms("EnableDataKeys", DataKeyIds=[id])
    assert plaintext(kms, id)

    told = kms("ScheduleDataKeyDeletion", DataKeyId=id, PendingWindowInDays=7)
    found = described(kms, id)
    assert (told.DataKeyId, found.KeyState, found.DeletionDate) == (id, "PendingDelete", told.DeletionDate)
    assert refusal(plaintext, kms, id).code == "ResourceUnavailable.DataKeyPendingDelete"
    assert refusal(kms, "GetDataKeyCiphertextBlob", DataKeyId=id).code == "ResourceUnavailable.DataKeyStateNotSupport"
    assert refusal(kms, "EnableDataKey", DataKeyId=id).code == "ResourceUnavailable.DataKeyStateNotSupport"
    assert kms("CancelDataKeyDeletion", DataKeyId=id).DataKeyId == id
    assert described(kms, id).KeyState == "Disabled"
    assert refusal(kms, "CancelDataKeyDeletion", DataKeyId=id).code == "ResourceUnavailable.DataKeyNotPendingDelete"


def test_a_data_key_is_worth_what_its_key_is(kms, key, hosted, refusal):
    root = key()
    id = hosted(root).DataKeyId
    kms("DisableKey", KeyId=root)
    assert refusal(plaintext, kms, id).code == "ResourceUnavailable.CmkDisabled"
    assert refusal(kms, "EnableDataKey", DataKeyId=id).code == "ResourceUnavailable.CmkStateNotSupport"
    kms("EnableKey", KeyId=root)
    assert plaintext(kms, id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DataKeyName": ""}, "InvalidParameterValue.InvalidDataKeyName"),
        ({"Description": "x" * 101}, "InvalidParameterValue"),
        ({"Tags": [{"TagKey": "a", "TagValue": one} for one in "12"]}, "InvalidParameterValue.TagKeysDuplicated"),
        ({"IsHostedByKms": 2}, "InvalidParameter"),
        ({"IsHostedByKms": 0}, "InvalidParameter"),
    ],
)
def test_data_keys_that_break_a_rule_are_not_kept(key, hosted, refusal, changes, code):
    assert refusal(hosted, key(), **changes).code == code


def test_imports_that_break_a_rule_are_refused(kms, key, hosted, unique, refusal):
    root, other = key(), key()
    made = hosted(root)
    bound = kms("Encrypt", KeyId=root, Plaintext=text(b"text"), EncryptionContext='{"a": "1"}').CiphertextBlob
    for kind, material, named, code in (
        (1, "no ciphertext", None, "InvalidParameterValue.InvalidImportKeyMaterial"),
        (1, bound, None, "InvalidParameterValue.InvalidImportKeyMaterial"),
        (1, made.CiphertextBlob, other, "InvalidParameterValue.InvalidKeyId"),
        (2, text(bytes(1025)), root, "InvalidParameterValue.InvalidPlaintext"),
        (2, text(b"text"), None, "InvalidParameter"),
        (2, text(b"text"), ABSENT, "ResourceUnavailable.CmkNotFound"),
        (3, text(b"text"), root, "InvalidParameterValue.InvalidType"),
    ):
        parameters = {"DataKeyName": unique("own"), "ImportType": kind, "ImportKeyMaterial": material}
        refused = refusal(kms, "ImportDataKey", **parameters | ({"KeyId": named} if named else {}))
        assert refused.code == code, (kind, material)


ONE = {
    "DescribeDataKey": {},
    "GetDataKeyPlaintext": {},
    "GetDataKeyCiphertextBlob": {},
    "EnableDataKey": {},
    "DisableDataKey": {},
    "ScheduleDataKeyDeletion": {"PendingWindowInDays": 7},
    "CancelDataKeyDeletion": {},
    "UpdateDataKeyName": {"DataKeyName": "renamed"},
    "UpdateDataKeyDescription": {"Description": "described"},
}


@pytest.mark.parametrize("action", ONE)
def test_data_keys_that_are_not_there_are_not_found(kms, refusal, action):
    assert refusal(kms, action, DataKeyId=ABSENT, **ONE[action]).code == "ResourceUnavailable.DataKeyNotFound"
    assert refusal(kms, action, DataKeyId="no-uuid", **ONE[action]).code == "InvalidParameterValue.InvalidDataKeyId"


@pytest.mark.parametrize("action", ["DescribeDataKeys", "EnableDataKeys", "DisableDataKeys"])
def test_many_data_keys_are_there_together_or_refused(kms, key, hosted, refusal, action):
    id = hosted(key()).DataKeyId
    for ids, code in (
        ([id, ABSENT], "ResourceUnavailable.DataKeyNotFound"),
        ([id, id], "InvalidParameterValue.DuplicatedDataKeyId"),
        ([], "InvalidParameterValue"),
        ([id] * 101, "InvalidParameterValue"),
    ):
        assert refusal(kms, action, DataKeyIds=ids).code == code


def test_a_window_and_a_name_that_break_a_rule_are_refused(kms, key, hosted, refusal):
    root = key()
    one, two = hosted(root), hosted(root)
    for days in (6, 31):
        refused = refusal(kms, "ScheduleDataKeyDeletion", DataKeyId=one.DataKeyId, PendingWindowInDays=days)
        assert refused.code == "InvalidParameter.InvalidPendingWindowInDays"
    taken = described(kms, two.DataKeyId).DataKeyName
    refused = refusal(kms, "UpdateDataKeyName", DataKeyId=one.DataKeyId, DataKeyName=taken)
    assert refused.code == "InvalidParameterValue.DataKeyNameAlreadyExists"
    refused = refusal(kms, "UpdateDataKeyDescription", DataKeyId=one.DataKeyId, Description="x" * 101)
    assert refused.code == "InvalidParameterValue"


def test_lists_refuse_what_no_list_has(kms, refusal):
    for action, filters, code in (
        ("ListDataKeys", {"Limit": 201}, "InvalidParameter"),
        ("ListDataKeys", {"HsmClusterId": "cls-1"}, "InvalidParameterValue.InvalidHsmClusterId"),
        ("ListDataKeyDetail", {"KeyState": 4}, "InvalidParameter"),
        ("ListDataKeyDetail", {"KeyId": ABSENT}, "ResourceUnavailable.CmkNotFound"),
    ):
        assert refusal(kms, action, **filters).code == code
