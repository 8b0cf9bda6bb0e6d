"""Which product an address means, and which actions a product has."""

from dataclasses import replace

import pytest

from messages import REGION_UNSUPPORTED, no_action, no_version
from requester import VERSIONS

HOSTS = [
    "sts.tencentcloudapi.com",
    "sts.intl.tencentcloudapi.com",
    "sts.ap-guangzhou.tencentcloudapi.com",
    "sts.internal.tencentcloudapi.com",
    "sts.my.cloud.example:8443",
    "sts.localhost",
    "localhost",
    "http://127.0.0.1:8080",
    "https://sts.tencentcloudapi.com",
    "[::1]:8080",
]


@pytest.mark.parametrize("host", HOSTS)
def test_an_address_reaches_the_product(ask, identity, host):
    assert "AccountId" in ask(identity.request(host=host)).response


def test_a_full_url_in_the_host_header_works_as_tccli_sends_it(ask, cloud, identity):
    assert ask(identity.request(host=f"http://{cloud.authority}")).error is None


def test_the_host_may_be_signed_without_its_port(ask, identity):
    assert ask(identity.request(signed_host="127.0.0.1")).error is None


def test_a_target_may_be_a_full_url(ask, cloud, api):
    request = api.v3("sts", "GetCallerIdentity").request()
    assert ask(replace(request, target=f"http://{cloud.authority}/")).error is None
    v1 = api.v1("sts", "GetCallerIdentity", method="GET").request()
    assert ask(replace(v1, target=f"http://{cloud.authority}{v1.target}")).error is None


def test_an_empty_query_is_no_query(ask, identity):
    assert ask(replace(identity.request(), target="/?")).error is None


def test_a_path_in_the_endpoint_is_not_signed_by_v3_but_by_v1(ask, identity, api):
    assert ask(replace(identity.request(), target="/tc_api")).error is None
    assert ask(api.v1("sts", "GetCallerIdentity", path="/tc_api").request()).error is None


def test_the_product_follows_from_the_scope_where_the_address_names_none(ask, api):
    # `tag` and `sts` have the same version; only the scope tells them apart.
    assert VERSIONS["tag"] == VERSIONS["sts"]
    reply = ask(api.v3("sts", "GetResources", host="127.0.0.1").request())
    assert reply.error == no_action("GetResources", "sts", VERSIONS["sts"])


def test_the_product_follows_from_the_action_where_nothing_names_one(ask, api):
    assert "Registries" in ask(api.v3("tcr", "DescribeInstances", scope_service="127").request()).response
    assert "Registries" in ask(api.v1("tcr", "DescribeInstances").request()).response


def test_an_unknown_action_is_named_with_service_and_version(ask, identity):
    assert ask(identity.request(action="Nope")).error == no_action("Nope", "sts", "2018-08-13")


def test_an_unknown_version_is_named_with_the_service(ask, identity):
    assert ask(identity.request(version="2018-08-14")).error == no_version("2018-08-14", "sts")


def test_an_unknown_product_is_none(ask, identity):
    request = identity.request(host="nosuch.tencentcloudapi.com", service="nosuch")
    assert ask(request).error[0] == "NoSuchProduct"


def test_an_unknown_action_without_a_product_is_none(ask, api):
    assert ask(api.v1("sts", "Nope").request()).error[0] == "InvalidAction"


def test_an_action_that_is_not_built_yet_says_so(ask, api):
    code, message = ask(api.v3("cvm", "DescribeInstances").request()).error
    assert code == "UnsupportedOperation"
    assert "DescribeInstances" in message


# -- regions


def test_finance_zones_are_reached_through_their_own_addresses_only(ask, instances):
    plain, finance = "tcr.tencentcloudapi.com", "tcr.ap-shanghai-fsi.tencentcloudapi.com"
    assert ask(instances.request(host=finance, region="ap-shanghai-fsi")).error is None
    assert ask(instances.request(host=plain, region="ap-shanghai-fsi")).error == REGION_UNSUPPORTED
    assert ask(instances.request(host=finance, region="ap-guangzhou")).error == REGION_UNSUPPORTED


def test_the_address_of_one_region_serves_all(ask, instances):
    assert ask(instances.request(host="tcr.ap-tokyo.tencentcloudapi.com", region="ap-guangzhou")).error is None
