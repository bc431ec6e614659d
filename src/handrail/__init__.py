"""handrail: a control plane for AI customer-support agents.

`handrail.open(path)` opens a desk in this process. Servers, the console and the command line are
in `handrail.surfaces`; what an agent imports is `handrail.sdk`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handrail.bootstrap import open as open
    from handrail.restoring import restore as restore

__all__ = ["__version__", "open", "restore"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The client SDK must be importable without loading the engine.
    if name == "open":
        from handrail.bootstrap import open as opened

        return opened
    if name == "restore":
        from handrail.restoring import restore as restored

        return restored
    raise AttributeError(name)
