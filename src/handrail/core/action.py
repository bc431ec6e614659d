"""Action kinds and their typed parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

import msgspec

from handrail.core.canonical import canonical, check_plain, quoted
from handrail.core.grade import Axes, Catchable, Grade, grade_of
from handrail.core.money import Money
from handrail.errors import InvalidInput

__all__ = [
    "ID_CHARS_MAX",
    "TEXT_CHARS_MAX",
    "ActionKind",
    "Param",
    "ParamType",
    "Params",
    "params_parser",
]

ID_CHARS_MAX: Final = 200
TEXT_CHARS_MAX: Final = 100_000

Params = dict[str, object]
"""Parsed parameters: str, int, bool, Money, lists or plain records."""


class ParamType(Enum):
    """What a parameter holds."""

    ID = "id"
    TEXT = "text"
    MONEY = "money"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    RECORD = "record"


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One typed parameter. `choices` is for CHOICE; `chars_max` is for TEXT."""

    name: str
    type: ParamType
    required: bool = True
    choices: tuple[str, ...] = ()
    chars_max: int = TEXT_CHARS_MAX


class ActionKind(msgspec.Struct, frozen=True, kw_only=True):
    """A declared kind of action: who serves it, what it takes, how bad it can be.

    `value` names the money parameter that bands and caps look at; with `value_from_connector` they
    look at what the connector says that the action moves, and nothing is known without it. `needs`
    names the facts without which the action is never decided by its usual guard; `undo` names the
    kind that reverses it.
    With `runs_in_agent` the tool runs in the agent's process under a single-use permit.
    """

    name: str
    title: str
    connector: str
    axes: Axes
    catchable: Catchable = Catchable.UNSURE
    params: tuple[Param, ...] = ()
    value: str | None = None
    value_from_connector: bool = False
    needs: tuple[str, ...] = ()
    undo: str | None = None
    runs_in_agent: bool = False

    @property
    def grade(self) -> Grade:
        """The grade that the axes alone give."""
        return grade_of(self.axes)

    @property
    def outgoing(self) -> tuple[str, ...]:
        """The texts of it that leave the desk: none when nothing outside is touched."""
        if self.axes.blast_radius == 0:
            return ()
        return tuple(param.name for param in self.params if param.type is ParamType.TEXT)


def params_parser(kind: ActionKind) -> Callable[[Mapping[str, object]], Params]:
    """A function that turns raw parameters into typed ones, or raises InvalidInput by name.

    Unknown and missing fields are refused; nothing is coerced.
    """
    readers = {param.name: (_READERS[param.type], param) for param in kind.params}
    required = frozenset(param.name for param in kind.params if param.required)

    def parse(raw: Mapping[str, object]) -> Params:
        parsed: Params = {}
        for name, value in raw.items():
            found = readers.get(name)
            if found is None:
                said = f"`{kind.name}` has no field {quoted(str(name))}"
                raise InvalidInput("field_unknown", said)
            read, param = found
            parsed[name] = read(param, value)
        if not required <= parsed.keys():
            lacking = ", ".join(f"`{name}`" for name in sorted(required - parsed.keys()))
            raise InvalidInput("field_missing", f"`{kind.name}` needs {lacking}")
        return parsed

    return parse


def _text(param: Param, value: object) -> str:
    if type(value) is not str:
        raise InvalidInput("field_wrong_type", f"`{param.name}` must be text")
    if len(value) > param.chars_max:
        raise InvalidInput(
            "too_large", f"`{param.name}` is longer than {param.chars_max} characters"
        )
    if not value.isascii():
        _encodable(param.name, value)
    if not value.strip():
        raise InvalidInput("field_malformed", f"`{param.name}` is empty")
    return value


def _encodable(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("text_not_unicode", f"`{name}` is not valid Unicode") from None


def _id(param: Param, value: object) -> str:
    if type(value) is not str:
        raise InvalidInput("field_wrong_type", f"`{param.name}` must be an id (text)")
    if not 1 <= len(value) <= ID_CHARS_MAX:
        raise InvalidInput(
            "field_malformed", f"`{param.name}` must have 1 to {ID_CHARS_MAX} characters"
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidInput(
            "field_malformed", f"`{param.name}` may have visible ASCII characters only"
        )
    return value


def _money(param: Param, value: object) -> Money:
    return Money.parse(value)


def _integer(param: Param, value: object) -> int:
    if type(value) is not int:
        raise InvalidInput("field_wrong_type", f"`{param.name}` must be a whole number")
    check_plain(value)
    return value


def _boolean(param: Param, value: object) -> bool:
    if type(value) is not bool:
        raise InvalidInput("field_wrong_type", f"`{param.name}` must be true or false")
    return value


def _choice(param: Param, value: object) -> str:
    if type(value) is not str or value not in param.choices:
        allowed = ", ".join(param.choices)
        raise InvalidInput("field_malformed", f"`{param.name}` must be one of: {allowed}")
    return value


def _record(param: Param, value: object) -> object:
    if type(value) is not dict and type(value) is not list:
        raise InvalidInput("field_wrong_type", f"`{param.name}` must be an object or a list")
    check_plain(value)
    # In canonical order, as it is stored: what is read again later is then shown the same way.
    return msgspec.json.decode(canonical(value))


_READERS: Final[dict[ParamType, Callable[[Param, object], object]]] = {
    ParamType.ID: _id,
    ParamType.TEXT: _text,
    ParamType.MONEY: _money,
    ParamType.INTEGER: _integer,
    ParamType.BOOLEAN: _boolean,
    ParamType.CHOICE: _choice,
    ParamType.RECORD: _record,
}
