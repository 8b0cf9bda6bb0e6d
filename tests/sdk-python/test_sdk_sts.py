"""Temporary keys through the typed SDK: roles, federation, tokens of others, and what they open in the API and in the registry."""

import base64
import hmac
import json
import re
import struct
import time
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.kms.v20190118.kms_client import KmsClient
from tencentcloud.sts.v20180813.sts_client import StsClient
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import evidence
import images
import organisation
import sdk
from cloud import eventually
from distribution import Login, Registry
from providers import Provider
from skopeo import Skopeo
from typed import Typed

DENIED = "UnauthorizedOperation"
TOKEN = "AuthFailure.TokenFailure"


@pytest.fixture
def holder(cloud):
    """Clients that sign with a key: `holder(StsClient, id, key, token)`; of the root without one."""

    def holder(kind, *key):
        credential = Credential(*key) if key else sdk.credential(cloud)
        return Typed(kind(credential, "ap-guangzhou", sdk.profile(cloud)))

    return holder


@pytest.fixture
def owner(cam):
    return cam("GetUserAppId").OwnerUin


@pytest.fixture
def staff(user):
    """A sub-user with a key: its number, its SecretId, its SecretKey."""

    def staff():
        made = user(UseApi=1)
        return made.Uin, made.SecretId, made.SecretKey

    return staff


@pytest.fixture
def session(holder, owner):
    """Assumes a role as the holder of a key: the temporary key."""

    def session(role, *key, **more):
        parameters = {"RoleArn": f"qcs::cam::uin/{owner}:roleName/{role}", "RoleSessionName": "tests.1"} | more
        told = holder(StsClient, *key)("AssumeRole", **parameters)
        assert told.ExpiredTime > time.time() - 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.Expiration)
        given = told.Credentials
        return given.TmpSecretId, given.TmpSecretKey, given.Token

    return session


def allowing(*actions, resource="*"):
    return organisation.document(("allow", list(actions), [resource]))


def test_a_role_acts_within_its_policy(cam, holder, owner, role, policy, session, refusal):
    id, name = role()
    cam("AttachRolePolicy", PolicyId=policy(("allow", ["tcr:Describe*"])), AttachRoleId=id)
    key = session(name)
    assert key[0].startswith("AKID") and len(key[2]) <= 4096
    told = holder(StsClient, *key)("GetCallerIdentity")
    assert (told.Type, told.Arn) == ("CAMRole", f"qcs::sts:{owner}:assumed-role/{id}")
    assert (told.UserId, told.AccountId) == (f"{id}:tests.1", str(owner))
    tcr = holder(TcrClient, *key)
    tcr("DescribeInstances")
    refused = refusal(tcr, "CreateInstance", RegistryName="never-made", RegistryType="basic")
    assert refused.code == DENIED
    assert "you are not authorized to perform operation (tcr:CreateInstance)\nresource (*) has no permission" in refused.message
    assert refusal(holder(KmsClient, *key), "ListKeys").code == DENIED


def test_a_session_policy_narrows_and_widens_nothing(cam, holder, role, policy, session, refusal):
    id, name = role()
    cam("AttachRolePolicy", PolicyId=policy(("allow", ["tcr:*"])), AttachRoleId=id)
    for text in (allowing("tcr:DescribeInstances", "kms:*"), quote(allowing("tcr:DescribeInstances", "kms:*"))):
        key = session(name, Policy=text)
        holder(TcrClient, *key)("DescribeInstances")
        assert refusal(holder(TcrClient, *key), "CheckInstanceName", RegistryName="some-name").code == DENIED
        assert refusal(holder(KmsClient, *key), "ListKeys").code == DENIED


