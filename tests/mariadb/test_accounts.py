"""Accounts and their privileges at every level, checked by logging in."""

import pytest

from databases import PASSWORD

DENIED = "denied"


@pytest.fixture(scope="module")
def shop(instance):
    """A database with a table of two columns, a view, a procedure and a function."""
    instance.sql("CREATE DATABASE shop_1; CREATE TABLE shop_1.t (a INT, b INT); INSERT INTO shop_1.t VALUES (1, 2)")
    instance("GrantAccountPrivileges", UserName="app", Host="%", DbName="*", Privileges=[
        "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE",
    ])  # fmt: skip
    instance.sql("CREATE VIEW shop_1.v AS SELECT a FROM shop_1.t")
    instance.sql("CREATE PROCEDURE shop_1.p() SELECT 'called'")
    instance.sql("CREATE FUNCTION shop_1.f() RETURNS INT DETERMINISTIC RETURN 7")
    return instance


@pytest.fixture
def who(instance, unique):
    """A new account without any privilege."""
    return instance.account(unique("u"), privileges=())


def test_an_account_is_made_listed_changed_and_dropped(instance, unique):
    name = unique("life")
    made = instance("CreateAccount", UserName=name, Host="127.%", Password=PASSWORD, Description="备注", MaxUserConnections=3)
    assert (made["UserName"], made["Host"], made["ReadOnly"]) == (name, "127.%", 0)
    who = {"UserName": name, "Host": "127.%"}

    def listed():
        return [user for user in instance("DescribeAccounts")["Users"] if user["UserName"] == name]

    (user,) = listed()
    assert (user["Host"], user["Description"], user["MaxUserConnections"]) == ("127.%", "备注", 3)
    assert instance.sql("SELECT 1", user=name) == ["1"]
    instance("ModifyAccountDescription", **who, Description="other")
    assert listed()[0]["Description"] == "other"
    instance("ResetAccountPassword", **who, Password="Another-Horse-8")
    assert DENIED in instance.sql("SELECT 1", user=name, check=False)
    assert instance.sql("SELECT 1", user=name, password="Another-Horse-8") == ["1"]
    instance("DeleteAccount", **who)
    assert listed() == [] and DENIED in instance.sql("SELECT 1", user=name, password="Another-Horse-8", check=False)


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("CreateAccount", {"UserName": "app", "Password": PASSWORD}, "InvalidParameterValue.AccountAlreadyExists"),
        ("CreateAccount", {"UserName": "root", "Password": PASSWORD}, "InvalidParameterValue.SuperUserForbidden"),
        ("CreateAccount", {"UserName": "1x", "Password": PASSWORD}, "InvalidParameter.CharacterError"),
        ("CreateAccount", {"UserName": "weak", "Password": "onlyletters"}, "InvalidParameter.CharacterError"),
        ("CreateAccount", {"UserName": "led", "Password": PASSWORD, "ReadOnly": 4}, "InvalidParameter.IllegalParameterError"),
        ("CreateAccount", {"UserName": "led", "Password": PASSWORD, "SlaveConst": 1}, "InvalidParameter.IllegalParameterError"),
        ("DeleteAccount", {"UserName": "nobody"}, "ResourceNotFound.AccountDoesNotExist"),
        ("ResetAccountPassword", {"UserName": "nobody", "Password": PASSWORD}, "ResourceNotFound.AccountDoesNotExist"),
        ("ModifyAccountDescription", {"UserName": "nobody", "Description": "x"}, "ResourceNotFound.AccountDoesNotExist"),
        ("GrantAccountPrivileges", {"UserName": "app", "DbName": "*", "Privileges": ["SUPER"]}, "InvalidParameterValue.BadUserRight"),
        (
            "GrantAccountPrivileges",
            {"UserName": "app", "DbName": "none", "Type": "table", "Object": "none", "Privileges": ["SELECT"]},
            "FailedOperation.ModifyRightFailed",
        ),
        ("DescribeAccountPrivileges", {"UserName": "nobody", "DbName": "*"}, "ResourceNotFound.AccountDoesNotExist"),
    ],
)
def test_what_cannot_be_is_refused(instance, action, parameters, code):
    assert instance.refused(action, Host="%", **parameters) == code


def test_accounts_of_nobody_are_not_listed(databases):
    assert databases.refused("DescribeAccounts", InstanceId="tdsql-00000000") == "ResourceNotFound.NoInstanceFound"


# Level, what is granted there, what may then be done, and what may not.
LEVELS = {
    "global": ({"DbName": "*"}, ["SELECT", "REPLICATION CLIENT"], "SELECT a FROM shop_1.t", "INSERT INTO shop_1.t VALUES (9, 9)"),
    "database": ({"DbName": "shop_1", "Type": "*"}, ["SELECT"], "SELECT b FROM shop_1.t", "SELECT COUNT(*) FROM mysql.user"),
    "table": ({"DbName": "shop_1", "Type": "table", "Object": "t"}, ["SELECT"], "SELECT b FROM shop_1.t", "SELECT a FROM shop_1.v"),
    "view": ({"DbName": "shop_1", "Type": "view", "Object": "v"}, ["SELECT"], "SELECT a FROM shop_1.v", "SELECT a FROM shop_1.t"),
    "column": (
        {"DbName": "shop_1", "Type": "table", "Object": "t", "ColName": "a"},
        ["SELECT"],
        "SELECT a FROM shop_1.t",
        "SELECT b FROM shop_1.t",
    ),
    "procedure": ({"DbName": "shop_1", "Type": "proc", "Object": "p"}, ["EXECUTE"], "CALL shop_1.p()", "SELECT shop_1.f()"),
    "function": ({"DbName": "shop_1", "Type": "func", "Object": "f"}, ["EXECUTE"], "SELECT shop_1.f()", "CALL shop_1.p()"),
}


