"""Tries what the policy does about a kind: each band and control, with people and with time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Assignment, Band, Control, Guard, KindRule, Policy
from handrail.core.proposal import Proposal
from handrail.prove.trial.inputs import Inputs, Situation
from handrail.prove.trial.outcome import Sides, Trial, attempt
from handrail.prove.trial.stage import (
    BENEFICIARY,
    CHECKERS,
    OPERATING,
    OWNER,
    REVIEWER,
    START_MS,
    Opener,
    Scratch,
)

__all__ = ["Setting", "guard_trials", "settings_of", "try_guard"]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the policy decides: a band, or a kind without bands, cleared or not."""

    label: str
    rule: KindRule
    guard: Guard
    amount: Money | None
    top: Money | None = None
    cleared: bool = False


def settings_of(rule: KindRule) -> Iterator[Setting]:
    """Every band of a kind, and every band of what is cleared, with an amount inside it."""
    yield from _settings(rule, rule.guard, rule.bands, cleared=False)
    if rule.cleared is not None:
        yield from _settings(rule, rule.cleared.guard, rule.cleared.bands, cleared=True)


def _settings(
    rule: KindRule, guard: Guard, bands: dict[str, tuple[Band, ...]], *, cleared: bool
) -> Iterator[Setting]:
    name = f"{rule.kind.name}, cleared" if cleared else rule.kind.name
    if not bands:
        amount = Money(minor=1000, currency="USD")
        yield Setting(label=name, rule=rule, guard=guard, amount=amount, cleared=cleared)
    for currency, ladder in bands.items():
        floor = 0
        for band in ladder:
            top = None
            if band.up_to_minor is not None:
                top = Money(minor=band.up_to_minor, currency=currency)
            lowest = Money(minor=floor + 1, currency=currency)
            label = f"{name} up to {top.text()}" if top else f"{name} from {lowest.text()}"
            yield Setting(
                label=label, rule=rule, guard=band.guard, amount=lowest, top=top, cleared=cleared
            )
            floor = band.up_to_minor or 0


def guard_trials(opener: Opener, policy: Policy) -> Iterator[Trial]:
    """A trial for every place where the policy decides; reversals come with what they undo."""
    reversals = {rule.kind.undo for rule in policy.kinds.values()}
    for rule in policy.kinds.values():
        if rule.kind.name in reversals:
            continue
        inputs = Inputs(rule, policy, START_MS)
        for setting in settings_of(rule):
            act = partial(try_guard, opener, policy, setting, inputs)
            yield attempt(f"{setting.label}: {setting.guard.control.value}", act)


def try_guard(opener: Opener, policy: Policy, setting: Setting, inputs: Inputs) -> Trial:
    """Try one place: the amount just above its floor, and its highest."""
    guard = setting.guard
    many = f" {guard.checkers}" if guard.checkers else ""
    case = Sides(f"{setting.label}: {guard.control.value}{many}", "")
    find = inputs.cleared if setting.cleared else inputs.uncleared
    situation = find(setting.amount)
    if situation is None:
        case.tried = "candidate values for its parameters and facts"
        case.unshown("no inputs were found by which its checks let it come here")
        return case.ended()
    case.tried = "proposed" + (f" with {situation.value.text()}" if situation.value else "")
    # The lot would turn people away before it is seen whether they are independent.
    bare = msgspec.structs.replace(policy, assignment=Assignment.NEVER)
    with Scratch(opener, bare) as stage:
        if setting.top is not None and setting.top != setting.amount:
            highest = find(setting.top)
            if highest is not None:
                row = stage.propose(setting.rule, highest, agent="agent-2", customer="C-9")
                _decided(case, row, guard, f"{setting.top.text()} is still in it")
        row = stage.propose(setting.rule, situation)
        if _decided(case, row, guard, "decided so"):
            _TRIED[guard.control](case, stage, setting, situation, row)
    if guard.control is Control.MAKER_CHECKER and _draws(policy, guard):
        with Scratch(opener, policy) as stage:
            _try_lot(case, stage, stage.propose(setting.rule, situation))
    return case.ended()


def _draws(policy: Policy, guard: Guard) -> bool:
    always = policy.assignment is Assignment.ALWAYS
    return always or (policy.assignment is Assignment.QUORUM and guard.checkers > 1)


def _try_lot(case: Sides, stage: Scratch, row: Proposal) -> None:
    """Who was drawn by lot may approve, and who was not may not."""
    drawn = stage.row(row.id).assigned.split(",")
    left_out = [one for one in CHECKERS if one not in drawn]
    if not drawn[0] or not left_out:
        case.stops(False, "people were drawn by lot")
        return
    _bounces(case, stage, row, left_out[0], "one whom the lot left out bounced", "not_assigned")
    case.lets(not stage.says(row, drawn[0]), "one whom it drew was heard")


