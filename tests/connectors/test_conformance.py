"""Every connector that there is, and fake providers of all three promises, through the kit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from handrail.connectors.protocol import Found, Looked, NotDone, Promise, Receipt
from handrail.connectors.sandbox import Fault, Sandbox
from handrail.core.action import Params
from handrail.core.artifact import Line
from tests.connectors.conformance import CHECKS, Break, Rig
from tests.connectors.fakes import Answer, Shop, ShopRig, Till
from tests.connectors.sandbox_road import EVERY_KIND, parsed
from tests.engine.connectors import effects_in

WRITES = [kind for kind in EVERY_KIND if kind not in ("ticket.read", "kb.search")]
OTHERS: Mapping[str, Mapping[str, object]] = {
    "reply.draft": {"body": "Dear Tom,\nno."},
    "reply.send": {"body": "Dear Tom,\nno."},
    "refund.issue": {"amount": "9.00 USD"},
    "credit.grant": {"amount": "9.00 EUR"},
    "account.update": {"value": "+44 20 5550 0198"},
    "account.cancel": {"reason": "other"},
    "payout.change": {"account": "US00 TEST 0000 5590"},
    "login.change": {"email": "layla.haddad@haddad.test"},
}


class SandboxRig:
    """The kit's rig over one kind of the embedded desk."""

    def __init__(self, desk: Sandbox, kind: str) -> None:
        self.connector = _Once(desk)
        self.desk = desk
        self.kind = kind
        self.params: Params = parsed(kind, EVERY_KIND[kind])
        self.other: Params = parsed(kind, {**EVERY_KIND[kind], **OTHERS[kind]})

    def effects(self) -> int:
        """What was really done on the desk."""
        return effects_in(self.desk)

    def break_next(self, how: Break) -> bool:
        """The embedded desk loses answers, and fails in no other way."""
        faults = {
            Break.TIMED_OUT_NOT_DONE: Fault.BEFORE_EFFECT,
            Break.TIMED_OUT_DONE: Fault.AFTER_EFFECT,
            Break.FAILED_NOT_DONE: Fault.BEFORE_EFFECT,
            Break.FAILED_DONE: Fault.AFTER_EFFECT,
        }
        self.desk.fault = faults.get(how)
        return how in faults


class _Once:
    """The desk, whose fault goes away with the call that it broke."""

    def __init__(self, desk: Sandbox) -> None:
        self.name, self.version, self.desk = desk.name, desk.version, desk
        self.kinds, self.prepare, self.preview = desk.kinds, desk.prepare, desk.preview
        self.lookup, self.undo = desk.lookup, desk.undo

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Break at most once."""
        try:
            return self.desk.execute(kind, request, key, now=now)
        finally:
            self.desk.fault = None


@pytest.fixture(params=[*WRITES, *(promise.value for promise in Promise)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Every write of the embedded desk, and a shop under each promise."""
    if request.param not in WRITES:
        yield ShopRig(Promise(request.param))
        return
    with Sandbox.open(tmp_path / "desk.sqlite3") as desk:
        yield SandboxRig(desk, request.param)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_conforms(rig: Rig, check: Callable[[Rig], None]) -> None:
    """H1, H3, H4, H8: one rule of the kit on one kind of one connector."""
    check(rig)


class _TakesAllForNo(Shop):
    """Says "not done" to every error."""

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        try:
            return super().execute(kind, request, key, now=now)
        except Exception as error:
            raise NotDone("no") from error


class _Retries(Shop):
    """Sends a second time by itself when no answer comes, under another key."""

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        try:
            return super().execute(kind, request, key, now=now)
        except TimeoutError:
            return super().execute(kind, request, key + "/2", now=now)


class _Guesses(Shop):
    """Says that everything it was asked about was done."""

    def lookup(self, kind: str, key: str) -> Found:
        return Found(looked=Looked.DONE, receipt=Receipt(provider_ref="p-1"))


class _Believes(Shop):
    """Takes the provider's old answer for the new request, and does not say what it was."""

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        receipt = super().execute(kind, request, key, now=now)
        return Receipt(provider_ref=receipt.provider_ref)


class _Pays(Shop):
    """Acts while it renders."""

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        self.till.pay(request, "early")
        return super().preview(kind, request)


@pytest.mark.parametrize("bad", [_TakesAllForNo, _Retries, _Guesses, _Believes, _Pays])
def test_the_kit_can_fail(bad: type[Shop]) -> None:
    """Five connectors that are wrong in the usual ways, and each is found."""
    broken = []
    for check in CHECKS:
        rig = ShopRig(Promise.KEYED)
        rig.connector = bad(rig.till)
        try:
            check(rig)
        except (AssertionError, pytest.fail.Exception):
            broken.append(check.__name__)
    assert broken


STATUSES = """
200  done
400  not done
402  not done
404  not done
422  not done
409  no answer
429  no answer
500  no answer
503  no answer
307  no answer
"""


@pytest.mark.parametrize("row", STATUSES.strip().splitlines())
def test_only_what_is_on_the_list_is_definite(row: str) -> None:
    """H4, A10: 409, 5xx, and a redirect to another host are no answer at all; four are a no."""
    status, means = row.split(maxsplit=1)

    class Says(Till):
        def pay(self, body: Mapping[str, object], key: str) -> Answer:
            return Answer(status=int(status), body={**body, "id": "p-1"})

    shop = Shop(Says(Promise.KEYED))
    rig = ShopRig(Promise.KEYED)
    sent = rig.connector.prepare("pay", rig.params, now=0).request
    try:
        shop.execute("pay", sent, "k", now=0)
    except NotDone:
        said = "not done"
    except Exception:
        said = "no answer"
    else:
        said = "done"
    assert said == means
