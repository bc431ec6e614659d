"""Reading recorded conversations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.tau import traffic as room
from benchmarks.tau.traffic import RECORDED, SAMPLE, TrafficInvalid, load_traffic, pick_traffic

LINE = {
    "id": "c-0",
    "set": "s",
    "domain": "retail",
    "task": 0,
    "trial": 1,
    "customer": None,
    "messages": [
        {"role": "user", "content": "hi\u2028there"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c-0#1", "name": "look", "arguments": {"a": 1}},
                {"id": "c-0#2", "name": "find", "arguments": {}},
            ],
        },
        {"role": "tool", "content": "Error: no", "tool_call_id": "c-0#1"},
        {"role": "assistant", "content": "sorry"},
    ],
}


def written(folder: Path, *lines: object) -> Path:
    """A folder with these lines of traffic."""
    text = "".join(
        one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) + "\n" for one in lines
    )
    (folder / "trajectories.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_a_conversation_is_read_whole(tmp_path: Path) -> None:
    """Turns keep their order, and each call knows its turn and the answer it got."""
    (one,) = load_traffic(written(tmp_path, LINE)).conversations
    assert (one.id, one.set, one.domain, one.trial, one.customer) == (
        "c-0",
        "s",
        "retail",
        1,
        None,
    )
    assert [turn.role for turn in one.messages] == ["user", "assistant", "tool", "assistant"]
    assert one.messages[1].call_ids == ("c-0#1", "c-0#2")
    assert one.messages[2].call_ids == ("c-0#1",)
    first, second = one.calls
    assert (first.tool, first.arguments, first.turn) == ("look", {"a": 1}, 1)
    assert (first.answer, first.was_refused) == ("Error: no", True)
    assert (second.answer, second.was_refused) == (None, False)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["{\n"], "line 1: not JSON"),
        ([LINE, "[1]\n"], "line 2: not an object"),
        ([{"id": "x"}], "line 1: not a conversation"),
        ([{**LINE, "messages": [1]}], "line 1: not a conversation"),
        ([LINE, LINE], "conversation `c-0` is there twice"),
        ([LINE, {**LINE, "id": "c-1"}], "call `c-0#1` is there twice"),
    ],
)
def test_traffic_that_cannot_be_read(tmp_path: Path, lines: list[object], says: str) -> None:
    """A bad file is named with its line."""
    with pytest.raises(TrafficInvalid, match=says):
        load_traffic(written(tmp_path, *lines))


def test_a_named_folder_must_be_there(tmp_path: Path) -> None:
    """The sample never stands in silently for traffic that somebody named."""
    with pytest.raises(TrafficInvalid, match="cannot read"):
        pick_traffic(tmp_path / "nowhere")


def test_the_sample_says_that_it_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without recorded traffic the sample is taken, and every report says so."""
    monkeypatch.setattr(room, "RECORDED", tmp_path)
    taken = pick_traffic(None)
    assert taken.is_sample
    assert "sample of our own making" in taken.origin
    written(tmp_path, LINE)
    taken = pick_traffic(None)
    assert not taken.is_sample
    assert str(tmp_path) in taken.origin


def test_the_sample_is_not_copied_from_recorded_traffic() -> None:
    """No customer of the sample is in the recorded traffic, where that is at hand."""
    sample = {one.customer for one in load_traffic(SAMPLE).conversations}
    assert len(sample) == 6
    recorded = RECORDED / "trajectories.jsonl"
    text = recorded.read_text(encoding="utf-8") if recorded.is_file() else ""
    assert not [who for who in sample if str(who) in text]
