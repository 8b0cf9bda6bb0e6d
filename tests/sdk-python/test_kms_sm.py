"""SM2 through the typed SDK: openssl encrypts and the service reads; what SM2 encrypts for the caller, openssl reads."""

import base64

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from tools import run
from typed import Typed

SM2 = "ASYMMETRIC_DECRYPT_SM2"


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def key(kms, unique):
    return lambda usage=SM2: kms("CreateKey", Alias=unique("sm2"), KeyUsage=usage).KeyId


@pytest.fixture
def encrypted(kms, tmp_path):
    """What openssl encrypts by the public half of a key."""

    def encrypted(id, content):
        (tmp_path / "public").write_text(kms("GetPublicKey", KeyId=id).PublicKeyPem)
        (tmp_path / "content").write_bytes(content)
        files = ("-in", tmp_path / "content", "-out", tmp_path / "sealed")
        run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", tmp_path / "public", *files, home=tmp_path)
        return (tmp_path / "sealed").read_bytes()

    return encrypted


def text(content):
    return base64.b64encode(content).decode()


def decrypt(kms, id, ciphertext):
    return base64.b64decode(kms("AsymmetricSm2Decrypt", KeyId=id, Ciphertext=text(ciphertext)).Plaintext)


def test_what_openssl_encrypts_is_read_by_the_key_alone(kms, key, encrypted, refusal):
    id, other = key(), key()
    for content in (b"x", b"encryption standard", bytes(140)):
        ciphertext = encrypted(id, content)
        assert decrypt(kms, id, ciphertext) == content
        assert refusal(decrypt, kms, other, ciphertext).code == "FailedOperation.DecryptError"
        altered = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
        assert refusal(decrypt, kms, id, altered).code == "FailedOperation.DecryptError"


def test_a_public_key_has_the_form_of_the_platforms_example(kms, key):
    answer = kms("GetPublicKey", KeyId=key())
    assert answer.PublicKey.startswith("MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE")
    assert "".join(answer.PublicKeyPem.splitlines()[1:-1]) == answer.PublicKey


@pytest.mark.parametrize(
    ("of", "ciphertext", "code"),
    [
        ("own", bytes(257), "InvalidParameter"),
        ("own", b"no ciphertext", "FailedOperation.DecryptError"),
        ("signing", bytes(100), "InvalidParameterValue.InvalidKeyUsage"),
        ("absent", bytes(100), "ResourceUnavailable.CmkNotFound"),
        ("disabled", bytes(100), "ResourceUnavailable.CmkDisabled"),
    ],
)
def test_what_cannot_be_decrypted_is_refused(kms, key, refusal, of, ciphertext, code):
    usage = "ASYMMETRIC_SIGN_VERIFY_SM2" if of == "signing" else SM2
    id = "08408a30-0416-11ed-abdc-52540036b432" if of == "absent" else key(usage)
    if of == "disabled":
        kms("DisableKey", KeyId=id)
    assert refusal(decrypt, kms, id, ciphertext).code == code


@pytest.fixture
def own(tmp_path):
    """An SM2 key pair of the caller's: the file of the private half, and the public half as PEM."""
    private = tmp_path / "own"
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", private, home=tmp_path)
    return private, run("openssl", "pkey", "-in", private, "-pubout", home=tmp_path).stdout


def test_a_plaintext_comes_encrypted_for_the_caller(kms, own, tmp_path, unique):
    private, public = own
    root = kms("CreateKey", Alias=unique("root")).KeyId
    blob = kms("Encrypt", KeyId=root, Plaintext=text(b"secret")).CiphertextBlob
    asn1 = {"EncryptionPublicKey": public, "EncryptionAlgorithm": "SM2_C1C3C2_ASN1"}
    wrapped = kms("Decrypt", CiphertextBlob=blob, **asn1).Plaintext
    (tmp_path / "wrapped").write_bytes(base64.b64decode(wrapped))
    opened = run("openssl", "pkeyutl", "-decrypt", "-inkey", private, "-in", tmp_path / "wrapped", home=tmp_path).stdout
    assert opened == "secret"
    # The bare form has no ASN.1 about it: x, y, C3 of 32 bytes each, and C2.
    bare = kms("Decrypt", CiphertextBlob=blob, EncryptionPublicKey=public).Plaintext
    assert len(base64.b64decode(bare)) == 96 + len(b"secret")
