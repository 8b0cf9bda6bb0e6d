"""What an instance holds, through the typed SDK and as skopeo sees it: namespaces, repositories, images, signatures, tokens."""

import base64
import json
import re
from dataclasses import dataclass

import pytest
from tencentcloud.kms.v20190118.kms_client import KmsClient

import images
import sdk
from cloud import eventually
from distribution import Login, Registry
from signatures import beside, openssl_accepts
from skopeo import Skopeo
from typed import Typed

NOBODYS = "tcr-00000000"
GONE = "ResourceNotFound.TcrResourceNotFound"
NOT_EMPTY = "repository is not empty, cannot delete without ForceDelete=true"
# 2024-12-10 14:30:36.806284 +0000 UTC: the layout of Go's Time.String.
GO_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})? \+0000 UTC")


@dataclass(frozen=True)
class Place:
    """An instance, a login to it, and calls about it."""

    id: str
    name: str
    login: Login
    call: Typed

    def __call__(self, action, **parameters):
        return self.call(action, RegistryId=self.id, **parameters)

    def namespace(self, name, **more):
        self("CreateNamespace", **{"NamespaceName": name, "IsPublic": False} | more)
        return name

    def find_namespace(self, name):
        """The row of exactly that name, or `None`."""
        rows = self("DescribeNamespaces", NamespaceName=name).NamespaceList
        return next((row for row in rows if row.Name == name), None)

    def repositories(self, **more):
        return self("DescribeRepositories", **more).RepositoryList

    def images(self, namespace, repository, **more):
        return self("DescribeImages", NamespaceName=namespace, RepositoryName=repository, **more).ImageInfoList


@pytest.fixture
def place(cloud, tcr, unique):
    call, name = Typed(tcr()), unique("content")
    id = call("CreateInstance", RegistryName=name, RegistryType="premium").RegistryId
    status = lambda: call("DescribeInstanceStatus", RegistryIds=[id]).RegistryStatusSet[0].Status
    eventually(f"{name} runs", lambda: status() == "Running")
    token = call("CreateInstanceToken", RegistryId=id, TokenType="longterm")
    return Place(id, name, Login(cloud.registry, token.Username, token.Token), call)


@pytest.fixture
def skopeo(place, home):
    return Skopeo(place.login, home)


@pytest.fixture
def layout(tmp_path, unique):
    return images.single(tmp_path / "layout", unique("hello"))


# -- namespaces


def test_a_namespace_from_its_creation_to_its_end(place, skopeo, layout, refusal):
    tags = lambda value: {"ResourceType": "namespace", "Tags": [{"Key": "team", "Value": value}]}
    place.namespace("library", TagSpecification=tags("one"), Severity="high", CVEWhitelistItems=[{"CVEID": "CVE-2024-1234"}])
    told = place.find_namespace("library")
    assert (told.Public, told.Severity, told.AutoScan, told.PreventVUL) == (False, "high", False, False)
    assert [item.CVEID for item in told.CVEWhitelistItems] == ["CVE-2024-1234"]
    assert (told.TagSpecification.ResourceType, told.TagSpecification.Tags[0].Value) == ("namespace", "one")
    assert {pair.Key: pair.Value for pair in told.Metadata} == {"public": "false", "auto_scan": "false", "prevent_vul": "false"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)", told.CreationTime)

    # Nobody pulls from it until it is public.
    skopeo.push(layout, f"{place.name}/library/app:1")
    anonymous = Skopeo(place.login.anonymous(), skopeo.home)
    assert anonymous.inspect(f"{place.name}/library/app:1", check=False).returncode != 0
    place("ModifyNamespace", NamespaceName="library", IsPublic=True, Severity="low", TagSpecification=tags("two"))
    changed = place.find_namespace("library")
    assert (changed.Public, changed.Severity, changed.NamespaceId) == (True, "low", told.NamespaceId)
    assert changed.TagSpecification.Tags[0].Value == "two"
    assert [item.CVEID for item in changed.CVEWhitelistItems] == ["CVE-2024-1234"]
    assert place.repositories(NamespaceName="library")[0].Public is True
    assert anonymous.raw_manifest(f"{place.name}/library/app:1") == layout.top

    assert refusal(place, "DeleteNamespace", NamespaceName="library").code == "FailedOperation.PreconditionFailed"
    assert skopeo.raw_manifest(f"{place.name}/library/app:1") == layout.top
    place("DeleteRepository", NamespaceName="library", RepositoryName="app")
    place("DeleteNamespace", NamespaceName="library")
    assert place.find_namespace("library") is None
    for action in ("DeleteNamespace", "ModifyNamespace"):
        assert refusal(place, action, NamespaceName="library").code == GONE
    # Its number is never given again.
    place.namespace("library")
    assert place.find_namespace("library").NamespaceId > told.NamespaceId


