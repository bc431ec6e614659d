"""Conditions in CEL, wrapped so that every doubt fails: a condition holds when it is true, only.

The library's error values are truthy, and it takes True for 1. So an answer counts only when its
type is BOOL and its value is True or False; whatever else comes back or is raised is BROKEN. The
library itself ends a condition after 10,000 steps of a comprehension, and parses none that is
nested deeper than 32; texts and lists have limits of their own (`action`, `LIST_ITEMS_MAX`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

import msgspec
from cel_expr_python import cel

from handrail.core.accumulation import Accumulation, Sums
from handrail.core.action import ActionKind, Param, Params, ParamType
from handrail.core.money import Money
from handrail.core.policy import FactType
from handrail.core.triggers.find import FOUND
from handrail.errors import InvalidInput

__all__ = [
    "LATE",
    "LIST_ITEMS_MAX",
    "NOW",
    "UNDER_WAY",
    "Condition",
    "Given",
    "Truth",
    "Variables",
    "all_of",
    "once_read",
    "variables_of",
]

LIST_ITEMS_MAX: Final = 1_000
"""Entries of a list or a record that a condition gets to see; a larger one is not known to it."""
TEXTS_KEPT: Final = 1_000
"""Dates and amounts of facts that are not read anew each time: they stand in several conditions."""
MACROS_MAX: Final = 2
"""Comprehensions (`all`, `exists`, `filter`, ...) in one condition."""
UNDER_WAY: Final = "open.same_kind"
NOW: Final = "now"
LATE: Final = frozenset(("earlier.minor", "together.minor", UNDER_WAY))
"""What is known only once the transaction has read it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_NOTHING: Final = re.compile(r"0(\.0+)? ([A-Z]{3})\Z")
_MACRO: Final = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(")
_STRING: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_PLACE: Final = re.compile(r"ERROR: <input>:\d+:(\d+): (.*)")
_WHOLE: Final = cel.Type.INT
_BOOL: Final = cel.Type.BOOL
_BIG: Final = 2**63


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What conditions are asked about. `facts` by name, None for one that is not known.

    `earlier` and `together` are in minor units of the currency of the accumulation: what the
    customer was given before, and with this action; `under_way` how many other actions of this kind
    about the customer are open. None while they are not read yet. `found` is how much of each
    trigger stands in the texts that leave the desk, if anybody looked.
    """

    params: Params
    facts: Mapping[str, str | int | bool | None]
    value: Money | None
    now: int
    found: Mapping[str, int] = {}
    earlier: int | None = None
    together: int | None = None
    under_way: int | None = None


def once_read(given: Given, sums: Sums | None, under_way: int | None) -> Given:
    """The same, with what only the transaction knows; no sums for a kind that adds nothing up."""
    return msgspec.structs.replace(
        given,
        under_way=under_way,
        earlier=None if sums is None else sums.earlier,
        together=None if sums is None else sums.earlier + sums.worth,
    )


class Truth(Enum):
    """What came of a condition."""

    TRUE = "true"
    FALSE = "false"
    BROKEN = "broken"


Getter = Callable[[Given], object]
Variables = dict[str, tuple[cel.Type, Getter]]
"""What a condition may name: the type, and how it is read; a getter gives None for not known."""


class Condition:
    """One compiled condition. Raises InvalidInput `condition_invalid` for one that is none."""

    def __init__(self, text: str, variables: Variables) -> None:
        bare = _STRING.sub("''", text)
        if len(_MACRO.findall(bare)) > MACROS_MAX:
            raise _invalid(f"more than {MACROS_MAX} comprehensions")
        if any(name == "map" for name in _MACRO.findall(bare)):
            raise _invalid("`map` is not available: use `all`, `exists` or `filter`")
        self.text = text
        self.names = tuple(name for name in variables if _mentions(bare, name))
        self._getters = tuple((name, variables[name][1]) for name in self.names)
        try:
            env = cel.NewEnv(variables={name: type_ for name, (type_, _) in variables.items()})
            self._expression = env.compile(text)
        except Exception as error:
            raise _invalid(_said(str(error))) from None
        if self._expression.return_type() != cel.Type.BOOL:
            raise _invalid("it is not a condition: it must be true or false")

    @property
    def is_late(self) -> bool:
        """Whether it can be asked only once the transaction has read what it names."""
        return not LATE.isdisjoint(self.names)

    @property
    def counts(self) -> bool:
        """Whether it asks how many other actions are under way."""
        return UNDER_WAY in self.names

    def reads(self, place: str) -> bool:
        """Whether it names anything in a place: `params` or `facts`."""
        return any(name.removeprefix("known.").startswith(f"{place}.") for name in self.names)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that it names."""
        names = (
            name.split(".")[-2:] if name.endswith((".minor", ".currency")) else [name]
            for name in self.names
            if name.startswith("facts.")
        )
        return tuple(dict.fromkeys(one[0].removeprefix("facts.") for one in names))

    def ask(self, given: Given) -> Truth:
        """What it says about an action. Never raises."""
        try:
            data = {}
            for name, read in self._getters:
                value = read(given)
                if value is not None:
                    data[name] = value
            answer = self._expression.eval(data=data)
            if answer.type() != _BOOL:
                return Truth.BROKEN
            value = answer.value()
        except Exception:
            return Truth.BROKEN
        if value is True:
            return Truth.TRUE
        return Truth.FALSE if value is False else Truth.BROKEN

    def unknown(self, given: Given) -> tuple[str, ...]:
        """The names in it of which nothing is known."""
        return tuple(name for name, read in self._getters if _absent(read, given))


def all_of(conditions: Sequence[Condition], variables: Variables) -> Condition | None:
    """One condition that is true when, and only when, each of some is; None when it would be none.

    To ask it takes about as long as to ask one of them. What it says when it is not true says
    nothing: ask them one by one. It shares the limits of a single condition, so it may be BROKEN
    where none of them is.
    """
    if len(conditions) < 2:
        return None
    # A comment in a condition ends with its line.
    text = " && ".join(f"({one.text}\n)" for one in conditions)
    try:
        return Condition(text, variables)
    except InvalidInput:
        return None


def variables_of(
    kind: ActionKind, facts: Mapping[str, FactType], adds: Accumulation | None
) -> Variables:
    """Everything that a condition about a kind may name."""
    found: Variables = {
        NOW: (cel.Type.TIMESTAMP, lambda given: _EPOCH + _ms(given.now)),
        UNDER_WAY: (_WHOLE, lambda given: given.under_way),
    }
    for param in kind.params:
        found |= _param(param)
    for name, type_ in facts.items():
        found |= _fact(name, type_)
    if kind.value is not None or kind.value_from_connector:
        found["value.minor"] = (_WHOLE, lambda given: given.value and given.value.minor)
        found["value.currency"] = (
            cel.Type.STRING,
            lambda given: given.value and given.value.currency,
        )
    if adds is not None and kind.name in adds.weights:
        found["earlier.minor"] = (_WHOLE, lambda given: _whole(given.earlier))
        found["together.minor"] = (_WHOLE, lambda given: _whole(given.together))
    if kind.outgoing:
        found |= {f"found.{name}": (_WHOLE, _finds(name)) for name in FOUND}
    return found


def _param(param: Param) -> Variables:
    name, key = param.name, f"params.{param.name}"
    found: Variables = {}
    match param.type:
        case ParamType.MONEY:
            found[f"{key}.minor"] = (_WHOLE, lambda given: _minor(given.params.get(name)))
            found[f"{key}.currency"] = (
                cel.Type.STRING,
                lambda given: _currency(given.params.get(name)),
            )
        case ParamType.INTEGER:
            found[key] = (_WHOLE, lambda given: _whole(given.params.get(name)))
        case ParamType.BOOLEAN:
            found[key] = (cel.Type.BOOL, lambda given: _flag(given.params.get(name)))
        case ParamType.RECORD:
            found[key] = (cel.Type.DYN, lambda given: _small(given.params.get(name)))
        case ParamType.ID | ParamType.TEXT | ParamType.CHOICE:
            found[key] = (cel.Type.STRING, lambda given: _text(given.params.get(name)))
    if not param.required:
        found[f"known.{key}"] = (cel.Type.BOOL, lambda given: given.params.get(name) is not None)
    return found


def _fact(name: str, type_: FactType) -> Variables:
    key = f"facts.{name}"
    found: Variables = {
        f"known.{key}": (cel.Type.BOOL, lambda given: given.facts.get(name) is not None)
    }
    match type_:
        case FactType.TEXT:
            found[key] = (cel.Type.STRING, lambda given: _text(given.facts.get(name)))
        case FactType.INTEGER:
            found[key] = (_WHOLE, lambda given: _whole(given.facts.get(name)))
        case FactType.BOOLEAN:
            found[key] = (cel.Type.BOOL, lambda given: _flag(given.facts.get(name)))
        case FactType.DATE:
            found[key] = (cel.Type.TIMESTAMP, lambda given: _day(given.facts.get(name)))
        case FactType.MONEY:
            found[f"{key}.minor"] = (_WHOLE, lambda given: _amount(given.facts.get(name))[0])
            found[f"{key}.currency"] = (
                cel.Type.STRING,
                lambda given: _amount(given.facts.get(name))[1],
            )
    return found


def _finds(name: str) -> Getter:
    return lambda given: _whole(given.found.get(name))


def _ms(at: int) -> timedelta:
    return timedelta(milliseconds=at)


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _whole(value: object) -> int | None:
    return value if type(value) is int and -_BIG <= value < _BIG else None


def _flag(value: object) -> bool | None:
    return value if type(value) is bool else None


def _minor(value: object) -> int | None:
    return value.minor if isinstance(value, Money) else None


def _currency(value: object) -> str | None:
    return value.currency if isinstance(value, Money) else None


def _small(value: object) -> object:
    """A record whose lists and objects are all short enough to be looked through; else None."""
    waiting, entries = [value], 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, (list, dict)):
            entries += len(one)
            waiting.extend(one.values() if isinstance(one, dict) else one)
            if entries > LIST_ITEMS_MAX:
                return None
    return value


