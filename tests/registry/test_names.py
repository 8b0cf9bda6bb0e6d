"""Names and paths: what breaks the grammar is refused, and nothing leads out of the data directory."""

import pytest

import images
from distribution import Registry, ask
from requester import Request, send

DIGEST = images.digest(b"content")
ESCAPES = [
    "../../outside",
    "..",
    "private/..",
    "private/../../outside",
    "private/%2e%2e/%2e%2e/outside",
    "private/%2E%2E%2Foutside",
    "private/..%2f..%2foutside",
    "private/%252e%252e/outside",
    "private/..%5coutside",
    "private//outside",
    "private/./outside",
    "private/a%00b",
    "private/%ff",
    "private/UPPER",
    "private/-a",
    "private/a.",
    "private/" + "a" * 300,
]


@pytest.fixture
def surroundings(cloud):
    """Every path around the data directory, before and after."""

    def seen():
        return sorted(
            str(path.relative_to(cloud.data.parent))
            for path in cloud.data.parent.rglob("*")
            if not path.is_relative_to(cloud.data)
        )

    before = seen()
    yield
    assert seen() == before


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_breaks_the_grammar_is_refused(place, surroundings, name):
    headers = Registry(place.login).basic()
    below = f"/v2/{place.name}/{name}"
    for method, path, body in (
        ("POST", f"{below}/blobs/uploads/", None),
        ("POST", f"{below}/blobs/uploads/?digest={DIGEST}", b"content"),
        ("PUT", f"{below}/manifests/1", b"{}"),
        ("GET", f"{below}/blobs/{DIGEST}", None),
        ("GET", f"{below}/manifests/1", None),
        ("GET", f"{below}/tags/list", None),
        ("DELETE", f"{below}/manifests/1", None),
    ):
        reply = ask(place.login.host, method, path, headers, body)
        assert reply.status in (400, 404), f"{method} {path}: {reply.status}"
        assert reply.codes[0] in {"NAME_INVALID", "NAME_UNKNOWN"}


@pytest.mark.parametrize(
    "reference", ["..", "../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2froot.key", "sha256:../../x"]
)
def test_a_reference_leads_nowhere_else(place, repository, surroundings, reference):
    repository.put_blob(b"content")
    for kind in ("blobs", "manifests", "blobs/uploads", "referrers"):
        reply = repository.get(f"{kind}/{reference}")
        assert reply.status in (400, 404)
        assert b"root:" not in reply.body


def test_an_error_tells_no_path_of_the_machine(place, cloud, repository):
    for path in ("manifests/none", f"blobs/{images.digest(b'none')}", "manifests/sha256:bad", "nonsense"):
        assert str(cloud.data).encode() not in repository.get(path).body


@pytest.mark.parametrize("path", ["/v2/nonsense", "/v2/a/b/nonsense/1", "/v2/_nonsense"])
def test_an_unknown_path_is_nothing(place, path):
    reply = ask(place.login.host, "GET", path, Registry(place.login).basic())
    assert reply.status in (400, 404)
    assert reply.codes[0] in {"NAME_INVALID", "NAME_UNKNOWN"}


def test_a_method_that_is_not_spoken_is_refused(repository):
    reply = repository.ask("PATCH", "tags/list", body=b"")
    assert reply.status == 405
    assert reply.codes == ["UNSUPPORTED"]


def test_the_host_may_name_the_instance(place, repository):
    blob = repository.put_blob(b"content")
    short = repository.name.removeprefix(f"{place.name}/")
    headers = Registry(place.login).basic() | {"Host": f"{place.name}.cr.localhost:{place.login.host.rsplit(':')[-1]}"}
    reply = raw(place.login.host, f"/v2/{short}/blobs/{blob}", headers)
    assert (reply.status, reply.body) == (200, b"content")


def raw(host, path, headers):
    """A GET with a Host header of one's own."""
    address, port = host.rsplit(":", 1)
    return send((address, int(port)), Request("GET", path, tuple(headers.items())))
