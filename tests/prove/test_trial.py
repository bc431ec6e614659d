"""Trials of a policy: a good gateway holds everything, and each sabotage is found where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import handrail.engine.deciding.review
import handrail.engine.proposing.prepare
import handrail.engine.proposing.propose
import handrail.engine.proposing.ruling
import handrail.engine.running.ceilings
import handrail.engine.waiting.sweep
import handrail.policy.checks
import handrail.surfaces.embedded
from handrail.core import review
from handrail.core.decide import Decider
from handrail.core.halt import ActiveHalts
from handrail.core.policy import Control, Guard, Policy
from handrail.core.roster import Roster
from handrail.engine.proposing.flood import Flood
from handrail.policy.loader import digest_policy, load, load_text, source_text
from handrail.prove.trial import Opener, Proof, Trial, try_policy, worst_of
from handrail.prove.trial.borders import border_trials
from handrail.prove.trial.ceilings import cap_trials
from handrail.prove.trial.conditions import check_trials
from handrail.prove.trial.floods import flood_trials
from handrail.prove.trial.guards import guard_trials
from handrail.prove.trial.standin import StandIn
from handrail.store.caps import Caps
from handrail.surfaces.cli.verify import scratch_desks

POLICY: Final = load(Path(__file__).with_name("trial_policy.yaml"))
HEAD: Final = "policy: p\nversion: 1\nlanes: {all: {kinds: '*', any_customer: 'yes'}}\n"

Part = Callable[[Opener, Policy], Iterator[Trial]]
Patch = Callable[[pytest.MonkeyPatch], None]


def only(*kinds: str, **more: Any) -> Policy:
    """The policy with these kinds alone, and what else is to be different."""
    kept = {name: POLICY.kinds[name] for name in kinds}
    lanes = {"support": POLICY.lanes["support"]}
    bare = msgspec.structs.replace(POLICY, kinds=kept, lanes=lanes, accumulation=None, **more)
    return msgspec.structs.replace(bare, digest=digest_policy(bare))


def tried(part: Part, policy: Policy) -> dict[str, Trial]:
    """The trials of one part, by control."""
    with scratch_desks() as opener:
        return {trial.control: trial for trial in part(opener, policy)}


def test_every_control_of_a_good_gateway_holds() -> None:
    """Each declared control was seen to let something through and to stop something."""
    with scratch_desks() as opener:
        trials = list(try_policy(POLICY, opener))
    assert [one for one in trials if one.proof is not Proof.HOLDS] == []
    assert len(trials) == 34
    assert worst_of(trials) is Proof.HOLDS
    for one in trials:
        assert "-" not in (one.positive, one.negative)
        assert "not shown" not in one.negative


def test_what_is_found_what_was_given_and_what_waits() -> None:
    """C12: checks over texts and over what came first are each seen to do their part."""
    text = (
        HEAD
        + """\
accumulation: {window: 30d, currency: USD, kinds: {pay: 100}}
kinds:
  pay:
    title: Pay
    connector: bank
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params: {order: {type: id}, amount: {type: money}}
    value: amount
    checks:
      little: {require: earlier.minor == 0, otherwise: flag, reviewer: They had some.}
      alone: {require: open.same_kind < 2, otherwise: raise_grade, reviewer: Others wait.}
    bands: {USD: [{grade: G2, control: approve}]}
  say:
    title: Say
    connector: mail
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params: {ticket: {type: id}, body: {type: text}}
    checks:
      unpromised: {require: found.promise == 0, otherwise: refuse, reviewer: A promise.}
      bare: {require: found.card == 0 && found.iban == 0, otherwise: hold, reviewer: A number.}
    cleared: {when: found.any == 0, control: hold_and_recall}
    control: approve
