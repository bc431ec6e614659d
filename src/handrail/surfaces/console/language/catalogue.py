"""The console in another language: one gettext catalogue, keyed by the English in the templates.

Templates stay plain English. When one is compiled for a language, each run of text between two
blocks of the page is a message: expressions and inline tags in it are numbered places, so that a
translator sees a whole sentence and may move them. Literals that an expression chooses between are
messages of their own. What Python hands over as a plain string is looked up when it is drawn, so
the closed sets of `words` need no mark either. What comes from outside is markup by then (the
`literal` filter made it so) and is never looked up.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import jinja2
from jinja2 import nodes
from markupsafe import escape

__all__ = [
    "DOMAIN",
    "_RIGHT_TO_LEFT",
    "Catalogue",
    "Messages",
    "Recorder",
    "Translated",
    "languages",
]

DOMAIN: Final = "handrail"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ps", "ur", "yi"})
"""Languages that are written from right to left, of those with a two-letter code."""

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?")
_INLINE: Final = frozenset("a abbr b code em i kbd mark small span strong time".split())
_TAG: Final = re.compile(r"<([/!]?)([a-zA-Z][a-zA-Z0-9]*)[^>]*(?:>|$)")
_WRAPPED: Final = re.compile(r"(\s*<([a-z]+)\b[^>]*>)((?:(?!</?\2\b).)*)(</\2>\s*)", re.DOTALL)
"""A run that is one inline element: its tags are no matter of the sentence."""
_SPOKEN: Final = re.compile(r'(?<=[\s])((?:aria-label|title|placeholder|alt)=")([^"]*)(")')
_LETTER: Final = re.compile(r"[A-Za-z]")
_PLACE: Final = re.compile(r"\{(\d+)\}")
_FIRST: Final = 0xE000
"""An expression is this character and the following ones while the text of an output is handled."""
_HELD: Final = re.compile("([\ue000-\uf8ff])")
_PLURAL: Final = "plural"
_LABELS: Final = {"chip": (0,)}
"""Macros whose arguments are text at these places, however short."""


class Messages(Protocol):
    """Where the words of a language come from."""

    def gettext(self, message: str) -> str:
        """The message in the language; itself when it is not known."""
        ...

    def ngettext(self, one: str, many: str, n: int) -> str:
        """The form of the message for a number."""
        ...


class Recorder:
    """Messages that are noted and stay English: what a catalogue has to hold."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        self.plurals: dict[tuple[str, str], None] = {}

    def gettext(self, message: str) -> str:
        """Note it."""
        self.found[message] = None
        return message

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Note it."""
        self.plurals[one, many] = None
        return one if n == 1 else many


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """A language that the console can speak, and its messages."""

    language: str
    messages: Messages = field(default_factory=gettext.NullTranslations)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the page."""
        return "rtl" if self.language.partition("_")[0] in _RIGHT_TO_LEFT else "ltr"


def languages(folder: Path | None) -> dict[str, Catalogue]:
    """English, and each language that has a `LANGUAGE/LC_MESSAGES/handrail.mo` in the folder."""
    found = {"en": Catalogue(language="en")}
    for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")) if folder else ():
        name = path.parts[-3]
        if _LANGUAGE.fullmatch(name):
            with path.open("rb") as file:
                found[name] = Catalogue(language=name, messages=gettext.GNUTranslations(file))
    return found


class Translated(jinja2.Environment):
    """An environment whose templates are compiled in a language."""

    def __init__(self, messages: Messages, **options: Any) -> None:
        def spoken(value: object) -> object:
            # Markup was made from what came from outside, or from a template.
            known = type(value) is str and _LETTER.search(value)
            return messages.gettext(value) if known else value  # type: ignore[arg-type]

        super().__init__(finalize=spoken, **options)
        self.messages = messages

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        _Page(self.messages).through(parsed.body, in_tag=False)
        return parsed


