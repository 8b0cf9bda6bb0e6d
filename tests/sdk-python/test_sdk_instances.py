"""Instances through the typed SDK: from a name to check to an instance that is gone."""

from datetime import datetime

import pytest
from tencentcloud.tcr.v20190924.tcr_client import TcrClient

import sdk
from cloud import eventually
from typed import Typed

NOBODYS = "tcr-00000000"


@pytest.fixture
def call(tcr):
    return Typed(tcr())


@pytest.fixture
def elsewhere(cloud):
    """The same account in another region."""
    return Typed(TcrClient(sdk.credential(cloud), "ap-shanghai", sdk.profile(cloud)))


def create(call, name, **more):
    """An instance that runs: its id."""
    id = call("CreateInstance", **{"RegistryName": name, "RegistryType": "basic"} | more).RegistryId
    eventually(f"{name} runs", lambda: registry(call, id).Status == "Running")
    return id


def registry(call, id):
    (found,) = call("DescribeInstances", Registryids=[id]).Registries
    return found


def test_an_instance_from_its_name_to_its_end(call, refusal, unique):
    name = unique("life")

    def detail():
        told = call("CheckInstanceName", RegistryName=name)
        return told.IsValidated, told.DetailCode

    def check():
        told = call("CheckInstance", RegistryId=id)
        return told.IsValidated, told.RegionId

    assert detail() == (True, 0)

    id = create(call, name)
    assert detail() == (False, 3)
    assert check() == (True, 1)
    (status,) = call("DescribeInstanceStatus", RegistryIds=[id]).RegistryStatusSet
    assert (status.RegistryId, status.Status) == (id, "Running")
    assert [condition.Status for condition in status.Conditions] == ["Running"]

    call("ModifyInstance", RegistryId=id, RegistryType="premium", DeletionProtection=True, EnableCosVersioning=True)
    told = registry(call, id)
    assert (told.RegistryType, told.DeletionProtection, told.EnableCosVersioning) == ("premium", True, True)
    assert refusal(call, "DeleteInstance", RegistryId=id).code == "OperationDenied"
    assert refusal(call, "DeleteInstance", RegistryId=id, DryRun=True).code == "OperationDenied"
    assert registry(call, id).RegistryId == id

    call("ModifyInstance", RegistryId=id, DeletionProtection=False)
    told = registry(call, id)
    # What a request does not name stays.
    assert (told.RegistryType, told.DeletionProtection, told.EnableCosVersioning) == ("premium", False, True)
    assert refusal(call, "DeleteInstance", RegistryId=id, DryRun=True).code == "DryRunOperation"
    assert registry(call, id).Status == "Running"
    call("DeleteInstance", RegistryId=id, DeleteBucket=True)
    assert call("DescribeInstances", Registryids=[id]).TotalCount == 0
    assert call("DescribeInstanceStatus", RegistryIds=[id]).RegistryStatusSet == []
    assert check() == (False, 0)
    assert detail() == (True, 0)
    assert refusal(call, "DeleteInstance", RegistryId=id).code == "ResourceNotFound"


NAMES = [
    *((name, 1, "ErrorNameIllegal") for name in ("abc", "Letters", "-first", "last-", "under_score", "a.dot", "x" * 51)),
    *((name, 2, "ErrorNameReserved") for name in ("admin", "tencentcloud", "console")),
]


@pytest.mark.parametrize(("name", "detail", "code"), NAMES, ids=[name[:12] for name, _, _ in NAMES])
def test_a_name_is_checked_as_it_is_created(call, refusal, name, detail, code):
    told = call("CheckInstanceName", RegistryName=name)
    assert (told.IsValidated, told.DetailCode) == (False, detail)
    error = refusal(call, "CreateInstance", RegistryName=name, RegistryType="basic")
    assert error.code == f"InvalidParameter.{code}"
    assert name in error.message


def test_a_name_is_taken_in_every_region(call, elsewhere, refusal, unique):
    name = unique("taken")
    create(call, name)
    for other in (call, elsewhere):
        assert call("CheckInstanceName", RegistryName=name).DetailCode == 3
        error = refusal(other, "CreateInstance", RegistryName=name, RegistryType="basic")
        assert error.code == "InvalidParameter.ErrorNameExists"


