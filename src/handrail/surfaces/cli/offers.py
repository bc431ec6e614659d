"""Where a draft comes from: a file with tools or an API description, or a live MCP server."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from handrail.core.canonical import quoted
from handrail.errors import HandrailError, InvalidInput, NotFound, SetupFailed, Unavailable

__all__ = ["JSON_BYTES_MAX", "YAML_BYTES_MAX", "listed_by", "read_document"]

JSON_BYTES_MAX: Final = 32 * 1024 * 1024
YAML_BYTES_MAX: Final = 8 * 1024 * 1024
"""YAML takes a hundred times as long to read."""
ANSWER_S_MAX: Final = 30
_PAGES_MAX: Final = 100
_URLS: Final = ("http://", "https://")
_DEPTH_MAX: Final = 200
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_document(file: Path) -> object:
    """The JSON or YAML of a file; in YAML every value is a text, a list or a map.

    Raises NotFound `source_not_found`, and InvalidInput `too_large` and `source_malformed`.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(JSON_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "not a file name").lower()
        said = f"{quoted(str(file))} cannot be read: {why}"
        raise NotFound("source_not_found", said) from None
    if len(raw) > JSON_BYTES_MAX:
        raise InvalidInput("too_large", f"{quoted(str(file))} has more than {JSON_BYTES_MAX} bytes")
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        try:
            return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            # YAML may begin like that too.
            said = str(error)
            if len(raw) > YAML_BYTES_MAX:
                raise _malformed(file, said) from None
            return _yaml(file, raw, otherwise=said)
    return _yaml(file, raw)


def _yaml(file: Path, raw: bytes, otherwise: str = "") -> object:
    if len(raw) > YAML_BYTES_MAX:
        said = f"{quoted(str(file))} has more than the {YAML_BYTES_MAX} bytes that YAML may have"
        raise InvalidInput("too_large", f"{said}; as JSON it may have {JSON_BYTES_MAX}")
    try:
        return _tree(yaml.parse(raw.decode("utf-8-sig"), Loader=_LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _malformed(file, otherwise or " ".join(str(error).split())) from None


def _tree(events: Iterator[Any]) -> object:
    """The first document. Every scalar stays the text it was, nothing is merged, an alias is what
    it stands for and no copy: a small file stays small.

    WHY NOT: `yaml.load`. Its fast form calls itself for each level, and deep nesting ends Python.
    """
    root: list[object] = []
    open_: list[tuple[Any, list[object]]] = [(None, root)]
    anchors: dict[str, object] = {}
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            made: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            if len(open_) > _DEPTH_MAX:
                raise ValueError(f"nested more than {_DEPTH_MAX} levels deep")
            open_[-1][1].append(made)
            open_.append((made, []))
        elif isinstance(event, yaml.CollectionEndEvent):
            made, inside = open_.pop()
            if isinstance(made, list):
                made += inside
            else:
                pairs = zip(inside[::2], inside[1::2], strict=True)
                made.update((key, value) for key, value in pairs if isinstance(key, str))
        elif isinstance(event, yaml.ScalarEvent):
            made = event.value
            open_[-1][1].append(made)
        elif isinstance(event, yaml.AliasEvent):
            open_[-1][1].append(anchors.get(event.anchor or "", ""))
            continue
        elif isinstance(event, yaml.DocumentEndEvent):
            break
        else:
            continue
        name = getattr(event, "anchor", None)
        if name is not None:
            anchors[name] = made
    return root[0] if root else None


def _malformed(file: Path, why: str) -> InvalidInput:
    said = f"{quoted(str(file))} is neither JSON nor YAML: {why.replace(chr(39), '`')[:200]}"
    return InvalidInput("source_malformed", said)


def listed_by(server: str | None) -> object:
    """The tools that a live MCP server lists: a URL (streamable HTTP), or a command (stdio).

    Raises SetupFailed `extra_missing` without the extra `mcp`, InvalidInput `setting_malformed` for
    a command that cannot be split, and Unavailable `source_unreachable`.
    """
    if server is None or not server.strip():
        raise InvalidInput("setting_malformed", "`--mcp` needs a URL or a command")
    try:
        import mcp
    except ImportError:
        said = (
            "`--mcp` asks a live server, which needs the extra `mcp`: `pip install handrail[mcp]`"
        )
        raise SetupFailed("extra_missing", f"{said}; `--tools FILE` works without") from None
    where: Any = server
    if not server.startswith(_URLS):
        try:
            command, *words = shlex.split(server)
        except ValueError as error:
            raise InvalidInput(
                "setting_malformed", f"the command of `--mcp` cannot be split: {error}".lower()
            ) from None
        where = mcp.StdioServerParameters(command=command, args=words, env=dict(os.environ))
    try:
        return asyncio.run(asyncio.wait_for(_listed(mcp, where), ANSWER_S_MAX))
    except HandrailError:
        raise
    except TimeoutError:
        said = f"the MCP server did not answer within {ANSWER_S_MAX} seconds"
        raise Unavailable("source_unreachable", said) from None
    except Exception as error:
        said = f"the MCP server cannot be asked: {_cause(error)}"
        raise Unavailable("source_unreachable", said) from None


async def _listed(mcp: Any, where: Any) -> dict[str, object]:
    tools: list[object] = []
    cursor: str | None = None
    async with mcp.Client(where) as client:
        for _ in range(_PAGES_MAX):
            page = await client.list_tools(cursor=cursor)
            tools += [tool.model_dump(by_alias=True, mode="json") for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                return {"tools": tools}
    raise InvalidInput("too_large", f"the MCP server lists more than {_PAGES_MAX} pages of tools")


def _cause(error: BaseException) -> str:
    """The first real error inside the groups that tasks put around one."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:200]
