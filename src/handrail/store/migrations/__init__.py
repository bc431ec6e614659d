"""Numbered migrations, one transaction each. A database of a newer version is refused.

`NNNN_name.sql` is for SQLite. Its tables and indexes are for PostgreSQL too, after a mechanical
change of dialect; what has no common form (triggers, functions) is written a second time, in
`postgres/NNNN_name.sql`.
"""

from __future__ import annotations

from importlib import resources

__all__ = ["migrations", "postgres_parts"]


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order; numbers start at 1 and rise."""
    folder = resources.files(__name__)
    found = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    numbered = [(int(name.split("_")[0]), (folder / name).read_text()) for name in found]
    numbers = [number for number, _ in numbered]
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    return numbered


def postgres_parts() -> dict[int, str]:
    """What each migration has in PostgreSQL's own words, by number; few have nothing."""
    folder = resources.files(__name__) / "postgres"
    found = (item for item in folder.iterdir() if item.name.endswith(".sql"))
    return {int(item.name.split("_")[0]): item.read_text() for item in found}
