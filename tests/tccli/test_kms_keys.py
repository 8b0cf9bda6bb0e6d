"""The keys that sign: what they sign verifies with openssl, and what is disabled signs nothing."""

import base64
import hashlib
import re

import pytest

from tencent import Tccli
from tools import run

MESSAGE = b"what is signed"

# How openssl verifies what an algorithm of the key service signs.
OPENSSL = {
    "RSA_PKCS1_SHA_256": ["-pkeyopt", "rsa_padding_mode:pkcs1"],
    "RSA_PSS_SHA_256": ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"],
    "ECC_P256_R1": [],
}
ALGORITHMS = [
    ("ASYMMETRIC_SIGN_VERIFY_RSA_2048", "RSA_PKCS1_SHA_256"),
    ("ASYMMETRIC_SIGN_VERIFY_RSA_2048", "RSA_PSS_SHA_256"),
    ("ASYMMETRIC_SIGN_VERIFY_ECC", "ECC_P256_R1"),
]


def text(content):
    return base64.b64encode(content).decode()


def verified(directory, key, algorithm, message, signature):
    """openssl's verdict over the digest of a message."""
    for name, content in (("key.pem", key.public.encode()), ("digest", hashlib.sha256(message).digest()), ("sig", signature)):
        (directory / name).write_bytes(content)
    ended = run(
        *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", directory / "key.pem", "-pkeyopt", "digest:sha256"),
        *OPENSSL[algorithm],
        *("-in", directory / "digest", "-sigfile", directory / "sig"),
        home=directory,
        check=False,
    )
    assert (ended.returncode == 0) == ("Verified Successfully" in ended.stdout), ended.stdout + ended.stderr
    return ended.returncode == 0


@pytest.mark.parametrize(("usage", "algorithm"), ALGORITHMS, ids=[algorithm for _, algorithm in ALGORITHMS])
def test_what_a_key_signs_verifies(story, tmp_path, usage, algorithm):
    key, other = story.key(usage), story.key(usage)
    ask = {"KeyId": key.id, "Algorithm": algorithm}
    raw = {"Message": text(MESSAGE), "MessageType": "RAW"}
    digest = {"Message": text(hashlib.sha256(MESSAGE).digest()), "MessageType": "DIGEST"}
    for form in (raw, digest):
        signature = story.tccli("kms", "SignByAsymmetricKey", **ask, **form)["Signature"]
        assert verified(tmp_path, key, algorithm, MESSAGE, base64.b64decode(signature))
        assert not verified(tmp_path, other, algorithm, MESSAGE, base64.b64decode(signature))
        assert not verified(tmp_path, key, algorithm, MESSAGE + b"!", base64.b64decode(signature))
        # The service agrees, of the message and of its digest.
        for same in (raw, digest):
            told = story.tccli("kms", "VerifyByAsymmetricKey", **ask, **same, SignatureValue=signature)
            assert told["SignatureValid"] is True
        wrong = raw | {"Message": text(MESSAGE + b"!")}
        told = story.tccli("kms", "VerifyByAsymmetricKey", **ask, **wrong, SignatureValue=signature)
        assert told["SignatureValid"] is False


def test_the_public_key_is_the_same_in_both_forms(story):
    told = story.tccli("kms", "GetPublicKey", KeyId=story.key().id)
    assert told["PublicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----\n")
    assert told["PublicKeyPem"].endswith("-----END PUBLIC KEY-----\n")
    body = "".join(told["PublicKeyPem"].splitlines()[1:-1])
    assert base64.b64decode(body) == base64.b64decode(told["PublicKey"])


def test_a_key_is_described(story):
    made = story.tccli("kms", "CreateKey", Alias=story.unique("told"), KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048")
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["KeyId"])
    told = story.tccli("kms", "DescribeKey", KeyId=made["KeyId"])["KeyMetadata"]
    assert (told["Alias"], told["KeyState"], told["Origin"]) == (made["Alias"], "Enabled", "TENCENT_KMS")
    assert told["KeyUsage"] == "ASYMMETRIC_SIGN_VERIFY_RSA_2048"
    owner = story.tccli("sts", "GetCallerIdentity")["AccountId"]
    assert told["ResourceId"] == f"creatorUin/{owner}/{made['KeyId']}"


def test_a_disabled_key_signs_nothing_until_it_is_enabled(story, refused):
    key = story.key()
    sign = lambda: story.tccli(
        "kms", "SignByAsymmetricKey", KeyId=key.id, Algorithm="RSA_PKCS1_SHA_256", Message=text(MESSAGE), MessageType="RAW"
    )
    story.tccli("kms", "DisableKey", KeyId=key.id)
    assert story.tccli("kms", "DescribeKey", KeyId=key.id)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused(sign).code == "ResourceUnavailable.CmkDisabled"
    story.tccli("kms", "EnableKey", KeyId=key.id)
    assert sign()["Signature"]


def test_an_unknown_key_is_not_found(story, refused):
    unknown = "08408a30-0416-11ed-abdc-52540036b432"
    assert refused(story.tccli, "kms", "DescribeKey", KeyId=unknown).code == "ResourceUnavailable.CmkNotFound"
    assert refused(story.tccli, "kms", "GetPublicKey", KeyId=unknown).code == "ResourceUnavailable.CmkNotFound"


def test_a_key_belongs_to_its_region(story, refused):
    elsewhere = Tccli(story.cloud, story.home, region="ap-shanghai")
    assert refused(elsewhere, "kms", "DescribeKey", KeyId=story.key().id).code == "ResourceUnavailable.CmkNotFound"


def test_an_alias_is_given_once(story, refused):
    alias = story.unique("once")
    make = lambda: story.tccli("kms", "CreateKey", Alias=alias, KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048")
    make()
    assert refused(make).code == "InvalidParameterValue.AliasAlreadyExists"


@pytest.mark.parametrize("alias", ["kms-reserved", "_x", "a b", "x" * 61])
def test_an_alias_obeys_its_grammar(story, refused, alias):
    error = refused(story.tccli, "kms", "CreateKey", Alias=alias, KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048")
    assert error.code == "InvalidParameterValue.InvalidAlias"


def test_a_usage_that_does_not_exist_is_refused(story, refused):
    error = refused(story.tccli, "kms", "CreateKey", Alias=story.unique("odd"), KeyUsage="SIGN_EVERYTHING")
    assert error.code == "InvalidParameterValue.InvalidKeyUsage"


def test_every_usage_that_the_region_lists_makes_a_key(story):
    told = story.tccli("kms", "ListAlgorithms")
    usages = {row["KeyUsage"] for rows in told.values() if isinstance(rows, list) for row in rows}
    assert {"ENCRYPT_DECRYPT", "ASYMMETRIC_DECRYPT_RSA_2048", "ASYMMETRIC_SIGN_VERIFY_SM2"} <= usages
    for usage in sorted(usages):
        made = story.tccli("kms", "CreateKey", Alias=story.unique("usage"), KeyUsage=usage)
        assert (made["KeyUsage"], made["KeyState"]) == (usage, "Enabled")
