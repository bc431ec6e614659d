"""Backtests on small traffic, written out: what is counted, refused, shown and said."""

from __future__ import annotations

import io
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import msgspec
import pytest

from handrail.core.policy import Policy
from handrail.engine.base.context import Rulebook
from handrail.errors import InvalidInput
from handrail.policy.loader import load_text, source_text
from handrail.prove.backtest.fate import Fate
from handrail.prove.backtest.page import page_of
from handrail.prove.backtest.replay import Replay
from handrail.prove.backtest.report import record_of, text_of
from handrail.prove.backtest.run import backtest
from handrail.prove.backtest.tally import Forecast
from handrail.prove.backtest.traffic import (
    Findings,
    Heard,
    Recorded,
    chunks_of,
    encode_line,
    read_lines,
)

NOW: Final = 1_790_000_000_000
MINUTE: Final = 60_000
DAY: Final = 86_400_000
PACK: Final = load_text(source_text("support-desk"), source="support-desk")
LINE: Final = '{"v":1,"at":1,"kind":"kb.search","lane":"support","agent":"bot"}'


def refund(at: int, minor: int, customer: str = "c1", **more: object) -> Recorded:
    """A refund in dollars."""
    fields = {"currency": "USD", "value_minor": minor, "customer": customer, **more}
    return msgspec.convert(
        {"v": 1, "at": at, "kind": "refund.issue", "lane": "support", "agent": "bot", **fields},
        Recorded,
    )


def run(*records: Recorded, policy: Policy = PACK) -> Forecast:
    """What the policy does with them."""
    replay = Replay(Rulebook(policy))
    replay.feed(records)
    return replay.outcome()


def test_bands_sums_and_people() -> None:
    """Small alone, the sum asks, three bands ask one, one and two people."""
    outcome = run(
        refund(NOW, 3_000),
        refund(NOW + MINUTE, 3_000),
        refund(NOW + 2 * MINUTE, 90_000, "c2"),
        refund(NOW + 3 * MINUTE, 300_000, "c3"),
        refund(NOW + 4 * MINUTE, 600_000, "c4"),
    )
    assert outcome.count(Fate.ALONE) == 1
    assert outcome.count(Fate.ASKED) == 4
    assert outcome.all_prompts == 1 + 1 + 1 + 2
    assert outcome.later == {"ran": 4}
    assert outcome.money(Fate.ALONE) == {"USD": 3_000}


def test_what_people_said_is_kept_and_silence_never_approves() -> None:
    """A rejection ends it, silence expires; where nobody was asked then, they approve."""
    no = Heard(at=NOW + MINUTE, said="rejected")
    silence = Heard(at=NOW + 4 * 3_600_000, said="expired")
    outcome = run(
        refund(NOW, 9_000, answers=[no]),
        refund(NOW, 9_000, "c2", answers=[silence]),
        refund(NOW, 9_000, "c3"),
    )
    assert outcome.later == {"expired": 1, "ran": 1, "rejected": 1}


def test_what_was_found_in_texts_is_in_the_record() -> None:
    """C12: counts alone say whether a reply goes out by itself; no text is needed for that."""
    pack = load_text(source_text("support-desk-recall"), source="support-desk-recall")
    reply = Recorded(v=1, at=NOW, kind="reply.send", lane="support", agent="bot", customer="c1")
    found = [None, {}, {"promise": 1, "any": 1}]
    told = run(*(msgspec.structs.replace(reply, triggers=one) for one in found), policy=pack)
    assert (told.count(Fate.HELD), told.count(Fate.ASKED), told.unread) == (1, 2, 0)


def test_findings_raise_and_lanes_refuse() -> None:
    """N10: what is missing is asked, what is outside is refused, an unknown kind is held."""
    other = msgspec.structs.replace(refund(NOW, 1_000, "c3"), kind="no.such")
    outcome = run(
        refund(NOW, 1_000, found=Findings(missing=("order_owner",))),
        refund(NOW, 1_000, "c2", found=Findings(outside=True)),
        other,
        refund(NOW, 1_000, "c4", found=Findings(stopped="halted")),
    )
    fates = [Fate.ASKED, Fate.REFUSED, Fate.STOPPED, Fate.ALONE]
    assert [outcome.count(fate) for fate in fates] == [2, 1, 1, 0]
    assert outcome.all_prompts == 1 + 2