NAMESPACES = ["a", "x" * 31, "-ab", "ab-", "a--b", "a_.b", "Upper", "a/b", "a b"]


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_namespace_obeys_its_grammar(place, refusal, name):
    error = refusal(place, "CreateNamespace", NamespaceName=name, IsPublic=False)
    assert error.code == "InvalidParameter.ErrorTcrInvalidParameter"
    assert place("DescribeNamespaces").TotalCount == 0


@pytest.mark.parametrize("name", ["ab", "x" * 30, "a.b_c-1"])
def test_the_longest_and_oddest_namespaces_are_made(place, name):
    place.namespace(name)
    assert place.find_namespace(name).Name == name


def test_what_cannot_be_made_or_changed_in_namespaces_is_refused(place, refusal):
    place.namespace("library")
    refused = lambda action, **more: refusal(place, action, **{"NamespaceName": "library"} | more).code
    assert refused("CreateNamespace", IsPublic=True) == "FailedOperation.ErrorTcrResourceConflict"
    assert place.find_namespace("library").Public is False
    for fault in ({"Severity": "deadly"}, {"CVEWhitelistItems": [{"CVEID": "CWE-79"}]}):
        assert refused("ModifyNamespace", **fault) == "InvalidParameter"
        assert refused("CreateNamespace", NamespaceName="other", IsPublic=False, **fault) == "InvalidParameter"
    assert refused("DescribeNamespaces", Offset=-1) == "InvalidParameter"
    assert refused("DescribeNamespaces", Filters=[{"Name": "Zone", "Values": []}]) == "InvalidParameter"
    nobodys = lambda action, **more: refusal(place.call, action, RegistryId=NOBODYS, **more).code
    assert nobodys("DescribeNamespaces") == "ResourceNotFound"
    assert nobodys("CreateNamespace", NamespaceName="library", IsPublic=False) == "ResourceNotFound"
    assert nobodys("ModifyNamespace", NamespaceName="library") == "ResourceNotFound"
    assert nobodys("DeleteNamespace", NamespaceName="library") == "ResourceNotFound"


def test_namespaces_are_found_by_a_part_of_the_name_and_by_tag(place):
    tags = {"ResourceType": "namespace", "Tags": [{"Key": "team", "Value": "one"}]}
    for name in ("my-project-a", "project-a", "project-ab"):
        place.namespace(name, **({"TagSpecification": tags} if name == "project-ab" else {}))
    found = lambda **more: [row.Name for row in place("DescribeNamespaces", **more).NamespaceList]
    assert found(NamespaceName="project-a")[0] == "project-a"
    assert sorted(found(NamespaceName="project-a")) == ["my-project-a", "project-a", "project-ab"]
    assert found(NamespaceName="project-x") == []
    assert found(Filters=[{"Name": "Tags", "Values": ["team:one"]}]) == ["project-ab"]
    assert found(Filters=[{"Name": "Tags", "Values": ["team:two"]}]) == []
    assert found(KmsSignPolicy=True) == []


# -- repositories


def test_a_repository_from_its_creation_to_its_end(place, skopeo, layout, refusal):
    place.namespace("library")
    name = {"NamespaceName": "library", "RepositoryName": "team/app"}
    place("CreateRepository", **name, BriefDescription="brief", Description="# long")
    (told,) = place.repositories(**name)
    assert (told.Name, told.Namespace, told.Public) == ("library/team/app", "library", False)
    assert (told.BriefDescription, told.Description) == ("brief", "# long")
    assert GO_TIME.fullmatch(told.CreationTime) and GO_TIME.fullmatch(told.UpdateTime)
    assert place.images("library", "team/app") == []

    place("ModifyRepository", **name, BriefDescription="shorter", Description="")
    (changed,) = place.repositories(**name)
    assert (changed.BriefDescription, changed.Description) == ("shorter", "")
    assert changed.CreationTime == told.CreationTime

    skopeo.push(layout, f"{place.name}/library/team/app:1")
    (changed,) = place.repositories(**name)
    assert (changed.BriefDescription, changed.CreationTime) == ("shorter", told.CreationTime)
    error = refusal(place, "DeleteRepository", **name, ForceDelete=False)
    assert (error.code, error.message) == ("FailedOperation.PreconditionFailed", NOT_EMPTY)
    assert skopeo.raw_manifest(f"{place.name}/library/team/app:1") == layout.top

    place("DeleteRepository", **name)
    assert place.repositories(**name) == []
    assert skopeo.inspect(f"{place.name}/library/team/app:1", check=False).returncode != 0
    assert refusal(place, "DeleteRepository", **name).code == GONE
    assert refusal(place, "ModifyRepository", **name, BriefDescription="", Description="").code == GONE
    assert refusal(place, "DescribeImages", **name).code == GONE


