"""Tries what holds for every policy: lanes, unknown kinds and currencies, facts, time and halts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from handrail.core.lifecycle import State
from handrail.core.money import EXPONENTS, Money
from handrail.core.policy import ANY_KIND, Control, KindRule, LaneRule, Policy
from handrail.core.proposal import Proposal
from handrail.prove.trial.guards import Setting, settings_of
from handrail.prove.trial.inputs import Inputs, Situation
from handrail.prove.trial.outcome import Proof, Sides, Trial, attempt
from handrail.prove.trial.stage import CHECKERS, OWNER, START_MS, Opener, Scratch

__all__ = ["absent", "border_trials", "first_place"]

_RUNS = (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY)
_ASKS = (Control.APPROVE, Control.MAKER_CHECKER)


def border_trials(opener: Opener, policy: Policy) -> Iterator[Trial]:
    """Every trial that is not about one band, one cap or one check."""
    for lane in policy.lanes.values():
        yield attempt(f"lane {lane.name}", partial(_try_lane, opener, policy, lane))
    yield attempt("unknown kind", partial(_try_unknown, opener, policy))
    for name, rule in policy.kinds.items():
        if rule.bands:
            act = partial(_try_currency, opener, policy, rule)
            yield attempt(f"{name}: currency not listed", act)
        if rule.kind.needs:
            yield attempt(f"{name}: needs", partial(_try_needs, opener, policy, rule))
    yield attempt("expiry", partial(_try_expiry, opener, policy))
    yield attempt("halt", partial(_try_halt, opener, policy))
    yield attempt("accumulation", partial(_try_sum, opener, policy))


def absent(control: str, why: str) -> Trial:
    """What the policy does not declare: nothing to try, and nothing shown."""
    return Trial(control=control, tried=why, positive="-", negative="-", proof=Proof.NOT_APPLICABLE)


def first_place(
    policy: Policy, controls: tuple[Control, ...], lane: LaneRule | None = None
) -> tuple[Setting, Situation] | None:
    """The first place with one of these controls for which inputs are found."""
    reversals = {rule.kind.undo for rule in policy.kinds.values()}
    for rule in policy.kinds.values():
        if rule.kind.name in reversals or (lane is not None and not _admits(lane, rule)):
            continue
        inputs = Inputs(rule, policy, START_MS)
        for setting in settings_of(rule):
            if setting.guard.control not in controls:
                continue
            find = inputs.cleared if setting.cleared else inputs.uncleared
            situation = find(setting.amount)
            if situation is not None:
                return setting, situation
    return None


def _admits(lane: LaneRule, rule: KindRule) -> bool:
    kinds = {ANY_KIND, rule.kind.name} & set(lane.kinds)
    return bool(kinds and {ANY_KIND, rule.kind.connector} & set(lane.connectors))


def _try_lane(opener: Opener, policy: Policy, lane: LaneRule) -> Trial:
    """What is inside is not refused for it; a kind or a customer outside is."""
    case = Sides(f"lane {lane.name}", "a kind inside, a kind and a customer outside")
    inside = first_place(policy, (*_RUNS, *_ASKS, Control.HOLD_AND_RECALL), lane)
    if inside is None:
        case.unshown("no kind of it can be tried")
        return case.ended()
    setting, situation = inside
    with Scratch(opener, policy) as stage:
        task = stage.desk.task(agent="agent-1", lane=lane.name, customers=("C-1",))
        row = stage.propose(setting.rule, situation, task=task)
        case.lets("outside_lane" not in row.reasons, f"{row.kind} was let in")
        outside = [rule for rule in policy.kinds.values() if not _admits(lane, rule)]
        for rule in outside[:1]:
            found = Inputs(rule, policy, START_MS).plain(_amount(rule))
            if found is None:
                case.unshown("no inputs were found for a kind outside")
                continue
            other = stage.propose(rule, found, task=task)
            refused = other.state is State.REFUSED and "outside_lane" in other.reasons
            case.stops(refused and not stage.ran(other), f"{other.kind} was refused")
        if lane.any_customer and not outside:
            return absent(case.control, "it holds every kind and every customer")
        if not lane.any_customer and not setting.rule.kind.runs_in_agent:
            other = stage.propose(setting.rule, situation, customer="C-99", task=task)
            refused = other.state is State.REFUSED and "outside_lane" in other.reasons
            case.stops(refused and not stage.ran(other), "another customer was refused")
    return case.ended()


def _amount(rule: KindRule) -> Money:
    return Money(minor=1000, currency=next(iter(rule.bands), "USD"))


def _try_unknown(opener: Opener, policy: Policy) -> Trial:
    case = Sides("unknown kind", "a kind that the policy does not name")
    open_ = [name for name, lane in policy.lanes.items() if ANY_KIND in lane.kinds]
    known = first_place(policy, (*_RUNS, *_ASKS, Control.HOLD_AND_RECALL))
    with Scratch(opener, policy) as stage:
        lane = open_[0] if open_ else next(iter(policy.lanes))
        task = stage.desk.task(agent="agent-1", lane=lane, customers=("C-1",))
        made = stage.desk.propose(task, "unheard.of-kind", {"text": "x"})
        row = stage.row(made.id)
        held = row.state is State.REFUSED or (row.state is State.PENDING and row.checkers >= 2)
        case.stops(held, f"it was `{row.control.value}`, for two checkers or nobody")
        stage.drive(row)
        case.stops(not stage.ran(row), "it did not run, whoever approved it")
        if known is None:
            case.unshown("no known kind can be tried beside it")
        else:
            other = stage.propose(known[0].rule, known[1])
            case.lets("unknown_kind" not in other.reasons, f"{other.kind} is known")
    return case.ended()


def _try_currency(opener: Opener, policy: Policy, rule: KindRule) -> Trial:
    """A currency that the bands do not list takes the strictest guard of the kind."""
    case = Sides(f"{rule.kind.name}: currency not listed", "the least amount of another currency")
    other = next((code for code in ("NOK", "CHF", *EXPONENTS) if code not in rule.bands), None)
    if other is None:
        return absent(case.control, "every currency is listed")
    inputs = Inputs(rule, policy, START_MS)
    strictest = max((band.guard for ladder in rule.bands.values() for band in ladder), key=_order)
    listed = Money(minor=1, currency=next(iter(rule.bands)))
    found, usual = inputs.plain(Money(minor=1, currency=other)), inputs.plain(listed)
    if found is None or usual is None:
        case.unshown("no inputs were found by which its checks pass")
        return case.ended()
    with Scratch(opener, policy) as stage:
        row = stage.propose(rule, found)
        held = row.guard.order >= strictest.order
        case.stops(held, f"1 minor unit of {other} was `{row.control.value}`")
        row = stage.propose(rule, usual, agent="agent-2", customer="C-9")
        case.lets("unlisted_currency" not in row.reasons, f"{listed.text()} is listed")
    return case.ended()


def _order(guard: object) -> tuple[int, int]:
    order: tuple[int, int] = getattr(guard, "order", (0, 0))
    return order


def _try_needs(opener: Opener, policy: Policy, rule: KindRule) -> Trial:
    """Each needed fact: missing, the action waits for a person at least."""
    case = Sides(f"{rule.kind.name}: needs", f"without {', '.join(rule.kind.needs)}, one at a time")
    situation = Inputs(rule, policy, START_MS).plain(_amount(rule))
    if situation is None or rule.kind.runs_in_agent:
        case.unshown("no inputs were found, or it runs in the agent")
        return case.ended()
    with Scratch(opener, policy) as stage:
        row = _asked(stage, policy, rule, situation, 0)
        if row is None:
            case.unshown("nothing that it reverses was brought to run")
            return case.ended()
        case.lets("facts_missing" not in row.reasons, "with all facts none is missing")
        for place, name in enumerate(rule.kind.needs, start=1):
            facts = {**situation.facts, name: None}
            lacking = msgspec.structs.replace(situation, facts=facts)
            other = _asked(stage, policy, rule, lacking, place)
            held = other is not None and not stage.ran(other) and "facts_missing" in other.reasons
            case.stops(held, f"without {name} it was held")
    return case.ended()


def _asked(
    stage: Scratch, policy: Policy, rule: KindRule, situation: Situation, place: int
) -> Proposal | None:
    """The action of a kind, or for a reversal: what it reverses, run, and then undone."""
    agent, customer = f"agent-{place + 2}", f"C-{place + 20}"
    undone = [one for one in policy.kinds.values() if one.kind.undo == rule.kind.name]
    if not undone:
        return stage.propose(rule, situation, agent=agent, customer=customer)
    for one in undone:
        found = Inputs(one, policy, START_MS).plain(_amount(one))
        row = (
            None
            if found is None
            else stage.drive(stage.propose(one, found, agent=agent, customer=customer))
        )
        if row is not None and stage.ran(row):
            stage.world.facts = dict(situation.facts)
            return stage.row(stage.desk.undo(row.id, by=OWNER).id)
    return None


def _try_expiry(opener: Opener, policy: Policy) -> Trial:
    """Nothing is ever approved by waiting."""
    found = first_place(policy, _ASKS)
    if found is None:
        return absent("expiry", "nothing waits for a person")
    setting, situation = found
    case = Sides("expiry", f"{setting.label}, and nobody decides")
    with Scratch(opener, policy) as stage:
        row = stage.propose(setting.rule, situation, agent="agent-2", customer="C-9")
        stage.later(policy.clocks.approval_ms - 1)
        case.lets(stage.row(row.id).state is State.PENDING, "it waited until its time was over")
        stage.later(1)
        stage.later(policy.clocks.execution_ms)
        expired = stage.row(row.id).state is State.EXPIRED
        case.stops(expired and not stage.ran(row), "then it expired and did not run")
        code = stage.says(row, CHECKERS[0])
        case.stops(code in ("not_pending", "review_expired"), "an approval afterwards bounced")
    return case.ended()


def _try_halt(opener: Opener, policy: Policy) -> Trial:
    """A stopped desk runs nothing; let go on by another person, it works again."""
    found = first_place(policy, (*_RUNS, *_ASKS))
    if found is None:
        return absent("halt", "nothing runs that could be stopped")
    setting, situation = found
    case = Sides("halt", f"{setting.label}, with the desk stopped and let go on")
    with Scratch(opener, policy) as stage:
        task = stage.task(setting.rule.kind.name)
        waiting = None
        if setting.guard.control in _ASKS:
            waiting = stage.propose(setting.rule, situation, agent="agent-3", customer="C-8")
        halt = stage.desk.halt("desk", "", by=OWNER).halt
        code = stage.refused(lambda: stage.task(setting.rule.kind.name))
        case.stops(code == "halted", "no task was given meanwhile")
        code = stage.refused(lambda: stage.propose(setting.rule, situation, task=task))
        ended = code in ("task_expired", "halted")
        case.stops(ended and not stage.world.done, "a task that was open proposed nothing")
        if waiting is not None:
            stage.drive(waiting)
            case.stops(not stage.ran(waiting), "what waited did not run, whoever approved it")
        stage.desk.lift(halt.id, by=CHECKERS[0])
        row = stage.propose(setting.rule, situation, agent="agent-2", customer="C-9")
        stage.drive(row)
        case.lets(stage.ran(row), "it runs once another person let it go on")
    return case.ended()


def _try_sum(opener: Opener, policy: Policy) -> Trial:
    """The action that takes a customer's sum over a band is judged by the sum."""
    adds = policy.accumulation
    if adds is None:
        return absent("accumulation", "the policy adds nothing up")
    for name in adds.weights:
        rule = policy.kinds.get(name)
        ladder = () if rule is None else rule.bands.get(adds.currency, ())
        if rule is None or len(ladder) < 2 or ladder[0].up_to_minor is None:
            continue
        if ladder[0].guard.control not in _RUNS or rule.kind.runs_in_agent:
            continue
        case = Sides("accumulation", f"{name} twice, each within the first band")
        top = Money(minor=ladder[0].up_to_minor, currency=adds.currency)
        situation = Inputs(rule, policy, START_MS).plain(top)
        if situation is None:
            continue
        with Scratch(opener, policy) as stage:
            first = stage.propose(rule, situation, customer="C-9")
            case.lets(stage.ran(first), f"the first {top.text()} ran")
            second = stage.propose(rule, situation, customer="C-9", agent="agent-2")
            held = "accumulated" in second.reasons and not stage.ran(second)
            case.stops(held, "the one that crosses the band was held")
            other = stage.propose(rule, situation, customer="C-10", agent="agent-3")
            case.lets(stage.ran(other), "another customer's ran")
        return case.ended()
    case = Sides("accumulation", "two actions that cross a band together")
    case.unshown(f"no kind runs alone in a first band of {adds.currency}")
    return case.ended()
