"""Who gets in: service accounts, everybody, addresses, hosts; and who no longer does."""

import http.client
import json
import ssl
import time

import pytest

import place as places
from distribution import Login, Registry, ask
from place import NOBODYS, refusal
from tools import run

PUSH, PULL, CREATE = "tcr:PushRepository", "tcr:PullRepository", "tcr:CreateRepository"
INVALID = "InvalidParameter"


@pytest.fixture
def apart(cloud, home, unique):
    """An instance whose endpoint one test may close."""
    return places.instance(cloud, home, unique)


def account(place, namespace, *actions, **more):
    """A new account: the reply, and its login."""
    permissions = [{"Resource": namespace, "Actions": list(actions)}]
    made = place("CreateServiceAccount", **{"Name": place.unique("ci"), "Permissions": permissions} | more)
    return made, Login(place.login.host, made.Name, made.Password)


def listed(place, name, **more):
    rows = place("DescribeServiceAccounts", Filters=[{"Name": "ServiceAccountName", "Values": [name]}], **more).ServiceAccounts
    return rows[0] if rows else None


# -- service accounts


def test_an_account_logs_in_with_its_rights(place, image, home):
    namespace, other, layout = place.namespace(), place.namespace(), image()
    made, login = account(place, namespace, PUSH, PULL, CREATE)
    assert made.Name.startswith("tcr$") and len(made.Password) == 32 and made.ExpiresAt == -1
    place.push(layout, f"{namespace}/app:1", login)
    assert place.skopeo(login).raw_manifest(f"{place.name}/{namespace}/app:1") == layout.top
    place.push(layout, f"{other}/app:1")
    assert place.push(layout, f"{other}/app:2", login, check=False).returncode != 0
    assert place.skopeo(login).inspect(f"{place.name}/{other}/app:1", check=False).returncode != 0
    # Docker asks for no repository when it logs in, so no instance is named: the password tells.
    assert place.skopeo(login).log_in().returncode == 0
    assert place.skopeo(Login(login.host, login.username, "wrong")).log_in().returncode != 0
    # Deleting is none of an account's rights.
    assert place.registry(f"{namespace}/app", login).delete(f"manifests/{layout.digest}").status in (401, 403)


def test_rights_are_as_narrow_as_they_say(place, image):
    namespace, layout = place.namespace(), image()
    place.push(layout, f"{namespace}/app:1")
    _, reader = account(place, namespace, PULL)
    assert place.skopeo(reader).raw_manifest(f"{place.name}/{namespace}/app:1") == layout.top
    assert place.push(layout, f"{namespace}/app:2", reader, check=False).returncode != 0
    _, writer = account(place, namespace, PUSH)
    place.push(layout, f"{namespace}/app:2", writer)
    refused = place.push(layout, f"{namespace}/new:1", writer, check=False)
    assert refused.returncode != 0 and "tcr:CreateRepository" in refused.stderr
    assert place.tags(namespace, "app") == ["1", "2"]


def test_crane_takes_an_account(place, image, tmp_path):
    namespace = place.namespace()
    _, login = account(place, namespace, PUSH, PULL, CREATE)
    layout = image()
    place.push(layout, f"{namespace}/app:1", login)
    run("crane", "auth", "login", login.host, "-u", login.username, "-p", login.password, "--insecure", home=tmp_path)
    ended = run("crane", "manifest", "--insecure", f"{login.host}/{place.name}/{namespace}/app:1", home=tmp_path)
    assert json.loads(ended.stdout) == json.loads(layout.top)


def test_accounts_are_listed_with_what_is_asked_for(place):
    namespace = place.namespace()
    made, _ = account(place, namespace, PULL, PUSH, Description="builds", Duration=2)
    row = listed(place, made.Name, EmbedPermission=False)
    assert (row.Name, row.Description, row.Disable, row.ExpiresAt, row.Permissions) == (made.Name, "builds", False, made.ExpiresAt, [])
    assert 1.9 < (made.ExpiresAt / 1000 - time.time()) / 86400 < 2.1
    # What is not said is asked for, as the provider of Terraform expects.
    for asked in ({}, {"EmbedPermission": True}):
        (permission,) = listed(place, made.Name.removeprefix("tcr$"), **asked).Permissions
        assert (permission.Resource, permission.Actions) == (namespace, [PULL, PUSH])
    total = place("DescribeServiceAccounts", Limit=1).TotalCount
    assert len(place("DescribeServiceAccounts", All=True).ServiceAccounts) == total >= 1


