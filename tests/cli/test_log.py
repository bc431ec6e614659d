"""`handrail log` and `handrail erase`: what is shown, proved and found out."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from pathlib import Path
from typing import Final

import pytest

import handrail
from handrail.core import merkle
from handrail.core.note import parse_checkpoint, parse_note
from tests.cli.shell import Done, contents, run, run_each, said


def test_good_log(desk: Path) -> None:
    """Exit status 0; also against a checkpoint that was saved elsewhere, alone or in a file."""
    saved = desk.with_name("saved.note")
    saved.write_text(run("log", "checkpoint", desk).stdout)
    before = contents(desk)
    done = run("log", "verify", desk, "--checkpoint", saved)
    kept = desk / "checkpoints" / "main.notes"
    count = kept.read_text().count("handrail/main\n")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"ok: \d+ entries, 2 actions, root [0-9a-f]{64}", first)
    assert second == f"{count + 1} checkpoints agree from outside the database"
    again = run("log", "verify", desk, "--checkpoint", kept)
    assert f"{2 * count} checkpoints" in again.stdout
    assert contents(desk) == before


TAMPERED: Final = {
    "UPDATE entry SET leaf = CAST(replace(leaf, 'scout', 'scour') AS BLOB) WHERE tag LIKE 'c%'": (
        " at index "
    ),
    "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)": "its tail was cut",
    "UPDATE proposal SET value_minor = 99900 WHERE value_minor = 12000": "changed outside the log",
    "UPDATE proposal SET state = 'REJECTED' WHERE state = 'PENDING'": "changed outside",
}


def change(desk: Path, sql: str) -> None:
    """Change a row as somebody does who has the database and no respect for its triggers."""
    database = sqlite3.connect(desk / "handrail.db", isolation_level=None)
    triggers = database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        database.execute(f'DROP TRIGGER "{name}"')
    changed = database.execute(sql).rowcount
    database.close()
    assert changed


@pytest.mark.parametrize("sql", TAMPERED)
def test_changed_records(desk: Path, sql: str) -> None:
    """Exit status 1, and what is wrong; the desk's own file is not mended or touched."""
    change(desk, sql)
    before = contents(desk)
    done = run("log", "verify", desk)
    assert (done.returncode, done.stderr) == (1, "")
    assert TAMPERED[sql] in done.stdout
    assert done.stdout.splitlines()[-1] == "do not trust this desk's records"
    assert contents(desk) == before


def bad_notes(folder: Path) -> list[tuple[Path, str]]:
    """Files that hold no signed note, and the code for each."""
    texts = {"empty": b"", "bytes": b"\xff\xfe\x00", "half": b"handrail/main\n1\n\n"}
    for name, data in texts.items():
        (folder / name).write_bytes(data)
    named = [(folder / name, "note_malformed") for name in texts]
    return [*named, (folder, "setting_malformed"), (folder / "none", "setting_malformed")]


def test_checkpoint_files_that_are_none(desk: Path) -> None:
    """What cannot be read says nothing about the log: exit status 2, not 1."""
    notes = bad_notes(desk.parent)
    answers = run_each([("log", "verify", desk, "--checkpoint", path) for path, _ in notes])
    assert [said(done) for done in answers] == [code for _, code in notes]


def test_checkpoint_of_another_desk(desk: Path, tmp_path: Path) -> None:
    """A readable note that another key signed speaks against the log."""
    with handrail.open(tmp_path / "other") as other:
        (tmp_path / "other.note").write_text(other.checkpoint())
    done = run("log", "verify", desk, "--checkpoint", tmp_path / "other.note")
    assert done.returncode == 1
    assert "not signed by this log's key" in done.stdout


def indexes(done: Done) -> list[int]:
    """The log indexes of the lines shown."""
    assert (done.returncode, done.stderr) == (0, "")
    return [int(line.split()[0]) for line in done.stdout.splitlines()]


def test_show(worked: Path) -> None:
    """The newest, or those of an action, a customer or a person, oldest first."""
    everything = run("log", "show", worked, "--most", "1000")
    raw = run("log", "show", worked, "--most", "1000", "--raw")
    assert indexes(raw) == indexes(everything)
    leaves = [json.loads(line.partition(" ")[2]) for line in raw.stdout.splitlines()]
    assert leaves[0]["tag"] == "desk.opened"
    assert {leaf["desk"] for leaf in leaves} == {"main"}
    assert indexes(everything) == list(range(len(everything.stdout.splitlines())))
    assert indexes(run("log", "show", worked, "--most", "2")) == indexes(everything)[-2:]
    action = re.findall(r"action\.proposed.*(hr_[0-9a-f]{32})", everything.stdout)[0]
    of_action = run("log", "show", worked, "--proposal", action)
    assert [line.split()[3] for line in of_action.stdout.splitlines()] == [
        "action.proposed",
        "execution.succeeded",
    ]
    of_customer = indexes(run("log", "show", worked, "--customer", "C-1001"))
    assert of_customer == indexes(of_action)
    of_operator = run("log", "show", worked, "--person", "operator")
    assert " credential.issued " in of_operator.stdout
    assert " execution.succeeded " not in of_operator.stdout


def test_show_nothing(worked: Path) -> None:
    """Nothing found is no error, and is said beside the output."""
    done = run("log", "show", worked, "--customer", "C-nobody")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing in the log about that\n"


def test_proof_holds(worked: Path) -> None:
    """The printed path leads from the entry to the root that the printed note signs."""
    done = run("log", "prove", worked, "3")
    assert (done.returncode, done.stderr) == (0, "")
    head, _, note = done.stdout.partition("\n\n")
    lines = [line.partition(" ") for line in head.splitlines()]
    body, _ = parse_note(note)
    signed = parse_checkpoint(body)
    fields = {name: text for name, _, text in lines if name != "hash"}
    path = tuple(bytes.fromhex(text) for name, _, text in lines if name == "hash")
    leaf = merkle.leaf_hash(fields["leaf"].encode())
    assert (fields["index"], fields["size"]) == ("3", str(signed.size))
    assert merkle.verify_inclusion(leaf, 3, signed.size, path, signed.root)
    assert not merkle.verify_inclusion(leaf, 4, signed.size, path, signed.root)


def test_no_proof_beyond_the_checkpoint(worked: Path) -> None:
    """There is nothing to prove about an entry that is not there."""
    answers = run_each([("log", "prove", worked, str(index)) for index in (1_000, 2**70)])
    assert [said(done) for done in answers] == ["entry_not_found"] * 2


def test_checkpoint_is_the_newest_kept_one(worked: Path) -> None:
    """The note that is printed is byte for byte the last one outside the database."""
    done = run("log", "checkpoint", worked)
    assert (worked / "checkpoints" / "main.notes").read_text().endswith(done.stdout + "\n\n")
    origin, size, root = done.stdout.splitlines()[:3]
    assert (origin, len(base64.b64decode(root))) == ("handrail/main", 32)
    assert int(size) > 0


def test_erase(desk: Path) -> None:
    """A customer's key is destroyed once; it is in the log, and the log still verifies."""
    done = run("erase", desk, "C-1001")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("erased: ")
    assert " customer.erased " in run("log", "show", desk).stdout
    assert run("log", "verify", desk).returncode == 0
    before = contents(desk)
    for customer in ("C-1001", "C-9999"):
        assert said(run("erase", desk, customer)) == "subject_unknown"
    assert contents(desk) == before
