"""What keys encrypt, through the typed SDK: read back by the service, and by openssl where the customer holds a half."""

import base64

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from padding import PADDINGS
from tools import run
from typed import Typed

RSA = "ASYMMETRIC_DECRYPT_RSA_2048"


def client(cloud, region="ap-guangzhou"):
    return Typed(KmsClient(sdk.credential(cloud), region, sdk.profile(cloud)))


@pytest.fixture
def kms(cloud):
    return client(cloud)


@pytest.fixture
def key(kms, unique):
    return lambda **more: kms("CreateKey", **{"Alias": unique("data")} | more).KeyId


@pytest.fixture
def openssl(tmp_path):
    """Runs openssl over files in a directory of the test's own."""

    def openssl(*arguments, **files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        placed = [tmp_path / argument[1:] if argument.startswith("@") else argument for argument in arguments]
        run("openssl", *placed, home=tmp_path)
        return tmp_path

    return openssl


def text(content):
    return base64.b64encode(content).decode()


def encrypt(kms, key, content=b"secret", **more):
    return kms("Encrypt", KeyId=key, Plaintext=text(content), **more).CiphertextBlob


def decrypt(kms, blob, **more):
    return base64.b64decode(kms("Decrypt", CiphertextBlob=blob, **more).Plaintext)


@pytest.mark.parametrize("region", ["ap-guangzhou", "ap-singapore"])
def test_only_the_key_in_its_region_reads_its_ciphertext(cloud, refusal, unique, region):
    kms = client(cloud, region)
    id = kms("CreateKey", Alias=unique("data")).KeyId
    longest = bytes(range(256)) * 16
    blob = encrypt(kms, id, longest)
    assert decrypt(kms, blob) == longest
    assert refusal(decrypt, client(cloud, "ap-tokyo"), blob).code == "ResourceUnavailable.CmkNotFound"
    cipher = kms("ListAlgorithms").SymmetricAlgorithms[0].Algorithm
    kind = kms("DescribeKey", KeyId=id).KeyMetadata.Type
    assert (cipher, kind) in [("SM4", 4), ("AES_256", 2)]


def test_every_state_has_its_answer(kms, key, refusal):
    id = key()
    blob = encrypt(kms, id)

    def answers():
        codes = []
        for call in (encrypt, decrypt):
            argument = id if call is encrypt else blob
            try:
                call(kms, argument)
                codes.append(None)
            except Exception as error:
                codes.append(error.code.rpartition(".")[2])
        return codes

    assert answers() == [None, None]
    kms("ArchiveKey", KeyId=id)
    assert answers() == ["CmkArchived", None]
    kms("CancelKeyArchive", KeyId=id)
    kms("DisableKey", KeyId=id)
    assert answers() == ["CmkDisabled", "CmkDisabled"]
    kms("ScheduleKeyDeletion", KeyId=id, PendingWindowInDays=30)
    assert answers() == ["KeyPendingDelete", "KeyPendingDelete"]
    for action, more in (("UpdateAlias", {"Alias": "x"}), ("UpdateKeyDescription", {"Description": "x"}), ("EnableKey", {})):
        assert refusal(kms, action, KeyId=id, **more).code == "ResourceUnavailable.CmkStateNotSupport"
    kms("CancelKeyDeletion", KeyId=id)
    kms("EnableKey", KeyId=id)
    assert answers() == [None, None]


def test_ciphertexts_outlive_rotation_and_the_process(start, unique):
    cloud = start()
    kms = client(cloud)
    id = kms("CreateKey", Alias=unique("data")).KeyId
    kms("EnableKeyRotation", KeyId=id)
    context = '{"path":"/etc"}'
    before = encrypt(kms, id, b"before", EncryptionContext=context)
    kms("RotateKey", KeyId=id)
    after = encrypt(kms, id, b"after", EncryptionContext=context)
    rotated = kms("DescribeKey", KeyId=id).KeyMetadata.LastRotateTime
    cloud.kill()
    kms = client(cloud.start())
    assert decrypt(kms, before, EncryptionContext=context) == b"before"
    assert decrypt(kms, after, EncryptionContext=context) == b"after"
    assert kms("DescribeKey", KeyId=id).KeyMetadata.LastRotateTime == rotated
    contexts = {"SourceEncryptionContext": context, "DestinationEncryptionContext": context}
    renewed = kms("ReEncrypt", CiphertextBlob=before, **contexts)
    assert renewed.ReEncrypted is True and decrypt(kms, renewed.CiphertextBlob, EncryptionContext=context) == b"before"
    same = kms("ReEncrypt", CiphertextBlob=after, **contexts)
    assert (same.ReEncrypted, same.CiphertextBlob) == (False, after)


def test_a_second_rotation_within_a_day_is_refused(kms, key, refusal):
    id = key()
    assert refusal(kms, "RotateKey", KeyId=id).code == "UnsupportedOperation.RotateNotSupported"
    kms("EnableKeyRotation", KeyId=id)
    kms("RotateKey", KeyId=id)
    assert refusal(kms, "RotateKey", KeyId=id).code == "RequestLimitExceeded.RotateRateLimited"
    signer = key(KeyUsage="ASYMMETRIC_SIGN_VERIFY_ECC")
    assert refusal(kms, "EnableKeyRotation", KeyId=signer).code == "UnsupportedOperation.RotateNotSupported"


def test_a_ciphertext_that_was_touched_is_refused(kms, key, refusal):
    blob = base64.b64decode(encrypt(kms, key()))
    for at in (len(blob) - 1, 22, 40):
        touched = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        assert refusal(decrypt, kms, text(touched)).code == "FailedOperation.DecryptError"
    for cut in (b"", blob[:20], blob[:49]):
        assert refusal(decrypt, kms, text(cut)).code == "InvalidParameterValue.InvalidCiphertext"


@pytest.mark.parametrize("algorithm", PADDINGS)
def test_openssl_encrypts_for_an_rsa_key(kms, key, openssl, refusal, algorithm):
    id = key(KeyUsage=RSA)
    public = kms("GetPublicKey", KeyId=id).PublicKeyPem.encode()
    made = openssl(
        *("pkeyutl", "-encrypt", "-pubin", "-inkey", "@public", "-in", "@text", "-out", "@ciphertext", *PADDINGS[algorithm]),
        public=public,
        text=b"secret",
    )
    ciphertext = text((made / "ciphertext").read_bytes())
    told = kms("AsymmetricRsaDecrypt", KeyId=id, Ciphertext=ciphertext, Algorithm=algorithm)
    assert (told.KeyId, base64.b64decode(told.Plaintext)) == (id, b"secret")
    other = key(KeyUsage=RSA)
    refused = refusal(kms, "AsymmetricRsaDecrypt", KeyId=other, Ciphertext=ciphertext, Algorithm=algorithm)
    assert refused.code == "FailedOperation.DecryptError"
    kms("DisableKey", KeyId=id)
    refused = refusal(kms, "AsymmetricRsaDecrypt", KeyId=id, Ciphertext=ciphertext, Algorithm=algorithm)
    assert refused.code == "ResourceUnavailable.CmkDisabled"


@pytest.mark.parametrize("algorithm", PADDINGS)
def test_openssl_reads_what_is_told_for_the_callers_rsa_key_alone(kms, key, openssl, algorithm):
    made = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "@private")
    openssl("pkey", "-in", "@private", "-pubout", "-out", "@public")
    wrapping = {"EncryptionPublicKey": (made / "public").read_text(), "EncryptionAlgorithm": algorithm}
    id = key()
    data = kms("GenerateDataKey", KeyId=id, KeySpec="AES_256", **wrapping)

    def opened(wrapped):
        openssl(
            *("pkeyutl", "-decrypt", "-inkey", "@private", "-in", "@wrapped", "-out", "@opened", *PADDINGS[algorithm]),
            wrapped=base64.b64decode(wrapped),
        )
        return (made / "opened").read_bytes()

    assert opened(data.Plaintext) == decrypt(kms, data.CiphertextBlob)
    assert opened(kms("Decrypt", CiphertextBlob=encrypt(kms, id), **wrapping).Plaintext) == b"secret"


