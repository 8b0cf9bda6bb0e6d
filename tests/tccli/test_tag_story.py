"""Tags from the command line: on a registry, on a user, and the registry's own view of them."""

import pytest

from tencent import Tccli


@pytest.fixture
def root(cloud, home):
    return Tccli(cloud, home)


def test_a_registry_is_tagged_and_found_by_its_tags(root, refused, unique):
    name, value = unique("tagged")[:40], unique("value")
    id = root("tcr", "CreateInstance", RegistryName=name, RegistryType="basic")["RegistryId"]
    resource = f"qcs::tcr:ap-guangzhou:uin/:instance/{id}"
    root("tag", "ModifyResourceTags", Resource=resource, ReplaceTags=[{"TagKey": "team", "TagValue": value}])
    [registry] = root("tcr", "DescribeInstances", Registryids=[id])["Registries"]
    assert registry["TagSpecification"]["Tags"] == [{"Key": "team", "Value": value}]
    found = root("tag", "GetResources", TagFilters=[{"TagKey": "team", "TagValue": [value]}])["ResourceTagMappingList"]
    assert [mapping["Resource"].rsplit("/", 1)[1] for mapping in found] == [id]
    attached = refused(root, "tag", "DeleteTag", TagKey="team", TagValue=value)
    assert attached.code == "FailedOperation.TagAttachedResource"
    root("tag", "DeleteResourceTag", Resource=resource, TagKey="team")
    root("tag", "DeleteTag", TagKey="team", TagValue=value)
    listed = root(
        "tag", "DescribeResourceTagsByResourceIds", ServiceType="tcr", ResourcePrefix="instance", ResourceRegion="ap-guangzhou",
        ResourceIds=[id],
    )
    assert (listed["TotalCount"], listed["Tags"]) == (0, [])


def test_projects_are_made_and_hidden(root, refused, unique):
    name = unique("project")
    id = root("tag", "AddProject", ProjectName=name, Info="from the shell")["ProjectId"]
    assert refused(root, "tag", "AddProject", ProjectName=name).code == "InvalidParameter.ProjectNameExisted"
    root("tag", "UpdateProject", ProjectId=id, Disable=1)
    assert root("tag", "DescribeProjects", AllList=0, Limit=1000, Offset=0, ProjectName=name)["Projects"] == []
    shown = root("tag", "DescribeProjects", AllList=1, Limit=1000, Offset=0, ProjectName=name)["Projects"]
    assert [project["ProjectId"] for project in shown] == [id]
