"""The whole measurement on the sample, and that only the scorer ever sees a label."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.tau import __main__ as program
from benchmarks.tau.chart import CHART, TWIN
from benchmarks.tau.client import Backend
from benchmarks.tau.gateway import replay_all
from benchmarks.tau.score import REPORTED
from benchmarks.tau.strategies import Strategy
from benchmarks.tau.traffic import SAMPLE, load_traffic

ROOM = Path(program.__file__).parent
BLIND = (
    *("airline", "booking", "client", "connector", "facts", "gateway", "outcome", "retail"),
    *("rule", "strategies", "thread", "traffic", "worth"),
)
STRATEGIES = [one.value for one in Strategy]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What `--json` prints for the sample, as another program would read it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tau", "--traffic", str(SAMPLE), "--json"],
        cwd=ROOM.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sample of our own making" in done.stderr
    assert "0 of 6 conversations name no customer" in done.stderr
    assert "otherwise than recorded" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_report_has_the_promised_shape(report: dict[str, Any]) -> None:
    """One object, each set with its totals and six strategies, each with the same numbers."""
    assert report.keys() == {"sets", "all"}
    assert report["sets"].keys() == {"sample-retail", "sample-airline"}
    checks = report["all"].pop("checks")
    assert list(checks) == STRATEGIES
    assert not checks["ask"]
    for caught in checks["handrail"].values():
        assert caught.keys() == {"wrong", "wrong_cents", "right"}
        assert {type(number) for number in caught.values()} == {int}
    for found in (*report["sets"].values(), report["all"]):
        assert list(found) == ["trajectories", "calls", "writes", "wrong_cents", "strategies"]
        assert list(found["strategies"]) == STRATEGIES
        for numbers in found["strategies"].values():
            assert tuple(numbers) == REPORTED
            assert {type(numbers[name]) for name in REPORTED[1:]} == {int}
            assert type(numbers["interruptions_per_1000"]) is float


def test_the_numbers_of_the_sample(report: dict[str, Any]) -> None:
    """Small enough to count by hand: six conversations, eight writes, two of them wrong."""
    retail, airline = report["sets"]["sample-retail"], report["sets"]["sample-airline"]
    assert (retail["trajectories"], retail["calls"], retail["writes"]) == (3, 11, 3)
    assert (airline["trajectories"], airline["calls"], airline["writes"]) == (3, 12, 5)
    assert (retail["wrong_cents"], airline["wrong_cents"]) == (260659, 15100)
    for found in (retail, airline):
        wrong = found["wrong_cents"]
        assert found["strategies"]["allow"]["wrong_ran_alone_cents"] == wrong
        for name in ("ask", "threshold", "handrail", "handrail-scarce"):
            numbers = found["strategies"][name]
            assert (numbers["wrong_ran_alone"], numbers["wrong_held"]) == (0, 1)
            # nothing is shown red by a threshold; both mistakes are by the checks
            assert numbers["wrong_flagged_cents"] == (wrong if "handrail" in name else 0)
            assert numbers["wrong_if_all_approved_cents"] == wrong
            assert numbers["right_refused"] == 0
    assert airline["strategies"]["threshold"]["held"] == 1
    assert airline["strategies"]["ask"]["interruptions_per_1000"] == 416.7


def test_all_sets_together(report: dict[str, Any]) -> None:
    """What is counted of the sets adds up in `all`."""
    sets, together = report["sets"].values(), report["all"]
    for key in ("trajectories", "calls", "writes", "wrong_cents"):
        assert together[key] == sum(found[key] for found in sets)
    for name, numbers in together["strategies"].items():
        for key in REPORTED[1:]:
            assert numbers[key] == sum(found["strategies"][name][key] for found in sets)


def test_the_strategies_are_in_order(report: dict[str, Any]) -> None:
    """What asks more lets fewer wrong writes run alone, and interrupts more often."""
    for found in report["sets"].values():
        by_name = found["strategies"]
        for looser, stricter in (("allow", "threshold"), ("threshold", "ask")):
            loose, strict = by_name[looser], by_name[stricter]
            assert loose["wrong_ran_alone"] >= strict["wrong_ran_alone"]
            assert loose["interruptions_per_1000"] <= strict["interruptions_per_1000"]
        ours, threshold = by_name["handrail"], by_name["threshold"]
        assert ours["wrong_ran_alone_cents"] <= threshold["wrong_ran_alone_cents"]
        assert by_name["allow"]["ran_alone"] == found["calls"]
        assert by_name["ask"]["held"] == found["writes"]


def test_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--json` there is a table for each set."""
    assert program.main(["--traffic", str(SAMPLE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("sample-retail: 3 conversations, 11 calls, 3 writes; 1 writes")
    assert "2,606.59 USD" in lines[0]
    assert [line.split()[0] for line in lines[2:8]] == STRATEGIES
    assert len({len(line) for line in lines[1:8]}) == 1
    assert "all: 6 conversations, 23 calls, 8 writes" in "\n".join(lines)
    assert any(line.startswith("| `handrail-scarce` |") for line in lines)


def test_the_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--chart` writes a drawing that runs nothing and loads nothing, and a table that says it."""
    options = ["--traffic", str(SAMPLE), "--misses", "--chart", str(tmp_path)]
    assert program.main(options) == 0
    # every wrong write of the sample is contradicted: the table of the others is empty
    assert capsys.readouterr().out.splitlines()[2:] == []
    drawing = (tmp_path / CHART).read_text()
    root = ElementTree.fromstring(drawing)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names == {"svg", "title", "desc", "rect", "path", "text", "circle"}
    assert not any(
        "href" in key or key.startswith("on") for one in root.iter() for key in one.attrib
    )
    table = (tmp_path / TWIN).read_text()
    for strategy in STRATEGIES:
        assert f"{strategy}: " in drawing
        assert f"| `{strategy}` |" in table


def test_the_chart_in_the_docs_is_that_of_the_table() -> None:
    """The page shows the drawing, and the very table that was written beside it."""
    docs = ROOM.parents[1] / "docs"
    page = (docs / "measured-case.md").read_text()
    assert f"images/{CHART}" in page
    table = (docs / "images" / TWIN).read_text()
    assert table in page
    drawing = (docs / "images" / CHART).read_text()
    for row in table.splitlines()[2:]:
        name, interruptions, _, alone, *_ = (cell.strip(" `") for cell in row.strip("|").split("|"))
        said = f"{name}: {interruptions} interruptions per 1,000 calls, {alone} of the wrong money"
        assert said in drawing


def test_traffic_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong folder, or one without labels, ends with status 2 and a sentence."""
    assert program.main(["--traffic", str(tmp_path)]) == 2
    assert "trajectories.jsonl" in capsys.readouterr().err
    shutil.copy(SAMPLE / "trajectories.jsonl", tmp_path)
    assert program.main(["--traffic", str(tmp_path)]) == 2
    assert "labels.jsonl" in capsys.readouterr().err


def test_only_the_scorer_parses_labels() -> None:
    """One module names the file; what decides and replays does not even load that module."""
    names = {
        path.stem
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == "labels.jsonl"
    }
    assert names == {"score"}
    loading = "; ".join(f"import benchmarks.tau.{name}" for name in BLIND)
    blind = f"import sys; {loading}; sys.exit('benchmarks.tau.score' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", blind], cwd=ROOM.parents[1]).returncode == 0


def test_decisions_are_the_same_without_labels(tmp_path: Path, backend: Backend) -> None:
    """A folder that holds no labels replays to the same outcomes."""
    shutil.copy(SAMPLE / "trajectories.jsonl", tmp_path)
    for strategy in Strategy:
        with_labels = replay_all(backend, load_traffic(SAMPLE).conversations, strategy)
        without = replay_all(backend, load_traffic(tmp_path).conversations, strategy)
        assert with_labels == without
