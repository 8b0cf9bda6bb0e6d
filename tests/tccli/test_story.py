"""The whole story, as one user lives it: from an empty cloud to a signed image that outlives a power cut."""

import base64
from dataclasses import replace

import pytest

import images
from cloud import eventually
from requester import UUID
from signatures import beside, cosign, openssl_accepts
from skopeo import holds
from tencent import TccliError


@pytest.fixture
def place(tmp_path):
    """A directory for what a tool reads."""
    directory = tmp_path / "place"
    directory.mkdir()
    return directory


def test_who_am_i(story):
    told = story.tccli("sts", "GetCallerIdentity")
    assert told["AccountId"] == told["UserId"] == told["PrincipalId"]
    assert told["Arn"] == f"qcs::cam:{told['AccountId']}:uin/{told['UserId']}"
    assert UUID.fullmatch(told["RequestId"])


def test_a_refusal_is_printed_with_its_code(story):
    with pytest.raises(TccliError) as refusal:
        story.tccli("tcr", "DescribeNamespaces", RegistryId="tcr-00000000")
    assert refusal.value.code.startswith("ResourceNotFound")
    assert UUID.fullmatch(refusal.value.request_id)


def test_from_nothing_to_an_image_that_outlives_a_power_cut(start, tell, place, tmp_path):
    cloud = start()
    story = tell(cloud)
    name, registry = story.instance("demo")
    library = story.namespace(registry)
    key, foreign = story.key(), story.key()
    story.policy(registry, library, key)
    login = story.login(registry)
    app = f"{name}/{library}/app"

    # Push: one image, and an index of two platforms.
    skopeo = story.skopeo(login)
    image = images.single(tmp_path / "image", "one", tag="1")
    index = images.multi(tmp_path / "index", "many", tag="2")
    skopeo.push(image, f"{app}:1")
    skopeo.push(index, f"{app}:2")

    # The cloud shows both, signed.
    def both_signed():
        shown = {row["ImageVersion"]: row for row in story.images(registry, library, "app")}
        return shown if len(shown) == 2 and all(row["KmsSignature"] for row in shown.values()) else None

    shown = eventually("both images are signed", both_signed)
    for layout in (image, index):
        row = shown[layout.tag]
        assert row["Digest"] == layout.digest
        assert row["Kind"] == f"Artifact::{layout.media_type}"
        (told,) = cosign(place, login, f"{app}:{layout.tag}", key.public)
        assert told["critical"]["image"]["docker-manifest-digest"] == layout.digest
        assert not cosign(place, login, f"{app}:{layout.tag}", foreign.public)

        # Without cosign: the bytes of the registry, openssl, and what the cloud itself shows.
        (signed,) = beside(login, app, layout.digest)
        assert signed.digest == layout.digest
        assert signed.reference == f"{name}.cr.localhost/{library}/app"
        assert base64.b64decode(row["KmsSignature"]) == signed.signature
        assert openssl_accepts(place, key.public, signed.payload, signed.signature)
        assert not openssl_accepts(place, foreign.public, signed.payload, signed.signature)
        assert not openssl_accepts(place, key.public, signed.payload.replace(b"sha256:", b"sha256;"), signed.signature)

    # The power fails.
    cloud.kill()
    cloud.start()
    login = replace(login, host=cloud.registry)
    skopeo = story.skopeo(login)
    for layout in (image, index):
        pulled = place / f"pulled-{layout.tag}"
        pulled.mkdir()
        skopeo.pull(f"{app}:{layout.tag}", pulled)
        assert holds(pulled, layout)
        assert skopeo.raw_manifest(f"{app}:{layout.tag}") == layout.top
        assert cosign(place, login, f"{app}:{layout.tag}", key.public)
    assert both_signed() == shown
    assert story.tccli("kms", "GetPublicKey", KeyId=key.id)["PublicKeyPem"] == key.public
    described = story.tccli("tcr", "DescribeInstances", Registryids=[registry])["Registries"][0]
    assert (described["RegistryName"], described["Status"]) == (name, "Running")
    # And the story goes on: the key still signs.
    another = images.single(tmp_path / "another", "three", tag="3")
    skopeo.push(another, f"{app}:3")
    signature = eventually("the new image is signed", lambda: beside(login, app, another.digest))[0]
    assert openssl_accepts(place, key.public, signature.payload, signature.signature)
