"""What the tests of the policy room share: a policy's text, and the steps of the editor."""

from __future__ import annotations

from typing import Final

import msgspec
from playwright.sync_api import Page

from handrail.core.amendment import Amendment
from handrail.core.policy import Policy
from handrail.engine.governing.amendment import propose_policy_plan
from handrail.policy.loader import load_text
from handrail.policy.written import written
from tests.console.scene import Scene

__all__ = ["DAY", "LOOSER", "TIGHTER", "amended", "check", "propose", "text_of"]

DAY: Final = 86_400_000
LOOSER: Final = ("up_to: 50.00", "up_to: 80.00")
TIGHTER: Final = ("up_to: 50.00", "up_to: 5.00")


def text_of(scene: Scene, *changes: tuple[str, str], version: int = 2) -> str:
    """The active policy as a text, under another version and with changes."""
    active: Policy = scene.desk.ctx.rulebook(scene.desk.id).policy
    text = written(msgspec.structs.replace(active, version=version))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def amended(
    scene: Scene, *changes: tuple[str, str], by: str = "pat", version: int = 2
) -> Amendment:
    """A proposed policy."""
    policy = load_text(text_of(scene, *changes, version=version), source="test")
    ctx, reason = scene.desk.ctx, "small refunds wait too long"
    done: Amendment = ctx.store.write(
        propose_policy_plan(ctx, scene.desk.id, policy, by=by, reason=reason)
    )
    return done


def check(page: Page, *changes: tuple[str, str]) -> None:
    """Change the text in the editor, and check it."""
    page.goto("/policy/edit")
    field = page.get_by_label("The policy, as YAML")
    text = field.input_value()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    field.fill(text)
    page.get_by_role("button", name="Check it").click()


def propose(page: Page, button: str, reason: str = "small refunds wait too long") -> None:
    """Say why, and press the button."""
    page.get_by_label("Why should the policy change?").fill(reason)
    page.get_by_role("button", name=button).click()
