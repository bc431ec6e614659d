"""Reads a tree of nodes by its form, and collects every problem on the way."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final, assert_never

from handrail.core.canonical import quoted
from handrail.core.money import EXPONENTS, Money
from handrail.core.policy import ANY_KIND
from handrail.errors import InvalidInput
from handrail.policy.problem import Path, Problem
from handrail.policy.shape import (
    AMOUNT_PATTERN,
    MONEY_PATTERN,
    AmountShape,
    AnyOrShape,
    ChoiceShape,
    CurrencyShape,
    Field,
    FlagShape,
    Goes,
    ListShape,
    MapShape,
    MoneyShape,
    RecordShape,
    ScalarShape,
    Shape,
    SpanShape,
    TextShape,
    WholeShape,
    span_ms,
)
from handrail.policy.source import ListNode, MapNode, Node, ScalarNode

__all__ = ["BAD", "FLAGS", "Bad", "Reading", "suggestion"]

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_WHOLE_DIGITS_MAX: Final = 18
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False}


class Bad(Enum):
    """Stands for a value that could not be read; its problem is on the list."""

    BAD = "bad"


BAD: Final = Bad.BAD


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """A question with the nearest known name, ` (did you mean `x`?)`, or nothing."""
    near = difflib.get_close_matches(wrong, list(known), n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""


class Reading:
    """One reading of one file: the problems found, and on which line every value stands.

    A value is text, a whole number, a bool, Money, milliseconds, a tuple, or a dict of those:
    records have every key of their form, with None for what is absent and has no default. What has
    a problem inside is BAD as a whole, but for the policy itself and its maps of kinds, lanes and
    caps: these leave out what is BAD, so that the rest can still be checked.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[Path, int] = {}

    def report(self, line: int, text: str) -> Bad:
        """Note a problem."""
        self.problems.append(Problem(line=line, text=text))
        return BAD

    def line_of(self, path: Path) -> int:
        """The line of the value at `path`, or 1 when the file has none there."""
        return self.lines.get(path, 1)

    def read(self, node: Node, shape: Shape, path: Path = ()) -> Any:
        """The value of a node, or BAD."""
        self.lines.setdefault(path, node.line)
        match shape:
            case RecordShape():
                return self._record(node, shape, path)
            case MapShape():
                return self._map(node, shape, path)
            case ListShape():
                return self._list(node, shape, path)
            case AnyOrShape():
                return self._any_or(node, shape, path)
            case _:
                return self._scalar(node, shape, path)

    def _record(self, node: Node, shape: RecordShape, path: Path) -> Any:
        if not isinstance(node, MapNode):
            return self.report(node.line, f"{shape.phrase} must be a map of keys")
        fields = {field.name: field for field in shape.fields}
        given = {key.text: (key, value) for key, value in node.entries}
        for name, (key, _) in given.items():
            if name not in fields:
                hint = suggestion(name, fields)
                self.report(key.line, f"{quoted(name)} is not a key of {shape.phrase}{hint}")
        sound = self._has_needed(node, shape, path, given.keys())
        for rule in shape.goes:
            sound = self._goes(rule, given) and sound
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in given:
                key, value = given[name]
                self.lines[(*path, name)] = key.line
                values[name] = self.read(value, field.shape, (*path, name))
            else:
                values[name] = self._default(field)
            sound = sound and values[name] is not BAD
        return values if sound or not path else BAD

    def _default(self, field: Field) -> Any:
        if field.default is None:
            return None
        return Reading().read(ScalarNode(text=field.default, line=0, plain=True), field.shape)

    def _has_needed(
        self, node: MapNode, shape: RecordShape, path: Path, given: Iterable[str]
    ) -> bool:
        there = set(given)
        line = self.lines.get(path, node.line)
        lacking = [field.name for field in shape.fields if field.required]
        lacking = [name for name in lacking if name not in there]
        for name in lacking:
            self.report(line, f"`{name}` is missing from {shape.phrase}")
        chosen = [name for name in shape.one_of if name in there]
        if shape.one_of and len(chosen) != 1:
            names = [f"`{name}`" for name in shape.one_of]
            if chosen:
                self.report(line, f"{shape.phrase} takes only one of {' and '.join(names)}")
            else:
                self.report(line, f"{shape.phrase} needs {' or '.join(names)}")
            return False
        return not lacking

    def _goes(self, rule: Goes, given: dict[str, tuple[ScalarNode, Node]]) -> bool:
        _, other = given.get(rule.other, (None, None))
        holds = isinstance(other, ScalarNode) and other.text == rule.value
        if rule.field in given and not holds:
            key, _ = given[rule.field]
            self.report(key.line, f"`{rule.field}` stands only with `{rule.other}: {rule.value}`")
            return False
        if rule.needed and holds and rule.field not in given:
            line = other.line if other is not None else 1
            self.report(line, f"`{rule.other}: {rule.value}` needs `{rule.field}`")
            return False
        return True

    def _map(self, node: Node, shape: MapShape, path: Path) -> Any:
        if not isinstance(node, MapNode):
            return self.report(node.line, f"{_label(path)} must be a map of names")
        size = len(node.entries)
        if not shape.entries_min <= size <= shape.entries_max:
            limits = f"{shape.entries_min} to {shape.entries_max}"
            return self.report(node.line, f"{_label(path)} must have {limits} entries, not {size}")
        values: dict[str, Any] = {}
        for key, value in node.entries:
            within = (*path, key.text)
            self.lines[within] = key.line
            name = self._key(key, shape.key, path)
            read = self.read(value, shape.value, within)
            if name is not BAD and read is not BAD:
                values[key.text] = read
        return values if len(values) == size or len(path) == 1 else BAD

    def _key(self, key: ScalarNode, shape: TextShape | CurrencyShape, path: Path) -> object:
        if isinstance(shape, CurrencyShape):
            if key.text in EXPONENTS:
                return key.text
            what = "is not an ISO 4217 currency in capital letters"
            return self.report(key.line, f"{quoted(key.text)} {what}")
        if re.fullmatch(shape.pattern, key.text) and len(key.text) <= shape.chars_max:
            return key.text
        name = f"{quoted(key.text)} is not a name for {_label(path)}"
        return self.report(key.line, f"{name}: {_words(shape)}")

    def _list(self, node: Node, shape: ListShape, path: Path) -> Any:
        if not isinstance(node, ListNode):
            return self.report(node.line, f"{_label(path)} must be a list")
        if not 1 <= len(node.items) <= shape.items_max:
            limits = f"1 to {shape.items_max}"
            count = len(node.items)
            return self.report(node.line, f"{_label(path)} must have {limits} items, not {count}")
        values = [self.read(item, shape.item, (*path, at)) for at, item in enumerate(node.items)]
        good = tuple(value for value in values if value is not BAD)
        if shape.unique and len(set(good)) != len(good):
            twice = next(value for value in good if good.count(value) > 1)
            self.report(node.line, f"{quoted(str(twice))} stands twice in {_label(path)}")
        return good if len(good) == len(values) else BAD

    def _any_or(self, node: Node, shape: AnyOrShape, path: Path) -> Any:
        if isinstance(node, ScalarNode):
            if node.text == ANY_KIND:
                return (ANY_KIND,)
            return self.report(node.line, f'{_label(path)} must be a list of names, or "*"')
        return self._list(node, shape.names, path)

    def _scalar(self, node: Node, shape: ScalarShape, path: Path) -> Any:
        if not isinstance(node, ScalarNode):
            return self.report(node.line, f"{_label(path)} must be {_wanted(shape)}")
        if node.plain and node.text in _NOTHING:
            return self.report(node.line, f"nothing stands after {_label(path)}")
        if not isinstance(shape, WholeShape) and node.plain and _WHOLE.fullmatch(node.text):
            wanted = f"{_label(path)} must be {_wanted(shape)}"
            return self.report(node.line, f'{wanted}; write text in quotes: "{node.text[:40]}"')
        value = _scalar_value(node, shape)
        if isinstance(value, InvalidInput):
            said = f"{_label(path)}: {value.message}"
            return self.report(node.line, said)
        if value is None:
            said = f"{_label(path)} must be {_wanted(shape)}, not {quoted(node.text)}"
            return self.report(node.line, said + _hint(node, shape))
        return value