def test_an_empty_repository_goes_without_force(place):
    place.namespace("library")
    name = {"NamespaceName": "library", "RepositoryName": "app"}
    place("CreateRepository", **name)
    place("DeleteRepository", **name, ForceDelete=False)
    assert place.repositories(**name) == []


@pytest.mark.parametrize("name", ["a", "x" * 201, "-ab", "ab/", "a//b", "Upper", "a b"])
def test_a_repository_obeys_its_grammar(place, refusal, name):
    place.namespace("library")
    error = refusal(place, "CreateRepository", NamespaceName="library", RepositoryName=name)
    assert error.code == "InvalidParameter.ErrorTcrInvalidParameter"
    assert place.repositories() == []


def test_what_cannot_be_made_or_changed_in_repositories_is_refused(place, refusal):
    place.namespace("library")
    name = {"NamespaceName": "library", "RepositoryName": "app"}
    place("CreateRepository", **name, BriefDescription="kept")
    refused = lambda action, **more: refusal(place, action, **name | more).code
    assert refused("CreateRepository") == "InternalError.ErrorTcrResourceConflict"
    other = {"RepositoryName": "other"}
    assert refused("CreateRepository", **other, BriefDescription="x" * 101) == "InvalidParameter.ErrorTcrInvalidParameter"
    assert refused("CreateRepository", **other, Description="x" * 1001) == "InvalidParameter.ErrorTcrInvalidParameter"
    assert refused("CreateRepository", NamespaceName="nowhere") == "ResourceNotFound"
    assert refused("ModifyRepository", BriefDescription="x" * 101, Description="") == "InvalidParameter"
    assert refused("DescribeRepositories", SortBy="size") == "InvalidParameter"
    assert [row.BriefDescription for row in place.repositories()] == ["kept"]
    nobodys = lambda action, **more: refusal(place.call, action, RegistryId=NOBODYS, **more).code
    assert nobodys("DescribeRepositories") == "ResourceNotFound"
    assert nobodys("CreateRepository", **name) == "ResourceNotFound"
    assert nobodys("DeleteRepository", **name) == "ResourceNotFound"


def test_repositories_are_listed_by_namespace_by_name_and_in_order(place):
    made = [("one", "beta"), ("two", "alpha"), ("one", "alpha")]
    for namespace in ("one", "two"):
        place.namespace(namespace)
    for namespace, name in made:
        place("CreateRepository", NamespaceName=namespace, RepositoryName=name)
    found = lambda **more: [row.Name for row in place.repositories(**more)]
    assert found() == ["one/alpha", "one/beta", "two/alpha"]
    assert found(NamespaceName="one") == ["one/alpha", "one/beta"]
    assert found(NamespaceName="on") == []
    assert sorted(found(RepositoryName="alpha")) == ["one/alpha", "two/alpha"]
    assert found(SortBy="-name") == ["two/alpha", "one/beta", "one/alpha"]
    assert found(SortBy="-creation_time") == ["one/alpha", "two/alpha", "one/beta"]
    place("ModifyRepository", NamespaceName="one", RepositoryName="beta", BriefDescription="now", Description="")
    assert found(SortBy="-update_time")[0] == "one/beta"


# -- images


def push_tags(place, layout, *tags):
    """Pushes the layout to `library/app` under every one of the tags, in their order."""
    repository = Registry(place.login).repository(f"{place.name}/library/app")
    for content in layout.blobs.values():
        repository.put_blob(content)
    for tag in tags:
        reply = repository.put_manifest(tag, layout.top)
        assert reply.status == 201, reply.body


APP = {"NamespaceName": "library", "RepositoryName": "app"}


def test_images_are_listed_by_tag_and_by_digest(place, tmp_path, unique):
    place.namespace("library")
    one, two = (images.single(tmp_path / name, unique(name)) for name in ("one", "two"))
    push_tags(place, one, "v1", "v1.1")
    push_tags(place, two, "v2")
    found = lambda **more: [row.ImageVersion for row in place.images("library", "app", **more)]
    assert found() == ["v2", "v1.1", "v1"]
    assert found(ImageVersion="v1") == ["v1.1", "v1"]
    assert found(ImageVersion="v1", ExactMatch=True) == ["v1"]
    assert found(Digest=one.digest) == ["v1.1", "v1"]
    assert found(Digest=images.digest(b"")) == []
    (row,) = place.images("library", "app", ImageVersion="v2")
    assert (row.Digest, row.Kind, row.KmsSignature) == (two.digest, f"Artifact::{images.MANIFEST}", "")
    assert row.Size == sum(map(len, two.blobs.values()))


