"""What an answer means, and what may go into a request: tables, no I/O."""

from __future__ import annotations

import json
import re
import uuid

import pytest

from handrail.core.lifecycle import FINAL, State
from handrail.core.money import EXPONENTS, Money
from handrail.errors import CODES
from handrail.sdk.amount import DECIMALS, as_text
from handrail.sdk.errors import (
    AccessRefused,
    AnswerMalformed,
    CallConflict,
    CallInvalid,
    ClientError,
    NothingThere,
    ServerUnavailable,
)
from handrail.sdk.steps import WireReply
from handrail.sdk.wire import (
    checked_url,
    proposal_path,
    read_action,
    read_batch,
    read_grant,
    read_handoff,
    uuid7,
)
from tests.sdk.script import action, problem

GOOD = json.loads(action("PENDING").body)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_server_becomes_an_error(code: str) -> None:
    """An error keeps the server's code, status and detail, and its class follows the status."""
    status = CODES[code].status
    with pytest.raises(ClientError) as caught:
        read_action(problem(status, code))
    error = caught.value
    assert (error.code, error.status, error.detail) == (code, status, "because")
    expected = {401: AccessRefused, 403: AccessRefused, 404: NothingThere, 410: NothingThere}
    expected |= {409: CallConflict, 429: ServerUnavailable}
    usual = ServerUnavailable if status >= 500 else CallInvalid
    assert type(error) is expected.get(status, usual)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "said"),
    [
        (502, "<h1>Bad Gateway</h1>", ServerUnavailable, "server_unreachable", "answered 502"),
        (503, "", ServerUnavailable, "server_unreachable", "answered 503"),
        (429, "slow down", ServerUnavailable, "server_unreachable", "answered 429"),
        (404, "<h1>nginx</h1>", AnswerMalformed, "answer_malformed", "is it a handrail server?"),
        (302, "", AnswerMalformed, "answer_malformed", "answered 302"),
        (200, "<h1>Welcome</h1>", AnswerMalformed, "answer_malformed", "not a JSON object"),
        (200, "[]", AnswerMalformed, "answer_malformed", "not a JSON object"),
        (200, "{}", AnswerMalformed, "answer_malformed", "`id` is not text"),
        (200, "[" * 100_000, AnswerMalformed, "answer_malformed", "not a JSON object"),
        (400, '{"code": 7}', AnswerMalformed, "answer_malformed", "answered 400"),
        (422, '{"code": "money_zero"}', CallInvalid, "money_zero", "no detail"),
    ],
)
def test_what_does_not_speak_the_contract_is_named(
    status: int, body: str, kind: type[ClientError], code: str, said: str
) -> None:
    """A proxy's page, a redirect or somebody else's JSON is never taken for an action."""
    with pytest.raises(kind) as caught:
        read_action(WireReply(status=status, body=body.encode()))
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, status)
    assert said in caught.value.detail


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("id", 7, "`id` is not text"),
        ("state", None, "`state` is not text"),
        ("says", ["x"], "`says` is not text"),
        ("final", "false", "`final` is not true or false"),
        ("final", 0, "`final` is not true or false"),
        ("can_undo", None, "`can_undo` is not true or false"),
        ("result", "done", "`result` is not an object"),
        ("params", [], "`params` is not an object"),
        ("permit", 1, "`permit` is not text"),
    ],
)
def test_field_of_the_wrong_type_is_not_guessed(field: str, value: object, said: str) -> None:
    """Each field is what the contract says, or the answer counts for nothing."""
    body = json.dumps({**GOOD, field: value}).encode()
    with pytest.raises(AnswerMalformed, match=said):
        read_action(WireReply(status=200, body=body))


def test_newer_server_may_say_more() -> None:
    """Fields and states that this client does not know yet are no error."""
    body = json.dumps({**GOOD, "state": "DREAMING", "final": False, "colour": 1.5}).encode()
    found = read_action(WireReply(status=200, body=body))
    assert (found.state, found.ran, found.waits, found.refused) == ("DREAMING", False, False, False)


STANDING = """
PROPOSED    -
PENDING     waits
HOLDING     waits
READY       waits
EXECUTING   -
UNKNOWN     -
SUCCEEDED   ran
FAILED      -
REFUSED     refused
REJECTED    refused
EXPIRED     -
WITHDRAWN   -
SUPERSEDED  -
ESCALATED   -
"""


def test_each_state_ran_waits_was_refused_or_none_of_them() -> None:
    """Only a no is a no: running out of time, or not knowing, is something else."""
    rows = dict(line.split() for line in STANDING.strip().splitlines())
    assert rows.keys() == {state.value for state in State}
    for state, expected in rows.items():
        found = read_action(action(state))
        flags = {"ran": found.ran, "waits": found.waits, "refused": found.refused}
        assert [name for name, is_so in flags.items() if is_so] == (
            [] if expected == "-" else [expected]
        )
        assert not (found.waits and State(state) in FINAL)


