"""Writes the draft: YAML in which every guess is a comment for a person to confirm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.action import ParamType
from handrail.core.canonical import quoted
from handrail.core.grade import Grade
from handrail.errors import InvalidInput
from handrail.policy.draft.fields import Typed, typed
from handrail.policy.draft.judge import Judged, judge
from handrail.policy.draft.offered import (
    OFFERED_MAX,
    Offered,
    legal,
    plain,
    too_many,
    unlike,
    word_list,
)
from handrail.policy.loader import problems_of
from handrail.policy.problem import errors_in
from handrail.policy.source import TEXT_BYTES_MAX

__all__ = ["CONFIRM", "Drafted", "open_guesses", "write_policy"]

CONFIRM: Final = "# CONFIRM:"
"""How the comment of a guess begins. Whoever has looked at the guess deletes the comment."""
_TITLE_CHARS_MAX: Final = 80
_AMOUNT_CHARS_MAX: Final = 40
_WHY_CHARS_MAX: Final = 400

_HEAD: Final = """\
# yaml-language-server: $schema=policy.schema.json
#
# A draft, to begin with. How bad an action can be is guessed from what was offered, and guessed
# high: what is not known is held for two independent checkers, and nothing but plain reads runs
# alone. Each guess has a comment above it that begins with CONFIRM. Look at it, correct it, delete
# the comment; `handrail policy check` counts what is left.
"""


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted policy: its text, how many kinds have each grade, and what could not keep its name.

    `renamed` holds what each was called at home and what the draft calls it.
    """

    text: str
    grades: dict[Grade, int]
    renamed: tuple[tuple[str, str], ...]

    @property
    def guesses(self) -> int:
        """How many guesses wait for a person."""
        return len(open_guesses(self.text))


def open_guesses(text: str) -> tuple[int, ...]:
    """The lines of a policy text on which a guess still waits to be confirmed."""
    return tuple(
        place
        for place, line in enumerate(text.split("\n"), start=1)
        if line.lstrip(" ").startswith(CONFIRM)
    )


def write_policy(offered: tuple[Offered, ...], *, name: str, connector: str) -> Drafted:
    """Draft a policy with one kind for each action that is offered.

    Raises InvalidInput `too_large` for more than a policy holds, and `source_malformed` when what
    comes out would not load.
    """
    if len(offered) > OFFERED_MAX:
        raise too_many(len(offered))
    kinds: dict[str, str] = {}
    renamed: list[tuple[str, str]] = []
    grades = dict.fromkeys(Grade, 0)
    for one in offered:
        kind = unlike(legal(one.name, dots=True), kinds)
        if kind != one.name:
            renamed.append((plain(one.name, 80), kind))
        params = typed(one.wanted, whole=one.whole)
        judged = judge(one, money=any(param.type is ParamType.MONEY for param in params))
        grades[judged.grade] += 1
        kinds[kind] = "\n".join(_kind(kind, one, params, judged, connector))
    text = "\n".join([*_top(name), "kinds:\n" + "\n\n".join(kinds.values())]) + "\n"
    if len(text.encode()) > TEXT_BYTES_MAX:
        said = f"the draft would be longer than the {TEXT_BYTES_MAX} bytes of a policy"
        raise InvalidInput("too_large", f"{said}; choose with `--only`")
    errors = errors_in(problems_of(text))
    if errors:
        raise InvalidInput("source_malformed", f"no policy can be made of it: {errors[0].text}")
    return Drafted(text=text, grades=grades, renamed=tuple(renamed))


def _top(name: str) -> Iterator[str]:
    yield _HEAD
    yield f"policy: {name}"
    yield "version: 1\n"
    yield "lanes:"
    yield f"  {CONFIRM} every agent may propose everything here; make a lane for each kind of work"
    yield '  support: {kinds: "*"}\n'
    yield "caps:"
    yield f"  {CONFIRM} a guess at how much one agent does in a minute; add caps on money"
    yield "  actions-per-minute: {scope: agent, count: 30, window: 1m}\n"


def _kind(
    kind: str, one: Offered, params: tuple[Typed, ...], judged: Judged, connector: str
) -> Iterator[str]:
    yield f"  {kind}:"
    yield f"    # for {one.origin}"
    about = plain(one.about)
    if about:
        yield f"    # it says, unchecked: {about}"
    if kind != one.name:
        yield f"    {CONFIRM} it is called {quoted(one.name)} there, and the connector must know"
    # WHY NOT: its own title. People decide by what an action is called, so its name speaks.
    yield f"    title: {_text(_title(kind))}"
    yield f"    connector: {connector}"
    yield f"    {CONFIRM} {plain(judged.why, _WHY_CHARS_MAX)}"
    axes = msgspec.structs.asdict(judged.axes).items()
    yield f"    axes: {{{', '.join(f'{axis}: {value}' for axis, value in axes)}}}"
    if judged.grade >= Grade.G2:
        yield f"    {CONFIRM} nobody has measured whether a person would catch a mistake in time"
        yield "    catchable: unsure"
    if params:
        yield "    params:"
        for param in params:
            if param.why:
                yield f"      {CONFIRM} {plain(param.why)}"
            yield f"      {param.name}: {{{', '.join(_param(param))}}}"
    amount = next((param.name for param in params if param.type is ParamType.MONEY), None)
    if amount is not None:
        yield f"    {CONFIRM} this amount counts; bands by currency go in the place of `control`"
        yield f"    value: {amount}"
    yield f"    control: {judged.guard.control.value}"
    if judged.guard.checkers:
        yield f"    checkers: {judged.guard.checkers}"


def _param(param: Typed) -> Iterator[str]:
    yield f"type: {param.type.value}"
    if not param.required:
        yield 'required: "no"'
    if param.choices:
        yield f"of: [{', '.join(_text(choice) for choice in param.choices)}]"
    if param.chars_max is not None:
        yield f"chars_max: {param.chars_max}"


def _text(text: str) -> str:
    """A text in double quotes, which nothing in it can end: JSON's quoting is YAML's too."""
    return json.dumps(text)


def _title(kind: str) -> str:
    words = " ".join(word_list(kind)) or kind
    return (words[:1].upper() + words[1:])[:_TITLE_CHARS_MAX].strip()