def test_a_role_is_taken_by_whom_it_trusts(cam, holder, owner, role, staff, policy, session, refusal, unique):
    alice, bob = staff(), staff()
    statement = {
        "effect": "allow", "action": "name/sts:AssumeRole",
        "principal": {"qcs": [f"qcs::cam::uin/{owner}:uin/{alice[0]}"]},
        "condition": {"string_equal": {"sts:external_id": "shared-secret"}},
    }
    name = unique("trusting")
    role(RoleName=name, PolicyDocument=json.dumps({"version": "2.0", "statement": [statement]}), SessionDuration=3600)
    arn = f"qcs::cam::uin/{owner}:roleName/{name}"
    taking = lambda who, **more: refusal(session, name, *who[1:], **more).code
    # Trusted, and without a policy that lets it ask; then with one for this role only.
    assert taking(alice, ExternalId="shared-secret") == DENIED
    right = policy(("allow", ["sts:AssumeRole"], [arn]))
    for who in (alice, bob):
        cam("AttachUserPolicy", PolicyId=right, AttachUin=who[0])
    session(name, *alice[1:], ExternalId="shared-secret")
    assert taking(alice) == DENIED
    assert taking(alice, ExternalId="another") == DENIED
    assert taking(bob, ExternalId="shared-secret") == DENIED
    other = role()[1]
    assert refusal(session, other, *alice[1:]).code == DENIED
    # The limit of the role's own.
    told = refusal(session, name, *alice[1:], ExternalId="shared-secret", DurationSeconds=3601)
    assert told.code == "InvalidParameter.OverTimeError"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"RoleArn": "deploy"}, "InvalidParameter.ParamError"),
        ({"RoleArn": "qcs::cam::uin/1:roleName/none"}, "InternalError.GetRoleError"),
        ({"RoleSessionName": "with blanks"}, "InvalidParameter.ParamError"),
        ({"DurationSeconds": 43201}, "InvalidParameter.OverTimeError"),
        ({"Policy": "{}"}, "InvalidParameter.StrategyInvalid"),
        ({"Policy": "{"}, "InvalidParameter.StrategyFormatError"),
        ({"Policy": " " * 6145}, "InvalidParameter.PolicyTooLong"),
        ({"ExternalId": "?"}, "InvalidParameter.ParamError"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "InvalidParameter.ParamError"),
        ({"SerialNumber": "qcs::cam:uin/1::mfa/softToken", "TokenCode": "123456"}, "FailedOperation.CheckMFAError"),
    ],
    ids=str,
)
def test_what_a_request_for_a_role_cannot_be(role, session, refusal, change, code):
    assert refusal(session, role()[1], **change).code == code


def test_tokens_are_good_for_their_own_key_and_their_own_time(start, cloud, cam, holder, role, session, refusal):
    name = role()[1]
    one, other = session(name), session(name)
    who = lambda *key: refusal(holder(StsClient, *key), "GetCallerIdentity").code
    assert who(one[0], one[1], other[2]) == TOKEN
    altered = one[2][:-6] + ("A" if one[2][-6] != "A" else "B") + one[2][-5:]
    assert who(one[0], one[1], altered) == TOKEN
    assert who(one[0], one[1], "x") == TOKEN
    assert who(cloud.secret_id, cloud.secret_key, one[2]) == TOKEN
    assert who(one[0], one[1]) == "AuthFailure.SecretIdNotFound"
    assert who(one[0], other[1], one[2]) == "AuthFailure.SignatureFailure"
    # Before any parameter is looked at.
    assert refusal(holder(TcrClient, one[0], one[1], "x"), "DescribeInstances", Limit=-1).code == TOKEN
    another = start()
    foreign = StsClient(Credential(*one), "ap-guangzhou", sdk.profile(another))
    assert refusal(Typed(foreign), "GetCallerIdentity").code == TOKEN

    short = session(name, DurationSeconds=1)

    def ended():
        try:
            holder(StsClient, *short)("GetCallerIdentity")
        except TencentCloudSDKException as refused:
            return refused.code

    assert eventually("the end of a session of a second", ended) == TOKEN


