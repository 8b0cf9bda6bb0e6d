"""`rookery trust` and `rookery verify`, beside the tools that they stand in for."""

import json
import os
import subprocess

import pytest

import images
from cloud import BINARY, clean_environment, eventually
from distribution import Login, Registry
from signatures import cosign, notation
from tools import run

ENVELOPE = "application/vnd.cncf.notary.signature"
RSA, ECC = "ASYMMETRIC_SIGN_VERIFY_RSA_2048", "ASYMMETRIC_SIGN_VERIFY_ECC"


@pytest.fixture
def rookery(cloud):
    def rookery(command, *arguments, check=True, **environment):
        ended = subprocess.run(
            [BINARY, command, "--data", cloud.data, *map(str, arguments)],
            capture_output=True, text=True, timeout=120, env=clean_environment(**environment),
        )
        if check:
            assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    return rookery


def signed(story, place, layout, usage=RSA):
    namespace, key = story.namespace(place.id), story.key(usage)
    story.policy(place.id, namespace, key)
    name = f"{place.name}/{namespace}/app"
    story.skopeo(place.login).push(layout, f"{name}:1")
    pulled = Registry(place.login).repository(name)
    eventually("both referrers", lambda: len(pulled.get(f"referrers/{layout.digest}").json["manifests"]) == 2)
    return namespace, key, name


@pytest.mark.parametrize("usage", [RSA, ECC])
def test_all_three_formats_verify(story, premium, layout, rookery, usage):
    _, _, name = signed(story, premium, layout, usage)
    for image in (f"{name}:1", f"{name}@{layout.digest}", f"{story.cloud.registry}/{name}:1"):
        lines = rookery("verify", image).stdout.splitlines()
        assert layout.digest in lines[0]
        assert [line.split()[:2] for line in lines[1:]] == [["simple", "verified:"], ["bundle", "verified:"], ["notation", "verified:"]]


def test_every_image_of_an_index_is_checked(story, premium, index, rookery):
    _, _, name = signed(story, premium, index)
    children = [manifest["digest"] for manifest in json.loads(index.top)["manifests"]]
    shown = rookery("verify", f"{name}:1").stdout
    assert all(child in shown for child in children) and shown.count("verified:") == 9, shown


def test_what_is_exported_is_what_the_tools_take(story, premium, layout, rookery, tmp_path):
    namespace, key, name = signed(story, premium, layout)
    place = f"{premium.name}/{namespace}"
    rookery("trust", place, "--to", tmp_path / "out")
    read = lambda file: (tmp_path / "out" / file).read_text()
    assert read("key.pub") == key.public == rookery("trust", place, "key").stdout
    trust = json.loads(read("trust.json"))
    assert cosign(tmp_path, premium.login, f"{name}:1", read("key.pub"), "cosign3")
    told = {"certificate": read("certificate.pem"), "trustPolicy": json.loads(read("trustpolicy.json"))}
    assert notation(tmp_path, premium.login, f"{name}:1", told)
    (rule,) = json.loads(read("policy.json"))["transports"]["docker"][trust["signedAs"]]
    assert rule["type"] == "sigstoreSigned"
    assert trust["signedAs"].split("/")[0] in read("registries.d.yaml")
    assert (trust["registryId"], trust["instance"]) == (premium.id, premium.name)
    # The id names the instance as well, and the file stands in for the cloud's word.
    assert rookery("trust", f"{premium.id}/{namespace}", "key").stdout == key.public
    assert rookery("verify", f"{name}:1", "--trust", tmp_path / "out/trust.json").stdout.count("verified:") == 3


def test_a_foreign_key_verifies_nothing(story, premium, layout, rookery, tmp_path):
    _, _, name = signed(story, premium, layout)
    other = story.namespace(premium.id)
    story.policy(premium.id, other, story.key())
    (tmp_path / "trust.json").write_text(rookery("trust", f"{premium.name}/{other}").stdout)
    ended = rookery("verify", f"{name}:1", "--trust", tmp_path / "trust.json", check=False)
    assert ended.returncode == 1 and ended.stdout.count("REFUSED") == 3, ended.stdout + ended.stderr


