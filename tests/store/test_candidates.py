"""What the store promises of candidates and of where they decide otherwise."""

from __future__ import annotations

import msgspec
import pytest

from handrail.core.contrast import Candidate, Contrast, Leaning
from handrail.errors import Unavailable
from handrail.store.protocol import Store
from tests.store.databases import NOW
from tests.store.gateways import Pair
from tests.store.samples import DESK


def candidate(id: str = "cd_1", desk: str = DESK) -> Candidate:
    """One that runs."""
    return Candidate(
        desk=desk, id=id, digest="d", name="n", body="{}", started_at=NOW, started_by="ann"
    )


def contrast(proposal: str, direction: Leaning = Leaning.LOOSER) -> Contrast:
    """An action that it decides otherwise."""
    return Contrast(
        desk=DESK,
        candidate="cd_1",
        proposal=proposal,
        kind="refund.issue",
        at=NOW,
        direction=direction.value,
        live_control="approve",
        live_checkers=0,
        live_grade=2,
        live_reasons="value_band",
        control="run_and_log",
        checkers=0,
        grade=1,
        reasons="cleared",
    )


def test_one_runs_at_a_time_and_is_stopped_once(store: Store) -> None:
    """A second one beside it is refused by the database; on another desk it is not."""
    store.write(lambda tx: tx.candidates.add(candidate()))
    with pytest.raises(Unavailable):
        store.write(lambda tx: tx.candidates.add(candidate("cd_2")))
    store.write(lambda tx: tx.candidates.add(candidate("cd_3", "other")))
    running = store.read(lambda tx: tx.candidates.all_running())
    assert running == {DESK: "cd_1", "other": "cd_3"}
    stopped = msgspec.structs.replace(candidate(), stopped_at=NOW, stopped_by="bea")
    assert store.write(lambda tx: tx.candidates.stop(stopped)) is True
    assert store.write(lambda tx: tx.candidates.stop(stopped)) is False
    assert store.read(lambda tx: tx.candidates.running(DESK)) is None
    assert store.read(lambda tx: tx.candidates.latest(DESK)) == stopped
    store.write(lambda tx: tx.candidates.add(candidate("cd_4")))
    assert store.read(lambda tx: tx.candidates.everything(DESK)) == [stopped, candidate("cd_4")]


def test_what_differs_is_counted_and_listed(store: Store) -> None:
    """By kind and by what it was and would be; the newest first."""
    for n in range(3):
        store.write(lambda tx, n=n: tx.candidates.note(contrast(f"hr_{n}")))  # type: ignore[misc]
    store.write(lambda tx: tx.candidates.note(contrast("hr_9", Leaning.TIGHTER)))
    found = store.read(lambda tx: tx.candidates.differing(DESK, "cd_1"))
    assert [(one.direction, one.n, one.example) for one in found] == [
        ("looser", 3, "hr_2"),
        ("tighter", 1, "hr_9"),
    ]
    newest = store.read(lambda tx: tx.candidates.contrasts(DESK, "cd_1", most=2))
    assert [one.proposal for one in newest] == ["hr_9", "hr_2"]
    assert newest[1] == contrast("hr_2")
    earlier = store.read(lambda tx: tx.candidates.contrasts(DESK, "cd_1", before="hr_2", most=9))
    assert [one.proposal for one in earlier] == ["hr_1", "hr_0"]
    assert store.read(lambda tx: tx.candidates.differing(DESK, "cd_2")) == []


def test_another_gateway_sees_what_was_started_and_stopped(pair: Pair) -> None:
    """Both read the same rows."""
    one, other = pair
    one.write(lambda tx: tx.candidates.add(candidate()))
    assert other.read(lambda tx: tx.candidates.all_running()) == {DESK: "cd_1"}
    stopped = msgspec.structs.replace(candidate(), stopped_at=NOW, stopped_by="bea")
    assert other.write(lambda tx: tx.candidates.stop(stopped))
    assert one.read(lambda tx: tx.candidates.all_running()) == {}
