"""A desk with two policy owners, and the steps by which they change its policy."""

from __future__ import annotations

from typing import Any, Final

import apsw

from handrail.core.amendment import Amendment
from handrail.core.policy import Policy
from handrail.engine.governing.amendment import (
    activate_amendment,
    approve_plan,
    propose_policy_plan,
    reject_unit,
)
from handrail.engine.governing.desks import follow_desks
from tests.engine.stories import MINUTE, Story, pack

__all__ = ["DELAY_1H", "RUN_TO_5", "RUN_TO_500", "Life", "version", "written"]

RUN_TO_500: Final = ('up_to: "50.00", grade', 'up_to: "500.00", grade')
RUN_TO_5: Final = ('up_to: "50.00", grade', 'up_to: "5.00", grade')
DELAY_1H: Final = ("  task: 8h", "  task: 8h\n  loosening: 1h")


def version(number: int, *changes: tuple[str, str]) -> Policy:
    """The pack under a version, with changes."""
    return pack(("version: 1", f"version: {number}"), *changes)


class Life:
    """A story with two policy owners, `pat` and `quin`, and the steps of an amendment."""

    def __init__(self, story: Story) -> None:
        self.story = story
        for name in ("pat", "quin"):
            story.desk.person(name, roles=("policy_owner",))
        story.later(MINUTE)

    @property
    def ctx(self) -> Any:
        """The context of the open desk."""
        return self.story.desk.ctx

    def propose(self, policy: Policy, *, by: str = "pat", reason: str = "too slow") -> Amendment:
        """Propose it."""
        unit = propose_policy_plan(self.ctx, "main", policy, by=by, reason=reason)
        done: Amendment = self.ctx.store.write(unit)
        return done

    def approve(self, amendment: Amendment, *, by: str = "quin") -> Amendment:
        """Approve it."""
        done: Amendment = self.ctx.store.write(approve_plan(self.ctx, "main", amendment.id, by=by))
        return done

    def reject(self, amendment: Amendment, *, by: str = "quin") -> Amendment:
        """Reject it."""
        done: Amendment = self.ctx.store.write(reject_unit("main", amendment.id, by=by))
        return done

    def activate(self, amendment: Amendment, *, by: str = "pat") -> Amendment:
        """Activate it."""
        unit = activate_amendment(self.ctx, "main", amendment.id, by=by)
        done: Amendment = self.ctx.store.write(unit)
        follow_desks(self.ctx)
        return done

    def active(self) -> Policy:
        """What is decided by now."""
        policy: Policy = self.ctx.rulebook("main").policy
        return policy

    def tags(self) -> list[str]:
        """What the log says of policies, in order."""
        entries = self.ctx.store.read(lambda tx: tx.log.latest("main", before=10**6, most=999))
        tags = [one.entry.tag for one in reversed(entries)]
        return [tag for tag in tags if tag.startswith("policy.")]


def written(life: Life, changes: str) -> None:
    """Write into the closed desk's proposals of policies, past handrail."""
    db = apsw.Connection(str(life.story.folder / "handrail.db"))
    db.execute(f"UPDATE amendment SET {changes}")
    db.close()
