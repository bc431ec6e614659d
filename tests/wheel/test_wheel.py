"""The wheel: everything is in it, and it serves its pages from an empty venv with no network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from handrail import __version__
from tests.house.repo import ROOT, repository_files

SOURCES: Final = PurePosixPath("src/handrail")
OFFLINE: Final = {
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    # Nobody listens on port 9: what asks a proxy for the outside world gets no answer.
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}
LOOPBACK_ONLY: Final = """
import sys

def look(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] != "127.0.0.1":
        raise OSError(f"this machine is offline: {args[1]}")
    if event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost", None):
        raise OSError(f"this machine is offline: {args[0]}")

sys.addaudithook(look)
"""


def do(*words: str | Path) -> str:
    """Run a program offline, without anything of this process's own set-up; its output."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    clean = {name: os.environ[name] for name in kept if name in os.environ}
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env={**clean, **OFFLINE}, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    do(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (built,) = folder.glob("*.whl")
    return built


def test_everything_is_in_the_wheel(wheel: Path) -> None:
    """Templates, static files, packs, schema, migrations, the typing mark: each source file."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sources = {
        str(path.relative_to("src")) for path in repository_files() if SOURCES in path.parents
    }
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == sources
    suffixes = {PurePosixPath(name).suffix for name in sources}
    assert {".html", ".css", ".js", ".svg", ".yaml", ".json", ".sql", ".typed"} <= suffixes
    info = {name.partition(".dist-info/")[2] for name in names - packed}
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= info


@dataclass(frozen=True, kw_only=True)
class Place:
    """A venv with the wheel and its runtime dependencies, and nothing else."""

    bin: Path

    @property
    def handrail(self) -> Path:
        """The installed command."""
        return self.bin / "handrail"


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An empty venv, the wheel put into it by pip, and the locked runtime linked beside it."""
    venv = tmp_path_factory.mktemp("venv")
    do(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    do(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet", wheel)
    packages = next(venv.glob("lib/python*/site-packages"))
    for name in re.findall(r"^([\w.-]+)==", read("requirements/runtime.txt"), re.MULTILINE):
        link(name, packages)
    (packages / "sitecustomize.py").write_text(LOOPBACK_ONLY)
    return Place(bin=venv / "bin")


def read(path: str) -> str:
    """A file of the repository."""
    return (ROOT / path).read_text()


def link(name: str, packages: Path) -> None:
    """Put an installed distribution into other site-packages, by links."""
    home = Path(sysconfig.get_path("purelib"))
    try:
        files = distribution(name).files or ()
    except PackageNotFoundError:
        return  # the lock also names what only other systems need
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        if not (packages / top).exists():
            (packages / top).symlink_to(home / top)


def test_command_runs_from_the_wheel(place: Place) -> None:
    """It is the installed handrail that runs, with its own data."""
    assert do(place.handrail, "--version") == f"handrail {__version__}\n"
    where = do(place.bin / "python", "-c", "import handrail; print(handrail.__file__)")
    assert where.startswith(str(place.bin.parent))
    assert "policy: support-desk" in do(place.handrail, "policy", "show", "support-desk")
    assert json.loads(do(place.handrail, "policy", "schema"))["$schema"]
    assert do(place.handrail, "policy", "check", "support-desk").startswith("ok: ")


def test_demo_serves_itself(place: Place, tmp_path: Path) -> None:
    """With no network, every address on every page is its own and answers."""
    words = (sys.executable, "-m", "tests.wheel.crawl", place.handrail, tmp_path / "desk")
    found = json.loads(do(*words))
    assert found["wrong"] == []
    assert {"/", "/login", "/ran", "/log", "/caps", "/escalations"} <= set(found["seen"])
    assert any(path.startswith("/actions/hr_") for path in found["seen"])
    for suffix in (".css", ".js", ".svg"):
        assert any(path.startswith("/static/") and suffix in path for path in found["seen"])
