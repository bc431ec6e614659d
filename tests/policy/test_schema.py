"""The published JSON Schema: the same tables as the loader, in a form that editors read."""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

import jsonschema
import pytest

from handrail.policy import packs
from handrail.policy.schema import policy_schema, schema_text
from handrail.policy.source import ListNode, MapNode, Node, ScalarNode, compose
from tests.policy.sample import GOOD, spoiled
from tests.policy.test_lint import ERRORS
from tests.policy.test_loader import BAD_VALUES

VALIDATOR: Final = jsonschema.Draft202012Validator(policy_schema())

# Values that depend on others, or on more than a form.
UNSEEN: Final = {
    "approval: 367d",
    'money: "200.00 ABC"',
    'money: "0.00 USD"',
    'money: "5.5 JPY"',
    'up_to: "5000.5"',
    'up_to: "0"',
    f'up_to: "{"9" * 4000}"',
}


def plain(node: Node | None) -> object:
    """A tree as an editor sees it: plain whole numbers are numbers, all else is text."""
    match node:
        case ScalarNode(text=text, plain=True) if text in {"", "~"}:
            return None
        case ScalarNode(text=text, plain=True) if text.lstrip("-").isdigit() and text[0] != "0":
            return int(text[:18])
        case ScalarNode(text="0", plain=True):
            return 0
        case ScalarNode(text=text):
            return text
        case ListNode(items=items):
            return [plain(item) for item in items]
        case MapNode(entries=entries):
            return {key.text: plain(value) for key, value in entries}
        case None:
            return None


def refused(text: str) -> bool:
    """Whether the schema refuses a policy text."""
    return not VALIDATOR.is_valid(plain(compose(text)[0]))


def test_schema_is_valid() -> None:
    """It is a schema of the draft that it names."""
    schema = policy_schema()
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    jsonschema.Draft202012Validator.check_schema(schema)


def test_published_file_is_what_the_code_builds() -> None:
    """The file beside the packs is current; `handrail policy schema` prints the same."""
    published = resources.files(packs).joinpath(packs.SCHEMA_FILE).read_text(encoding="utf-8")
    assert published == schema_text()
    assert json.loads(published) == policy_schema()


def test_good_policy_and_every_pack_fit() -> None:
    """What loads is what the schema accepts."""
    for text in (GOOD, *map(packs.pack_text, packs.pack_names())):
        assert list(VALIDATOR.iter_errors(plain(compose(text)[0]))) == []


@pytest.mark.parametrize("row", BAD_VALUES, ids=lambda row: row[1][:40])
def test_bad_value_is_refused_where_a_schema_can_see_it(row: tuple[str, str, str, str]) -> None:
    """The loader refuses every row; the schema all but those listed as out of its sight."""
    old, new, _, _ = row
    assert refused(spoiled(old, new)) is (new not in UNSEEN)


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row[3][:40])
def test_rules_between_values_are_for_the_lint(row: tuple[str, str, str, str]) -> None:
    """An error of the lint is out of a schema's sight: what it can see, the loader sees first."""
    old, new, _, _ = row
    assert not refused(spoiled(old, new))


@pytest.mark.parametrize("flag", ["true", "false", True, False, "yes", "no"])
def test_flags_may_be_booleans_to_an_editor(flag: object) -> None:
    """Editors that read YAML 1.2 hand over a boolean where the file says `true`."""
    tree = plain(compose(GOOD)[0])
    assert isinstance(tree, dict)
    tree["lanes"]["triage"]["any_customer"] = flag
    assert VALIDATOR.is_valid(tree)
    tree["lanes"]["triage"]["any_customer"] = 1.5
    assert not VALIDATOR.is_valid(tree)


def test_every_key_is_explained() -> None:
    """Editors show a sentence for every key."""
    schema = policy_schema()
    for record in (schema, *schema["$defs"].values()):
        for name, field in record["properties"].items():
            assert field["description"].endswith("."), name
