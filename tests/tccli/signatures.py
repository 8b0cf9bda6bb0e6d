"""What tells whether an image is signed without asking the cloud: cosign, and openssl over the bytes of the registry."""

import base64
import json
from dataclasses import dataclass

import images
from distribution import Registry
from tools import run

LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"


@dataclass(frozen=True)
class Signed:
    """The signed text beside an image, and its signature."""

    payload: bytes
    signature: bytes

    @property
    def document(self):
        return json.loads(self.payload)

    @property
    def reference(self):
        return self.document["critical"]["identity"]["docker-reference"]

    @property
    def digest(self):
        return self.document["critical"]["image"]["docker-manifest-digest"]


def beside(login, repository, digest):
    """The signatures of an image, fetched from the tag beside it. None where there is no such tag."""
    pulled = Registry(login).repository(repository)
    reply = pulled.get(f"manifests/{digest.replace(':', '-')}.sig")
    if reply.status == 404:
        return []
    assert reply.status == 200
    manifest = json.loads(reply.body)
    found = []
    for layer in manifest["layers"]:
        assert layer["mediaType"] == LAYER
        payload = pulled.get(f"blobs/{layer['digest']}").body
        assert images.digest(payload) == layer["digest"]
        found.append(Signed(payload, base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"])))
    return found


def openssl_accepts(directory, public_key, payload, signature):
    """Whether `signature` is PKCS#1 v1.5 with SHA-256 over `payload` by the key of `public_key` (PEM)."""
    (directory / "key.pem").write_text(public_key)
    (directory / "payload").write_bytes(payload)
    (directory / "signature").write_bytes(signature)
    ended = run(
        *("openssl", "dgst", "-sha256", "-verify", directory / "key.pem"),
        *("-signature", directory / "signature", directory / "payload"),
        home=directory,
        check=False,
    )
    assert (ended.returncode == 0) == ("Verified OK" in ended.stdout), ended.stdout + ended.stderr
    return ended.returncode == 0


def cosign(directory, login, reference, public_key):
    """What `cosign verify` by key says is signed, as people with a private key service run it: nothing where nothing verifies."""
    (directory / "cosign.pem").write_text(public_key)
    ended = run(
        *("cosign", "verify", "--key", directory / "cosign.pem", "--insecure-ignore-tlog=true"),
        *("--allow-http-registry", "--allow-insecure-registry"),
        *("--registry-username", login.username, "--registry-password", login.password),
        f"{login.host}/{reference}",
        home=directory,
        check=False,
        # A key needs no trusted root from the internet; cosign looks for one all the same, and goes on without.
        TUF_MIRROR="http://127.0.0.1:1",
    )
    if ended.returncode == 0:
        return json.loads(ended.stdout)
    assert "no matching signatures" in ended.stderr or "no signatures found" in ended.stderr, ended.stderr
    return []
