"""Write the catalogue of everything that the console says, for translators.

`python tools/catalogue.py` writes `handrail.pot` beside the templates; with `--check` it only says
whether it is as it must be. Templates are read as they are compiled; of the modules, the sentences
in their constants.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from handrail.errors import CODES
from handrail.surfaces.console import pages
from handrail.surfaces.console.language import catalogue

__all__ = ["PLACE", "entries", "main", "written"]

CONSOLE: Final = Path(pages.__file__).parent
PLACE: Final = CONSOLE / "handrail.pot"
SAY_NOTHING: Final = frozenset({"assets", "catalogue", "pages", "reader"})
"""Modules whose constants are no words for people."""
_SENTENCE: Final = re.compile(r"[A-Z][a-z]|[a-z]+ [a-z]")


def entries() -> list[str | tuple[str, str]]:
    """Every message, and every pair of a singular and a plural, in a stable order."""
    recorder = catalogue.Recorder()
    environment = pages.environment_in(catalogue.Catalogue(language="xx", messages=recorder))
    environment.globals["asset"] = str
    for name in environment.list_templates():
        environment.get_template(name)
    for said in (*_constants(), *(code.meaning for code in CODES.values())):
        recorder.gettext(said)
    return [*sorted(recorder.found), *sorted(recorder.plurals)]


def written() -> bytes:
    """The catalogue as a file."""
    made = Catalog(project="handrail", fuzzy=False, header_comment="# What the console says.")
    for entry in entries():
        made.add(entry)
    file = io.BytesIO()
    write_po(file, made, omit_header=True, width=100)
    return file.getvalue()


def _constants() -> Iterator[str]:
    """Sentences and labels in the constants of the console's modules."""
    for path in sorted(CONSOLE.rglob("*.py")):
        if path.stem in SAY_NOTHING:
            continue
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.AnnAssign) and statement.value is not None:
                yield from _texts(statement.value)


def _texts(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str() as text) if _SENTENCE.search(text) and "(?" not in text:
            yield text
        case ast.Dict(values=values):
            for one in values:
                yield from _texts(one)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            for one in elements:
                yield from _texts(one)
        case _:
            return


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python tools/catalogue.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when it differs")
    asked = parser.parse_args(arguments)
    made = written()
    if asked.check:
        return int(not PLACE.exists() or PLACE.read_bytes() != made)
    PLACE.write_bytes(made)
    print(f"{len(entries())} messages in {PLACE.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
