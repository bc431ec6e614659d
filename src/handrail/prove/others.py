"""The rows that are no actions: people, tasks, hand-offs, halts, policies, credentials.

Each of them is named in an entry, with what it was like then; the last one to name it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.passkey import key_name
from handrail.errors import HandrailError
from handrail.policy.loader import digest_body
from handrail.store.protocol import Tx

__all__ = ["Told", "odd_others", "tell"]

Told = dict[str, tuple[int, str]]
"""What the log says of each row, by the row's name, and the index of the entry that says it."""

_PAGE_ROWS: Final = 1000
_ELSEWHERE: Final = ("proposal", "review:", "assertion:")


def tell(told: Told, index: int, entry: Entry) -> None:
    """Take down what an entry says of rows that are no actions."""
    for name, digest in entry.rows.items():
        if not name.startswith(_ELSEWHERE):
            told[name] = (index, digest)
    data = entry.data
    if entry.tag == Tag.POLICY_ACTIVATED.value:
        told[f"policy:{data.get('version')}"] = (index, str(data.get("policy")))
    elif entry.tag == Tag.CREDENTIAL_ISSUED.value:
        name = f"credential:{data.get('credential')}"
        told.setdefault(name, (index, str(data.get("principal"))))


def odd_others(tx: Tx, desk: str, told: Told) -> Iterator[tuple[str, int | None]]:
    """What is wrong with these rows, in words, and the index of the entry that says otherwise."""
    left = dict(told)
    for noun, read in _KINDS.items():
        try:
            for name, digest in read(tx, desk):
                found = left.pop(name, None)
                if found is None:
                    yield f"{noun} was added outside the log: `{name}`", None
                elif digest != found[1]:
                    yield f"{noun} was changed outside the log: `{name}`", found[0]
        except (HandrailError, msgspec.MsgspecError, ValueError):
            yield f"{noun} is not readable any more", None
            left = {name: found for name, found in left.items() if not _is_of(noun, name)}
    for name, (index, _) in left.items():
        yield f"a row was removed outside the log: `{name}`", index
    yield from _odd_active(tx, desk, told)


def _is_of(noun: str, name: str) -> bool:
    return name.partition(":")[0] in noun


def _odd_active(tx: Tx, desk: str, told: Told) -> Iterator[tuple[str, int | None]]:
    """The active policy must be the one that was activated last."""
    activated = [found for name, found in told.items() if name.startswith("policy:")]
    row = tx.desks.get(desk)
    index, digest = max(activated, default=(None, ""))
    if row is None or row.policy != digest:
        yield "the active policy is not the one that was activated last", index


def _people(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for principal in tx.people.everybody(desk):
        yield f"principal:{principal.id}", row_commitment(principal)


def _tasks(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for task in _paged(tx.tasks.page, desk):
        yield f"task:{task.id}", row_commitment(task)


def _escalations(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for escalation in _paged(tx.escalations.page, desk):
        yield f"escalation:{escalation.id}", row_commitment(escalation)


def _halts(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for halt in _paged(tx.halts.page, desk):
        yield f"halt:{halt.id}", row_commitment(halt)


def _grants(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for grant in tx.grants.everything(desk):
        yield f"grant:{grant.id}", row_commitment(grant)


def _amendments(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for amendment in _paged(tx.amendments.page, desk):
        yield f"amendment:{amendment.id}", row_commitment(amendment)


def _restorations(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for restoration in tx.restorations.everything(desk):
        yield f"restoration:{restoration.id}", row_commitment(restoration)


def _policies(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for version in tx.desks.policies(desk):
        body = digest_body(version.body)
        digest = version.digest if body == version.digest else ""
        yield f"policy:{version.version}", digest


def _candidates(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for candidate in tx.candidates.everything(desk):
        yield f"candidate:{candidate.id}", row_commitment(candidate)


def _credentials(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for credential in tx.people.all_credentials(desk):
        yield f"credential:{credential.id}", credential.principal


def _channels(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for channel in tx.channels.everything(desk):
        yield f"channel:{channel.id}", row_commitment(channel)


def _passkeys(tx: Tx, desk: str) -> Iterator[tuple[str, str]]:
    for passkey in _paged(tx.passkeys.page, desk):
        yield f"passkey:{key_name(passkey.id)}", row_commitment(passkey)


def _paged(page: Callable[..., list[Any]], desk: str) -> Iterable[Any]:
    after = ""
    while rows := page(desk, after=after, most=_PAGE_ROWS):
        yield from rows
        after = rows[-1].id


_KINDS: Final[dict[str, Callable[[Tx, str], Iterator[tuple[str, str]]]]] = {
    "an agent or a person (principal)": _people,
    "a task": _tasks,
    "a hand-off (escalation)": _escalations,
    "a halt": _halts,
    "a break-glass grant": _grants,
    "a change of the rules (amendment)": _amendments,
    "a restored backup (restoration)": _restorations,
    "a policy": _policies,
    "a candidate": _candidates,
    "a credential": _credentials,
    "a passkey": _passkeys,
    "a channel": _channels,
}
