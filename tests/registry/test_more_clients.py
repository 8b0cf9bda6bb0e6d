"""regctl, oras, helm, buildah and podman, over HTTP on loopback and, with crane, over TLS under the cloud's own authority."""

import io
import json
import re
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import images
from skopeo import Skopeo
from tools import run


@dataclass(frozen=True)
class Door:
    """One way into the registry: the host that clients are given, and the authority if it is by TLS."""

    host: str
    authority: Path | None = None


@pytest.fixture(params=["http", "https"])
def door(request, cloud):
    if request.param == "http":
        return Door(cloud.registry)
    return Door(f"localhost:{urlsplit(cloud.endpoints['https']).port}", cloud.data / "ca.pem")


@pytest.fixture
def name(place, unique):
    return f"{place.private}/{unique('app')}"


@pytest.fixture
def layout(tmp_path):
    return images.multi(tmp_path / "layout", "hello")


@pytest.fixture
def pushed(place, home, layout, name):
    """The layout, pushed as tag 1 with another client."""
    Skopeo(place.login, home).push(layout, f"{name}:1")
    return layout


# -- regctl


@pytest.fixture
def regctl(place, door, tmp_path):
    """regctl, logged in."""
    login = place.login
    settings = ["--tls", "disabled"] if door.authority is None else ["--tls", "enabled", "--cacert", door.authority.read_text()]
    invoke = lambda *arguments, check=True, stdin=None: run(
        "regctl", *arguments, home=tmp_path, check=check, stdin=stdin, REGCTL_CONFIG=tmp_path / "regctl.json"
    )
    invoke("registry", "set", *settings, "--skip-check", door.host)
    invoke("registry", "login", door.host, "--user", login.username, "--pass-stdin", stdin=login.password)
    return invoke


def test_regctl_pulls_copies_lists_and_deletes_what_it_pushed(regctl, door, layout, name):
    reference = f"{door.host}/{name}"
    regctl("image", "copy", f"ocidir://{layout.path}:1", f"{reference}:1")
    assert regctl("manifest", "head", f"{reference}:1").stdout.strip() == layout.digest
    assert regctl("manifest", "get", "--format", "raw-body", f"{reference}:1").stdout.encode() == layout.top
    regctl("image", "copy", f"{reference}:1", f"{reference}-copy:2")
    assert regctl("tag", "ls", f"{reference}-copy").stdout.split() == ["2"]
    regctl("tag", "delete", f"{reference}-copy:2")
    assert regctl("tag", "ls", f"{reference}-copy").stdout.split() == []
    # The tag is gone, the index stays until it is deleted itself.
    assert regctl("manifest", "head", f"{reference}-copy@{layout.digest}").stdout.strip() == layout.digest
    regctl("manifest", "delete", f"{reference}-copy@{layout.digest}")
    assert regctl("manifest", "head", f"{reference}-copy@{layout.digest}", check=False).returncode != 0
    assert regctl("manifest", "head", f"{reference}:1").stdout.strip() == layout.digest


def test_regctl_blobs_are_whole(regctl, door, pushed, name):
    reference = f"{door.host}/{name}"
    content = b"a blob of its own"
    digest = regctl("blob", "put", reference, stdin=content.decode()).stdout.strip()
    assert digest == images.digest(content)
    assert regctl("blob", "get", reference, digest).stdout.encode() == content


def test_regctl_attaches_artifacts_and_finds_them_again(regctl, door, pushed, name, tmp_path):
    reference = f"{door.host}/{name}"
    note = tmp_path / "note.json"
    note.write_text('{"checked": true}')
    for kind in ("example.check", "example.other"):
        regctl(
            *("artifact", "put", "--artifact-type", f"application/vnd.{kind}"),
            *("--file", str(note), "--file-media-type", "application/json", "--subject", f"{reference}:1"),
        )
    listed = json.loads(regctl("artifact", "list", f"{reference}:1", "--format", "{{json .}}").stdout)
    assert sorted(entry["artifactType"] for entry in listed["descriptors"]) == [
        "application/vnd.example.check",
        "application/vnd.example.other",
    ]
    chosen = regctl(
        "artifact", "list", f"{reference}:1", "--filter-artifact-type", "application/vnd.example.check", "--format", "{{json .}}"
    )
    assert [entry["artifactType"] for entry in json.loads(chosen.stdout)["descriptors"]] == ["application/vnd.example.check"]
    got = regctl("artifact", "get", "--subject", f"{reference}:1", "--filter-artifact-type", "application/vnd.example.check")
    assert json.loads(got.stdout) == {"checked": True}
    # A copy takes them along.
    regctl("image", "copy", "--referrers", f"{reference}:1", f"{reference}-copy:1")
    assert len(json.loads(regctl("artifact", "list", f"{reference}-copy:1", "--format", "{{json .}}").stdout)["descriptors"]) == 2


