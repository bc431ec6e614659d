"""One table of a shop as one conversation sees it: copied when touched, shared when not.

A fresh copy of the airline database takes a fifth of a second; a conversation touches a handful
of its records. So every conversation reads the one pristine table through an `Overlay`, which
hands out copies and keeps those that a call changed.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any, TypeAlias

__all__ = ["Overlay", "Record"]

# A record of the benchmark's database: a pydantic model of a library that only .venv-tau has.
Record: TypeAlias = Any


class Overlay(MutableMapping[str, Record]):
    """A table that can be changed and put back, over a pristine one that never changes.

    `begin` opens a call, `keep` makes its changes part of the conversation, `drop` undoes them. A
    record is copied when it is asked for by key, so a caller may change what it gets; a record seen
    while iterating over `values()` or `items()` may be shared and must only be read.
    """

    def __init__(self, pristine: Mapping[str, Record]) -> None:
        self._pristine = pristine
        self._kept: dict[str, Record] = {}
        self._open: dict[str, Record] = {}

    def begin(self) -> None:
        """Start a call with nothing touched."""
        self._open = {}

    def keep(self) -> None:
        """Make what the call changed part of the conversation; what it only read is let go."""
        for key, record in self._open.items():
            before = self._kept.get(key, self._pristine.get(key))
            if record != before:
                self._kept[key] = record
        self._open = {}

    def drop(self) -> None:
        """Forget everything that the call touched."""
        self._open = {}

    def changed(self) -> list[str]:
        """Keys of the records that this conversation changed or added, sorted."""
        kept = self._kept.items()
        return sorted(key for key, record in kept if record != self._pristine.get(key))

    def peek(self, key: str) -> Record:
        """The record as it is now, without a copy: only to be read. KeyError when there is none."""
        return self._open[key] if key in self._open else self._seen(key)

    def first(self, key: str) -> Record:
        """The record as it was when the conversation began, or as it is if it is newer.

        Only to be read. KeyError when there is none.
        """
        return self._pristine[key] if key in self._pristine else self._seen(key)

    def _seen(self, key: str) -> Record:
        return self._kept[key] if key in self._kept else self._pristine[key]

    def _now(self) -> dict[str, Record]:
        return {**self._pristine, **self._kept, **self._open}

    def __getitem__(self, key: str) -> Record:
        if key not in self._open:
            # INVARIANT: nobody outside ever holds a record of the pristine table to write to.
            self._open[key] = self._seen(key).model_copy(deep=True)
        return self._open[key]

    def __setitem__(self, key: str, record: Record) -> None:
        self._open[key] = record

    def __delitem__(self, key: str) -> None:
        # WHY NOT: no tool of either shop deletes a record, so a tombstone would be dead code.
        raise TypeError("records of a shop are never deleted")

    def __contains__(self, key: object) -> bool:
        return key in self._pristine or key in self._kept or key in self._open

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def values(self) -> ValuesView[Record]:
        """The records as they are now, shared and only to be read."""
        return self._now().values()

    def items(self) -> ItemsView[str, Record]:
        """Keys and records as they are now, shared and only to be read."""
        return self._now().items()
