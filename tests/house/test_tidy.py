"""Every file keeps the house rules, and every rule can fail."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

import pytest

from tests.house.repo import CODE_ROOMS, python_files, read_text, repository_files
from tests.house.tidy import complaints_about_python, complaints_about_text

SAMPLE: Final = PurePosixPath("src/handrail/sample.py")
TEST_SAMPLE: Final = PurePosixPath("tests/test_sample.py")


def test_every_python_file_is_tidy() -> None:
    """Length of files, functions and lines, names, comment markers, honest tests."""
    found = []
    for path in python_files():
        found.extend(complaints_about_python(path, read_text(path) or ""))
    assert not found, "\n" + "\n".join(found)


def test_every_text_file_is_tidy() -> None:
    """No registry's address, no machine's path, no word about how the work was made."""
    found = []
    for path in repository_files():
        found.extend(complaints_about_text(path, read_text(path) or ""))
    assert not found, "\n" + "\n".join(found)


def test_rules_see_the_whole_repository() -> None:
    """The listing that the rules run over is not empty by accident."""
    seen = {str(path) for path in repository_files()}
    assert {"Makefile", "LICENSE", "pyproject.toml", ".ci/run", "requirements/dev.txt"} <= seen
    rooms = {path.parts[0] for path in python_files()}
    assert {"src", "tests", "tools"} <= rooms <= set(CODE_ROOMS)


LONG_FUNCTION: Final = "def long():\n" + "    pass\n" * 50

BAD_PYTHON: Final = [
    (SAMPLE, "\n" * 401, "401 lines"),
    (SAMPLE, LONG_FUNCTION, "`long` has 51 lines"),
    (SAMPLE, "class A:\n    async " + LONG_FUNCTION[:-1].replace("\n", "\n    "), "51 lines"),
    (SAMPLE, f"x = '{'a' * 95}'\n", "101 characters"),
    (SAMPLE, "# NOTE: see below\n", "`NOTE:` is not one"),
    (SAMPLE, "x = 1  # COMMIT: here\n", "`COMMIT:` is not one"),
    (SAMPLE, "# TO" + "DO later\n", "belongs into an issue"),
    (PurePosixPath("src/handrail/utils.py"), "", "`utils` is a name for anything"),
    (PurePosixPath("src/handrail/common/money.py"), "", "`common` is a name"),
    (PurePosixPath("tests/store_helpers.py"), "", "`helpers` is a name"),
    (TEST_SAMPLE, "@pytest.mark.skip\ndef test(): ...\n", "`skip`"),
    (TEST_SAMPLE, "pytest.importorskip('x')\n", "`importorskip`"),
    (TEST_SAMPLE, "@pytest.mark.xfail(strict=True)\ndef test(): ...\n", "`xfail`"),
    (TEST_SAMPLE, "from unittest.mock import Mock\n", "a mock"),
    (TEST_SAMPLE, "from unittest import mock\n", "a mock"),
    (TEST_SAMPLE, "import unittest.mock\n", "a mock"),
]


@pytest.mark.parametrize(("path", "text", "said"), BAD_PYTHON)
def test_bad_python_is_found(path: PurePosixPath, text: str, said: str) -> None:
    """Each rule for Python files finds its sample, once."""
    found = complaints_about_python(path, text)
    assert len(found) == 1
    assert said in found[0]


BAD_TEXT: Final = [
    ("get it from https://py" + "pi.org/simple", "package registry"),
    ("--index-url https://files.python" + "hosted.org/x", "package registry"),
    ("see Registry.NPM" + "JS.org", "package registry"),
    ("RUN sed -i s/deb." + "debian.org/mirror/ sources.list", "package registry"),
    ("the file /wo" + "rk/main/x.py", "path of one machine"),
    ("cd /ro" + "ot", "path of one machine"),
    ("db = '/tm" + "p/desk.db'", "path of one machine"),
    ("--find-links=file:/op" + "t/wheels", "path of one machine"),
    ("in /ho" + "me/anna/handrail", "path of one machine"),
    ("inspired by Loop" + "Rails", "how the work was made"),
    ("Co-Authored" + "-By: someone", "how the work was made"),
    ("this page was generated " + "by an AI", "how the work was made"),
]


@pytest.mark.parametrize(("text", "said"), BAD_TEXT)
def test_bad_text_is_found(text: str, said: str) -> None:
    """Each rule for text files finds its sample, with the line's number."""
    found = complaints_about_text(PurePosixPath("docs/page.md"), f"first line\n{text}\n")
    assert len(found) == 1
    assert said in found[0]
    assert found[0].startswith("docs/page.md:2: ")


GOOD_PYTHON: Final = """# INVARIANT: one writer
# COMMIT POINT: after this line the action may run
# WHY NOT: a queue; it would lose the order
x = 1  # TLS and HTTP are fine in a sentence: here too
"""


def test_good_samples_pass() -> None:
    """The rules leave alone what is right at the limit."""
    at_the_limit = "def long():\n" + "    pass\n" * 49 + "\n" * 350
    assert complaints_about_python(SAMPLE, at_the_limit) == []
    assert complaints_about_python(SAMPLE, GOOD_PYTHON) == []
    assert complaints_about_python(SAMPLE, f"x = '{'a' * 94}'\n") == []
    good = "POST /v1/work/items, ../work/x, GET /v1/log/root, a server-side session, /usr/bin/env"
    assert complaints_about_text(PurePosixPath("docs/page.md"), good) == []
