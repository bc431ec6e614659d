"""The commands about the log: verify it, show it, prove one entry; and erasing a customer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from handrail.bootstrap import DEFAULT_DESK, Inspection, inspect
from handrail.bootstrap import open as open_desk
from handrail.core import merkle
from handrail.core.note import parse_note
from handrail.errors import InvalidInput, NotFound
from handrail.prove.verify import Report, verify_log
from handrail.store.protocol import LoggedEntry, Tx
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["erase", "log_app", "read_notes"]

ENTRIES_MAX: Final = 1000
EXIT_RESTORED: Final = 3
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_DIGEST_CHARS: Final = 12
"""What is shown of a digest: enough to compare two by eye; `--raw` has all of it."""
_BETWEEN_NOTES: Final = "\n\n\n"

log_app = typer.Typer(help="Verify, show and prove the append-only log.", no_args_is_help=True)


@log_app.command()
def verify(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A signed checkpoint saved elsewhere. Repeatable."),
    ] = None,
) -> None:
    """Check the whole log, its tree, its checkpoints and the rows it speaks of.

    Exit status 0 when all is well, 1 when something was changed, 2 when it could not be checked, 3
    when it is whole but goes on from a restored backup, whose lost entries it names.
    """
    given = [note for path in checkpoint or [] for note in read_notes(path)]
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:
        outside = [*inspection.kept_checkpoints(), *given]
        report = verify_log(
            inspection.store,
            desk,
            key=inspection.signer.verifier,
            verify=inspection.signer.verify,
            outside=outside,
        )
    _say(report)
    if not report.good:
        raise typer.Exit(1)
    if report.restorations:
        raise typer.Exit(EXIT_RESTORED)


@log_app.command()
def show(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
    customer: Annotated[str | None, typer.Option(help="Only what concerns this customer.")] = None,
    proposal: Annotated[str | None, typer.Option(help="Only this action, by its id.")] = None,
    person: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
    most: Annotated[int, typer.Option(min=1, max=ENTRIES_MAX, help="At most so many.")] = 50,
    raw: Annotated[bool, typer.Option("--raw", help="The leaves exactly as stored.")] = False,
) -> None:
    """Show log entries: the newest ones, or those of a customer, an action or a person."""
    if sum(one is not None for one in (customer, proposal, person)) > 1:
        raise InvalidInput(
            "setting_malformed", "give one of `--customer`, `--proposal` and `--person`"
        )
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:

        def look(tx: Tx) -> list[LoggedEntry]:
            if proposal is not None:
                return tx.log.of_proposal(desk, proposal)
            if person is not None:
                return tx.log.of_person(desk, person, most=most)
            if customer is not None:
                return _of_customer(tx, desk, customer, most)
            return tx.log.latest(desk, before=tx.log.size(desk), most=most)[::-1]

        entries = inspection.store.read(look)
    if not entries:
        typer.echo("nothing in the log about that", err=True)
    for logged in entries[-most:]:
        typer.echo(f"{logged.index} {logged.leaf.decode()}" if raw else _line(logged))


@log_app.command()
def prove(
    directory: Directory,
    index: Annotated[int, typer.Argument(min=0, help="The entry's index.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print an inclusion proof: the entry, the path to the root, and the signed checkpoint."""
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:
        # Bytes: a signed note is UTF-8 whatever the terminal is.
        typer.echo(f"{_proof_text(inspection, desk, index)}\n".encode(), nl=False)


