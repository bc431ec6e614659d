"""Start the demo of an installed handrail without a network, and look at all that it serves.

`python -m tests.wheel.crawl HANDRAIL DIRECTORY` prints one JSON object: how many addresses were
looked at, and what was wrong with any of them.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000
SIOCSIFFLAGS: Final = 0x8914
IFF_UP: Final = 1
PAGES_MAX: Final = 300
WAIT_S_MAX: Final = 120
LINKS: Final = frozenset(("href", "src", "srcset", "poster", "data", "formaction"))
ELSEWHERE: Final = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[\w.-]+", re.IGNORECASE)
CSS_URL: Final = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
JS_IMPORT: Final = re.compile(r"(?:\bfrom|\bimport)\s*\(?\s*['\"]([^'\"]+)")


def leave_the_network() -> bool:
    """Move to a network of our own, where only the loopback is; False where that is not allowed."""
    libc = ctypes.CDLL(None)
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if libc.unshare(flags):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    return True


class Addresses(HTMLParser):
    """Every address that a page names: what it fetches or leads to, and what its forms go to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.actions: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        posts = ("method", "post") in attrs
        for name, value in attrs:
            if value and name == "action" and posts:
                self.actions.add(value)
            elif value and (name in LINKS or name == "action"):
                self.links.add(value.split()[0])


class Crawl:
    """A walk over everything that is reachable from the front page, as one person."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.home = str(client.base_url)
        self.seen: set[str] = set()
        self.actions: set[str] = set()
        self.wrong: list[str] = []
        self._waiting: deque[str] = deque()

    def walk(self, *starts: str) -> None:
        """Look at all of it."""
        for start in starts:
            self._meet(start, self.home)
        while self._waiting and len(self.seen) <= PAGES_MAX:
            self._look(self._waiting.popleft())
        for action in sorted(self.actions):
            # Without the token of the session nothing happens, but that the address is there.
            status = self.client.post(action).status_code
            if status not in (400, 401, 403, 422):
                self.wrong.append(f"{action}: a form without its token got {status}")

    def _meet(self, address: str, page: str) -> None:
        full = urljoin(page, address).partition("#")[0]
        if urlsplit(full)[:2] != urlsplit(self.home)[:2]:
            self.wrong.append(f"{page}: leads to {full}")
        elif full not in self.seen:
            self.seen.add(full)
            self._waiting.append(full)

    def _look(self, url: str) -> None:
        answer = self.client.get(url)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code != 200:
            self.wrong.append(f"{url}: {answer.status_code}")
        if kind == "text/html":
            found = Addresses(answer.text)
            self.actions |= {urljoin(url, action) for action in found.actions}
            for action in found.actions:
                if urlsplit(urljoin(url, action)).netloc != urlsplit(self.home).netloc:
                    self.wrong.append(f"{url}: a form goes to {action}")
            for link in found.links:
                self._meet(link, url)
        elif kind in ("text/css", "text/javascript", "image/svg+xml"):
            pattern = JS_IMPORT if kind == "text/javascript" else CSS_URL
            for link in (a or b for a, b in _pairs(pattern, answer.text)):
                self._meet(link, url)
            self.wrong.extend(f"{url}: {found}" for found in ELSEWHERE.findall(answer.text))


def _pairs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    for found in pattern.finditer(text):
        yield found.group(1), found.group(found.re.groups)


def main(handrail: str, directory: str) -> None:
    """Start the demo, log in, wait for the agent's first question, and look at everything."""
    alone = leave_the_network()
    with subprocess.Popen(
        [handrail, "demo", "--port", "0", "--directory", directory], stdout=subprocess.PIPE
    ) as demo:
        try:
            assert demo.stdout is not None
            printed = ""
            while not (found := re.search(r"(http://\S+)\n[\s\S]*  dana +(\S+)  ", printed)):
                line = demo.stdout.readline().decode()
                assert line, printed
                printed += line
            address, password = found.groups()
            with httpx.Client(base_url=address, trust_env=False, timeout=WAIT_S_MAX) as client:
                crawl = Crawl(client)
                crawl.walk("/login")
                client.post("/login", data={"person": "dana", "password": password})
                until = time.monotonic() + WAIT_S_MAX
                while "/actions/hr_" not in client.get("/").text and time.monotonic() < until:
                    time.sleep(0.5)
                crawl.walk("/", "/ran", "/log", "/caps", "/escalations")
        finally:
            demo.kill()
    seen = sorted(urlsplit(url).path for url in crawl.seen)
    print(json.dumps({"alone": alone, "seen": seen, "wrong": crawl.wrong}))


if __name__ == "__main__":
    main(*sys.argv[1:])
