"""Correcting an action, and leaving one to somebody else, on the console; without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from handrail.core.lifecycle import State
from handrail.engine.access.people import Changes, change_principal_unit
from tests.console.scene import Scene


def form_of(client: httpx.Client, id: str) -> dict[str, str]:
    """The hidden fields of an action's forms."""
    page = client.get(f"/actions/{id}").text
    return {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in FIELDS}


FIELDS = ("csrf", "digest")


def corrected(
    scene: Scene, id: str, changes: Mapping[str, str], person: str = "dana"
) -> httpx.Response:
    """A person sends the form of an edit."""
    with scene.client(person) as client:
        fields = {f"p.{name}": text for name, text in changes.items()}
        return client.post(f"/actions/{id}/edit", data=form_of(client, id) | fields)


def state(scene: Scene, id: str) -> State:
    """Where an action stands."""
    return scene.desk.get(id).state


def test_a_correction_leads_to_the_new_action(scene: Scene) -> None:
    """D6: what is not changed stays; the editor is told that another person decides."""
    old = scene.reply("Dear Dana,\n\nit is on its way.\n", note="as asked")
    with scene.client("dana") as client:
        assert "Correct it" in client.get(f"/actions/{old.id}").text
        page = client.get(f"/actions/{old.id}/edit").text
        assert "it is on its way." in page
        fields = {"p.ticket": "T-101", "p.body": "Dear Dana,\r\n\r\nit left on Monday.\r\n"}
        answer = client.post(f"/actions/{old.id}/edit", data=form_of(client, old.id) | fields)
        assert answer.status_code == 303
        new = answer.headers["location"].removeprefix("/actions/")
        page = client.get(f"/actions/{new}").text
        assert "You cannot approve this." in page
        assert f'href="/actions/{old.id}"' in page
        assert f'href="/actions/{new}"' in client.get(f"/actions/{old.id}").text
    assert (state(scene, old.id), state(scene, new)) == (State.SUPERSEDED, State.PENDING)
    shown = scene.desk.show(new, by="dana")
    assert any("it left on Monday." in line.text for line in shown.lines)


def test_a_form_that_was_not_changed_changes_nothing(scene: Scene) -> None:
    """Every field as it was, with a browser's line breaks: refused, and the action still waits."""
    old = scene.reply("Dear Dana,\n\nit is on its way.\n")
    same = {"ticket": "T-101", "body": "Dear Dana,\r\n\r\nit is on its way.\r\n"}
    answer = corrected(scene, old.id, same)
    assert answer.status_code == 409
    assert "Nothing is different" in answer.text
    assert state(scene, old.id) is State.PENDING


# what is typed | status | what the page says
TYPED: list[tuple[dict[str, str], int, str]] = [
    ({"amount": "120.01 USD"}, 403, "never raise it"),
    ({"amount": "lots"}, 422, "Nothing was changed"),
    ({"order": ""}, 422, "Nothing was changed"),
]


@pytest.mark.parametrize(("typed", "status", "said"), TYPED)
def test_what_no_edit_does_is_explained(
    scene: Scene, typed: dict[str, Any], status: int, said: str
) -> None:
    """A11: more money, no money, nothing at all."""
    old = scene.refund()
    answer = corrected(scene, old.id, typed)
    assert next(iter(typed.values())) in answer.text or status == 403
    assert (answer.status_code, said in answer.text) == (status, True), answer.text[:500]
    assert state(scene, old.id) is State.PENDING


def test_a_text_that_hides_something_is_not_edited(scene: Scene) -> None:
    """B1: what cannot be seen is not sent on by somebody who did not see it."""
    old = scene.reply("Dear Dana, \u202egone\u202c is the rest")
    with scene.client("dana") as client:
        page = client.get(f"/actions/{old.id}/edit").text
    assert "\u202e" not in page
    assert "hides characters that cannot be seen" in page
    assert corrected(scene, old.id, {"body": "Dear Dana"}).status_code == 409
    assert state(scene, old.id) is State.PENDING


def test_who_may_not_decide_has_no_form(scene: Scene) -> None:
    """An auditor sees the action and no way to change it; sending the form anyway is refused."""
    old = scene.refund()
    with scene.client("ava") as client:
        page = client.get(f"/actions/{old.id}").text
        assert "Correct it" not in page
        assert client.get(f"/actions/{old.id}/edit").status_code == 403
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": csrf, "digest": old.digest, "p.reason": "late"}
        assert client.post(f"/actions/{old.id}/edit", data=form).status_code == 403
    assert state(scene, old.id) is State.PENDING


def test_a_forged_form_is_refused(scene: Scene) -> None:
    """M1: without the session's token nothing is edited and nothing is left to others."""
    old = scene.refund()
    with scene.client("dana") as client:
        for way in ("edit", "recuse"):
            form = {"csrf": "x", "digest": old.digest, "p.reason": "late"}
            assert client.post(f"/actions/{old.id}/{way}", data=form).status_code == 403
    assert state(scene, old.id) is State.PENDING


def test_who_was_drawn_can_leave_it_to_another(scene: Scene) -> None:
    """D9: the page says whose turn it is, and has one button for who cannot."""
    scene.desk.person("nora", roles=("checker",), limits=("20000.00 USD",))
    held = scene.large_refund("6000.00 USD")
    row = scene.desk.ctx.store.read(lambda tx: tx.proposals.get("main", held.id))
    assert row is not None
    drawn = row.assigned.split(",")
    other = next(name for name in ("sam", "kim", "nora") if name not in drawn)
    with scene.client(other) as client:
        page = client.get(f"/actions/{held.id}").text
        assert "It was given by lot to" in page
        assert "I cannot decide this one" not in page
    with scene.client(drawn[0]) as client:
        page = client.get(f"/actions/{held.id}").text
        assert "I cannot decide this one" in page
        form = {"csrf": form_of(client, held.id)["csrf"]}
        assert client.post(f"/actions/{held.id}/recuse", data=form).status_code == 303
        assert "I cannot decide this one" not in client.get(f"/actions/{held.id}").text
        assert client.post(f"/actions/{held.id}/recuse", data=form).status_code == 403


def test_nobody_can_decide_is_said_in_red(scene: Scene) -> None:
    """D8: with one checker gone, what takes two says so, and waits."""
    held = scene.large_refund("6000.00 USD")
    ctx = scene.desk.ctx
    unit = change_principal_unit(ctx, "main", "kim", Changes(disabled=True), actor="operator")
    ctx.store.write(unit)
    with scene.client("sam") as client:
        page = client.get(f"/actions/{held.id}").text
    assert "Nobody can decide this as things are." in page


def test_correcting_in_a_browser(scene: Scene) -> None:
    """The whole way by hand: open the form, lower the amount, land on the new action."""
    held = scene.refund()
    page = scene.enter("dana", f"/actions/{held.id}", java_script_enabled=False)
    page.get_by_role("link", name="Correct it").click()
    page.get_by_label("Amount").fill("100.00 USD")
    page.get_by_role("button", name="Put this in its place").click()
    expect(page).not_to_have_url(re.compile(held.id))
    page.get_by_role("button", name="Approve: refund 100.00 USD").first.click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert scene.shop.balance("P-5003").refunded_minor == 10_000
