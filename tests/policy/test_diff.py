"""The semantic diff: which inputs are decided otherwise, and which way every setting goes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from handrail.core.policy import (
    Policy,
)
from handrail.policy.diff import compare
from handrail.policy.difference import (
    Direction,
    is_loosening,
    plain_of,
    report_text,
)
from handrail.policy.loader import load_text, source_text

LOOSER: Final = Direction.LOOSER
TIGHTER: Final = Direction.TIGHTER
DIFFERENT: Final = Direction.DIFFERENT

BASE: Final = """
policy: small
version: 1
clocks: {approval: 4h, recall: 2m}
by_lot: quorum
passkeys: own
lanes:
  front: {kinds: [refund.issue, refund.cancel, note.add, reply.send], agents: [scout]}
caps:
  out: {scope: agent, money: 500.00 USD, window: 1d, kinds: [refund.issue], halts_agent: yes}
accumulation:
  window: 30d
  currency: USD
  kinds: {refund.issue: 100}
  rates: {EUR: "1.10"}
  margin: 5
limits: {open_per_agent: 20}
kinds:
  refund.issue:
    title: Refund
    connector: desk
    axes: {reversibility: 1, blast_radius: 1, stakes: 2}
    params:
      order: {type: id}
      amount: {type: money}
      reason: {type: choice, of: [damaged, late]}
    value: amount
    needs: [order_total]
    undo: refund.cancel
    facts: {order_total: money, order_status: text}
    checks:
      paid:
        require: facts.order_status == "paid"
        otherwise: hold
        reviewer: The order is not paid.
    bands:
      USD:
        - {up_to: "50.00", grade: G2, control: run_and_notify}
        - {up_to: "1000.00", grade: G2, control: approve}
        - {grade: G3, control: maker_checker, checkers: 2}
    cleared:
      bands:
        USD:
          - {up_to: "100.00", grade: G2, control: run_and_notify}
          - {grade: G2, control: approve}
  refund.cancel:
    title: Reverse a refund
    connector: desk
    axes: {reversibility: 1, blast_radius: 1, stakes: 2}
    control: approve
  note.add:
    title: Note
    connector: desk
    axes: {reversibility: 0, blast_radius: 0, stakes: 1}
    catchable: unsure
    control: run_and_log
  reply.send:
    title: Reply
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 1}
    catchable: yes
    params: {body: {type: text, chars_max: 2000}}
    control: approve
