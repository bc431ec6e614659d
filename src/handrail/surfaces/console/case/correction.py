"""The fields of the form that corrects an action, and what somebody changed in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.proposal import Proposal
from handrail.core.text import visible
from handrail.engine.base.context import Context
from handrail.errors import InvalidInput

__all__ = ["EditField", "changes_in", "edit_fields", "hides"]

PREFIX: Final = "p."
_LONG_CHARS_MIN: Final = 80


class EditField(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its text now, what it can be set to when that is a closed list, and its size."""

    name: str
    text: str
    choices: tuple[str, ...]
    long: bool


def edit_fields(
    ctx: Context,
    proposal: Proposal,
    editable: Mapping[str, str | None],
    typed: Mapping[str, str],
) -> list[EditField]:
    """The fields of the form, in the order of the policy; none when it cannot be edited.

    `typed` is what stood in the form that was sent last. A text in which something cannot be seen
    has no field: nobody would know what they sent.
    """
    kind = ctx.rulebook(proposal.desk).kind(proposal.kind)
    if kind is None:
        return []
    return [
        EditField(
            name=param.name,
            text=typed.get(PREFIX + param.name, editable[param.name] or ""),
            choices=_choices(param),
            long=_is_long(param, editable[param.name] or ""),
        )
        for param in kind.params
        if param.name in editable and not hides(editable[param.name])
    ]


def hides(text: str | None) -> bool:
    """Whether something in a text cannot be seen, or changes its direction."""
    return text is not None and visible(text) != text


def changes_in(
    kind: ActionKind, editable: Mapping[str, str | None], form: Mapping[str, str]
) -> dict[str, object]:
    """What the form says otherwise than the action as it is; None for what is to be left out.

    Raises InvalidInput `field_wrong_type` for a number that is none.
    """
    changes: dict[str, object] = {}
    for param in kind.params:
        sent = form.get(PREFIX + param.name)
        known = editable.get(param.name)
        if sent is None or param.name not in editable or hides(known):
            continue
        # A browser turns every line break into one of its own; that is no change.
        if sent == (known or "").replace("\r\n", "\n").replace("\r", "\n"):
            continue
        changes[param.name] = _value(param, sent) if sent else None
    return changes


def _value(param: Param, sent: str) -> object:
    match param.type:
        case ParamType.BOOLEAN:
            return sent == "true"
        case ParamType.INTEGER:
            try:
                return int(sent)
            except ValueError:
                raise InvalidInput(
                    "field_wrong_type", f"`{param.name}` must be a whole number"
                ) from None
        case _:
            return sent


def _choices(param: Param) -> tuple[str, ...]:
    found = ("true", "false") if param.type is ParamType.BOOLEAN else param.choices
    return found if param.required or not found else ("", *found)


def _is_long(param: Param, text: str) -> bool:
    return param.type is ParamType.TEXT and (
        "\n" in text or len(text) >= _LONG_CHARS_MIN or param.chars_max > _LONG_CHARS_MIN * 10
    )
