"""`handrail log check-proof` and `log key`: check a desk's records elsewhere, without the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.note import VerifierKey, parse_verifier_key
from handrail.errors import InvalidInput
from handrail.prove.bundle_check import BUNDLE_BYTES_MAX, BundleReport, check_bundle
from handrail.surfaces.cli.files import read_bounded
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["add_proof_commands", "check_proof", "key"]

_KEY_BYTES_MAX: Final = 10_000


def add_proof_commands(log_app: typer.Typer) -> None:
    """Add the commands to `handrail log`."""
    log_app.command("check-proof")(check_proof)
    log_app.command()(key)


def check_proof(
    file: Annotated[Path, typer.Argument(help="A proof that was exported from a desk.")],
    trusted: Annotated[
        str, typer.Option("--key", help="The desk's public key, or a file with it.")
    ],
) -> None:
    """Check exported records against the desk's public key; no desk and no network is needed.

    Exit status 0 when everything fits, 1 when something was changed, 2 when it could not be read.
    """
    verifier = _trusted(trusted)
    public = Ed25519PublicKey.from_public_bytes(verifier.public_key)

    def verify(message: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    report = check_bundle(read_bounded(file, BUNDLE_BYTES_MAX), verifier, verify)
    _say(report)
    if report.wrong:
        raise typer.Exit(1)


def key(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print the public key of the desk's log: write it down where nobody here can change it."""
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:
        typer.echo(inspection.signer.verifier.text())


def _say(report: BundleReport) -> None:
    for what in report.wrong:
        typer.echo(f"BAD: {what}")
    verdict = "CHANGED" if report.wrong else "ok"
    typer.echo(f"{verdict}: {report.about}, exported {report.made} from the desk `{report.desk}`")
    typer.echo(
        f"{report.actions} actions, {report.entries} entries of a log of {report.size},"
        f" {report.signed} approvals signed by a passkey"
    )
    if report.erased:
        typer.echo(f"{report.erased} of the actions: the customer was erased, the content is gone")
    if report.wrong:
        typer.echo("do not trust this file")


def _trusted(text: str) -> VerifierKey:
    """The key as it was given, or as it stands in a file. Raises InvalidInput `key_malformed`."""
    if "+" in text:
        return parse_verifier_key(text.strip())
    try:
        return parse_verifier_key(read_bounded(Path(text), _KEY_BYTES_MAX).decode().strip())
    except UnicodeDecodeError:
        raise InvalidInput("key_malformed", f"`{text}` is not a public key") from None