def test_regctl_pages_through_tags(regctl, door, pushed, name):
    reference = f"{door.host}/{name}"
    tags = [f"v{number}" for number in range(1, 6)]
    for tag in tags:
        regctl("image", "copy", f"{reference}:1", f"{reference}:{tag}")
    assert regctl("tag", "ls", "--limit", "2", reference).stdout.split() == ["1", "v1"]
    assert regctl("tag", "ls", "--limit", "2", "--last", "v1", reference).stdout.split() == ["v2", "v3"]
    assert regctl("tag", "ls", reference).stdout.split() == ["1", *tags]


# -- oras


@pytest.fixture
def oras(place, door, tmp_path):
    """oras, logged in."""
    login = place.login

    def invoke(*arguments, check=True, stdin=None, sides=("",)):
        transport = []
        for side in sides:
            # To oras, localhost is plain HTTP unless it is told otherwise.
            transport.append(f"--{side}plain-http={'true' if door.authority is None else 'false'}")
            transport += [] if door.authority is None else [f"--{side}ca-file", door.authority]
        return run("oras", *arguments, *transport, home=tmp_path, check=check, stdin=stdin)

    invoke("login", door.host, "--username", login.username, "--password-stdin", stdin=login.password)
    return invoke


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """Two files in the working directory, which is where oras takes names from."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        Path(f"note-{number}.txt").write_text(f"note {number}")
    return ["note-1.txt:text/plain", "note-2.txt:text/plain"]


def test_oras_pulls_copies_lists_and_deletes_what_it_pushed(oras, door, name, notes, tmp_path):
    reference = f"{door.host}/{name}"
    oras("push", f"{reference}:1,latest", "--artifact-type", "application/vnd.example.notes", *notes)
    assert oras("repo", "tags", reference).stdout.split() == ["1", "latest"]
    oras("cp", f"{reference}:1", f"{reference}-copy:2", sides=("from-", "to-"))
    oras("pull", f"{reference}-copy:2", "--output", tmp_path / "pulled")
    assert [(tmp_path / f"pulled/note-{number}.txt").read_text() for number in (1, 2)] == ["note 1", "note 2"]
    assert json.loads(oras("manifest", "fetch", f"{reference}:1").stdout)["artifactType"] == "application/vnd.example.notes"
    oras("manifest", "delete", "--force", f"{reference}:1")
    assert oras("manifest", "fetch", f"{reference}:latest", check=False).returncode != 0
    assert oras("repo", "tags", f"{reference}-copy").stdout.split() == ["2"]


def test_oras_attaches_and_discovers(oras, door, pushed, name, notes):
    reference = f"{door.host}/{name}"
    for kind, note in zip(("check", "other"), notes, strict=True):
        oras("attach", f"{reference}:1", "--artifact-type", f"application/vnd.example.{kind}", note)
    discover = lambda *filters: json.loads(oras("discover", f"{reference}:1", "--format", "json", *filters).stdout)["referrers"]
    kinds = lambda found: sorted(entry["artifactType"] for entry in found)
    assert kinds(discover()) == ["application/vnd.example.check", "application/vnd.example.other"]
    assert kinds(discover("--artifact-type", "application/vnd.example.other")) == ["application/vnd.example.other"]
    # A recursive copy takes them along.
    oras("cp", "--recursive", f"{reference}:1", f"{reference}-copy:1", sides=("from-", "to-"))
    copied = json.loads(oras("discover", f"{reference}-copy:1", "--format", "json").stdout)["referrers"]
    assert kinds(copied) == ["application/vnd.example.check", "application/vnd.example.other"]


# -- helm


def chart(path, version):
    """A Helm chart of one template."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in {
            "Chart.yaml": f"apiVersion: v2\nname: greeting\nversion: {version}\n",
            "templates/note.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: greeting\n",
        }.items():
            entry = tarfile.TarInfo(f"greeting/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    file = path / f"greeting-{version}.tgz"
    file.write_bytes(archive.getvalue())
    return file


@pytest.fixture
def helm(place, door, tmp_path):
    """helm, logged in."""
    login = place.login
    transport = ["--plain-http"] if door.authority is None else ["--ca-file", door.authority]
    invoke = lambda *arguments, check=True, stdin=None: run(
        "helm", *arguments, *transport, home=tmp_path, check=check, stdin=stdin
    )
    invoke("registry", "login", door.host, "--username", login.username, "--password-stdin", stdin=login.password)
    return invoke


def test_helm_pulls_the_charts_it_pushed(helm, door, place, unique, tmp_path):
    charts = f"oci://{door.host}/{place.private}/{unique('charts')}"
    files = {version: chart(tmp_path, version) for version in ("1.0.0", "1.1.0+build.5")}
    for file in files.values():
        pushed = helm("push", file, charts)
        assert re.search(r"Digest: sha256:[0-9a-f]{64}", pushed.stdout + pushed.stderr)
    shown = helm("show", "chart", f"{charts}/greeting", "--version", "1.0.0").stdout
    assert "name: greeting" in shown and "version: 1.0.0" in shown
    for version, file in files.items():
        (tmp_path / "pulled" / version).mkdir(parents=True)
        helm("pull", f"{charts}/greeting", "--version", version, "--destination", tmp_path / "pulled" / version)
        assert (tmp_path / "pulled" / version / file.name).read_bytes() == file.read_bytes()
    # Without a version helm lists the tags and takes the newest.
    assert "version: 1.1.0+build.5" in helm("show", "chart", f"{charts}/greeting").stdout
    assert "kind: ConfigMap" in helm("template", "release", f"{charts}/greeting", "--version", "1.0.0").stdout


def test_helm_is_refused_without_a_login(door, place, unique, tmp_path):
    transport = ["--plain-http"] if door.authority is None else ["--ca-file", door.authority]
    refused = run(
        *("helm", "push", chart(tmp_path, "1.0.0"), f"oci://{door.host}/{place.private}/{unique('charts')}", *transport),
        home=tmp_path,
        check=False,
    )
    assert refused.returncode != 0
    assert re.search("401|unauthorized|basic credential not found", refused.stderr, re.I)


# -- crane and skopeo by TLS; over HTTP they are in test_clients.py


@pytest.fixture
def tls(cloud):
    return Door(f"localhost:{urlsplit(cloud.endpoints['https']).port}", cloud.data / "ca.pem")


def test_crane_trusts_the_authority_and_nothing_less(tls, place, pushed, name, tmp_path):
    login = place.login
    reference = f"{tls.host}/{name}:1"
    trusted = lambda *arguments, **more: run("crane", *arguments, home=tmp_path, SSL_CERT_FILE=tls.authority, **more)
    trusted("auth", "login", tls.host, "--username", login.username, "--password-stdin", stdin=login.password)
    assert trusted("digest", reference).stdout.strip() == pushed.digest
    trusted("copy", reference, f"{tls.host}/{name}-copy:2")
    trusted("validate", "--remote", f"{tls.host}/{name}-copy:2")
    refused = run("crane", "digest", reference, home=tmp_path, check=False)
    assert refused.returncode != 0 and "certificate" in refused.stderr


def test_skopeo_trusts_the_authority_and_nothing_less(tls, place, pushed, name, tmp_path):
    skopeo = Skopeo(replace(place.login, host=tls.host), tmp_path)
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    (certificates / "ca.crt").write_bytes(tls.authority.read_bytes())
    flags = ["--creds", f"{place.login.username}:{place.login.password}"]
    trusted = run("skopeo", "inspect", "--raw", "--cert-dir", certificates, *flags, skopeo.reference(f"{name}:1"), home=tmp_path)
    assert trusted.stdout.encode() == pushed.top
    refused = run("skopeo", "inspect", "--raw", *flags, skopeo.reference(f"{name}:1"), home=tmp_path, check=False)
    assert refused.returncode != 0 and "certificate" in refused.stderr


# -- the builders of the containers family


@pytest.fixture(params=["buildah", "podman"])
def builder(request, door, place, tmp_path):
    """buildah or podman on storage of its own, without a daemon. Where this machine lets it make none, the test is skipped."""
    # podman wants a path of at most 50 characters here.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as short:
        yield built_on(short, request.param, door, place, tmp_path)


def built_on(short, program, door, place, tmp_path):
    """The program, logged in."""
    storage = ["--root", tmp_path / "root", "--runroot", short, "--storage-driver", "vfs"]
    (tmp_path / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    (tmp_path / "certificates").mkdir()
    if door.authority is not None:
        (tmp_path / "certificates/ca.crt").write_bytes(door.authority.read_bytes())
    trust = ["--tls-verify=false"] if door.authority is None else ["--cert-dir", tmp_path / "certificates"]
    trust += ["--authfile", tmp_path / "auth.json"]
    invoke = lambda verb, *arguments, check=True, stdin=None: run(
        *(program, *storage, verb, *(trust if verb in ("login", "push", "pull") else []), *arguments),
        home=tmp_path,
        check=check,
        stdin=stdin,
    )
    probe = invoke("images", check=False)
    if probe.returncode != 0:
        pytest.skip(f"{program} cannot keep images here: {probe.stderr.strip().splitlines()[-1]}")
    invoke("login", "--username", place.login.username, "--password-stdin", door.host, stdin=place.login.password)
    return invoke


def test_builders_pull_and_push(builder, door, pushed, place, name):
    reference = f"{door.host}/{name}"
    id = builder("pull", "--quiet", f"{reference}:1").stdout.strip()
    builder("tag", id, f"{reference}:2")
    builder("push", f"{reference}:2")
    repository = place.repository(name)
    assert repository.get("tags/list").json["tags"] == ["1", "2"]
    mine = repository.get("manifests/2").json
    children = json.loads(pushed.top)["manifests"]
    configs = {json.loads(pushed.blobs[child["digest"]])["config"]["digest"] for child in children}
    assert mine["config"]["digest"] in configs
    builder("rmi", "--all", "--force")
    assert builder("pull", "--quiet", f"{reference}:2").stdout.strip() == id
