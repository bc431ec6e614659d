"""The peers' locks, and the conversation with a running one. No environment is built here."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks.peers.child import PeerFailed, start
from benchmarks.peers.lines import answer
from benchmarks.venv import LOCKS, ensure, peers
from tests.house.locks import pins, unhashed
from tools.lock import foreign_lines

STAND_IN = [sys.executable, "-m", "tests.benchmarks.stand_in"]


def test_peers_are_the_three() -> None:
    """Each lock has the list that it was made from, and a runner of the same name."""
    assert peers() == ["agentbarrier", "fastapi", "langgraph"]
    for name in peers():
        assert (LOCKS / f"{name}.in").is_file()
        assert (LOCKS / f"{name}.py").is_file()


@pytest.mark.parametrize("name", peers())
def test_locks_are_hashed_and_say_no_place(name: str) -> None:
    """Every pin has its hash, no line has an address, and what is wanted is what is locked."""
    lock = (LOCKS / f"{name}.txt").read_text()
    assert unhashed(lock) == []
    assert foreign_lines(lock) == []
    held = pins(lock)
    for line in (LOCKS / f"{name}.in").read_text().splitlines():
        if not line.startswith("#"):
            wanted, _, version = line.partition("==")
            assert re.fullmatch(re.escape(version) or ".+", held[wanted]), line


def test_versions_are_the_compared_ones() -> None:
    """The figures are published against these releases; another one is another comparison."""
    held = {name: version for peer in peers() for name, version in _pins(peer).items()}
    assert held["langgraph"] == "1.2.22"
    assert held["langgraph-checkpoint-sqlite"] == "3.1.2"
    assert held["agentbarrier"] == "1.1.0"
    assert held["fastapi"] == "0.165.0"


@pytest.mark.parametrize("name", ["", "nobody", "../peers/langgraph"])
def test_unknown_peer_is_refused(name: str) -> None:
    """A name without a lock builds nothing."""
    with pytest.raises(ValueError, match="no lock for the peer"):
        ensure(name)


def test_a_peer_answers_line_by_line(tmp_path: Path) -> None:
    """It says what it is, then measures what it is asked, however many are in flight."""
    with start([*STAND_IN, "works"], tmp_path) as child:
        assert child.about == {"system": "stand-in", "way": "works"}
        for operation, in_flight in [("auto", 1), ("approve", 8), ("auto", 64)]:
            found = child.measure(operation, in_flight=in_flight, seconds=0.01)
            assert found.n >= in_flight


def test_a_failure_is_said_and_survived(tmp_path: Path) -> None:
    """The peer's own words reach us, and the next question is answered."""
    with start([*STAND_IN, "fails"], tmp_path) as child:
        assert child.measure("auto", in_flight=1, seconds=0.001).n >= 1
        with pytest.raises(PeerFailed, match="the store is locked"):
            child.measure("approve", in_flight=1, seconds=0.001)
        with pytest.raises(PeerFailed, match="KeyError"):
            child.measure("unheard of", in_flight=1, seconds=0.001)
        assert child.measure("auto", in_flight=1, seconds=0.001).n >= 1


def test_a_peer_that_dies_is_an_error(tmp_path: Path) -> None:
    """Nobody waits for the answer of a process that is gone."""
    with pytest.raises(PeerFailed, match="went away"), start([*STAND_IN, "dies"], tmp_path):
        pass


@pytest.mark.parametrize("line", ["", "not JSON", "[]", "{}", '{"op": "auto", "in_flight": 0}'])
def test_a_bad_question_gets_an_error(line: str) -> None:
    """Whatever is asked, the answer is one line of JSON."""
    said = answer({"auto": list}, line)
    assert set(said) == {"error"}
    assert "\n" not in json.dumps(said)


def _pins(peer: str) -> dict[str, str]:
    return pins((LOCKS / f"{peer}.txt").read_text())
