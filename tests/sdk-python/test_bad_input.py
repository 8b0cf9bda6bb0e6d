"""What goes wrong with keys, policies and tokens has a documented error each, and leaks nothing: not in messages, traces or the log."""

import base64
import json
import threading
import urllib.request

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.kms.v20190118.kms_client import KmsClient
from tencentcloud.sts.v20180813.sts_client import StsClient

import organisation
import sdk
from cloud import eventually
from padding import PADDINGS
from tools import run
from typed import Typed

ECC = "ASYMMETRIC_SIGN_VERIFY_ECC"
RSA = "ASYMMETRIC_DECRYPT_RSA_2048"


def text(content):
    return base64.b64encode(content).decode()


class House:
    """A cloud of one's own, whose calls keep count of what must be found nowhere."""

    def __init__(self, cloud):
        self.cloud, self.secrets, self.messages = cloud, set(), []
        self.cam = organisation.cam(cloud)
        self.kms = Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))
        self.sts = self.as_holder()
        self.owner = self.cam("GetUserAppId").OwnerUin

    def as_holder(self, *key):
        credential = Credential(*key) if key else sdk.credential(self.cloud)
        return Typed(StsClient(credential, "ap-guangzhou", sdk.profile(self.cloud)))

    def secret(self, value):
        self.secrets.add(value)
        return value

    def code(self, call, *arguments, **more):
        """The code of a refusal, whose words are kept."""
        with pytest.raises(TencentCloudSDKException) as caught:
            call(*arguments, **more)
        self.messages.append(caught.value.message)
        return caught.value.code

    def refuses(self, action, code, **parameters):
        assert self.code(self.kms, action, **parameters) == code, (action, parameters)

    def tells_no_secret(self):
        assert self.secrets
        with urllib.request.urlopen(f"{self.cloud.endpoints['http']}/_rookery/traces/all") as reply:
            traces = reply.read().decode()
        # Line ends are escaped in JSON, so each line of a text counts for itself.
        lines = {line for secret in self.secrets for line in secret.splitlines() if len(line) > 3 and "-----" not in line}
        for place, told in (("messages", "\n".join(self.messages)), ("traces", traces), ("the log", self.cloud.logged())):
            for line in lines:
                found = line in told
                assert not found, f"{place} tell a secret"


@pytest.fixture
def house(start):
    house = House(start())
    yield house
    house.tells_no_secret()