"""

CLEARED: Final = BASE[BASE.index("    cleared:\n") : BASE.index("  refund.cancel:\n")]


def policy(*changes: tuple[str, str]) -> Policy:
    """The small policy with every first text of `changes` replaced by the second."""
    text = BASE
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return load_text(text, source="small")


CHANGES: Final[dict[str, tuple[tuple[str, str], set[tuple[Direction, str]]]]] = {
    "a limit rises": (
        ('up_to: "50.00"', 'up_to: "80.00"'),
        {
            (
                LOOSER,
                "`refund.issue` in USD, above 50.00 up to 80.00: approve -> run and notify,"
                " e.g. 65.00 USD",
            )
        },
    ),
    "a limit falls": (
        ('up_to: "1000.00"', 'up_to: "700.00"'),
        {
            (
                TIGHTER,
                "`refund.issue` in USD, above 700.00 up to 1000.00: approve (G2) -> 2 checkers"
                " (G3), e.g. 850.00 USD",
            )
        },
    ),
    "fewer checkers": (
        ("checkers: 2}", "checkers: 1}"),
        {
            (
                LOOSER,
                "`refund.issue` in USD, above 1000.00: 2 checkers -> 1 checker, e.g. 1500.00 USD",
            )
        },
    ),
    "another currency": (
        ("      USD:\n", "      EUR: [{grade: G2, control: approve}]\n      USD:\n"),
        {
            (
                LOOSER,
                "`refund.issue` in EUR, any amount: 2 checkers (G3) -> approve (G2),"
                " e.g. 50.00 EUR",
            )
        },
    ),
    "a control gets looser": (
        ("chars_max: 2000}}\n    control: approve", "chars_max: 2000}}\n    control: run_and_log"),
        {(LOOSER, "`reply.send`: approve -> run and log")},
    ),
    "a cap rises": (
        ("money: 500.00 USD", "money: 600.00 USD"),
        {(LOOSER, "cap `out`: 500.00 USD per agent -> 600.00 USD per agent")},
    ),
    "a cap's window shrinks": (("window: 1d", "window: 1h"), {(LOOSER, "1d -> 1h")}),
    "a cap counts for another": (("scope: agent", "scope: desk"), {(LOOSER, "something else")}),
    "a cap counts more": (
        ("kinds: [refund.issue], halts", "kinds: [refund.issue, reply.send], halts"),
        {(TIGHTER, "counts `reply.send` too")},
    ),
    "a cap counts everything": (
        ("kinds: [refund.issue], halts", "halts"),
        {(TIGHTER, "counts every kind too")},
    ),
    "a cap lets wait": (("halts_agent: yes", "halts_agent: yes, when_full: wait"), {(LOOSER, "")}),
    "a cap stops nobody": (("halts_agent: yes", "halts_agent: no"), {(LOOSER, "no longer stops")}),
    "a cap gets a new name": (("  out: {", "  outgoing: {"), {(LOOSER, "gone"), (TIGHTER, "new")}),
    "a longer wait for people": (("approval: 4h", "approval: 5h"), {(LOOSER, "4h -> 5h")}),
    "a longer recall": (("recall: 2m", "recall: 3m"), {(TIGHTER, "2m -> 3m")}),
    "seasoned checkers": (("recall: 2m", "recall: 2m, seasoning: 1d"), {(TIGHTER, "none -> 1d")}),
    "nobody is drawn": (("by_lot: quorum", "by_lot: never"), {(LOOSER, "quorum -> never")}),
    "less time to look": (
        ("passkeys: own", "passkeys: own\nattention: {dwell_percent: 50}"),
        {(LOOSER, "100% -> 50%")},
    ),
    "more time to look": (
        ("passkeys: own", "passkeys: own\nattention: {dwell_percent: 200}"),
        {(TIGHTER, "100% -> 200%")},
    ),
    "a budget of decisions": (
        ("passkeys: own", "passkeys: own\nattention: {per_hour: 60}"),
        {(TIGHTER, "`per_hour`: none -> 60")},
    ),
    "everybody signs at G3": (("passkeys: own", "passkeys: require"), {(TIGHTER, "require")}),
    "everybody is drawn": (("by_lot: quorum", "by_lot: always"), {(TIGHTER, "always")}),
    "more may be open": (("agent: 20", "agent: 30"), {(LOOSER, "20 -> 30")}),
    "no limit on what is open": (("{open_per_agent: 20}", "{}"), {(LOOSER, "20 -> none")}),
    "a shorter memory": (("window: 30d", "window: 7d"), {(LOOSER, "30d -> 7d")}),
    "sums in another currency": (
        (
            'currency: USD\n  kinds: {refund.issue: 100}\n  rates: {EUR: "1.10"}',
            'currency: EUR\n  kinds: {refund.issue: 100}\n  rates: {USD: "0.90"}',
        ),
        {(LOOSER, "sums are kept in EUR"), (TIGHTER, "no rate for EUR")},
    ),
    "half of it counts": (("refund.issue: 100", "refund.issue: 50"), {(LOOSER, "100% -> 50%")}),
    "another rate": (('"1.10"', '"1.20"'), {(LOOSER, "another rate for EUR")}),
    "no margin": (("margin: 5", "margin: 0"), {(LOOSER, "5% -> 0%")}),
    "bunching is told": (("margin: 5", "margin: 5\n  bunching: 30"), {(TIGHTER, "none -> 30")}),
    "a check is another one": (
        ("      paid:\n", "      settled:\n"),
        {
            (LOOSER, "check `paid` is gone: it holds unless facts.order_status"),
            (TIGHTER, "check `settled` is new: holds unless facts.order_status"),
        },
    ),
    "a check asks something else": (
        ('== "paid"', '!= "void"'),
        {(LOOSER, "check `paid` asks something else, and nobody can tell")},
    ),
    "a check refuses": (("otherwise: hold", "otherwise: refuse"), {(TIGHTER, "hold -> refuse")}),
    "a check only marks": (("otherwise: hold", "otherwise: flag"), {(LOOSER, "hold -> flag")}),
    "a check raises": (("otherwise: hold", "otherwise: raise_grade"), {(LOOSER, "hold -> raise")}),
    "a check says it otherwise": (
        ("The order is not paid.", "Nobody has paid for it."),
        {(DIFFERENT, "Nobody has paid")},
    ),
    "a check more": (
        (
            "    bands:\n",
            """      fresh:
        require: facts.order_total.minor > 0
        otherwise: flag
        reviewer: There is nothing to give back.
    bands:
""",
        ),
        {(TIGHTER, "check `fresh` is new: marks unless")},
    ),
    "a fact of another type": (
        ("order_total: money, order_status: text", "order_total: integer, order_status: text"),
        {(LOOSER, "`order_total` holds integer, not money")},
    ),
    "a fact more": (
        ("order_status: text}", "order_status: text, order_date: date}"),
        {(DIFFERENT, "may name the fact `order_date`")},
    ),
    "more is cleared": (
        ('up_to: "100.00"', 'up_to: "200.00"'),
        {
            (
                LOOSER,
                "`refund.issue`, when every check passes in USD, above 100.00 up to 200.00:"
                " approve -> run and notify, e.g. 150.00 USD",
            )
        },
    ),
    "a condition on what is cleared": (
        ("    cleared:\n", "    cleared:\n      when: facts.order_total.minor < 5000\n"),
        {(TIGHTER, "always -> facts.order_total")},
    ),
    "nothing is cleared": (
        (CLEARED, ""),
        {(TIGHTER, "no longer has bands of its own"), (TIGHTER, "when every check passes in USD")},
    ),
    "a fact less": (("    needs: [order_total]\n", ""), {(LOOSER, "no longer needed")}),
    "another system": (
        ("title: Note\n    connector: desk", "title: Note\n    connector: crm"),
        {(LOOSER, "served by `crm`")},
    ),
    "no way back": (
        ("control: run_and_log", "control: run_and_log\n    runs_in: agent"),
        {(LOOSER, "runs in the agent")},
    ),
    "an axis falls": (("blast_radius: 0, stakes: 1", "blast_radius: 0, stakes: 0"), {(LOOSER, "")}),
    "catchable after all": (("catchable: unsure", "catchable: yes"), {(LOOSER, "unsure -> yes")}),
    "one more reason": (("damaged, late", "damaged, late, other"), {(LOOSER, "`reason`")}),
    "one reason less": (("of: [damaged, late]", "of: [damaged]"), {(TIGHTER, "`reason`")}),
    "longer replies": (("chars_max: 2000", "chars_max: 3000"), {(LOOSER, "`body`")}),
    "a lane for others": (("agents: [scout]", "agents: [scout, ranger]"), {(LOOSER, "`ranger`")}),
    "a lane for everybody": (
        ("agents: [scout]", 'agents: "*"'),
        {(LOOSER, "any agent that no lane names may ask for lane `front`")},
    ),
    "any customer": (
        ("agents: [scout]", "agents: [scout], any_customer: yes"),
        {(LOOSER, "customers that the task does not name")},
    ),
    "a title": (("title: Note", "title: Remark"), {(DIFFERENT, "called `Remark`")}),
    "a name": (("policy: small", "policy: tiny"), {(DIFFERENT, "`small` -> `tiny`")}),
    "a version": (("version: 1", "version: 2"), set()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_goes_its_way(what: str) -> None:
    """Every change is told, in its direction and in words; and back again the other way."""
    change, wanted = CHANGES[what]
    old, new = policy(), policy(change)
    found = compare(old, new)
    for direction, words in wanted:
        assert [one for one in found if one.direction is direction and words in one.text], found
    expected = {direction for direction, _ in wanted}
    assert {one.direction for one in found} <= expected | {DIFFERENT}, found
    assert is_loosening(found) is (LOOSER in expected)
    back = compare(new, old)
    assert bool(back) is bool(found)
    if expected == {TIGHTER}:
        assert is_loosening(back)


def test_the_same_policy_does_not_differ() -> None:
    """A policy and itself."""
    assert compare(policy(), policy()) == ()
    assert report_text(()) == "no difference"


def test_a_kind_that_is_new() -> None:
    """N10: it was held for two as not declared, and outside every lane; now it runs alone there."""
    old = msgspec.structs.replace(
        policy(), kinds={n: r for n, r in policy().kinds.items() if n != "note.add"}
    )
    texts = [one.text for one in compare(old, policy()) if one.direction is LOOSER]
    assert texts == [
        "`note.add` (not declared before): 2 checkers (G3) -> run and log (G1)",
        "lane `front` may touch `note.add`",
    ]


def test_a_claim_that_no_longer_raises() -> None:
    """A higher axis swallows the agent's claim: the control with it falls, and that is found."""
    axes = "reversibility: 0, blast_radius: 0, stakes: 1"
    new = policy((axes, axes.replace("stakes: 1", "stakes: 2")))
    texts = [one.text for one in compare(policy(), new) if one.direction is LOOSER]
    assert texts == ["`note.add`, when the agent itself says G2: approve -> run and log"]


