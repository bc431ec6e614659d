"""What an agent imports: a thin client of handrail's HTTP API, and the `@guard` decorator.

    from handrail.sdk import Handrail

    with Handrail("https://handrail.example", api_key=key) as desk:
        task = desk.task(ticket="T-101")
        action = task.propose("refund.issue", order="O-5001", amount="18.50 USD", reason="damaged")
        print(action.says)

It stands alone: the standard library and httpx, nothing of the rest of handrail.
"""

from __future__ import annotations

from handrail.sdk.aclient import AsyncHandrail, AsyncTaskClient
from handrail.sdk.client import Handrail, TaskClient
from handrail.sdk.errors import (
    AccessRefused,
    AlreadyRan,
    AnswerMalformed,
    CallConflict,
    CallInvalid,
    ClientError,
    Ended,
    Held,
    InDoubt,
    NoResult,
    NothingThere,
    Refused,
    ServerUnavailable,
)
from handrail.sdk.guard import guard, resume
from handrail.sdk.retry import Retry
from handrail.sdk.said import Handoff, TaskAction, TaskGrant

__all__ = [
    "AccessRefused",
    "Action",
    "AlreadyRan",
    "AnswerMalformed",
    "AsyncHandrail",
    "AsyncTaskClient",
    "CallConflict",
    "CallInvalid",
    "Ended",
    "Handoff",
    "Handrail",
    "HandrailError",
    "Held",
    "InDoubt",
    "NoResult",
    "NothingThere",
    "Refused",
    "Retry",
    "ServerUnavailable",
    "TaskClient",
    "TaskGrant",
    "guard",
    "resume",
]

# The agent's side has its own, shorter words for these two. The classes are named otherwise, since
# the engine has an `Action` and a `HandrailError` of its own that the SDK may not know.
Action = TaskAction
HandrailError = ClientError