def test_containers_image_takes_signed_images_alone(story, premium, layout, rookery, tmp_path, unique):
    """What podman, skopeo, buildah and CRI-O do under a policy.json; by path, so the name in the signatures is given."""
    namespace, _, name = signed(story, premium, layout)
    other = story.namespace(premium.id)
    story.policy(premium.id, other, story.key())
    host = story.cloud.registry
    (tmp_path / "registries.d").mkdir()
    (tmp_path / "registries.d/rookery.yaml").write_text(f"docker:\n  {host}:\n    use-sigstore-attachments: true\n")

    def takes(trusted, image):
        policy = json.loads(rookery("trust", f"{premium.name}/{trusted}", "containers-policy").stdout)
        ((scope, (rule,)),) = policy["transports"]["docker"].items()
        rule["signedIdentity"] = {"type": "exactRepository", "dockerRepository": f"{scope}/app"}
        policy["transports"]["docker"] = {f"{host}/{premium.name}/{namespace}": [rule]}
        (tmp_path / "policy.json").write_text(json.dumps(policy))
        login = (premium.login.username, premium.login.password)
        ended = run("containers-image", tmp_path / "policy.json", tmp_path / "registries.d", *login, f"{host}/{image}", home=tmp_path, check=False)
        assert ended.returncode in (0, 1), ended.stderr
        return ended.returncode == 0, ended.stderr

    assert takes(namespace, f"{name}:1") == (True, "")
    assert not takes(other, f"{name}:1")[0]
    # Nobody has signed this one.
    story.tccli("tcr", "DeleteSignaturePolicy", RegistryId=premium.id, NamespaceName=other)
    unsigned = images.single(tmp_path / "unsigned", unique("unsigned"))
    story.skopeo(premium.login).push(unsigned, f"{premium.name}/{other}/app:1")
    assert "rejected" in takes(namespace, f"{premium.name}/{other}/app:1")[1]


def test_what_is_missing_is_told(story, premium, layout, rookery):
    _, _, name = signed(story, premium, layout)
    pulled = Registry(premium.login).repository(name)
    (envelope,) = [row for row in pulled.get(f"referrers/{layout.digest}").json["manifests"] if row["artifactType"] == ENVELOPE]
    assert pulled.delete(f"manifests/{envelope['digest']}").status == 202
    ended = rookery("verify", f"{name}:1", check=False)
    assert ended.returncode == 1
    assert [line.split()[1] for line in ended.stdout.splitlines()[1:]] == ["verified:", "verified:", "MISSING"]


def test_somebody_elses_attachments_change_nothing(story, premium, layout, rookery, unique):
    _, _, name = signed(story, premium, layout)
    pulled = Registry(premium.login).repository(name)
    (bundle,) = [row for row in pulled.get(f"referrers/{layout.digest}").json["manifests"] if row["artifactType"] != ENVELOPE]
    manifest = pulled.get(f"manifests/{bundle['digest']}").json
    layer = pulled.put_blob(b'{"dsseEnvelope": {"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": ""}]}}')
    manifest["layers"][0] |= {"digest": layer, "size": len(pulled.get(f"blobs/{layer}").body)}
    assert pulled.put_manifest(images.digest(images.compact(manifest)), images.compact(manifest)).status == 201
    assert rookery("verify", f"{name}:1").stdout.count("verified:") == 3


def test_a_login_of_ones_own_is_used(story, premium, layout, rookery):
    _, _, name = signed(story, premium, layout)
    username = ("--username", premium.login.username)
    assert rookery("verify", f"{name}:1", *username, ROOKERY_REGISTRY_PASSWORD=premium.login.password).stdout.count("verified:") == 3
    ended = rookery("verify", f"{name}:1", *username, check=False, ROOKERY_REGISTRY_PASSWORD="wrong")
    assert ended.returncode == 1 and "does not let this login" in ended.stderr


@pytest.mark.parametrize(("image", "words"), [("demo", "an image is named"), ("nobodys/library/app:1", "no such namespace")])
def test_what_cannot_be_verified_is_said(rookery, image, words):
    ended = rookery("verify", image, check=False)
    assert ended.returncode == 1 and words in ended.stderr


def test_states_are_shown_until_everything_is_signed(story, premium, layout, rookery):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    story.tccli("kms", "DisableKey", KeyId=key.id)
    story.skopeo(premium.login).push(layout, f"{premium.name}/{namespace}/app:1")

    def state():
        (image,) = json.loads(rookery("trust", f"{premium.name}/{namespace}").stdout)["images"]
        assert (image["repository"], image["digest"]) == (f"{namespace}/app", layout.digest)
        return image

    story.tccli("kms", "EnableKey", KeyId=key.id)
    eventually("it is signed", lambda: state()["state"] == "signed")
    assert state()["formats"] == ["simple", "bundle", "notation"] and state()["reason"] is None


def test_a_failure_has_its_reason(story, premium, layout, rookery):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    # The certificate is there before the key is out of use, so that the cloud can still tell it.
    rookery("trust", f"{premium.name}/{namespace}")
    story.tccli("kms", "DisableKey", KeyId=key.id)
    story.skopeo(premium.login).push(layout, f"{premium.name}/{namespace}/app:1")
    (image,) = json.loads(rookery("trust", f"{premium.name}/{namespace}").stdout)["images"]
    assert image["state"] == "failed" and "disabled" in image["reason"] and image["nextTryAt"] and image["formats"] == []
