"""The loops in which known clients read lists: each has to end, with every row once.

`Offset` means rows to some and pages to others. The loops are those of Harbor's adapter, of Tencent's image-transfer and of the
Terraform provider, as far as what they send and when they stop.
"""

from dataclasses import dataclass

import pytest
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import images
import sdk
from cloud import eventually
from distribution import Login, Registry
from requester import Api
from typed import Typed

# No loop of a client needs as many requests here; one that does would never end.
ROUNDS = 100

NAMESPACES = [f"space-{n:03}" for n in range(205)]
REPOSITORIES = [f"{NAMESPACES[0]}/app-{n:03}" for n in range(205)]
TAGS = [f"v{n:03}" for n in range(105)]
TOKENS = 25


@dataclass(frozen=True)
class Full:
    """An instance with lists that no page of a client holds."""

    call: Typed
    id: str
    tokens: tuple

    def page(self, list_, **more):
        """The rows of a page, by what tells them apart, and the total."""
        action, rows, name, place = LISTS[list_]
        reply = self.call(action, RegistryId=self.id, **place, **more)
        return [getattr(row, name) for row in getattr(reply, rows)], reply.TotalCount

    def whole(self, list_):
        return {
            "namespaces": NAMESPACES,
            "repositories": REPOSITORIES,
            "images": TAGS,
            "tokens": list(self.tokens),
        }[list_]


LISTS = {
    "namespaces": ("DescribeNamespaces", "NamespaceList", "Name", {}),
    "repositories": ("DescribeRepositories", "RepositoryList", "Name", {}),
    "images": ("DescribeImages", "ImageInfoList", "ImageVersion", {"NamespaceName": NAMESPACES[0], "RepositoryName": "app-000"}),
    "tokens": ("DescribeInstanceToken", "Tokens", "Id", {}),
}


@pytest.fixture(scope="module")
def full(cloud, tmp_path_factory):
    api = Api(cloud)
    name = "sdk-python-paging"
    id = api.call("tcr", "CreateInstance", RegistryName=name, RegistryType="premium")["RegistryId"]
    status = lambda: api.call("tcr", "DescribeInstances", Registryids=[id])["Registries"][0]["Status"]
    eventually(f"{name} runs", lambda: status() == "Running")
    for namespace in NAMESPACES:
        api.call("tcr", "CreateNamespace", RegistryId=id, NamespaceName=namespace, IsPublic=False)
    for whole_name in REPOSITORIES:
        namespace, _, repository = whole_name.partition("/")
        api.call("tcr", "CreateRepository", RegistryId=id, NamespaceName=namespace, RepositoryName=repository)
    tokens = [api.call("tcr", "CreateInstanceToken", RegistryId=id, TokenType="longterm") for _ in range(TOKENS)]
    layout = images.single(tmp_path_factory.mktemp("paging") / "layout", "many tags")
    login = Login(cloud.registry, tokens[0]["Username"], tokens[0]["Token"])
    repository = Registry(login).repository(f"{name}/{REPOSITORIES[0]}")
    for content in layout.blobs.values():
        repository.put_blob(content)
    for tag in TAGS:
        assert repository.put_manifest(tag, layout.top).status == 201
    call = Typed(TcrClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))
    return Full(call, id, tuple(token["TokenId"] for token in tokens))


def until_the_total(page, first, limit):
    """Harbor's adapter and image-transfer: page numbers from `first`, until there are as many rows as the total says."""
    rows = []
    for offset in range(first, first + ROUNDS):
        found, total = page(Offset=offset, Limit=limit)
        rows += found
        if len(rows) >= total:
            return rows
    raise AssertionError(f"{len(rows)} rows, and the loop does not end")


def until_a_short_page(page, limit):
    """Terraform: row numbers from 0, until a page has fewer rows than were asked for."""
    rows = []
    for number in range(ROUNDS):
        found, _ = page(Offset=number * limit, Limit=limit)
        rows += found
        if len(found) < limit:
            return rows
    raise AssertionError(f"{len(rows)} rows, and the loop does not end")


def complete(rows, whole):
    assert sorted(rows) == sorted(whole)


@pytest.mark.parametrize(("list_", "first"), [("namespaces", 0), ("repositories", 1), ("images", 1)])
def test_the_loops_of_harbors_adapter(full, list_, first):
    complete(until_the_total(lambda **more: full.page(list_, **more), first, 20), full.whole(list_))


@pytest.mark.parametrize("list_", ["namespaces", "images"])
def test_the_loops_of_image_transfer(full, list_):
    complete(until_the_total(lambda **more: full.page(list_, **more), 1, 100), full.whole(list_))


@pytest.mark.parametrize(("list_", "limit"), [("namespaces", 200), ("repositories", 200), ("tokens", 200), ("images", 20)])
def test_the_loops_of_terraform(full, list_, limit):
    complete(until_a_short_page(lambda **more: full.page(list_, **more), limit), full.whole(list_))


@pytest.fixture(scope="module")
def registries(cloud):
    """Three instances of one tag: a page over them, and their ids."""
    call = Typed(TcrClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))
    tags = {"ResourceType": "instance", "Tags": [{"Key": "list", "Value": "sdk-python-paging"}]}
    create = lambda name: call("CreateInstance", RegistryName=name, RegistryType="basic", TagSpecification=tags).RegistryId
    ids = [create(f"sdk-python-page-{n}") for n in range(3)]
    chosen = {"Filters": [{"Name": "Tags", "Values": ["list:sdk-python-paging"]}]}

    def page(**more):
        reply = call("DescribeInstances", **chosen, **more)
        return [registry.RegistryId for registry in reply.Registries], reply.TotalCount

    return page, ids


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_instances_are_counted_in_rows(registries, limit):
    page, ids = registries
    complete(until_a_short_page(page, limit), ids)
    # The newest first.
    assert page()[0] == ids[::-1]


def test_tokens_are_counted_in_rows(full):
    complete(until_a_short_page(lambda **more: full.page("tokens", **more), 10), full.tokens)


@pytest.mark.parametrize("list_", LISTS)
def test_a_page_past_the_end_is_empty_and_has_the_true_total(full, list_):
    assert full.page(list_, Offset=5000, Limit=7) == ([], len(full.whole(list_)))


@pytest.mark.parametrize("list_", ["repositories", "images"])
def test_page_0_is_page_1(full, list_):
    first, total = full.page(list_, Offset=1, Limit=20)
    assert len(first) == 20
    assert full.page(list_, Offset=0, Limit=20) == full.page(list_, Limit=20) == full.page(list_) == (first, total)
    # Limit 20, Offset 2: rows 21 to 40.
    second, _ = full.page(list_, Offset=2, Limit=20)
    assert len(second) == 20 and not set(first) & set(second)


def test_all_namespaces_come_where_all_are_asked_for(full):
    assert full.page("namespaces", All=True, Limit=1, Offset=1) == (NAMESPACES, len(NAMESPACES))
