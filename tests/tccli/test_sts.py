"""Roles on the command line: taken, used in the API and in the registry, and what their policies refuse."""

import json

import pytest

from distribution import Login
from tencent import Tccli

DENIED = "UnauthorizedOperation"


class AsSomebody(Tccli):
    """tccli with a temporary key, given as a user gives it: by the flags."""

    def __init__(self, cloud, home, credentials):
        super().__init__(cloud, home)
        self.key = ("--secretId", credentials["TmpSecretId"], "--secretKey", credentials["TmpSecretKey"], "--token", credentials["Token"])

    def __call__(self, product, action, *flags, **parameters):
        return super().__call__(product, action, *flags, *self.key, **parameters)


def document(**statement):
    return json.dumps({"version": "2.0", "statement": [{"effect": "allow", "resource": "*"} | statement]})


@pytest.fixture
def owner(story):
    return story.tccli("sts", "GetCallerIdentity")["AccountId"]


@pytest.fixture
def role(story, owner, unique):
    """A role that the account trusts, with a policy: its ARN."""

    def role(*actions):
        name = unique("role")
        trust = document(action="name/sts:AssumeRole", principal={"qcs": [f"qcs::cam::uin/{owner}:root"]})
        story.tccli("cam", "CreateRole", RoleName=name, PolicyDocument=trust)
        policy = story.tccli("cam", "CreatePolicy", PolicyName=unique("policy"), PolicyDocument=document(action=list(actions)))["PolicyId"]
        story.tccli("cam", "AttachRolePolicy", AttachRoleName=name, PolicyId=str(policy))
        return f"qcs::cam::uin/{owner}:roleName/{name}"

    return role


def test_a_role_reads_and_pulls_and_does_no_more(story, premium, cloud, home, role, layout, refused):
    namespace = story.namespace(premium.id)
    image = f"{premium.name}/{namespace}/app:1"
    story.skopeo(premium.login).push(layout, image)
    arn = role("tcr:Describe*", "tcr:PullRepository", "tcr:CreateInstanceToken")
    given = story.tccli("sts", "AssumeRole", RoleArn=arn, RoleSessionName="reader")
    assert given["ExpiredTime"] > 0 and given["Expiration"].endswith("Z")
    reader = AsSomebody(cloud, home, given["Credentials"])
    assert reader("sts", "GetCallerIdentity")["Type"] == "CAMRole"
    reader("tcr", "DescribeNamespaces", RegistryId=premium.id)
    assert refused(reader, "tcr", "CreateNamespace", RegistryId=premium.id, NamespaceName="mine", IsPublic=False).code == DENIED
    token = reader("tcr", "CreateInstanceToken", RegistryId=premium.id)
    pulling = story.skopeo(Login(cloud.registry, token["Username"], token["Token"]))
    assert pulling.raw_manifest(image) == layout.top
    assert pulling.push(layout, f"{premium.name}/{namespace}/other:1", check=False).returncode != 0
    assert refused(story.tccli, "sts", "AssumeRole", RoleArn=f"{arn}-gone", RoleSessionName="reader").code == "InternalError.GetRoleError"

