"""What the docs tests read out of a page: code, code blocks, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Block", "blocks", "broken_links", "code_in", "says"]

FENCE: Final = re.compile(r"^( {0,3}|\t)(`{3,}|~{3,})\s*([^`]*)$")
INLINE: Final = re.compile(r"(`+)(.+?)\1", re.DOTALL)
HEADING: Final = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
LINK: Final = re.compile(
    r"""\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)|"""
    r"""^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)|"""
    r"""(?:src|href)=["']([^"']+)["']""",
    re.MULTILINE,
)
ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One fenced block: what stands behind its fence, its text and its first line's number."""

    info: str
    text: str
    line: int

    @property
    def language(self) -> str:
        """The first word behind the fence."""
        return self.info.split(" ")[0]

    @property
    def runs(self) -> bool:
        """Whether the block is a program to run: `python`, and not `python no-run`."""
        return self.language == "python" and "no-run" not in self.info.split(" ")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order; a fence that is never closed runs to the end."""
    return [block for block, _ in _parts(page) if block is not None]


def code_in(page: str) -> str:
    """Everything on a page that is set as code: inline spans and fenced blocks."""
    found: list[str] = []
    for block, prose in _parts(page):
        found.extend([block.text] if block else [span for _, span in INLINE.findall(prose)])
    return "\n".join(found)


def says(code: str, term: str) -> bool:
    """Whether a term stands in the code as a whole: `run` is not said by `run_and_log`."""
    whole = rf"(?<![\w.-]){re.escape(term)}(?![\w-]|\.\w)"
    return re.search(whole, code) is not None


def broken_links(path: Path, page: str) -> list[str]:
    """The relative links of the page at `path` that lead nowhere, file or heading."""
    return [link for link in _links(page) if not _leads_somewhere(path, page, link)]


def _parts(page: str) -> Iterator[tuple[Block | None, str]]:
    """The page cut into blocks and the prose between them."""
    prose: list[str] = []
    inside: list[str] = []
    opened = None
    first = 0
    for number, line in enumerate(page.splitlines(), start=1):
        fence = FENCE.match(line)
        if opened is None and fence:
            yield None, "\n".join(prose)
            prose, inside, opened, first = [], [], fence, number + 1
        elif opened and fence and fence[2].startswith(opened[2]) and not fence[3].strip():
            yield Block(info=opened[3].strip(), text="\n".join(inside) + "\n", line=first), ""
            opened = None
        elif opened:
            inside.append(line.removeprefix(opened[1]))
        else:
            prose.append(line)
    if opened:
        yield Block(info=opened[3].strip(), text="\n".join(inside) + "\n", line=first), ""
    yield None, "\n".join(prose)


def _prose(page: str) -> str:
    return "\n".join(prose for block, prose in _parts(page) if block is None)


def _links(page: str) -> Iterator[str]:
    for groups in LINK.findall(INLINE.sub("code", _prose(page))):
        link = "".join(groups)
        if not ELSEWHERE.match(link):
            yield link


def _leads_somewhere(path: Path, page: str, link: str) -> bool:
    name, _, anchor = link.partition("#")
    if not name:
        return anchor in _anchors(page)
    target = path.parent / name
    if name.startswith("/") or not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in _anchors(target.read_text())


def _anchors(page: str) -> set[str]:
    """The anchors that a page's headings get where it is shown: lower case, words with dashes."""
    found: set[str] = set()
    for line in _prose(page).splitlines():
        heading = HEADING.match(line)
        if heading:
            words = re.sub(r"[^\w\s-]", "", heading[1].lower()).replace(" ", "-")
            count = 1
            anchor = words
            while anchor in found:
                anchor, count = f"{words}-{count}", count + 1
            found.add(anchor)
    return found