def _day(value: object) -> datetime | None:
    return _read_day(value) if isinstance(value, str) else None


@lru_cache(TEXTS_KEPT)
def _read_day(value: str) -> datetime | None:
    if not _DAY.match(value):
        return None
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _amount(value: object) -> tuple[int | None, str | None]:
    """Minor units and currency of an exact amount as facts write it, zero included."""
    return _read_amount(value) if isinstance(value, str) else (None, None)


@lru_cache(TEXTS_KEPT)
def _read_amount(value: str) -> tuple[int | None, str | None]:
    nothing = _NOTHING.match(value)
    if nothing is not None:
        return 0, nothing[2]
    try:
        money = Money.parse(value)
    except InvalidInput:
        return None, None
    return money.minor, money.currency


def _absent(read: Getter, given: Given) -> bool:
    try:
        return read(given) is None
    except Exception:
        return True


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text) is not None


def _said(error: str) -> str:
    """What the library says about a condition, in one line and without its own names."""
    place = _PLACE.search(error)
    if place is None:
        return error.splitlines()[0].split("[")[0].strip().rstrip(".").lower() or "not a condition"
    what = place[2].replace("(in container '')", "").split(" [INVALID_ARGUMENT]")[0].strip()
    return f"at character {place[1]}: {what}"


def _invalid(why: str) -> InvalidInput:
    return InvalidInput("condition_invalid", why)