def _scalar_value(node: ScalarNode, shape: ScalarShape) -> object:
    """The value, None when the text does not fit, or the refusal that says more."""
    text = node.text
    match shape:
        case TextShape(pattern=pattern, chars_max=chars_max):
            fits = len(text) <= chars_max and re.fullmatch(pattern, text) and text.isprintable()
            return text if fits else None
        case WholeShape(low=low, high=high):
            if not node.plain or len(text) > _WHOLE_DIGITS_MAX or not _WHOLE.fullmatch(text):
                return None
            return int(text) if low <= int(text) <= high else None
        case SpanShape():
            return span_ms(text)
        case AmountShape():
            return text if re.fullmatch(AMOUNT_PATTERN, text) else None
        case MoneyShape():
            if not re.fullmatch(MONEY_PATTERN, text):
                return None
            try:
                return Money.parse(text)
            except InvalidInput as refusal:
                return refusal
        case ChoiceShape(of=of):
            return text if text in of else None
        case FlagShape():
            return FLAGS.get(text)
        case _:
            assert_never(shape)


def _hint(node: ScalarNode, shape: ScalarShape) -> str:
    match shape:
        case ChoiceShape(of=of):
            return suggestion(node.text, of)
        case WholeShape() if not node.plain and _WHOLE.fullmatch(node.text):
            return " in quotes"
        case _:
            return ""


def _label(path: Path) -> str:
    """How a message names the value at `path`: its key, or its place in the list of a key."""
    match path:
        case (*_, str(name), int(at)):
            return f"item {at + 1} of {quoted(name)}"
        case (*_, name):
            return quoted(str(name))
        case _:
            return "the policy"


def _wanted(shape: ScalarShape) -> str:
    match shape:
        case TextShape():
            return _words(shape)
        case WholeShape(low=low, high=high):
            return f"a whole number from {low} to {high}"
        case SpanShape():
            return "a span of time such as 30s, 2m, 4h or 30d, at most 366d"
        case AmountShape():
            return 'an amount such as "50.00"'
        case MoneyShape():
            return 'an amount with its currency such as "200.00 USD"'
        case ChoiceShape(of=of):
            return "one of " + ", ".join(of)
        case FlagShape():
            return "yes or no"
        case _:
            assert_never(shape)


def _words(shape: TextShape) -> str:
    return f"{shape.what}, at most {shape.chars_max} characters"