@pytest.fixture
def openssl(tmp_path):
    """Runs openssl with files of those contents; gives what it wrote to `@out`."""

    def openssl(*arguments, **files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        placed = [tmp_path / argument[1:] if argument.startswith("@") else argument for argument in arguments]
        run("openssl", *placed, home=tmp_path)
        return (tmp_path / "out").read_bytes()

    return openssl


def test_a_key_that_nothing_can_be_wrapped_for(house, openssl):
    id = house.kms("CreateKey", Alias="data").KeyId
    plaintext = house.secret(text(b"what nobody may read"))
    blob = house.kms("Encrypt", KeyId=id, Plaintext=plaintext).CiphertextBlob
    private = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "@out")
    public = openssl("pkey", "-in", "@private", "-pubout", "-out", "@out", private=private).decode()
    # Two of them, since a private key of a curve ends with its public one.
    elliptic, other = (openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "@out") for _ in range(2))
    lines = public.splitlines(keepends=True)
    malformed = {
        "no PEM": "x",
        "an empty frame": lines[0] + lines[-1],
        "no end": "".join(lines[:-1]),
        "a line less": "".join(lines[:2] + lines[3:]),
        "no Base64": lines[0] + "!!!!\n" + lines[-1],
        "a line of another": "".join([lines[0], lines[2], *lines[2:]]),
        # Handed over by mistake, so it must not lie about in a trace.
        "the private key": house.secret(private.decode()),
        "a private key of a curve": house.secret(elliptic.decode()),
        "a key of a curve": openssl("ec", "-in", "@private", "-pubout", "-out", "@out", private=other).decode(),
    }
    for what, pem in malformed.items():
        for action, more in (("Decrypt", {"CiphertextBlob": blob}), ("GenerateDataKey", {"KeyId": id, "NumberOfBytes": 16})):
            parameters = more | {"EncryptionPublicKey": pem, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
            assert house.code(house.kms, action, **parameters) == "InvalidParameter", what


def test_paddings_of_another_kind(house, openssl):
    id, other = (house.kms("CreateKey", Alias=alias, KeyUsage=RSA).KeyId for alias in ("one", "other"))
    public = house.kms("GetPublicKey", KeyId=id).PublicKeyPem.encode()
    content = b"what nobody may read"
    house.secret(text(content))
    for used, padding in PADDINGS.items():
        files = {"public": public, "text": content}
        asked = ("-encrypt", "-pubin", "-inkey", "@public", "-in", "@text", "-out", "@out")
        wrapped = text(openssl("pkeyutl", *asked, *padding, **files))
        asked = lambda algorithm, wrapped=wrapped, id=id: {"KeyId": id, "Ciphertext": wrapped, "Algorithm": algorithm}
        for algorithm in PADDINGS:
            if algorithm != used:
                house.refuses("AsymmetricRsaDecrypt", "FailedOperation.DecryptError", **asked(algorithm))
        house.refuses("AsymmetricRsaDecrypt", "FailedOperation.DecryptError", **asked(used, id=other))
        cut = text(base64.b64decode(wrapped)[:-1])
        house.refuses("AsymmetricRsaDecrypt", "FailedOperation.DecryptError", **asked(used, wrapped=cut))
        house.refuses("AsymmetricRsaDecrypt", "InvalidParameter", **asked(used, wrapped="!"))
        assert base64.b64decode(house.kms("AsymmetricRsaDecrypt", **asked(used)).Plaintext) == content


def test_ciphertexts_and_signatures_of_another_key_and_cut_ones(house):
    one, other = (house.kms("CreateKey", Alias=alias).KeyId for alias in ("one", "other"))
    plaintext = house.secret(text(b"what nobody may read"))
    blob, theirs = (base64.b64decode(house.kms("Encrypt", KeyId=id, Plaintext=plaintext).CiphertextBlob) for id in (one, other))
    # The first 17 bytes name the key.
    for swapped in (theirs[:17] + blob[17:], blob[:17] + theirs[17:], blob[:-1], blob + b"\0"):
        house.refuses("Decrypt", "FailedOperation.DecryptError", CiphertextBlob=text(swapped))
        house.refuses("ReEncrypt", "FailedOperation.DecryptError", CiphertextBlob=text(swapped), DestinationKeyId=other)
    for cut in (blob[:1], blob[:17], blob[:49]):
        house.refuses("Decrypt", "InvalidParameterValue.InvalidCiphertext", CiphertextBlob=text(cut))
        house.refuses("ReEncrypt", "InvalidParameterValue.InvalidCiphertext", CiphertextBlob=text(cut), DestinationKeyId=other)
    signers = [house.kms("CreateKey", Alias=alias, KeyUsage=ECC).KeyId for alias in ("signer", "forger")]
    ask = {"Algorithm": "ECC_P256_R1", "Message": text(b"message"), "MessageType": "RAW"}
    signature = house.kms("SignByAsymmetricKey", KeyId=signers[0], **ask).Signature
    valid = lambda id, signature: house.kms("VerifyByAsymmetricKey", KeyId=id, SignatureValue=signature, **ask).SignatureValid
    assert valid(signers[0], signature) is True
    assert valid(signers[1], signature) is False
    assert valid(signers[0], text(base64.b64decode(signature)[:-1])) is False


def test_policies_of_one_character_too_many(house):
    statement = {"effect": "allow", "action": "name/sts:AssumeRole", "principal": {"qcs": [f"qcs::cam::uin/{house.owner}:root"]}}
    trust = json.dumps({"version": "2.0", "statement": [statement]})
    plain = organisation.document(("allow", ["kms:*"]))
    padded = lambda document, length: document + " " * (length - len(document))
    policy = house.cam("CreatePolicy", PolicyName="longest", PolicyDocument=padded(plain, 6144)).PolicyId
    role = house.cam("CreateRole", RoleName="longest", PolicyDocument=padded(trust, 6144)).RoleId
    session = {"RoleArn": f"qcs::cam::uin/{house.owner}:roleName/longest", "RoleSessionName": "bad.input"}
    given = house.sts("AssumeRole", Policy=padded(plain, 1024), **session).Credentials
    house.secret(given.TmpSecretKey)
    house.secret(given.Token)
    too_long = "InvalidParameter.PolicyDocumentLengthOverLimit"
    for action, code, parameters in (
        ("CreatePolicy", too_long, {"PolicyName": "longer", "PolicyDocument": padded(plain, 6145)}),
        ("UpdatePolicy", too_long, {"PolicyId": policy, "PolicyDocument": padded(plain, 6145)}),
        ("CreatePolicyVersion", too_long, {"PolicyId": policy, "PolicyDocument": padded(plain, 6145), "SetAsDefault": True}),
        ("CreateRole", too_long, {"RoleName": "longer", "PolicyDocument": padded(trust, 6145)}),
        ("UpdateAssumeRolePolicy", too_long, {"RoleId": role, "PolicyDocument": padded(trust, 6145)}),
    ):
        assert house.code(house.cam, action, **parameters) == code, action
    assert house.code(house.sts, "AssumeRole", Policy=padded(plain, 6145), **session) == "InvalidParameter.PolicyTooLong"


def test_groups_make_no_cycles(house):
    """A group has users and nothing else, so none can come to be within itself."""
    one, other = (house.cam("CreateGroup", GroupName=name).GroupId for name in ("one", "other"))
    uin = house.cam("AddUser", Name="member").Uin
    for group, member in ((one, one), (one, other), (other, one)):
        for number in ("Uin", "Uid"):
            code = house.code(house.cam, "AddUserToGroup", Info=[{"GroupId": group, number: member}])
            assert code == "ResourceNotFound.UserNotExist"
    house.cam("AddUserToGroup", Info=[{"GroupId": one, "Uin": uin}])
    assert [user.Uin for user in house.cam("ListUsersForGroup", GroupId=one).UserInfo] == [uin]
    house.secret(house.cloud.secret_key)


def test_roles_that_trust_nobody_or_somebody_who_is_gone(house):
    for principal in ({}, {"qcs": []}, {"service": []}, {"qcs": [], "service": []}):
        code = house.code(house.cam, "CreateRole", RoleName="nobodys", PolicyDocument=organisation.trust(**principal))
        assert code == "InvalidParameter.PrincipalError", principal
    made = house.cam("AddUser", Name="alice", UseApi=1)
    key = made.SecretId, house.secret(made.SecretKey)
    name = f"qcs::cam::uin/{house.owner}:uin/{made.Uin}"
    house.cam("CreateRole", RoleName="alices", PolicyDocument=organisation.trust(qcs=[name]))
    assuming = organisation.document(("allow", ["sts:AssumeRole"]))
    may = house.cam("CreatePolicy", PolicyName="may", PolicyDocument=assuming).PolicyId
    house.cam("AttachUserPolicy", PolicyId=may, AttachUin=made.Uin)
    session = {"RoleArn": f"qcs::cam::uin/{house.owner}:roleName/alices", "RoleSessionName": "bad.input"}
    assert house.as_holder(*key)("AssumeRole", **session).Credentials.Token
    house.cam("DeleteUser", Name="alice", Force=1)
    # Who has the same name today is somebody else.
    again = house.cam("AddUser", Name="alice", UseApi=1)
    key = again.SecretId, house.secret(again.SecretKey)
    house.cam("AttachUserPolicy", PolicyId=may, AttachUin=again.Uin)
    assert house.code(house.as_holder(*key), "AssumeRole", **session).startswith("UnauthorizedOperation")


def test_what_a_deleted_users_keys_opened_is_shut_at_once(house):
    made = house.cam("AddUser", Name="leaver", UseApi=1)
    key = made.SecretId, house.secret(made.SecretKey)
    may = house.cam("CreatePolicy", PolicyName="all", PolicyDocument=organisation.document(("allow", ["*"]))).PolicyId
    house.cam("AttachUserPolicy", PolicyId=may, AttachUin=made.Uin)
    guest = house.as_holder(*key)("GetFederationToken", Name="guest", Policy=organisation.document(("allow", ["*"])))
    temporary = guest.Credentials.TmpSecretId, house.secret(guest.Credentials.TmpSecretKey), house.secret(guest.Credentials.Token)
    told, stop = [], threading.Event()

    def ask_on():
        own = house.as_holder(*key)
        while not stop.is_set():
            try:
                told.append(own("GetCallerIdentity").UserId)
            except TencentCloudSDKException as refused:
                told.append(refused.code)

    # Calls are under way while the user goes.
    asking = threading.Thread(target=ask_on)
    asking.start()
    eventually("answers", lambda: len(told) > 2)
    house.cam("DeleteUser", Name="leaver", Force=1)
    # One call may have arrived before the deletion; the one after it has not.
    before = len(told)
    eventually("the answer to a later call", lambda: len(told) > before + 1)
    stop.set()
    asking.join()
    served, gone = str(made.Uin), "AuthFailure.SecretIdNotFound"
    ended = next(at for at, answer in enumerate(told) if answer != served)
    # One whose signature was verified just before is refused for want of an identity.
    assert ended > 1 and told[ended] in (gone, "UnauthorizedOperation")
    assert set(told[ended + 1 :]) == {gone}
    assert house.code(house.as_holder(*key), "GetCallerIdentity") == gone
    assert house.code(house.as_holder(*temporary), "GetCallerIdentity") == "AuthFailure.TokenFailure"