def test_openssl_reads_what_is_told_for_the_callers_sm2_key_alone(kms, key, openssl):
    made = openssl("genpkey", "-algorithm", "SM2", "-out", "@private")
    openssl("pkey", "-in", "@private", "-pubout", "-out", "@public")
    wrapping = {"EncryptionPublicKey": (made / "public").read_text()}
    blob = encrypt(kms, key())
    told = kms("Decrypt", CiphertextBlob=blob, EncryptionAlgorithm="SM2_C1C3C2_ASN1", **wrapping)
    openssl(
        *("pkeyutl", "-decrypt", "-inkey", "@private", "-in", "@wrapped", "-out", "@opened"),
        wrapped=base64.b64decode(told.Plaintext),
    )
    assert (made / "opened").read_bytes() == b"secret"
    # The other form is 64 bytes of a point, 32 of a digest, and the text; it is also what nothing said means.
    for algorithm in ({}, {"EncryptionAlgorithm": "SM2"}):
        told = kms("Decrypt", CiphertextBlob=blob, **wrapping, **algorithm)
        assert len(base64.b64decode(told.Plaintext)) == 64 + 32 + len(b"secret")


UNWRAPPABLE = {
    "no PEM": {"EncryptionPublicKey": "x"},
    "an algorithm that does not exist": {"EncryptionAlgorithm": "ROT13"},
}


@pytest.mark.parametrize("wrapping", UNWRAPPABLE.values(), ids=UNWRAPPABLE)
def test_a_key_that_is_none_cannot_be_told_anything(kms, key, refusal, wrapping):
    id = key()
    assert refusal(kms, "Decrypt", CiphertextBlob=encrypt(kms, id), **wrapping).code == "InvalidParameter"
    assert refusal(kms, "GenerateDataKey", KeyId=id, NumberOfBytes=16, **wrapping).code == "InvalidParameter"
