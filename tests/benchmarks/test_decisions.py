"""A whole run, shallow and short, with handrail alone: what it measures and what it prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import decisions, probe
from benchmarks.decisions import QUICK, main, measure
from benchmarks.report import TARGETS, text

TINY = replace(QUICK, seconds=0.02, pending=60, entries=700, decisions=100, peers=False)
FIELDS = {"system", "operation", "in_flight", "per_s", "p50_ms", "p99_ms"}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "QUICK", TINY)


def test_json_is_the_only_thing_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """One object with the disk's figure and a row for each case, each with exactly six fields."""
    assert main(["--quick", "--no-peers", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert set(said) == {"fdatasync_per_s", "rows"}
    assert said["fdatasync_per_s"] > 0
    for row in said["rows"]:
        assert set(row) == FIELDS
        assert row["per_s"] > 0
        assert 0 < row["p50_ms"] <= row["p99_ms"]
    cases = [(row["operation"], row["in_flight"]) for row in said["rows"]]
    assert len(cases) == len(set(cases))
    for operation in ("decide", "decide+execute", "approve"):
        assert [n for name, n in cases if name == operation] == [1, 8, 64]
    names = " / ".join(name for name, _ in cases)
    for part in (
        "http decide",
        "http batch of 50",
        "decide, empty log",
        "decide, deep log",
        "queue page of 50, 60 waiting",
        "verify log, 700 entries",
        "read + sha256",
        "verify log and rows",
        "http, 100 decisions",
    ):
        assert part in names


def test_text_says_of_every_target_what_became_of_it() -> None:
    """Without the other systems their targets are not measured; all others are reached or not."""
    told: list[str] = []
    measured = measure(TINY, told.append)
    said = text(measured).splitlines()[-len(TARGETS) :]
    for target, line in zip(TARGETS, said, strict=True):
        assert target.what in line
        other = "LangGraph" in line or "agentbarrier" in line or "FastAPI" in line
        assert line.startswith("not measured") == other
    assert any(line.startswith("round 1/1: handrail approve x64") for line in told)
    # the log is exactly as long as was asked for
    assert measured.verified.log.n == 3 * 700
    assert len(measured.verified.shares) == 3


def test_nothing_is_left_behind(own_scratch: Path) -> None:
    """What was written is gone after the run."""
    measure(replace(TINY, rounds=1), tell=lambda line: None)
    assert not own_scratch.exists()


@pytest.mark.parametrize(
    "arguments",
    [["--rounds", "0"], ["--rounds", "many"], ["--seconds", "0"], ["--seconds", "nan"], ["--x"]],
)
def test_bad_options_are_refused(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, the option named, and nothing was run."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    out, err = capfd.readouterr()
    assert not out
    assert arguments[0] in err


def test_a_failure_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder in memory is no disk: said on standard error, exit status 2."""
    monkeypatch.setattr("benchmarks.probe.IN_MEMORY", frozenset({_filesystem()}))
    assert main(["--quick", "--no-peers", "--json"]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert "durable writes need a disk" in err


def _filesystem() -> str:
    from benchmarks.probe import filesystem

    found = filesystem(probe.SCRATCH.parent)
    assert found is not None
    return found
