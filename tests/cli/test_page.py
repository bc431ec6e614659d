"""The commands that docs/cli.md shows can be typed as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.cli.shell import HANDRAIL, clean_environment
from tests.house.repo import ROOT


def test_the_commands_to_try_work(tmp_path: Path) -> None:
    """The block under `Try it`, in an empty directory, each line with exit status 0."""
    page = (ROOT / "docs" / "cli.md").read_text()
    block = re.search(r"## Try it\n\n```\n(.*?)```", page, re.DOTALL)
    assert block
    done = subprocess.run(
        ["sh", "-e", "-u", "-c", block.group(1)],
        cwd=tmp_path,
        env={**clean_environment(), "PATH": f"{HANDRAIL.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nok: 8 entries, 0 actions, root " in done.stdout
