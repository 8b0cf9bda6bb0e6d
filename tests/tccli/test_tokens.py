"""Who may log in to an instance, with what, and to see what."""

import re

import pytest

import images
from distribution import Login


@pytest.fixture
def private(story, premium, layout):
    """A repository in a private namespace, with one image."""
    name = f"{premium.name}/{story.namespace(premium.id)}/app"
    story.skopeo(premium.login).push(layout, f"{name}:1")
    return name


@pytest.fixture
def token(story, premium):
    """A long-term token: the reply that made it."""
    return story.tccli("tcr", "CreateInstanceToken", RegistryId=premium.id, TokenType="longterm", Desc="one more")


@pytest.fixture
def with_token(cloud):
    return lambda token: Login(cloud.registry, token["Username"], token["Token"])


def refused(ended):
    assert ended.returncode != 0
    assert re.search("unauthorized|authentication required|invalid username/password|denied", ended.stderr, re.I), ended.stderr
    return True


def test_a_long_term_token_is_the_callers_and_is_listed(story, premium, token):
    assert token["Username"] == story.tccli("sts", "GetCallerIdentity")["UserId"]
    assert re.fullmatch("[0-9a-v]{20}", token["TokenId"])
    listed = story.tccli("tcr", "DescribeInstanceToken", RegistryId=premium.id, Limit=100, Offset=0)["Tokens"]
    (row,) = [row for row in listed if row["Id"] == token["TokenId"]]
    assert (row["Desc"], row["Enabled"], row["RegistryId"]) == ("one more", True, premium.id)
    assert row["ExpiredAt"] == token["ExpTime"]


def test_a_temporary_token_works_and_is_not_listed(story, premium, private, with_token, layout):
    token = story.tccli("tcr", "CreateInstanceToken", RegistryId=premium.id)
    assert token["TokenId"] == ""
    assert story.skopeo(with_token(token)).raw_manifest(f"{private}:1") == layout.top
    listed = story.tccli("tcr", "DescribeInstanceToken", RegistryId=premium.id, Limit=100, Offset=0)["Tokens"]
    assert all(row["Id"] for row in listed)


def test_a_disabled_token_is_refused_until_it_is_enabled(story, premium, private, token, with_token, layout):
    skopeo = story.skopeo(with_token(token))
    modify = lambda enable: story.tccli(
        "tcr", "ModifyInstanceToken", RegistryId=premium.id, TokenId=token["TokenId"], Enable=enable, ModifyFlag=2
    )
    assert skopeo.raw_manifest(f"{private}:1") == layout.top
    modify(False)
    assert refused(skopeo.inspect(f"{private}:1", check=False))
    assert refused(skopeo.log_in())
    modify(True)
    assert skopeo.raw_manifest(f"{private}:1") == layout.top


def test_a_deleted_token_is_refused(story, premium, private, token, with_token):
    skopeo = story.skopeo(with_token(token))
    assert skopeo.log_in().returncode == 0
    story.tccli("tcr", "DeleteInstanceToken", RegistryId=premium.id, TokenId=token["TokenId"])
    assert refused(skopeo.log_in())
    assert refused(skopeo.inspect(f"{private}:1", check=False))
    listed = story.tccli("tcr", "DescribeInstanceToken", RegistryId=premium.id, Limit=100, Offset=0)["Tokens"]
    assert token["TokenId"] not in [row["Id"] for row in listed]


def test_the_token_of_another_instance_is_refused(story, premium, private, layout):
    other_name, other = story.instance("other")
    login = story.login(other)
    skopeo = story.skopeo(login)
    assert refused(skopeo.inspect(f"{private}:1", check=False))
    assert refused(skopeo.push(layout, f"{private}:2", check=False))
    library = story.namespace(other)
    skopeo.push(layout, f"{other_name}/{library}/app:1")


def test_a_wrong_password_is_refused(story, premium, private):
    for login in (
        Login(premium.login.host, premium.login.username, "wrong"),
        Login(premium.login.host, premium.login.username, premium.login.password[:-4] + "AAAA"),
        Login(premium.login.host, "100000000000", premium.login.password),
    ):
        skopeo = story.skopeo(login)
        assert refused(skopeo.log_in())
        assert refused(skopeo.inspect(f"{private}:1", check=False))


def test_the_right_password_logs_in(story, premium):
    assert "Login Succeeded" in story.skopeo(premium.login).log_in().stdout


def test_nobody_sees_a_private_namespace(story, premium, private, layout):
    anonymous = story.skopeo(premium.login.anonymous())
    assert refused(anonymous.inspect(f"{private}:1", check=False))
    assert refused(anonymous.push(layout, f"{private}:2", check=False))


def test_everybody_may_pull_from_a_public_namespace_and_nobody_push(story, premium, layout, tmp_path):
    public = story.namespace(premium.id, public=True)
    name = f"{premium.name}/{public}/app"
    story.skopeo(premium.login).push(layout, f"{name}:1")
    anonymous = story.skopeo(premium.login.anonymous())
    assert anonymous.raw_manifest(f"{name}:1") == layout.top
    other = images.single(tmp_path / "other", "other")
    assert refused(anonymous.push(other, f"{name}:2", check=False))


def test_a_push_needs_a_namespace(story, premium, layout):
    ended = story.skopeo(premium.login).push(layout, f"{premium.name}/nowhere/app:1", check=False)
    assert ended.returncode != 0
    assert "app" not in str(story.tccli("tcr", "DescribeRepositories", RegistryId=premium.id, NamespaceName="nowhere"))


def test_a_push_needs_an_instance(story, premium, layout):
    assert story.skopeo(premium.login).push(layout, "no-such-instance/library/app:1", check=False).returncode != 0
