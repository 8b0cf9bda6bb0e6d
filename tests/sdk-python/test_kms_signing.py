"""Signatures beyond those of images, through the typed SDK: P-384 and SM2, each verified by openssl."""

import base64
import hashlib

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import sdk
from tools import run
from typed import Typed

MESSAGE = b"what is signed"
P384 = ("ASYMMETRIC_SIGN_VERIFY_ECDSA384", "ECC_P384_R1")
SM2 = ("ASYMMETRIC_SIGN_VERIFY_SM2", "SM2DSA")
# How openssl verifies a message; the identity is the one that GM/T 0009 gives to whoever has none.
OPENSSL = {P384: ["-sha384"], SM2: ["-sm3", "-sigopt", "distid:1234567812345678"]}

# The constants a and b, and the base point, of the curve of SM2 (GB/T 32918.5).
SM2_CURVE = bytes.fromhex(
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


@pytest.fixture
def key(kms, unique):
    return lambda usage: kms("CreateKey", Alias=unique("signer"), KeyUsage=usage).KeyId


def text(content):
    return base64.b64encode(content).decode()


def digest(kms, id, kind, message):
    """What is signed of a message: for SM2 the digest of the signer and the message together."""
    if kind == P384:
        return hashlib.sha384(message).digest()
    point = base64.b64decode(kms("GetPublicKey", KeyId=id).PublicKey)[-64:]
    identity = b"1234567812345678"
    signer = hashlib.new("sm3", (len(identity) * 8).to_bytes(2, "big") + identity + SM2_CURVE + point).digest()
    return hashlib.new("sm3", signer + message).digest()


@pytest.mark.parametrize("kind", OPENSSL, ids=["P-384", "SM2"])
def test_openssl_verifies_a_message_and_its_digest(kms, key, tmp_path, kind):
    usage, algorithm = kind
    id, other = key(usage), key(usage)
    (tmp_path / "message").write_bytes(MESSAGE)
    forms = ({"Message": text(MESSAGE)}, {"Message": text(digest(kms, id, kind, MESSAGE)), "MessageType": "DIGEST"})

    def verified(signer, signature):
        (tmp_path / "public").write_text(kms("GetPublicKey", KeyId=signer).PublicKeyPem)
        (tmp_path / "signature").write_bytes(base64.b64decode(signature))
        command = ["openssl", "dgst", *OPENSSL[kind], "-verify", tmp_path / "public", "-signature", tmp_path / "signature"]
        return run(*command, tmp_path / "message", home=tmp_path, check=False).returncode == 0

    for form in forms:
        signature = kms("SignByAsymmetricKey", KeyId=id, Algorithm=algorithm, **form).Signature
        assert verified(id, signature)
        assert not verified(other, signature)
        for asked in forms:
            told = kms("VerifyByAsymmetricKey", KeyId=id, Algorithm=algorithm, SignatureValue=signature, **asked)
            assert told.SignatureValid is True
        told = kms("VerifyByAsymmetricKey", KeyId=other, Algorithm=algorithm, SignatureValue=signature, **forms[0])
        assert told.SignatureValid is False


@pytest.mark.parametrize("kind", OPENSSL, ids=["P-384", "SM2"])
def test_digests_of_another_length_and_algorithms_of_other_keys_are_refused(kms, key, refusal, kind):
    usage, algorithm = kind
    id, length = key(usage), 48 if kind == P384 else 32
    ask = {"KeyId": id, "Algorithm": algorithm, "MessageType": "DIGEST"}
    for wrong in (0, 16, 31, 33, 47, 49, 64):
        assert refusal(kms, "SignByAsymmetricKey", Message=text(bytes(wrong)), **ask).code == "InvalidParameter"
    assert kms("SignByAsymmetricKey", Message=text(bytes(length)), **ask).Signature
    refused = refusal(kms, "SignByAsymmetricKey", KeyId=id, Algorithm="ECC_P256_R1", Message=text(MESSAGE))
    assert refused.code == "InvalidParameter"


def test_a_key_that_does_not_sign_says_so(kms, key, refusal):
    symmetric = key("ENCRYPT_DECRYPT")
    refused = refusal(kms, "SignByAsymmetricKey", KeyId=symmetric, Algorithm="ECC_P256_R1", Message=text(MESSAGE))
    assert refused.code == "InvalidParameter"
    assert refusal(kms, "GetPublicKey", KeyId=symmetric).code == "InvalidParameterValue.InvalidKeyUsage"
    signer = key("ASYMMETRIC_SIGN_VERIFY_ECC")
    assert refusal(kms, "Encrypt", KeyId=signer, Plaintext="AAAA").code == "InvalidParameterValue.InvalidKeyUsage"
    kms("ArchiveKey", KeyId=signer)
    refused = refusal(kms, "SignByAsymmetricKey", KeyId=signer, Algorithm="ECC_P256_R1", Message=text(MESSAGE))
    assert refused.code == "ResourceUnavailable.CmkStateNotSupport"
