"""The list of an instance's long-term tokens: what is in it, how it changes, and what is not."""

import pytest

NOBODYS = "tcr-00000000"


@pytest.fixture
def place(story):
    """The id of an instance without tokens."""
    _, id = story.instance("tokens", edition="basic")
    return id


@pytest.fixture
def tcr(story, place):
    return lambda action, **parameters: story.tccli("tcr", action, **{"RegistryId": place} | parameters)


def test_tokens_are_listed_described_anew_and_deleted(tcr):
    ids = [tcr("CreateInstanceToken", TokenType="longterm", Desc=f"token {n}")["TokenId"] for n in range(3)]
    assert tcr("CreateInstanceToken", TokenType="temp")["TokenId"] == ""
    told = tcr("DescribeInstanceToken")
    assert [(row["Id"], row["Desc"]) for row in told["Tokens"]] == [(id, f"token {n}") for n, id in enumerate(ids)]
    assert told["TotalCount"] == 3
    assert all("Token" not in row for row in told["Tokens"])
    pages = [tcr("DescribeInstanceToken", Offset=offset, Limit=2) for offset in (0, 2, 4)]
    assert [[row["Id"] for row in page["Tokens"]] for page in pages] == [ids[:2], ids[2:], []]
    assert {page["TotalCount"] for page in pages} == {3}

    tcr("ModifyInstanceToken", TokenId=ids[0], Desc="described", ModifyFlag=1)
    tcr("ModifyInstanceToken", TokenId=ids[1], Enable=False, ModifyFlag=2)
    tcr("DeleteInstanceToken", TokenId=ids[2])
    left = [(row["Desc"], row["Enabled"]) for row in tcr("DescribeInstanceToken")["Tokens"]]
    assert left == [("described", True), ("token 1", False)]


def test_what_cannot_be_done_to_tokens_is_refused(tcr, refused):
    id = tcr("CreateInstanceToken", TokenType="longterm", Desc="kept")["TokenId"]
    code = lambda action, **more: refused(tcr, action, **more).code
    assert code("CreateInstanceToken", TokenType="forever") == "InvalidParameter"
    assert code("CreateInstanceToken", TokenType="longterm", Desc="x" * 256) == "InvalidParameter"
    assert code("CreateInstanceToken", RegistryId=NOBODYS) == "ResourceNotFound.TcrResourceNotFound"
    assert code("ModifyInstanceToken", TokenId=id, ModifyFlag=3, Enable=False) == "InvalidParameter"
    assert code("ModifyInstanceToken", TokenId="0" * 20, Enable=False) == "InvalidParameter"
    assert code("DeleteInstanceToken", TokenId="0" * 20) == "InvalidParameter"
    assert code("DeleteInstanceToken", TokenId=id, RegistryId=NOBODYS) == "InvalidParameter"
    assert code("DescribeInstanceToken", RegistryId=NOBODYS) == "InvalidParameter"
    (row,) = tcr("DescribeInstanceToken")["Tokens"]
    assert (row["Id"], row["Desc"], row["Enabled"]) == (id, "kept", True)
