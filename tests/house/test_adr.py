"""Decision records keep their form, and every dependency has its line."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.house.locks import bare, wanted
from tests.house.repo import ROOT
from tools.lock import LOCKS

FOLDER: Final = ROOT / "docs" / "adr"
LINES_MAX: Final = 90
HEADINGS: Final = ["Context", "Decision", "Consequences", "What would change our mind"]
NAME: Final = re.compile(r"(\d{4})-[a-z0-9-]+\.md")


def slips(name: str, page: str) -> list[str]:
    """How one record falls short of the form that record 0001 sets."""
    numbered = NAME.fullmatch(name)
    if numbered is None:
        return [f"{name}: not NNNN-title.md"]
    found = []
    if not page.startswith(f"# {numbered[1]}: "):
        found.append(f"{name}: its title does not begin with `# {numbered[1]}: `")
    if not re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: \w", page, re.MULTILINE):
        found.append(f"{name}: no line `Date: YYYY-MM-DD. Status: ...`")
    if re.findall(r"^## (.*)", page, re.MULTILINE) != HEADINGS:
        found.append(f"{name}: its headings are not {', '.join(HEADINGS)}")
    if len(page.splitlines()) > LINES_MAX:
        found.append(f"{name}: more than one page ({LINES_MAX} lines)")
    return found


def test_every_record_keeps_the_form() -> None:
    """Name, title, date, four headings, one page."""
    found = [slip for path in FOLDER.glob("*") for slip in slips(path.name, path.read_text())]
    assert not found, "\n" + "\n".join(found)


def test_numbers_have_no_gap_and_no_repeat() -> None:
    """Records are counted from 0001 on."""
    numbers = sorted(int(path.name[:4]) for path in FOLDER.glob("*.md"))
    assert numbers
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_has_its_line(lock: str) -> None:
    """Record 0002 says of each direct dependency why it is there."""
    page = (FOLDER / "0002-dependencies.md").read_text()
    missing = [line for line in wanted(lock) if f"`{bare(line)}`" not in page]
    assert not missing, f"no line in docs/adr/0002-dependencies.md: {', '.join(missing)}"


GOOD: Final = (
    "# 0007: A title\n\nDate: 2026-11-23. Status: accepted.\n\n"
    "## Context\n## Decision\n## Consequences\n## What would change our mind\n"
)


@pytest.mark.parametrize(
    ("name", "page", "said"),
    [
        ("7-title.md", GOOD, "not NNNN-title.md"),
        ("0007-Title.md", GOOD, "not NNNN-title.md"),
        ("0008-title.md", GOOD, "`# 0008: `"),
        ("0007-title.md", GOOD.replace("Date: ", ""), "no line"),
        ("0007-title.md", GOOD.replace("## Context\n", ""), "headings"),
        ("0007-title.md", GOOD + "## More\n", "headings"),
        ("0007-title.md", GOOD + "\n" * LINES_MAX, "more than one page"),
    ],
)
def test_slip_is_found(name: str, page: str, said: str) -> None:
    """Each part of the form is looked at."""
    (found,) = slips(name, page)
    assert said in found


def test_good_record_passes() -> None:
    """The form itself is fine."""
    assert slips("0007-title.md", GOOD) == []
