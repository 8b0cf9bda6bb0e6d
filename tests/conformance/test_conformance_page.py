"""The page of conformance names tests that exist."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs/conformance.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", re.M)


def defined():
    """The names of every test function of the project."""
    names = set()
    for folder, pattern, definition in (
        ("tests", "*.py", re.compile(r"^\s*(?:async )?def (test_\w+)", re.M)),
        ("crates", "*.rs", re.compile(r"#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)", re.M)),
    ):
        for path in (REPOSITORY / folder).rglob(pattern):
            names.update(definition.findall(path.read_text()))
    return names


@pytest.mark.parametrize(("number", "tests"), ROW.findall(PAGE.read_text()))
def test_every_statement_has_tests_that_exist(number, tests):
    named = re.findall(r"`(\w+)`", tests)
    assert named, f"{number} names no test"
    assert set(named) <= defined()


def test_statements_are_numbered_once():
    numbers = [number for number, _ in ROW.findall(PAGE.read_text())]
    assert len(numbers) == len(set(numbers)) and len(numbers) > 30