"""
    )
    policy = load_text(text, source="texts")
    checks = tried(check_trials, policy)
    guards = tried(guard_trials, policy)
    assert len(checks) == 4
    assert {trial.proof for trial in (*checks.values(), *guards.values())} == {Proof.HOLDS}


def test_the_pack_for_replies_is_shown_whole() -> None:
    """Both ways of a reply, with and without a find, are tried."""
    pack = load_text(source_text("support-desk-recall"), source="support-desk-recall")
    replies = {name: one for name, one in tried(guard_trials, pack).items() if "reply.send" in name}
    assert len(replies) == 2
    assert {trial.proof for trial in replies.values()} == {Proof.HOLDS}


def _accept_makers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_check_independence", lambda *_: None)


def _no_interests(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Roster, "interests", lambda *_: frozenset())


def _one_is_enough(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.engine.deciding.review, "judge", lambda **_: review.Outcome.APPROVED)


def _no_authority(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_check_authority", lambda *_, **__: None)


def _no_lot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_check_assigned", lambda *_: None)


def _undo_does_nothing(patch: pytest.MonkeyPatch) -> None:
    execute = StandIn.execute

    def idle(self: StandIn, kind: str, request: Any, key: str, *, now: int) -> Any:
        return execute(self, kind, {**request, "reverses": ""}, key, now=now)

    patch.setattr(StandIn, "execute", idle)


def _recall_does_nothing(patch: pytest.MonkeyPatch) -> None:
    def recall_unit(desk: str, id: str, *, by: str) -> Any:
        return lambda tx: tx.proposals.get(desk, id)

    patch.setattr(handrail.surfaces.embedded, "recall_unit", recall_unit)


def _nothing_is_released(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.engine.waiting.sweep, "_held_out", lambda *_: False)


def _everything_runs(patch: pytest.MonkeyPatch) -> None:
    decide = Decider.decide

    def loosely(self: Decider, ask: Any) -> Any:
        guard = Guard(control=Control.RUN_AND_LOG)
        return msgspec.structs.replace(decide(self, ask), guard=guard)

    patch.setattr(Decider, "decide", loosely)


def _caps_are_never_full(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Caps, "reserve", lambda *_: None)


def _agents_are_not_stopped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.engine.running.ceilings, "_halt_agent", lambda *_: None)


def _checks_always_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.policy.checks, "_failed", lambda *_: iter(()))


def _lanes_are_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Decider, "admits_kind", lambda *_: True)


def _customers_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    ask_of = handrail.engine.proposing.prepare.ask_of

    def anybody(*words: Any) -> Any:
        return msgspec.structs.replace(ask_of(*words), account_in_lane=True)

    patch.setattr(handrail.engine.proposing.propose, "ask_of", anybody)


def _missing_facts_are_ignored(patch: pytest.MonkeyPatch) -> None:
    ask = handrail.engine.proposing.prepare._ask

    def blind(*words: Any) -> Any:
        return msgspec.structs.replace(ask(*words), missing=())

    patch.setattr(handrail.engine.proposing.prepare, "_ask", blind)


def _nothing_adds_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.engine.proposing.propose, "accrued_of", lambda *_: None)


def _nothing_expires(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.engine.waiting.sweep, "_expire", lambda *_: 0)


def _halts_stop_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ActiveHalts, "over", lambda *_, **__: None)


def _floods_pass(patch: pytest.MonkeyPatch) -> None:
    def passing(tx: Any, limits: Any, decision: Any, **_: Any) -> Flood:
        return Flood(decision=decision)

    patch.setattr(handrail.engine.proposing.ruling, "too_much_open", passing)
    patch.setattr(handrail.engine.proposing.ruling, "same_again", passing)


def _refusals_do_not_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handrail.engine.proposing.propose, "count_refusal", lambda *_: None)


PAY: Final = "pay from 50.01 EUR: maker_checker 2"
SMALL: Final = "pay up to 50.00 EUR: approve"
GIFT: Final = "gift up to 50.00 EUR: run_and_notify"
MAIL: Final = "mail.send: hold_and_recall"
LIMITS: Final = "open_per_agent waiting_per_desk same_action_open same_action_denied".split()
CAPS: Final = {f"cap {cap.name}" for cap in POLICY.caps}
NO_CAPS: Final[dict[str, Any]] = {"caps": ()}

# what is broken, where it is tried, and every control that must be called broken
SABOTAGES: Final[list[tuple[Patch, Part, Policy, set[str]]]] = [
    (_accept_makers, guard_trials, only("pay", **NO_CAPS), {PAY, SMALL}),
    (_no_interests, guard_trials, only("pay", **NO_CAPS), {PAY, SMALL}),
    (_no_lot, guard_trials, only("pay", **NO_CAPS), {PAY}),
    (_one_is_enough, guard_trials, only("pay", **NO_CAPS), {PAY}),
    (_no_authority, guard_trials, only("pay", **NO_CAPS), {PAY}),
    (_undo_does_nothing, guard_trials, only("gift", "gift.back", **NO_CAPS), {GIFT}),
    (_recall_does_nothing, guard_trials, only("mail.send", **NO_CAPS), {MAIL}),
    (_nothing_is_released, guard_trials, only("mail.send", **NO_CAPS), {MAIL}),
    (
        _everything_runs,
        guard_trials,
        only("wipe", "hand.over", "mail.send", "pay", **NO_CAPS),
        {"wipe: refuse", "hand.over: escalate", MAIL, PAY},
    ),
    (_halts_stop_nothing, guard_trials, only("tag.set", **NO_CAPS), {"tag.set: run_and_log"}),
    (_caps_are_never_full, cap_trials, POLICY, CAPS),
    (_agents_are_not_stopped, cap_trials, POLICY, {"cap customers-per-task"}),
    (
        _checks_always_pass,
        check_trials,
        only("pay", **NO_CAPS),
        {
            "pay check within: refuse",
            "pay check in_time: hold",
            "pay check rare: raise_grade",
            "pay check owned: flag",
        },
    ),
    (_floods_pass, flood_trials, POLICY, {f"limit {name}" for name in LIMITS}),
    (_refusals_do_not_count, flood_trials, POLICY, {"limit refused_per_task"}),
    (_lanes_are_open, border_trials, POLICY, {"lane narrow"}),
    (_customers_are_not_looked_at, border_trials, POLICY, {"lane narrow", "lane support"}),
    (_missing_facts_are_ignored, border_trials, POLICY, {"gift: needs", "gift.back: needs"}),
    (_nothing_adds_up, border_trials, POLICY, {"accumulation"}),
    (_nothing_expires, border_trials, POLICY, {"expiry"}),
    (_halts_stop_nothing, border_trials, POLICY, {"halt"}),
]


@pytest.mark.parametrize(
    ("sabotage", "part", "policy", "broken"),
    SABOTAGES,
    ids=[f"{row[0].__name__[1:]}-{row[1].__name__}" for row in SABOTAGES],
)
def test_sabotage_is_found(
    monkeypatch: pytest.MonkeyPatch,
    sabotage: Patch,
    part: Part,
    policy: Policy,
    broken: set[str],
) -> None:
    """A gateway that does not do what the policy says is called broken, at that very control."""
    sabotage(monkeypatch)
    trials = tried(part, policy)
    found = {control for control, trial in trials.items() if trial.proof is Proof.BROKEN}
    assert broken <= found, {name: trials.get(name) for name in broken - found}
    assert worst_of(trials.values()) is Proof.BROKEN
    assert all("WRONG" in trials[one].positive + trials[one].negative for one in found)


KIND: Final = "title: T, connector: c, axes: {reversibility: 2, blast_radius: 1, stakes: 2}"
CHECK: Final = "otherwise: refuse, reviewer: R."

# below the head of a policy -> control and what must not be a pass about it
UNSHOWN: Final = {
    "caps: {a: {scope: desk, count: 1000000, window: 1h}}\n"
    f"kinds: {{k: {{{KIND}, control: approve}}}}": ("cap a", "more than 250 actions"),
    "caps: {a: {scope: desk, count: 1, window: 1h, kinds: [k]}}\n"
    f"kinds: {{k: {{{KIND}, control: refuse}}}}": ("cap a", "no kind that it counts"),
    f"kinds: {{k: {{{KIND}, facts: {{a: text}}, checks: {{c: {{require: "
    f"\"facts.a.matches('^[0-9a-f]{{8}}$')\", {CHECK}}}}}, control: approve}}}}": (
        "k check c: refuse",
        "no inputs were found",
    ),
    f"kinds: {{k: {{{KIND}, facts: {{a: boolean}}, checks: {{c: {{require: "
    f"facts.a || !facts.a, {CHECK}}}}}, control: approve}}}}": (
        "k check c: refuse",
        "no inputs were found",
    ),
    f"limits: {{same_action_open: 1}}\nkinds: {{k: {{{KIND}, control: approve}}}}": (
        "limit same_action_open",
        "can be new",
    ),
}


@pytest.mark.parametrize("text", UNSHOWN)
def test_what_cannot_be_tried_is_no_pass(text: str) -> None:
    """It is `not shown`, with the reason, and the whole is no pass either."""
    control, why = UNSHOWN[text]
    with scratch_desks() as opener:
        trials = list(try_policy(load_text(HEAD + text, source="x"), opener))
    (one,) = [trial for trial in trials if trial.control == control]
    assert one.proof is Proof.NOT_SHOWN
    assert why in one.negative
    assert worst_of(trials) is Proof.NOT_SHOWN


def trial_of(proof: Proof) -> Trial:
    """A trial that ended so."""
    return Trial(control="c", tried="t", positive="p", negative="n", proof=proof)


@pytest.mark.parametrize(
    ("found", "whole"),
    [
        ([], Proof.NOT_SHOWN),
        ([Proof.NOT_APPLICABLE], Proof.NOT_SHOWN),
        ([Proof.HOLDS], Proof.HOLDS),
        ([Proof.HOLDS, Proof.NOT_APPLICABLE], Proof.HOLDS),
        ([Proof.HOLDS, Proof.NOT_SHOWN], Proof.NOT_SHOWN),
        ([Proof.HOLDS, Proof.NOT_SHOWN, Proof.BROKEN], Proof.BROKEN),
    ],
)
def test_not_applicable_is_never_a_pass(found: list[Proof], whole: Proof) -> None:
    """Nothing tried is nothing shown; one that is broken breaks the whole."""
    assert worst_of(trial_of(proof) for proof in found) is whole
