"""Every public exception, each raised with a stable code.

A policy refusal is not an exception: it is a decision with reasons. An exception says that the
caller misused handrail, that a thing is missing or not theirs, that storage failed, or that the
set-up is wrong. `CODES` lists every code once, with the HTTP status that it becomes and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "CODES",
    "Code",
    "Conflict",
    "HandrailError",
    "InvalidInput",
    "InvariantBroken",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "PolicyInvalid",
    "SetupFailed",
    "Tampered",
    "Unavailable",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """One stable error code: its HTTP status and what it means, in plain English."""

    status: int
    meaning: str


class HandrailError(Exception):
    """Base of every public error. `code` is stable across releases; `message` is for people."""

    def __init__(self, code: str, message: str) -> None:
        if code not in CODES:
            raise KeyError(f"error code `{code}` is not in CODES")
        super().__init__(message)
        self.code: str = code
        self.message: str = message

    @property
    def status(self) -> int:
        """HTTP status of this error."""
        return CODES[self.code].status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidInput(HandrailError):
    """What was sent cannot be accepted; nothing was written."""


class PolicyInvalid(HandrailError):
    """A policy file does not load; the message names the line."""


class NotFound(HandrailError):
    """No such thing on this desk (another desk's things count as not there)."""


class Conflict(HandrailError):
    """The thing is no longer in the state that the call assumed."""


class NotAllowed(HandrailError):
    """The caller is known but may not do this."""


class NotAuthenticated(HandrailError):
    """The caller is not known, or the credential has ended."""


class Unavailable(HandrailError):
    """Storage or another part cannot take the call now; nothing was written."""


class SetupFailed(HandrailError):
    """handrail refuses to start on this set-up."""


class Tampered(HandrailError):
    """One action's record is not as handrail left it: somebody has changed the database.

    That action is left as it stands and never runs; the others go on, and a person is told.
    """

    def __init__(self, code: str, message: str, *, desk: str, proposal: str) -> None:
        super().__init__(code, message)
        self.desk = desk
        self.proposal = proposal


class InvariantBroken(HandrailError):
    """Something that must never happen was seen; the worker stops."""


def _code(status: int, meaning: str) -> Code:
    return Code(status=status, meaning=meaning)


CODES: Final[dict[str, Code]] = {
    # records and texts
    "float_in_record": _code(422, "a floating point number where only whole numbers are allowed"),
    "integer_too_large": _code(422, "a whole number beyond plus or minus 2^53 - 1"),
    "text_not_unicode": _code(422, "text with half a surrogate pair in it"),
    "key_not_ascii": _code(422, "a field name with characters outside ASCII"),
    "json_malformed": _code(400, "the body is not JSON"),
    "json_duplicate_key": _code(400, "a field is given twice in one object"),
    "record_too_deep": _code(422, "nested deeper than allowed, or more items than allowed"),
    "too_large": _code(413, "longer than allowed"),
    "leaf_too_large": _code(413, "a log entry longer than 8 KiB"),
    # money
    "money_is_float": _code(422, "money given as a floating point number"),
    "money_is_bool": _code(422, "money given as true or false"),
    "money_is_ambiguous": _code(422, "money without a currency, or a bare number"),
    "money_malformed": _code(422, "money text that is not digits, a point and a currency"),
    "money_negative": _code(422, "money below zero"),
    "money_zero": _code(422, "money of exactly zero"),
    "money_too_precise": _code(422, "more decimals than the currency has"),
    "money_unknown_currency": _code(422, "a currency that is not in ISO 4217"),
    "money_too_large": _code(422, "more money than one action may carry"),
    "money_wrong_type": _code(422, "money given as some other type"),
    "money_mixed_currency": _code(422, "two currencies in one sum or comparison"),
    # proposals
    "field_unknown": _code(422, "a field that this kind of action does not have"),
    "field_missing": _code(422, "a field that this kind of action needs"),
    "field_wrong_type": _code(422, "a field of the wrong type"),
    "field_malformed": _code(422, "a field whose text is not of the right form"),
    "subject_unknown": _code(422, "the order, ticket or customer named does not exist"),
    "connector_refused": _code(422, "the system of record says that this cannot be done"),
    "idempotency_conflict": _code(409, "the same key was used for different content"),
    "outcome_too_early": _code(409, "the lost attempt may still be under way"),
    "provider_ref_taken": _code(409, "that reference belongs to another action"),
    "undo_unavailable": _code(409, "this action cannot be undone, or no longer"),
    # reviews
    "stale_digest": _code(409, "the page showed something else than what is stored now"),
    "not_pending": _code(409, "nobody is being asked about this action any more"),
    "review_expired": _code(409, "the time to decide has run out"),
    "reviewed_already": _code(409, "this person has reviewed this action already"),
    "maker_is_checker": _code(403, "who made an action, or answers for its maker, may not pass it"),
    "delegation_cycle": _code(403, "an agent acts for itself by way of others"),
    "beneficiary_conflict": _code(403, "the action touches an account of this person's own"),
    "not_entitled": _code(403, "this person's role or limit does not cover this action"),
    "not_seasoned": _code(403, "this person's role or limit is too new for this action"),
    "not_assigned": _code(403, "others were drawn by lot to decide this action"),
    "amount_raised": _code(403, "an edit may lower an amount, never raise it"),
    "edit_refused": _code(409, "this action cannot be edited like that"),
    "too_soon": _code(409, "an approval before the action was shown long enough to be read"),
    "budget_spent": _code(403, "this person has decided so much that G3 goes to others"),
    "taken_already": _code(409, "somebody else has taken this action for now"),
    "checked_blind": _code(409, "several check this blind to each other, so nobody takes it"),
    "retype_missing": _code(422, "at G3 the amount is typed once more to approve"),
    "retype_wrong": _code(422, "what was typed once more is not what the action says"),
    "take_back_too_late": _code(409, "the action was sent before its approval was taken back"),
    "nothing_to_take_back": _code(409, "no approval of this person stands on the action"),
    "snooze_too_late": _code(409, "too little time is left to put the action off"),
    "reason_missing": _code(422, "a rejection needs a reason"),
    "nothing_can_run": _code(409, "no connector serves this kind, so approving it is not possible"),
    # lookups
    "proposal_not_found": _code(404, "no such action on this desk"),
    "task_not_found": _code(404, "no such task on this desk"),
    "principal_not_found": _code(404, "no such person or agent on this desk"),
    "desk_not_found": _code(404, "no such desk"),
    "desk_exists": _code(409, "there is a desk in that directory already"),
    "entry_not_found": _code(404, "no such log entry"),
    "page_not_found": _code(404, "no such page"),
    "method_not_allowed": _code(405, "this address does not take that method"),
    # halts and lanes
    "halted": _code(409, "work of this kind is stopped for now"),
    "halt_not_found": _code(404, "no such halt on this desk"),
    "halt_lifted": _code(409, "this halt was lifted already"),
    "lifter_is_puller": _code(403, "a halt is lifted by somebody else than who pulled it"),
    "lane_not_allowed": _code(403, "this agent may not work in that lane"),
    "too_many_tasks": _code(409, "this agent has too many open tasks"),
    "too_many_halts": _code(409, "too many halts are active; halt the desk instead"),
    # who is calling
    "credential_missing": _code(401, "no credential was sent"),
    "credential_unknown": _code(401, "the credential is not known"),
    "credential_revoked": _code(401, "the credential was revoked"),
    "task_expired": _code(401, "the task has ended"),
    "session_expired": _code(401, "the session has ended"),
    "login_failed": _code(401, "the name or the password is not right"),
    "too_many_attempts": _code(429, "too many failed logins; wait a minute"),
    "provider_refused": _code(401, "the login provider does not vouch for this person"),
    "provider_unavailable": _code(503, "the login provider does not answer"),
    "identity_unlinked": _code(401, "no account is linked with this identity"),
    "account_unclear": _code(401, "several accounts are linked with this identity; name one"),
    "invitation_over": _code(401, "the invitation was used, has run out, or was replaced"),
    "passkey_needed": _code(403, "at G3 a passkey of this person has to sign the approval"),
    "passkey_refused": _code(
        403, "what the passkey signed is not this, by this person, here and now"
    ),
    "passkey_taken": _code(409, "this passkey is known already, or there are too many"),
    "passkey_not_found": _code(404, "no such passkey of that person"),
    "proof_too_old": _code(403, "this needs that you have shown lately who you are"),
    "session_not_found": _code(404, "no such session of that person"),
    "csrf_failed": _code(403, "the form did not come from this console"),
    "role_missing": _code(403, "this person does not have the role for that"),
    "own_authority": _code(403, "nobody widens what they may do themselves"),
    "amendment_not_found": _code(404, "no such proposed policy on this desk"),
    "amendment_closed": _code(409, "this proposed policy was decided already"),
    "amendment_waits": _code(409, "a looser policy takes two people and its delay"),
    "amendment_stale": _code(409, "the active policy changed since; look again"),
    "policy_unchanged": _code(409, "this very policy is active or proposed already"),
    "policy_version_old": _code(409, "a policy's version only moves forward"),
    "grant_not_found": _code(404, "no such break-glass grant on this desk"),
    "grant_not_open": _code(409, "this break-glass grant is confirmed or closed already"),
    "permit_invalid": _code(409, "the permit is unknown, used up or for another action"),
    "principal_exists": _code(409, "there is already a person or agent of that name"),
    # telling people
    "channel_not_found": _code(404, "no such channel in use on this desk"),
    "channel_invalid": _code(422, "settings of a channel that do not go together"),
    # policy
    "policy_invalid": _code(422, "a policy that does not load"),
    "condition_invalid": _code(422, "a condition of a policy that is none"),
    "quorum_impossible": _code(422, "too few people could ever decide what the policy asks for"),
    "ask_not_kept": _code(404, "what this action was decided on was not kept"),
    "source_not_found": _code(404, "no such tool list or API description"),
    "source_malformed": _code(422, "not a tool list or API description that can be read"),
    "source_unreachable": _code(503, "the MCP server does not answer"),
    "file_exists": _code(409, "the file is there already"),
    "extra_missing": _code(503, "what this needs is an extra that is not installed"),
    "policy_not_found": _code(404, "no such policy file or pack"),
    "shadow_not_found": _code(404, "no candidate decides, or has decided, beside the policy"),
    "traffic_not_found": _code(404, "no such file of recorded traffic"),
    "backtest_running": _code(503, "another backtest is at work on this server"),
    "traffic_malformed": _code(422, "recorded traffic with a line that cannot be read"),
    # set-up and storage
    "store_locked": _code(503, "another process has this desk open"),
    "store_newer": _code(503, "the database was written by a newer version"),
    "store_damaged": _code(503, "the file is not a handrail database, or is damaged"),
    "store_full": _code(503, "the disk is full"),
    "store_failed": _code(503, "the database gave an error"),
    "store_closed": _code(503, "the desk is closed"),
    "store_is_replica": _code(503, "the database server is a replica, which takes no writes"),
    "store_too_old": _code(503, "the database server is older than this handrail needs"),
    "fsync_off": _code(503, "the database server does not bring commits to its disk"),
    "full_page_writes_off": _code(503, "the database server may tear pages in a crash"),
    "synchronous_commit_off": _code(503, "the database server answers before a commit is safe"),
    "commit_unknown": _code(503, "the connection broke while committing; it may be written"),
    "policy_moved": _code(503, "the policy changed just now; nothing was done, try again"),
    "directory_unwritable": _code(503, "the directory cannot be written"),
    "key_missing": _code(503, "a key file is missing"),
    "key_malformed": _code(503, "a key file is not a key"),
    "key_mismatch": _code(503, "the key file is not the one this desk was made with"),
    "note_malformed": _code(422, "text that is not a signed note"),
    "bundle_malformed": _code(422, "a file that is no proof, or is not signed by that key"),
    "proof_waits": _code(409, "checkers are still deciding; what one said is not shown before"),
    "proof_unsettled": _code(503, "the action kept moving while its proof was made; try again"),
    "log_shrunk": _code(503, "the log is smaller than its last saved checkpoint"),
    "log_damaged": _code(503, "the log does not verify"),
    "content_unreadable": _code(500, "sealed content cannot be opened"),
    "content_erased": _code(410, "the content was erased with its customer's key"),
    "connector_unavailable": _code(503, "the system of record did not answer; nothing was done"),
    "connector_unknown": _code(503, "the policy names a connector that is not configured"),
    "port_in_use": _code(503, "another program listens on that address"),
    "setting_malformed": _code(422, "a setting or option that makes no sense"),
    "nothing_lost": _code(409, "the log has everything that its kept checkpoints tell of"),
    "log_restoring": _code(503, "a restored desk whose open actions are not all looked up yet"),
    "tampered": _code(409, "this action's record was changed outside handrail; it is left alone"),
    "invariant_broken": _code(500, "handrail saw something that must never happen, and stopped"),
    "internal": _code(500, "an unexpected error; nothing ran because of it"),
    # seen by clients
    "server_unreachable": _code(503, "the handrail server did not answer"),
}
