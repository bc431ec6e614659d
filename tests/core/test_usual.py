"""One field changed after ten of the same: what is unusual, and what is only different."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.usual import unusual_in

BASE: Final = {"To": "card 0005", "Reason": "damaged", "Order": "O-1", "Refund": "5.00 USD"}
TEN: Final = [{**BASE, "Order": f"O-{n}", "Refund": f"{n}.00 USD"} for n in range(10)]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, None),
        ({"To": "card 6666"}, ("To", "card 6666", "card 0005")),
        ({"Reason": "goodwill"}, ("Reason", "goodwill", "damaged")),
        ({"To": None}, ("To", None, "card 0005")),
        ({"To": "card 6666", "Reason": "goodwill"}, None),
        ({"Order": "O-99", "Refund": "900.00 USD"}, None),
        ({"To": "card 6666", "Order": "O-99"}, ("To", "card 6666", "card 0005")),
    ],
    ids=str,
)
def test_the_one_line_that_never_differed(
    changed: dict[str, str | None], found: tuple[str, str | None, str] | None
) -> None:
    """B12: exactly one of the lines that were always the same; what always differs says nothing."""
    unusual = unusual_in({**BASE, **changed}, TEN)
    said = None if unusual is None else (unusual.label, unusual.now, unusual.usual)
    assert said == found
    assert unusual is None or unusual.count == 10


def test_few_are_no_custom() -> None:
    """Four like it are not yet what is usual; nor is one steady line alone."""
    odd = {**BASE, "To": "card 6666"}
    assert unusual_in(odd, TEN[:4]) is None
    assert unusual_in(odd, TEN[:5]) is not None
    assert unusual_in({"To": "b"}, [{"To": "a"}] * 10) is None
