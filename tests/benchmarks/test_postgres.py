"""A short run on a real PostgreSQL: what it measures and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.figures import Figures
from benchmarks.postgres import BARE, GATEWAYS, main, text
from benchmarks.rounds import Rounds, run_rounds
from tests.benchmarks.test_decisions import FIELDS


def test_json_is_the_only_thing_printed(
    own_scratch: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The bare loop, one gateway and two, each with exactly six fields; nothing is left behind."""
    assert main(["--rounds", "1", "--seconds", "0.05", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert set(said) == {"fdatasync_per_s", "rows"}
    cases = [(row["system"], row["operation"], row["in_flight"]) for row in said["rows"]]
    assert cases == [tuple(case) for case in (BARE, *GATEWAYS.values())]
    for row in said["rows"]:
        assert set(row) == FIELDS
        assert row["per_s"] > 0
        assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert not own_scratch.exists()


@pytest.mark.parametrize(("per_s", "word"), [(999.0, "missed"), (1_000.0, "reached")])
def test_text_says_what_became_of_the_target(per_s: float, word: str) -> None:
    """As many decisions a second as a bare loop commits."""

    def rate(per_s: float) -> Figures:
        return Figures(per_s=per_s, p50_ms=1.0, p99_ms=2.0, n=9)

    rounds: Rounds = run_rounds(
        {BARE: lambda: rate(1_000.0), GATEWAYS[2]: lambda: rate(per_s)},
        rounds=3,
        probe=lambda: rate(3_000.0),
    )
    assert text(rounds).splitlines()[-1].startswith(word)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--seconds", "0"], ["--x"]])
def test_bad_options_are_refused(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, the option named, and nothing was run."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert arguments[0] in capfd.readouterr().err
