"""The grader's page: the advice of `policy.grader`, by a plain form, with a text that loads."""

from __future__ import annotations

import html
import re
from itertools import product
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from handrail.core.grade import Axes, Catchable
from handrail.policy.grader import EXAMPLE_KIND, advise, yaml_of
from handrail.policy.loader import load_text
from tests.console.scene import PHONE, Scene
from tests.console.test_ways_to_work import tab_to

HEAD: Final = 'policy: p\nversion: 1\nlanes: {support: {kinds: "*"}}\n'
FIELD: Final = re.compile(r'<textarea id="yaml"[^>]*>(.*?)</textarea>', re.DOTALL)


def answers(*, axes: tuple[int, int, int], catchable: str, undo: bool, money: bool) -> str:
    """The address with all six questions answered."""
    names = ("reversibility", "blast_radius", "stakes")
    others = {"catchable": catchable, "undo": _said(undo), "money": _said(money)}
    return "/grader?" + urlencode({**dict(zip(names, axes, strict=True)), **others})


def _said(flag: bool) -> str:
    return "yes" if flag else "no"


def test_page_gives_the_same_advice_and_a_text_that_loads(scene: Scene) -> None:
    """Over every grade and answer: the words of `advise`, and YAML that a policy takes as it is."""
    with scene.client("ava") as client:
        for axis, catchable, undo, money in product(
            range(4), Catchable, (True, False), (True, False)
        ):
            axes = (axis, min(axis, 1), 0)
            path = answers(axes=axes, catchable=catchable.value, undo=undo, money=money)
            advice = advise(
                Axes(reversibility=axes[0], blast_radius=axes[1], stakes=axes[2]),
                catchable,
                undo=undo,
                money=money,
            )
            page = client.get(path).text
            for sentence in advice.why:
                assert f"<li>{html.escape(sentence)}</li>" in page
            assert f">{advice.control.value}</span>" in page
            shown = FIELD.search(page)
            assert shown is not None
            text = html.unescape(shown.group(1))
            assert text == yaml_of(advice)
            rule = load_text(HEAD + text, source="page").kinds[EXAMPLE_KIND]
            assert (rule.guard, rule.kind.axes) == (advice.guard, advice.axes)


@pytest.mark.parametrize(
    ("query", "open_questions"),
    [
        ("stakes=2", 5),
        ("reversibility=1&blast_radius=1&stakes=1&catchable=yes&undo=no", 1),
        ("reversibility=4&blast_radius=1&stakes=1&catchable=yes&undo=no&money=no", 1),
        ("reversibility=-1&blast_radius=1.0&stakes=&catchable=YES&undo=1&money=true", 6),
        ("money=" + "x" * 5000, 6),
    ],
)
def test_nothing_is_assumed_for_a_missing_answer(
    scene: Scene, query: str, open_questions: int
) -> None:
    """What is not answered, or not with an answer that there is, is asked again; no grade shows."""
    with scene.client("ava") as client:
        page = client.get(f"/grader?{query}")
    assert page.status_code == 200
    assert page.text.count("Not answered yet") == open_questions
    assert FIELD.search(page.text) is None


def test_grader_needs_a_login(scene: Scene) -> None:
    """Like every page; the answers survive the way over the login."""
    with scene.client() as client:
        answer = client.get("/grader?stakes=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fgrader%3Fstakes%3D1"


def test_grader_without_javascript_on_a_phone(scene: Scene) -> None:
    """Reached from the navigation; six answers and a button lead to the text."""
    page = scene.enter("dana", viewport=PHONE, java_script_enabled=False)
    page.get_by_role("link", name="Rules").click()
    page.get_by_role("link", name="Grader").click()
    for question, answer in (
        ("How hard is it to undo?", "2 undone with effort or loss"),
        ("How far does it reach?", "1 one customer"),
        ("How much can it cost?", "2 money or trust of one customer"),
        ("Can a person realistically catch a mistake in time?", "yes, what they see shows it"),
        ("Can handrail undo it afterwards?", "no"),
        ("Does it move money?", "yes"),
    ):
        page.get_by_role("group", name=question).get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Grade it").click()
    expect(page.locator("#advice")).to_contain_text("Waits for one person to approve it.")
    expect(page.get_by_label("For the policy file")).to_have_value(re.compile("control: approve"))
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()


def test_grader_by_keyboard(scene: Scene) -> None:
    """Space and the arrow keys answer, Enter sends, and the text can be reached and selected."""
    page = scene.enter("dana", "/grader")
    for question in ("reversibility", "blast_radius", "stakes", "catchable", "undo", "money"):
        page.locator(f"input[name={question}]").first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#advice .grade")).to_have_text("G1")
    page.wait_for_load_state()
    tab_to(page, "kinds:")
    page.keyboard.press("Control+a")
    chosen = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
    text = page.get_by_label("For the policy file").input_value()
    assert page.evaluate(chosen) == [0, len(text)]


def test_copy_button_copies(scene: Scene) -> None:
    """With scripts there is a button that puts the text on the clipboard."""
    path = answers(axes=(1, 1, 1), catchable="yes", undo=False, money=False)
    page = scene.enter("dana", path, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_label("For the policy file").input_value()
