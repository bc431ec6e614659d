"""Finding something in the queue: what a page's address asks for, and the form for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from handrail.core.canonical import quoted
from handrail.engine.base.context import Context
from handrail.engine.showing.search import Search
from handrail.errors import InvalidInput
from handrail.surfaces.console.language.amounts import plain_amount

__all__ = ["SEARCH_FIELDS", "address_of", "kinds_of", "said_of", "search_in"]

_TEXTS: Final = ("find", "kind", "grade", "agent", "at_least", "currency")
SEARCH_FIELDS: Final = (*_TEXTS, "mine")
_YES: Final = "yes"


def search_in(query: Mapping[str, str]) -> Search:
    """What an address asks for. Raises InvalidInput `field_malformed`."""
    mine = query.get("mine", "")
    if mine not in ("", _YES):
        raise InvalidInput("field_malformed", f"`mine` is `{_YES}` or left out, not {quoted(mine)}")
    texts = {name: query.get(name, "").strip() for name in _TEXTS}
    texts["currency"] = texts["currency"].upper()
    texts["at_least"] = plain_amount(texts["at_least"])
    return Search(**texts, mine=mine == _YES)


def address_of(search: Search, **more: str) -> str:
    """The part of an address behind the `?` that asks for the same, and for more."""
    asked = {name: getattr(search, name) for name in _TEXTS if getattr(search, name)}
    if search.mine:
        asked["mine"] = _YES
    return urlencode({**asked, **more})


def said_of(search: Search) -> list[tuple[str, str]]:
    """What is asked for, in words: a name and a value each."""
    amount = " ".join(part for part in (search.at_least, search.currency) if part)
    said = [
        ("", search.find),
        ("kind", search.kind),
        ("grade", search.grade.upper()),
        ("agent", search.agent),
        ("at least" if search.at_least else "in", amount),
        ("", "what you may approve" if search.mine else ""),
    ]
    return [(name, value) for name, value in said if value]


def kinds_of(ctx: Context, desk: str) -> list[tuple[str, str]]:
    """The kinds of the active policy for a list: each with its title, by title."""
    rules = ctx.rulebook(desk).policy.kinds
    return sorted(((name, rule.kind.title) for name, rule in rules.items()), key=lambda one: one[1])
