"""Coming with an invitation where no login provider is set up: one chooses a password, once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from handrail.engine.access.identities import INVITATION_MS, invite_unit
from tests.console.scene import Scene

WORDS = "a password of one's own"


def invitation(scene: Scene, person: str = "kim") -> str:
    """A fresh invitation for a new account."""
    ctx = scene.desk.ctx
    if ctx.store.read(lambda tx: tx.people.get(scene.desk.id, person)) is None:
        scene.desk.person(person, name="Kim Berg", roles=("reviewer",))
    return ctx.store.write(invite_unit(ctx, scene.desk.id, person, actor="operator"))


def test_a_password_is_chosen_once(scene: Scene) -> None:
    """From the link to the queue; afterwards the link opens nothing for anybody."""
    link = f"{scene.url}/login/invited?token={invitation(scene)}"
    page = scene.page()
    page.goto(link)
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("The same again").fill("short")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("A password has 8 to")
    page.get_by_label("Password", exact=True).fill(WORDS)
    page.get_by_label("The same again").fill(WORDS + "!")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("The two passwords are not the same")
    page.get_by_label("Password", exact=True).fill(WORDS)
    page.get_by_label("The same again").fill(WORDS)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is set. Log in with it.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("kim")
    page.get_by_label("Password", exact=True).fill(WORDS)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.goto(link)
    page.get_by_label("Password", exact=True).fill("the attacker's own")
    page.get_by_label("The same again").fill("the attacker's own")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("This invitation was used")


@pytest.mark.parametrize("why", ["made up", "run out", "replaced", "another site", "looked at"])
def test_nothing_else_sets_a_password(scene: Scene, why: str) -> None:
    """Nor does opening the link, however often a mail scanner does."""
    token, headers = invitation(scene), {}
    if why == "made up":
        token = "hrv_" + "0" * 48
    elif why == "run out":
        scene.clock.ahead_ms += INVITATION_MS
    elif why == "replaced":
        invitation(scene)
    elif why == "another site":
        headers = {"sec-fetch-site": "cross-site"}
    form = {"token": token, "desk": "", "password": WORDS, "again": WORDS}
    with scene.client() as anybody:
        if why == "looked at":
            assert anybody.get(f"/login/invited?token={token}").status_code == 200
        else:
            answer = anybody.post("/login/invited", data=form, headers=headers)
            assert answer.status_code in (401, 403)
        login = anybody.post("/login", data={"person": "kim", "password": WORDS})
    assert login.status_code == 401
