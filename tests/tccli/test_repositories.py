"""Repositories on the command line: made by hand or by a push, described, deleted."""

import re

import pytest

NOBODYS = "tcr-00000000"
GONE = "ResourceNotFound.TcrResourceNotFound"
# 2024-12-10 14:30:36.806284 +0000 UTC: the layout of Go's Time.String.
GO_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})? \+0000 UTC")


@pytest.fixture
def library(story, premium):
    return story.namespace(premium.id)


@pytest.fixture
def tcr(story, premium, library):
    """A call about a namespace of the premium instance."""
    place = {"RegistryId": premium.id, "NamespaceName": library}
    return lambda action, *flags, **parameters: story.tccli("tcr", action, *flags, **place | parameters)


@pytest.fixture
def shown(tcr):
    return lambda **more: tcr("DescribeRepositories", **more)["RepositoryList"]


def test_a_repository_from_its_creation_to_its_end(story, premium, library, tcr, shown, refused, layout):
    tcr("CreateRepository", RepositoryName="team/app", BriefDescription="brief", Description="# long")
    (told,) = shown(RepositoryName="team/app")
    assert told == {
        "Name": f"{library}/team/app",
        "Namespace": library,
        "Public": False,
        "BriefDescription": "brief",
        "Description": "# long",
        "CreationTime": told["CreationTime"],
        "UpdateTime": told["UpdateTime"],
    }
    assert GO_TIME.fullmatch(told["CreationTime"]) and GO_TIME.fullmatch(told["UpdateTime"])
    error = refused(tcr, "CreateRepository", RepositoryName="team/app")
    assert error.code == "InternalError.ErrorTcrResourceConflict"

    tcr("ModifyRepository", RepositoryName="team/app", BriefDescription="other", Description="")
    (changed,) = shown(RepositoryName="team/app")
    assert (changed["BriefDescription"], changed["Description"]) == ("other", "")

    skopeo, image = story.skopeo(premium.login), f"{premium.name}/{library}/team/app:1"
    skopeo.push(layout, image)
    error = refused(tcr, "DeleteRepository", RepositoryName="team/app", ForceDelete=False)
    assert (error.code, error.message.strip()) == (
        "FailedOperation.PreconditionFailed",
        "repository is not empty, cannot delete without ForceDelete=true",
    )
    assert skopeo.raw_manifest(image) == layout.top
    tcr("DeleteRepository", RepositoryName="team/app", ForceDelete=True)
    assert shown() == []
    assert skopeo.inspect(image, check=False).returncode != 0
    assert refused(tcr, "DeleteRepository", RepositoryName="team/app").code == GONE
    error = refused(tcr, "ModifyRepository", RepositoryName="team/app", BriefDescription="", Description="")
    assert error.code == GONE


def test_a_push_makes_the_repository(story, premium, library, shown, layout):
    story.skopeo(premium.login).push(layout, f"{premium.name}/{library}/pushed:1")
    (told,) = shown()
    assert (told["Name"], told["BriefDescription"], told["Description"]) == (f"{library}/pushed", "", "")


@pytest.mark.parametrize("name", ["a", "x" * 201, "ab/", "Upper"])
def test_a_repository_obeys_its_grammar(tcr, shown, refused, name):
    error = refused(tcr, "CreateRepository", RepositoryName=name)
    assert error.code == "InvalidParameter.ErrorTcrInvalidParameter"
    assert shown() == []


def test_the_pages_of_a_list_are_counted_from_1(tcr, library):
    names = [f"app-{n}" for n in range(3)]
    for name in names:
        tcr("CreateRepository", RepositoryName=name)

    def page(*flags, **more):
        told = tcr("DescribeRepositories", *flags, **more)
        assert told["TotalCount"] == 3
        return [row["Name"].removeprefix(f"{library}/") for row in told["RepositoryList"]]

    assert [page(Offset=offset, Limit=2) for offset in (0, 1, 2, 3)] == [names[:2], names[:2], names[2:], []]
    # As one word, because tccli takes what begins with a hyphen for a flag.
    assert page("--SortBy=-name") == page("--SortBy=-creation_time") == names[::-1]


def test_what_is_nobodys_is_refused(tcr, refused):
    about = {"RegistryId": NOBODYS, "RepositoryName": "app"}
    assert refused(tcr, "CreateRepository", **about).code == "ResourceNotFound"
    assert refused(tcr, "ModifyRepository", **about, BriefDescription="", Description="").code == "ResourceNotFound"
    assert refused(tcr, "DeleteRepository", **about).code == "ResourceNotFound"
    assert refused(tcr, "DescribeRepositories", **about).code == "ResourceNotFound"
    assert refused(tcr, "CreateRepository", RepositoryName="app", NamespaceName="nowhere").code == "ResourceNotFound"
