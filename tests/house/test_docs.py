"""Docs are tests: what handrail has is in the docs, and what the docs show works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, State
from handrail.errors import CODES
from handrail.surfaces.cli import app
from tests.house.markdown import blocks, broken_links, code_in
from tests.house.pages import commands, failure, pages, settings, unsaid
from tests.house.repo import ROOT


@pytest.mark.parametrize(
    ("what", "terms"),
    [
        ("error codes", list(CODES)),
        ("commands", list(commands(typer.main.get_command(app), "handrail"))),
        ("states", [state.value for state in State]),
        ("events of the lifecycle", [event.value for event in Event]),
        ("entry tags", [tag.value for tag in Tag]),
        ("settings", settings()),
    ],
)
def test_everything_is_in_the_docs(what: str, terms: list[str]) -> None:
    """Each error code, command, state, event, entry tag and setting is on some page, as code."""
    missing = unsaid(terms, *(page.read_text() for page in pages()))
    assert not missing, f"{what} that no page of the docs sets as code: {', '.join(missing)}"


def test_every_python_block_works(tmp_path: Path) -> None:
    """Each `python` block of the docs runs in an empty folder, on its own."""
    failures = []
    ran = 0
    for page in pages():
        for block in blocks(page.read_text()):
            if block.language == "python":
                folder = tmp_path / str(ran)
                folder.mkdir()
                ran += 1
                said = failure(block, folder)
                if said is not None:
                    failures.append(f"{page.relative_to(ROOT)}:{block.line}:\n{said}")
    assert ran
    assert not failures, "\n" + "\n".join(failures)


def test_every_relative_link_leads_somewhere() -> None:
    """Files and headings that a page links to are there."""
    broken = [
        f"{page.relative_to(ROOT)}: `{link}`"
        for page in [*pages(), *sorted(ROOT.glob("*.md"))]
        for link in broken_links(page, page.read_text())
    ]
    assert not broken, "\n" + "\n".join(broken)


def test_every_make_target_exists() -> None:
    """A page that says `make something` names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = {
        target
        for page in [*pages(), *ROOT.glob("*.md")]
        for target in re.findall(r"(?<![\w-])make ([a-z]+)\b", code_in(page.read_text()))
    }
    assert said
    assert said <= targets
