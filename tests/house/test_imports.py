"""Imports go down only: the contracts hold, and each of them can fail.

The contracts are read from pyproject.toml. They run once on handrail itself and then on a small
handrail made of one module a room, into which one wrong import is put at a time.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.house.repo import ROOT

CONSOLE: Final = (
    *("routes", "lists", "record", "policy", "account", "case", "queue", "desk", "pages"),
    *("forms", "assets", "text", "language"),
)
ENGINE: Final = (
    *("showing", "deciding", "waiting", "keeping", "proposing", "running", "governing"),
    *("access", "telling", "asking", "base"),
)
SMALL_HANDRAIL: Final = {
    "__init__": "def open():\n    from handrail.bootstrap import build\n    return build()\n",
    "bootstrap": (
        "from handrail.connectors.sandbox import Sandbox\n"
        "from handrail.engine.proposing.propose import propose\n"
        "from handrail.store.sqlite import Sqlite\n"
        "def build(): ...\n"
    ),
    "surfaces.__init__": "",
    "surfaces.api": "import starlette\nfrom handrail.engine.proposing.propose import propose\n",
    "surfaces.cli": "import typer\nfrom handrail.bootstrap import build\n",
    "surfaces.console.__init__": "",
    **{f"surfaces.console.{name}": "" for name in CONSOLE},
    "surfaces.demo.__init__": "",
    "surfaces.demo.people": "from handrail.agent.reference import run\nfrom handrail import sdk\n",
    "prove.__init__": "from handrail.engine.proposing.propose import propose\n",
    "engine.__init__": "",
    **{f"engine.{room}.__init__": "" for room in ENGINE},
    "engine.proposing.propose": (
        "from handrail.connectors.protocol import Connector\n"
        "from handrail.policy.load import load\n"
        "from handrail.store.protocol import Store\n"
    ),
    "policy.__init__": "",
    "policy.load": "import yaml\nfrom handrail.core.money import Money\n",
    "store.__init__": "",
    "store.protocol": "from handrail.core.money import Money\n",
    "store.sqlite": "import apsw\nfrom handrail.store.writer import Writer\n",
    "store.writer": "from handrail.store.protocol import Store\n",
    "connectors.__init__": "",
    "connectors.protocol": "from handrail.core.money import Money\n",
    "connectors.sandbox": "import apsw\nfrom handrail.connectors.protocol import Connector\n",
    "core.__init__": "",
    "core.money": "import msgspec\nfrom handrail.errors import HandrailError\n",
    "errors": "",
    "agent.__init__": "",
    "agent.reference": "from handrail.sdk import Client\n",
    "sdk.__init__": "import httpx\n",
}

WRONG: Final = [
    ("errors", "from handrail.core import money", "rooms"),
    ("core.money", "from handrail.policy import load", "rooms"),
    ("core.money", "def f():\n    from handrail.engine.proposing import propose", "rooms"),
    ("core.money", "import handrail.sdk", "agent's side"),
    ("policy.load", "from handrail.store.protocol import Store", "rooms"),
    ("store.protocol", "from handrail.connectors.protocol import Connector", "rooms"),
    ("connectors.protocol", "from handrail.store import protocol", "rooms"),
    ("connectors.sandbox", "from handrail.policy import load", "rooms"),
    ("store.sqlite", "from handrail.engine.proposing import propose", "rooms"),
    ("engine.proposing.propose", "from handrail.store.sqlite import Sqlite", "implementations"),
    ("engine.proposing.propose", "from handrail.store import writer", "implementations"),
    ("engine.proposing.propose", "from handrail.connectors import sandbox", "implementations"),
    ("surfaces.api", "import handrail.store.sqlite", "implementations"),
    ("surfaces.cli", "from handrail.connectors.sandbox import Sandbox", "implementations"),
    ("store.__init__", "from handrail.store.sqlite import Sqlite", "implementations"),
    ("engine.proposing.propose", "from handrail.prove import gates", "rooms"),
    ("prove.__init__", "from handrail.surfaces import api", "rooms"),
    ("surfaces.api", "from handrail.bootstrap import build", "rooms"),
    ("prove.__init__", "import handrail.bootstrap", "rooms"),
    ("sdk.__init__", "from handrail.errors import HandrailError", "rooms"),
    ("sdk.__init__", "from handrail.core.money import Money", "rooms"),
    ("sdk.__init__", "from handrail.agent import reference", "rooms"),
    ("agent.reference", "from handrail.core.money import Money", "rooms"),
    ("engine.proposing.propose", "from handrail.sdk import Client", "agent's side"),
    ("engine.proposing.propose", "from handrail.agent.reference import run", "agent's side"),
    ("engine.proposing.propose", "from starlette.responses import Response", "libraries"),
    ("core.money", "import sqlite3", "libraries"),
    ("sdk.__init__", "import uvicorn", "libraries"),
    ("basement", "x = 1", "rooms"),
    ("engine.base.__init__", "from handrail.engine import showing", "the engine:"),
    ("engine.running.__init__", "from handrail.engine.proposing import propose", "the engine:"),
    ("engine.telling.__init__", "from handrail.engine import access", "the engine:"),
    ("engine.basement.__init__", "", "the engine:"),
    ("surfaces.console.text", "from handrail.surfaces.console import pages", "console's rooms"),
    ("surfaces.console.policy", "from handrail.surfaces.console import record", "console's rooms"),
    ("surfaces.console.attic", "x = 1", "console's rooms"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of pyproject.toml on the `handrail` that lies in `folder`."""
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "lint-imports"),
            *("--config", str(ROOT / "pyproject.toml"), "--no-cache"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def lay_out(folder: Path, modules: dict[str, str]) -> None:
    """Write the modules as a package `handrail` below `folder`."""
    for name, source in modules.items():
        path = folder / "handrail" / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def test_handrail_keeps_its_contracts() -> None:
    """No room of handrail imports what it must not."""
    done = lint(ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_small_handrail_keeps_the_contracts(tmp_path: Path) -> None:
    """The sample is right before something wrong is put into it."""
    lay_out(tmp_path, SMALL_HANDRAIL)
    done = lint(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(("module", "line", "contract"), WRONG)
def test_wrong_import_breaks_its_contract(
    tmp_path: Path, module: str, line: str, contract: str
) -> None:
    """One wrong import breaks the contract that is there for it."""
    lay_out(tmp_path, SMALL_HANDRAIL)
    lay_out(tmp_path, {module: f"{SMALL_HANDRAIL.get(module, '')}\n{line}\n"})
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [said for said in done.stdout.splitlines() if " BROKEN" in said]
    assert any(contract in said for said in broken), done.stdout


SERVING: Final = frozenset({"httpx", "jinja2", "psycopg", "starlette", "uvicorn"})
"""Libraries that only serving, calling or drawing needs: together half a second to import."""


@pytest.mark.parametrize(
    ("module", "loads"), [("handrail.surfaces.cli", frozenset()), ("httpx", frozenset({"httpx"}))]
)
def test_the_command_line_starts_light(module: str, loads: frozenset[str]) -> None:
    """A command that serves nothing does not wait for what serving needs; the test can tell."""
    look = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert SERVING & set(done.stdout.split()) == loads
