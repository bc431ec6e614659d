"""The report of a backtest in plain words, and the same as a record for machines."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final

import msgspec

from handrail.core.money import MINOR_MAX, Money
from handrail.prove.backtest.fate import FATES, Fate
from handrail.prove.backtest.tally import DAY_MS, Forecast

__all__ = [
    "FATE_WORDS",
    "LATER_WORDS",
    "STOPPED",
    "Group",
    "date_of",
    "day_text",
    "figures_of",
    "groups_of",
    "money_by_day",
    "money_text",
    "ratio",
    "record_of",
    "text_of",
]

FATE_WORDS: Final = {
    Fate.ALONE: "ran alone",
    Fate.ASKED: "asked a person",
    Fate.HELD: "held back for recall",
    Fate.HANDED_ON: "handed to a person",
    Fate.REFUSED: "refused by a rule",
    Fate.CAPPED: "refused by a full cap",
    Fate.WAITS: "waited under a full cap",
    Fate.STOPPED: "stopped then by a halt or flood control",
}
STOPPED: Final = (Fate.REFUSED, Fate.CAPPED, Fate.STOPPED)
RECORD_VERSION: Final = 1


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Actions of one kind and band under one control: how many met which fate, and their money."""

    kind: str
    band: str
    control: str
    checkers: int
    grade: str
    fates: dict[str, int]
    minor: int
    currency: str | None

    @property
    def n(self) -> int:
        """All of them."""
        return sum(self.fates.values())

    @property
    def money(self) -> str:
        """Their money together."""
        return "" if self.currency is None else money_text(self.minor, self.currency)


def groups_of(outcome: Forecast) -> list[Group]:
    """The lines of all days together, per kind, band and control; the most frequent kind first."""
    fates: dict[tuple[str, str, str, int, str, str | None], Counter[str]] = {}
    minor: Counter[tuple[str, str, str, int, str, str | None]] = Counter()
    kinds: Counter[str] = Counter()
    for line in outcome.lines:
        key = (line.kind, line.band, line.control, line.checkers, line.grade, line.currency)
        fates.setdefault(key, Counter())[line.fate] += line.n
        minor[key] += line.minor
        kinds[line.kind] += line.n
    found = [
        Group(
            kind=key[0],
            band=key[1],
            control=key[2],
            checkers=key[3],
            grade=key[4],
            fates=dict(count),
            minor=minor[key],
            currency=key[5],
        )
        for key, count in fates.items()
    ]
    return sorted(found, key=lambda one: (-kinds[one.kind], one.kind, -one.n, one.band))


def figures_of(outcome: Forecast, reviewers: int) -> list[tuple[str, str]]:
    """The few figures that a policy is judged by, each with its name."""
    days = max(1, outcome.days)
    prompts = outcome.all_prompts
    busiest = max(outcome.prompts.values(), default=0)
    figures = [
        ("Actions", f"{outcome.actions} on {outcome.days} days"),
        ("Prompts", f"{prompts}, of which asked anew because a sum had risen: {outcome.again}"),
        ("Prompts per reviewer and day", ratio(prompts, days * reviewers)),
        ("Prompts per reviewer on the busiest day", ratio(busiest, reviewers)),
        ("Ran alone", _with_money(outcome, Fate.ALONE)),
        ("Ran alone on the day with the most money", _worst_day(outcome)),
        ("Held back for recall", _with_money(outcome, Fate.HELD)),
        ("Refused by a rule", _with_money(outcome, Fate.REFUSED)),
        ("Refused by a full cap", _with_money(outcome, Fate.CAPPED)),
        ("Waited under a full cap", _with_money(outcome, Fate.WAITS)),
        ("Handed to a person", _with_money(outcome, Fate.HANDED_ON)),
    ]
    if outcome.count(Fate.STOPPED):
        figures.append(("Stopped then by a halt or flood control", _n(outcome, Fate.STOPPED)))
    labels = {line.label for line in outcome.lines}
    for label, words in (("wrong", "known to be wrong"), ("rejected", "rejected by people then")):
        if label in labels:
            figures.append((f"Ran alone, {words}", _with_money(outcome, Fate.ALONE, label=label)))
    return figures