@log_app.command()
def checkpoint(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print the newest signed checkpoint, to be saved where nobody here can change it."""
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:
        typer.echo(_newest(inspection, desk).encode(), nl=False)


def erase(
    directory: Directory,
    customer: Annotated[str, typer.Argument(help="The customer's id in the systems of record.")],
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Erase a customer: destroy the key of everything stored about them. The log still verifies."""
    with open_desk(directory, policy=None, desk=desk, keys=keys, store=store) as opened:
        if not opened.erase(customer):
            raise NotFound("subject_unknown", f"nothing is stored about `{customer}`")
    typer.echo(f"erased: nothing stored about `{customer}` can be opened any more")


def read_notes(path: Path) -> list[str]:
    """The signed notes of a file: one that was printed, or a whole file of `checkpoints/`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput("setting_malformed", f"cannot read `{path}`: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidInput("note_malformed", f"`{path}` is not UTF-8") from None
    notes = [note.strip("\n") + "\n" for note in text.split(_BETWEEN_NOTES) if note.strip()]
    try:
        for note in notes or [""]:
            parse_note(note)
    except InvalidInput as error:
        raise InvalidInput(error.code, f"`{path}`: {error.message}") from None
    return notes


def _say(report: Report) -> None:
    for finding in report.findings:
        where = "" if finding.index is None else f" at index {finding.index}"
        about = "" if finding.proposal is None else f" ({finding.proposal})"
        typer.echo(f"BAD{where}: {finding.what}{about}")
    for one in report.restorations:
        at = datetime.fromtimestamp(one.at // 1000, UTC).strftime("%Y-%m-%d %H:%M")
        known = max(size for size, _ in one.checkpoints())
        typer.echo(
            f"RESTORED: at {at} UTC from a backup, by `{one.restored_by}`, confirmed by"
            f" `{one.confirmed_by}`: entries {one.size} to {known - 1}, known from checkpoints, are"
            " lost, and whatever came after them"
        )
    witnessed = (
        f"{report.witnessed} checkpoint{'s agree' if report.witnessed > 1 else ' agrees'}"
        " from outside the database"
        if report.witnessed
        else "signed but unwitnessed: no checkpoint from outside the database was given"
    )
    verdict = "ok" if report.good else "CHANGED"
    typer.echo(
        f"{verdict}: {report.size} entries, {report.proposals} actions, root {report.root.hex()}"
    )
    typer.echo(witnessed if report.good else "do not trust this desk's records")


def _of_customer(tx: Tx, desk: str, customer: str, most: int) -> list[LoggedEntry]:
    subject = tx.vault.find_ref(desk, customer)
    if subject is None:
        return []
    proposals = tx.proposals.of_subject(desk, subject, most=most)
    found = [entry for one in proposals for entry in tx.log.of_proposal(desk, one.id)]
    return sorted(found, key=lambda logged: logged.index)


def _line(logged: LoggedEntry) -> str:
    entry = logged.entry
    at = datetime.fromtimestamp(entry.at // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    about = "" if entry.proposal is None else f" {entry.proposal}"
    facts = " ".join(_facts(logged))
    return f"{logged.index:>6}  {at}Z  {entry.tag:<22} {entry.actor or '-':<12}{about}  {facts}"


def _facts(logged: LoggedEntry) -> Iterator[str]:
    for name, value in logged.entry.data.items():
        if value is not None and value != "":
            text = str(value)
            if _DIGEST.fullmatch(text):
                text = f"{text[:_DIGEST_CHARS]}.."
            yield f"{name}={text if text.isprintable() else ascii(text)}"


def _newest(inspection: Inspection, desk: str) -> str:
    row = inspection.store.read(lambda tx: tx.log.latest_checkpoint(desk))
    if row is None:
        raise NotFound("entry_not_found", "no checkpoint was signed yet")
    return row.note


def _proof_text(inspection: Inspection, desk: str, index: int) -> str:
    def look(tx: Tx) -> tuple[bytes, tuple[bytes, ...], int, str]:
        row = tx.log.latest_checkpoint(desk)
        leaf = None if row is None or index >= row.size else tx.log.leaf(desk, index)
        if row is None or leaf is None:
            raise NotFound("entry_not_found", f"no checkpoint covers an entry `{index}`")
        path = merkle.inclusion_proof(
            index, row.size, lambda level, n: tx.log.hash_at(desk, level, n)
        )
        return leaf, path, row.size, row.note

    leaf, path, size, note = inspection.store.read(look)
    lines = [f"index {index}", f"size {size}", f"leaf {leaf.decode()}"]
    return "\n".join([*lines, *(f"hash {one.hex()}" for one in path), "", note.rstrip("\n")])
