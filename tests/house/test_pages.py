"""What the docs tests ask of a page can be answered with no: each question fails on its sample."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import typer

from tests.house.markdown import blocks, broken_links
from tests.house.pages import commands, failure, unsaid

PAGE: Final = """# The page
Some `conflict` and a `refund.executed`, but conflict_key only in prose.
```sh
handrail policy check FILE
```
## The page
"""


@pytest.mark.parametrize(
    ("term", "is_said"),
    [
        ("conflict", True),
        ("refund.executed", True),
        ("handrail policy check", True),
        ("conflict_key", False),
        ("refund", False),
        ("executed", False),
        ("handrail policy", True),
        ("handrail policy che", False),
        ("page", False),
    ],
)
def test_term_must_be_set_as_code_and_whole(term: str, is_said: bool) -> None:
    """A word that happens to stand in the prose, or a part of another word, documents nothing."""
    assert unsaid([term], PAGE) == ([] if is_said else [term])


def test_commands_of_a_group_are_found() -> None:
    """Nested commands are found with their group's name, hidden ones are not."""
    outer, inner = typer.Typer(), typer.Typer()
    outer.add_typer(inner, name="policy")
    outer.command("demo")(lambda: None)
    inner.command("check")(lambda: None)
    inner.command("secret", hidden=True)(lambda: None)
    found = sorted(commands(typer.main.get_command(outer), "handrail"))
    assert found == ["handrail demo", "handrail policy check"]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```python\nraise SystemExit(3)\n```\n", ""),
        ("```python\nimport no_such_module\n```\n", "no_such_module"),
        ("```python title=x\nassert 1 == 2\n```\n", "AssertionError"),
        ("```python no-run\nfor x in\n```\n", "invalid syntax"),
    ],
)
def test_bad_block_is_found(tmp_path: Path, page: str, said: str) -> None:
    """A block that fails is found; one that is not to run must still be Python."""
    (block,) = blocks(page)
    found = failure(block, tmp_path)
    assert found is not None
    assert said in found


def test_good_blocks_pass(tmp_path: Path) -> None:
    """A block writes where it likes; one that is not to run may name what is not there."""
    page = "```python\nopen('x', 'w').close()\n```\n\n```python no-run\nimport nothing\n```\n"
    assert [failure(block, tmp_path) for block in blocks(page)] == [None, None]
    assert (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("[a](gone.md)", True),
        ("![a](pictures/gone.png)", True),
        ('<img src="gone.png">', True),
        ("[a]: gone.md", True),
        ("[a](#no-such-heading)", True),
        ("[a](other.md#no-such-heading)", True),
        ("[a](/other.md)", True),
        ("[a](other.md)", False),
        ('[a](other.md "a title")', False),
        ("[a](other.md#another-page)", False),
        ("[a](#the-page-1)", False),
        ("[a](https://example.org/gone)", False),
        ("`[a](gone.md)`", False),
        ("```\n[a](gone.md)\n```", False),
    ],
)
def test_broken_link_is_found(tmp_path: Path, link: str, is_broken: bool) -> None:
    """Links to files and headings are followed; addresses elsewhere and code are not."""
    (tmp_path / "other.md").write_text("# Another page\n")
    found = broken_links(tmp_path / "page.md", f"{PAGE}\n{link}\n")
    assert len(found) == int(is_broken)
