"""The client's errors as Python objects."""

from __future__ import annotations

import copy
import pickle

import pytest

from handrail.sdk.errors import CallInvalid, ClientError, Held, ServerUnavailable
from tests.sdk.script import ID, action, play, task_talk


def held() -> Held:
    """A call that waits."""
    waiting = play(task_talk().get(ID), [action("PENDING")]).result
    assert waiting is not None
    return Held(waiting)


@pytest.mark.parametrize(
    "error",
    [
        CallInvalid("float_in_record", "`amount` is a float"),
        ServerUnavailable("store_full", "the disk is full", 503),
        held(),
    ],
)
def test_error_survives_the_way_to_another_process(error: ClientError) -> None:
    """Agents run in pools of processes; an error comes out as it went in."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert (twin.code, twin.status, twin.detail) == (error.code, error.status, error.detail)


def test_words_for_the_model_are_the_detail() -> None:
    """What is logged by chance is what the model may read."""
    error = held()
    assert error.says == error.detail == "told: PENDING"
    assert str(error) == "held: told: PENDING"
    assert error.action.id == ID
