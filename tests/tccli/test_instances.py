"""Instances on the command line: made, changed, protected, deleted with all that is in them."""

import pytest

from tencent import Tccli
from tools import run

NOBODYS = "tcr-00000000"


@pytest.fixture
def tcr(story):
    return lambda action, **parameters: story.tccli("tcr", action, **parameters)


@pytest.fixture
def shown(tcr):
    """An instance as it is shown, or `None`."""

    def shown(id):
        found = tcr("DescribeInstances", Registryids=[id])
        assert found["TotalCount"] == len(found["Registries"])
        return found["Registries"][0] if found["Registries"] else None

    return shown


def test_an_instance_from_its_name_to_its_end(story, tcr, shown, refused, layout, tmp_path):
    name, id = story.instance("life", edition="basic")
    assert tcr("CheckInstanceName", RegistryName=name)["DetailCode"] == 3
    told = tcr("CheckInstance", RegistryId=id)
    assert (told["IsValidated"], told["RegionId"]) == (True, 1)
    (status,) = tcr("DescribeInstanceStatus", RegistryIds=[id])["RegistryStatusSet"]
    assert status == {
        "RegistryId": id,
        "Status": "Running",
        "Conditions": [{"Type": "", "Status": "Running", "Reason": ""}],
    }
    login = story.login(id)
    skopeo = story.skopeo(login)
    image = f"{name}/{story.namespace(id)}/app:1"
    skopeo.push(layout, image)
    crane = lambda *arguments, **more: run("crane", "--insecure", *arguments, home=tmp_path, check=False, **more)
    crane("auth", "login", login.host, "--username", login.username, "--password-stdin", stdin=login.password)
    assert crane("digest", f"{login.host}/{image}").stdout.strip() == layout.digest

    tcr("ModifyInstance", RegistryId=id, RegistryType="standard", DeletionProtection=True)
    assert (shown(id)["RegistryType"], shown(id)["DeletionProtection"]) == ("standard", True)
    assert refused(tcr, "DeleteInstance", RegistryId=id).code == "OperationDenied"
    tcr("ModifyInstance", RegistryId=id, DeletionProtection=False)
    assert (shown(id)["RegistryType"], shown(id)["DeletionProtection"]) == ("standard", False)
    assert refused(tcr, "DeleteInstance", RegistryId=id, DryRun=True).code == "DryRunOperation"
    assert skopeo.raw_manifest(image) == layout.top

    tcr("DeleteInstance", RegistryId=id, DeleteBucket=True)
    assert shown(id) is None
    assert tcr("DescribeInstanceStatus", RegistryIds=[id])["RegistryStatusSet"] == []
    told = tcr("CheckInstance", RegistryId=id)
    assert (told["IsValidated"], told["RegionId"]) == (False, 0)
    assert skopeo.inspect(image, check=False).returncode != 0
    assert skopeo.log_in().returncode != 0
    assert crane("digest", f"{login.host}/{image}").returncode != 0
    assert refused(tcr, "DeleteInstance", RegistryId=id).code == "ResourceNotFound"

    # Who comes by the name next finds nothing of it.
    assert tcr("CheckInstanceName", RegistryName=name)["DetailCode"] == 0
    again = tcr("CreateInstance", RegistryName=name, RegistryType="basic")["RegistryId"]
    assert again != id
    assert tcr("DescribeNamespaces", RegistryId=again)["TotalCount"] == 0
    assert skopeo.log_in().returncode != 0
    assert story.skopeo(story.login(again)).inspect(image, check=False).returncode != 0


@pytest.mark.parametrize(("name", "detail"), [("abc", 1), ("Not-Legal", 1), ("admin", 2), ("mine-vpc", 2)])
def test_a_name_that_cannot_be_is_told_from_one_that_can(tcr, refused, name, detail):
    told = tcr("CheckInstanceName", RegistryName=name)
    assert (told["IsValidated"], told["DetailCode"]) == (False, detail)
    code = {1: "InvalidParameter.ErrorNameIllegal", 2: "InvalidParameter.ErrorNameReserved"}[detail]
    assert refused(tcr, "CreateInstance", RegistryName=name, RegistryType="basic").code == code


def test_a_name_is_given_once(story, tcr, refused):
    name, _ = story.instance("once", edition="basic")
    error = refused(tcr, "CreateInstance", RegistryName=name, RegistryType="basic")
    assert error.code == "InvalidParameter.ErrorNameExists"
    far = Tccli(story.cloud, story.home, region="ap-shanghai")
    error = refused(far, "tcr", "CreateInstance", RegistryName=name, RegistryType="basic")
    assert error.code == "InvalidParameter.ErrorNameExists"


def test_the_premium_edition_is_kept_while_it_is_used(story, tcr, shown, refused):
    _, id = story.instance("down")
    namespace = story.namespace(id)
    story.policy(id, namespace, story.key())
    assert refused(tcr, "ModifyInstance", RegistryId=id, RegistryType="basic").code == "OperationDenied"
    assert shown(id)["RegistryType"] == "premium"
    tcr("DeleteSignaturePolicy", RegistryId=id, NamespaceName=namespace)
    tcr("ModifyInstance", RegistryId=id, RegistryType="basic")
    assert shown(id)["RegistryType"] == "basic"


def test_what_is_nobodys_is_refused(tcr, refused):
    assert refused(tcr, "ModifyInstance", RegistryId=NOBODYS, DeletionProtection=True).code == "InternalError.ErrNotExist"
    assert refused(tcr, "DeleteInstance", RegistryId=NOBODYS).code == "ResourceNotFound"


def test_instances_are_filtered_and_paged(story, tcr, refused):
    value = story.unique("value")
    tags = {"ResourceType": "instance", "Tags": [{"Key": "team", "Value": value}]}
    names = [story.unique("page") for _ in range(3)]
    for name in names:
        tcr("CreateInstance", RegistryName=name, RegistryType="basic", TagSpecification=tags)
    tagged = [{"Name": "Tags", "Values": [f"team:{value}"]}]
    page = lambda **more: [row["RegistryName"] for row in tcr("DescribeInstances", Filters=tagged, **more)["Registries"]]
    assert page() == names[::-1]
    assert [page(Offset=offset, Limit=2) for offset in (0, 2, 4)] == [names[:0:-1], names[:1], []]
    assert page(Limit=200) == names[::-1]
    error = refused(tcr, "DescribeInstances", Filters=[{"Name": "Zone", "Values": ["1"]}])
    assert error.code == "InvalidParameter"


def test_the_regions_are_told(tcr):
    told = tcr("DescribeRegions")
    assert told["TotalCount"] == len(told["Regions"])
    (region,) = [region for region in told["Regions"] if region["RegionName"] == "ap-guangzhou"]
    assert (region["Alias"], region["RegionId"], region["Status"]) == ("gz", 1, "alluser")
