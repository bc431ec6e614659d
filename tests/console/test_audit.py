"""The auditor's pages: two questions, whole lives checked against the log, and proofs to take."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from pathlib import Path

from playwright.sync_api import expect

from handrail.prove.bundle_check import check_bundle
from tests.console.scene import Scene
from tests.console.test_http import csrf_in

HOUR_MS = 3_600_000


def approved_refund(scene: Scene) -> str:
    """A refund of 120.00 USD that Dana approved with a reason."""
    action = scene.refund()
    return scene.approved(action, by="dana", reason="I called").id


def test_what_was_that_customer_told(scene: Scene) -> None:
    """Every text to them, in order, literally, sent or not, with who allowed it and when."""
    sent = scene.reply("Hello,\n\nyour   parcel is\u200b late.")
    scene.approved(sent, by="kim")
    held = scene.reply("We are sorry, <b>really</b>.")
    scene.desk.review(held.id, "reject", by="sam", digest=held.digest, reason="too much")
    other = scene.reply("To somebody else.", ticket="T-103")
    assert other.state.value == "PENDING"
    page = scene.enter("ava", "/audit")
    page.get_by_label("Customer's id").fill("C-1001")
    page.get_by_role("button", name="Show what was said").click()
    items = page.locator(".said > li")
    expect(items).to_have_count(2)
    first, second = items.nth(0), items.nth(1)
    assert first.locator("div.letter").inner_text() == "Hello,\n\nyour   parcel is[U+200B] late."
    expect(first).to_contain_text("was approved by Kim Osei (reviewer, checker) on")
    expect(first).to_contain_text("not signed with a passkey, under the policy support-desk")
    expect(first.locator("p").first).to_contain_text("Sent")
    expect(second).to_contain_text("<b>really</b>")
    expect(second).to_contain_text("Not sent.")
    expect(second).to_contain_text("was rejected by Sam Novak")
    page.goto("/audit?customer=C-9999")
    expect(page.locator("main")).to_contain_text("Nothing is stored about a customer of that id")


def test_texts_come_in_pages(scene: Scene) -> None:
    """Twenty at a time, oldest first, to the last one."""
    for n in range(23):
        scene.reply(f"Text number {n}.")
    with scene.client("ava") as client:
        first = client.get("/audit?customer=C-1001").text
        assert [f"Text number {n}." in first for n in (0, 19, 20)] == [True, True, False]
        following = first.split("after=")[1].split('"')[0]
        second = client.get(f"/audit?customer=C-1001&after={following}").text
        assert [f"Text number {n}." in second for n in (19, 20, 22)] == [False, True, True]
        assert "after=" not in second
        assert client.get("/audit?customer=C-1001&after=x'--").status_code == 422


def test_who_approved_this_payout(scene: Scene) -> None:
    """By its id, the provider's reference, the ticket or the customer; one sentence each."""
    id = approved_refund(scene)
    row = scene.desk.show(id, by="ava").card.proposal
    alone = scene.small_refund()
    page = scene.enter("ava", "/audit")
    for what, amount in (
        (id, ""),
        (row.provider_ref, ""),
        ("T-103", "120.00 USD"),
        ("C-1003", "120.00 USD"),
        ("C-1003", ""),
    ):
        page.goto("/audit")
        page.get_by_label("Action, provider's reference, ticket or customer").fill(str(what))
        page.get_by_label("Amount, if you know it").fill(amount)
        page.get_by_role("button", name="Show who approved it").click()
        answer = page.locator(".said > li")
        expect(answer).to_have_count(1)
        expect(answer).to_contain_text(f"Refund of 120.00 USD ({id}) was approved by Dana Reyes")
        expect(answer).to_contain_text(f"the provider calls it {row.provider_ref}.")
    page.goto(f"/audit?what={alone.id}")
    expect(page.locator(".said")).to_contain_text("Nobody approved Refund of 18.50 USD")
    expect(page.locator(".said")).to_contain_text("lets it run without asking")
    page.goto("/audit?what=T-103&amount=119.00+USD")
    expect(page.locator("main")).to_contain_text("No action is known by T-103 over 119.00 USD")
    page.goto("/audit?what=T-103&amount=lots")
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_checker_s_view_is_kept_back(scene: Scene) -> None:
    """D9: while two check apart, neither question nor life nor proof tells what one has said."""
    action = scene.large_refund("5100.00 USD")
    scene.desk.review(action.id, "approve", by="sam", digest=action.digest, reason="fine by me")
    for person in ("ava", "kim"):
        with scene.client(person) as client:
            for path in (f"/audit?what={action.id}", f"/audit/actions/{action.id}"):
                text = client.get(path).text
                assert "Sam Novak" not in text, path
                assert "fine by me" not in text, path
                assert "not shown before" in text, path
    with scene.client("ava") as client:
        csrf = csrf_in(client.get("/sessions").text)
        answer = client.post(f"/audit/actions/{action.id}/proof", data={"csrf": csrf})
        assert (answer.status_code, "proof_waits" in answer.text) == (409, True)
    with scene.client("sam") as client:
        assert "Sam Novak (reviewer, checker)" in client.get(f"/audit?what={action.id}").text


