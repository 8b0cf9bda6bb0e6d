"""The region of a call: required where the product has regions, ignored where it has none."""

import pytest

from messages import REGION_UNSUPPORTED, invalid_value, missing, missing_header


def test_a_missing_region_is_named(ask, instances, api):
    assert ask(instances.request(region=None)).error == missing_header("X-TC-Region")
    assert ask(api.v1("tcr", "DescribeInstances", region=None).request()).error == missing("Region")


@pytest.mark.parametrize("region", ["", "ap-nowhere", "guangzhou", "AP-GUANGZHOU"])
def test_an_unusable_region_is_an_invalid_value(ask, instances, api, region):
    assert ask(instances.request(region=region)).error == invalid_value("X-TC-Region")
    assert ask(api.v1("tcr", "DescribeInstances", region=region).request()).error == invalid_value("Region")


@pytest.mark.parametrize("region", ["na-toronto", "ap-mumbai", "eu-moscow"])
def test_a_region_where_the_product_is_not_offered_is_unsupported(ask, instances, api, region):
    assert ask(instances.request(region=region)).error == REGION_UNSUPPORTED
    assert ask(api.v1("tcr", "DescribeInstances", region=region).request()).error == REGION_UNSUPPORTED


@pytest.mark.parametrize("region", [None, "", "ap-guangzhou", "ap-nowhere", "na-toronto"])
def test_a_product_without_regions_does_not_look_at_it(ask, identity, region):
    assert ask(identity.request(region=region)).error is None


def test_an_instance_lives_in_its_region(ask, api, instances, unique):
    name = unique("regional")
    created = api.v3("tcr", "CreateInstance", region="ap-tokyo")
    body = f'{{"RegistryName":"{name}","RegistryType":"basic"}}'.encode()
    assert ask(created.request(body=body)).error is None
    filters = f'{{"Filters":[{{"Name":"RegistryName","Values":["{name}"]}}]}}'.encode()
    found = lambda region: ask(instances.request(region=region, body=filters)).response["TotalCount"]
    assert (found("ap-tokyo"), found("ap-guangzhou")) == (1, 0)
