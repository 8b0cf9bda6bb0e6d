"""Challenges and tokens: how a client learns where to log in, and what a token opens."""

import base64
import json

import pytest

from distribution import Registry, ask, challenge


def claims(token):
    """What a token says; whether it is true is the registry's to check."""
    header, payload, _ = token.split(".")
    decode = lambda part: json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decode(header), decode(payload)


def below(name):
    """A repository's name without what the token calls its instance, which is the registry's own business."""
    return name.split("/", 1)[1]


def test_nobody_is_told_where_to_log_in(place):
    reply = ask(place.login.host, "GET", "/v2/")
    assert reply.status == 401
    assert reply.codes == ["UNAUTHORIZED"]
    assert reply.header("Docker-Distribution-Api-Version") == "registry/2.0"
    told = challenge(reply)
    assert told["realm"] == f"http://{place.login.host}/service/token"
    assert told["service"] == "harbor-registry"


@pytest.mark.parametrize(
    ("method", "path", "actions"), [("GET", "manifests/1", {"pull"}), ("POST", "blobs/uploads/", {"pull", "push"})]
)
def test_a_challenge_names_the_scope(place, method, path, actions):
    told = challenge(ask(place.login.host, method, f"/v2/{place.private}/app/{path}"))
    kind, name, asked = told["scope"].rsplit(":", 2)
    assert (kind, name) == ("repository", f"{place.private}/app")
    assert actions <= set(asked.split(","))


def test_the_realm_follows_the_name_that_the_client_used(place):
    host = f"localhost:{place.login.host.rsplit(':')[-1]}"
    reply = ask(host, "GET", "/v2/")
    assert challenge(reply)["realm"] == f"http://{host}/service/token"


def test_a_token_opens_the_door(place):
    registry = Registry(place.login)
    reply = registry.ask_token()
    assert reply.status == 200
    assert reply.json["token"] == reply.json["access_token"]
    assert reply.json["expires_in"] >= 60
    assert ask(place.login.host, "GET", "/v2/", registry.bearer()).status == 200


def test_a_token_says_whom_it_is_for_and_what_it_opens(place):
    scope = f"repository:{place.private}/app:pull,push"
    header, payload = claims(Registry(place.login).ask_token(scope).json["token"])
    assert header["alg"] == "RS256"
    assert payload["aud"] == "harbor-registry"
    assert payload["exp"] > payload["iat"]
    (access,) = payload["access"]
    assert access["type"] == "repository"
    assert below(access["name"]) == "private/app"
    assert sorted(access["actions"]) == ["pull", "push"]


def test_a_token_carries_no_more_than_its_holder_may_do(place):
    nobody = Registry(place.login.anonymous())
    for namespace, allowed in ((place.public, ["pull"]), (place.private, [])):
        reply = nobody.ask_token(f"repository:{namespace}/app:pull,push")
        assert reply.status == 200
        _, payload = claims(reply.json["token"])
        assert [action for access in payload["access"] for action in access["actions"]] == allowed


def test_a_token_may_be_for_several_repositories(place):
    scopes = [f"repository:{place.private}/a:pull,push", f"repository:{place.public}/b:pull"]
    _, payload = claims(Registry(place.login).ask_token(*scopes).json["token"])
    opened = {below(access["name"]): sorted(access["actions"]) for access in payload["access"]}
    assert opened == {"private/a": ["pull", "push"], "public/b": ["pull"]}


def test_a_token_for_one_repository_opens_no_other(place, unique):
    one, other = f"{place.private}/{unique('a')}", f"{place.private}/{unique('b')}"
    blob = place.repository(other).put_blob(b"content")
    reply = ask(
        place.login.host,
        "GET",
        f"/v2/{other}/blobs/{blob}",
        Registry(place.login).bearer(f"repository:{one}:pull"),
    )
    assert reply.status == 401
    assert challenge(reply)["error"] == "insufficient_scope"


def test_a_wrong_password_gets_no_token(place):
    wrong = type(place.login)(place.login.host, place.login.username, "wrong")
    reply = Registry(wrong).ask_token(f"repository:{place.public}/app:pull")
    assert reply.status == 401
    assert reply.codes == ["UNAUTHORIZED"]


@pytest.mark.parametrize("change", ["signature", "claims", "none", "nonsense"])
def test_a_forged_token_is_refused(place, change):
    token = Registry(place.login).ask_token(f"repository:{place.private}/app:pull").json["token"]
    header, payload, signature = token.split(".")
    encode = lambda document: base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
    _, said = claims(token)
    said["access"][0]["actions"] = ["pull", "push", "delete"]
    forged = {
        "signature": f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        "claims": f"{header}.{encode(said)}.{signature}",
        "none": f"{encode({'alg': 'none', 'typ': 'JWT'})}.{encode(said)}.",
        "nonsense": "nonsense",
    }[change]
    reply = ask(place.login.host, "GET", f"/v2/{place.private}/app/tags/list", {"Authorization": f"Bearer {forged}"})
    assert reply.status == 401


def test_a_password_may_be_sent_directly(place, repository):
    blob = repository.put_blob(b"content")
    reply = ask(place.login.host, "GET", f"/v2/{repository.name}/blobs/{blob}", Registry(place.login).basic())
    assert (reply.status, reply.body) == (200, b"content")


def test_nobody_pulls_from_a_public_namespace_with_a_token_of_nobody(place, unique):
    name = f"{place.public}/{unique('app')}"
    blob = place.repository(name).put_blob(b"content")
    assert ask(place.login.host, "GET", f"/v2/{name}/blobs/{blob}").status == 401, "a token comes first"
    nobody = Registry(place.login.anonymous()).repository(name)
    assert nobody.get(f"blobs/{blob}").body == b"content"
    assert nobody.ask("POST", "blobs/uploads/").status == 401


def test_every_answer_names_the_protocol(place, repository):
    for reply in (repository.get("tags/list"), repository.get("manifests/none"), repository.ask("POST", "blobs/uploads/")):
        assert reply.header("Docker-Distribution-Api-Version") == "registry/2.0"
