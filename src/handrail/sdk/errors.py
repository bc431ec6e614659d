"""What the client raises. Every failure is a `ClientError` with a stable code.

The SDK stands alone, so that these are not the server's exceptions, but they carry its codes.
"""

from __future__ import annotations

from typing import Final

from handrail.sdk.said import TaskAction

__all__ = [
    "AccessRefused",
    "AlreadyRan",
    "AnswerMalformed",
    "CallConflict",
    "CallInvalid",
    "ClientError",
    "Ended",
    "Held",
    "InDoubt",
    "NoResult",
    "NothingThere",
    "Refused",
    "ServerUnavailable",
    "refusal_of",
]


class ClientError(Exception):
    """Base of all of them. `code` is stable; `detail` is for people.

    `status` is the HTTP status of the answer, None when the failure was seen without one.
    """

    def __init__(self, code: str, detail: str, status: int | None = None) -> None:
        super().__init__(code, detail, status)
        self.code = code
        self.detail = detail
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class CallInvalid(ClientError):
    """What was to be sent cannot be accepted; nothing was proposed."""


class AccessRefused(ClientError):
    """The key or token is unknown, has ended, or does not reach that far."""


class NothingThere(ClientError):
    """No such task or action for this caller, or no such address."""


class CallConflict(ClientError):
    """The action is no longer in the state that the call assumed, or the key is taken."""


class ServerUnavailable(ClientError):
    """The server gave no answer, or could not take the call, in any of the tries.

    What was sent may have arrived all the same: the same `key` is safe to send again.
    """


class AnswerMalformed(ClientError):
    """What answered does not speak handrail's HTTP contract."""


class NoResult(ClientError):
    """A guarded tool has no result to return. `action` says where it stands.

    `says` is written for the model: what happened, what to tell the customer, what not to retry.
    """

    code_always: str = "no_result"

    def __init__(self, action: TaskAction) -> None:
        super().__init__(self.code_always, action.says)
        self.args = (action,)
        self.action = action

    @property
    def says(self) -> str:
        """What the model should be told."""
        return self.action.says


class Held(NoResult):
    """It waits: for a person, for a delay in which it can be recalled, or for a cap."""

    code_always = "held"


class Refused(NoResult):
    """A rule or a person said no."""

    code_always = "refused"


class Ended(NoResult):
    """It ended without running, and nobody said no: expired, withdrawn, replaced, handed over."""

    code_always = "ended"


class InDoubt(NoResult):
    """It runs under somebody else's permit, or nobody knows yet whether it was done."""

    code_always = "in_doubt"


class AlreadyRan(NoResult):
    """It was done earlier under the same key, and its result was not kept."""

    code_always = "already_ran"


_BY_STATUS: Final[dict[int, type[ClientError]]] = {
    401: AccessRefused,
    403: AccessRefused,
    404: NothingThere,
    409: CallConflict,
    410: NothingThere,
    429: ServerUnavailable,
}


def refusal_of(code: str, detail: str, status: int) -> ClientError:
    """The error for an HTTP status that is not a success."""
    if status < 400:
        return AnswerMalformed(code, detail, status)
    usual = ServerUnavailable if status >= 500 else CallInvalid
    return _BY_STATUS.get(status, usual)(code, detail, status)
