"""What a connector promises bounds what is sent again: keys end, attempts end, storms end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    NotDone,
    Prepared,
    Promise,
    Receipt,
)
from handrail.core.circuit import FAILURES_MAX
from handrail.core.lifecycle import State
from handrail.engine.base.circuits import Way
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import plan
from handrail.engine.running.execute import Job, perform, settle_unit
from handrail.engine.running.lookup import ATTEMPTS_MAX, KEY_MARGIN_MS
from handrail.surfaces.embedded import Action
from tests.engine.connectors import Execute, Front, effects_in
from tests.engine.stories import HOUR, MIDDLE, MINUTE, SECOND, SMALL, Story, code_of


@pytest.fixture
def story(tmp_path: Path, front: Front) -> Iterator[Story]:
    """A desk whose world stands behind `front`."""
    with Story(tmp_path / "desk", connectors={"desk": front}) as told:
        yield told
        told.check()


def _never(execute: Execute) -> Receipt:
    raise TimeoutError


def _lost(execute: Execute) -> Receipt:
    execute()
    raise TimeoutError


def _key_ends(front: Front, ttl_ms: int) -> None:
    kinds: dict[str, Capability] = {
        kind: msgspec.structs.replace(found, ttl_ms=ttl_ms) for kind, found in front.kinds().items()
    }
    front.kinds = lambda: kinds  # type: ignore[method-assign]


def _why(story: Story, action: Action) -> object:
    entries = story.desk.ctx.store.read(lambda tx: tx.log.of_proposal("main", action.id))
    return entries[-1].entry.data.get("why") or entries[-2].entry.data.get("why")


def test_nothing_is_sent_under_a_key_that_may_be_forgotten(story: Story, front: Front) -> None:
    """H2: certainly not done, but the key is old: it fails, and a person is told."""
    _key_ends(front, KEY_MARGIN_MS + 60 * SECOND)
    front.doing = _never
    action = story.refund(SMALL)
    front.doing = lambda execute: execute()
    story.later(MINUTE)
    story.desk.work()
    assert (story.state(action), _why(story, action)) == (State.FAILED, "key_expired")
    assert story.open_escalations() == [action.id]
    assert front.calls == [action.id]
    assert effects_in(front.desk) == 0


def test_a_key_that_still_lives_is_used_again(story: Story, front: Front) -> None:
    """H2: the same a minute earlier: same key, one effect."""
    _key_ends(front, KEY_MARGIN_MS + 60 * SECOND)
    front.doing = _never
    action = story.refund(SMALL)
    front.doing = lambda execute: execute()
    story.later(10 * SECOND)
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED
    assert front.calls == [action.id] * 2


def test_a_key_that_ends_while_it_waits(story: Story, front: Front) -> None:
    """H2: it was to be sent again, and the system was away until the key was old: not sent."""
    _key_ends(front, 5 * MINUTE)
    front.doing = _never
    action = story.refund(SMALL)
    front.doing = lambda execute: execute()
    front.preparing = _away
    story.later(10 * SECOND)
    story.desk.work()
    assert story.state(action) is State.READY
    front.preparing = lambda prepared: prepared
    story.later(5 * MINUTE)
    story.desk.work()
    assert (story.state(action), _why(story, action)) == (State.EXPIRED, "key_expired")
    assert front.calls == [action.id]


def _away(prepared: Prepared) -> Prepared:
    raise ConnectionError


def test_attempts_end_and_come_ever_more_rarely(story: Story, front: Front) -> None:
    """H7: a system that never takes it is tried a few times, each time later, and then left."""
    front.doing = _never
    action = story.refund(SMALL)
    tried = [story.clock.now]
    while story.state(action) not in (State.FAILED, State.EXPIRED):
        story.later(SECOND)
        story.desk.work()
        if len(front.calls) > len(tried):
            tried.append(story.clock.now)
    assert len(front.calls) <= ATTEMPTS_MAX
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 10 * gaps[0]


def test_a_system_that_stopped_taking_orders_is_left_alone(story: Story, front: Front) -> None:
    """H7: after a few silences nothing more is sent; what may run waits, and runs afterwards."""
    front.doing = _never
    lost = [story.refund("1.00 USD") for _ in range(FAILURES_MAX)]
    assert {one.state for one in lost} == {State.UNKNOWN}
    waiting = [story.refund("2.00 USD") for _ in range(3)]
    assert {one.state for one in waiting} == {State.READY}
    assert len(front.calls) == FAILURES_MAX
    assert story.desk.ctx.circuits.open() == ["desk"]
    front.doing = lambda execute: execute()
    for _ in range(20):
        story.later(10 * SECOND)
        story.desk.work()
    assert {story.state(one) for one in (*waiting, *lost)} == {State.SUCCEEDED}
    assert story.desk.ctx.circuits.open() == []
    assert effects_in(front.desk) == FAILURES_MAX + 3


def test_a_system_that_cannot_be_read_is_left_alone(story: Story, front: Front) -> None:
    """H7: proposing is refused at once, without asking it again; a moment later it is asked."""
    asked = []

    def away(prepared: Prepared) -> Prepared:
        asked.append(1)
        raise ConnectionError

    front.preparing = away
    for _ in range(FAILURES_MAX + 5):
        assert code_of(lambda: story.refund(SMALL)) == "connector_unavailable"
    # Issuing a task reads the ticket as well, past the circuit.
    assert len(asked) <= 2 * FAILURES_MAX + 10
    front.preparing = lambda prepared: prepared
    story.later(MINUTE)
    assert story.refund(SMALL).state is State.SUCCEEDED


def test_a_recovery_is_no_storm(story: Story, front: Front) -> None:
    """H7: hundreds come back at once; no sweep makes more calls than the budget."""
    front.doing = _lost
    for _ in range(130):
        story.desk.ctx.circuits.answered("desk", Way.SEND)
        story.refund("0.01 USD", key=None)
    lost = front.lookups
    story.later(10 * SECOND)
    story.desk.work()
    assert front.lookups - lost <= 100
    for _ in range(5):
        story.later(10 * SECOND)
        story.desk.work()
    assert story.counters().get("state:UNKNOWN", 0) == 0


def _claimed(story: Story) -> Job:
    ctx = story.desk.ctx
    fields = {"order": "O-5003", "amount": SMALL, "reason": "late"}
    draft = Draft(maker="bot", kind="refund.issue", params=fields)
    job = ctx.store.write(plan(ctx, story.task(), draft)).job
    assert job is not None
    return job


def test_a_late_yes_to_what_was_found_undone_is_told(story: Story, front: Front) -> None:
    """H6: looked up it was not there, given up, and then its answer comes: done. A person hears."""
    ctx, job = story.desk.ctx, _claimed(story)
    effect = perform(ctx, job)
    front.looking = lambda look: Found(looked=Looked.NOT_DONE)
    story.later(HOUR)
    for _ in range(2):
        story.desk.work()
        story.later(10 * SECOND)
    late = ctx.store.write(settle_unit(ctx, job, effect))
    assert late.state is State.FAILED
    action = story.desk.get(late.id)
    assert "execution.returned" in story.tags(action)
    assert story.open_escalations() == [late.id]


def test_what_it_did_is_compared_with_what_was_sent(story: Story, front: Front) -> None:
    """H3, H12: another amount than was sent is recorded as measured, and a person is told."""

    def other(execute: Execute) -> Receipt:
        did: dict[str, object] = {"amount_minor": 1000, "currency": "USD", "fee_minor": 35}
        return msgspec.structs.replace(execute(), did=did)

    front.doing = other
    action = story.refund(SMALL)
    assert action.state is State.SUCCEEDED
    assert story.open_escalations() == [action.id]
    sealed = story.desk.ctx.store.read(lambda tx: tx.vault.get("main", action.id, "measured"))
    assert sealed is not None
    assert msgspec.json.decode(sealed)["amount_minor"] == 1000
    assert story.desk.show(action.id, by="ann").entries[0].entry.data.get("differs") is None


def test_what_it_did_as_sent_tells_nobody(story: Story, front: Front) -> None:
    """H3: the same figures are no news, whatever else the provider mentions."""

    def same(execute: Execute) -> Receipt:
        return msgspec.structs.replace(execute(), did={"amount_minor": 1850, "fee_minor": 35})

    front.doing = same
    assert story.refund(SMALL).state is State.SUCCEEDED
    assert story.open_escalations() == []


FAULT_PAIRS = ["failed, not done", "failed, done", "said no", "said nonsense"]


@pytest.mark.parametrize("promise", list(Promise), ids=lambda one: one.value)
@pytest.mark.parametrize("fault", FAULT_PAIRS)
def test_every_promise_under_every_fault(
    story: Story, front: Front, promise: Promise, fault: str
) -> None:
    """H1, H4, H8: at most one effect, and a state that is true, for all three promises."""
    front.promise = promise

    def no(execute: Execute) -> Receipt:
        raise NotDone("no")

    def nonsense(execute: Execute) -> Receipt:
        execute()
        return "done"  # type: ignore[return-value]

    front.doing = {
        "failed, not done": _never,
        "failed, done": _lost,
        "said no": no,
        "said nonsense": nonsense,
    }[fault]
    action = story.refund(SMALL)
    first = len(front.calls)
    front.doing = lambda execute: execute()
    for _ in range(6):
        story.later(MINUTE)
        story.desk.work()
    effects = effects_in(front.desk)
    blind = promise is Promise.BLIND and fault != "said no"
    if blind:
        assert (story.state(action), len(front.calls)) == (State.UNKNOWN, first)
        assert story.open_escalations() == [action.id]
    else:
        assert effects == (0 if fault == "said no" else 1)
        said = State.FAILED if fault == "said no" else State.SUCCEEDED
        assert story.state(action) is said


def test_a_middle_refund_waits_out_an_open_circuit(story: Story, front: Front) -> None:
    """F8, H7: approved while nothing is sent: it stays allowed, is read again, and runs."""
    front.doing = _never
    for _ in range(FAILURES_MAX):
        story.refund("1.00 USD")
    action = story.refund(MIDDLE, "O-5005")
    assert story.approve(action).state is State.READY
    front.doing = lambda execute: execute()
    story.later(MINUTE)
    story.desk.work()
    story.later(MINUTE)
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED
