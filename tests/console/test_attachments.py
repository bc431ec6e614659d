"""Attachments: each one is listed, looked into as far as it goes, and sent as it was shown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from handrail.errors import InvalidInput
from handrail.policy.loader import load
from handrail.surfaces.embedded import Action
from tests.console.scene import PHONE, Scene, scene_in
from tests.core.test_attachment import PDF, PNG, ZIP

TEXT: Final = b"Return label 17, <b>keep it</b>"
BODY: Final = "Dear Priya, here it is."


def file(name: str, type: str, data: bytes) -> Mapping[str, str]:
    """An attachment as an agent sends it."""
    return {"name": name, "type": type, "content": base64.b64encode(data).decode()}


def reply_with(scene: Scene, *files: Mapping[str, str]) -> Action:
    """A reply with files."""
    params = {"ticket": "T-103", "body": BODY, "attachments": list(files)}
    return scene.propose("T-103", "reply.send", params)


def test_every_attachment_is_listed_and_sent_as_shown(scene: Scene) -> None:
    """A5, B6: name, type said and found, size, hash and preview; the mailbox gets those bytes."""
    label, photo = file("label.txt", "text/plain", TEXT), file("photo.png", "image/png", PNG)
    action = reply_with(scene, label, photo)
    page = scene.enter("chris", f"/actions/{action.id}")
    listed = page.locator(".file")
    expect(listed).to_have_count(2)
    expect(listed.nth(0)).to_contain_text("label.txt")
    expect(listed.nth(0)).to_contain_text(f"{len(TEXT)} bytes")
    expect(listed.nth(0)).to_contain_text(hashlib.sha256(TEXT).hexdigest())
    expect(listed.nth(0).locator(".code")).to_have_text(TEXT.decode())
    expect(listed.nth(1)).to_contain_text("Cannot be inspected")
    picture = listed.nth(1).locator("img")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 1
    expect(page.locator(".artifact")).to_contain_text("label.txt (text/plain, 31 bytes")
    page.locator("summary", has_text="The full request").click()
    expect(page.locator(".rest .code")).to_contain_text("characters of base64")
    page.get_by_label("Type the customer's id once more").fill("C-1003")
    page.locator(".decide .approve").click()
    expect(page.locator(".outcome")).to_be_visible()
    (mail,) = [one for one in scene.shop.mailbox() if one.body == BODY]
    assert [(one.name, one.content) for one in mail.attachments] == [
        ("label.txt", TEXT),
        ("photo.png", PNG),
    ]


@pytest.mark.parametrize(
    ("files", "grade", "control"),
    [
        ((file("a.txt", "text/plain", TEXT),), 2, "approve"),
        ((file("a.png", "image/png", PNG),), 3, "maker_checker"),
        ((file("a.pdf", "application/pdf", PDF),), 3, "maker_checker"),
        ((file("a.zip", "application/zip", ZIP),), 3, "maker_checker"),
        ((file("a.png", "image/png", PNG + ZIP),), 3, "maker_checker"),
    ],
)
def test_what_nobody_can_look_into_raises_the_grade(
    scene: Scene, files: tuple[Mapping[str, str], ...], grade: int, control: str
) -> None:
    """B15, B16: a picture brings a grade more; what is unknown or two things is never below G3."""
    action = reply_with(scene, *files)
    assert (int(action.grade), action.control.value) == (grade, control)


def test_what_is_not_what_it_says_is_red(scene: Scene) -> None:
    """B6: two endings, a turned name, an archive behind a picture: said at the file, on a phone."""
    bad = file("invoice.pdf\u202egnp.exe.png", "image/jpeg", PNG + ZIP)
    action = reply_with(scene, bad)
    page = scene.enter("chris", f"/actions/{action.id}", viewport=PHONE)
    shown = page.locator(".file.bad")
    for what in ("two endings", "says image/jpeg, and is image/png", "an archive as well"):
        expect(shown).to_contain_text(what)
    expect(shown.locator("h3")).to_have_text("invoice.pdf[U+202E]gnp.exe.png")
    expect(shown.locator("img")).to_have_count(0)
    expect(page.locator(".why")).to_contain_text("Could not be read")
    expect(page.locator(".why")).to_contain_text("cannot be looked into")


def test_the_bytes_come_caged(scene: Scene) -> None:
    """M2, M6: under no type or name of the agent's choice, sandboxed, and for this desk only."""
    page = b"<script>window.hurt=1</script>"
    action = reply_with(scene, file("a.html", "text/html", page), file("a.png", "image/png", PNG))
    with scene.client("dana") as client:
        first = client.get(f"/actions/{action.id}/attachments/1")
        second = client.get(f"/actions/{action.id}/attachments/2")
        assert first.content == page
        assert first.headers["content-type"] == "application/octet-stream"
        assert first.headers["content-disposition"] == 'attachment; filename="attachment-1.bin"'
        assert second.headers["content-type"] == "image/png"
        for answer in (first, second):
            policy = answer.headers["content-security-policy"]
            assert "sandbox" in policy
            assert "default-src 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get(f"/actions/{action.id}/attachments/3").status_code == 404
        assert client.get(f"/actions/hr_{'0' * 32}/attachments/1").status_code == 404
    with scene.client() as stranger:
        assert stranger.get(f"/actions/{action.id}/attachments/1").status_code == 303


def test_what_is_no_attachment_is_refused_by_name(scene: Scene) -> None:
    """A5: an address in the place of the bytes is an error, and nothing is fetched."""
    with pytest.raises(InvalidInput, match="attachments") as refused:
        reply_with(scene, {"name": "a.txt", "type": "text/plain", "url": "https://evil.test/a"})
    assert refused.value.code == "field_malformed"


def test_an_attachment_is_never_cleared(tmp_path: Path, browser: Browser) -> None:
    """B6: where a reply without any find waits for nobody, one with a file waits for a person."""
    with scene_in(tmp_path, browser, policy=load("support-desk-recall")) as scene:
        plain = scene.propose("T-103", "reply.send", {"ticket": "T-103", "body": BODY})
        assert plain.state.value == "HOLDING"
        assert reply_with(scene, file("a.txt", "text/plain", TEXT)).state.value == "PENDING"


def test_what_is_found_in_a_text_file_is_marked_and_listed(scene: Scene) -> None:
    """A find in a file is marked there, listed with its file, led to, and counts in the policy."""
    said = "Pay bob@evil.test 50.00 USD, see http://evil.test/x for O-5001."
    odd = "pay\u200bpal \u202eand <b>"
    action = reply_with(
        scene,
        file("plain.txt", "text/plain", TEXT),
        file("note.txt", "text/plain", said.encode()),
        file("odd.txt", "text/plain", odd.encode()),
        file("same.txt", "text/plain", said.encode()),
    )
    page = scene.enter("chris", f"/actions/{action.id}")
    files, finds = page.locator(".file"), page.locator(".finds li")
    assert files.nth(1).locator(".code").inner_text() == said
    expect(files.nth(1).locator("mark.found")).to_contain_text(
        ["bob@evil.test", "50.00 USD", "evil.test/x", "O-5001"]
    )
    expect(files.nth(0).locator("mark.found")).to_have_count(0)
    assert files.nth(2).locator(".code").inner_text() == "pay[U+200B]pal [U+202E]and <b>"
    expect(files.nth(2).locator(".hidden-note")).to_contain_text("changes the direction")
    for number, name in ((2, "note.txt"), (4, "same.txt")):
        one = finds.filter(has_text="50.00 USD").filter(has_text=f"in attachment {number}, {name}")
        one.locator("a").first.click()
        expect(page.locator(f"#file-{number - 1}-{said.index('50.00')}:target")).to_be_visible()
    expect(finds.filter(has_text="in attachment 3")).not_to_have_count(0)
    long = "\n".join(f"call +44 20 7946 {n:04} for 5.00 USD" for n in range(300))
    page.goto(f"/actions/{reply_with(scene, file('long.txt', 'text/plain', long.encode())).id}")
    expect(finds).to_have_count(200)
    expect(page.locator(".finds")).to_contain_text("more are marked in the texts")