def test_what_is_taken_back_holds_at_once(place, image):
    namespace, layout = place.namespace(), image()
    place.push(layout, f"{namespace}/app:1")
    pulls = lambda pulled: pulled.get("manifests/1").status
    # Disabled, and enabled again.
    made, login = account(place, namespace, PULL)
    before = place.registry(f"{namespace}/app", login)
    assert pulls(before) == 200
    place("ModifyServiceAccount", Name=made.Name, Disable=True)
    assert pulls(before) == 401 and place.skopeo(login).log_in().returncode != 0
    place("ModifyServiceAccount", Name=made.Name, Disable=False)
    assert pulls(before) == 200
    # Rights.
    place("ModifyServiceAccount", Name=made.Name, Permissions=[{"Resource": place.namespace(), "Actions": [PULL]}])
    assert pulls(before) == 401
    place("ModifyServiceAccount", Name=made.Name, Permissions=[{"Resource": namespace, "Actions": [PULL]}])
    assert pulls(before) == 200
    # Deleted: the bearer token that was given out before opens nothing any more.
    place("DeleteServiceAccount", Name=made.Name)
    assert pulls(before) == 401 and listed(place, made.Name) is None


def test_a_token_that_is_gone_takes_its_bearer_tokens_along(place, image):
    namespace, layout = place.namespace(), image()
    place.push(layout, f"{namespace}/app:1")
    token = place("CreateInstanceToken", TokenType="longterm")
    pulled = place.registry(f"{namespace}/app", Login(place.login.host, token.Username, token.Token))
    assert pulled.get("manifests/1").status == 200
    place("ModifyInstanceToken", TokenId=token.TokenId, Enable=False)
    assert pulled.get("manifests/1").status == 401
    place("ModifyInstanceToken", TokenId=token.TokenId, Enable=True)
    assert pulled.get("manifests/1").status == 200
    place("DeleteInstanceToken", TokenId=token.TokenId)
    assert pulled.get("manifests/1").status == 401
    assert pulled.ask("POST", "blobs/uploads/").status == 401


def test_passwords_are_changed(place, image):
    namespace = place.namespace()
    made, login = account(place, namespace, PULL)
    place.skopeo(login).log_in().check_returncode()
    given = "Secret1234"
    # Terraform names the account without the prefix here.
    reply = place("ModifyServiceAccountPassword", Name=made.Name.removeprefix("tcr$"), Random=False, Password=given)
    assert reply.Password == given
    assert place.skopeo(login).log_in().returncode != 0
    place.skopeo(Login(login.host, login.username, given)).log_in().check_returncode()
    random = place("ModifyServiceAccountPassword", Name=made.Name, Random=True).Password
    assert len(random) == 32 and random != made.Password
    place.skopeo(Login(login.host, login.username, random)).log_in().check_returncode()


def test_what_accounts_refuse(place):
    namespace = place.namespace()
    made, _ = account(place, namespace, PULL)
    permission = {"Resource": namespace, "Actions": [PULL]}
    create = lambda **more: refusal(place, "CreateServiceAccount", **{"Name": "fresh", "Permissions": [permission]} | more)
    assert create(Name=made.Name) == create(Name="No") == create(Name="-") == INVALID
    assert create(Permissions=[]) == create(Permissions=[permission | {"Actions": ["tcr:Everything"]}]) == INVALID
    assert create(Permissions=[permission | {"Resource": "nowhere"}]) == INVALID
    assert create(Duration=0) == create(ExpiresAt=1) == INVALID
    assert refusal(place, "ModifyServiceAccount", Name="nobody", Disable=True) == INVALID
    assert refusal(place, "DeleteServiceAccount", Name="nobody") == INVALID
    assert refusal(place, "ModifyServiceAccountPassword", Name="nobody", Random=True) == INVALID
    assert refusal(place, "ModifyServiceAccountPassword", Name=made.Name, Random=False, Password="weak") == INVALID
    assert refusal(place, "DescribeServiceAccounts", Filters=[{"Name": "Name", "Values": ["x"]}]) == INVALID
    assert refusal(place.call, "DescribeServiceAccounts", RegistryId=NOBODYS) == INVALID


def test_guessing_is_slowed_down(place, image):
    namespace = place.namespace()
    _, login = account(place, namespace, PULL)
    wrong = Registry(Login(login.host, login.username, "wrong"))
    scope = f"repository:{place.name}/{namespace}/app:pull"
    statuses = [wrong.ask_token(scope).status for _ in range(14)]
    assert statuses[:11] == [401] * 11 and 403 in statuses[11:], statuses
    # Also with the right password: who guesses must not learn that it is.
    told = wrong.ask_token(scope)
    assert told.status == 403 and b"too many failed logins" in told.body
    assert Registry(login).ask_token(scope).status == 403
    # Others are not disturbed.
    assert Registry(place.login).ask_token(scope).status == 200


