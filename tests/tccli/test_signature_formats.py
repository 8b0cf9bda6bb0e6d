"""The three formats of a signature, each verified by the tools that people verify it with, and each refused where it must be."""

import base64
import json
import urllib.error
import urllib.request

import pytest

import images
import cloud as clouds
from cloud import DEADLINE, eventually
from distribution import Registry
from signatures import beside, cosign, notation, openssl_accepts
from tools import run

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ENVELOPE = "application/vnd.cncf.notary.signature"
RSA, ECC = "ASYMMETRIC_SIGN_VERIFY_RSA_2048", "ASYMMETRIC_SIGN_VERIFY_ECC"
# cosign 3 looks for bundles; told not to, for what cosign 2 wrote.
COSIGNS = {"cosign 2": ("cosign",), "cosign 3": ("cosign3",), "cosign 3, tag": ("cosign3", "--new-bundle-format=false")}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A cloud whose policies are counted here."""
    with clouds.started(tmp_path_factory.mktemp("bundles") / "data") as cloud:
        yield cloud


def verification(cloud, registry, namespace):
    """How to verify a namespace's images, as the cloud tells on this machine."""
    page = f"{cloud.endpoints['http']}/_rookery/signing/{registry}/{namespace}"
    with urllib.request.urlopen(page, timeout=DEADLINE) as reply:
        return json.load(reply)


def referrers(login, repository, digest):
    """What refers to an image, by type."""
    reply = Registry(login).repository(repository).get(f"referrers/{digest}")
    assert reply.status == 200
    return sorted(manifest["artifactType"] for manifest in reply.json["manifests"])


def signed(story, place, layout, usage=RSA):
    """A namespace with a policy, and an image in it that is signed: the namespace, the key, the name."""
    namespace, key = story.namespace(place.id), story.key(usage)
    story.policy(place.id, namespace, key)
    name = f"{place.name}/{namespace}/app"
    story.skopeo(place.login).push(layout, f"{name}:{layout.tag}")
    eventually("both referrers", lambda: referrers(place.login, name, layout.digest) == [ENVELOPE, BUNDLE])
    return namespace, key, name


@pytest.mark.parametrize("usage", [RSA, ECC])
def test_every_tool_verifies_a_push(story, premium, layout, tmp_path, usage):
    namespace, key, name = signed(story, premium, layout, usage)
    told = verification(story.cloud, premium.id, namespace)
    assert told["publicKey"] == key.public
    foreign = story.key(usage)
    for tool in COSIGNS.values():
        for reference in (f"{name}:1", f"{name}@{layout.digest}"):
            (one,) = cosign(tmp_path, premium.login, reference, key.public, *tool)
            assert one["critical"]["image"]["docker-manifest-digest"] == layout.digest
        assert not cosign(tmp_path, premium.login, f"{name}:1", foreign.public, *tool)
    assert notation(tmp_path, premium.login, f"{name}@{layout.digest}", told)
    assert notation(tmp_path, premium.login, f"{name}:1", told)
    (simple,) = beside(premium.login, name, layout.digest)
    assert openssl_accepts(tmp_path, key.public, simple.payload, simple.signature)
    assert simple.reference == f"{told['signedAs']}/app"


def test_openssl_alone_verifies_the_referrers(story, premium, layout, tmp_path):
    _, key, name = signed(story, premium, layout)
    pulled = Registry(premium.login).repository(name)
    layers = {}
    for found in pulled.get(f"referrers/{layout.digest}").json["manifests"]:
        (layer,) = pulled.get(f"manifests/{found['digest']}").json["layers"]
        layers[found["artifactType"]] = pulled.get(f"blobs/{layer['digest']}").json

    envelope = layers[BUNDLE]["dsseEnvelope"]
    statement = base64.b64decode(envelope["payload"])
    assert json.loads(statement)["subject"] == [{"digest": {"sha256": layout.digest.removeprefix("sha256:")}}]
    encoded = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(statement), statement)
    assert openssl_accepts(tmp_path, key.public, encoded, base64.b64decode(envelope["signatures"][0]["sig"]))

    envelope = layers[ENVELOPE]
    payload = json.loads(base64.urlsafe_b64decode(envelope["payload"] + "=="))
    assert payload == {"targetArtifact": images.descriptor(layout.top, images.MANIFEST)}
    message = f"{envelope['protected']}.{envelope['payload']}".encode()
    signature = base64.urlsafe_b64decode(envelope["signature"] + "==")
    assert openssl_accepts(tmp_path, key.public, message, signature, "rsa_padding_mode:pss", "rsa_pss_saltlen:32")
    assert not openssl_accepts(tmp_path, key.public, message, signature)
    assert not openssl_accepts(tmp_path, key.public, message + b"x", signature, "rsa_padding_mode:pss", "rsa_pss_saltlen:32")


def test_an_index_and_each_platform_verify(story, premium, index, tmp_path):
    namespace, key, name = signed(story, premium, index)
    told = verification(story.cloud, premium.id, namespace)
    platforms = [manifest["digest"] for manifest in json.loads(index.top)["manifests"]]
    assert len(platforms) == 2
    for digest in (index.digest, *platforms):
        eventually("both referrers", lambda digest=digest: referrers(premium.login, name, digest) == [ENVELOPE, BUNDLE])
        assert cosign(tmp_path, premium.login, f"{name}@{digest}", key.public, "cosign3")
        assert notation(tmp_path, premium.login, f"{name}@{digest}", told)


