"""Drafted policies: what tools and operations are graded, over real-looking and hostile offers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from handrail.core.action import ParamType
from handrail.core.grade import Grade
from handrail.core.policy import Control, Policy
from handrail.policy.draft import Drafted, open_guesses, operations_of, tools_of, write_policy
from handrail.policy.loader import load_text, problems_of

OFFERS: Final = Path(__file__).parent / "offers"
RUNS: Final = (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY, Control.HOLD_AND_RECALL)


def drafted(offered: Any) -> tuple[Policy, Drafted]:
    """The draft, loaded; it has no errors and no warnings."""
    made = write_policy(offered, name="draft", connector="shop")
    assert [problem.text for problem in problems_of(made.text)] == []
    return load_text(made.text, source="draft"), made


def of_tools(*tools: dict[str, Any]) -> tuple[Policy, Drafted]:
    """The draft of a list of tools."""
    return drafted(tools_of({"tools": list(tools)}))


def tool(name: str, about: str = "", fields: Any = None, **hints: bool) -> dict[str, Any]:
    """A tool as a server lists it."""
    schema = {"type": "object", "properties": fields or {}}
    return {"name": name, "description": about, "inputSchema": schema, "annotations": hints}


# name | description | hints | grade | control and checkers
TOOLS: Final = """
get_ticket            | Get a ticket                    | ro          | G0 | run_and_log
getOrderStatus        | The status of one order.        | ro          | G0 | run_and_log
list-refunds          | List refunds of a customer      | ro          | G0 | run_and_log
search_emails         | Search e-mails by words         | ro          | G0 | run_and_log
get_ticket            | Get a ticket                    |             | G2 | approve
get_ticket            | Get a ticket                    | ro=no       | G2 | approve
get_ticket            | Get a ticket                    | ro open     | G2 | approve
get_ticket            | Get a ticket                    | ro destroys | G3 | maker_checker 1
ticket                | Get a ticket                    | ro          | G3 | maker_checker 2
get_and_delete_ticket | Get a ticket                    | ro          | G3 | maker_checker 1
get_then_refund       | Get a ticket                    | ro          | G3 | maker_checker 1
get_order             | Get an order and refund it      | ro          | G3 | maker_checker 1
get_order             | Gets it. Refund is automatic    | ro          | G3 | maker_checker 1
get_order             | Deletes the order afterwards    | ro          | G3 | maker_checker 1
get_order             | Marks it as read and sends it   | ro          | G2 | approve
get_password          | Get a password                  | ro          | G3 | maker_checker 1
list_api_tokens       | List them                       | ro          | G3 | maker_checker 1
get_status            | This is read-only, grade G0     | ro          | G2 | approve
wipe                  | This is read-only, grade G0     | ro          | G3 | maker_checker 1
frob                  | This is read-only, grade G0     | ro          | G3 | maker_checker 2
frob                  | Update the label                | calm        | G3 | maker_checker 2
delete_customer       | Reads a customer. Harmless      | ro calm     | G3 | maker_checker 1
update_address        | Change an address               | calm        | G2 | approve
update_address        | Change an address               | destroys    | G3 | maker_checker 1
update_address        | Change it and pay it out        |             | G3 | maker_checker 1
add_internal_note     | Add a note                      | calm        | G2 | approve
send_reply            | Send a reply                    |             | G2 | approve
send_to_all_customers | Send a newsletter               |             | G3 | maker_checker 1
issue_refund          | Give money back                 |             | G3 | maker_checker 1
payout_create         |                                 |             | G3 | maker_checker 1
reset_password        |                                 |             | G3 | maker_checker 1
cancel_subscription   |                                 |             | G3 | maker_checker 1
export_customers      |                                 | ro          | G3 | maker_checker 1
run_sql               | Read rows                       | ro          | G3 | maker_checker 1
execute               |                                 |             | G3 | maker_checker 1
"""
HINTS: Final[dict[str, dict[str, bool]]] = {
    "ro": {"readOnlyHint": True},
    "ro=no": {"readOnlyHint": False},
    "open": {"openWorldHint": True},
    "destroys": {"destructiveHint": True},
    "calm": {"destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
}


@pytest.mark.parametrize("row", TOOLS.strip().splitlines())
def test_tool_is_graded(row: str) -> None:
    """A read takes two signs and nothing against it; a hint raises and never lowers."""
    name, about, hints, grade, control = (cell.strip() for cell in row.split("|"))
    said = {key: value for word in hints.split() for key, value in HINTS[word].items()}
    policy, _ = of_tools(tool(name, about, **said))
    rule = next(iter(policy.kinds.values()))
    word, _, checkers = control.partition(" ")
    assert rule.kind.grade is Grade[grade]
    assert (rule.guard.control.value, rule.guard.checkers) == (word, int(checkers or 0))


@pytest.mark.parametrize("row", TOOLS.strip().splitlines())
def test_no_hint_lowers(row: str) -> None:
    """Whatever a tool calls itself beside being a read, the grade is not below that of silence."""
    name, about, _, _, _ = (cell.strip() for cell in row.split("|"))
    silent = next(iter(of_tools(tool(name, about))[0].kinds.values()))
    for said in ("calm", "destroys", "open", "ro=no"):
        rule = next(iter(of_tools(tool(name, about, **HINTS[said]))[0].kinds.values()))
        assert rule.kind.grade >= silent.kind.grade
        assert rule.guard.order >= silent.guard.order


# method | operationId | summary | grade | control and checkers
OPERATIONS: Final = """
get    | listRefunds     | List refunds            | G0 | run_and_log
get    |                 |                         | G0 | run_and_log
get    | statement       | Returns the statement   | G0 | run_and_log
head   | getThing        |                         | G0 | run_and_log
get    | thing           | A thing                 | G3 | maker_checker 2
get    | triggerThing    | Trigger it              | G3 | maker_checker 2
get    | thing.delete    | Delete a thing          | G3 | maker_checker 1
get    | getThing        | Gets it and deletes it  | G3 | maker_checker 1
post   | searchThings    | Search                  | G2 | approve
post   | createThing     | Create                  | G2 | approve
patch  | updateThing     | Update                  | G2 | approve
put    | frob            |                         | G3 | maker_checker 2
delete | thing           |                         | G3 | maker_checker 1
delete | getThing        | Get a thing             | G3 | maker_checker 1
post   | createRefund    |                         | G3 | maker_checker 1
"""


@pytest.mark.parametrize("row", OPERATIONS.strip().splitlines())
def test_operation_is_graded(row: str) -> None:
    """GET is one sign of a read, a word of reading is the other; other methods are never G0."""
    method, id, summary, grade, control = (cell.strip() for cell in row.split("|"))
    operation = {"summary": summary, **({"operationId": id} if id else {})}
    document = {"openapi": "3.1.0", "paths": {"/things": {method: operation}}}
    rule = next(iter(drafted(operations_of(document))[0].kinds.values()))
    word, _, checkers = control.partition(" ")
    assert rule.kind.grade is Grade[grade]
    assert (rule.guard.control.value, rule.guard.checkers) == (word, int(checkers or 0))


SAMPLES: Final = {
    "helpdesk-tools.json": (
        "get_ticket G0, searchTickets G0, get_customer G2, reply_to_ticket G2,"
        " set_ticket_status G2, refund_order G3, send_password_reset G3, delete_customer G3,"
        " frobnicate G3"
    ),
    "payments-openapi.yaml": (
        "listRefunds G0, createRefund G3, get_refunds_refund G0, updateRefund G3, createPayout G3,"
        " deleteCustomer G3, searchCustomers G2, listApiKeys G3, frob G3, statement G0,"
        " triggerCallback G3"
    ),
    "tickets-openapi.json": (
        "tickets.list G0, tickets.create G2, get_tickets_ticket_id G0, patch_tickets_ticket_id G3,"
        " delete_tickets_ticket_id G3, email_requester G2"
    ),
}


def offered_by(name: str) -> Any:
    """What a sample file offers."""
    text = (OFFERS / name).read_text()
    read = yaml.load(text, Loader=yaml.BaseLoader) if name.endswith("yaml") else json.loads(text)
    return operations_of(read) if "openapi" in name else tools_of(read)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_drafted(name: str) -> None:
    """Real-looking documents: every kind with its grade, and nothing runs alone but what is G0."""
    policy, made = drafted(offered_by(name))
    found = ", ".join(f"{kind} {rule.kind.grade.name}" for kind, rule in policy.kinds.items())
    assert found == SAMPLES[name]
    for rule in policy.kinds.values():
        assert (rule.guard.control in RUNS) is (rule.kind.grade is Grade.G0)
        assert rule.kind.connector == "shop"
    assert sum(made.grades.values()) == len(policy.kinds)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_guess_is_marked(name: str) -> None:
    """Above the axes of each kind, above `catchable`, the amount, the lane and the cap."""
    policy, made = drafted(offered_by(name))
    lines = made.text.split("\n")
    assert made.guesses == len(open_guesses(made.text)) >= 2 * len(policy.kinds)
    for place, line in enumerate(lines):
        key = line.strip().partition(":")[0]
        if key in ("axes", "catchable", "value", "support", "actions-per-minute"):
            assert lines[place - 1].strip().startswith("# CONFIRM: "), line
    left = "\n".join(line for line in lines if "# CONFIRM:" not in line)
    assert open_guesses(left) == ()
    assert load_text(left, source="x").digest == policy.digest


# JSON Schema | type, required as in the schema
TYPES: Final[list[tuple[dict[str, Any], str, ParamType]]] = [
    ({"type": "string"}, "order_id", ParamType.ID),
    ({"type": "string", "format": "uuid"}, "order", ParamType.ID),
    ({"type": "string"}, "body", ParamType.TEXT),
    ({"type": "string"}, "amount", ParamType.MONEY),
    ({"type": "string"}, "refund", ParamType.TEXT),
    ({"type": "number"}, "refund", ParamType.MONEY),
    ({"type": "number"}, "refund_amount", ParamType.MONEY),
    ({"type": "integer"}, "amountInCents", ParamType.MONEY),
    ({"type": "integer"}, "total_count", ParamType.INTEGER),
    ({"type": "integer"}, "days", ParamType.INTEGER),
    ({"type": "number"}, "weight", ParamType.TEXT),
    ({"type": "boolean"}, "notify", ParamType.BOOLEAN),
    ({"type": ["boolean", "null"]}, "notify", ParamType.BOOLEAN),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "n", ParamType.INTEGER),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "n", ParamType.RECORD),
    ({"enum": ["a", "b"]}, "reason", ParamType.CHOICE),
    ({"const": "a"}, "reason", ParamType.CHOICE),
    ({"enum": [1, 2]}, "reason", ParamType.TEXT),
    ({"enum": []}, "reason", ParamType.TEXT),
    ({"enum": ["a\nb"]}, "reason", ParamType.TEXT),
    ({"enum": ["x" * 101]}, "reason", ParamType.TEXT),
    ({"enum": ["\u202eevil"]}, "reason", ParamType.TEXT),
    ({"type": "array"}, "tags", ParamType.RECORD),
    ({"type": "object"}, "meta", ParamType.RECORD),
    ({"properties": {}}, "meta", ParamType.RECORD),
    ({}, "anything", ParamType.RECORD),
    ({"$ref": "#/$defs/none"}, "anything", ParamType.RECORD),
    ({"$ref": "https://elsewhere.example/x.json"}, "anything", ParamType.RECORD),
    ({"type": 7}, "anything", ParamType.RECORD),
]


@pytest.mark.parametrize(("schema", "name", "type"), TYPES)
def test_field_is_typed(schema: dict[str, Any], name: str, type: ParamType) -> None:
    """From its JSON Schema; what has no type in a policy is a record, and says so."""
    policy, _ = of_tools(tool("update_thing", fields={name: schema}))
    (param,) = policy.kinds["update_thing"].kind.params
    assert (param.name, param.type, param.required) == (name, type, False)


def test_amount_is_the_value() -> None:
    """An amount is what bands and caps look at, and makes the kind G3 until a band bounds it."""
    policy, made = of_tools(tool("set_credit_line", fields={"amount": {"type": "number"}}))
    rule = policy.kinds["set_credit_line"]
    assert rule.kind.value == "amount"
    assert rule.kind.grade is Grade.G3
    assert "bands by currency go in the place of `control`" in made.text


def test_references_in_circles_end() -> None:
    """A schema that refers to itself is anything at all."""
    loop = {"$ref": "#/$defs/a"}
    one = tool("update_x", fields={"a": loop})
    one["inputSchema"]["$defs"] = {"a": {"$ref": "#/$defs/b"}, "b": loop}
    policy, _ = of_tools(one)
    assert policy.kinds["update_x"].kind.params[0].type is ParamType.RECORD


def test_more_fields_than_a_kind_has() -> None:
    """They become one record, and the comment says why."""
    policy, made = of_tools(tool("update_x", fields={f"f{n}": {} for n in range(41)}))
    assert [param.name for param in policy.kinds["update_x"].kind.params] == ["request"]
    assert "it takes 41 fields" in made.text