@pytest.mark.parametrize(("sign", "method"), sdk.WAYS)
def test_a_token_goes_with_every_way_of_signing(cloud, role, session, refusal, sign, method):
    key = session(role()[1])
    client = lambda *key: Typed(StsClient(Credential(*key), "ap-guangzhou", sdk.profile(cloud, sign, method)))
    assert client(*key)("GetCallerIdentity").Type == "CAMRole"
    assert refusal(client(key[0], key[1], "x"), "GetCallerIdentity").code == TOKEN


def test_a_session_ends_with_its_role(cam, holder, role, session, refusal):
    id, name = role()
    key = session(name)
    holder(StsClient, *key)("GetCallerIdentity")
    cam("DeleteRole", RoleId=id)
    assert refusal(holder(StsClient, *key), "GetCallerIdentity").code == TOKEN
    assert refusal(session, name).code == "InternalError.GetRoleError"


def test_a_federated_user_has_the_rights_of_who_asked_cut_by_the_policy(cam, holder, owner, staff, policy, refusal):
    uin, *key = staff()
    cam("AttachUserPolicy", PolicyId=policy(("allow", ["tcr:*", "sts:GetFederationToken"])), AttachUin=uin)
    sts = holder(StsClient, *key)
    told = sts("GetFederationToken", Name="guest", Policy=quote(allowing("tcr:DescribeInstances", "kms:*")), DurationSeconds=129600)
    assert abs(told.ExpiredTime - time.time() - 129600) < 60 and told.Expiration.endswith("Z")
    guest = (told.Credentials.TmpSecretId, told.Credentials.TmpSecretKey, told.Credentials.Token)
    who = holder(StsClient, *guest)("GetCallerIdentity")
    assert (who.Arn, who.UserId) == (f"qcs::sts:{owner}:federated-user/{uin}", f"{uin}:guest")
    holder(TcrClient, *guest)("DescribeInstances")
    assert refusal(holder(TcrClient, *guest), "CheckInstanceName", RegistryName="some-name").code == DENIED
    assert refusal(holder(KmsClient, *guest), "ListKeys").code == DENIED
    # It cannot make more of itself, and ends with the key that it came from.
    root = holder(StsClient)("GetFederationToken", Name="guest", Policy=allowing("*")).Credentials
    temporary = holder(StsClient, root.TmpSecretId, root.TmpSecretKey, root.Token)
    assert refusal(temporary, "GetFederationToken", Name="more", Policy=allowing("*")).code == "FailedOperation.TempKeyNotAllowed"
    cam("UpdateAccessKey", AccessKeyId=key[0], Status="Inactive", TargetUin=uin)
    assert refusal(holder(StsClient, *guest), "GetCallerIdentity").code == TOKEN
    cam("UpdateAccessKey", AccessKeyId=key[0], Status="Active", TargetUin=uin)
    holder(StsClient, *guest)("GetCallerIdentity")
    cam("DeleteUser", Name=cam("DescribeSubAccounts", FilterSubAccountUin=[uin]).SubAccounts[0].Name, Force=1)
    assert refusal(holder(StsClient, *guest), "GetCallerIdentity").code == TOKEN


def test_a_federation_has_a_name_a_policy_and_an_end(holder, refusal):
    ask = holder(StsClient)
    for parameters, code in [
        ({"Name": "no blanks"}, "InvalidParameter.ParamError"),
        ({"Policy": "nothing"}, "InvalidParameter.StrategyFormatError"),
        ({"DurationSeconds": 7201}, "InvalidParameter.OverTimeError"),
    ]:
        assert refusal(ask, "GetFederationToken", **{"Name": "guest", "Policy": allowing("*")} | parameters).code == code