def test_notation_refuses_foreign_certificates_and_identities(story, premium, layout, tmp_path):
    namespace, _, name = signed(story, premium, layout)
    told = verification(story.cloud, premium.id, namespace)
    other = story.namespace(premium.id)
    story.policy(premium.id, other, story.key())
    foreign = verification(story.cloud, premium.id, other)
    reference = f"{name}@{layout.digest}"
    assert notation(tmp_path, premium.login, reference, told)
    # The right identity without the right certificate, and the other way round.
    assert not notation(tmp_path, premium.login, reference, foreign | {"trustPolicy": told["trustPolicy"]})
    assert not notation(tmp_path, premium.login, reference, told | {"trustPolicy": foreign["trustPolicy"]})


def test_signatures_of_another_image_verify_nothing(story, premium, layout, tmp_path, unique):
    namespace, key, name = signed(story, premium, layout)
    told = verification(story.cloud, premium.id, namespace)
    # Somebody moves every signature to an image that nobody has signed.
    victim = images.single(tmp_path / "victim", unique("unsigned"))
    place = f"{premium.name}/{story.namespace(premium.id)}/app"
    story.skopeo(premium.login).push(victim, f"{place}:1")
    source, target = (Registry(premium.login).repository(repository) for repository in (name, place))

    def copied(manifest):
        for blob in (manifest["config"], *manifest["layers"]):
            assert target.put_blob(source.get(f"blobs/{blob['digest']}").body) == blob["digest"]
        return manifest

    tag = f"{layout.digest.replace(':', '-')}.sig"
    simple = copied(source.get(f"manifests/{tag}").json)
    tag = f"{victim.digest.replace(':', '-')}.sig"
    assert target.put_manifest(tag, images.compact(simple)).status == 201
    for found in source.get(f"referrers/{layout.digest}").json["manifests"]:
        manifest = copied(source.get(f"manifests/{found['digest']}").json)
        manifest["subject"] = images.descriptor(victim.top, images.MANIFEST)
        manifest = images.compact(manifest)
        assert target.put_manifest(images.digest(manifest), manifest).status == 201
    assert referrers(premium.login, place, victim.digest) == [ENVELOPE, BUNDLE]

    for tool in COSIGNS.values():
        assert not cosign(tmp_path, premium.login, f"{place}@{victim.digest}", key.public, *tool)
    assert not notation(tmp_path, premium.login, f"{place}@{victim.digest}", told)


def test_signing_again_replaces_every_format(story, premium, layout, tmp_path):
    namespace, key, name = signed(story, premium, layout)
    for _ in range(2):
        story.sign(premium.id, namespace, "app", "1")
    assert referrers(premium.login, name, layout.digest) == [ENVELOPE, BUNDLE]
    assert len(beside(premium.login, name, layout.digest)) == 1
    assert cosign(tmp_path, premium.login, f"{name}:1", key.public, "cosign3")


def test_deleting_the_policy_takes_every_format_back(story, premium, layout, tmp_path):
    namespace, key, name = signed(story, premium, layout)
    told = verification(story.cloud, premium.id, namespace)
    story.tccli("tcr", "DeleteSignaturePolicy", RegistryId=premium.id, NamespaceName=namespace)
    eventually("nothing refers to the image", lambda: referrers(premium.login, name, layout.digest) == [])
    for tool in COSIGNS.values():
        assert not cosign(tmp_path, premium.login, f"{name}:1", key.public, *tool)
    assert not notation(tmp_path, premium.login, f"{name}@{layout.digest}", told)
    assert story.skopeo(premium.login).raw_manifest(f"{name}:1") == layout.top


def test_deleting_an_image_takes_every_format_along(story, premium, layout):
    namespace, _, name = signed(story, premium, layout)
    place = {"RegistryId": premium.id, "NamespaceName": namespace, "RepositoryName": "app"}
    story.tccli("tcr", "DeleteImage", ImageVersion="1", **place)
    eventually("nothing refers to the image", lambda: referrers(premium.login, name, layout.digest) == [])
    assert beside(premium.login, name, layout.digest) == []


def test_the_certificate_is_one_of_the_key_and_stays(start, tell, tmp_path):
    cloud = start()
    story = tell(cloud)
    _, registry = story.instance()
    namespace, key = story.namespace(registry), story.key()
    story.policy(registry, namespace, key)
    told = verification(cloud, registry, namespace)
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(told["certificate"])

    def openssl(*arguments):
        return run("openssl", *arguments, home=tmp_path).stdout

    assert openssl("x509", "-in", certificate, "-noout", "-pubkey") == key.public
    # Self-signed: it verifies by itself, signature and all.
    trust = ("-x509_strict", "-check_ss_sig", "-partial_chain", "-CAfile", certificate)
    assert openssl("verify", *trust, certificate).endswith(": OK\n")
    shown = openssl("x509", "-in", certificate, "-noout", "-text")
    for part in ("CA:FALSE", "Digital Signature", "Code Signing", f"CN = {key.id}", "Not After : Dec 31 23:59:59 9999 GMT"):
        assert part in shown, shown
    cloud.kill()
    cloud.start()
    assert verification(cloud, registry, namespace) == told
    # Who has no key any more can still verify.
    story.tccli("kms", "DisableKey", KeyId=key.id)
    assert verification(cloud, registry, namespace) == told


@pytest.mark.parametrize("path", ["tcr-00000000/library", "library", ""])
def test_there_is_nothing_to_verify_without_a_policy(cloud, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cloud.endpoints['http']}/_rookery/signing/{path}", timeout=DEADLINE)
    assert caught.value.code == 404
