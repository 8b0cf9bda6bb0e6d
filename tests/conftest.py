"""Clouds for every test, and what they logged for every failure."""

import os
import uuid

import pytest

import cloud as clouds
import evidence
import lifecycle
import tools
from requester import Api


def pytest_configure():
    tools.prepend_paths()
    # Some of the official clients would ask a proxy for 127.0.0.1.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    if not clouds.BINARY.exists():
        raise pytest.UsageError(f"{clouds.BINARY} does not exist: cargo build --release, or set ROOKERY_BIN")


def pytest_sessionfinish(session, exitstatus):
    """A whole run that passed writes the evidence page, or holds it against the committed one. Neither may leave a gap."""
    if exitstatus != 0 or session.config.args != [str(clouds.REPOSITORY / "tests")] or session.config.option.keyword:
        return
    fresh = evidence.page()
    gaps = list(evidence.gaps())
    for gap in gaps:
        print(f"\nevidence missing: {gap}", end="")
    gone = []
    if os.environ.get("ROOKERY_EVIDENCE") == "write":
        evidence.PAGE.write_text(fresh)
    else:
        gone = evidence.lost(evidence.PAGE.read_text(), fresh)
    for action, axis, mark in gone:
        print(f"\nevidence lost: {action}: {axis}: {mark}", end="")
    if gone:
        print("\nIf that is meant: make evidence", end="")
    if gaps or gone:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for cloud in clouds.running:
        lifecycle.mark(cloud, item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for cloud in clouds.running:
            tail = "\n".join(cloud.logged().splitlines()[-40:])
            report.sections.append((f"what {cloud.data} logged last", tail))
    return report


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """The cloud that tests share. A test that stops, kills or reconfigures it takes one of its own."""
    with clouds.started(tmp_path_factory.mktemp("shared") / "data", "--instance-quota", "10000") as cloud:
        yield cloud


@pytest.fixture
def start(tmp_path):
    """Starts clouds for one test: `start()`, `start("--rate-limit", "2")`, `start(ROOKERY_REGION="ap-tokyo")`."""
    owned = []

    def start(*options, **environment):
        cloud = clouds.Cloud(tmp_path / f"data-{len(owned)}", *options, **environment)
        owned.append(cloud)
        return cloud.start()

    yield start
    for cloud in owned:
        cloud.discard()


@pytest.fixture(scope="session")
def api(cloud):
    """Calls of the shared cloud for the parts of a test that are not its subject."""
    return Api(cloud)


@pytest.fixture
def unique():
    """Names that no other test uses."""
    return lambda stem: f"{stem}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A home directory for tools."""
    return tmp_path_factory.mktemp("home")