def test_batch_gives_each_item_its_own_answer() -> None:
    """An item that was not accepted is its own error, in its place."""
    refused = json.loads(problem(422, "field_unknown").body)
    body = json.dumps({"items": [GOOD, {"problem": refused}]}).encode()
    first, second = read_batch(WireReply(status=200, body=body), 2)
    assert not isinstance(first, ClientError)
    assert first.state == "PENDING"
    assert isinstance(second, CallInvalid)
    assert (second.code, second.status) == ("field_unknown", 422)


@pytest.mark.parametrize("body", ["{}", '{"items": []}', '{"items": [1, 2]}', '{"items": {}}'])
def test_batch_with_other_items_is_refused(body: str) -> None:
    """Answers are told apart by their place, so that their number must be right."""
    with pytest.raises(AnswerMalformed):
        read_batch(WireReply(status=200, body=body.encode()), 2)


def test_grant_does_not_show_its_token() -> None:
    """A grant may be printed or logged; the token is not in it."""
    body = b'{"id": "tk_1", "token": "hrt_secret", "lane": "support", "expires_at": 5}'
    grant = read_grant(WireReply(status=201, body=body))
    assert (grant.id, grant.token, grant.lane, grant.ticket) == (
        "tk_1",
        "hrt_secret",
        "support",
        None,
    )
    assert "secret" not in repr(grant)


def test_permit_is_not_shown() -> None:
    """An action may be printed or logged; the permit is not in it."""
    found = read_action(action("EXECUTING", permit="hrp_secret", params={}))
    assert found.permit == "hrp_secret"
    assert "secret" not in repr(found)


def test_handoff_carries_its_action() -> None:
    """An escalation of one action says where that action stands now."""
    body = json.dumps({"id": "es_1", "due_at": 9, "action": GOOD}).encode()
    found = read_handoff(WireReply(status=201, body=body))
    assert (found.id, found.due_at) == ("es_1", 9)
    assert found.action is not None
    assert found.action.state == "PENDING"
    assert read_handoff(WireReply(status=201, body=b'{"id": "es_2"}')).action is None


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://desk.test", "https://desk.test"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://desk.test/handrail/", "https://desk.test/handrail"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_base_url_is_taken_without_its_last_slash(given: str, base: str) -> None:
    """Paths are put behind it, also behind a prefix."""
    assert checked_url(given) == base


@pytest.mark.parametrize(
    "given",
    [
        "",
        "desk.test",
        "ftp://desk.test",
        "https://",
        "https://desk.test?x=1",
        "https://desk.test/#x",
        "https://me:pw@desk.test",
        "http://desk.test:99999",
        "http://desk.test:0",
        "http://desk test",
        "http://[::1",
    ],
)
def test_base_url_that_leads_nowhere_is_refused_at_once(given: str) -> None:
    """A wrong address is not retried: it is a setting that makes no sense."""
    with pytest.raises(CallInvalid) as caught:
        checked_url(given)
    assert caught.value.code == "setting_malformed"


@pytest.mark.parametrize("id", ["", "..", "a/b", "a?x", "../tasks/t", "a b", "%2e", "ä", "-a"])
def test_id_cannot_lead_to_another_address(id: str) -> None:
    """Ids come from models too."""
    with pytest.raises(CallInvalid) as caught:
        proposal_path(id, "undo")
    assert caught.value.code == "field_malformed"


def test_paths_of_an_action() -> None:
    """The action itself, and what can be done with it."""
    assert proposal_path("hr_1") == "/v1/proposals/hr_1"
    assert proposal_path("hr_1", "undo") == "/v1/proposals/hr_1/undo"


@pytest.mark.parametrize("now_ms", [0, 1_700_000_000_000, 2**48 - 1])
@pytest.mark.parametrize("entropy", [bytes(10), b"\xff" * 10, bytes(range(10))])
def test_key_is_a_uuid_of_version_7(now_ms: int, entropy: bytes) -> None:
    """Time first, then version and variant in their places (RFC 9562, section 5.7)."""
    text = uuid7(now_ms, entropy)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)
    made = uuid.UUID(text)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == now_ms


def test_client_knows_the_currencies_of_the_server() -> None:
    """The two tables are the same, so that no amount is off by a factor of ten."""
    assert dict(EXPONENTS) == DECIMALS


@pytest.mark.parametrize("minor", [1, 5, 99, 100, 12_345, 10**15])
def test_amount_is_written_as_the_server_writes_it(minor: int) -> None:
    """For every currency: the text of a frozen amount means that amount."""
    for currency in EXPONENTS:
        text = as_text({"currency": currency, "minor": minor})
        assert text == Money(minor=minor, currency=currency).text()


@pytest.mark.parametrize(
    "value",
    [
        "12.00 USD",
        12,
        None,
        {"currency": "XXX", "minor": 1200},
        {"currency": "USD", "minor": True},
        {"currency": "USD", "minor": -1},
        {"currency": "USD", "minor": "1200"},
        {"currency": ["USD"], "minor": 1},
        {"currency": "USD", "minor": 1200, "note": ""},
        [{"currency": "USD", "minor": 1200}],
    ],
)
def test_what_is_no_amount_stays_as_it_is(value: object) -> None:
    """Only the server's exact form is turned into text, and never by a guess."""
    assert as_text(value) is value
