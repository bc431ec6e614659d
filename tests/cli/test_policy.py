"""`handrail policy` and `handrail grade` as installed; tests/policy has the details."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from handrail.bootstrap import inspect
from tests.cli.shell import contents, run, run_each, said

KINDS: Final = """lanes:
  all: {kinds: "*"}
kinds:
  ticket.read:
    title: Read
    connector: desk
    axes: {reversibility: 0, blast_radius: 0, stakes: 0}
    params: {ticket: {type: id}}
    control: run_and_log
"""

BAD_POLICIES: Final = [
    ("kinds: [", ":1: error: not YAML"),
    ("policy: a\npolicy: b\n", ":2: error: `policy` is given twice"),
    (f"policy: a\nversion: 1\nno_such_key: 1\n{KINDS}", ":3: error: "),
    (f"policy: a\nversion: one\n{KINDS}", ":2: error: "),
    (f"policy: a\nversion: 1\n{KINDS}".replace("stakes: 0", "stakes: 7"), ":9: error: "),
]


def test_bad_policy_is_named_with_its_line(tmp_path: Path) -> None:
    """Each problem with file and line, then the code; exit status 2, nothing on the output."""
    files = [tmp_path / f"{number}.yaml" for number in range(len(BAD_POLICIES))]
    for file, (text, _) in zip(files, BAD_POLICIES, strict=True):
        file.write_text(text)
    answers = run_each([("policy", "check", file) for file in files])
    for file, (_, why), done in zip(files, BAD_POLICIES, answers, strict=True):
        assert (done.returncode, done.stdout) == (2, "")
        *problems, last = done.stderr.splitlines()
        assert any(problem.startswith(f"{file}{why}") for problem in problems), done.stderr
        assert last.startswith("handrail: policy_invalid: ")


def test_policy_that_cannot_be_read(tmp_path: Path) -> None:
    """Not there, a directory, not text: one line each."""
    (tmp_path / "bytes.yaml").write_bytes(b"policy: a\n\xff\n")
    words: list[tuple[str | Path, ...]] = [
        ("policy", "check", tmp_path),
        ("policy", "show", "nosuch"),
    ]
    answers = run_each(words)
    assert {said(done) for done in answers} == {"policy_not_found"}
    done = run("policy", "check", tmp_path / "bytes.yaml")
    assert said(done) == "policy_invalid"
    assert "bytes.yaml:2: the file is not UTF-8" in done.stderr


def test_pack_shown_is_a_policy_that_checks(tmp_path: Path) -> None:
    """What `show` prints is a file that `check` accepts; the schema is JSON."""
    shown = run("policy", "show", "support-desk")
    file = tmp_path / "mine.yaml"
    file.write_text(shown.stdout)
    checked = run("policy", "check", file)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("ok: support-desk, 13 kinds, ")
    assert json.loads(run("policy", "schema").stdout)["$schema"]


def test_grade() -> None:
    """Three axes in, a grade and a control out."""
    done = run("grade", *"--reversibility 3 --blast-radius 1 --stakes 2".split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("grade: G3\nwhy:\n")
    assert "control: maker_checker, 1 checker" in done.stdout


def test_desk_is_not_made_with_a_bad_policy(tmp_path: Path) -> None:
    """A policy that does not load, or that nobody here can execute, leaves nothing behind."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"policy: a\n{KINDS}")
    foreign = tmp_path / "foreign.yaml"
    foreign.write_text(f"policy: a\nversion: 1\n{KINDS}".replace("connector: desk", "connector: x"))
    new = tmp_path / "deep" / "new"
    assert run("policy", "check", foreign).returncode == 0
    for command, policy, code in (
        ("init", bad, "policy_invalid"),
        ("serve", foreign, "connector_unknown"),
    ):
        assert said(run(command, new, "--policy", policy)) == code
        assert not new.parent.exists()


def test_explain_as_the_docs_show_it() -> None:
    """The example of docs/policy.md, word for word."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text()
    block = page.split("handrail policy explain support-desk", 1)[1]
    expected = block.split("```text\n", 1)[1].split("```", 1)[0]
    words = ["--lane", "support", "--param", "amount=60.00 USD", "--fact", "order_owner=C-1003"]
    words += ["--fact", "refundable=189.00 USD", "--earlier", "20.00 USD"]
    done = run("policy", "explain", "support-desk", "refund.issue", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == expected


BAD_WORDS: Final = [
    (("--param", "amount"), "setting_malformed"),
    (("--param", "amount=lots"), "money_malformed"),
    (("--param", "colour=red"), "field_unknown"),
    (("--claim", "G4"), "setting_malformed"),
    (("--earlier", "20.00 JPY"), "money_too_precise"),
    (("--earlier", "20 JPY"), "setting_malformed"),
]


def test_explain_refuses_what_it_cannot_read() -> None:
    """Each by its code, and nothing is guessed."""
    asked = [
        ("policy", "explain", "support-desk", "refund.issue", *words) for words, _ in BAD_WORDS
    ]
    for (_, code), done in zip(BAD_WORDS, run_each(asked), strict=True):
        assert said(done) == code


def test_explain_one_action(desk: Path) -> None:
    """The refund of 120.00 USD that waits, under the policy of its desk, also as JSON."""
    with inspect(desk) as inspected:
        ids = inspected.store.read(
            lambda tx: [row.id for row in tx.proposals.latest("main", most=9)]
        )
    answers = run_each([("policy", "explain", desk, id) for id in ids])
    texts = [done.stdout for done in answers]
    assert [done.returncode for done in answers] == [0] * len(ids)
    waits = next(text for text in texts if "now PENDING" in text)
    assert "control: approve\n" in waits
    assert "the amount were 50.00 USD: looser, run_and_notify, G2" in waits
    done = run("policy", "explain", desk, ids[0], "--json")
    assert json.loads(done.stdout)["decision"]["guard"]["control"] in ("approve", "run_and_notify")
    assert said(run("policy", "explain", desk, "hr_" + "0" * 32)) == "proposal_not_found"


def test_check_for_a_desk(desk: Path, tmp_path: Path) -> None:
    """With the desk at hand: who is there and what is served; the desk itself is not touched."""
    before = contents(desk)
    pack = run("policy", "show", "support-desk").stdout
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(pack.replace("needs: [order_owner, refundable]", "needs: [order_ownr]"))
    done = run("policy", "check", wrong, "--for", desk)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("handrail: policy_invalid: ")
    assert "`order_ownr` for `refund.issue` (did you mean `order_owner`?)" in done.stderr
    assert "`refund.issue` from 5000.01 USD on needs 2 independent people" in done.stderr
    assert run("policy", "check", wrong).returncode == 0
    assert said(run("policy", "check", wrong, "--for", tmp_path)) == "desk_not_found"
    assert contents(desk) == before