def test_keys_are_listed_without_their_secrets(cloud, cam, holder, staff, refusal):
    uin, *key = staff()
    root = holder(StsClient)
    assert cloud.secret_id in [row.SecretId for row in root("QueryApiKey").IdKeys]
    (row,) = root("QueryApiKey", TargetUin=uin).IdKeys
    assert (row.SecretId, row.Status) == (key[0], 2) and row.CreateTime > 0
    cam("UpdateAccessKey", AccessKeyId=key[0], Status="Inactive", TargetUin=uin)
    assert root("QueryApiKey", TargetUin=uin).IdKeys[0].Status == 3
    assert refusal(root, "QueryApiKey", TargetUin=7).code == "InvalidParameter.AccountNotAvaliable"


@pytest.fixture
def idp(tmp_path):
    return Provider(tmp_path / "idp")


@pytest.fixture
def unsigned(cloud):
    """A call that nobody signs, as the SDK's own providers of credentials send it."""

    def unsigned(action, **parameters):
        client = CommonClient("sts", "2018-08-13", None, "ap-guangzhou", sdk.profile(cloud))
        return client.call_json(action, parameters, options={"SkipSign": True})["Response"]

    return unsigned


def federated(owner, kind, name, action, **condition):
    provider = {"federated": [f"qcs::cam::uin/{owner}:{kind}/{name}"]}
    statement = {"effect": "allow", "action": f"name/sts:{action}", "principal": provider}
    return json.dumps({"version": "2.0", "statement": [statement | ({"condition": condition} if condition else {})]})


def test_an_oidc_token_opens_a_role(cam, holder, owner, role, unique, idp, unsigned, refusal, tmp_path):
    name, deploy = unique("oidc"), unique("deploy")
    cam("CreateOIDCConfig", IdentityUrl=idp.url, ClientId=["app"], Name=name, IdentityKey=idp.key_set())
    trusting = federated(owner, "oidc-provider", name, "AssumeRoleWithWebIdentity", string_equal={"oidc:sub": "ci"})
    id = role(RoleName=deploy, PolicyDocument=trusting)[0]
    ask = {"ProviderId": name, "RoleArn": f"qcs::cam::uin/{owner}:roleName/{deploy}", "RoleSessionName": "pipeline"}
    told = unsigned("AssumeRoleWithWebIdentity", **ask, WebIdentityToken=idp.token())
    given = told["Credentials"]
    who = holder(StsClient, given["TmpSecretId"], given["TmpSecretKey"], given["Token"])("GetCallerIdentity")
    assert who.UserId == f"{id}:pipeline"
    assert abs(told["ExpiredTime"] - time.time() - 7200) < 60
    for token in (
        idp.token(aud="another"),
        idp.token(iss="https://another.example.com"),
        idp.token(exp=1),
        idp.token(nbf=int(time.time()) + 3600),
        Provider(tmp_path / "another").token(),
        "no token",
    ):
        refused = refusal(unsigned, "AssumeRoleWithWebIdentity", **ask, WebIdentityToken=token)
        assert refused.code == "InvalidParameter.WebIdentityTokenError"
    assert refusal(unsigned, "AssumeRoleWithWebIdentity", **ask, WebIdentityToken=idp.token(sub="mallory")).code == DENIED
    other = ask | {"RoleArn": f"qcs::cam::uin/{owner}:roleName/{role()[1]}"}
    assert refusal(unsigned, "AssumeRoleWithWebIdentity", **other, WebIdentityToken=idp.token()).code == DENIED