def test_a_promise_of_an_undo() -> None:
    """Without it what runs can no longer be reversed, and the reversal may run by itself."""
    changes = ("    undo: refund.cancel\n", ""), ("run_and_notify", "approve"), (CLEARED, "")
    new = policy(*changes)
    found = compare(policy(), new)
    texts = [one.text for one in found if one.direction is LOOSER]
    assert "`refund.issue`: what ran can no longer be reversed" in texts
    assert "`refund.cancel`: refuse (G3) -> approve (G2)" in texts


def test_it_is_written_as_json() -> None:
    """A class comes with an example and both decisions; a setting with none."""
    new = policy(('up_to: "50.00"', 'up_to: "80.00"'), ("recall: 2m", "recall: 1m"))
    found = compare(policy(), new)
    plain = msgspec.json.decode(msgspec.json.encode([plain_of(one) for one in found]))
    assert [one["direction"] for one in plain] == ["looser", "looser"]
    assert plain[0]["example"] == {
        "kind": "refund.issue",
        "lane": None,
        "amount": "65.00 USD",
        "as_undo": False,
        "cleared": False,
        "found": [],
        "before": {"control": "approve", "checkers": 0, "grade": "G2"},
        "after": {"control": "run_and_notify", "checkers": 0, "grade": "G2"},
    }
    assert plain[1]["example"] is None


@pytest.mark.parametrize("name", ["support-desk"])
def test_a_pack_against_itself_in_parts(name: str) -> None:
    """Taking any one kind, lane or cap out of a pack is told."""
    whole = load_text(source_text(name), source=name)
    for field in ("kinds", "lanes"):
        for key in getattr(whole, field):
            rest = {k: v for k, v in getattr(whole, field).items() if k != key}
            changes: dict[str, Any] = {field: rest}
            assert compare(whole, msgspec.structs.replace(whole, **changes)), key
    for cap in whole.caps:
        rest_of = tuple(one for one in whole.caps if one is not cap)
        assert is_loosening(compare(whole, msgspec.structs.replace(whole, caps=rest_of)))