def test_a_whole_life_on_one_page(scene: Scene) -> None:
    """Proposed, facts, reasons with policy and line, shown, reviewed, done, undone, the log."""
    action = scene.propose("T-102", "reply.draft", {"ticket": "T-102", "body": "hello"})
    undo = scene.desk.undo(action.id, by="dana")
    page = scene.enter("ava", f"/audit/actions/{action.id}")
    expect(page.locator("main")).to_contain_text("It was undone by")
    expect(page.get_by_role("link", name="another action")).to_have_attribute(
        "href", f"/audit/actions/{undo.id}"
    )
    id = approved_refund(scene)
    scene.desk.checkpoint()
    page.goto(f"/audit/actions/{id}")
    main = page.locator("main")
    expect(page.get_by_role("status")).to_contain_text("Everything here matches the log")
    expect(page.get_by_role("status")).to_contain_text("4 entries, of which 4 are under")
    for part in (
        "The amount is above 50.00 USD and up to 1000.00 USD.",
        "- {up_to: 1000.00, grade: G2, control: approve}",
        "support-desk, version 1 of this desk",
        "Shown and answered: statement",
        "Dana Reyes (reviewer) approved",
        "I called",
        "card ending 0005 of Priya Raman",
        "by 1 attempt",
        "execution.intended",
    ):
        expect(main).to_contain_text(part)
    number = int(main.inner_text().split("Line ")[1].split(":")[0])
    page.goto("/policy/versions/1")
    page.locator("main details").last.locator("summary").click()
    source = page.locator("pre.source").inner_text().split("\n")
    assert source[number - 1].strip() == "- {up_to: 1000.00, grade: G2, control: approve}"


def test_who_reads_no_policy_sees_no_line(scene: Scene) -> None:
    """A reviewer sees the reasons and the version, not the rule's text."""
    id = approved_refund(scene)
    with scene.client("dana") as client:
        text = client.get(f"/audit/actions/{id}").text
    assert "version 1 of this desk" in text
    assert "up_to: 1000.00" not in text
    assert "Download the proof" not in text


def test_to_whom_it_was_shown(scene: Scene) -> None:
    """D10: when whom first, for auditors and in the proof, and for nobody while it waits."""
    action = scene.large_refund("5100.00 USD")
    life = f"/audit/actions/{action.id}"
    for person in ("sam", "kim"):
        for who in ("ava", "kim", "sam"):
            with scene.client(who) as client:
                assert "First shown" not in client.get(life).text, who
        with scene.client(person) as client:
            assert client.get(f"/actions/{action.id}").status_code == 200
        scene.desk.review(action.id, "approve", by=person, digest=action.digest, reason="fine")
    page = scene.enter("ava", life)
    shown = page.locator("li", has_text="First shown to")
    expect(shown).to_have_count(2)
    expect(shown.nth(0)).to_contain_text("First shown to Sam Novak")
    expect(shown.nth(1)).to_contain_text("First shown to Kim Osei")
    with scene.client("kim") as client:
        text = client.get(life).text
        assert "Sam Novak" in text
        assert "First shown" not in text
    with scene.client("ava") as client:
        csrf = csrf_in(client.get("/sessions").text)
        proof = client.post(f"{life}/proof", data={"csrf": csrf}).content
    with zipfile.ZipFile(io.BytesIO(proof)) as archive:
        (told,) = archive.read("actions.jsonl").splitlines()
    kept = json.loads(told)["shown"]
    assert [one["person"] for one in kept] == ["sam", "kim"]
    assert [set(one) for one in kept] == [{"person", "statement", "at"}] * 2
    signer = scene.desk.ctx.signer
    assert check_bundle(proof, signer.verifier, signer.verify).wrong == ()