def test_a_failure_gives_back_and_an_unknown_outcome_never_does() -> None:
    """Certainly not done counts for nothing afterwards; unknown counts for good."""
    failed = refund(NOW, 4_000, ended="failed", took_ms=MINUTE)
    unknown = refund(NOW, 4_000, "c2", ended="unknown")
    later = NOW + 400 * DAY
    outcome = run(failed, unknown, refund(later, 4_000), refund(later, 4_000, "c2"))
    assert outcome.count(Fate.ALONE) == 3
    assert outcome.count(Fate.ASKED) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{LINE}\nno json\n", "line 2: "),
        (f"{LINE}\n\n{LINE}\n", "line 2: the line is empty"),
        (f"{LINE}{LINE}\n", "line 1: "),
        (LINE.replace('"v":1', '"v":2') + "\n", "line 1: "),
        (LINE.replace('"at":1', '"at":1.5') + "\n", "line 1: "),
        (LINE.replace('"agent"', '"agnt"') + "\n", "line 1: "),
        (LINE.replace('"bot"', '"bot","value_minor":5') + "\n", "line 1: `value_minor` and"),
        (LINE.replace('"bot"', '"bot","value_minor":5,"currency":"XXX"') + "\n", "line 1: `XXX`"),
        (LINE.replace('"bot"', '"bot","value_minor":-5,"currency":"USD"') + "\n", "line 1: "),
        (LINE.replace('"at":1', '"at":5') + f"\n{LINE}\n", "line 2: `at` is earlier"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_skipped(tmp_path: Path, text: str, why: str) -> None:
    """Every line counts or is refused by its number."""
    file = tmp_path / "traffic.jsonl"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refusal:
        backtest(PACK, file)
    assert refusal.value.code == "traffic_malformed"
    assert refusal.value.message.startswith(why)


def test_numbers_of_lines_hold_over_pieces() -> None:
    """A file that is read in small pieces gives the same actions, each once."""
    records = [refund(NOW + n, 100 + n) for n in range(50)]
    for data in (b"".join(map(encode_line, records)), b"".join(map(encode_line, records))[:-1]):
        for size in (7, 400, 10**6):
            found: list[Recorded] = []
            for chunk in chunks_of(io.BytesIO(data), size):
                found += read_lines(chunk, len(found) + 1)
            assert found == records


class _Tags(HTMLParser):
    """Every tag with its attributes, and every `style` text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_is_one_file_without_scripts() -> None:
    """It loads nothing, keeps its own strict rules, and has a table beside every chart."""
    evil = msgspec.structs.replace(refund(NOW + DAY, 1_000, "c3"), kind="<script>alert(1)</script>")
    outcome = run(refund(NOW, 3_000), refund(NOW + DAY, 6_000, "c2"), evil)
    page = page_of(outcome, 2, outcome)
    parsed = _Tags()
    parsed.feed(page)
    names = [tag for tag, _ in parsed.tags]
    assert "script" not in names
    assert not {"link", "img", "iframe"} & set(names)
    attributes = {name for _, found in parsed.tags for name in found}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}
    style = page.partition("<style>")[2].partition("</style>")[0]
    seal = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{seal}'" in page
    charts = sum(found.get("role") == "img" for tag, found in parsed.tags if tag == "svg")
    assert charts == names.count("details") == 4
    assert "prefers-color-scheme:dark" in page


def test_text_and_record_say_the_same() -> None:
    """Prompts per reviewer and day, value at risk, what was wrong; before and after."""
    wrong = refund(NOW, 3_000, label="wrong")
    outcome = run(wrong, refund(NOW + DAY, 6_000, "c2"))
    text = text_of(outcome, 2, outcome)
    assert "Prompts per reviewer and day: 0.3  [against: 0.3]" in text
    assert "Ran alone: 1, 30.00 USD" in text
    assert "Ran alone, known to be wrong: 1, 30.00 USD" in text
    record = record_of(outcome, 2)
    assert record["prompts"] == 1
    assert record["value_at_risk"] == record["wrong_alone"] == {"USD": 3_000}
    empty = run()
    assert "Actions: 0 on 0 days" in text_of(empty, 1)
    assert "the traffic is empty" in page_of(empty, 1)
