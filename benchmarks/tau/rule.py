"""What a rule for a fact looks at, and the rules that both desks share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from benchmarks.tau.thread import Thread
from benchmarks.tau.worth import Arguments, Tables

__all__ = ["Look", "Rule", "RulesOfTool", "agreed", "amount_told", "method_named", "named"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One call before it is made. `cents` is what it moves to the customer, None if unknown."""

    shop: Tables
    arguments: Arguments
    thread: Thread
    cents: int | None

    def text(self, name: str) -> str:
        """A text argument. TypeError for anything else."""
        value = self.arguments[name]
        if not isinstance(value, str):
            raise TypeError(f"`{name}` is not a text")
        return value

    def whole(self, name: str) -> int:
        """A whole number of an argument. TypeError for anything else."""
        value = self.arguments[name]
        if type(value) is not int:
            raise TypeError(f"`{name}` is not a whole number")
        return value

    def entries(self, name: str) -> list[Any]:
        """A list argument. TypeError for anything else."""
        value = self.arguments[name]
        if not isinstance(value, list):
            raise TypeError(f"`{name}` is not a list")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts. TypeError for anything else."""
        value = self.entries(name)
        if not all(isinstance(one, str) for one in value):
            raise TypeError(f"`{name}` is not a list of texts")
        return value


Rule: TypeAlias = Callable[[Look], str | int | bool | None]
"""How one fact is worked out. Raises one of worth.NOT_COMPUTABLE when it cannot be."""

RulesOfTool: TypeAlias = tuple[Mapping[str, Rule], Mapping[str, Rule]]
"""How the facts of a tool are worked out, by name: those of the records, those of the thread."""

_KINDS: Final = {
    "credit_card": re.compile(r"\b(credit|debit) card\b|\bcard (ending|on file)\b"),
    "gift_card": re.compile(r"\bgift card\b"),
    "certificate": re.compile(r"\b(certificate|voucher)\b"),
    "paypal": re.compile(r"\bpaypal\b"),
}
_ORIGINAL: Final = re.compile(
    r"\b(original|same|initial) (form of )?(payment( method)?|(credit |gift )?card|method)\b"
)


def named(*rules: Rule) -> dict[str, Rule]:
    """Rules by the names of their facts, which are those of the functions."""
    return {rule.__name__: rule for rule in rules}


def agreed(look: Look) -> bool:
    """Both desks: explicit confirmation (yes) before any write."""
    return look.thread.agreed


def amount_told(look: Look) -> bool | None:
    """Whether the money that the call moves stands in the thread; nothing moved needs no word."""
    if look.cents is None:
        return None
    return look.cents == 0 or look.thread.names_amount(look.cents)


def method_named(look: Look, user: Any, method_id: str, *, paid_by: set[str]) -> bool:
    """Whether this way of paying was settled with the customer, so that it cannot be another one.

    By its id, the end of its number, or its kind where the customer has only one of that kind; or
    as the original one, where it is among `paid_by`. What the desk wrote in passing counts for
    nothing.
    """
    thread = look.thread
    method = user.payment_methods[method_id]
    if thread.settles(method_id) or (method_id in paid_by and thread.settles_by(_ORIGINAL)):
        return True
    last_four = getattr(method, "last_four", None)
    if last_four is not None and thread.settles(last_four):
        return True
    alike = [one for one in user.payment_methods.values() if one.source == method.source]
    return len(alike) == 1 and thread.settles_by(_KINDS[method.source])
