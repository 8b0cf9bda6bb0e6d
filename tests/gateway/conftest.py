"""One way to ask for the tests of the gateway: whatever is sent, the reply keeps the platform's form."""

import pytest

from requester import UUID, send


@pytest.fixture
def ask(cloud):
    """Sends a request to the shared cloud and holds the reply against what every reply must be."""

    def ask(request):
        reply = send(cloud.address, request)
        assert reply.status == 200
        assert reply.header("Content-Type") == "application/json"
        assert UUID.fullmatch(reply.request_id)
        return reply

    return ask


@pytest.fixture
def identity(api):
    """The plainest signed request: who am I."""
    return api.v3("sts", "GetCallerIdentity")


@pytest.fixture
def instances(api):
    """A signed request with parameters of every kind: the list of registries."""
    return api.v3("tcr", "DescribeInstances")