def test_a_saml_assertion_opens_a_role(cam, holder, owner, role, unique, idp, unsigned, refusal, tmp_path):
    name, deploy = unique("saml"), unique("deploy")
    provider = cam("CreateSAMLProvider", Name=name, Description="tests", SAMLMetadataDocument=idp.metadata()).ProviderArn
    trusting = federated(owner, "saml-provider", name, "AssumeRoleWithSAML", string_equal={"saml:aud": "https://cloud.tencent.com"})
    id = role(RoleName=deploy, PolicyDocument=trusting)[0]
    ask = {"PrincipalArn": provider, "RoleArn": f"qcs::cam::uin/{owner}:roleName/{deploy}", "RoleSessionName": "console"}
    given = unsigned("AssumeRoleWithSAML", **ask, SAMLAssertion=idp.assertion())["Credentials"]
    who = holder(StsClient, given["TmpSecretId"], given["TmpSecretKey"], given["Token"])("GetCallerIdentity")
    assert who.UserId == f"{id}:console"
    for assertion in (idp.assertion(seconds=-1), Provider(tmp_path / "another").assertion(), "PGEvPg=="):
        refused = refusal(unsigned, "AssumeRoleWithSAML", **ask, SAMLAssertion=assertion)
        assert refused.code == "InvalidParameter.ParamError" and "assertion" in refused.message
    other = ask | {"RoleArn": f"qcs::cam::uin/{owner}:roleName/{role()[1]}"}
    assert refusal(unsigned, "AssumeRoleWithSAML", **other, SAMLAssertion=idp.assertion()).code == DENIED
    nowhere = ask | {"PrincipalArn": f"qcs::cam::uin/{owner}:saml-provider/none"}
    assert refusal(unsigned, "AssumeRoleWithSAML", **nowhere, SAMLAssertion=idp.assertion()).code == "InvalidParameter.ParamError"


def test_only_the_two_actions_go_unsigned(unsigned, refusal):
    assert refusal(unsigned, "GetCallerIdentity").code == "AuthFailure.InvalidAuthorization"


@pytest.fixture
def registry(holder, unique):
    """A premium instance with a namespace: its name, its id, the namespace."""
    tcr = holder(TcrClient)
    name = unique("rights")[:40]
    id = tcr("CreateInstance", RegistryName=name, RegistryType="premium").RegistryId
    running = lambda: tcr("DescribeInstanceStatus", RegistryIds=[id]).RegistryStatusSet[0].Status == "Running"
    eventually("the instance runs", running)
    tcr("CreateNamespace", RegistryId=id, NamespaceName="team", IsPublic=False)
    return name, id


def test_the_registry_refuses_what_policies_refuse(cloud, cam, holder, owner, staff, policy, role, session, registry, tmp_path):
    name, id = registry
    layout = images.single(tmp_path / "layout", "rights")
    root = holder(TcrClient)("CreateInstanceToken", RegistryId=id, TokenType="longterm", Desc="root")
    repository = lambda path: f"{name}/{path}"

    def login(told):
        return Skopeo(Login(cloud.registry, told.Username, told.Token), tmp_path)

    login(root).push(layout, f"{repository('team/open')}:1")
    login(root).push(layout, f"{repository('team/closed')}:1")
    uin, *key = staff()
    path = f"qcs::tcr:ap-guangzhou:uin/{owner}:repository/{id}/team"
    reading = policy(
        ("allow", ["tcr:CreateInstanceToken"], [f"qcs::tcr:::instance/{id}"]),
        ("allow", ["tcr:PullRepository"], [f"{path}/*"]),
        ("allow", ["tcr:PushRepository"], [f"{path}/open"]),
        ("deny", ["tcr:*"], [f"{path}/closed"]),
    )
    cam("AttachUserPolicy", PolicyId=reading, AttachUin=uin)
    told = holder(TcrClient, *key)("CreateInstanceToken", RegistryId=id, TokenType="longterm", Desc="user")
    assert told.Username == str(uin)
    user = login(told)
    assert user.raw_manifest(f"{repository('team/open')}:1") == layout.top
    user.push(layout, f"{repository('team/open')}:2")

    def refused(action, *arguments):
        with pytest.raises(AssertionError, match="(?i)denied|unauthorized|authentication required"):
            action(*arguments)
        return True

    assert refused(user.raw_manifest, f"{repository('team/closed')}:1")
    assert refused(user.push, layout, f"{repository('team/closed')}:2")
    assert refused(user.push, layout, f"{repository('team/third')}:1")

    # A role that may only pull, by a session that may only pull one of them: the same in the API and in the registry.
    role_id, role_name = role()
    cam("AttachRolePolicy", PolicyId=policy(("allow", ["tcr:PullRepository", "tcr:CreateInstanceToken"])), AttachRoleId=role_id)
    narrow = organisation.document(
        ("allow", ["tcr:CreateInstanceToken"], [f"qcs::tcr:::instance/{id}"]), ("allow", ["tcr:PullRepository"], [f"{path}/open"])
    )
    temporary = session(role_name, Policy=narrow)
    told = holder(TcrClient, *temporary)("CreateInstanceToken", RegistryId=id)
    pulling = login(told)
    assert pulling.raw_manifest(f"{repository('team/open')}:1") == layout.top
    assert refused(pulling.raw_manifest, f"{repository('team/closed')}:1")
    assert refused(pulling.push, layout, f"{repository('team/open')}:3")

    # What is taken away is gone at once, also for who holds a bearer token that says otherwise.
    held = Registry(Login(cloud.registry, user.login.username, user.login.password)).repository(repository("team/open"))
    assert held.get("manifests/1").status == 200
    cam("DetachUserPolicy", PolicyId=reading, DetachUin=uin)
    assert held.get("manifests/1").status == 401
    assert refused(user.raw_manifest, f"{repository('team/open')}:1")