# -- everybody


def test_everybody_pulls_from_a_public_namespace_while_it_is_public(place, image):
    namespace, layout = place.namespace(public=True), image()
    place.push(layout, f"{namespace}/app:1")
    nobody = Login(place.login.host, None, None)
    pulled = place.registry(f"{namespace}/app", nobody)
    assert pulled.get("manifests/1").body == layout.top
    assert place.skopeo(nobody).raw_manifest(f"{place.name}/{namespace}/app:1") == layout.top
    assert place.push(layout, f"{namespace}/app:2", nobody, check=False).returncode != 0
    place("ModifyNamespace", NamespaceName=namespace, IsPublic=False)
    assert pulled.get("manifests/1").status == 401
    assert place.skopeo(nobody).inspect(f"{place.name}/{namespace}/app:1", check=False).returncode != 0


# -- addresses


def from_address(cloud, source, path):
    """The status of an anonymous request from one of this machine's addresses."""
    host, port = cloud.registry.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30, source_address=(source, 0))
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_an_open_endpoint_lets_in_whom_its_list_names(apart, cloud, image):
    namespace = apart.namespace()
    apart.push(image(), f"{namespace}/app:1")
    path = f"/v2/{apart.name}/{namespace}/app/manifests/1"
    status = lambda source: from_address(cloud, source, path)
    endpoint = lambda: apart("DescribeExternalEndpointStatus").Status
    # Closed: this machine stands for the internal network. 401 asks who it is; 403 would not even ask.
    assert endpoint() == "Closed" and status("127.0.0.1") == 401
    assert apart("ManageExternalEndpoint", Operation="Create").RegistryId == apart.id
    assert endpoint() == "Opened" and status("127.0.0.1") == 403
    refused = apart.skopeo().inspect(f"{apart.name}/{namespace}/app:1", check=False)
    assert refused.returncode != 0
    assert apart("CreateSecurityPolicy", CidrBlock="127.0.0.2", Description="two").RegistryId == apart.id
    assert (status("127.0.0.2"), status("127.0.0.1")) == (401, 403)
    blocks = [{"CidrBlock": "127.0.0.1/32", "Description": "one"}, {"CidrBlock": "10.0.0.0/8", "Description": "ten"}]
    apart("CreateMultipleSecurityPolicy", SecurityGroupPolicySet=blocks)
    assert apart.skopeo().inspect(f"{apart.name}/{namespace}/app:1", check=False).returncode == 0
    rows = apart("DescribeSecurityPolicies").SecurityPolicySet
    assert [(row.PolicyIndex, row.CidrBlock, row.Description) for row in rows] == [(0, "127.0.0.2", "two"), (1, "127.0.0.1/32", "one"), (2, "10.0.0.0/8", "ten")]
    assert len({row.PolicyVersion for row in rows}) == 1
    apart("ModifySecurityPolicy", PolicyIndex=1, CidrBlock="127.0.0.3", Description="three")
    assert (status("127.0.0.3"), status("127.0.0.1")) == (401, 403)
    version = apart("DescribeSecurityPolicies").SecurityPolicySet[0].PolicyVersion
    assert int(version) > int(rows[0].PolicyVersion)
    apart("DeleteSecurityPolicy", CidrBlock="127.0.0.2")
    assert status("127.0.0.2") == 403
    assert refusal(apart, "DeleteSecurityPolicy", PolicyIndex=0, PolicyVersion=version) == INVALID
    apart("DeleteMultipleSecurityPolicy", SecurityGroupPolicySet=[{"PolicyIndex": 0}, {"PolicyIndex": 1}])
    assert apart("DescribeSecurityPolicies").SecurityPolicySet == [] and status("127.0.0.3") == 403
    apart("ManageExternalEndpoint", Operation="Delete")
    assert endpoint() == "Closed" and status("127.0.0.1") == 401


def test_logins_are_turned_away_by_address_too(apart, cloud, image):
    namespace = apart.namespace()
    apart.push(image(), f"{namespace}/app:1")
    pulled = apart.registry(f"{namespace}/app")
    apart("ManageExternalEndpoint", Operation="Create")
    assert pulled.get("manifests/1").status == 403
    reply = Registry(apart.login).ask_token(f"repository:{apart.name}/{namespace}/app:pull")
    token = {"Authorization": f"Bearer {reply.json['token']}"}
    apart("CreateSecurityPolicy", CidrBlock="0.0.0.0/0", Description="")
    # What was asked for from outside the list was not granted.
    assert ask(cloud.registry, "GET", f"/v2/{apart.name}/{namespace}/app/manifests/1", token).status == 401
    assert pulled.get("manifests/1").status == 200


