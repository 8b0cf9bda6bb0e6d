"""The conformance suites of the OCI distribution specification, against the real binary and behind its login.

`oci-conformance` is the suite as it is now, `oci-conformance-legacy` the one of release 1.1.1. scripts/install-test-tools builds
both from their Go module.
"""

import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from cloud import REPOSITORY, clean_environment
from tools import require

# Of one run: it takes seconds, and one that hangs must not hold up everything else.
LONGEST = 90.0

# What the suite switches off unless it is told otherwise, and we switch on.
OPTIONAL = ("BLOBS_DIGEST_HEADER", "MANIFESTS_DIGEST_HEADER", "BLOBS_UPLOAD_CANCEL", "MANIFESTS_TAG_PARAM")

# Manifests whose children are missing: refused on purpose, and off by default in the suite (OCI_DATA_SPARSE).
OFF = "Sparse Manifests"

# What the legacy suite skips when it has pushed the content itself, and when it is told that a mount needs no source.
LEGACY_SKIPPED = {
    "Get tag name from environment",
    "Populate registry with test tags (no push)",
    "Cross-mounting of nonexistent blob should yield session id",
    "Cross-mounting without from, and automatic content discovery disabled should return a 202",
}


def suite(name):
    """A suite's program. Where the module proxy refuses it, a missing one is skipped even in CI, with that reason."""
    refused = REPOSITORY / f".tools/unavailable/{name}"
    if shutil.which(name) is None and refused.exists():
        pytest.skip(f"{name}: {refused.read_text().strip()}")
    return require(name)


def run_suite(program, directory, **variables):
    foreign = {name: value for name, value in clean_environment().items() if not name.startswith("OCI_")}
    return subprocess.run([program], cwd=directory, env=foreign | variables, capture_output=True, text=True, timeout=LONGEST)


def cases(report):
    """(name, outcome, what it printed) of each test case of a JUnit report."""
    for case in ElementTree.parse(report).iter("testcase"):
        said = "".join(part.text or "" for part in case if part.tag in ("system-err", "failure", "error", "skipped"))
        if case.find("failure") is not None or case.find("error") is not None:
            yield case.get("name"), "failed", said
        elif case.find("skipped") is not None:
            yield case.get("name"), "skipped", said
        else:
            yield case.get("name"), case.get("status"), said


def told(found):
    return "\n".join(f"{name}: {outcome}\n{said[-3000:]}" for name, outcome, said in found)


@pytest.mark.parametrize("version", ["1.1", "dev"])
def test_the_current_suite_passes_with_nothing_skipped(place, unique, tmp_path, version):
    program = suite("oci-conformance")
    ended = run_suite(
        program,
        tmp_path,
        OCI_REGISTRY=place.login.host,
        OCI_TLS="disabled",
        OCI_REPO1=f"{place.private}/{unique('one')}",
        OCI_REPO2=f"{place.private}/{unique('two')}",
        OCI_USERNAME=place.login.username,
        OCI_PASSWORD=place.login.password,
        OCI_VERSION=version,
        OCI_RESULTS_DIR=str(tmp_path / "results"),
        **{f"OCI_API_{name}": "true" for name in OPTIONAL},
    )
    found = list(cases(tmp_path / "results/junit.xml"))
    assert not [case for case in found if case[1] in ("failed", "skipped")], told(
        case for case in found if case[1] in ("failed", "skipped")
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len([case for case in found if case[1] == "passed"]) > 700

    # The summary by API and by kind of content.
    results = summary((tmp_path / "results/results.yaml").read_text())
    assert {name for name, outcome in results.items() if outcome != "Pass"} == {OFF}
    assert results["Blobs sha512"] == results["Image with Large Manifest"] == results["Referrers"] == "Pass"


def summary(text):
    """The lines `name: outcome` of results.yaml."""
    outcomes = ("Pass", "FAIL", "Fail", "Skip", "Disabled", "Error", "Unknown")
    pairs = (line.strip().rpartition(": ") for line in text.splitlines())
    return {name.strip("'\""): outcome for name, _, outcome in pairs if outcome in outcomes}


def test_the_suite_of_release_1_1_1_passes(place, unique, tmp_path):
    program = suite("oci-conformance-legacy")
    ended = run_suite(
        program,
        tmp_path,
        OCI_ROOT_URL=f"http://{place.login.host}",
        OCI_NAMESPACE=f"{place.private}/{unique('one')}",
        OCI_CROSSMOUNT_NAMESPACE=f"{place.private}/{unique('two')}",
        OCI_AUTOMATIC_CROSSMOUNT="1",
        OCI_USERNAME=place.login.username,
        OCI_PASSWORD=place.login.password,
        OCI_REPORT_DIR=str(tmp_path),
        **{f"OCI_TEST_{part}": "1" for part in ("PULL", "PUSH", "CONTENT_DISCOVERY", "CONTENT_MANAGEMENT")},
    )
    found = list(cases(tmp_path / "junit.xml"))
    assert not [case for case in found if case[1] == "failed"], told(case for case in found if case[1] == "failed")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    skipped = {name for name, outcome, _ in found if outcome == "skipped"}
    assert {spec for spec in LEGACY_SKIPPED for name in skipped if name.endswith(spec)} == LEGACY_SKIPPED and len(skipped) == len(
        LEGACY_SKIPPED
    )
    assert len([case for case in found if case[1] == "passed"]) >= 75
