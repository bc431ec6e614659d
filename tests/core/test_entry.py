"""Log entries: canonical leaves of bounded size, and commitments that notice every edited field."""

from __future__ import annotations

import hashlib
import json
import re
from enum import Enum

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.entry import (
    LEAF_BYTES_MAX,
    Entry,
    Tag,
    decode_entry,
    encode_entry,
    row_commitment,
)
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict
from handrail.core.task import Task
from handrail.errors import InvalidInput

AT = 1_790_000_000_000

ENTRY = Entry(
    at=AT,
    desk="main",
    tag=Tag.ACTION_PROPOSED.value,
    actor="agent_1",
    task="task_1",
    proposal="hr_1",
    subject="sub_1",
    data={"grade": 2, "undo": None, "alone": True, "kind": "refund.issue"},
    rows={"proposal:hr_1": "ab" * 32},
)

ROWS: list[msgspec.Struct] = [
    Proposal(
        desk="main",
        id="hr_1",
        task="task_1",
        agent="agent_1",
        kind="refund.issue",
        connector="billing",
        state=State.PENDING,
        version=1,
        grade=Grade.G2,
        control=Control.APPROVE,
        checkers=0,
        reasons="[]",
        value_minor=12000,
        currency="USD",
        subject="sub_1",
        key="k",
        fingerprint="f",
        digest="d",
        statement="s",
        policy="p",
        created_at=AT,
        updated_at=AT,
    ),
    Review(
        desk="main",
        proposal="hr_1",
        n=1,
        person="per_1",
        identity="ann",
        verdict=Verdict.APPROVE,
        statement="s",
        at=AT,
    ),
    Principal(
        desk="main",
        id="per_1",
        kind=PrincipalKind.PERSON,
        name="Ann",
        identity="ann",
        roles=(Role.REVIEWER,),
        limits={"USD": 100},
        created_at=AT,
    ),
    Task(
        desk="main",
        id="task_1",
        agent="agent_1",
        lane="all",
        ticket="T-1",
        customers=("sub_1",),
        token_hash="t",
        created_at=AT,
        expires_at=AT + 1,
    ),
]


def test_a_leaf_is_canonical_json_without_empty_fields() -> None:
    """One entry, byte for byte."""
    leaf = encode_entry(Entry(at=AT, desk="main", tag="task.issued", task="task_1"))
    assert leaf == b'{"at":1790000000000,"desk":"main","tag":"task.issued","task":"task_1"}'


def test_a_leaf_without_a_version_is_version_one_for_ever() -> None:
    """The first format leaves `v` out; a later one writes it, and never changes this default."""
    assert decode_entry(b'{"at":1,"desk":"main","tag":"task.issued"}').v == 1
    assert b'"v":2' in encode_entry(msgspec.structs.replace(ENTRY, v=2))


def test_an_entry_survives_its_leaf() -> None:
    """What was written is what is read."""
    assert decode_entry(encode_entry(ENTRY)) == ENTRY


texts = st.text(max_size=20)
ascii_keys = st.text("abcdefghijklmnopqrstuvwxyz_:", min_size=1, max_size=8)
maybe = st.none() | texts


@given(
    st.builds(
        Entry,
        at=st.integers(0, 2**53 - 1),
        desk=texts,
        tag=st.sampled_from([tag.value for tag in Tag]),
        actor=maybe,
        task=maybe,
        proposal=maybe,
        subject=maybe,
        data=st.dictionaries(
            ascii_keys, maybe | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans(), max_size=4
        ),
        rows=st.dictionaries(ascii_keys, texts, max_size=4),
    )
)
def test_every_leaf_is_rfc_8785_and_reads_back(entry: Entry) -> None:
    """Against an independent implementation of the canonical form."""
    leaf = encode_entry(entry)
    assert leaf == rfc8785.dumps(json.loads(leaf))
    assert decode_entry(leaf) == entry


def test_every_field_of_an_entry_is_in_its_leaf() -> None:
    """Two entries that differ anywhere are two leaves."""
    for field in Entry.__struct_fields__:
        other = msgspec.structs.replace(ENTRY, **{field: _other(getattr(ENTRY, field))})
        assert encode_entry(other) != encode_entry(ENTRY), field


def test_a_leaf_has_at_most_eight_kibibytes() -> None:
    """Exactly the limit passes; one byte more is refused before anything is written."""
    room = LEAF_BYTES_MAX - len(encode_entry(_with_note("")))
    assert LEAF_BYTES_MAX == 8 * 1024
    assert len(encode_entry(_with_note("x" * room))) == LEAF_BYTES_MAX
    for note in ("x" * (room + 1), "é" * (room // 2 + 1), "\n" * room):
        with pytest.raises(InvalidInput, match=r"`action\.proposed` is longer than") as refusal:
            encode_entry(_with_note(note))
        assert refusal.value.code == "leaf_too_large"


def _with_note(note: str) -> Entry:
    return msgspec.structs.replace(ENTRY, data={"note": note})


def test_tags_name_a_noun_and_what_happened_to_it() -> None:
    """`noun.happened`, in lower case; no two tags say the same."""
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+(ed|ne|en|wn|st|nd|nt|pt)", tag.value) for tag in Tag)
    assert len({tag.value for tag in Tag}) == len(Tag)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_a_commitment_changes_with_every_field(row: msgspec.Struct) -> None:
    """An edited row no longer matches its entry, whichever column was edited."""
    commitment = row_commitment(row)
    seen = {commitment}
    for field in row.__struct_fields__:
        edited = msgspec.structs.replace(row, **{field: _other(getattr(row, field))})
        seen.add(row_commitment(edited))
    assert len(seen) == len(row.__struct_fields__) + 1


def test_a_commitment_is_the_sha_256_of_the_row_as_canonical_json() -> None:
    """Anyone with the row can compute it: the columns by name, enums by value."""
    plain = msgspec.to_builtins(ROWS[1])
    assert row_commitment(ROWS[1]) == hashlib.sha256(rfc8785.dumps(plain)).hexdigest()


def test_equal_rows_have_equal_commitments() -> None:
    """However their limits happen to be ordered."""
    first = msgspec.structs.replace(ROWS[2], limits={"USD": 1, "EUR": 2})
    second = msgspec.structs.replace(ROWS[2], limits={"EUR": 2, "USD": 1})
    assert row_commitment(first) == row_commitment(second)


def _other(value: object) -> object:
    """Another value of the same sort."""
    match value:
        case None:
            return 7
        case bool():
            return not value
        case Enum():
            return next(member for member in type(value) if member is not value)
        case int():
            return value + 1
        case str():
            return value + "x"
        case tuple():
            return (*value, "x") if not value or isinstance(value[0], str) else value[1:]
        case dict():
            return {**value, "extra": value.get("USD", "x")}
        case _:
            raise AssertionError(f"no other value for {value!r}")
