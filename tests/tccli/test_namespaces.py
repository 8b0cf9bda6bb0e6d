"""Namespaces on the command line, and what skopeo may pull from them."""

import pytest

NOBODYS = "tcr-00000000"
GONE = "ResourceNotFound.TcrResourceNotFound"


@pytest.fixture
def tcr(story, premium):
    """A call about the premium instance."""
    return lambda action, **parameters: story.tccli("tcr", action, **{"RegistryId": premium.id} | parameters)


@pytest.fixture
def shown(tcr):
    """A namespace as it is shown, or `None`."""

    def shown(name):
        rows = tcr("DescribeNamespaces", NamespaceName=name)["NamespaceList"]
        return next((row for row in rows if row["Name"] == name), None)

    return shown


def test_a_namespace_from_its_creation_to_its_end(story, premium, tcr, shown, refused, layout):
    name = story.unique("space")
    tags = {"ResourceType": "namespace", "Tags": [{"Key": "team", "Value": "one"}]}
    tcr("CreateNamespace", NamespaceName=name, IsPublic=False, TagSpecification=tags, Severity="medium")
    told = shown(name)
    assert (told["Public"], told["Severity"], told["TagSpecification"]) == (False, "medium", tags)
    error = refused(tcr, "CreateNamespace", NamespaceName=name, IsPublic=True)
    assert error.code == "FailedOperation.ErrorTcrResourceConflict"

    image = f"{premium.name}/{name}/app:1"
    story.skopeo(premium.login).push(layout, image)
    anonymous = story.skopeo(premium.login.anonymous())
    assert anonymous.inspect(image, check=False).returncode != 0
    tcr("ModifyNamespace", NamespaceName=name, IsPublic=True)
    assert shown(name) == told | {
        "Public": True,
        "Metadata": [pair if pair["Key"] != "public" else {"Key": "public", "Value": "true"} for pair in told["Metadata"]],
    }
    assert anonymous.raw_manifest(image) == layout.top
    tcr("ModifyNamespace", NamespaceName=name, IsPublic=False)
    assert anonymous.inspect(image, check=False).returncode != 0

    assert refused(tcr, "DeleteNamespace", NamespaceName=name).code == "FailedOperation.PreconditionFailed"
    tcr("DeleteRepository", NamespaceName=name, RepositoryName="app")
    tcr("DeleteNamespace", NamespaceName=name)
    assert shown(name) is None
    assert refused(tcr, "DeleteNamespace", NamespaceName=name).code == GONE
    assert refused(tcr, "ModifyNamespace", NamespaceName=name, IsPublic=True).code == GONE
    assert story.skopeo(premium.login).push(layout, image, check=False).returncode != 0


@pytest.mark.parametrize("name", ["a", "x" * 31, "ab-", "a--b", "Upper"])
def test_a_namespace_obeys_its_grammar(tcr, shown, refused, name):
    error = refused(tcr, "CreateNamespace", NamespaceName=name, IsPublic=False)
    assert error.code == "InvalidParameter.ErrorTcrInvalidParameter"
    assert shown(name) is None


def test_a_part_of_a_name_finds_all_and_the_whole_name_first(tcr, story):
    name = story.unique("part")
    names = [f"a-{name}", name, f"{name}-b"]
    for made in names:
        tcr("CreateNamespace", NamespaceName=made, IsPublic=False)
    told = tcr("DescribeNamespaces", NamespaceName=name)
    assert [row["Name"] for row in told["NamespaceList"]] == [name, f"a-{name}", f"{name}-b"]
    assert told["TotalCount"] == 3
    page = tcr("DescribeNamespaces", NamespaceName=name, Limit=2, Offset=2)
    assert ([row["Name"] for row in page["NamespaceList"]], page["TotalCount"]) == ([f"{name}-b"], 3)


def test_what_is_nobodys_is_refused(tcr, refused):
    about = {"RegistryId": NOBODYS, "NamespaceName": "library"}
    assert refused(tcr, "CreateNamespace", **about, IsPublic=False).code == "ResourceNotFound"
    assert refused(tcr, "ModifyNamespace", **about, IsPublic=False).code == "ResourceNotFound"
    assert refused(tcr, "DeleteNamespace", **about).code == "ResourceNotFound"
    assert refused(tcr, "DescribeNamespaces", **about).code == "ResourceNotFound"
