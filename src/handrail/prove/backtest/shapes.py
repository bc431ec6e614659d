"""Shapes: what the rules say about a kind of action in one currency, worked out once.

Which caps count it, and where its amount stands among the limits of the bands, is asked of the same
functions that answer live. After that an action is a look-up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from handrail.core.caps import Deed
from handrail.core.decide import Ask, Decision
from handrail.core.grade import Grade
from handrail.core.money import MINOR_MAX, Money
from handrail.core.policy import Control, KindRule, Policy
from handrail.core.reason import codes_of
from handrail.engine.base.context import Rulebook
from handrail.policy.checks import Checked, KindChecks
from handrail.prove.backtest.fate import FATE_OF
from handrail.prove.backtest.ledger import Ledger, Take
from handrail.prove.backtest.questions import Questions
from handrail.prove.backtest.traffic import Findings, Recorded

__all__ = ["Judgment", "Shape", "Shapes"]

_ALONE: Final = frozenset((Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY))
_NOTHING: Final = Findings()


class Judgment:
    """A decision, made ready: what it is, and the cells in which it is counted.

    `usual` is the cell of what met `fate` and of which nobody said anything.
    """

    __slots__ = (
        "alone",
        "band",
        "cells",
        "codes",
        "control",
        "currency",
        "failed",
        "fate",
        "grade",
        "guard",
        "kind",
        "order",
        "usual",
    )

    def __init__(self, decision: Decision, kind: str, band: str, currency: str | None) -> None:
        self.guard = decision.guard
        self.grade = decision.grade
        self.codes = codes_of(decision.reasons)
        self.failed = tuple(check.name for check in decision.failed)
        self.order = decision.guard.order
        self.control = decision.guard.control
        self.fate = FATE_OF[self.control]
        self.alone = self.control in _ALONE
        self.kind = kind
        self.band = band
        self.currency = currency
        self.usual = [0, 0]
        self.cells: dict[tuple[str, str | None], list[int]] = {}

    def counted(self) -> Iterator[tuple[tuple[str, str | None], list[int]]]:
        """What was counted by fate and label, and from now on anew."""
        usual, cells = self.usual, self.cells
        self.usual, self.cells = [0, 0], {}
        if usual[0]:
            yield (self.fate, None), usual
        yield from cells.items()

    @property
    def prompts(self) -> int:
        """How many people it asks."""
        match self.control:
            case Control.APPROVE:
                return 1
            case Control.MAKER_CHECKER:
                return self.guard.checkers
            case _:
                return 0


class Shape:
    """A kind in one lane and currency, about a customer or about nobody.

    `adds` says that it adds to sums, `plainly` that its amounts do so as they are. `checks` is None
    where nothing is checked. `only` is the one cap that it takes from, when it takes one of a count
    and does nothing else. `usual` is the verdict on every action about which nothing was found,
    where there is just one; `idle` says that it runs alone then, and takes and adds nothing.
    """

    __slots__ = (
        "adds",
        "bands",
        "checks",
        "idle",
        "limits",
        "only",
        "plainly",
        "takes",
        "usual",
        "verdicts",
    )

    def __init__(self, limits: list[int], bands: list[str], takes: tuple[Take, ...]) -> None:
        self.limits = limits
        self.bands = bands
        self.takes = takes
        self.adds = self.plainly = self.idle = False
        self.only: Take | None = None
        self.usual: Judgment | None = None
        self.checks: KindChecks | None = None
        self.verdicts: dict[object, Judgment] = {}


class Shapes:
    """Makes the shapes of one policy, and the verdicts in them."""

    def __init__(self, rules: Rulebook, ledger: Ledger) -> None:
        self._rules = rules
        self._questions = Questions(rules)
        self._policy: Policy = rules.policy
        self._ledger = ledger

    def make(self, recorded: Recorded) -> Shape:
        """The shape of a recorded action. Raises InvalidInput for an amount that is none."""
        value = recorded.value
        rule = self._policy.kinds.get(recorded.kind)
        limits = [] if rule is None or value is None else _limits(rule, value.currency)
        takes = self._ledger.takes(_deed(recorded, rule, value))
        shape = Shape(limits, _bands(rule, limits, value), takes)
        adds = self._policy.accumulation
        if adds is not None and recorded.kind in adds.weights:
            shape.adds = True
            shape.plainly = value is not None and adds.is_plain(recorded.kind, value.currency)
        shape.checks = self._questions.checks_of(recorded.kind, recorded.lane)
        if len(takes) == 1 and not (shape.adds or takes[0].money or takes[0].distinct):
            shape.only = takes[0]
        return shape

    def judge(
        self, recorded: Recorded, shape: Shape, place: int, total: int | None, checked: Checked
    ) -> Judgment:
        """What the compiled policy says of it; `total` is the sum, in the amount's currency."""
        decision = self._rules.decider.decide(self._ask(recorded, total, checked))
        return Judgment(decision, recorded.kind, shape.bands[max(0, place)], recorded.currency)

    def all_verdicts(self, shapes: Mapping[object, Shape]) -> list[Judgment]:
        """Every verdict that was given."""
        return [verdict for shape in shapes.values() for verdict in shape.verdicts.values()]

    def _ask(self, recorded: Recorded, total: int | None, checked: Checked) -> Ask:
        found = recorded.found or _NOTHING
        summed = None
        if total is not None and recorded.currency is not None:
            summed = Money(minor=total, currency=recorded.currency)
        lane = None if recorded.lane is None else self._policy.lanes.get(recorded.lane)
        anybody = recorded.lane is None or (lane is not None and lane.any_customer)
        return Ask(
            kind=recorded.kind,
            lane=recorded.lane,
            value=recorded.value,
            account_in_lane=anybody or not found.outside,
            missing=found.missing,
            contradicted=found.against,
            hidden=found.hidden,
            unresolved=found.unresolved,
            claim=None if found.claim is None else Grade(found.claim),
            failure=found.failure,
            accumulated=summed,
            as_undo=found.undo,
            late=found.late,
            failed=checked.failed,
            cleared=checked.cleared,
        )


def _deed(recorded: Recorded, rule: KindRule | None, value: Money | None) -> Deed:
    """What caps look at, with nothing in it that differs from one action of a shape to another."""
    return Deed(
        kind=recorded.kind,
        value=None if value is None else Money(minor=MINOR_MAX, currency=value.currency),
        agent="",
        owner="",
        customer="",
        task="",
        account="" if rule is None else rule.kind.connector,
        of_nobody=recorded.customer is None,
    )


def _limits(rule: KindRule, currency: str) -> list[int]:
    """Every amount at which another band begins."""
    ladders = [rule.bands.get(currency, ())]
    if rule.cleared is not None:
        ladders.append(rule.cleared.bands.get(currency, ()))
    found = {band.up_to_minor for bands in ladders for band in bands}
    return sorted(limit for limit in found if limit is not None)


def _bands(rule: KindRule | None, limits: list[int], value: Money | None) -> list[str]:
    """How each place among the limits is called."""
    if value is None:
        return ["no amount" if rule is None or not rule.bands else "amount not known"]
    if not limits:
        unlisted = rule is not None and rule.bands and value.currency not in rule.bands
        return [f"{value.currency}, not listed" if unlisted else f"{value.currency}, any amount"]
    texts = [Money(minor=limit, currency=value.currency).text() for limit in limits]
    return [*(f"up to {text}" for text in texts), f"above {texts[-1]}"]
