"""Material of the customer's own: wrapped by openssl, imported, expired, deleted, and imported again."""

import base64
import time

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from cloud import eventually
from padding import PADDINGS
from tools import run
from typed import Typed

MATERIAL = bytes(range(16))


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def abroad(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-singapore", sdk.profile(cloud)))


@pytest.fixture
def external(kms, unique):
    """Makes a key that waits for material: its id."""

    def external(kms=kms):
        made = kms("CreateKey", Alias=unique("own"), Type=2)
        assert made.KeyState == "PendingImport"
        return made.KeyId

    return external


@pytest.fixture
def wrap(tmp_path):
    """Material in the envelope that openssl makes of it."""

    def wrap(parameters, material, algorithm):
        (tmp_path / "public").write_bytes(base64.b64decode(parameters.PublicKey))
        (tmp_path / "material").write_bytes(material)
        run(
            *("openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", tmp_path / "public"),
            *("-in", tmp_path / "material", "-out", tmp_path / "wrapped", *PADDINGS[algorithm]),
            home=tmp_path,
        )
        return base64.b64encode((tmp_path / "wrapped").read_bytes()).decode()

    return wrap


def parameters(kms, id, algorithm="RSAES_OAEP_SHA_256"):
    return kms("GetParametersForImport", KeyId=id, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")


@pytest.fixture
def give(kms, wrap):
    """Imports material."""

    def give(id, material=MATERIAL, algorithm="RSAES_OAEP_SHA_256", kms=kms, **more):
        given = parameters(kms, id, algorithm)
        wrapped = wrap(given, material, algorithm)
        kms("ImportKeyMaterial", KeyId=id, ImportToken=given.ImportToken, EncryptedKeyMaterial=wrapped, **more)

    return give


def state(kms, id):
    return kms("DescribeKey", KeyId=id).KeyMetadata.KeyState


@pytest.mark.parametrize("algorithm", PADDINGS)
def test_material_is_imported_as_each_algorithm_wraps_it(kms, external, give, algorithm):
    id = external()
    give(id, algorithm=algorithm)
    told = kms("DescribeKey", KeyId=id).KeyMetadata
    assert (told.KeyState, told.Origin, told.ValidTo) == ("Enabled", "EXTERNAL", 0)
    blob = kms("Encrypt", KeyId=id, Plaintext="AAAA").CiphertextBlob
    assert kms("Decrypt", CiphertextBlob=blob).Plaintext == "AAAA"


def test_each_side_has_its_length(kms, abroad, external, give, refusal):
    id, there = external(), external(abroad)
    assert refusal(give, id, bytes(32)).code == "InvalidParameter"
    assert refusal(give, there, bytes(16), kms=abroad).code == "InvalidParameter"
    give(id, bytes(16))
    give(there, bytes(32), kms=abroad)


def test_material_expires_and_only_the_same_comes_back(kms, external, give, refusal):
    id = external()
    give(id, ValidTo=int(time.time()) + 2)
    blob = kms("Encrypt", KeyId=id, Plaintext="AAAA").CiphertextBlob
    eventually("the material to expire", lambda: state(kms, id) == "PendingImport")
    assert refusal(kms, "Decrypt", CiphertextBlob=blob).code == "ResourceUnavailable.CmkStateNotSupport"
    assert refusal(give, id, bytes(16)).code == "InvalidParameterValue.MaterialNotMatch"
    give(id)
    assert kms("Decrypt", CiphertextBlob=blob).Plaintext == "AAAA"
    kms("DeleteImportedKeyMaterial", KeyId=id)
    assert state(kms, id) == "PendingImport"
    assert refusal(kms, "DeleteImportedKeyMaterial", KeyId=id).code == "ResourceUnavailable.CmkStateNotSupport"
    give(id)
    assert kms("Decrypt", CiphertextBlob=blob).Plaintext == "AAAA"


def test_a_token_is_its_keys_and_the_last_one(kms, external, wrap, refusal):
    id, other = external(), external()
    first = parameters(kms, id)
    wrapped = wrap(first, MATERIAL, "RSAES_OAEP_SHA_256")

    def give(id, token):
        return kms("ImportKeyMaterial", KeyId=id, ImportToken=token, EncryptedKeyMaterial=wrapped)

    assert first.ParametersValidTo > time.time()
    assert refusal(give, other, first.ImportToken).code == "InvalidParameter"
    second = parameters(kms, id)
    assert refusal(give, id, first.ImportToken).code == "ResourceUnavailable.TokenExpired"
    assert refusal(give, id, second.ImportToken).code == "InvalidParameter.DecryptMaterialError"
    assert state(kms, id) == "PendingImport"


def test_external_keys_do_not_rotate_and_go_without_a_detour(kms, external, give, refusal):
    id = external()
    kms("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=7)
    assert state(kms, id) == "PendingDelete"
    id = external()
    give(id)
    assert refusal(kms, "EnableKeyRotation", KeyId=id).code == "UnsupportedOperation.ExternalCmkCanNotRotate"
    assert refusal(kms, "CreateKey", Alias="never", Type=2, KeyUsage="ASYMMETRIC_SIGN_VERIFY_ECC").code == "InvalidParameterValue.InvalidType"


def test_a_key_that_a_product_uses_does_not_expire(kms, external, give, refusal):
    id = external()
    give(id, ValidTo=int(time.time()) + 3600)
    kms("BindCloudResource", KeyId=id, ProductId="ssm", ResourceId="secret")
    told = kms("DescribeKey", KeyId=id).KeyMetadata
    assert (told.KeyState, told.ValidTo) == ("Enabled", 0)
    assert refusal(kms, "DeleteImportedKeyMaterial", KeyId=id).code == "FailedOperation.CmkUsedByCloudProduct"