class _Page:
    """One template on its way into a language."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def through(self, body: Sequence[nodes.Node], *, in_tag: bool) -> bool:
        """Handle statements in the order of the page; whether the last one ends inside a tag."""
        for statement in body:
            if isinstance(statement, nodes.Output):
                in_tag = self._output(statement, in_tag=in_tag)
                continue
            self._handed_on(statement)
            for inner in _bodies(statement):
                self.through(inner, in_tag=in_tag)
        return in_tag

    def _handed_on(self, statement: nodes.Node) -> None:
        """Literals that a statement hands on: they are looked up when they are drawn."""
        match statement:
            case nodes.For(iter=given) | nodes.Assign(node=given):
                for one in (given, *given.find_all(nodes.Const)):
                    if _is_text(one) and isinstance(one, nodes.Const):
                        self._messages.gettext(one.value)
            case _:
                pass

    def _output(self, output: nodes.Output, *, in_tag: bool) -> bool:
        """Text and expressions up to the next statement."""
        held = [node for node in output.nodes if not isinstance(node, nodes.TemplateData)]
        if not output.nodes:
            return in_tag
        number = iter(range(len(held)))
        flat = "".join(
            node.data if isinstance(node, nodes.TemplateData) else chr(_FIRST + next(number))
            for node in output.nodes
        )
        done, rest = "", flat
        if in_tag:
            before, closed, rest = flat.partition(">")
            done = self._spoken(before) + closed
            if not closed:
                return True
        outside = _TAG.sub("", rest)
        for node in (held[ord(one) - _FIRST] for one in _HELD.findall(outside)):
            self._chosen(node)
        done += self._pieces(rest)
        line = output.lineno
        output.nodes = [
            held[ord(part) - _FIRST]
            if _HELD.fullmatch(part)
            else nodes.TemplateData(part, lineno=line)
            for part in _HELD.split(done)
            if part
        ]
        return done.rfind("<") > done.rfind(">")

    def _pieces(self, flat: str) -> str:
        """The runs of text between blocks, each as a message."""
        done, start = "", 0
        for tag in _TAG.finditer(flat):
            if tag[2].lower() in _INLINE:
                continue
            done += self._run(flat[start : tag.start()]) + self._spoken(tag[0])
            start = tag.end()
        return done + self._run(flat[start:])

    def _run(self, flat: str) -> str:
        """One run: its inline tags and expressions become numbered places."""
        if found := _WRAPPED.fullmatch(flat):
            return self._spoken(found[1]) + self._run(found[3]) + found[4]
        places: list[str] = []

        def place(found: re.Match[str]) -> str:
            whole = found[0]
            places.append(self._spoken(whole) if whole[0] == "<" else whole)
            return f"{{{len(places)}}}"

        text = re.sub(f"{_TAG.pattern}|{_HELD.pattern}", place, flat)
        if not _LETTER.search(_PLACE.sub("", text)) or "{" in _PLACE.sub("", text):
            return _PLACE.sub(lambda found: places[int(found[1]) - 1], text)
        lead, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        message = self._messages.gettext(" ".join(text.split()))
        safe = str(escape(message)) if message != " ".join(text.split()) else message
        return lead + _PLACE.sub(lambda found: places[int(found[1]) - 1], safe) + tail

    def _spoken(self, tag: str) -> str:
        """The attributes of a tag that a person hears or reads."""
        return _SPOKEN.sub(lambda found: found[1] + self._run(found[2]) + found[3], tag)

    def _chosen(self, node: nodes.Node) -> None:
        """The literals that an expression may give."""
        match node:
            case nodes.Const(value=str() as text) if _LETTER.search(text):
                node.value = self._messages.gettext(text)
            case nodes.CondExpr():
                self._each(node.expr1, node.expr2)
            case nodes.Concat():
                self._each(*node.nodes)
            case nodes.Or():
                self._each(node.right)
            case nodes.Filter(name="literal" | "line", node=inner):
                self._each(inner)
            case nodes.Call(node=nodes.Name(name=name), args=arguments):
                if name == _PLURAL:
                    _, one, many = arguments
                    if isinstance(one, nodes.Const) and isinstance(many, nodes.Const):
                        self._messages.ngettext(one.value, many.value, 1)
                    return
                for place, argument in enumerate(arguments):
                    if place in _LABELS.get(name, ()) or _is_text(argument):
                        self._each(argument)
            case _:
                pass  # its text, if it has any, is looked up when it is drawn

    def _each(self, *found: nodes.Node | None) -> None:
        for node in found:
            if node is not None:
                self._chosen(node)


def _is_text(node: nodes.Node) -> bool:
    """Whether an argument is text rather than a name: it has a space, or begins like a sentence."""
    literals = [node, *node.find_all(nodes.Const)]
    return any(
        isinstance(one, nodes.Const)
        and isinstance(one.value, str)
        and bool(_LETTER.search(one.value))
        and (" " in one.value.strip() or one.value[:1].isupper())
        for one in literals
    )


def _bodies(statement: nodes.Node) -> Iterator[Sequence[nodes.Node]]:
    """The lists of statements inside a statement."""
    for name in ("body", "elif_", "else_"):
        inner = getattr(statement, name, None)
        if isinstance(inner, list):
            yield inner