def test_what_was_changed_is_said_in_red(scene: Scene, tmp_path: Path) -> None:
    """J11: an amount edited in the database stands on the page, in red, with the entry's index."""
    id = approved_refund(scene)
    page = scene.enter("ava", f"/audit/actions/{id}")
    expect(page.get_by_role("alert")).to_have_count(0)
    change(tmp_path, f"UPDATE proposal SET value_minor = 900000 WHERE id = '{id}'")
    page.reload()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This does not match the log")
    expect(alert).to_contain_text("The row of an action was changed outside the log, see entry")
    expect(page.locator("main")).not_to_contain_text("Everything here matches")
    ref = scene.desk.ctx.store.read(lambda tx: tx.proposals.look("main", id))
    assert ref is not None
    page.goto(f"/audit/customers/{ref.subject}")
    expect(page.get_by_role("alert").first).to_contain_text("1 action does not match the log")


def change(folder: Path, sql: str) -> None:
    """Change a row as somebody does who has the database and no respect for its triggers."""
    place = folder / "desk" / "handrail.db"
    database = sqlite3.connect(place, isolation_level=None, timeout=30)
    names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        database.execute(f'DROP TRIGGER "{name}"')
    assert database.execute(sql).rowcount
    database.close()


def test_the_proof_is_downloaded(scene: Scene) -> None:
    """J11: by one button, without a script; it holds by the key; the log says who took it."""
    id = approved_refund(scene)
    ref = scene.desk.show(id, by="ava").card.proposal.subject
    signer = scene.desk.ctx.signer
    page = scene.enter("ava", f"/audit/actions/{id}", java_script_enabled=False)
    for path, name in (
        (f"/audit/actions/{id}", f"proof-{id}.zip"),
        (f"/audit/customers/{ref}", f"proof-{ref}.zip"),
    ):
        page.goto(path)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download the proof").click()
        assert waiting.value.suggested_filename == name
        data = Path(waiting.value.path()).read_bytes()
        assert check_bundle(data, signer.verifier, signer.verify).wrong == ()
    page.goto("/log?person=ava")
    expect(page.locator("table.log")).to_contain_text("Records exported as a proof")
    page.goto(f"/log/{id}")
    expect(page.locator('table.log [title="refund.issue"]')).to_have_text("Refund")
    with scene.client("ava") as client:
        answer = client.post(f"/audit/actions/{id}/proof", data={"csrf": "no"})
        assert answer.status_code == 403


def test_an_erased_customer(scene: Scene) -> None:
    """Found by the reference that the log has; everything but the content is there, and says so."""
    sent = scene.reply("Private words.")
    scene.approved(sent, by="dana", reason="secret reason")
    ref = scene.desk.show(sent.id, by="ava").card.proposal.subject
    assert scene.desk.erase("C-1001")
    with scene.client("ava") as client:
        for path in (
            f"/audit?customer={ref}",
            f"/audit/actions/{sent.id}",
            f"/audit/customers/{ref}",
        ):
            text = client.get(path).text
            assert "erased" in text, path
            assert "Dana Reyes" in text, path
            assert "Private words" not in text, path
            assert "secret reason" not in text, path
            assert "does not match" not in text, path
        assert client.get("/audit/customers/sub_0").status_code == 422
        assert client.get("/audit/actions/hr_0").status_code == 404


def test_what_ran_alone_of_one(scene: Scene) -> None:
    """The stream by kind, agent and customer; the filter stays on the next page."""
    scene.small_refund()
    drafts = [
        scene.propose("T-102", "reply.draft", {"ticket": "T-102", "body": f"draft {n}"})
        for n in range(51)
    ]
    page = scene.enter("dana", "/ran")
    page.get_by_label("Kind").select_option("reply.draft")
    page.get_by_label("Agent").select_option("scout")
    page.get_by_label("Customer").fill("C-1002")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".row")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row a").first).to_have_attribute("href", f"/actions/{drafts[0].id}")
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator(".row")).to_have_count(50)
    page.goto("/ran?customer=C-1001")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_contain_text("Refund")
    page.goto("/ran?customer=nobody")
    expect(page.locator("main")).to_contain_text("Nothing like that ran alone")


def test_why_there_is_no_undo(scene: Scene) -> None:
    """The reason stands beside each: the window, an undo that was made, a role."""
    scene.small_refund()
    undone = scene.propose("T-102", "reply.draft", {"ticket": "T-102", "body": "x"})
    scene.desk.undo(undone.id, by="dana")
    page = scene.enter("ava", "/ran")
    expect(page.locator(".undo").nth(0)).to_contain_text("Undone already")
    expect(page.locator(".undo").nth(1)).to_contain_text("Can be undone for 23 h 59 min")
    expect(page.locator(".notice")).to_contain_text("your role does not undo actions")
    scene.clock.ahead_ms += 25 * HOUR_MS
    late = scene.enter("dana", "/ran")
    expect(late.locator(".undo").nth(1)).to_contain_text("a colleague must approve")
