"""The SDK stands alone: an agent's process gets none of the gateway."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import handrail.sdk

PROGRAM: Final = """
import json, sys
import httpx
before = set(sys.modules)
import handrail.sdk
new = set(sys.modules) - before
known = sys.stdlib_module_names
print(json.dumps(sorted(name for name in new if name.split(".")[0] not in known)))
"""


def test_importing_it_loads_nothing_but_itself() -> None:
    """Beyond the standard library and httpx: only `handrail` and the modules of `handrail.sdk`."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    loaded: list[str] = json.loads(done.stdout)
    assert "handrail.sdk.client" in loaded
    assert [
        name for name in loaded if name != "handrail" and not name.startswith("handrail.sdk")
    ] == []


def test_everything_public_is_there() -> None:
    """Each name that the package offers exists, once."""
    offered = handrail.sdk.__all__
    assert len(offered) == len(set(offered))
    assert [name for name in offered if not hasattr(handrail.sdk, name)] == []


def test_every_error_is_a_handrail_error() -> None:
    """One `except` catches whatever the client raises."""
    errors = [
        found
        for name in handrail.sdk.__all__
        if isinstance(found := getattr(handrail.sdk, name), type) and issubclass(found, Exception)
    ]
    assert handrail.sdk.Held in errors
    assert all(issubclass(error, handrail.sdk.HandrailError) for error in errors)
