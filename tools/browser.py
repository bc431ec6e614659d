"""Find a Chromium for the browser tests, or install Debian's.

`python tools/browser.py` prints the path of a browser and exits 0. If none is there and apt-get
can be used (as root, or through `sudo -n`), it installs `chromium` and a font first. Otherwise it
says what to do and exits 2. Set HANDRAIL_BROWSER to use a browser that is somewhere else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["apt_commands", "find_browser", "main"]

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES: Final = ("chromium", "fonts-dejavu-core")
SETTING: Final = "HANDRAIL_BROWSER"
ANSWER_S_MAX: Final = 60
TRIES_PER_COMMAND: Final = 2


def find_browser() -> Path | None:
    """The first browser that answers `--version`, or None.

    A browser that is named by HANDRAIL_BROWSER is taken at its word: nothing else is tried.
    """
    named = os.environ.get(SETTING)
    for name in (named,) if named else NAMES:
        found = shutil.which(name)
        if found is not None and _answers(found):
            return Path(found)
    return None


def apt_commands(*, is_root: bool, has_apt: bool, has_sudo: bool) -> list[list[str]]:
    """The commands that install the browser; empty where this machine cannot install it."""
    if not has_apt or not (is_root or has_sudo):
        return []
    # sudo drops the environment, so the variable is passed on the command line
    prefix = [] if is_root else ["sudo", "-n"]
    prefix = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    return [
        [*prefix, "update"],
        [*prefix, "install", "--yes", "--no-install-recommends", *PACKAGES],
    ]


def main() -> int:
    """Print the browser's path, installing it if need be; 2 when there is none."""
    browser = find_browser()
    if browser is None and SETTING not in os.environ:
        _install()
        browser = find_browser()
    if browser is None:
        print(_advice(), file=sys.stderr)
        return 2
    print(f"browser: {browser}")
    return 0


def _answers(path: str) -> bool:
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, timeout=ANSWER_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _install() -> None:
    commands = apt_commands(
        is_root=os.geteuid() == 0,
        has_apt=shutil.which("apt-get") is not None,
        has_sudo=shutil.which("sudo") is not None,
    )
    for command in commands:
        print("browser: no Chromium yet, running:", " ".join(command), flush=True)
        # a package mirror that is being refreshed fails once and answers the second time
        if not any(_succeeds(command) for _ in range(TRIES_PER_COMMAND)):
            return


def _succeeds(command: list[str]) -> bool:
    # apt's progress is shown only when it fails: its lines are many and of no use otherwise
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
    return done.returncode == 0


def _advice() -> str:
    if SETTING in os.environ:
        return f"browser: `{os.environ[SETTING]}` ({SETTING}) does not answer --version"
    return (
        "browser: the browser tests need Chromium, and it could not be installed here.\n"
        f"Install one of {', '.join(NAMES)} (on Debian and Ubuntu, as root: "
        f"apt-get install {' '.join(PACKAGES)}),\n"
        f"or set {SETTING} to the path of one, and run this again."
    )


if __name__ == "__main__":
    sys.exit(main())