def conditioned(effect, actions, condition, resource="*"):
    statement = {"effect": effect, "action": actions, "resource": resource, "condition": condition}
    return json.dumps({"version": "2.0", "statement": [statement]})


def test_conditions_see_the_tags_of_resources_requests_and_sessions(cam, holder, role, session, refusal, unique):
    tcr = holder(TcrClient)
    tags = lambda value: {"ResourceType": "instance", "Tags": [{"Key": "env", "Value": value}]}
    make = lambda value: tcr("CreateInstance", RegistryName=unique("tagged")[:40], RegistryType="basic", TagSpecification=tags(value))
    development, production = make("dev").RegistryId, make("prod").RegistryId
    id, name = role()
    attach = lambda text: cam("AttachRolePolicy", AttachRoleId=id, PolicyId=cam("CreatePolicy", PolicyName=unique("p"), PolicyDocument=text).PolicyId)
    attach(conditioned("allow", ["tcr:DescribeInstanceStatus"], {"for_any_value:string_equal": {"qcs:resource_tag": ["env&dev"]}}))
    attach(conditioned("allow", ["tcr:CreateInstance"], {"for_any_value:string_equal": {"qcs:request_tag": ["env&dev"]}}))
    attach(conditioned("allow", ["tcr:DescribeRegions"], {"for_any_value:string_equal": {"qcs:principal_tag": ["team&one"]}}))
    limited = holder(TcrClient, *session(name))
    limited("DescribeInstanceStatus", RegistryIds=[development])
    assert refusal(limited, "DescribeInstanceStatus", RegistryIds=[development, production]).code == DENIED
    assert refusal(limited, "CreateInstance", RegistryName=unique("x")[:40], RegistryType="basic").code == DENIED
    limited("CreateInstance", RegistryName=unique("made")[:40], RegistryType="basic", TagSpecification=tags("dev"))
    assert refusal(limited, "DescribeRegions").code == DENIED
    holder(TcrClient, *session(name, Tags=[{"Key": "team", "Value": "one"}]))("DescribeRegions")


def test_the_trace_names_the_statement_that_decided(cloud, cam, holder, role, policy, session, refusal):
    id, name = role()
    number = policy(("allow", ["tcr:Describe*"]), ("deny", ["tcr:DescribeRegions"]))
    cam("AttachRolePolicy", PolicyId=number, AttachRoleId=id)
    called = cam("GetPolicy", PolicyId=number).PolicyName
    tcr = holder(TcrClient, *session(name))
    allowed, refused = tcr("DescribeInstances").RequestId, refusal(tcr, "DescribeRegions").requestId
    for request, words in ((allowed, f"statement 0 of policy {called} allows"), (refused, f"statement 1 of policy {called} denies")):
        permission = evidence.read(cloud, f"traces/{request}")["permission"]
        assert permission["decision"] == words


