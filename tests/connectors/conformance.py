"""The conformance kit: what every connector must do under every fault, whatever it promises.

A rig is one kind of one connector, with a way to break it and a way to count what really happened.
A new connector passes the kit by writing a rig; each check names the rule that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

import pytest

from handrail.connectors.protocol import (
    Capability,
    Connector,
    Looked,
    NotDone,
    Prepared,
    Promise,
    Receipt,
)
from handrail.core.action import Params
from handrail.core.canonical import canonical, check_plain
from handrail.engine.running.execute import well_formed

__all__ = ["CHECKS", "Break", "Rig"]

NOW = 1_790_000_000_000


class Break(Enum):
    """How the next write goes wrong at the provider. Each is one side of a fault pair."""

    FAILED_NOT_DONE = "an error, and nothing happened"
    FAILED_DONE = "an error, and it happened"
    TIMED_OUT_NOT_DONE = "no answer, and nothing happened"
    TIMED_OUT_DONE = "no answer, and it happened"
    WRONG_BODY = "an answer about something else"
    SAYS_NO = "a definite no"


class Rig(Protocol):
    """One kind of one connector on a fresh provider."""

    @property
    def connector(self) -> Connector:
        """What is tested."""
        ...

    kind: str
    params: Params
    other: Params

    def effects(self) -> int:
        """How often it really happened at the provider."""
        ...

    def break_next(self, how: Break) -> bool:
        """Let the next write fail that way; False when this provider cannot fail so."""
        ...


def _promise(rig: Rig) -> Capability:
    return rig.connector.kinds()[rig.kind]


def _prepared(rig: Rig, params: Params | None = None) -> Prepared:
    return rig.connector.prepare(rig.kind, params or rig.params, now=NOW)


def _execute(rig: Rig, key: str, request: dict[str, object] | None = None) -> Receipt:
    sent = _prepared(rig).request if request is None else request
    return rig.connector.execute(rig.kind, sent, key, now=NOW)


def _error_of(rig: Rig, key: str, sent: dict[str, object]) -> Exception:
    """What it raises, which it must."""
    try:
        _execute(rig, key, sent)
    except Exception as error:
        return error
    raise AssertionError("it says that it was done, and the provider had said no such thing")


def _looked(rig: Rig, key: str) -> Looked:
    return rig.connector.lookup(rig.kind, key).looked


def preparing_is_reading(rig: Rig) -> None:
    """A7: prepared twice it is the same complete request; it and its rendering act on nothing."""
    first, second = _prepared(rig), _prepared(rig)
    assert canonical(first.request) == canonical(second.request)
    assert first.facts == second.facts
    check_plain(first.request)
    shown = rig.connector.preview(rig.kind, first.request)
    assert list(shown) == list(rig.connector.preview(rig.kind, first.request))
    assert shown
    assert rig.effects() == 0
    assert _looked(rig, "never sent") is not Looked.DONE


def it_is_done_once(rig: Rig) -> None:
    """H1: done, it says so, with a receipt that can be kept, and a look-up says the same."""
    receipt = _execute(rig, "k-1")
    assert well_formed(receipt)
    assert rig.effects() == 1
    if _promise(rig).promise is Promise.BLIND:
        assert _looked(rig, "k-1") is Looked.CANNOT_TELL
        return
    found = rig.connector.lookup(rig.kind, "k-1")
    assert found.looked is Looked.DONE
    assert found.receipt is not None
    assert found.receipt.provider_ref == receipt.provider_ref


def the_same_key_is_the_same_effect(rig: Rig) -> None:
    """H4: sent twice under one key, who promises to know the key does it once."""
    sent = _prepared(rig).request
    first = _execute(rig, "k-1", sent)
    if _promise(rig).promise is not Promise.KEYED:
        return
    second = _execute(rig, "k-1", sent)
    assert (second.provider_ref, rig.effects()) == (first.provider_ref, 1)


def a_key_with_another_body_does_nothing(rig: Rig) -> None:
    """H3: a known key with another request is no success: an error, or a receipt that shows it."""
    if _promise(rig).promise is not Promise.KEYED:
        return
    _execute(rig, "k-1")
    other = _prepared(rig, rig.other).request
    try:
        receipt = _execute(rig, "k-1", other)
    except Exception:
        assert rig.effects() == 1
        return
    assert receipt.did is not None, "the provider's old answer passes for the new request"
    assert any(name in other and other[name] != said for name, said in receipt.did.items())
    assert rig.effects() == 1


def _no_answer(rig: Rig, how: Break, effects: int) -> None:
    if not rig.break_next(how):
        return
    error = _error_of(rig, "k-1", _prepared(rig).request)
    assert not isinstance(error, NotDone), "an error that is not certain is no definite one"
    assert rig.effects() == effects
    said = _looked(rig, "k-1")
    if _promise(rig).promise is Promise.BLIND:
        assert said is Looked.CANNOT_TELL
    else:
        assert said is (Looked.DONE if effects else Looked.NOT_DONE)


def failed_and_not_done(rig: Rig) -> None:
    """H4: an error that left nothing behind is unknown, until a look-up says that it is not."""
    _no_answer(rig, Break.FAILED_NOT_DONE, 0)


def failed_and_done(rig: Rig) -> None:
    """H4: an error after it happened is unknown; a look-up finds it."""
    _no_answer(rig, Break.FAILED_DONE, 1)


def timed_out_and_not_done(rig: Rig) -> None:
    """H1: no answer and nothing happened: unknown."""
    _no_answer(rig, Break.TIMED_OUT_NOT_DONE, 0)


def timed_out_and_done(rig: Rig) -> None:
    """H1: no answer and it happened: unknown."""
    _no_answer(rig, Break.TIMED_OUT_DONE, 1)


def a_definite_no_did_nothing(rig: Rig) -> None:
    """H4: NotDone is said only of what certainly did not happen."""
    if not rig.break_next(Break.SAYS_NO):
        return
    with pytest.raises(NotDone):
        _execute(rig, "k-1")
    assert rig.effects() == 0
    assert _looked(rig, "k-1") is not Looked.DONE


def an_answer_about_something_else_shows(rig: Rig) -> None:
    """H3: what the provider says it did comes back, so that it can be compared."""
    if not rig.break_next(Break.WRONG_BODY):
        return
    receipt = _execute(rig, "k-1")
    sent = _prepared(rig).request
    assert receipt.did is not None
    assert any(name in sent and sent[name] != said for name, said in receipt.did.items())


def _ends_well(rig: Rig, how: Break) -> None:
    if _promise(rig).promise is Promise.BLIND or not rig.break_next(how):
        return
    sent = _prepared(rig).request
    _error_of(rig, "k-1", sent)
    if _looked(rig, "k-1") is Looked.NOT_DONE:
        _execute(rig, "k-1", sent)
    assert _looked(rig, "k-1") is Looked.DONE
    assert rig.effects() == 1


def an_error_then_a_success(rig: Rig) -> None:
    """H4: 500 then 200, for who can be asked or knows the key: one effect."""
    _ends_well(rig, Break.FAILED_NOT_DONE)


def a_success_behind_an_error(rig: Rig) -> None:
    """H4: done behind a 500: found, and not sent again."""
    _ends_well(rig, Break.FAILED_DONE)


CHECKS: tuple[Callable[[Rig], None], ...] = (
    preparing_is_reading,
    it_is_done_once,
    the_same_key_is_the_same_effect,
    a_key_with_another_body_does_nothing,
    failed_and_not_done,
    failed_and_done,
    timed_out_and_not_done,
    timed_out_and_done,
    a_definite_no_did_nothing,
    an_answer_about_something_else_shows,
    an_error_then_a_success,
    a_success_behind_an_error,
)
