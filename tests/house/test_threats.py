"""Every case of the threat model has a test that names it, or a reason why it has none here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.repo import ROOT
from tests.house.threats import Threat, faults_of, threats_in

CASES = {
    "A": 11,
    "B": 16,
    "C": 13,
    "D": 13,
    "E": 7,
    "F": 8,
    "G": 8,
    "H": 12,
    "I": 5,
    "K": 5,
    "L": 8,
    "M": 9,
    "N": 11,
}
"""The groups that the page covers, and how many cases each has."""

THREATS = threats_in((ROOT / "docs/threats.md").read_text())


def test_no_case_is_left_out() -> None:
    """Each case of each group stands on the page once, in order."""
    wanted = [f"{group}{n + 1}" for group, cases in CASES.items() for n in range(cases)]
    assert [threat.id for threat in THREATS] == wanted


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat.id)
def test_a_case_is_shown(threat: Threat) -> None:
    """The tests that the page names are there, and their docstrings name the case."""
    assert list(faults_of(threat, ROOT)) == []


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        ("", "neither a test nor a reason"),
        ("`tests/test_x.py::test_gone`", "there is no"),
        ("`tests/test_y.py::test_there`", "there is no"),
        ("`tests/test_x.py::test_silent`", "does not name it"),
        ("`tests/test_x.py::test_there`", ""),
        ("not here: there is no such part", ""),
    ],
)
def test_a_bad_row_is_found(tmp_path: Path, shown: str, fault: str) -> None:
    """A row without a test, with one that is gone, or that is about something else."""
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_x.py").write_text(
        'def test_there() -> None:\n    """G1: so it is."""\n\n\n'
        'def test_silent() -> None:\n    """G11: another one."""\n'
    )
    found = list(faults_of(Threat("G1", "a", "b", shown), tmp_path))
    assert len(found) == bool(fault)
    assert all(fault in one for one in found)
