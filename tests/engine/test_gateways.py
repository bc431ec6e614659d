"""Several gateway processes on one PostgreSQL: one effect each, whoever dies in between."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from handrail.connectors.sandbox import Sandbox
from handrail.core.lifecycle import State
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.engine.governing.desks import activate_policy
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import plan
from handrail.engine.running.execute import Effect, Ending, perform, settle_unit
from handrail.engine.waiting.dispatch import claim_unit
from handrail.engine.waiting.reread import reread
from handrail.errors import Unavailable
from handrail.store.postgres import PostgresStore
from tests.engine.connectors import Front, effects_in, mortal
from tests.engine.lives import RUN_TO_5, Life, version
from tests.engine.stories import MIDDLE, SECOND, SMALL, Story, pack
from tests.store.databases import PostgresDatabase
from tests.store.gateways import end_lease, set_lease, silence, until_true

GATEWAYS: Final = 3
ORDERS: Final = ("O-5003", "O-5005", "O-5004")
FORBIDDEN: Final = (
    '{up_to: "1000.00", grade: G2, control: approve}',
    '{up_to: "1000.00", grade: G3, control: maker_checker, checkers: 1}',
)
STRICTER: Final = ('up_to: "50.00"', 'up_to: "5.00"')


class Shop:
    """One database, one outside world, and as many gateways as are opened on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = PostgresDatabase(folder).address
        with self.gateway():
            pass

    def gateway(self) -> Gateway:
        """One more gateway, with connections of its own to the database and to the world."""
        return Gateway(self.folder, self.store)


class Gateway(Story):
    """A story on a database and in a world that others change as well."""

    def __init__(self, folder: Path, store: str) -> None:
        self.front = Front(folder / "desk.db")
        super().__init__(folder / "gateway", connectors={"desk": self.front}, store=store)

    def close(self) -> None:
        super().close()
        self.front.close()

    def worked_on(self, id: str) -> State:
        """What an action is after one more sweep, ten seconds later."""
        self.later(10 * SECOND)
        self.desk.work()
        return self.desk.get(id).state

    @property
    def world(self) -> Sandbox:
        """The one outside world."""
        return self.front.desk

    @property
    def pg(self) -> PostgresStore:
        """The store of this gateway."""
        store = self.desk.ctx.store
        assert isinstance(store, PostgresStore)
        return store


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that is set up, with nobody in it."""
    return Shop(tmp_path)


def _process(shop: Shop, live: Callable[[Gateway], object]) -> Callable[[], object]:
    """Start a gateway in a process of its own; what `live` returned, once it is asked for.

    None when the process was killed, or killed itself.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with shop.gateway() as gateway:
                said = json.dumps(live(gateway))
            os.write(writing, said.encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)

    def answer() -> object:
        said = b""
        while more := os.read(reading, 1 << 16):
            said += more
        os.close(reading)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return None
        assert os.WEXITSTATUS(status) == 0
        return json.loads(said)

    return answer


def test_one_key_on_several_gateways(shop: Shop) -> None:
    """E1: proposed everywhere at once under the same keys, each action is made and done once."""

    def live(gateway: Gateway) -> list[str]:
        task = gateway.task()
        ids = []
        for n in range(12):
            # The same content under two keys would be taken for a flood.
            fields = {"order": "O-5003", "amount": f"1.{n:02} USD", "reason": "damaged"}
            ids.append(gateway.desk.propose(task, "refund.issue", fields, key=f"key {n}").id)
        return ids

    answers = [_process(shop, live) for _ in range(GATEWAYS)]
    ids = [answer() for answer in answers]
    assert ids[0] == ids[1] == ids[2]
    with shop.gateway() as gateway:
        assert effects_in(gateway.front.desk) == 12
        assert gateway.refunded() == 1_200 + sum(range(12))
        gateway.check()


@pytest.mark.parametrize("moment", ["before the effect", "after the effect"])
def test_a_killed_gateway_s_attempt_is_taken_up(shop: Shop, moment: str) -> None:
    """I3, H6: another gateway finds it once the lease is over; there is one effect in the end."""

    def live(gateway: Gateway) -> None:
        mortal(gateway.front, moment)
        gateway.refund(SMALL)

    with shop.gateway() as other:
        assert _process(shop, live)() is None
        (row,) = other.desk.ctx.store.read(lambda tx: tx.proposals.latest("main", most=9))
        assert row.state is State.EXECUTING
        assert other.desk.work().lost == 0
        (dead,) = {*other.pg._living()} - {other.pg.fence}
        set_lease(other.pg, dead, -1)
        until_true(lambda: other.desk.work().lost == 1)
        until_true(lambda: other.worked_on(row.id) is State.SUCCEEDED)
        assert effects_in(other.front.desk) == 1
        assert "execution.lost" in [
            logged.entry.tag
            for logged in other.desk.ctx.store.read(lambda tx: tx.log.of_proposal("main", row.id))
        ]
        other.check()


