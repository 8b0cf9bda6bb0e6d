"""What a signature policy makes of a push, and when there can be none."""

import base64
from dataclasses import replace

import pytest

import images
from cloud import eventually
from signatures import beside, cosign, openssl_accepts
from story import REGION, Key
from tencent import Tccli


def kms_signature(story, place, namespace, repository="app", tag="1"):
    rows = story.images(place.id, namespace, repository, ImageVersion=tag, ExactMatch=True)
    assert len(rows) == 1
    return rows[0]["KmsSignature"]


def pushed(story, place, namespace, layout):
    """Pushes a layout to the repository `app` of a namespace. The result is the repository's name."""
    name = f"{place.name}/{namespace}/app"
    story.skopeo(place.login).push(layout, f"{name}:{layout.tag}")
    return name


def test_the_domain_of_a_policy_is_the_host_that_is_signed(story, premium, layout, tmp_path):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key, Domain="images.example.com")
    name = pushed(story, premium, namespace, layout)
    eventually("a signature", lambda: kms_signature(story, premium, namespace))
    (signed,) = beside(premium.login, name, layout.digest)
    assert signed.reference == f"images.example.com/{namespace}/app"
    assert cosign(tmp_path, premium.login, f"{name}:1", key.public)


def test_without_bundles_two_generations_of_cosign_verify_with_no_network(story, premium, layout, tmp_path):
    namespace, key, foreign = story.namespace(premium.id), story.key(), story.key()
    story.policy(premium.id, namespace, key)
    name = pushed(story, premium, namespace, layout)
    eventually("a signature", lambda: kms_signature(story, premium, namespace))
    for tool in ("cosign", "cosign3"):
        assert cosign(tmp_path, premium.login, f"{name}:1", key.public, tool)
        assert not cosign(tmp_path, premium.login, f"{name}:1", foreign.public, tool)


def test_an_empty_kms_region_is_the_region_of_the_instance(story, premium, layout, tmp_path):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key, KmsRegion="")
    name = pushed(story, premium, namespace, layout)
    (signed,) = eventually("a signature", lambda: beside(premium.login, name, layout.digest))
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)


def test_a_disabled_policy_signs_nothing(story, premium, tmp_path, unique):
    disabled, enabled, key = story.namespace(premium.id), story.namespace(premium.id), story.key()
    story.policy(premium.id, disabled, key, Disabled=True)
    story.policy(premium.id, enabled, key)
    layouts = [images.single(tmp_path / name, unique("x")) for name in ("first", "second")]
    name = pushed(story, premium, disabled, layouts[0])
    pushed(story, premium, enabled, layouts[1])
    # Whatever was to be signed before the second push has been by the time that the second is.
    eventually("a signature", lambda: kms_signature(story, premium, enabled))
    assert not kms_signature(story, premium, disabled)
    assert not beside(premium.login, name, layouts[0].digest)
    assert not cosign(tmp_path, premium.login, f"{name}:1", key.public)


def test_an_index_is_signed_as_a_whole(story, premium, index, tmp_path):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    name = pushed(story, premium, namespace, index)
    (signed,) = eventually("a signature", lambda: beside(premium.login, name, index.digest))
    assert signed.digest == index.digest
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)


def test_an_ecc_key_signs_too(story, premium, layout, tmp_path):
    namespace, key = story.namespace(premium.id), story.key("ASYMMETRIC_SIGN_VERIFY_ECC")
    story.policy(premium.id, namespace, key)
    name = pushed(story, premium, namespace, layout)
    (signed,) = eventually("a signature", lambda: beside(premium.login, name, layout.digest))
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)
    assert cosign(tmp_path, premium.login, f"{name}:1", key.public)


def test_images_from_before_the_policy_are_signed_by_hand(story, premium, layout, tmp_path):
    namespace, key = story.namespace(premium.id), story.key()
    name = pushed(story, premium, namespace, layout)
    assert not kms_signature(story, premium, namespace)
    story.policy(premium.id, namespace, key)
    story.sign(premium.id, namespace, "app", "1")
    (signed,) = beside(premium.login, name, layout.digest)
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)
    assert base64.b64decode(kms_signature(story, premium, namespace)) == signed.signature


def test_signing_again_replaces_the_signature_of_the_same_key(story, premium, layout):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    name = pushed(story, premium, namespace, layout)
    for _ in range(2):
        story.sign(premium.id, namespace, "app", "1")
    assert len(beside(premium.login, name, layout.digest)) == 1


def test_deleting_the_policy_deletes_the_signatures_but_no_image(story, premium, layout, tmp_path):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    name = pushed(story, premium, namespace, layout)
    eventually("a signature", lambda: kms_signature(story, premium, namespace))
    story.tccli("tcr", "DeleteSignaturePolicy", RegistryId=premium.id, NamespaceName=namespace)
    eventually("no signature is left", lambda: not beside(premium.login, name, layout.digest))
    assert kms_signature(story, premium, namespace) == ""
    assert not cosign(tmp_path, premium.login, f"{name}:1", key.public)
    assert story.skopeo(premium.login).raw_manifest(f"{name}:1") == layout.top


def test_the_signatures_are_no_images_of_their_own(story, premium, layout):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    pushed(story, premium, namespace, layout)
    eventually("a signature", lambda: kms_signature(story, premium, namespace))
    assert [row["ImageVersion"] for row in story.images(premium.id, namespace, "app")] == ["1"]


