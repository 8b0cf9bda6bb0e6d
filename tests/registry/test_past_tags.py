"""A tag that was overwritten by mistake: seen, restored, and pulled again with crane."""

import json

import pytest

import images
import tools
from distribution import ask


@pytest.fixture
def crane(place, tmp_path):
    login = place.login
    user = ("--username", login.username, "--password-stdin", "--insecure")
    tools.run("crane", "auth", "login", login.host, *user, home=tmp_path, stdin=login.password)
    return lambda *command: tools.run("crane", "--insecure", *command, home=tmp_path).stdout.strip()


def test_an_overwritten_tag_is_seen_and_restored(cloud, place, crane, tmp_path, unique):
    name = unique("app")
    image = f"{place.private}/{name}:1"
    first, second = (images.single(tmp_path / text, text) for text in ("first", "second"))
    crane("push", str(first.path), f"{place.login.host}/{image}")
    assert cloud.rookery("tags", "history", image).stdout == ""
    crane("push", str(second.path), f"{place.login.host}/{image}")
    assert crane("digest", f"{place.login.host}/{image}") == second.digest

    seen = cloud.rookery("tags", "history", image).stdout
    assert f"overwritten with {second.digest} by {place.login.username}" in seen
    (entry,) = json.loads(cloud.rookery("tags", "history", "--json", image.split(":")[0]).stdout)
    assert (entry["tag"], entry["digest"], entry["replacedBy"]) == ("1", first.digest, second.digest)
    assert entry["restorable"] and entry["ended"] == "overwritten"

    assert cloud.rookery("tags", "restore", image).stdout == f"{image} is {first.digest}\n"
    assert crane("digest", f"{place.login.host}/{image}") == first.digest
    crane("validate", "--remote", f"{place.login.host}/{image}")
    # And back, by the digest; then a deleted tag.
    cloud.rookery("tags", "restore", f"{image}@{second.digest}")
    assert crane("digest", f"{place.login.host}/{image}") == second.digest
    assert place.repository(f"{place.private}/{name}").delete("manifests/1").status == 202
    assert f"{second.digest}" in cloud.rookery("tags", "history", image).stdout.splitlines()[0]
    cloud.rookery("tags", "restore", image)
    assert crane("digest", f"{place.login.host}/{image}") == second.digest


def test_what_cannot_be_restored_is_said(cloud, place, unique, tmp_path):
    def refused(*command):
        done = cloud.rookery("tags", *command, check=False)
        assert done.returncode == 1
        return done.stderr

    name = f"{place.private}/{unique('app')}"
    place.repository(name).put_layout(images.single(tmp_path / "one", "one"))
    assert "has no earlier image" in refused("restore", f"{name}:1")
    assert "manifest unknown" in refused("restore", f"{name}:1@{images.digest(b'x')}")
    assert "tags are named" in refused("restore", name)
    assert "tags are named" in refused("history", "nothing")
    assert "no such instance" in refused("history", "nowhere/a/b:1")
    assert "no name of an image" in refused("history", "a b")
    page = f"/_rookery/tags/{name}:1"
    assert ask(cloud.authority, "GET", page).status == 200
    for method in ("GET", "POST"):
        assert ask(cloud.authority, method, page, {"Origin": "http://evil.example"}).status == 403


def test_nothing_is_kept_where_nothing_shall_be(start, settled, tmp_path):
    cloud = start("--tag-retention", "0")
    place = settled(cloud)
    repository = place.repository(f"{place.private}/app")
    for text in ("first", "second"):
        repository.put_layout(images.single(tmp_path / text, text))
    assert cloud.rookery("tags", "history", f"{place.private}/app").stdout == ""
    assert "no earlier image" in cloud.rookery("tags", "restore", f"{place.private}/app:1", check=False).stderr