@pytest.fixture
def device(cloud):
    """Binds a software token to an identity: its serial number, and what it shows so many steps from now."""

    def device(uin):
        request = urllib.request.Request(f"{cloud.endpoints['http']}/_rookery/mfa/{uin}", method="POST")
        with urllib.request.urlopen(request) as reply:
            bound = json.load(reply)
        seed = base64.b32decode(bound["secret"])
        assert bound["uri"] == f"otpauth://totp/rookery:{uin}?secret={bound['secret']}&issuer=rookery"

        def shown(ahead=0):
            tag = hmac.digest(seed, struct.pack(">Q", int(time.time()) // 30 + ahead), "sha1")
            (number,) = struct.unpack_from(">I", tag, tag[-1] & 15)
            return f"{(number & 0x7FFFFFFF) % 1000000:06}"

        return bound["serialNumber"], shown

    return device


def test_a_second_factor_opens_a_session(cam, holder, owner, staff, policy, role, session, refusal, device):
    uin, *key = staff()
    cam("AttachUserPolicy", PolicyId=policy(("allow", ["sts:*", "tcr:Describe*"])), AttachUin=uin)
    sts = holder(StsClient, *key)
    serial, shown = device(uin)
    assert serial == f"qcs::cam:uin/{owner}::mfa/softToken"
    code = shown()
    told = sts("GetSessionToken", SerialNumber=serial, TokenCode=code, DurationSeconds=129600)
    assert abs(told.ExpiredTime - time.time() - 129600) < 60 and told.Expiration
    given = told.Credentials
    temporary = (given.TmpSecretId, given.TmpSecretKey, given.Token)
    assert holder(StsClient, *temporary)("GetCallerIdentity").UserId == str(uin)
    holder(TcrClient, *temporary)("DescribeInstances")
    assert refusal(holder(KmsClient, *temporary), "ListKeys").code == DENIED
    again = {"SerialNumber": serial, "TokenCode": code}
    assert refusal(sts, "GetSessionToken", **again).code == "FailedOperation.CheckMFAError"
    for wrong, code in [
        ({"TokenCode": shown(5)}, "FailedOperation.CheckMFAError"),
        ({"SerialNumber": "qcs::cam:uin/1::mfa/softToken"}, "FailedOperation.CheckMFAError"),
        ({"SerialNumber": f"qcs::cam:uin/{owner}::mfa/hardToken"}, "FailedOperation.MFATypeNotSupported"),
        ({"SerialNumber": "mine"}, "FailedOperation.CheckMFAError"),
        ({"DurationSeconds": 129601}, "InvalidParameter.OverTimeError"),
    ]:
        assert refusal(sts, "GetSessionToken", **again | {"TokenCode": shown(1)} | wrong).code == code, wrong
    more = holder(StsClient, *temporary)
    assert refusal(more, "GetSessionToken", **again).code == "FailedOperation.TempKeyNotAllowed"
    # The same for a role; another one's code is none.
    name = role()[1]
    session(name, *key, SerialNumber=serial, TokenCode=shown(1))
    other = staff()
    cam("AttachUserPolicy", PolicyId=policy(("allow", ["sts:*"])), AttachUin=other[0])
    assert refusal(session, name, *other[1:], SerialNumber=serial, TokenCode=shown(1)).code == "FailedOperation.CheckMFAError"


def test_devices_are_bound_to_identities_only(cloud):
    for name in ("7", "somebody"):
        request = urllib.request.Request(f"{cloud.endpoints['http']}/_rookery/mfa/{name}", method="POST")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(request)
