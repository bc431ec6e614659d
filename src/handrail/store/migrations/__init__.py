"""Numbered migrations, one transaction each. A database of a newer version is refused."""

from __future__ import annotations

from importlib import resources

__all__ = ["migrations"]


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order; numbers start at 1 and rise."""
    folder = resources.files(__name__)
    found = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    numbered = [(int(name.split("_")[0]), (folder / name).read_text()) for name in found]
    numbers = [number for number, _ in numbered]
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    return numbered