def test_two_sweeps_take_up_what_is_ready_once(shop: Shop) -> None:
    """H5: several gateways sweep over the same approved actions; each runs once."""
    with shop.gateway() as first:
        ctx = first.desk.ctx
        for order in ORDERS:
            action = first.refund("51.00 USD", order)
            opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
            ctx.store.write(review_unit(ctx, "main", action.id, opinion))
        answers = [_process(shop, lambda gateway: gateway.desk.work().ran) for _ in range(GATEWAYS)]
        ran = [answer() for answer in answers]
        assert sum(int(str(count)) for count in ran) >= 1
        while first.desk.work().ran:
            pass
        assert effects_in(first.front.desk) == len(ORDERS)
        assert [first.refunded(order) for order in ORDERS] == [5_100] * len(ORDERS)
        first.check()


def test_a_zombie_neither_sends_nor_settles(shop: Shop) -> None:
    """H6, K2: after its lease is over, what it had claimed is no longer its own."""
    with shop.gateway() as zombie, shop.gateway() as other:
        fields = {"order": "O-5003", "amount": SMALL, "reason": "late"}
        draft = Draft(maker="bot", kind="refund.issue", params=fields)
        ctx = zombie.desk.ctx
        decided = ctx.store.write(plan(ctx, zombie.task(), draft))
        assert decided.job is not None
        old = zombie.pg.fence
        silence(zombie.pg)
        end_lease(zombie.pg)
        effect = perform(ctx, decided.job)
        assert (effect.why, zombie.front.calls) == ("this process was given up", [])
        until_true(lambda: other.pg.is_gone(old))
        # It wakes, and says that it has done it: it is looked up like any other lost attempt.
        done = zombie.front.execute(
            "refund.issue", decided.job.request, decided.job.key, now=ctx.clock()
        )
        settled = ctx.store.write(
            settle_unit(ctx, decided.job, Effect(ending=Ending.DONE, receipt=done))
        )
        assert settled.state is State.UNKNOWN
        assert zombie.pg.fence > old
        until_true(lambda: other.worked_on(settled.id) is State.SUCCEEDED)
        assert effects_in(other.front.desk) == 1
        other.check()


def test_a_policy_activated_elsewhere_binds_here(shop: Shop) -> None:
    """F3, I5: at once where something is claimed, and soon where something is proposed."""
    with shop.gateway() as here, shop.gateway() as there:
        ctx = here.desk.ctx
        waiting = here.refund(MIDDLE)
        opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=waiting.digest)
        ctx.store.write(review_unit(ctx, "main", waiting.id, opinion))
        draft = Draft(
            maker="bot",
            kind="refund.issue",
            params={"order": "O-5003", "amount": SMALL, "reason": "late"},
        )
        planned = plan(ctx, here.task(), draft)
        strict = pack(STRICTER)
        activate_policy(there.desk.ctx, "main", strict, actor="operator")
        with pytest.raises(Unavailable) as refusal:
            ctx.store.write(planned)
        assert refusal.value.code == "policy_moved"
        assert ctx.rulebook("main").policy.digest == strict.digest
        assert here.refund(SMALL).state is State.PENDING
        seen = reread(ctx, "main", waiting.id)
        activate_policy(there.desk.ctx, "main", pack(FORBIDDEN), actor="operator")
        claimed, job = ctx.store.write(claim_unit(ctx, "main", waiting.id, seen))
        assert job is None
        assert claimed.state is State.READY
        here.desk.work()
        assert here.state(waiting) is State.PENDING
        here.check()


def test_a_policy_activated_elsewhere_is_followed_by_the_sweep(shop: Shop) -> None:
    """Without a single write: the sweep reads what is active."""
    with shop.gateway() as here, shop.gateway() as there:
        strict = pack(STRICTER)
        activate_policy(there.desk.ctx, "main", strict, actor="operator")
        here.desk.work()
        assert here.desk.ctx.rulebook("main").policy.digest == strict.digest


def test_a_policy_that_people_activated_elsewhere_is_followed(shop: Shop) -> None:
    """N2: proposed and activated at one gateway, it binds what is proposed at another."""
    with shop.gateway() as here, shop.gateway() as there:
        life = Life(there)
        amendment = life.propose(version(2, RUN_TO_5))
        assert here.refund(SMALL).state is State.SUCCEEDED
        life.activate(amendment)
        assert here.desk.ctx.store.read(lambda tx: tx.amendments.open("main")) == []
        here.desk.work()
        assert here.desk.ctx.rulebook("main").policy.digest == amendment.digest
        assert here.refund(SMALL).state is State.PENDING
        here.check()
