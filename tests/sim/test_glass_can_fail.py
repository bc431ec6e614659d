"""What is checked of break-glass can fail: break one part, and its check trips, with the seed."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from handrail.core.principal import Role
from handrail.engine.access import breakglass
from tests.sim.breaking import broken


def test_somebody_confirms_what_they_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another account of theirs."""
    strangers = SimpleNamespace(of=lambda person: {"one"}, names=lambda person: {"another"})
    monkeypatch.setattr(breakglass, "roster_of", lambda tx, desk: strangers)
    assert re.match("I4 .*confirmed what they had asked for themselves", broken())


def test_anybody_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their role."""
    active = breakglass._active

    def promoted(*given: Any) -> Any:
        return msgspec.structs.replace(active(*given), roles=tuple(Role))

    monkeypatch.setattr(breakglass, "_active", promoted)
    assert re.match("I4 .*no administrator confirmed it", broken())