def test_a_manifest_is_text_and_its_config_is_encoded_twice(place, layout):
    place.namespace("library")
    push_tags(place, layout, "1")
    config = layout.blobs[json.loads(layout.top)["config"]["digest"]]
    for version in ("1", layout.digest):
        told = place("DescribeImageManifests", **APP, ImageVersion=version)
        assert told.Manifest.encode() == layout.top
        assert told.Config.startswith('"{') and json.loads(told.Config).encode() == config
        assert [(label.Key, label.Value) for label in told.Labels] == [("text", json.loads(config)["config"]["Labels"]["text"])]
        assert told.Size == sum(map(len, layout.blobs.values()))


def test_deleting_a_tag_deletes_the_image_under_all_its_tags(place, skopeo, tmp_path, refusal, unique):
    place.namespace("library")
    one, two = (images.single(tmp_path / name, unique(name)) for name in ("one", "two"))
    push_tags(place, one, "v1", "latest")
    push_tags(place, two, "v2")
    place("DeleteImage", **APP, ImageVersion="v1")
    assert [row.ImageVersion for row in place.images("library", "app")] == ["v2"]
    for reference in ("v1", "latest"):
        assert skopeo.inspect(f"{place.name}/library/app:{reference}", check=False).returncode != 0
    assert skopeo.inspect(f"{place.name}/library/app@{one.digest}", check=False).returncode != 0
    assert skopeo.raw_manifest(f"{place.name}/library/app:v2") == two.top
    for action in ("DeleteImage", "DescribeImageManifests"):
        for version in ("v1", "latest", one.digest, "not a tag"):
            assert refusal(place, action, **APP, ImageVersion=version).code == GONE


def test_what_is_asked_of_no_image_is_refused(place, refusal):
    place.namespace("library")
    for action, more in (
        ("DescribeImages", {}),
        ("DescribeImageManifests", {"ImageVersion": "1"}),
        ("DeleteImage", {"ImageVersion": "1"}),
    ):
        assert refusal(place, action, **APP, **more).code == GONE
        assert refusal(place.call, action, RegistryId=NOBODYS, **APP, **more).code == "ResourceNotFound"


# -- signatures


@pytest.fixture
def kms(cloud):
    return Typed(KmsClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))


