"""The policies that come with handrail, each a YAML file in this folder."""

from __future__ import annotations

from importlib import resources
from typing import Final

from handrail.errors import NotFound

__all__ = ["SCHEMA_FILE", "pack_names", "pack_text"]

SCHEMA_FILE: Final = "policy.schema.json"
"""The published JSON Schema lies beside the packs, where editors look for it."""

_SUFFIX: Final = ".yaml"


def pack_names() -> tuple[str, ...]:
    """The names of all packs, sorted."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


def pack_text(name: str) -> str:
    """The YAML text of a pack. Raises NotFound `policy_not_found` with the names there are."""
    names = pack_names()
    if name not in names:
        known = ", ".join(names)
        raise NotFound("policy_not_found", f"there is no pack `{name}`; there are: {known}")
    return resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
