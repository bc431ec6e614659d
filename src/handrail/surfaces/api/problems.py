"""Problem documents (RFC 9457): what every error becomes on the wire."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from handrail.core.canonical import quoted
from handrail.errors import CODES, HandrailError, InvalidInput
from handrail.surfaces.api.answers import ProblemView

__all__ = ["PROBLEM_JSON", "input_error", "problem_of"]

PROBLEM_JSON: Final = b"application/problem+json"
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*?)`( - at `.*`)?\Z", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*?)`( - at `.*`)?\Z")
_PLACE: Final = re.compile(r"(.*?) - at `(?:key in )?\$?\.?(.*)`\Z", re.DOTALL)
_TYPE: Final = re.compile(r"Expected `([a-z| ]+)`, got `([a-z]+)`\Z")
_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def problem_of(error: HandrailError) -> ProblemView:
    """The problem document of an error."""
    code = CODES[error.code]
    return ProblemView(
        type=f"/problems/{error.code}",
        title=code.meaning,
        status=code.status,
        detail=error.message,
        code=error.code,
    )


def input_error(error: msgspec.ValidationError, *, whole: str = "the body") -> InvalidInput:
    """What a struct says against an input, in our words and with our codes."""
    text = str(error)
    if unknown := _UNKNOWN.match(text):
        return InvalidInput("field_unknown", f"there is no field {quoted(unknown[1])} here")
    if missing := _MISSING.match(text):
        return InvalidInput("field_missing", f"the field `{missing[1]}` is missing")
    placed = _PLACE.match(text)
    said, place = (placed[1], placed[2]) if placed else (text, "")
    name = quoted(place) if place else whole
    if wrong := _TYPE.match(said):
        wanted = " or ".join(_WORDS.get(word, word) for word in wrong[1].split(" | "))
        return InvalidInput("field_wrong_type", f"{name} must be {wanted}")
    if said.startswith("Invalid enum value"):
        return InvalidInput("field_malformed", f"{name} is not one of the known words")
    bound = said.removeprefix("Expected ")
    for word, plain in _WORDS.items():
        bound = bound.replace(f"`{word}`", plain)
    return InvalidInput("field_malformed", f"{name} must be {bound}")
