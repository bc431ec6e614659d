"""The commands that look back at how a desk decides: plain counts, read from the record."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from handrail.bootstrap import DEFAULT_DESK, inspect
from handrail.core.principal import PrincipalKind
from handrail.core.review import Verdict, counted
from handrail.engine.asking.checkers import makers_of, roster_of
from handrail.prove.reciprocity import Approval, pairs_of
from handrail.store.protocol import Tx
from handrail.surfaces.cli.options import DeskName, Directory, KeyFolder, StoreAddress

__all__ = ["report_app"]

_PAGE = 500

report_app = typer.Typer(
    help="Look back at how a desk decides: plain counts.", no_args_is_help=True
)


@report_app.callback()
def _reports() -> None:
    """A group, though there is one command in it."""


@report_app.command("reciprocity")
def reciprocity(
    directory: Directory,
    desk: DeskName = DEFAULT_DESK,
    keys: KeyFolder = None,
    store: StoreAddress = None,
) -> None:
    """Print who approves whose work, and mark the pairs that do so more than chance would have it.

    It says nothing about why; two people who share a shift look the same as two who collude.
    """
    with inspect(directory, desk=desk, keys=keys, store=store) as inspection:
        approvals = inspection.store.read(lambda tx: list(_approvals(tx, desk)))
    pairs = pairs_of(approvals)
    typer.echo(f"{len(approvals)} approvals, {len(pairs)} pairs")
    for pair in pairs:
        whole, part = divmod(pair.expected_milli, 1_000)
        mark = "  look at this" if pair.remarkable else ""
        typer.echo(
            f"{pair.one} and {pair.other}: {pair.there} and {pair.back},"
            f" {whole}.{part:03d} by chance{mark}"
        )


def _approvals(tx: Tx, desk: str) -> Iterator[Approval]:
    """Every approval, with the people who answer for the action."""
    roster = roster_of(tx, desk)
    identities = {
        name: one.identity
        for one in roster.everybody
        if one.kind is PrincipalKind.PERSON
        for name in one.names()
    }
    after = ""
    while page := tx.proposals.page(desk, after=after, most=_PAGE):
        for proposal in page:
            reviews = tx.proposals.reviews(desk, proposal.id)
            said = [one for one in counted(reviews) if one.verdict is Verdict.APPROVE]
            if said:
                makers = makers_of(tx, proposal, roster)
                people = frozenset(identities[name] for name in makers if name in identities)
                for review in said:
                    yield Approval(makers=people, checker=review.identity)
        after = page[-1].id
