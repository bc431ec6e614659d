"""The benchmark's own two shops, retail and airline, one fresh view for each conversation.

Runs inside .venv-tau only: it needs the benchmark's library, which it imports by name so that the
rest of the repository can be type-checked without it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.tau.facts import FactsRead, facts_of
from benchmarks.tau.overlay import Overlay, Record
from benchmarks.tau.thread import Thread
from benchmarks.tau.worth import MOVES, customer_of, value_cents

__all__ = ["DOMAINS", "Refused", "Shop", "Visit", "silence"]

DOMAINS: Final = ("retail", "airline")
MAX_EXPRESSION_CHARS: Final = 200
"""Longest sum that `calculate` takes; the shops' own evaluates anything, `9**9**9` included."""

THINK: Final = "think"
"""A tool with no effect that agents of the first edition had; the current shops dropped it."""


class Refused(Exception):
    """The shop's backend refused the call: certain that nothing changed. Carries its reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the library keeps one domain."""

    toolkit: str
    database: str
    path: str
    tables: tuple[str, ...]


_PLACES: Final[Mapping[str, _Place]] = {
    "retail": _Place(
        toolkit="RetailTools",
        database="RetailDB",
        path="RETAIL_DB_PATH",
        tables=("orders", "products", "users"),
    ),
    "airline": _Place(
        toolkit="AirlineTools",
        database="FlightDB",
        path="AIRLINE_DB_PATH",
        tables=("flights", "reservations", "users"),
    ),
}


def silence() -> None:
    """Stop the benchmark's library from logging; call it before the first Shop is made."""
    importlib.import_module("loguru").logger.remove()


class Shop:
    """One domain with its pristine database, which is loaded once and never written to."""

    def __init__(self, domain: str) -> None:
        place = _PLACES[domain]
        tools = importlib.import_module(f"tau2.domains.{domain}.tools")
        models = importlib.import_module(f"tau2.domains.{domain}.data_model")
        paths = importlib.import_module(f"tau2.domains.{domain}.utils")
        self.domain: Final = domain
        self._toolkit: Any = getattr(tools, place.toolkit)
        self._database: Any = getattr(models, place.database)
        self._pristine: Any = self._database.load(getattr(paths, place.path))
        self.tables: Final = place.tables
        self.digest: Final[str] = self.digest_now()
        """Hash of the pristine database as loaded."""

    def digest_now(self) -> str:
        """Hash of the pristine database now: `digest`, unless a tool wrote where it must not."""
        digest: str = self._pristine.get_hash()
        return digest

    def visit(self) -> Visit:
        """A fresh database for one conversation."""
        overlays = {name: Overlay(getattr(self._pristine, name)) for name in self.tables}
        # WHY NOT: validating here would copy all records, which is what the overlays avoid.
        database = self._database.model_construct(**overlays)
        return Visit(overlays=overlays, toolkit=self._toolkit(database))

    def tools(self) -> list[dict[str, Any]]:
        """Every tool: its name, type (`read`, `write`, `generic`), description, argument schema."""
        toolkit = self._toolkit(self._pristine)
        listed: list[dict[str, Any]] = [
            {
                "name": name,
                "type": toolkit.tool_type(name).value,
                "moves_money": name in MOVES,
                "description": tool.openai_schema["function"]["description"],
                "parameters": tool.openai_schema["function"]["parameters"],
            }
            for name, tool in toolkit.get_tools().items()
        ]
        listed.append(_THINK_LISTED)
        return sorted(listed, key=lambda one: str(one["name"]))


_THINK_LISTED: Final[dict[str, Any]] = {
    "name": THINK,
    "type": "generic",
    "moves_money": False,
    "description": "Write down a thought. Nothing happens.",
    "parameters": {
        "type": "object",
        "properties": {"thought": {"type": "string"}},
        "required": ["thought"],
    },
}


class Visit:
    """One conversation's database: what it changes is seen by it alone and gone with it."""

    def __init__(self, *, overlays: Mapping[str, Overlay], toolkit: Any) -> None:
        self._overlays = overlays
        self._tools: Mapping[str, Callable[..., Any]] = toolkit.tools
        self._types = {name: toolkit.tool_type(name).value for name in self._tools}
        self._thread = Thread()

    def __getattr__(self, table: str) -> Overlay:
        try:
            return self._overlays[table]
        except KeyError:
            raise AttributeError(table) from None

    def call(self, tool: str, arguments: Mapping[str, Any]) -> object:
        """Run a tool and return its answer as JSON. Raises Refused with nothing changed.

        The benchmark's own tools may change a record and fail afterwards; here a failed call is
        put back, so that "refused" means what a gateway needs it to mean.
        """
        if tool == THINK:
            return ""
        if tool not in self._tools:
            raise Refused(f"Tool '{tool}' not found.")
        if tool == "calculate":
            _check_expression(arguments.get("expression"))
        for overlay in self._overlays.values():
            overlay.begin()
        try:
            answer = _as_json(self._tools[tool](**arguments))
        except Exception as error:
            self._end(keep=False)
            raise Refused(str(error) or type(error).__name__) from error
        self._end(keep=self._types[tool] == "write")
        return answer

    def _end(self, *, keep: bool) -> None:
        for overlay in self._overlays.values():
            if keep:
                overlay.keep()
            else:
                overlay.drop()

    def peek(self, table: str, key: str) -> object:
        """One record as it is now. LookupError when there is no such table or record."""
        if table not in self._overlays:
            raise LookupError(f"no table `{table}`")
        overlay = self._overlays[table]
        if key not in overlay:
            raise LookupError(f"no record `{key}` in `{table}`")
        return _as_json(overlay.peek(key))

    def changed(self) -> dict[str, list[str]]:
        """Keys of the records that differ from the pristine database, by table."""
        found = {name: overlay.changed() for name, overlay in self._overlays.items()}
        return {name: keys for name, keys in found.items() if keys}

    def value_cents(self, tool: str, arguments: Mapping[str, Any]) -> int | None:
        """See worth.value_cents."""
        return value_cents(self, tool, arguments)

    def hear(self, messages: Sequence[tuple[str, str]]) -> None:
        """Take this for all that customer and desk wrote so far, as role and text."""
        self._thread = Thread(messages)

    def facts(self, tool: str, arguments: Mapping[str, Any]) -> FactsRead:
        """See facts.facts_of."""
        return facts_of(self, tool, arguments, self._thread)

    def customer_of(self, arguments: Mapping[str, Any]) -> str | None:
        """See worth.customer_of."""
        return customer_of(self, arguments)


def _check_expression(expression: object) -> None:
    """Keep a sum from running for hours: the shops' own tool would."""
    if not isinstance(expression, str):
        raise Refused("Invalid expression")
    if len(expression) > MAX_EXPRESSION_CHARS or "**" in expression.replace(" ", ""):
        raise Refused("Expression is too long or has a power in it")


def _as_json(answer: Record) -> object:
    """The answer as plain JSON values. ValueError for what JSON cannot carry, such as NaN."""
    if isinstance(answer, (list, tuple)):
        return [_as_json(one) for one in answer]
    plain = (
        answer.model_dump(mode="json", warnings=False) if hasattr(answer, "model_dump") else answer
    )
    json.dumps(plain, allow_nan=False)
    return plain