def text_of(outcome: Forecast, reviewers: int, against: Forecast | None = None) -> str:
    """The report for a terminal; with `against`, what the second policy does stands beside it."""
    lines = [f"policy {outcome.policy} ({outcome.digest[:12]})"]
    if against is not None:
        lines.append(f"against {against.policy} ({against.digest[:12]})")
    if outcome.actions:
        lines.append(f"traffic from {date_of(outcome.first_at)} to {date_of(outcome.last_at)}")
    lines.append("")
    other = {} if against is None else dict(figures_of(against, reviewers))
    for name, value in figures_of(outcome, reviewers):
        beside = "" if against is None else f"  [against: {other.get(name, 'none')}]"
        lines.append(f"{name}: {value}{beside}")
    lines += ["", "by kind, band and control:"]
    lines += _table(outcome)
    if against is not None:
        lines += ["", f"by kind, band and control, against {against.policy}:"]
        lines += _table(against)
    for name, count in outcome.trips.items():
        lines.append(f"the cap `{name}` was met full {_times(count)}")
    for name, count in outcome.later.items():
        lines.append(f"after waiting, {LATER_WORDS.get(name, name)}: {count}")
    if outcome.unread:
        lines.append(
            f"{outcome.unread} actions have checks and came without the facts that those read:"
            " record them with `--content`"
        )
    return "\n".join(lines) + "\n"


LATER_WORDS: Final = {
    "ran": "ran",
    "rejected": "rejected",
    "expired": "expired",
    "withdrawn": "withdrawn",
    "cap_refused": "ended at a full cap",
}


def record_of(outcome: Forecast, reviewers: int) -> dict[str, object]:
    """The same for machines: figures as whole numbers, per day and in groups."""
    return {
        "v": RECORD_VERSION,
        "policy": outcome.policy,
        "digest": outcome.digest,
        "actions": outcome.actions,
        "days": outcome.days,
        "first_at": outcome.first_at,
        "last_at": outcome.last_at,
        "reviewers": reviewers,
        "prompts": outcome.all_prompts,
        "prompts_again": outcome.again,
        "prompts_by_day": {day_text(day): n for day, n in outcome.prompts.items()},
        "fates": {fate: outcome.count(fate) for fate in FATES},
        "value_at_risk": outcome.money(Fate.ALONE),
        "wrong_alone": outcome.money(Fate.ALONE, label="wrong"),
        "rejected_alone": outcome.money(Fate.ALONE, label="rejected"),
        "later": outcome.later,
        "trips": outcome.trips,
        "unread": outcome.unread,
        "groups": [msgspec.to_builtins(group) for group in groups_of(outcome)],
    }


def money_by_day(outcome: Forecast, currency: str) -> dict[int, int]:
    """What ran alone on each day, in minor units of one currency."""
    found: Counter[int] = Counter()
    for line in outcome.lines:
        if line.fate == Fate.ALONE and line.currency == currency:
            found[line.day] += line.minor
    return dict(sorted(found.items()))


def money_text(minor: int, currency: str) -> str:
    """An amount that may be a sum of very many."""
    return Money(minor=min(minor, MINOR_MAX), currency=currency).text()


def date_of(at: int) -> str:
    """A moment as its day, UTC."""
    return day_text(at // DAY_MS)


def day_text(day: int) -> str:
    """A day by its number."""
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y-%m-%d")


def _table(outcome: Forecast) -> list[str]:
    rows = [("kind", "band", "control", "grade", "actions", "what became of them", "money")]
    for group in groups_of(outcome):
        control = group.control + (f" x{group.checkers}" if group.checkers else "")
        fates = ", ".join(
            f"{FATE_WORDS[fate]} {group.fates[fate]}" for fate in FATES if fate in group.fates
        )
        rows.append(
            (group.kind, group.band, control, group.grade, str(group.n), fates, group.money)
        )
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _with_money(outcome: Forecast, fate: str, *, label: str | None = None) -> str:
    money = outcome.money(fate, label=label)
    if label is None:
        n = outcome.count(fate)
    else:
        n = sum(line.n for line in outcome.lines if (line.fate, line.label) == (fate, label))
    texts = [money_text(minor, currency) for currency, minor in money.items() if minor]
    return f"{n}" + (f", {' and '.join(texts)}" if texts else "")


def _n(outcome: Forecast, fate: str) -> str:
    return str(outcome.count(fate))


def _worst_day(outcome: Forecast) -> str:
    worst = []
    for currency in outcome.money(Fate.ALONE):
        by_day = money_by_day(outcome, currency)
        most, day = max((minor, -day) for day, minor in by_day.items())
        if most:
            worst.append(f"{money_text(most, currency)} on {day_text(-day)}")
    return " and ".join(worst) or "no money"


def ratio(number: int, by: int) -> str:
    """A quotient with one decimal, rounded."""
    tenths = (number * 10 * 2 + by) // (2 * by)
    return f"{tenths // 10}.{tenths % 10}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
