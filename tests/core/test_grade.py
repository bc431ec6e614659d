"""Grades: the highest axis wins, and nothing but a whole number from 0 to 3 is an axis."""

from __future__ import annotations

from itertools import product

import pytest

from handrail.core.grade import AXIS_MAX, AXIS_MEANINGS, Axes, Catchable, Grade, grade_of
from handrail.errors import InvalidInput

# reversibility, blast radius, stakes -> grade
GRADED = """
0 0 0   G0
1 0 0   G1
0 1 0   G1
0 0 1   G1
1 1 1   G1
2 0 0   G2
0 2 1   G2
1 1 2   G2
3 0 0   G3
0 3 0   G3
0 0 3   G3
2 2 3   G3
3 3 3   G3
"""

NOT_AN_AXIS = (-1, 4, 10**9, True, False, 1.0, "1", None)


@pytest.mark.parametrize("row", GRADED.strip().splitlines())
def test_the_highest_axis_sets_the_grade(row: str) -> None:
    """Three axes and the grade they make."""
    reversibility, blast_radius, stakes, grade = row.split()
    axes = Axes(
        reversibility=int(reversibility), blast_radius=int(blast_radius), stakes=int(stakes)
    )
    assert grade_of(axes) is Grade[grade]


def test_worse_on_any_axis_is_never_a_lower_grade() -> None:
    """All 64 combinations, and each of them one step worse on each axis."""
    steps = range(AXIS_MAX + 1)
    for point in product(steps, repeat=3):
        here = grade_of(Axes(reversibility=point[0], blast_radius=point[1], stakes=point[2]))
        for axis in range(3):
            worse = [min(AXIS_MAX, step + (place == axis)) for place, step in enumerate(point)]
            there = Axes(reversibility=worse[0], blast_radius=worse[1], stakes=worse[2])
            assert grade_of(there) >= here


@pytest.mark.parametrize("axis", ["reversibility", "blast_radius", "stakes"])
@pytest.mark.parametrize("value", NOT_AN_AXIS, ids=repr)
def test_only_whole_numbers_from_0_to_3_are_an_axis(axis: str, value: object) -> None:
    """The refusal names the axis."""
    values: dict[str, object] = {"reversibility": 0, "blast_radius": 0, "stakes": 0, axis: value}
    with pytest.raises(InvalidInput, match=f"axis `{axis}`") as refusal:
        Axes(**values)  # type: ignore[arg-type]
    assert refusal.value.code == "field_malformed"


def test_every_step_of_every_axis_has_words() -> None:
    """`handrail grade` asks with these words, so each axis has one meaning per step."""
    assert set(AXIS_MEANINGS) == set(Axes.__struct_fields__)
    for meanings in AXIS_MEANINGS.values():
        assert len(set(meanings)) == AXIS_MAX + 1
        assert all(meaning.strip() for meaning in meanings)


def test_grades_compare_and_catchable_has_three_answers() -> None:
    """A higher grade is worse; the fourth question is answered yes, unsure or no."""
    assert Grade.G0 < Grade.G1 < Grade.G2 < Grade.G3
    assert [answer.value for answer in Catchable] == ["yes", "unsure", "no"]
