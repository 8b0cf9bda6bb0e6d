"""Databases of the shared cloud, and one instance that tests of one file share."""

import pytest

from databases import Databases


@pytest.fixture(scope="session")
def databases(cloud, home):
    return Databases(cloud, home)


@pytest.fixture(scope="module")
def instance(databases):
    """An instance of one server, with the account `app`."""
    made = databases.create()
    made.account()
    yield made
    made.destroy()
