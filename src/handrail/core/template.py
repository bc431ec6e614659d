"""What was meant to be filled in and was not: placeholders left in a text that is about to leave.

Nothing is filled in after a decision: what a person approves is every byte that is sent. A marker
like `{{customer.email}}` in it is therefore either a mistake, or somebody else's software waiting
to put something in that nobody has seen.
"""

from __future__ import annotations

import re
from typing import Final

from handrail.core.text import Mark

__all__ = ["MARKERS_MAX", "unresolved_markers"]

MARKERS_MAX: Final = 20
"""So many are named; one is enough to hold the action."""
_SHOWN_MAX: Final = 40
_INNER: Final = r"{1,200}?"
_NAMES: Final = (
    "NAME|EMAIL|E-MAIL|DATE|AMOUNT|ADDRESS|NUMBER|LINK|URL|ORDER|CUSTOMER|COMPANY|PHONE|AGENT"
)
# Each alternative begins with a character of its own and is bounded, so that no text is slow.
_MARKER: Final = re.compile(
    rf"\{{\{{[^{{}}]{_INNER}\}}\}}"  # {{customer.email}}, {{{raw}}}
    rf"|\{{%[^{{}}%]{_INNER}%\}}"  # {% if paid %}
    rf"|[$#]\{{[^{{}}]{_INNER}\}}"  # ${name}, #{name}
    r"|\{[A-Za-z_][A-Za-z0-9_.]{0,80}\}"  # {first_name}
    r"|%\([A-Za-z_][A-Za-z0-9_.]{0,80}\)[sd]"  # %(name)s
    r"|%{1,2}[A-Z][A-Z0-9_]{1,80}%{1,2}"  # %NAME%
    rf"|<<(?=\s?[A-Za-z])[^<>\n]{_INNER}>>"  # <<name>>
    r"|<(?i:insert|your|customer|client|first|last|full|order)[ _-][A-Za-z _-]{0,60}>"
    rf"|\[\[[^\[\]\n]{_INNER}\]\]"  # [[name]]
    # A square bracket before a round one is a link with its text, and means what it says.
    r"|\[(?i:insert|your|placeholder|todo|tbd|fill in|enter)\b[^\[\]\n]{0,80}\](?!\()"
    rf"|\[(?=[A-Z0-9 _-]{{0,60}}(?:{_NAMES}))[A-Z][A-Z0-9 _-]{{1,60}}\](?!\()"  # [CUSTOMER NAME]
    r"|\[(?i:(?:customer|client|agent|first|last|full|user)(?:'s)?[ _-]?name|name"
    r"|(?:e-?mail|phone|order|ticket|tracking)[ _-](?:address|number|id))\](?!\()"
)


def unresolved_markers(text: str) -> tuple[Mark, ...]:
    """Every placeholder in the text that was not filled in, by where it stands."""
    # A text without these characters, as nearly all are, has none.
    if "{" not in text and "[" not in text and "<" not in text and "%" not in text:
        return ()
    found = []
    for marker in _MARKER.finditer(text):
        shown = marker.group() if len(marker.group()) <= _SHOWN_MAX else "a long placeholder"
        found.append(Mark(start=marker.start(), end=marker.end(), what=shown))
        if len(found) >= MARKERS_MAX:
            break
    return tuple(found)
