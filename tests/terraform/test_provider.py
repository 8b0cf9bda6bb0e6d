"""What the provider makes of answers that are not a plain yes, and of a cloud that somebody else changes, too."""

import json

import pytest

import evidence
from requester import Api
from test_configurations import missing
from workspace import Failed

IDENTITY = 'data "tencentcloud_sts_caller_identity" "me" {}\n'

# Data sources of products that Rookery has little of, and the action that they begin with.
UNKNOWN = {
    "tencentcloud_availability_zones": ("cvm", "DescribeZones"),
    "tencentcloud_cam_saml_providers": ("cam", "ListSAMLProviders"),
    "tencentcloud_mariadb_sale_info": ("mariadb", "DescribeSaleInfo"),
}

ROLE = """
provider "tencentcloud" {
  assume_role {
    role_arn         = "qcs::cam::uin/%s:roleName/deployer"
    session_name     = "terraform"
    session_duration = 3600
  }
}
"""

CONTENTS = """
resource "tencentcloud_tcr_namespace" "library" {
  instance_id = "%(demo)s"
  name        = "library"
}

resource "tencentcloud_tcr_repository" "app" {
  instance_id    = "%(demo)s"
  namespace_name = tencentcloud_tcr_namespace.library.name
  name           = "app"
  brief_desc     = "declared"
  description    = "declared at more length"
}

resource "tencentcloud_tcr_token" "ci" {
  instance_id = "%(demo)s"
  description = "continuous integration"
}
"""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"TENCENTCLOUD_SECRET_KEY": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"TENCENTCLOUD_SECRET_ID": "AKIDnobody0000000000000000000000000"}, "AuthFailure.SecretIdNotFound"),
        ({"TENCENTCLOUD_SECURITY_TOKEN": "made up"}, "AuthFailure.TokenFailure"),
        ({"TENCENTCLOUD_REGION": "ap-nowhere"}, None),
    ],
)
def test_keys_that_are_wrong_are_told_to_the_user(cloud, terraform, change, code):
    workspace = terraform(cloud, **change)
    workspace.write(IDENTITY)
    if code is None:  # STS has no region
        workspace.apply()
        return
    with pytest.raises(Failed, match=f"Code={code}"):
        workspace.apply()


def test_an_action_that_is_not_there_is_told_at_once(start, terraform):
    cloud = start()
    implemented = {(action["product"], action["action"]) for action in evidence.read(cloud, "actions") if action["implemented"]}
    source, action = next((source, action) for source, action in UNKNOWN.items() if action not in implemented)
    workspace = terraform(cloud)
    workspace.write(f'data "{source}" "any" {{}}\n')
    with pytest.raises(Failed, match="Code=UnsupportedOperation"):
        workspace.apply()
    asked = [record for record in evidence.read(cloud, "traces/all") if (record["product"], record["action"]) == action]
    # Some types ask a second time before they give up; what they take for a passing fault they would repeat for a minute.
    assert 1 <= len(asked) <= 2


@pytest.mark.parametrize("ours", [True, False])
def test_the_account_may_be_pinned(cloud, api, terraform, ours):
    account = api.call("sts", "GetCallerIdentity")["AccountId"] if ours else "100000000001"
    workspace = terraform(cloud)
    workspace.write(f'provider "tencentcloud" {{\n  allowed_account_ids = ["{account}"]\n}}\n\n{IDENTITY}')
    if ours:
        workspace.apply()
    else:
        with pytest.raises(Failed, match="100000000001|allowed"):
            workspace.apply()


def test_a_role_may_be_assumed(start, terraform):
    cloud = start()
    gaps = missing(cloud, "# cam: CreateRole\n# sts: AssumeRole")
    if gaps:
        pytest.skip(f"not implemented: {', '.join(gaps)}")
    account = Api(cloud).call("sts", "GetCallerIdentity")["AccountId"]
    statement = {"action": "name/sts:AssumeRole", "effect": "allow", "principal": {"qcs": [f"qcs::cam::uin/{account}:root"]}}
    trust = json.dumps({"version": "2.0", "statement": [statement]})
    cloud.rookery("call", "cam", "CreateRole", "--RoleName", "deployer", "--PolicyDocument", trust)
    workspace = terraform(cloud)
    workspace.write(ROLE % account + IDENTITY + 'output "arn" {\n  value = data.tencentcloud_sts_caller_identity.me.arn\n}\n')
    workspace.apply()
    assert ":assumed-role/" in workspace.outputs()["arn"]


def test_what_somebody_else_changed_is_seen_and_put_right(house, terraform):
    workspace = terraform(house.cloud)
    workspace.write(CONTENTS % {"demo": house.demo})
    workspace.apply()
    api = house.api
    place = {"RegistryId": house.demo, "NamespaceName": "library"}
    api.call("tcr", "ModifyRepository", **place, RepositoryName="app", BriefDescription="changed", Description="changed, too")
    (token,) = [one for one in tokens(api, house.demo) if one["Desc"] == "continuous integration"]
    api.call("tcr", "DeleteInstanceToken", RegistryId=house.demo, TokenId=token["Id"])
    assert actions(workspace) == {"tencentcloud_tcr_repository.app": ["update"], "tencentcloud_tcr_token.ci": ["create"]}
    workspace.apply()
    workspace.assert_settled()
    api.call("tcr", "DeleteRepository", **place, RepositoryName="app")
    api.call("tcr", "DeleteNamespace", **place)
    assert actions(workspace) == {"tencentcloud_tcr_namespace.library": ["create"], "tencentcloud_tcr_repository.app": ["create"]}
    workspace.apply()
    workspace.assert_settled()


def test_what_is_there_is_taken_over(house, terraform):
    first, second = terraform(house.cloud), terraform(house.cloud)
    for workspace in (first, second):
        workspace.write(CONTENTS % {"demo": house.demo})
    first.apply()
    (token,) = [one for one in tokens(house.api, house.demo) if one["Desc"] == "continuous integration"]
    second("import", "tencentcloud_tcr_namespace.library", f"{house.demo}#library")
    second("import", "tencentcloud_tcr_repository.app", f"{house.demo}#library#app")
    second("import", "tencentcloud_tcr_token.ci", f"{house.demo}#{token['Id']}")
    second.assert_settled()


def tokens(api, registry):
    return api.call("tcr", "DescribeInstanceToken", RegistryId=registry)["Tokens"]


def actions(workspace):
    return {address: change["actions"] for address, change in workspace.plan().items()}
