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


def openssl_accepts(directory, public_key, payload, signature, *options):
    """Whether `signature` is one over the SHA-256 of `payload` by `public_key` (PEM); RSA uses PKCS#1 v1.5 by default."""
    (directory / "key.pem").write_text(public_key)
    (directory / "payload").write_bytes(payload)
    (directory / "signature").write_bytes(signature)
    ended = run(
        *("openssl", "dgst", "-sha256", "-verify", directory / "key.pem"),
        *(word for option in options for word in ("-sigopt", option)),
        *("-signature", directory / "signature", directory / "payload"),
        home=directory,
        check=False,
    )
    assert (ended.returncode == 0) == ("Verified OK" in ended.stdout), ended.stdout + ended.stderr
    return ended.returncode == 0


# cosign 2.6 wants to be told of a trusted root before it looks at a bundle, though a key needs nothing of it; this one is empty.
TRUSTED_ROOT = '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'


def cosign(directory, login, reference, public_key, tool="cosign", *flags):
    """What `cosign verify` by key says is signed, as people with a private key service run it: nothing where nothing verifies."""
    (directory / "cosign.pem").write_text(public_key)
    (directory / "trusted-root.json").write_text(TRUSTED_ROOT)
    if tool == "cosign":
        flags = [*flags, "--trusted-root", directory / "trusted-root.json"]
    ended = run(
        *(tool, "verify", "--key", directory / "cosign.pem", "--insecure-ignore-tlog=true", *flags),
        *("--allow-http-registry", "--allow-insecure-registry"),
        *("--registry-username", login.username, "--registry-password", login.password),
        f"{login.host}/{reference}",
        home=directory,
        check=False,
        # Nothing is fetched from the internet.
        TUF_MIRROR="http://127.0.0.1:1",
    )
    if ended.returncode == 0:
        return json.loads(ended.stdout)
    refusals = ("no matching", "no signatures found", "no valid bundles")
    assert any(refusal in ended.stderr for refusal in refusals), ended.stderr
    return []


def notation(directory, login, reference, verification):
    """Whether `notation verify` accepts an image under the trust policy and certificate of a namespace."""
    home = directory / "notation"
    home.mkdir(exist_ok=True)
    certificate, policy = home / "certificate.pem", home / "policy.json"
    certificate.write_text(verification["certificate"])
    policy.write_text(json.dumps(verification["trustPolicy"]))

    def notation(*arguments, check=True):
        return run("notation", *arguments, home=home, check=check, XDG_CONFIG_HOME=home / "configuration")

    shelf = home / "configuration/notation/truststore/x509/ca/rookery"
    if not (shelf / certificate.name).exists() or (shelf / certificate.name).read_text() != certificate.read_text():
        if shelf.exists():
            notation("certificate", "delete", "--type", "ca", "--store", "rookery", "--all", "--yes")
        notation("certificate", "add", "--type", "ca", "--store", "rookery", certificate)
    notation("policy", "import", "--force", policy)
    flags = ["--insecure-registry", "--username", login.username, "--password", login.password]
    ended = notation("verify", *flags, f"{login.host}/{reference}", check=False)
    if ended.returncode == 0:
        assert "Successfully verified" in ended.stdout, ended.stdout
        return True
    refusals = ("signature verification failed", "no signature is associated", "failed to verify")
    assert any(refusal in (ended.stdout + ended.stderr).lower() for refusal in refusals), ended.stdout + ended.stderr
    return False
