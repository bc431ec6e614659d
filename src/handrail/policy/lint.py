"""What a policy says that it must not, though every value in it can be read.

Errors keep a policy from loading: they break a rule of the product, such as "no undo, no
`run_and_notify`" or "a higher amount never gets a looser control". Warnings point at what is
allowed and probably not meant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from itertools import pairwise
from typing import Final

from handrail.core.accumulation import Accumulation
from handrail.core.action import ActionKind, ParamType
from handrail.core.caps import CapRule, Scope
from handrail.core.grade import Catchable, Grade
from handrail.core.money import EXPONENTS
from handrail.core.policy import ANY_KIND, Band, Control, Guard, KindRule, LaneRule, Policy
from handrail.policy.around import Around, surroundings
from handrail.policy.lint_checks import check_doubts, check_problems, cleared_problems
from handrail.policy.problem import Path, Problem, Severity
from handrail.policy.reading import suggestion

__all__ = ["RUNS_ALONE", "lint"]

RUNS_ALONE: Final = frozenset(
    {Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY, Control.HOLD_AND_RECALL}
)
"""The controls under which an action runs without anybody having said yes."""

_Finding = tuple[Path, str, Severity]


def lint(
    policy: Policy,
    *,
    around: Around | None = None,
    line_of: Callable[[Path], int] | None = None,
    unread: Collection[Path] = (),
) -> list[Problem]:
    """Every problem of a policy, by line.

    `around` is what stands around it; without it that is not looked at. `line_of` finds the line
    of a place in the file. `unread` are the kinds, lanes and caps of the file that `policy` does
    not hold, because they could not be read: `("caps", "x")`. What rests on them is not complained
    about.
    """
    broken = {path[0] for path in unread}
    names = {*policy.kinds, *(str(path[1]) for path in unread if path[0] == "kinds")}
    rules = policy.kinds.values()
    findings = [
        *(found for rule in rules for found in _kind(rule)),
        *(_error(*found) for rule in rules for found in check_problems(rule, policy)),
        *(_warning(*found) for rule in rules for found in check_doubts(rule)),
        *(found for rule in rules for found in _undo(rule, names)),
        *(found for rule in policy.caps for found in _cap(rule, policy, names)),
        *(found for lane in policy.lanes.values() for found in _lane(lane, names)),
    ]
    most, waiting = policy.limits.open_per_agent, policy.limits.waiting_per_desk
    if most is not None and waiting is not None and most > waiting:
        said = "one agent may have more open than may wait on the whole desk"
        findings.append(_warning(("limits", "open_per_agent"), said))
    if "kinds" not in broken and policy.accumulation is not None:
        findings += _accumulation(policy.accumulation, policy)
    if "caps" not in broken:
        findings += [found for rule in rules for found in _unbounded(rule, policy.caps)]
    if "kinds" not in broken:
        findings += [found for lane in policy.lanes.values() for found in _reach(lane, policy)]
    if "lanes" not in broken:
        findings += _unreached(policy)
    if around is not None:
        for path, text, never in surroundings(policy, around):
            findings.append(_error(path, text) if never else _warning(path, text))
    problems = [
        Problem(line=line_of(path) if line_of else 0, text=text, severity=severity)
        for path, text, severity in findings
    ]
    return sorted(problems, key=lambda problem: problem.line)


def _error(path: Path, text: str) -> _Finding:
    return path, text, Severity.ERROR


def _warning(path: Path, text: str) -> _Finding:
    return path, text, Severity.WARNING


def _kind(rule: KindRule) -> Iterator[_Finding]:
    path = ("kinds", rule.kind.name)
    yield from _value(rule, path)
    if not rule.bands:
        yield from _guard(rule, rule.guard, (*path, "control"))
        yield from _rash(rule.kind.grade, rule.guard, (*path, "control"))
    sound = yield from _ladders(rule, rule.bands, path)
    if rule.cleared is None:
        return
    if not rule.cleared.bands:
        yield from _guard(rule, rule.cleared.guard, (*path, "cleared", "control"))
    sound = (yield from _ladders(rule, rule.cleared.bands, (*path, "cleared"))) and sound
    if sound:
        yield from (_error(*found) for found in cleared_problems(rule))


def _ladders(
    rule: KindRule, ladders: Mapping[str, tuple[Band, ...]], path: Path
) -> Generator[_Finding, None, bool]:
    """What is wrong with the bands of every currency; whether nothing is."""
    sound = True
    for currency, bands in ladders.items():
        within = (*path, "bands", currency)
        if currency not in EXPONENTS:
            yield _error(within, f"`{currency}` is not an ISO 4217 currency")
        for found in _ladder(rule, bands, currency, within):
            sound = sound and found[2] is not Severity.ERROR
            yield found
    return sound


def _value(rule: KindRule, path: Path) -> Iterator[_Finding]:
    kind = rule.kind
    money = [param.name for param in kind.params if param.type is ParamType.MONEY]
    if kind.value is not None and kind.value not in money:
        hint = suggestion(kind.value, money)
        yield _error((*path, "value"), f"`{kind.value}` is not a money parameter{hint}")
    if kind.value_from_connector and kind.runs_in_agent:
        said = f"`{kind.name}` runs in the agent: no connector says what it moves"
        yield _error((*path, "value_from"), said)
    if _is_valued(kind):
        return
    if rule.bands:
        yield _error((*path, "bands"), f"`{kind.name}` has bands, but no `value` to look at")
    elif money:
        yield _warning(path, f"no band or cap looks at `{money[0]}`: `value` does not name it")


def _is_valued(kind: ActionKind) -> bool:
    """Whether bands and caps have an amount to look at."""
    return kind.value is not None or kind.value_from_connector


def _guard(rule: KindRule, guard: Guard, path: Path) -> Iterator[_Finding]:
    if guard.control is Control.MAKER_CHECKER and guard.checkers < 1:
        yield _error(path, "`maker_checker` needs `checkers`, at least 1")
    if guard.control is not Control.MAKER_CHECKER and guard.checkers:
        yield _error(path, "`checkers` stands only with `maker_checker`")
    if guard.control is Control.RUN_AND_NOTIFY and rule.kind.undo is None:
        yield _error(path, f"`{rule.kind.name}` has no `undo`, so it may not run and notify")


def _rash(grade: Grade, guard: Guard, path: Path) -> Iterator[_Finding]:
    if grade is Grade.G3 and guard.control in (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY):
        yield _warning(path, f"G3 with {_named(guard)}: it runs at once, and nobody is asked")


def _ladder(
    rule: KindRule, bands: tuple[Band, ...], currency: str, path: Path
) -> Iterator[_Finding]:
    """Bands rise to an unbounded one, and nothing gets looser on the way up."""
    if not bands or bands[-1].up_to_minor is not None:
        last = (*path, len(bands) - 1) if bands else path
        yield _error(last, f"the last band of {currency} must have no `up_to`: nothing is above it")
    for place, band in enumerate(bands):
        within = (*path, place)
        yield from _guard(rule, band.guard, within)
        yield from _rash(band.grade, band.guard, within)
        if band.grade < rule.kind.grade:
            has = f"the axes of `{rule.kind.name}` already make it {rule.kind.grade.name}"
            yield _error(within, f"a band may not be {band.grade.name}: {has}")
    for place, (lower, higher) in enumerate(pairwise(bands), start=1):
        within = (*path, place)
        low, high = lower.up_to_minor, higher.up_to_minor
        if low is None:
            yield _error(within, "no amount reaches this band: the one before has no `up_to`")
        elif high is not None and high <= low:
            yield _error(within, "`up_to` must be higher than that of the band before")
        if higher.guard.order < lower.guard.order:
            said = f"{_named(higher.guard)} is looser than {_named(lower.guard)} for less money"
            yield _error(within, said)
        if (higher.guard, higher.grade) == (lower.guard, lower.grade):
            yield _warning(within, "this band does what the one before it does")
        if higher.grade < lower.grade:
            said = f"{higher.grade.name} is below the {lower.grade.name} of the band for less money"
            yield _error(within, said)


def _named(guard: Guard) -> str:
    who = f" by {guard.checkers}" if guard.checkers else ""
    return f"`{guard.control.value}`{who}"


def _unbounded(rule: KindRule, caps: tuple[CapRule, ...]) -> Iterator[_Finding]:
    for path, ladders in _all_ladders(rule):
        for currency, bands in ladders.items():
            yield from _lone_money(rule.kind, bands, currency, caps, (*path, currency))
    if rule.bands and _strictest(rule).control in RUNS_ALONE:
        said = "the strictest band runs alone, and so does any currency that is not listed"
        yield _warning(("kinds", rule.kind.name, "bands"), said)
    yield from _uncaught(rule, caps, ("kinds", rule.kind.name))


def _lone_money(
    kind: ActionKind,
    bands: tuple[Band, ...],
    currency: str,
    caps: tuple[CapRule, ...],
    path: Path,
) -> Iterator[_Finding]:
    """What may run alone should fit under its caps, and should end somewhere."""
    over = [cap for cap in caps if cap.currency == currency and _counts(cap, kind.name)]
    for place, band in enumerate(bands):
        if band.guard.control not in RUNS_ALONE:
            continue
        if band.up_to_minor is None and not over:
            yield _warning(
                (*path, place), f"any amount of {currency} runs alone here; add a band or a cap"
            )
        for cap in over:
            if band.up_to_minor is not None and cap.limit < band.up_to_minor:
                said = f"this band runs alone up to more than cap `{cap.name}` ever lets through"
                yield _warning((*path, place), said)


def _uncaught(rule: KindRule, caps: tuple[CapRule, ...], path: Path) -> Iterator[_Finding]:
    """Where nobody would catch the mistake, asking is not enough: something must bound it."""
    if rule.kind.catchable is not Catchable.NO:
        return
    for control in (Control.APPROVE, Control.MAKER_CHECKER):
        open_to = [
            currency
            for currency, guard in _guards(rule)
            if guard.control is control and not _bounded(rule.kind.name, currency, caps)
        ]
        if not open_to:
            continue
        what = f"`{control.value}` alone does not help: `catchable` is no"
        text = f"{what}; add a cap that names it, hold it back, or refuse it"
        yield _error(path, text) if control is Control.APPROVE else _warning(path, text)


def _guards(rule: KindRule) -> Iterator[tuple[str | None, Guard]]:
    """Every guard that actions of a kind can meet, with the currency; None for any other."""
    for _, ladders in _all_ladders(rule):
        for currency, bands in ladders.items():
            yield from ((currency, band.guard) for band in bands)
    yield None, _strictest(rule)
    if rule.cleared is not None and not rule.cleared.bands:
        yield None, rule.cleared.guard


def _all_ladders(rule: KindRule) -> Iterator[tuple[Path, Mapping[str, tuple[Band, ...]]]]:
    """The bands of a kind, and those of what is cleared, each with its place in the file."""
    path: Path = ("kinds", rule.kind.name)
    yield (*path, "bands"), rule.bands
    if rule.cleared is not None:
        yield (*path, "cleared", "bands"), rule.cleared.bands


def _strictest(rule: KindRule) -> Guard:
    """What a currency without bands gets."""
    guards = [band.guard for bands in rule.bands.values() for band in bands]
    return max(guards, key=lambda guard: guard.order, default=rule.guard)


def _bounded(kind: str, currency: str | None, caps: tuple[CapRule, ...]) -> bool:
    # A cap over everything was not set with this kind in mind, so it does not count as its bound;
    # nor does one on customers, under which the same customer may come again and again.
    return any(
        kind in cap.kinds and cap.currency in (None, currency) and not cap.distinct for cap in caps
    )


def _counts(cap: CapRule, kind: str) -> bool:
    return not cap.kinds or kind in cap.kinds


def _undo(rule: KindRule, names: Collection[str]) -> Iterator[_Finding]:
    kind = rule.kind
    path = ("kinds", kind.name, "undo")
    if kind.undo is None:
        return
    if kind.undo == kind.name:
        yield _error(path, f"`{kind.name}` cannot be its own undo")
    elif kind.undo not in names:
        hint = suggestion(kind.undo, names)
        yield _error(path, f"the undo `{kind.undo}` is not a kind of this policy{hint}")


def _lane(lane: LaneRule, names: Collection[str]) -> Iterator[_Finding]:
    path = ("lanes", lane.name)
    if not lane.kinds:
        yield _error(path, f"lane `{lane.name}` has no kinds")
    yield from _undeclared(lane.kinds, names, (*path, "kinds"))


def _reach(lane: LaneRule, policy: Policy) -> Iterator[_Finding]:
    """The connectors of a lane serve something, and the kinds of a lane are served by them."""
    path = ("lanes", lane.name)
    if ANY_KIND in lane.connectors:
        return
    connectors = {rule.kind.connector for rule in policy.kinds.values()}
    for place, name in enumerate(lane.connectors):
        if name not in connectors:
            hint = suggestion(name, connectors)
            said = f"no kind is served by a connector `{name}`{hint}"
            yield _error((*path, "connectors", place), said)
    for place, name in enumerate(lane.kinds):
        rule = policy.kinds.get(name)
        if rule is not None and rule.kind.connector not in lane.connectors:
            said = f"connector `{rule.kind.connector}` of `{name}` is not among its connectors"
            yield _warning((*path, "kinds", place), f"lane `{lane.name}` cannot use it: {said}")


def _cap(cap: CapRule, policy: Policy, names: Collection[str]) -> Iterator[_Finding]:
    path = ("caps", cap.name)
    if cap.limit < 1 or cap.window_ms < 1:
        yield _error(path, f"cap `{cap.name}` must have a limit and a window above zero")
    if sum(other.name == cap.name for other in policy.caps) > 1:
        yield _error(path, f"two caps are called `{cap.name}`")
    yield from _undeclared(cap.kinds, names, (*path, "kinds"))
    if cap.distinct:
        yield from _customers(cap, policy, path)
    if cap.currency is None:
        return
    if cap.currency not in EXPONENTS:
        yield _error(path, f"`{cap.currency}` is not an ISO 4217 currency")
    for place, name in enumerate(cap.kinds):
        rule = policy.kinds.get(name)
        if rule is not None and not (_is_valued(rule.kind) or rule.bands):
            said = f"`{name}` has no `value`, so cap `{cap.name}` counts nothing of it"
            yield _warning((*path, "kinds", place), said)


def _customers(cap: CapRule, policy: Policy, path: Path) -> Iterator[_Finding]:
    """A cap on different customers has some to count."""
    if cap.scope is Scope.CUSTOMER:
        said = f"cap `{cap.name}` counts customers of one customer: there is never more than one"
        yield _error(path, said)
    for place, name in enumerate(cap.kinds):
        rule = policy.kinds.get(name)
        if rule is not None and rule.kind.runs_in_agent:
            said = f"`{name}` runs in the agent: no connector says whose it is"
            text = f"{said}, so cap `{cap.name}` counts nothing of it"
            yield _warning((*path, "kinds", place), text)


def _accumulation(adds: Accumulation, policy: Policy) -> Iterator[_Finding]:
    """What adds up has an amount to add, a rate to add it by, and somebody to whom it is added."""
    path: Path = ("accumulation",)
    if adds.currency not in EXPONENTS:
        yield _error((*path, "currency"), f"`{adds.currency}` is not an ISO 4217 currency")
    if adds.window_ms < 1:
        yield _error((*path, "window"), "the accumulation must have a window above zero")
    for currency, rate in adds.rates.items():
        if rate < 1:
            yield _error((*path, "rates", currency), f"the rate of {currency} must be above zero")
    for name in adds.weights:
        within = (*path, "kinds", name)
        rule = policy.kinds.get(name)
        if rule is None:
            hint = suggestion(name, policy.kinds)
            yield _error(within, f"`{name}` is not a kind of this policy{hint}")
            continue
        if not _is_valued(rule.kind):
            yield _error(within, f"`{name}` has no `value`, so it adds nothing up")
        if rule.kind.runs_in_agent:
            said = f"`{name}` runs in the agent: no connector says whose it is"
            yield _warning(within, f"{said}, so all of it adds up as one customer's")
        for currency in rule.bands:
            if currency != adds.currency and currency not in adds.rates:
                said = f"no rate says what {currency} is worth in {adds.currency}"
                yield _warning(
                    within, f"{said}: every amount of it counts as above the highest band"
                )


def _undeclared(kinds: tuple[str, ...], names: Collection[str], path: Path) -> Iterator[_Finding]:
    for place, name in enumerate(kinds):
        if name != ANY_KIND and name not in names:
            hint = suggestion(name, names)
            yield _error((*path, place), f"`{name}` is not a kind of this policy{hint}")


def _unreached(policy: Policy) -> Iterator[_Finding]:
    """Kinds that no lane lets a task touch; what undoes another kind needs no lane."""
    reversals = {rule.kind.undo for rule in policy.kinds.values()}
    for name, rule in policy.kinds.items():
        reached = any(
            {ANY_KIND, name} & set(lane.kinds)
            and {ANY_KIND, rule.kind.connector} & set(lane.connectors)
            for lane in policy.lanes.values()
        )
        if not reached and name not in reversals:
            yield _warning(("kinds", name), f"no lane lets a task touch `{name}`")
