"""`rookery state rekey`: every secret under another master key, also where the command is killed on its way."""

import base64
import os
import subprocess
from contextlib import suppress
from dataclasses import replace

import pytest

import images
from cloud import BINARY, clean_environment, eventually
from distribution import Login, Registry
from requester import Api

TEXT = base64.b64encode(b"text").decode()


class Secrets:
    """A stopped cloud that keeps a secret of each product: the root's key, a key that signs, the key of an instance's tokens."""

    def __init__(self, cloud):
        self.cloud = cloud
        api = Api(cloud)
        self.root = (cloud.secret_id, cloud.secret_key)
        self.key = api.call("kms", "CreateKey", Alias="release", KeyUsage="ASYMMETRIC_SIGN_VERIFY_ECC")["KeyId"]
        self.instance = api.call("tcr", "CreateInstance", RegistryName="sealed", RegistryType="basic")["RegistryId"]
        status = lambda: api.call("tcr", "DescribeInstances")["Registries"][0]["Status"]
        eventually("the instance runs", lambda: status() == "Running")
        token = api.call("tcr", "CreateInstanceToken", RegistryId=self.instance, TokenType="longterm")
        self.login = Login(cloud.registry, token["Username"], token["Token"])
        api.call("tcr", "CreateNamespace", RegistryId=self.instance, NamespaceName="library", IsPublic=False)
        self.repository(cloud).put_blob(b"content")
        self.signature = self.sign()
        symmetric = api.call("kms", "CreateKey", Alias="data")["KeyId"]
        self.blob = api.call("kms", "Encrypt", KeyId=symmetric, Plaintext=TEXT)["CiphertextBlob"]
        self.white_box = api.call("kms", "CreateWhiteBoxKey", Alias="boxed", Algorithm="SM4")
        hosted = {"KeyId": symmetric, "KeySpec": "AES_256", "IsHostedByKms": 1, "DataKeyName": "hosted"}
        self.data_key = api.call("kms", "GenerateDataKey", **hosted)
        post_quantum = api.call("kms", "CreateKey", Alias="pq", KeyUsage="ASYMMETRIC_DECRYPT_ML_KEM_1024")["KeyId"]
        self.post_quantum = api.call("kms", "PostQuantumCryptoEncrypt", KeyId=post_quantum, PlainText=TEXT)["CiphertextBlob"]
        cloud.stop()

    def repository(self, cloud):
        return Registry(replace(self.login, host=cloud.registry)).repository("sealed/library/app")

    def sign(self):
        arguments = {"KeyId": self.key, "Algorithm": "ECC_P256_R1", "Message": TEXT}
        return Api(self.cloud).call("kms", "SignByAsymmetricKey", **arguments)["Signature"]

    def open(self):
        """Starts the cloud and uses each secret; stops it again."""
        self.cloud.start()
        assert (self.cloud.secret_id, self.cloud.secret_key) == self.root
        arguments = {"KeyId": self.key, "Algorithm": "ECC_P256_R1", "Message": TEXT}
        for signature in (self.signature, self.sign()):
            valid = Api(self.cloud).call("kms", "VerifyByAsymmetricKey", SignatureValue=signature, **arguments)
            assert valid["SignatureValid"]
        api = Api(self.cloud)
        assert api.call("kms", "Decrypt", CiphertextBlob=self.blob)["Plaintext"] == TEXT
        assert api.call("kms", "PostQuantumCryptoDecrypt", CiphertextBlob=self.post_quantum)["PlainText"] == TEXT
        data_key = api.call("kms", "GetDataKeyPlaintext", DataKeyId=self.data_key["DataKeyId"])
        assert data_key["Plaintext"] == self.data_key["Plaintext"]
        white_box = api.call("kms", "DescribeWhiteBoxDecryptKey", KeyId=self.white_box["KeyId"])
        assert white_box["DecryptKey"] == self.white_box["DecryptKey"]
        assert self.repository(self.cloud).get(f"blobs/{images.digest(b'content')}").body == b"content"
        self.cloud.stop()

    def master_key(self):
        return (self.cloud.data / "master.key").read_bytes()

    def refused(self, **environment):
        """What `rookery serve` says where it does not start."""
        command = [BINARY, "serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--data", self.cloud.data]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment(**environment))
        assert ended.returncode != 0
        return ended.stderr


@pytest.fixture
def secrets(start):
    return Secrets(start())


def test_everything_opens_with_the_new_key_and_nothing_with_the_old_one(secrets):
    old = secrets.master_key()
    said = secrets.cloud.rookery("state", "rekey").stderr
    assert "sealed values are under the master key" in said and "master.key" in said
    new = secrets.master_key()
    assert new != old and len(new) == 32
    assert not (secrets.cloud.data / "master.key.next").exists()
    secrets.open()
    (secrets.cloud.data / "master.key").write_bytes(old)
    assert "master key" in secrets.refused()
    (secrets.cloud.data / "master.key").write_bytes(new)
    secrets.open()


def test_the_key_can_move_out_of_the_directory_and_back(secrets):
    new = base64.b64encode(os.urandom(32)).decode()
    said = secrets.cloud.rookery("state", "rekey", ROOKERY_NEW_MASTER_KEY=new).stderr
    assert "ROOKERY_MASTER_KEY" in said
    assert not (secrets.cloud.data / "master.key").exists()
    assert "there is none" in secrets.refused()
    assert "is the key" in secrets.refused(ROOKERY_MASTER_KEY=base64.b64encode(bytes(32)).decode())
    assert not (secrets.cloud.data / "master.key").exists()
    secrets.cloud.environment["ROOKERY_MASTER_KEY"] = new
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets.cloud, "rookery", with_key(secrets.cloud, new))
        secrets.open()
    again = secrets.cloud.rookery("state", "rekey", check=False, ROOKERY_MASTER_KEY=new, ROOKERY_NEW_MASTER_KEY=new)
    assert again.returncode != 0 and "already" in again.stderr
    secrets.cloud.rookery("state", "rekey", ROOKERY_MASTER_KEY=new)
    del secrets.cloud.environment["ROOKERY_MASTER_KEY"]
    assert len(secrets.master_key()) == 32
    secrets.open()


def with_key(cloud, key):
    plain = cloud.rookery
    return lambda *arguments, **options: plain(*arguments, ROOKERY_MASTER_KEY=key, **options)


def test_a_key_that_is_none_and_a_directory_in_use_are_refused(secrets):
    ended = secrets.cloud.rookery("state", "rekey", check=False, ROOKERY_NEW_MASTER_KEY="c2hvcnQ=")
    assert ended.returncode != 0 and "32 bytes" in ended.stderr
    secrets.cloud.start()
    old = secrets.master_key()
    assert secrets.cloud.rookery("state", "rekey", check=False).returncode != 0
    assert secrets.master_key() == old
    secrets.cloud.stop()


def test_a_command_that_is_killed_leaves_a_state_that_opens(secrets):
    command = [BINARY, "state", "--data", secrets.cloud.data, "rekey"]
    for milliseconds in (1, 3, 5, 8, 12, 20):
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, **silent, env=clean_environment())
        with suppress(subprocess.TimeoutExpired):
            process.wait(milliseconds / 1000)
        process.kill()
        process.wait()
        secrets.open()
        assert not (secrets.cloud.data / "master.key.next").exists()