def test_namespaces_can_be_asked_for_by_their_policy(story, premium):
    with_policy, without = story.namespace(premium.id), story.namespace(premium.id)
    story.policy(premium.id, with_policy, story.key())
    rows = story.tccli("tcr", "DescribeNamespaces", RegistryId=premium.id, KmsSignPolicy=True, All=True)["NamespaceList"]
    names = [row["Name"] for row in rows]
    assert with_policy in names and without not in names


# -- a key service that refuses


def test_a_push_stands_while_the_key_is_disabled_and_is_signed_when_it_is_not(story, premium, layout, tmp_path, refused):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    story.tccli("kms", "DisableKey", KeyId=key.id)
    name = pushed(story, premium, namespace, layout)
    assert story.skopeo(premium.login).raw_manifest(f"{name}:1") == layout.top
    assert not kms_signature(story, premium, namespace)
    assert refused(story.sign, premium.id, namespace, "app", "1").code == "FailedOperation.DependenceError"
    story.tccli("kms", "EnableKey", KeyId=key.id)
    story.sign(premium.id, namespace, "app", "1")
    (signed,) = beside(premium.login, name, layout.digest)
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)


def test_what_could_not_be_signed_is_signed_later_without_being_asked(story, premium, layout, tmp_path):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    story.tccli("kms", "DisableKey", KeyId=key.id)
    name = pushed(story, premium, namespace, layout)
    story.tccli("kms", "EnableKey", KeyId=key.id)
    (signed,) = eventually("the queue signs", lambda: beside(premium.login, name, layout.digest))
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)


def test_a_push_is_not_forgotten_over_a_power_cut(start, tell, tmp_path):
    cloud = start()
    story = tell(cloud)
    name, registry = story.instance()
    namespace, key = story.namespace(registry), story.key()
    story.policy(registry, namespace, key)
    login = story.login(registry)
    story.tccli("kms", "DisableKey", KeyId=key.id)
    layout = images.single(tmp_path / "layout", "pushed before the cut")
    story.skopeo(login).push(layout, f"{name}/{namespace}/app:1")
    cloud.kill()
    cloud.start()
    story.tccli("kms", "EnableKey", KeyId=key.id)
    login = replace(login, host=cloud.registry)
    (signed,) = eventually("the queue signs", lambda: beside(login, f"{name}/{namespace}/app", layout.digest))
    assert openssl_accepts(tmp_path, key.public, signed.payload, signed.signature)


# -- the four errors of CreateSignaturePolicy

INVALID = "InvalidParameter.ErrorTcrInvalidParameter"
DEPENDENCE = "FailedOperation.DependenceError"


def test_a_policy_needs_a_key_that_exists(story, premium, refused):
    key = Key("08408a30-0416-11ed-abdc-52540036b432", public="")
    assert refused(story.policy, premium.id, story.namespace(premium.id), key).code == DEPENDENCE


def test_a_policy_needs_a_key_of_that_region(story, premium, refused):
    namespace, key = story.namespace(premium.id), story.key()
    assert refused(story.policy, premium.id, namespace, key, KmsRegion="ap-tokyo").code == DEPENDENCE


def test_a_policy_needs_a_key_that_is_enabled(story, premium, refused):
    namespace, key = story.namespace(premium.id), story.key()
    story.tccli("kms", "DisableKey", KeyId=key.id)
    assert refused(story.policy, premium.id, namespace, key).code == DEPENDENCE


def test_a_policy_needs_a_namespace_that_exists(story, premium, refused):
    assert refused(story.policy, premium.id, "nowhere", story.key()).code == INVALID


def test_a_namespace_has_one_policy(story, premium, refused):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    assert refused(story.policy, premium.id, namespace, key).code == INVALID


@pytest.mark.parametrize("edition", ["basic", "standard"])
def test_only_the_premium_edition_signs(story, refused, edition):
    _, registry = story.instance(edition=edition)
    namespace = story.namespace(registry)
    assert refused(story.policy, registry, namespace, story.key()).code == "UnsupportedOperation"


def test_a_policy_needs_an_instance_of_the_callers(story, refused):
    # Of the four codes two can mean it; which one the platform answers is not public.
    code = refused(story.policy, "tcr-00000000", "library", story.key()).code
    assert code in {INVALID, "InternalError.ErrorTcrUnauthorized"}


# -- the errors of CreateSignature


def test_there_is_nothing_to_sign_without_an_image(story, premium, refused):
    namespace, key = story.namespace(premium.id), story.key()
    story.policy(premium.id, namespace, key)
    assert refused(story.sign, premium.id, namespace, "app", "1").code.startswith("ResourceNotFound")


def test_nothing_signs_without_a_policy(story, premium, layout, refused):
    namespace = story.namespace(premium.id)
    pushed(story, premium, namespace, layout)
    error = refused(story.sign, premium.id, namespace, "app", "1")
    assert error.code.split(".")[0] in {"OperationDenied", "ResourceNotFound", "InvalidParameter", "UnsupportedOperation"}


def test_the_key_region_may_be_another(story, premium, layout, tmp_path):
    namespace = story.namespace(premium.id)
    elsewhere = Tccli(story.cloud, story.home, region="ap-shanghai")
    id = elsewhere("kms", "CreateKey", Alias=story.unique("far"), KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048")["KeyId"]
    assert REGION != "ap-shanghai"
    story.policy(premium.id, namespace, Key(id, public=""), KmsRegion="ap-shanghai")
    name = pushed(story, premium, namespace, layout)
    (signed,) = eventually("a signature", lambda: beside(premium.login, name, layout.digest))
    public = elsewhere("kms", "GetPublicKey", KeyId=id)["PublicKeyPem"]
    assert openssl_accepts(tmp_path, public, signed.payload, signed.signature)