@pytest.mark.parametrize("level", LEVELS)
def test_privileges_hold_at_their_level_and_are_taken_back(shop, who, level):
    place, privileges, can, cannot = LEVELS[level]
    place = {"UserName": who, "Host": "%", **place}
    shop("GrantAccountPrivileges", **place, Privileges=privileges)
    assert shop("DescribeAccountPrivileges", **place)["Privileges"] == privileges
    shop.sql(can, user=who)
    assert DENIED in shop.sql(cannot, user=who, check=False)
    shop("GrantAccountPrivileges", **place, Privileges=[])
    assert shop("DescribeAccountPrivileges", **place)["Privileges"] == []
    assert DENIED in shop.sql(can, user=who, check=False)


def test_a_database_with_a_wildcard_in_its_name_is_that_database_alone(shop, who):
    shop.sql("CREATE DATABASE IF NOT EXISTS shopX1; CREATE TABLE IF NOT EXISTS shopX1.t (a INT)")
    shop("GrantAccountPrivileges", UserName=who, Host="%", DbName="shop_1", Type="*", Privileges=["SELECT"])
    assert DENIED in shop.sql("SELECT a FROM shopX1.t", user=who, check=False)


def test_one_call_sets_any_mix_of_levels_for_several_accounts(shop, who, unique):
    other = shop.account(unique("o"), privileges=())
    accounts = [{"User": who, "Host": "%"}, {"User": other, "Host": "%"}]
    shop.does(
        "ModifyAccountPrivileges",
        Accounts=accounts,
        GlobalPrivileges=["SHOW DATABASES"],
        DatabasePrivileges=[{"Database": "shop_1", "Privileges": ["INSERT"]}],
        TablePrivileges=[{"Database": "shop_1", "Table": "t", "Privileges": ["UPDATE"]}],
        ViewPrivileges=[{"Database": "shop_1", "View": "v", "Privileges": ["SELECT"]}],
        ColumnPrivileges=[{"Database": "shop_1", "Table": "t", "Column": "b", "Privileges": ["SELECT"]}],
        FunctionPrivileges=[{"Database": "shop_1", "FunctionName": "f", "Privileges": ["EXECUTE"]}],
        ProcedurePrivileges=[{"Database": "shop_1", "Procedure": "p", "Privileges": ["EXECUTE"]}],
    )
    for name in (who, other):
        assert shop.sql("SELECT b FROM shop_1.t LIMIT 1; SELECT shop_1.f(); CALL shop_1.p()", user=name) == ["2", "7", "called"]
    # What is not named stays; what is named as empty goes.
    shop.does("ModifyAccountPrivileges", Accounts=accounts[:1], GlobalPrivileges=[], FunctionPrivileges=[
        {"Database": "shop_1", "FunctionName": "f", "Privileges": []},
    ])  # fmt: skip
    assert shop.sql("SELECT b FROM shop_1.t LIMIT 1", user=who) == ["2"]
    assert DENIED in shop.sql("SELECT shop_1.f()", user=who, check=False)
    assert shop.sql("SELECT shop_1.f()", user=other) == ["7"]
    refused = shop.refused("ModifyAccountPrivileges", Accounts=accounts, GlobalPrivileges=["EVERYTHING"])
    assert refused == "InvalidParameterValue.BadUserRight"


def test_rights_are_copied_and_accounts_cloned(shop, who, unique):
    source = shop.account(unique("s"), privileges=())
    shop("GrantAccountPrivileges", UserName=source, Host="%", DbName="shop_1", Type="*", Privileges=["SELECT"])
    shop("GrantAccountPrivileges", UserName=source, Host="%", DbName="shop_1", Type="func", Object="f", Privileges=["EXECUTE"])
    shop("GrantAccountPrivileges", UserName=who, Host="%", DbName="*", Privileges=["DELETE"])
    pair = {"SrcUserName": source, "SrcHost": "%", "DstUserName": who, "DstHost": "%"}
    shop("CopyAccountPrivileges", **pair)
    assert shop.sql("SELECT a FROM shop_1.t; SELECT shop_1.f()", user=who) == ["1", "7"]
    assert shop("DescribeAccountPrivileges", UserName=who, Host="%", DbName="*")["Privileges"] == []
    clone = unique("c")
    names = {"SrcUser": source, "SrcHost": "%", "DstUser": clone, "DstHost": "%"}
    shop.does("CloneAccount", **names, DstDesc="a copy")
    assert shop.sql("SELECT a FROM shop_1.t; SELECT shop_1.f()", user=clone) == ["1", "7"]
    assert shop.refused("CloneAccount", **names) == "InvalidParameterValue.AccountAlreadyExists"
    reads = shop.account(unique("r"), privileges=("SELECT",), ReadOnly=1)
    assert shop.refused("CopyAccountPrivileges", **pair | {"DstUserName": reads}) == "FailedOperation.CopyRightError"
    writing = {"UserName": reads, "Host": "%", "DbName": "*", "Privileges": ["INSERT"]}
    assert shop.refused("GrantAccountPrivileges", **writing) == "InvalidParameterValue.BadUserRight"
