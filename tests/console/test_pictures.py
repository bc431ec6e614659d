"""The pictures of the README and the docs can be taken again at any time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


def test_pictures_are_taken_from_the_sample_story(tmp_path: Path) -> None:
    """All are there, 1280 pixels wide and small enough for a page."""
    command = [sys.executable, "-m", "tools.screenshots", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in tmp_path.iterdir())
    shown = ("action", "editor", "policy", "proposal", "queue")
    assert names == [f"console-{name}.png" for name in shown]
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        assert data.startswith(PNG)
        assert int.from_bytes(data[16:20], "big") == 1280
        assert len(data) < 400_000
