"""The HTTP contract as values: what goes into a request, and what an answer means. No I/O.

Answers are read leniently where a newer server may say more (unknown fields, unknown states), and
strictly where something would be guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import urlsplit

from handrail.sdk.amount import as_text
from handrail.sdk.errors import (
    AnswerMalformed,
    CallInvalid,
    ClientError,
    ServerUnavailable,
    refusal_of,
)
from handrail.sdk.said import Handoff, TaskAction, TaskGrant
from handrail.sdk.steps import WireReply

__all__ = [
    "WAIT_MS_MAX",
    "check_credential",
    "checked_url",
    "proposal_path",
    "read_action",
    "read_batch",
    "read_grant",
    "read_handoff",
    "read_nothing",
    "task_path",
    "uuid7",
]

WAIT_MS_MAX: Final = 30_000
"""The longest that the server holds an answer back."""

DETAIL_CHARS_MAX: Final = 2_000
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
_CREDENTIAL: Final = re.compile(r"[\x21-\x7e]{1,500}")
_URL: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def checked_url(base_url: str) -> str:
    """The base address without a slash at its end; raises CallInvalid `setting_malformed`."""
    try:
        good = _URL.fullmatch(base_url) is not None and urlsplit(base_url).port != 0
    except ValueError:
        good = False
    if not good:
        raise CallInvalid(
            "setting_malformed", "`base_url` must look like `https://host` or `http://host:port`"
        )
    return base_url.rstrip("/")


def check_credential(name: str, credential: str) -> None:
    """Refuse a key or token that no header can carry."""
    if not _CREDENTIAL.fullmatch(credential):
        raise CallInvalid("setting_malformed", f"`{name}` must be visible ASCII characters")


def proposal_path(id: str, verb: str = "") -> str:
    """The path of an action. An id comes from a model as well, and must not lead elsewhere."""
    return f"/v1/proposals/{_checked_id(id)}{verb and '/' + verb}"


def task_path(id: str) -> str:
    """The path of a task."""
    return f"/v1/tasks/{_checked_id(id)}"


def uuid7(now_ms: int, entropy: bytes) -> str:
    """A UUID version 7 (RFC 9562, 5.7) of a time and ten random bytes."""
    value = (now_ms & (2**48 - 1)) << 80 | int.from_bytes(entropy[:10])
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def read_action(reply: WireReply) -> TaskAction:
    """The action in an answer; raises the error that the answer is."""
    return _action(_record(reply), reply.status)


def read_batch(reply: WireReply, count: int) -> list[TaskAction | ClientError]:
    """The items of a batch in their order: an action, or the error that this item alone got."""
    items = _record(reply).get("items")
    if not isinstance(items, list) or len(items) != count:
        _malformed(reply.status, f"a batch without its {count} items")
    return [_item(item, reply.status) for item in items]


def read_grant(reply: WireReply) -> TaskGrant:
    """The task in an answer."""
    record = _record(reply)
    return TaskGrant(
        id=_text(record, "id", reply.status),
        token=_text(record, "token", reply.status),
        lane=_optional_text(record, "lane", reply.status),
        ticket=_optional_text(record, "ticket", reply.status),
        expires_at=_optional_time(record, "expires_at"),
    )


def read_handoff(reply: WireReply) -> Handoff:
    """The escalation in an answer."""
    record = _record(reply)
    action = _optional_record(record, "action", reply.status)
    return Handoff(
        id=_text(record, "id", reply.status),
        due_at=_optional_time(record, "due_at"),
        action=None if action is None else _action(action, reply.status),
    )


def read_nothing(reply: WireReply) -> None:
    """Nothing, of a success; raises the error that the answer is."""
    _record(reply)


def _checked_id(id: str) -> str:
    if not _ID.fullmatch(id):
        raise CallInvalid("field_malformed", "an id is made of letters, digits, `_` and `-`")
    return id


def _record(reply: WireReply) -> dict[str, object]:
    """The object in the body of a success; anything else is raised."""
    try:
        record = json.loads(reply.body)
    except (ValueError, RecursionError):
        record = None
    if 200 <= reply.status < 300:
        if not isinstance(record, dict):
            _malformed(reply.status, "a body that is not a JSON object")
        return record
    raise _problem(record, reply.status)


def _problem(record: object, status: int) -> ClientError:
    """The error of a problem document (RFC 9457), or of an answer that is none."""
    if isinstance(record, dict) and isinstance(code := record.get("code"), str):
        detail = record.get("detail")
        detail = detail if isinstance(detail, str) else "the server gave no detail"
        return refusal_of(code, detail[:DETAIL_CHARS_MAX], status)
    said = f"the address answered {status} without handrail's reason"
    if status >= 500 or status == 429:
        return ServerUnavailable("server_unreachable", said, status)
    return AnswerMalformed("answer_malformed", f"{said}; is it a handrail server?", status)


def _item(item: object, status: int) -> TaskAction | ClientError:
    if not isinstance(item, dict):
        _malformed(status, "an item that is not an object")
    problem = item.get("problem")
    if not isinstance(problem, dict):
        return _action(item, status)
    own = problem.get("status")
    return _problem(problem, own if type(own) is int else status)


def _action(record: Mapping[str, object], status: int) -> TaskAction:
    params = _optional_record(record, "params", status)
    return TaskAction(
        id=_text(record, "id", status),
        kind=_text(record, "kind", status),
        state=_text(record, "state", status),
        control=_text(record, "control", status),
        says=_text(record, "says", status),
        final=_flag(record, "final", status),
        result=_optional_record(record, "result", status),
        permit=_optional_text(record, "permit", status),
        params=params and {name: as_text(value) for name, value in params.items()},
        undo_of=_optional_text(record, "undo_of", status),
        can_undo=_flag(record, "can_undo", status),
        says_reviewer=_optional_text(record, "says_reviewer", status),
    )


def _text(record: Mapping[str, object], name: str, status: int) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        _malformed(status, f"`{name}` is not text")
    return value


def _optional_text(record: Mapping[str, object], name: str, status: int) -> str | None:
    return None if record.get(name) is None else _text(record, name, status)


def _optional_time(record: Mapping[str, object], name: str) -> int | None:
    value = record.get(name)
    return value if type(value) is int else None


def _optional_record(
    record: Mapping[str, object], name: str, status: int
) -> dict[str, object] | None:
    value = record.get(name)
    if value is not None and not isinstance(value, dict):
        _malformed(status, f"`{name}` is not an object")
    return value


def _flag(record: Mapping[str, object], name: str, status: int) -> bool:
    value = record.get(name)
    if not isinstance(value, bool):
        _malformed(status, f"`{name}` is not true or false")
    return value


def _malformed(status: int, what: str) -> NoReturn:
    raise AnswerMalformed(
        "answer_malformed", f"the answer is not handrail's: {what}", status
    ) from None