def _decided(case: Sides, row: Proposal, guard: Guard, said: str) -> bool:
    """Whether the gateway decided as the policy says; something stricter shows nothing."""
    if row.guard == guard:
        return True
    if row.guard.order < guard.order:
        case.stops(False, f"{said}: it was `{row.control.value}`")
    else:
        case.unshown(f"{said}: it was `{row.control.value}`, because of {row.reasons}")
    return False


def _runs(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, row: Proposal
) -> None:
    case.lets(stage.ran(row), "ran at once")
    stage.desk.halt("kind", row.kind, by=OWNER)
    halted = stage.propose(setting.rule, situation, agent="agent-3", customer="C-8")
    refused = halted.state is State.REFUSED and not stage.ran(halted)
    case.stops(refused, "refused while its kind was stopped")


def _notifies(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, row: Proposal
) -> None:
    if stage.runs_in_agent(row.kind):
        case.lets(stage.ran(row), "let go at once")
        case.unshown("it runs in the agent, so the gateway cannot undo it")
        return
    case.lets(stage.ran(row), "ran at once")
    before = stage.world.effects
    reversal = stage.row(stage.desk.undo(row.id, by=OWNER).id)
    stage.drive(reversal)
    case.lets(
        any(one.kind == row.kind and one.undone for one in stage.world.done.values())
        and stage.world.effects < before,
        "reversed by its undo",
    )
    again = stage.refused(lambda: stage.desk.undo(row.id, by=OWNER))
    case.stops(again == "undo_unavailable", "not undone twice")


def _holds(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, row: Proposal
) -> None:
    case.stops(not stage.ran(row), "kept back at first")
    other = stage.propose(setting.rule, situation, agent="agent-4", customer="C-7")
    stage.desk.recall(other.id, by=REVIEWER)
    stage.later(stage.policy.clocks.recall_ms)
    case.lets(stage.ran(row), "went out after the window")
    case.stops(not stage.ran(other), "a recalled one did not")


def _asks(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, row: Proposal
) -> None:
    """One approval or more, by people who are independent and have the authority."""
    guard = setting.guard
    case.stops(not stage.ran(row), "nothing ran before")
    for person, what, code in (
        (OWNER, "the owner's", "maker_is_checker"),
        (OPERATING, "the operator's", "maker_is_checker"),
        (BENEFICIARY, "the beneficiary's", "beneficiary_conflict"),
    ):
        _bounces(case, stage, row, person, f"{what} approval bounced", code)
    if guard.control is Control.MAKER_CHECKER:
        _bounces(case, stage, row, REVIEWER, "a mere reviewer's bounced", "not_entitled")
    people = stage.approvers(row)
    for place, person in enumerate(people[: guard.checkers or 1], start=1):
        last = place == (guard.checkers or 1)
        if not last:
            stage.says(row, person)
            case.stops(not stage.ran(row), f"{place} of {guard.checkers} was not enough")
            _bounces(case, stage, row, person, "the same one twice bounced", "reviewed_already")
            continue
        refusal = stage.says(row, person)
        if stage.tripped():
            case.unshown("a cap stopped it after it was approved")
            return
        many = "an independent checker's" if guard.checkers else "an entitled reviewer's"
        case.lets(not refusal and stage.ran(row), f"{many} approval let it run")
    other = stage.propose(setting.rule, situation, agent="agent-4", customer="C-7")
    stage.says(other, stage.approvers(other)[0], "reject")
    stage.drive(other)
    rejected = stage.row(other.id).state is State.REJECTED
    case.stops(rejected and not stage.ran(other), "a rejected one did not run")


def _bounces(case: Sides, stage: Scratch, row: Proposal, by: str, said: str, code: str) -> None:
    """An approval that must not count; one that bounced for another reason shows nothing."""
    found = stage.says(row, by)
    if found == code:
        case.stops(True, said)
    elif found == "":
        case.stops(False, said)
    else:
        case.unshown(f"{said}, but as `{found}`")


def _refuses(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, row: Proposal
) -> None:
    stage.drive(row)
    stage.later(stage.policy.clocks.approval_ms)
    case.stops(not stage.ran(row), "nothing ran, whatever people and time did")
    case.lets(stage.row(row.id).state is State.REFUSED, "recorded as refused")


def _escalates(
    case: Sides, stage: Scratch, setting: Setting, situation: Situation, row: Proposal
) -> None:
    stage.drive(row)
    case.stops(not stage.ran(row), "nothing ran")
    open_ = stage.desk.ctx.store.read(lambda tx: tx.escalations.open(stage.desk.id, most=9))
    case.lets(any(one.proposal == row.id for one in open_), "handed to a person")


_TRIED = {
    Control.RUN_AND_LOG: _runs,
    Control.RUN_AND_NOTIFY: _notifies,
    Control.HOLD_AND_RECALL: _holds,
    Control.APPROVE: _asks,
    Control.MAKER_CHECKER: _asks,
    Control.ESCALATE: _escalates,
    Control.REFUSE: _refuses,
}
