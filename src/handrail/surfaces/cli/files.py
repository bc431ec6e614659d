"""Files that somebody names on the command line."""

from __future__ import annotations

from pathlib import Path

from handrail.errors import InvalidInput

__all__ = ["read_bounded"]


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a file. Raises InvalidInput `setting_malformed`, or `too_large` above `most`."""
    try:
        with path.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise InvalidInput("setting_malformed", f"cannot read `{path}`: {why}") from None
    if len(data) > most:
        raise InvalidInput("too_large", f"`{path}` has more than {most} bytes")
    return data
