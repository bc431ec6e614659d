"""Links in a text with the host that they really lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handrail.core.triggers.hosts import host_of, is_own, oddities_of, read_host
from handrail.core.triggers.span import About, Span, Trigger, folded, phrase

__all__ = ["anchor_in", "elsewhere", "links_in"]

_MARKDOWN: Final = re.compile(
    r"\[([^\[\]\n]{0,300})\]\([ \t]?<?([^()\s<>]{1,2000})[^()\n]{0,200}\)"
)
_HTML: Final = re.compile(
    r"<a\s[^<>]{0,500}?href ?= ?[\"']?([^\"'\s<>]{1,2000})[^<>]{0,500}>([^<]{0,300})"
)
_ADDRESS: Final = re.compile(
    r"(?<![\w@])(?:(?:https?|hxxps?|ftp)://|www\.)[^\s<>\"`]{1,2000}"
    r"|(?<![\w@])[a-z][a-z0-9+.-]{1,20}://[^\s<>\"`]{1,2000}"
    r"|(?<![\w@])(?:javascript|data|vbscript|file|tel|sms|whatsapp|mailto):[^\s<>\"`]{1,2000}"
)
# What mail programs make a link of although nothing says that it is one. The endings are those that
# registries sell most (two letters of any country, and the usual long ones).
_ENDINGS: Final = (
    "com|net|org|info|biz|name|pro|edu|gov|mil|int|xyz|top|online|site|shop|store|app|dev|club|vip"
    "|live|icu|work|tech|space|fun|website|link|click|page|blog|cloud|agency|email|support|help"
    "|services?|solutions|digital|finance|bank|money|pay|cash|credit|loans?|zip|mov|test|example"
    "|buzz|rest|cyou|sbs|monster|world|today|life|media|news|art|one|zone|center|group|company"
    "|international|download|review|stream|trade|win|bid|date|men|party|science|gdn|racing|onion"
    "|\u0440\u0444|\u0440\u0443\u0441|中国|公司|网络|香港|台灣|한국|भारत|xn--[a-z0-9-]{2,40}"
    "|a[c-gil-oq-uwxz]|b[abd-jmnorstvwyz]|c[acdf-ik-oru-z]|d[ejkmoz]|e[cegr-u]|f[ijkmor]"
    "|g[abd-ilmnp-uwy]|h[kmnrtu]|i[delmnoq-t]|j[emop]|k[eghimnprwyz]|l[abcikr-vy]"
    "|m[acdeghk-z]|n[acefgilopruz]|om|p[ae-hk-nrstwy]|qa|r[eosuw]|s[a-eg-ortu-z]"
    "|t[cdf-hj-ortvwz]|u[agksyz]|v[aceginu]|w[fs]|y[et]|z[amw]"
)
_BARE: Final = re.compile(
    rf"(?<![\w@.\-/:])(?:[^\W_][\w-]{{0,62}}[.\u3002\uff0e\uff61]){{1,6}}(?:{_ENDINGS})"
    r"(?::\d{2,5})?(?:[/?#\\][^\s<>\"`]{0,2000})?(?![\w@-]|\.\w)"
)
_NUMBERED: Final = re.compile(
    r"(?<![\w@.\-/:])(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5}(?:[/?#][^\s<>\"`]{0,2000})?"
    r"|[/?#][^\s<>\"`]{0,2000})"
)
_STARTS: Final = (
    "://", "www.", "javascript:", "data:", "vbscript:", "file:", "tel:", "sms:", "whatsapp:",
    "mailto:",
)  # fmt: skip
_INNER_DOT: Final = re.compile(r"[.\u3002\uff0e\uff61][^\W\d_]")
_NUMBERS: Final = re.compile(r"\.\d{1,3}\.\d")
_SHOWN_HOST: Final = re.compile(r"(?:[^\W_][\w-]{0,62}\.){1,6}[^\W\d_]{2,24}\b")
_SHOWN_MAIL: Final = re.compile(r"[^\s<>()\[\],;:@]{1,64}@[^\s<>()\[\],;:@]{1,255}")
_TRAILING: Final = ".,;:!?)]}'*_"
_WRITES: Final = "mailto:"


def links_in(text: str, low: str, about: About) -> Iterator[Span]:
    """Every link that does not plainly lead to a host of the desk.

    DISGUISED_LINK for one that looks as if it led elsewhere than it does, LINK for the others.
    """
    taken: list[tuple[int, int]] = []
    if "](" in low:
        for found in _MARKDOWN.finditer(low):
            taken.append(found.span())
            yield from _link(text, found.span(), found.group(2), found.group(1), about)
    if "<a" in low:
        for found in _HTML.finditer(low):
            taken.append(found.span())
            yield from _link(text, found.span(), found.group(1), found.group(2), about)
    if any(start in low for start in _STARTS):
        yield from _bare(text, low, _ADDRESS, taken, about)
    if _INNER_DOT.search(low):
        yield from _bare(text, low, _BARE, taken, about)
    if _NUMBERS.search(low):
        yield from _bare(text, low, _NUMBERED, taken, about)


def _bare(
    text: str, low: str, form: re.Pattern[str], taken: list[tuple[int, int]], about: About
) -> Iterator[Span]:
    """Links without a text of their own, outside of those that were found before."""
    before = sorted(taken)
    place = 0
    for found in form.finditer(low):
        start = found.start()
        end = start + len(found.group().rstrip(_TRAILING))
        while place < len(before) and before[place][1] <= start:
            place += 1
        if place < len(before) and before[place][0] < end:
            continue
        taken.append((start, end))
        yield from _link(text, (start, end), low[start:end], "", about)


def _link(
    text: str, place: tuple[int, int], address: str, words: str, about: About
) -> Iterator[Span]:
    own = tuple(host.lower() for host in about.hosts)
    host = host_of(address)
    odd = oddities_of(address, own)
    shown = elsewhere(words, address)
    if shown is not None:
        odd.append(f"its text says {phrase(shown)}")
    if not odd and is_own(host, own):
        return
    target = phrase(host) if host else f"no host ({phrase(address)})"
    what = f"a link to {target}"
    trigger = Trigger.DISGUISED_LINK if odd else Trigger.LINK
    if odd:
        what = f"{what}: {'; '.join(odd)}"
    yield Span(start=place[0], end=place[1], trigger=trigger, what=what)


def anchor_in(words: str, address: str, place: tuple[int, int], about: About) -> Span | None:
    """The find of a link of HTML with these words, which stands at `place`; None for a plain one.

    One that writes to an address is plain when that is the recipient's, or the desk's own.
    """
    low, said = folded(address), folded(words)
    if not low.startswith(_WRITES):
        return next(_link("", place, low, said, about), None)
    mail = low.removeprefix(_WRITES)
    host = mail.rpartition("@")[2]
    odd = elsewhere(said, low)
    own = {one.lower() for one in about.addresses}
    if odd is None and (mail in own or is_own(host, tuple(one.lower() for one in about.hosts))):
        return None
    what = f"a link that writes to {phrase(mail)}"
    if odd is not None:
        what = f"{what}: its text says {phrase(odd)}"
    trigger = Trigger.LINK if odd is None else Trigger.DISGUISED_LINK
    return Span(start=place[0], end=place[1], trigger=trigger, what=what)


def elsewhere(words: str, address: str) -> str | None:
    """The host or address that the words of a link name and that it does not lead to, or None.

    Both in small letters.
    """
    writes = address.startswith(_WRITES)
    mail = address.removeprefix(_WRITES) if writes else ""
    for found in _SHOWN_MAIL.finditer(words):
        if writes and found.group().strip(_TRAILING) != mail:
            return found.group()
    host = mail.rpartition("@")[2] if writes else host_of(address)
    shown = (found.group() for found in _SHOWN_HOST.finditer(words))
    return next((one for one in shown if not _leads_to(host, one)), None)


def _leads_to(host: str, shown: str) -> bool:
    """Whether a link whose text names a host leads to it, or to something below it."""
    name = shown.removeprefix("www.")
    return any(
        one == name or one.endswith(f".{name}")
        for one in (host.removeprefix("www."), read_host(host).removeprefix("www."))
    )
