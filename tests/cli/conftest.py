"""A desk that has seen a little work, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import handrail
from handrail.core.principal import Role
from tests.cli.shell import PASSWORD, run


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed desk: one small refund ran, a larger one waits; dana and lee, and lee's agent."""
    folder = tmp_path_factory.mktemp("worked") / "desk"
    with handrail.open(folder) as desk:
        desk.person("lee", roles=[Role.CHECKER.value], limits=["5000.00 USD"])
        task = desk.task(ticket="T-101")
        small = {"order": "O-5001", "amount": "18.50 USD", "reason": "damaged"}
        assert desk.propose(task, "refund.issue", small).state.value == "SUCCEEDED"
        task = desk.task(ticket="T-103")
        large = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
        assert desk.propose(task, "refund.issue", large).state.value == "PENDING"
    assert run("person", "add", folder, "dana", typed=PASSWORD).returncode == 0
    assert run("agent", "add", folder, "scout", "--owner", "lee").returncode == 0
    return folder


@pytest.fixture
def desk(worked: Path, tmp_path: Path) -> Path:
    """A copy of that desk for one test alone."""
    return Path(shutil.copytree(worked, tmp_path / "desk"))


@pytest.fixture
def copies(worked: Path, tmp_path: Path) -> Callable[[int], list[Path]]:
    """Makes so many copies of that desk, for commands that run beside each other."""
    return lambda count: [
        Path(shutil.copytree(worked, tmp_path / f"desk-{number}")) for number in range(count)
    ]
