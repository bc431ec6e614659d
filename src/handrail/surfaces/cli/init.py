"""The command with which one begins: it makes a desk, or drafts a policy for one."""

from __future__ import annotations

import os
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final

import typer

from handrail.bootstrap import DEFAULT_DESK, DEFAULT_POLICY, holds_desk
from handrail.bootstrap import open as open_desk
from handrail.core.canonical import quoted
from handrail.errors import Conflict, InvalidInput
from handrail.policy.draft import Drafted, operations_of, tools_of, write_policy
from handrail.policy.draft.offered import Offered, is_slug
from handrail.surfaces.cli.offers import listed_by, read_document
from handrail.surfaces.cli.options import DeskName, KeyFolder, StoreAddress

__all__ = ["init"]

_RENAMED_SHOWN_MAX: Final = 20


_Tools = Annotated[
    Path | None,
    typer.Option(help="Draft a policy from this file: the result of an MCP `tools/list`."),
]
_Mcp = Annotated[
    str | None,
    typer.Option(help="Draft one from a live MCP server: a URL, or a command in quotes."),
]
_OpenApi = Annotated[
    Path | None, typer.Option(help="Draft one from this OpenAPI 3.0 or 3.1 document, JSON or YAML.")
]
_Only = Annotated[
    list[str] | None,
    typer.Option(help="Only what is called like this, as in `*refund*`; may be repeated."),
]


def init(
    directory: Annotated[
        Path | None, typer.Argument(help="Where the desk is made; left out to draft a policy.")
    ] = None,
    policy: Annotated[str, typer.Option(help="A policy file or pack.")] = DEFAULT_POLICY,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    tools: _Tools = None,
    mcp: _Mcp = None,
    openapi: _OpenApi = None,
    only: _Only = None,
    name: Annotated[str, typer.Option(help="The name of the drafted policy.")] = "draft",
    connector: Annotated[
        str | None, typer.Option(help="The connector that will serve the kinds.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else it is printed.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Make a desk: its database, its keys and its policy. Or draft a policy from what is offered.

    A draft grades up whatever is not plainly a read, and marks every guess for a person to confirm.
    """
    sources = [one for one in (tools, mcp, openapi) if one is not None]
    if len(sources) + (directory is not None) != 1:
        said = "either a directory for a desk, or one of `--tools`, `--mcp` and `--openapi`"
        raise InvalidInput("setting_malformed", said)
    if directory is None:
        _check(output, force, (name, connector or "tools"))
        offered = _chosen(_offered(tools, mcp, openapi), only)
        served = connector or ("tools" if openapi is None else "api")
        _hand_over(write_policy(offered, name=name, connector=served), output, force=force)
        return
    if output is not None or only or force:
        said = "`--output`, `--only` and `--force` are for drafting a policy"
        raise InvalidInput("setting_malformed", said)
    if holds_desk(directory, store=store):
        raise Conflict("desk_exists", f"there is a desk in `{directory}` already")
    open_desk(directory, policy=policy, desk=desk, keys=keys, store=store).close()
    typer.echo(f"made: desk `{desk}` in `{directory}`, with the policy `{policy}`")


def _offered(tools: Path | None, mcp: str | None, openapi: Path | None) -> tuple[Offered, ...]:
    if openapi is not None:
        return operations_of(read_document(openapi))
    return tools_of(listed_by(mcp) if tools is None else read_document(tools))


def _check(output: Path | None, force: bool, names: tuple[str, ...]) -> None:
    """What can be said before anything is asked of a server."""
    for word in names:
        if not is_slug(word):
            said = f"{quoted(word)} must be small letters, digits, `_` and `-`"
            raise InvalidInput("setting_malformed", said)
    if output is not None and not force and os.path.lexists(output):
        said = f"{quoted(str(output))} is there already; `--force` writes over it"
        raise Conflict("file_exists", said)


def _chosen(offered: tuple[Offered, ...], only: list[str] | None) -> tuple[Offered, ...]:
    if not only:
        return offered
    found = tuple(
        one
        for one in offered
        if any(fnmatchcase(text, shape) for shape in only for text in (one.name, one.origin[1:-1]))
    )
    if not found:
        raise InvalidInput("setting_malformed", "nothing is called as `--only` says")
    return found


def _hand_over(drafted: Drafted, output: Path | None, *, force: bool) -> None:
    if output is None:
        typer.echo(drafted.text, nl=False)
    else:
        _write(output, drafted.text, force=force)
    by_grade = ", ".join(f"{n} {grade.name}" for grade, n in drafted.grades.items() if n)
    typer.echo(f"drafted: {sum(drafted.grades.values())} kinds ({by_grade})", err=True)
    for origin, kind in drafted.renamed[:_RENAMED_SHOWN_MAX]:
        typer.echo(f"renamed: {quoted(origin)} is `{kind}`", err=True)
    more = len(drafted.renamed) - _RENAMED_SHOWN_MAX
    if more > 0:
        typer.echo(f"renamed: and {more} more; each says so in its comment", err=True)
    typer.echo(f"{drafted.guesses} guesses wait to be confirmed; see `# CONFIRM:`", err=True)


def _write(output: Path, text: str, *, force: bool) -> None:
    """All of it or nothing; a file that is there is replaced only with `force`."""
    made = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        made.write_text(text, encoding="utf-8")
        if force:
            made.replace(output)
        else:
            os.link(made, output)
    except FileExistsError:
        said = f"{quoted(str(output))} is there already; `--force` writes over it"
        raise Conflict("file_exists", said) from None
    except OSError as error:
        why = (error.strerror or "not a file name").lower()
        said = f"{quoted(str(output))} cannot be written: {why}"
        raise InvalidInput("setting_malformed", said) from None
    finally:
        with suppress(OSError):
            made.unlink()