def test_a_policy_signs_what_is_pushed_until_it_is_deleted(place, kms, layout, tmp_path, refusal, unique):
    place.namespace("library")
    policy = {"Name": "library 加签", "NamespaceName": "library", "KmsRegion": "ap-guangzhou"}
    image = APP | {"ImageVersion": "1"}
    assert refusal(place, "DeleteSignaturePolicy", NamespaceName="library").code == GONE
    push_tags(place, layout, "1")
    assert refusal(place, "CreateSignature", **image).code == "OperationDenied"
    error = refusal(place, "CreateSignaturePolicy", **policy, KmsId="08408a30-0416-11ed-abdc-52540036b432")
    assert error.code == "FailedOperation.DependenceError"

    key = kms("CreateKey", Alias=unique("signer"), KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048").KeyId
    place("CreateSignaturePolicy", **policy, KmsId=key)
    assert [row.Name for row in place("DescribeNamespaces", KmsSignPolicy=True).NamespaceList] == ["library"]
    error = refusal(place, "CreateSignaturePolicy", **policy, KmsId=key)
    assert error.code == "InvalidParameter.ErrorTcrInvalidParameter"
    place("CreateSignature", **image)
    (row,) = place.images("library", "app")
    (signed,) = beside(place.login, f"{place.name}/library/app", layout.digest)
    assert base64.b64decode(row.KmsSignature) == signed.signature
    assert openssl_accepts(tmp_path, kms("GetPublicKey", KeyId=key).PublicKeyPem, signed.payload, signed.signature)
    assert refusal(place, "CreateSignature", **image | {"ImageVersion": "2"}).code == GONE

    place("DeleteSignaturePolicy", NamespaceName="library")
    assert [row.KmsSignature for row in place.images("library", "app")] == [""]
    assert beside(place.login, f"{place.name}/library/app", layout.digest) == []
    assert place("DescribeNamespaces", KmsSignPolicy=True).NamespaceList == []


def test_only_the_premium_edition_has_policies(place, kms, refusal, unique):
    place.namespace("library")
    key = kms("CreateKey", Alias=unique("signer"), KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048").KeyId
    policy = {"Name": "signing", "NamespaceName": "library", "KmsRegion": "ap-guangzhou", "KmsId": key}
    place("CreateSignaturePolicy", **policy)
    # The edition cannot go down while it has one.
    assert refusal(place, "ModifyInstance", RegistryType="standard").code == "OperationDenied"
    place("DeleteSignaturePolicy", NamespaceName="library")
    place("ModifyInstance", RegistryType="standard")
    assert refusal(place, "CreateSignaturePolicy", **policy).code == "UnsupportedOperation"


def test_the_signature_goes_with_the_image(place, kms, tmp_path, unique):
    place.namespace("library")
    key = kms("CreateKey", Alias=unique("signer"), KeyUsage="ASYMMETRIC_SIGN_VERIFY_RSA_2048").KeyId
    place("CreateSignaturePolicy", Name="signing", NamespaceName="library", KmsRegion="ap-guangzhou", KmsId=key)
    one, two = (images.single(tmp_path / name, unique(name)) for name in ("one", "two"))
    push_tags(place, one, "1", "latest")
    push_tags(place, two, "2")
    shown = lambda: {row.ImageVersion: row for row in place.images("library", "app")}
    eventually("all are signed", lambda: all(row.KmsSignature for row in shown().values()))
    # The tags that hold signatures are no images.
    assert set(shown()) == {"1", "latest", "2"}
    name = f"{place.name}/library/app"
    assert beside(place.login, name, one.digest) and beside(place.login, name, two.digest)
    place("DeleteImage", **APP, ImageVersion="latest")
    assert set(shown()) == {"2"}
    assert beside(place.login, name, one.digest) == []
    assert beside(place.login, name, two.digest)
    assert shown()["2"].KmsSignature


# -- tokens


def test_a_long_term_token_from_its_creation_to_its_end(place, skopeo, layout, cloud, refusal):
    place.namespace("library")
    skopeo.push(layout, f"{place.name}/library/app:1")
    made = place("CreateInstanceToken", TokenType="longterm", Desc="first")
    row = lambda: next(row for row in place("DescribeInstanceToken").Tokens if row.Id == made.TokenId)
    assert (row().Desc, row().Enabled, row().ExpiredAt) == ("first", True, made.ExpTime)
    logged_in = lambda: Skopeo(Login(cloud.registry, made.Username, made.Token), skopeo.home).log_in().returncode == 0
    assert logged_in()

    modify = lambda **more: place("ModifyInstanceToken", TokenId=made.TokenId, **more)
    modify(ModifyFlag=1, Desc="second", Enable=False)
    assert (row().Desc, row().Enabled) == ("second", True)
    modify(Enable=False, Desc="third")
    assert (row().Desc, row().Enabled) == ("second", False)
    assert not logged_in()
    modify(ModifyFlag=2, Enable=True)
    assert row().Enabled and logged_in()
    for fault in ({"ModifyFlag": 3, "Enable": True}, {"ModifyFlag": 1, "Desc": "x" * 256}):
        assert refusal(place, "ModifyInstanceToken", TokenId=made.TokenId, **fault).code == "InvalidParameter"
    assert (row().Desc, row().Enabled) == ("second", True)

    place("DeleteInstanceToken", TokenId=made.TokenId)
    assert made.TokenId not in [row.Id for row in place("DescribeInstanceToken").Tokens]
    assert not logged_in()
    assert refusal(place, "DeleteInstanceToken", TokenId=made.TokenId).code == "InvalidParameter"
    assert refusal(place, "ModifyInstanceToken", TokenId=made.TokenId, Enable=True).code == "InvalidParameter"


def test_tokens_of_nobody_are_refused(place, refusal):
    nobodys = lambda action, **more: refusal(place.call, action, RegistryId=NOBODYS, **more).code
    assert nobodys("CreateInstanceToken") == GONE
    assert nobodys("DescribeInstanceToken") == "InvalidParameter"
    assert nobodys("ModifyInstanceToken", TokenId="x", Enable=True) == "InvalidParameter"
    assert nobodys("DeleteInstanceToken", TokenId="x") == "InvalidParameter"
    assert refusal(place, "CreateInstanceToken", TokenType="forever").code == "InvalidParameter"
    assert refusal(place, "CreateInstanceToken", TokenType="longterm", Desc="x" * 256).code == "InvalidParameter"
    assert len(place("DescribeInstanceToken").Tokens) == 1
