"""The requester of these tests signs as the platform's documents do: their own examples, to the letter."""

from requester import FORM, V1, V3

ID, KEY = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
BODY = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'

DOCUMENTED = V3(
    ID,
    KEY,
    host="cvm.tencentcloudapi.com",
    service="cvm",
    action="DescribeInstances",
    version="2017-03-12",
    region="ap-guangzhou",
    body=BODY,
    content_type="application/json; charset=utf-8",
    timestamp=1551113065,
)


def signature(**changes):
    return DOCUMENTED.request(**changes).header("Authorization").rsplit("Signature=")[-1]


def test_the_documented_signature_v3():
    assert signature() == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_the_documented_signature_v3_with_the_action_in_small_letters():
    stars = {"secret_id": "AKID" + "*" * 32, "secret_key": "*" * 32, "signed": ("content-type", "host", "x-tc-action")}
    assert signature(**stars, lower_case=True) == "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    assert signature(**stars) == "f96dc2a9c590218f51b71640ebe8d40a9ff34b4300ae5f0cc9ec517d020a9071"


def test_the_signature_v3_of_a_query_that_the_python_sdk_sent():
    query = (
        "Limit=1&Flag=True&Name=a+b%2Bc%2F%E6%9C%AA%2A~%27%28%26%3D&Filters.0.Name=n&Filters.0.Values.0=v1"
        "&Filters.0.Values.1=v+2&Empty=&Under_Score=x&F=1.5"
    )
    made = signature(method="GET", query=query, content_type=FORM)
    assert made == "c7d30c498c30eb56aa083a4825e3da7f78286fe5b21dcafd0326a42ab7efa257"


def test_the_documented_signature_v1():
    v1 = V1(
        ID,
        KEY,
        host="cvm.tencentcloudapi.com",
        action="DescribeInstances",
        version="2017-03-12",
        region="ap-guangzhou",
        parameters=(("InstanceIds.0", "ins-09dx96dg"), ("Limit", "20"), ("Offset", "0")),
        method="GET",
        signature_method=None,
        timestamp=1465185768,
    )
    assert v1.signature() == "EliP9YW3pW28FpsEdkXt/+WcGeI="
