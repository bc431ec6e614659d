"""The host that an address really leads to, and what is odd about it."""

from __future__ import annotations

import re
from typing import Final

from handrail.core.text import hidden_marks, visible
from handrail.core.triggers.span import phrase

__all__ = ["host_of", "is_own", "oddities_of", "read_host"]

LABEL_CHARS_MAX: Final = 63
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}:")
_ENDS: Final = re.compile(r"[/?#\\]")
_HEX: Final = re.compile(r"%([0-9a-f]{2})")
_DOTS: Final = re.compile("[\u3002\uff0e\uff61]")
_NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}")
_PORT: Final = re.compile(r":\d{0,5}$")
_LIKE: Final = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "i": "l", "|": "l"})
_WEB: Final = ("http:", "https:", "ftp:", "hxxp:", "hxxps:")


def host_of(address: str) -> str:
    """The host that a browser goes to for `https://shop.example.com@evil.test/x`: `evil.test`.

    In small letters; empty for an address that leads to no host (`mailto:`, `javascript:`, a path).
    """
    rest = _without_scheme(address)
    if rest is None:
        return ""
    host = _ENDS.split(rest, maxsplit=1)[0].rpartition("@")[2]
    host = _HEX.sub(lambda found: chr(int(found.group(1), 16)), host)
    return _PORT.sub("", _DOTS.sub(".", host)).strip(".")


def read_host(host: str) -> str:
    """The host as a person is shown it: punycode decoded, as far as it can be."""
    return ".".join(_decoded(label) for label in host.split("."))


def is_own(host: str, own: tuple[str, ...]) -> bool:
    """Whether a host is one of the desk's own, or below one."""
    return any(host == one or host.endswith(f".{one}") for one in own)


def oddities_of(address: str, own: tuple[str, ...]) -> list[str]:
    """What an address does to look like another one; empty for a plain one."""
    host, rest = host_of(address), _without_scheme(address)
    if rest is None:
        return ["it runs something and leads to no host"] if _runs(address) else []
    authority = _ENDS.split(rest, maxsplit=1)[0]
    found = []
    if "@" in authority:
        found.append(
            f"what stands before the @, {phrase(authority.rpartition('@')[0])}, is no host"
        )
    if "%" in authority:
        found.append("its host is written in percent codes")
    if _NUMERIC.fullmatch(host) or host.startswith("["):
        found.append("its host is a number and no name")
    read = read_host(host)
    if read != host:
        found.append(f"its name is read {phrase(visible(read))}")
    odd = dict.fromkeys(mark.what for mark in hidden_marks(f"//{read}/a"))
    found.extend(odd)
    if not is_own(host, own):
        found.extend(f"it only looks like {phrase(one)}" for one in own if _resembles(read, one))
    return found


def _without_scheme(address: str) -> str | None:
    """What stands behind `https://`; None when the scheme leads to no host."""
    low = address.strip().lower()
    scheme = _SCHEME.match(low)
    rest = low
    if scheme is not None and not low[scheme.end() : scheme.end() + 1].isdigit():
        if scheme.group() not in _WEB and not low.startswith("//", scheme.end()):
            return None
        rest = low[scheme.end() :]
    elif low.startswith(("/", "#", "?")) and not low.startswith("//"):
        return None
    return rest.lstrip("/\\")


def _runs(address: str) -> bool:
    return address.strip().lower().startswith(("javascript:", "data:", "vbscript:", "file:"))


def _decoded(label: str) -> str:
    if not label.startswith("xn--") or not label.isascii() or len(label) > LABEL_CHARS_MAX:
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


def _resembles(host: str, own: str) -> bool:
    """Whether a foreign host holds the own one, or is it but for letters that look alike."""
    if f"{own}." in host or f"{own}-" in host or own.replace(".", "-") in host:
        return True
    return _skeleton(host) == _skeleton(own)


def _skeleton(host: str) -> str:
    return (
        host.translate(_LIKE)
        .replace("rn", "m")
        .replace("vv", "w")
        .replace("-", "")
        .replace(".", "")
    )
