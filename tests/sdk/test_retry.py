"""When a call is made again, how often and after how long."""

from __future__ import annotations

import pytest

from handrail.sdk.errors import CallInvalid, ServerUnavailable
from handrail.sdk.retry import TRIES_MAX, Retry, asked
from handrail.sdk.steps import NoReply, WireCall, WireReply
from tests.sdk.script import CUT_OFF, NOT_SENT, play, problem

OK = WireReply(status=200, body=b"{}")
REFUSED = problem(422, "field_unknown")
FULL = problem(503, "store_full")
BUSY = problem(429, "too_many_attempts")
GATEWAY = WireReply(status=502, body=b"bad gateway")
LATE = WireReply(status=504, body=b"gateway timeout")
BROKEN = problem(500, "internal")

# what answers, whether the call may arrive twice, and the pauses between the tries
TABLE: list[tuple[list[WireReply | NoReply], bool, list[float]]] = [
    ([OK], True, []),
    ([REFUSED], True, []),
    ([BROKEN], True, []),
    ([LATE], True, []),
    ([FULL, OK], True, [1]),
    ([GATEWAY, BUSY, OK], True, [1, 2]),
    ([CUT_OFF, NOT_SENT, OK], True, [1, 2]),
    ([CUT_OFF, FULL, CUT_OFF, FULL, OK], True, [1, 2, 4, 4]),
    ([FULL] * 5, True, [1, 2, 4, 4]),
    ([FULL, REFUSED], True, [1]),
    # a call that may not arrive twice
    ([NOT_SENT, OK], False, [1]),
    ([FULL, BUSY, OK], False, [1, 2]),
    ([GATEWAY], False, []),
    ([NOT_SENT, GATEWAY], False, [1]),
]


def call(*, repeatable: bool = True) -> WireCall:
    """Some request."""
    return WireCall(method="POST", path="/v1/x", token=None, read_s=1.0, repeatable=repeatable)


def retry(tries: int = 5) -> Retry:
    """Doubles from one second up to four, without chance."""
    return Retry(tries=tries, first_s=1.0, longest_s=4.0, jitter=lambda: 1.0)


@pytest.mark.parametrize(("lines", "repeatable", "pauses"), TABLE)
def test_call_is_repeated_as_the_table_says(
    lines: list[WireReply | NoReply], repeatable: bool, pauses: list[float]
) -> None:
    """The last answer is the answer, and the number of tries comes with it."""
    played = play(asked(call(repeatable=repeatable), retry()), lines)
    assert played.result == (lines[-1], len(lines))
    expected = ["POST /v1/x"]
    for pause in pauses:
        expected += [f"pause {pause:g}", "POST /v1/x"]
    assert played.said == expected


@pytest.mark.parametrize(
    ("lines", "repeatable", "said"),
    [
        ([CUT_OFF], False, "(ReadError), once"),
        ([NOT_SENT, CUT_OFF], False, "(ReadError), 2 times"),
        ([CUT_OFF, CUT_OFF, NOT_SENT], True, "(ConnectError), 3 times"),
    ],
)
def test_no_answer_in_any_try_is_an_error(
    lines: list[NoReply], repeatable: bool, said: str
) -> None:
    """It says what happened last and how often it was tried."""
    played = play(asked(call(repeatable=repeatable), retry(3)), lines)
    assert isinstance(played.error, ServerUnavailable)
    assert (played.error.code, played.error.status) == ("server_unreachable", None)
    assert said in played.error.detail


def test_one_try_is_one_try() -> None:
    """With `tries=1` nothing is repeated."""
    assert play(asked(call(), retry(1)), [FULL]).said == ["POST /v1/x"]


@pytest.mark.parametrize(
    ("tried", "jitter", "wanted", "pause"),
    [
        (1, 0.0, None, 0.5),
        (1, 1.0, None, 1.0),
        (3, 0.5, None, 3.0),
        (9, 1.0, None, 4.0),
        (1, 1.0, 3.0, 3.0),
        (1, 1.0, 0.0, 1.0),
        (1, 1.0, 3600.0, 4.0),
        (20, 0.0, None, 2.0),
    ],
)
def test_pause_is_bounded_and_spread(
    tried: int, jitter: float, wanted: float | None, pause: float
) -> None:
    """Half of it is certain, half is chance; the server may ask for more, up to the top."""
    policy = Retry(first_s=1.0, longest_s=4.0, jitter=lambda: jitter)
    assert policy.pause_s(tried, wanted) == pause


@pytest.mark.parametrize(
    "wrong",
    [
        {"tries": 0},
        {"tries": TRIES_MAX + 1},
        {"first_s": -1.0},
        {"first_s": 9.0},
        {"first_s": float("nan")},
        {"longest_s": float("nan")},
    ],
)
def test_retry_without_an_end_is_refused(wrong: dict[str, float]) -> None:
    """No setting makes a client that never gives up."""
    with pytest.raises(CallInvalid):
        Retry(**wrong)  # type: ignore[arg-type]


def test_chance_lies_between_half_and_all() -> None:
    """Without a jitter of one's own, the pause is really spread."""
    pauses = {Retry(first_s=1.0).pause_s(1) for _ in range(200)}
    assert len(pauses) > 100
    assert 0.5 <= min(pauses) < max(pauses) <= 1.0
