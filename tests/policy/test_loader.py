"""What loads, what does not, and on which line each problem is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.caps import CapRule, Scope, WhenFull
from handrail.core.grade import Axes, Catchable, Grade
from handrail.core.policy import Band, Clocks, Control, Guard, KindRule, LaneRule
from handrail.errors import NotFound, PolicyInvalid
from handrail.policy.loader import PROBLEMS_MAX, digest_policy, load, load_text, problems_of
from handrail.policy.packs import pack_names
from handrail.policy.source import TEXT_BYTES_MAX
from tests.policy.sample import GOOD, line_with, spoiled

NAME: Final = "small letters, digits, `_` and `-`, beginning with a letter, at most 80 characters"
SPAN: Final = "a span of time such as 30s, 2m, 4h or 30d, at most 366d"
CONTROLS: Final = ", ".join(control.value for control in Control)

# what stands there, what is put there instead, words of the line with the problem, the problem
BAD_VALUES: Final = [
    ("policy: small-desk", "policy: Small Desk", "", f"`policy` must be {NAME}, not `Small Desk`"),
    ("policy: small-desk", "policy:", "", "nothing stands after `policy`"),
    ("policy: small-desk", "policy: ~", "", "nothing stands after `policy`"),
    ("policy: small-desk", "policy: [a]", "", f"`policy` must be {NAME}"),
    ("policy: small-desk\n", "", "version", "`policy` is missing from a policy"),
    ("policy: small-desk", "polcy: x\npolicy: x", "polcy",
     "`polcy` is not a key of a policy (did you mean `policy`?)"),
    ("version: 3", "version: 0", "",
     "`version` must be a whole number from 1 to 1000000000, not `0`"),
    ("version: 3", "version: '3'", "",
     "`version` must be a whole number from 1 to 1000000000, not `3` in quotes"),
    ("version: 3", "version: 1.0", "",
     "`version` must be a whole number from 1 to 1000000000, not `1.0`"),
    ("version: 3", "version: 03", "",
     "`version` must be a whole number from 1 to 1000000000, not `03`"),
    ("version: 3", "version: " + "9" * 5000, "",
     f"`version` must be a whole number from 1 to 1000000000, not `{'9' * 40}...`"),
    ("approval: 4h", "approval: 4", "", f'`approval` must be {SPAN}; write text in quotes: "4"'),
    ("approval: 4h", "approval: 0h", "", f"`approval` must be {SPAN}, not `0h`"),
    ("approval: 4h", "approval: 4 h", "", f"`approval` must be {SPAN}, not `4 h`"),
    ("approval: 4h", "approval: 1.5h", "", f"`approval` must be {SPAN}, not `1.5h`"),
    ("approval: 4h", "approval: 367d", "", f"`approval` must be {SPAN}, not `367d`"),
    ("approval: 4h", "lunch: 1h", "", "`lunch` is not a key of the clocks"),
    ("clocks: {approval: 4h, attempt: 30s}", "clocks: 4h", "",
     "the clocks must be a map of keys"),
    ('support: {kinds: "*"}', "support: {kinds: all}", "",
     '`kinds` must be a list of names, or "*"'),
    ('support: {kinds: "*"}', "support: {kinds: []}", "",
     "`kinds` must have 1 to 500 items, not 0"),
    ('support: {kinds: "*"}', "support: {}", "", "`kinds` is missing from a lane"),
    ('support: {kinds: "*"}', 'Support!: {kinds: "*"}', "",
     f"`Support!` is not a name for `lanes`: {NAME}"),
    ("kinds: [ticket.read]", "kinds: [ticket.read, ticket.read]", "",
     "`ticket.read` stands twice in `kinds`"),
    ("any_customer: no", "any_customer: maybe", "",
     "`any_customer` must be yes or no, not `maybe`"),
    ("any_customer: no", "any_customer: 0", "",
     '`any_customer` must be yes or no; write text in quotes: "0"'),
    ("kinds:\n  refund", 'accumulation: {window: 1d, currency: USD, kinds: {refund.issue: 100},'
     ' rates: {JPY: "0.0000000001"}}\nkinds:\n  refund', "accumulation:",
     "`JPY` must be a rate such as 1.10, with at most 9 digits on either side of the point, at most"
     " 19 characters, not `0.0000000001`"),
    ("scope: desk", "scope: dsk", "",
     "`scope` must be one of desk, agent, owner, customer, task, kind, account, not `dsk`"
     " (did you mean `desk`?)"),
    ('money: "20000.00 USD"', "money: 20000", "",
     '`money` must be an amount with its currency such as "200.00 USD";'
     ' write text in quotes: "20000"'),
    ('money: "20000.00 USD"', 'money: "20,000.00 USD"', "",
     '`money` must be an amount with its currency such as "200.00 USD", not `20,000.00 USD`'),
    ('money: "20000.00 USD"', 'money: "200.00 ABC"', "",
     "`money`: `ABC` is not an ISO 4217 currency in capital letters"),
    ('money: "20000.00 USD"', 'money: "0.00 USD"', "", "`money`: the amount is zero"),
    ('money: "20000.00 USD"', 'money: "5.5 JPY"', "",
     "`money`: `JPY` has no decimals"),
    ('money: "20000.00 USD"', 'money: "20000.00 USD"\n    count: 5', "refunds-per-day",
     "a cap takes only one of `money` and `count` and `accounts`"),
    ('    money: "20000.00 USD"\n', "", "refunds-per-day",
     "a cap needs `money` or `count` or `accounts`"),
    ("count: 30", "count: 0", "",
     "`count` must be a whole number from 1 to 1000000000000000, not `0`"),
    ("    window: 24h\n", "", "refunds-per-day", "`window` is missing from a cap"),
    ("when_full: wait", "when_full: queue", "",
     "`when_full` must be one of refuse, wait, not `queue`"),
    ("title: Refund\n", "titel: Refund\n    title: x\n", "titel",
     "`titel` is not a key of a kind (did you mean `title`?)"),
    ("title: Refund\n", f"title: {'x' * 81}\n", "",
     f"`title` must be one line of text, at most 80 characters, not `{'x' * 40}...`"),
    ("title: Refund\n", "title: ' Refund'\n", "",
     "`title` must be one line of text, at most 80 characters, not ` Refund`"),
    ("title: Refund\n", 'title: "Re\\nfund"\n', "",
     "`title` must be one line of text, at most 80 characters, not `Re\\nfund`"),
    ("    title: Refund\n", "", "refund.issue:\n", "`title` is missing from a kind"),
    ("reversibility: 1\n", "reversibility: 4\n", "",
     "`reversibility` must be a whole number from 0 to 3, not `4`"),
    ("reversibility: 1\n", "reversibility: -1\n", "",
     "`reversibility` must be a whole number from 0 to 3, not `-1`"),
    ("      reversibility: 1\n", "", "axes:\n", "`reversibility` is missing from the axes"),
    ("catchable: yes", "catchable: perhaps", "",
     "`catchable` must be one of yes, unsure, no, not `perhaps`"),
    ("order: {type: id}", "order: {type: number}", "",
     "`type` must be one of id, text, money, integer, boolean, choice, record, not `number`"),
    ("order: {type: id}", "order: id", "", "a parameter must be a map of keys"),
    ("order: {type: id}", "order-id: {type: id}", "",
     "`order-id` is not a name for `params`: letters, digits and `_`, not beginning with a digit,"
     " at most 80 characters"),
    ("order: {type: id}", "order: {type: id, of: [a]}", "",
     "`of` stands only with `type: choice`"),
    ("order: {type: id}", "order: {type: id, chars_max: 5}", "",
     "`chars_max` stands only with `type: text`"),
    ("order: {type: id}", "order: {type: choice}", "", "`type: choice` needs `of`"),
    ("of: [damaged, other]", "of: [damaged, 1]", "",
     "item 2 of `of` must be one line of text, at most 100 characters;"
     ' write text in quotes: "1"'),
    ("of: [damaged, other]", "of: [damaged, damaged]", "", "`damaged` stands twice in `of`"),
    ("chars_max: 500", "chars_max: 100001", "",
     "`chars_max` must be a whole number from 1 to 100000, not `100001`"),
    ("needs: [order_owner, refundable]", "needs: order_owner", "", "`needs` must be a list"),
    ("runs_in: gateway", "runs_in: cloud", "",
     "`runs_in` must be one of gateway, agent, not `cloud`"),
    ("runs_in: gateway", "control: approve", "refund.issue:\n",
     "a kind takes only one of `control` and `bands`"),
    ("    control: run_and_log\n", "", "ticket.read:\n", "a kind needs `control` or `bands`"),
    ("control: run_and_log", "control: run", "control: run\n",
     f"`control` must be one of {CONTROLS}, not `run`"),
    ("control: run_and_log", "control: maker_checker", "control: maker_checker\n",
     "`control: maker_checker` needs `checkers`"),
    ("control: run_and_log", "control: run_and_log\n    checkers: 1", "checkers: 1\n",
     "`checkers` stands only with `control: maker_checker`"),
    ("JPY:", "jpy:", "", "`jpy` is not an ISO 4217 currency in capital letters"),
    ("JPY:\n", "JPY: []\n      EUR:\n", "", "`JPY` must have 1 to 20 items, not 0"),
    ('up_to: "5000"', 'up_to: "5000.5"', "", "`up_to`: `JPY` has no decimals"),
    ('up_to: "5000"', "up_to: 5000", "",
     '`up_to` must be an amount such as "50.00"; write text in quotes: "5000"'),
    ('up_to: "5000"', 'up_to: "5_000"', "",
     '`up_to` must be an amount such as "50.00", not `5_000`'),
    ('up_to: "5000"', 'up_to: "-5"', "", '`up_to` must be an amount such as "50.00", not `-5`'),
    ('up_to: "5000"', 'up_to: "0"', "", "`up_to`: the amount is zero"),
    ('up_to: "5000"', "up_to: 1e308", "",
     '`up_to` must be an amount such as "50.00", not `1e308`'),
    ('up_to: "5000"', f'up_to: "{"9" * 4000}"', "",
     "`up_to`: more than `1000000000000000` minor units"),
    ('{up_to: "5000", grade: G2, control: approve}', "approve", "- approve",
     "a band must be a map of keys"),
    ('{up_to: "5000", grade: G2,', '{up_to: "5000", grade: 2,', "",
     '`grade` must be one of G0, G1, G2, G3; write text in quotes: "2"'),
    ("checkers: 2", "checkers: 6", "",
     "`checkers` must be a whole number from 1 to 5, not `6`"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words", "said"), BAD_VALUES)
def test_bad_value_is_refused_with_its_line(old: str, new: str, words: str, said: str) -> None:
    """Each spoiled place gives one problem, on the line where it stands."""
    text = spoiled(old, new)
    line = line_with(text, words or new)
    assert [(problem.line, problem.text) for problem in problems_of(text)] == [(line, said)]
    with pytest.raises(PolicyInvalid) as raised:
        load_text(text, source="desk.yaml")
    assert raised.value.code == "policy_invalid"
    assert raised.value.message == f"desk.yaml:{line}: {said}"


WHOLE: Final = [
    ("[policy]", [(1, "a policy must be a map of keys")]),
    ("policy: p\nversion: 1\nlanes: {}\nkinds:\n  a\n",
     [(3, "`lanes` must have 1 to 100 entries, not 0"), (5, "`kinds` must be a map of names")]),
    ("policy: p\nlanes: []\nkinds: {}\ncaps: []\n",
     [(1, "`version` is missing from a policy"), (2, "`lanes` must be a map of names"),
      (3, "`kinds` must have 1 to 500 entries, not 0"), (4, "`caps` must be a map of names")]),
    ("policy: p\nversion: 1\nlanes: {a: {kinds: [b]}}\n",
     [(1, "`kinds` is missing from a policy")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), WHOLE)
def test_policy_without_its_parts(text: str, found: list[tuple[int, str]]) -> None:
    """A part that is missing or of another form is named once, and no more is said."""
    assert [(problem.line, problem.text) for problem in problems_of(text)] == found


def test_every_problem_is_collected() -> None:
    """One load names all problems, in the order of the lines."""
    text = GOOD.replace("scope: desk", "scope: moon").replace("version: 3", "version: x")
    text = text.replace("undo: refund.reverse", "undo: refund.revrese")
    with pytest.raises(PolicyInvalid) as raised:
        load_text(text, source="p")
    lines = raised.value.message.splitlines()
    places = ("version: x", "scope: moon", "undo:")
    assert [line.split(":")[1] for line in lines] == [str(line_with(text, at)) for at in places]


def test_number_of_problems_in_a_message_is_bounded() -> None:
    """Hundreds of problems end in a count."""
    text = GOOD + "".join(f"nonsense_{number}: x\n" for number in range(PROBLEMS_MAX + 7))
    with pytest.raises(PolicyInvalid) as raised:
        load_text(text, source="p")
    lines = raised.value.message.splitlines()
    assert len(lines) == PROBLEMS_MAX + 1
    assert lines[-1] == "p: and 7 more problems"


def test_good_policy_loads_to_the_types_of_the_core() -> None:
    """Every key of the sample arrives where it belongs."""
    policy = load_text(GOOD, source="p")
    assert (policy.name, policy.version) == ("small-desk", 3)
    assert policy.clocks == Clocks(approval_ms=14_400_000, attempt_ms=30_000)
    assert policy.lanes == {
        "support": LaneRule(name="support", kinds=("*",)),
        "triage": LaneRule(name="triage", kinds=("ticket.read",), connectors=("desk",)),
    }
    assert policy.caps == (
        CapRule(name="refunds-per-day", scope=Scope.DESK, limit=2_000_000, currency="USD",
                window_ms=86_400_000, kinds=("refund.issue",), when_full=WhenFull.WAIT),
        CapRule(name="replies", scope=Scope.AGENT, limit=30, window_ms=60_000),
    )  # fmt: skip
    assert list(policy.kinds) == ["refund.issue", "refund.reverse", "ticket.read"]
    assert policy.kinds["ticket.read"] == KindRule(
        kind=ActionKind(
            name="ticket.read",
            title="Read a ticket",
            connector="desk",
            axes=Axes(reversibility=0, blast_radius=0, stakes=0),
            params=(Param(name="ticket", type=ParamType.ID),),
        ),
        guard=Guard(control=Control.RUN_AND_LOG),
    )
    assert policy.digest == digest_policy(policy)


def test_kind_with_bands_loads_to_the_types_of_the_core() -> None:
    """Bands are in minor units; the guard beside them is the strictest of them."""
    two = Guard(control=Control.MAKER_CHECKER, checkers=2)
    approve = Guard(control=Control.APPROVE)
    assert load_text(GOOD, source="p").kinds["refund.issue"] == KindRule(
        kind=ActionKind(
            name="refund.issue",
            title="Refund",
            connector="desk",
            axes=Axes(reversibility=1, blast_radius=1, stakes=2),
            catchable=Catchable.YES,
            params=(
                Param(name="order", type=ParamType.ID),
                Param(name="amount", type=ParamType.MONEY),
                Param(name="reason", type=ParamType.CHOICE, choices=("damaged", "other")),
                Param(name="note", type=ParamType.TEXT, required=False, chars_max=500),
            ),
            value="amount",
            needs=("order_owner", "refundable"),
            undo="refund.reverse",
        ),
        guard=two,
        bands={
            "USD": (
                Band(
                    up_to_minor=5_000, grade=Grade.G2, guard=Guard(control=Control.RUN_AND_NOTIFY)
                ),
                Band(up_to_minor=100_000, grade=Grade.G2, guard=approve),
                Band(up_to_minor=None, grade=Grade.G3, guard=two),
            ),
            "JPY": (
                Band(up_to_minor=5_000, grade=Grade.G2, guard=approve),
                Band(
                    up_to_minor=None,
                    grade=Grade.G3,
                    guard=Guard(control=Control.MAKER_CHECKER, checkers=1),
                ),
            ),
        },
    )


def test_what_is_left_out_has_the_defaults_of_the_core() -> None:
    """The defaults of the tables are those of the types."""
    bare = GOOD.replace("clocks: {approval: 4h, attempt: 30s}\n", "")
    assert load_text(bare, source="p").clocks == Clocks()
    empty = GOOD.replace("clocks: {approval: 4h, attempt: 30s}\n", "clocks: {}\n")
    assert load_text(empty, source="p") == load_text(bare, source="p")


def test_agent_runs_what_the_policy_says() -> None:
    """`runs_in: agent` is permit mode."""
    policy = load_text(spoiled("runs_in: gateway", "runs_in: agent"), source="p")
    assert policy.kinds["refund.issue"].kind.runs_in_agent


@pytest.mark.parametrize(
    ("written", "read"), [("yes", True), ('"yes"', True), ("true", True), ("no", False),
                          ("'false'", False)]
)  # fmt: skip
def test_flags_read_the_same_with_and_without_quotes(written: str, read: bool) -> None:
    """Some YAML readers take `yes` for a boolean and others do not; here it does not matter."""
    policy = load_text(spoiled("any_customer: no", f"any_customer: {written}"), source="p")
    assert policy.lanes["triage"].any_customer is read


def test_digest_is_over_what_a_policy_means() -> None:
    """Comments, quotes and order of keys do not count; every value does."""
    digest = load_text(GOOD, source="p").digest
    rewritten = "# note\n" + GOOD.replace("scope: desk\n", "scope: 'desk'  # all\n")
    rewritten = rewritten.replace(
        "policy: small-desk\nversion: 3", "version: 3\npolicy: small-desk"
    )
    assert load_text(rewritten, source="other.yaml").digest == digest
    changed = load_text(spoiled('"50.00"', '"50.01"'), source="p").digest
    assert changed != digest
    assert len(digest) == 64
    assert int(digest, 16)


def test_file_and_pack_load(tmp_path: Path) -> None:
    """A path and the name of a pack both load; a path object too."""
    file = tmp_path / "desk.yaml"
    file.write_text(GOOD)
    assert load(file) == load(str(file)) == load_text(GOOD, source="p")
    assert load(pack_names()[0]).name == pack_names()[0]


def test_message_of_a_file_names_the_file(tmp_path: Path) -> None:
    """The source in a message is the path that was given."""
    file = tmp_path / "desk.yaml"
    file.write_text(spoiled("version: 3", "version: 0"))
    with pytest.raises(PolicyInvalid) as raised:
        load(file)
    assert raised.value.message.startswith(f"{file}:2: ")


@pytest.mark.parametrize("name", ["no-such-pack", "no/such/file.yaml", "missing.yml", "", "a\0b"])
def test_unknown_policy_is_not_found(name: str) -> None:
    """A name that is neither a pack nor a file has a code of its own."""
    with pytest.raises(NotFound) as raised:
        load(name)
    assert raised.value.code == "policy_not_found"


def test_not_found_names_the_packs() -> None:
    """Who mistypes a pack's name sees the names there are."""
    with pytest.raises(NotFound, match=", ".join(pack_names())):
        load("suport-desk")


def test_directory_is_not_a_policy(tmp_path: Path) -> None:
    """A folder is named as what it is."""
    with pytest.raises(NotFound, match="is a directory"):
        load(tmp_path)


def test_file_that_is_not_text_or_too_long_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and files without end, are refused before they are read through."""
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"policy: x\ntitle: caf\xe9\n")
    with pytest.raises(PolicyInvalid, match=r"latin.yaml:2: the file is not UTF-8"):
        load(latin)
    long = tmp_path / "long.yaml"
    long.write_bytes(b"a: " + "\u00e9".encode() * TEXT_BYTES_MAX)
    with pytest.raises(PolicyInvalid, match=f"longer than {TEXT_BYTES_MAX} bytes"):
        load(long)