def test_what_lists_refuse(apart):
    assert refusal(apart, "ManageExternalEndpoint", Operation="Open") == INVALID
    assert refusal(apart, "CreateSecurityPolicy", CidrBlock="everywhere", Description="") == INVALID
    apart("CreateSecurityPolicy", CidrBlock="1.2.3.4", Description="")
    twice = [{"CidrBlock": "5.6.7.8"}, {"CidrBlock": "1.2.3.4/32"}]
    assert refusal(apart, "CreateMultipleSecurityPolicy", SecurityGroupPolicySet=twice) == INVALID
    assert refusal(apart, "CreateMultipleSecurityPolicy", SecurityGroupPolicySet=[]) == "MissingParameter"
    # None of them.
    assert len(apart("DescribeSecurityPolicies").SecurityPolicySet) == 1
    assert refusal(apart, "ModifySecurityPolicy", PolicyIndex=7, CidrBlock="5.6.7.8", Description="") == INVALID
    assert refusal(apart, "DeleteSecurityPolicy") == "MissingParameter"
    assert refusal(apart, "DeleteSecurityPolicy", CidrBlock="5.6.7.8") == INVALID
    assert refusal(apart, "DeleteMultipleSecurityPolicy", SecurityGroupPolicySet=[{"CidrBlock": "1.2.3.4"}, {"CidrBlock": "5.6.7.8"}]) == INVALID
    for action in ("DescribeSecurityPolicies", "DescribeExternalEndpointStatus"):
        assert refusal(apart.call, action, RegistryId=NOBODYS) == INVALID


# -- hosts


def test_a_domain_of_ones_own_is_served_with_a_certificate(place, cloud, image, unique):
    namespace, layout = place.namespace(public=True), image()
    place.push(layout, f"{namespace}/app:1")
    domain = f"{unique('registry')}.example.com"
    place("CreateInstanceCustomizedDomain", DomainName=domain, CertificateId="cert-1")
    rows = place("DescribeInstanceCustomizedDomain").DomainInfoList
    row = next(row for row in rows if row.DomainName == domain)
    assert (row.RegistryId, row.CertId, row.Status) == (place.id, "cert-1", "SUCCESS")
    host, port = cloud.endpoints["https"].removeprefix("https://").split(":")

    def get(path, **headers):
        """Over TLS, by server name, with the name checked against the certificate."""
        import socket

        trust = ssl.create_default_context(cafile=cloud.endpoints["ca"])
        with trust.wrap_socket(socket.create_connection((host, int(port))), server_hostname=domain) as secure:
            connection = http.client.HTTPSConnection(domain, int(port))
            connection.sock = secure
            connection.request("GET", path, headers={"Host": f"{domain}:{port}"} | headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()

    path = f"/v2/{namespace}/app/manifests/1"
    status, headers, _ = get(path)
    assert status == 401 and f'realm="https://{domain}:{port}/service/token"' in headers["WWW-Authenticate"]
    scope = f"repository:{namespace}/app:pull"
    token = json.loads(get(f"/service/token?service=harbor-registry&scope={scope}")[2])["token"]
    status, _, body = get(path, Authorization=f"Bearer {token}")
    assert (status, body) == (200, layout.top)
    place("DeleteInstanceCustomizedDomain", DomainName=domain, CertificateId="cert-1")
    assert get(path, Authorization=f"Bearer {token}")[0] == 404
    assert domain not in [row.DomainName for row in place("DescribeInstanceCustomizedDomain").DomainInfoList]


def test_what_domains_refuse(place, unique):
    domain = f"{unique('registry')}.example.com"
    create = lambda **more: refusal(place, "CreateInstanceCustomizedDomain", **{"DomainName": domain, "CertificateId": "c"} | more)
    assert create(DomainName="https://a.b") == create(DomainName="127.0.0.1") == create(DomainName="other.cr.localhost") == create(CertificateId="") == INVALID
    place("CreateInstanceCustomizedDomain", DomainName=domain, CertificateId="c")
    assert create() == create(DomainName=domain.upper()) == "InternalError.ErrorConflict"
    assert refusal(place, "DeleteInstanceCustomizedDomain", DomainName=domain, CertificateId="d") == INVALID
    assert refusal(place, "DeleteInstanceCustomizedDomain", DomainName="nobodys.example.com") == "InternalError.ErrNotExist"
    assert refusal(place.call, "DescribeInstanceCustomizedDomain", RegistryId=NOBODYS) == "ResourceNotFound"
