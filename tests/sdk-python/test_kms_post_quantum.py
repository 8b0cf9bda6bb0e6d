"""Post-quantum keys, through the typed SDK, with another implementation of both standards on the other side."""

import base64
import uuid

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA87PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from tools import run
from typed import Typed

DECRYPTS = "ASYMMETRIC_DECRYPT_ML_KEM_1024"
SIGNS = "ASYMMETRIC_SIGN_VERIFY_ML_DSA_87"
ABSENT = "08408a30-0416-11ed-abdc-52540036b432"


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def key(kms, unique):
    return lambda usage: kms("CreateKey", Alias=unique("pq"), KeyUsage=usage).KeyId


def text(content):
    return base64.b64encode(content).decode()


def encrypt(kms, id, content):
    return kms("PostQuantumCryptoEncrypt", KeyId=id, PlainText=text(content)).CiphertextBlob


def decrypt(kms, blob, **more):
    return base64.b64decode(kms("PostQuantumCryptoDecrypt", CiphertextBlob=blob, **more).PlainText)


def public(kms, id):
    answer = kms("GetPublicKey", KeyId=id)
    der, pem = base64.b64decode(answer.PublicKey), answer.PublicKeyPem.encode()
    assert load_der_public_key(der).public_bytes_raw() == load_pem_public_key(pem).public_bytes_raw()
    return load_der_public_key(der)


def test_what_is_encrypted_is_read_by_the_service_alone(kms, key):
    id = key(DECRYPTS)
    for content in (b"x", bytes(range(256)) * 16):
        blob = encrypt(kms, id, content)
        answer = kms("PostQuantumCryptoDecrypt", CiphertextBlob=blob)
        assert (answer.KeyId, base64.b64decode(answer.PlainText)) == (id, content)
    assert encrypt(kms, id, b"x") != encrypt(kms, id, b"x")


def test_the_service_reads_what_another_implementation_encapsulates(kms, key):
    """The documented form, built by hand: format, key id, encapsulated key, ciphertext."""
    id = key(DECRYPTS)
    recipient = public(kms, id)
    assert isinstance(recipient, MLKEM1024PublicKey)
    secret, encapsulated = recipient.encapsulate()
    header = b"\x02" + uuid.UUID(id).bytes
    blob = header + encapsulated + AESGCM(secret).encrypt(bytes(12), b"from outside", header)
    assert decrypt(kms, text(blob)) == b"from outside"


def test_a_plaintext_comes_encrypted_for_the_caller(kms, key, tmp_path):
    private = tmp_path / "own"
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private, home=tmp_path)
    own = run("openssl", "pkey", "-in", private, "-pubout", home=tmp_path).stdout
    blob = encrypt(kms, key(DECRYPTS), b"secret")
    wrapped = decrypt(kms, blob, EncryptionPublicKey=own, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    (tmp_path / "wrapped").write_bytes(wrapped)
    padding = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
    command = ["openssl", "pkeyutl", "-decrypt", "-inkey", private, *padding, "-in", tmp_path / "wrapped"]
    assert run(*command, home=tmp_path).stdout == "secret"


def test_another_implementation_verifies_what_is_signed(kms, key):
    id, other = key(SIGNS), key(SIGNS)
    verifier, stranger = public(kms, id), public(kms, other)
    assert isinstance(verifier, MLDSA87PublicKey)
    for message in (b"", b"what is signed", bytes(4096)):
        signature = kms("PostQuantumCryptoSign", KeyId=id, Message=text(message)).Signature
        raw = base64.b64decode(signature)
        assert len(raw) == 4627
        verifier.verify(raw, message)
        with pytest.raises(InvalidSignature):
            stranger.verify(raw, message)
        ask = {"SignatureValue": signature, "Message": text(message)}
        assert kms("PostQuantumCryptoVerify", KeyId=id, **ask).SignatureValid is True
        assert kms("PostQuantumCryptoVerify", KeyId=other, **ask).SignatureValid is False
        assert kms("PostQuantumCryptoVerify", KeyId=id, **ask | {"Message": text(b"another")}).SignatureValid is False


def test_ciphertexts_that_are_none_are_refused(kms, key, refusal):
    id, other = key(DECRYPTS), key(DECRYPTS)
    blob, foreign = (base64.b64decode(encrypt(kms, of, b"text")) for of in (id, other))
    for wrong in (blob[:-1], blob[:17] + foreign[17:], b"\x01" + blob[1:], blob[:-1] + bytes([blob[-1] ^ 1]), b""):
        assert refusal(decrypt, kms, text(wrong)).code == "InvalidParameterValue.InvalidCiphertext"
    unknown = blob[:1] + bytes(16) + blob[17:]
    assert refusal(decrypt, kms, text(unknown)).code == "ResourceUnavailable.CmkNotFound"
    assert refusal(decrypt, kms, text(blob), EncryptionPublicKey="no key").code == "InvalidParameter"
    kms("DisableKey", KeyId=id)
    assert refusal(decrypt, kms, text(blob)).code == "ResourceUnavailable.CmkDisabled"


@pytest.mark.parametrize("action", ["PostQuantumCryptoEncrypt", "PostQuantumCryptoSign", "PostQuantumCryptoVerify"])
def test_keys_of_another_usage_and_texts_too_long_are_refused(kms, key, refusal, action):
    own, other = (DECRYPTS, SIGNS) if action.endswith("Encrypt") else (SIGNS, DECRYPTS)
    parameters = {
        "PostQuantumCryptoEncrypt": lambda content: {"PlainText": text(content)},
        "PostQuantumCryptoSign": lambda content: {"Message": text(content)},
        "PostQuantumCryptoVerify": lambda content: {"Message": text(content), "SignatureValue": text(bytes(4627))},
    }[action]
    long = "InvalidParameterValue.InvalidPlaintext" if action.endswith("Encrypt") else "InvalidParameter"
    for id, content, code in (
        (key(own), bytes(4097), long),
        (key(other), b"text", "InvalidParameterValue.InvalidKeyUsage"),
        (ABSENT, b"text", "ResourceUnavailable.CmkNotFound"),
    ):
        assert refusal(kms, action, KeyId=id, **parameters(content)).code == code


def test_the_usages_are_listed(kms):
    answer = kms("ListAlgorithms")
    assert (DECRYPTS, "ML_KEM_1024") in [(pair.KeyUsage, pair.Algorithm) for pair in answer.AsymmetricAlgorithms]
    assert (SIGNS, "ML_DSA_87") in [(pair.KeyUsage, pair.Algorithm) for pair in answer.AsymmetricSignVerifyAlgorithms]