CREATIONS = {
    "an edition that does not exist": ({"RegistryType": "gold"}, "InvalidParameter"),
    "a way to pay that does not exist": ({"RegistryChargeType": 2}, "InvalidParameter"),
    "paid in advance, but not for how long": ({"RegistryChargeType": 1}, "MissingParameter"),
    "paid for no time": (
        {"RegistryChargeType": 1, "RegistryChargePrepaid": {"Period": 0, "RenewFlag": 0}},
        "InvalidParameter",
    ),
    "a renewal that does not exist": (
        {"RegistryChargeType": 1, "RegistryChargePrepaid": {"Period": 1, "RenewFlag": 3}},
        "InvalidParameter",
    ),
    "more than ten tags": (
        {"TagSpecification": {"ResourceType": "instance", "Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(11)]}},
        "InvalidParameter.ErrorTagOverLimit",
    ),
}


@pytest.mark.parametrize(("parameters", "code"), CREATIONS.values(), ids=CREATIONS)
def test_what_cannot_be_created_is_not(call, refusal, unique, parameters, code):
    name = unique("never")
    error = refusal(call, "CreateInstance", **{"RegistryName": name, "RegistryType": "basic"} | parameters)
    assert error.code == code
    assert call("CheckInstanceName", RegistryName=name).DetailCode == 0


def test_who_pays_in_advance_sees_until_when(call, unique):
    charge = {"RegistryChargeType": 1, "RegistryChargePrepaid": {"Period": 3, "RenewFlag": 1}}
    told = registry(call, create(call, unique("prepaid"), **charge))
    assert (told.PayMod, told.RenewFlag) == (1, 1)
    created, expires = (datetime.fromisoformat(text) for text in (told.CreatedAt, told.ExpiredAt))
    assert 89 <= (expires - created).days <= 92
    assert told.CreatedAt.endswith("+08:00") and told.ExpiredAt.endswith("+08:00")


@pytest.mark.parametrize(("edition", "versions"), [("basic", False), ("standard", False), ("premium", True)])
def test_only_the_premium_edition_keeps_versions_unasked(call, unique, edition, versions):
    told = registry(call, create(call, unique("versions"), RegistryType=edition))
    assert (told.EnableCosVersioning, told.EnableCosMAZ) == (versions, False)


def test_an_edition_goes_down_only_where_what_it_includes_is_enough(call, refusal, unique):
    id = create(call, unique("editions"))
    namespaces = [f"space-{n}" for n in range(51)]
    for name in namespaces[:-1]:
        call("CreateNamespace", RegistryId=id, NamespaceName=name, IsPublic=False)
    one_more = {"RegistryId": id, "NamespaceName": namespaces[-1], "IsPublic": False}
    assert refusal(call, "CreateNamespace", **one_more).code == "OperationDenied"
    call("ModifyInstance", RegistryId=id, RegistryType="standard")
    call("CreateNamespace", **one_more)
    assert refusal(call, "ModifyInstance", RegistryId=id, RegistryType="basic").code == "OperationDenied"
    assert registry(call, id).RegistryType == "standard"
    call("DeleteNamespace", RegistryId=id, NamespaceName=namespaces[0])
    call("ModifyInstance", RegistryId=id, RegistryType="basic")
    assert registry(call, id).RegistryType == "basic"


def test_what_cannot_be_modified_is_refused(call, elsewhere, refusal, unique):
    assert refusal(call, "ModifyInstance", RegistryId=NOBODYS, DeletionProtection=True).code == "InternalError.ErrNotExist"
    id = create(call, unique("fixed"))
    assert refusal(call, "ModifyInstance", RegistryId=id, RegistryType="gold").code == "InvalidParameter"
    assert refusal(elsewhere, "ModifyInstance", RegistryId=id, RegistryType="premium").code == "InternalError.ErrNotExist"
    assert registry(call, id).RegistryType == "basic"


def test_an_instance_is_seen_in_its_region_or_in_all(call, elsewhere, refusal, unique):
    id = create(elsewhere, unique("far"))
    assert registry(elsewhere, id).RegionName == "ap-shanghai"
    assert call("DescribeInstances", Registryids=[id]).TotalCount == 0
    (found,) = call("DescribeInstances", Registryids=[id], AllRegion=True).Registries
    assert (found.RegionName, found.RegionId) == ("ap-shanghai", 4)
    assert call("DescribeInstanceStatus", RegistryIds=[id]).RegistryStatusSet == []
    told = call("CheckInstance", RegistryId=id)
    assert (told.IsValidated, told.RegionId) == (True, 4)
    assert refusal(call, "DeleteInstance", RegistryId=id).code == "ResourceNotFound"


def test_filters_choose_by_name_and_by_tag(call, refusal, unique):
    value, other = unique("value"), unique("other")
    tags = lambda value: {"TagSpecification": {"ResourceType": "instance", "Tags": [{"Key": "team", "Value": value}]}}
    names = [unique("tagged") for _ in range(3)]
    ids = [create(call, name, **tags(tag)) for name, tag in zip(names, (value, value, other), strict=True)]
    assert [(tag.Key, tag.Value) for tag in registry(call, ids[2]).TagSpecification.Tags] == [("team", other)]

    def found(*filters):
        told = call("DescribeInstances", Filters=[{"Name": name, "Values": values} for name, values in filters])
        assert told.TotalCount == len(told.Registries)
        return sorted(registry.RegistryId for registry in told.Registries)

    assert found(("Tags", [f"team:{value}"])) == sorted(ids[:2])
    assert found(("Tags", [f"team:{value}", f"team:{other}"])) == sorted(ids)
    assert found(("Tags", [f"team:{value}"]), ("RegistryName", [names[0], names[2]])) == ids[:1]
    assert found(("RegistryName", [names[0][:-1]])) == []
    assert found(("Tags", [f"team:{value}"]), ("Tags", [f"team:{other}"])) == []
    for faulty in ({"Filters": [{"Name": "Zone", "Values": ["1"]}]}, {"Offset": -1}, {"Limit": -1}):
        assert refusal(call, "DescribeInstances", **faulty).code == "InvalidParameter"


def test_states_are_told_in_the_order_asked_for(call, unique):
    ids = [create(call, unique("state")) for _ in range(2)]
    told = call("DescribeInstanceStatus", RegistryIds=[ids[1], NOBODYS, ids[0]]).RegistryStatusSet
    assert [status.RegistryId for status in told] == [ids[1], ids[0]]


def test_the_instances_of_an_account_in_a_region_are_limited(start, refusal):
    cloud = start("--instance-quota", "3")
    call = Typed(TcrClient(sdk.credential(cloud), "ap-guangzhou", sdk.profile(cloud)))
    for number in range(3):
        call("CreateInstance", RegistryName=f"many-{number}", RegistryType="basic")
    assert refusal(call, "CreateInstance", RegistryName="many-3", RegistryType="basic").code == "OperationDenied.QuotaOverLimit"
    assert call("DescribeInstances", Limit=1).TotalCount == 3
    assert call("CheckInstanceName", RegistryName="many-3").DetailCode == 0
    # There is room again when one is gone, and in the next region.
    (first,) = call("DescribeInstances", Limit=1).Registries
    call("DeleteInstance", RegistryId=first.RegistryId)
    call("CreateInstance", RegistryName="room-again", RegistryType="basic")
    far = Typed(TcrClient(sdk.credential(cloud), "ap-shanghai", sdk.profile(cloud)))
    assert far("CreateInstance", RegistryName="room-elsewhere", RegistryType="basic").RegistryId


# Numbers that clients compare with `RegionId`.
REGIONS = {"ap-guangzhou": ("gz", 1), "ap-shanghai": ("sh", 4), "ap-beijing": ("bj", 8), "ap-singapore": ("sg", 9)}


def test_the_regions_have_their_numbers_and_short_names(call):
    told = call("DescribeRegions")
    assert told.TotalCount == len(told.Regions) == len({region.RegionId for region in told.Regions})
    regions = {region.RegionName: region for region in told.Regions}
    assert {name: (regions[name].Alias, regions[name].RegionId) for name in REGIONS} == REGIONS
    assert {region.Status for region in told.Regions} == {"alluser"}


def test_a_region_is_remarked_in_the_language_of_the_call(tcr):
    remark = lambda language: next(
        region.Remark for region in Typed(tcr(language=language))("DescribeRegions").Regions if region.RegionId == 1
    )
    assert remark("en-US").isascii()
    assert "广州" in remark("zh-CN")
