"""Links with the host that they really lead to, and addresses that look like another one."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.triggers.hosts import host_of, read_host
from handrail.core.triggers.span import Trigger
from tests.core.triggers.known import found, rows, said

# text | host
HOSTS: Final = """
https://shop.example.com/a?b#c               | shop.example.com
HTTPS://Shop.Example.COM:8443/               | shop.example.com
http://shop.example.com@evil.test/           | evil.test
http://shop.example.com:x@evil.test:80/      | evil.test
http://evil.test\\@shop.example.com/          | evil.test
https://ex%61mple.test/                      | example.test
//evil.test/a                                | evil.test
www.evil.test.                               | www.evil.test
http://evil。test/                            | evil.test
http://[::1]/                                | [::1]
http:evil.test                               | evil.test
localhost:8080/a                             | localhost
mailto:bob@evil.test                         |
javascript:alert(1)                          |
/orders/1                                    |
"""


@pytest.mark.parametrize(("address", "host"), rows(HOSTS))
def test_the_real_host(address: str, host: str) -> None:
    """B5: where a browser would go."""
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("host", "read"),
    [
        ("xn--pypal-4ve.com", "p\u0430ypal.com"),
        ("xn--e1afmkfd.test", "пример.test"),
        ("xn--.com", ".com"),
        ("xn--\u00e4.com", "xn--\u00e4.com"),
        ("xn--99999999999.com", "xn--99999999999.com"),
        ("plain.test", "plain.test"),
    ],
)
def test_punycode_is_read(host: str, read: str) -> None:
    """B3: what a browser may show of an encoded name; what cannot be decoded stays as it is."""
    assert read_host(host) == read


# text | what is marked
PLAIN_LINKS: Final = """
see https://other.test/a, please        | https://other.test/a
see www.other.test/a.                   | www.other.test/a
see bit.ly/3abc                         | bit.ly/3abc
see other.co.uk now                     | other.co.uk
see [the manual](https://other.test/m)  | [the manual](https://other.test/m)
see [other.test](https://www.other.test)| [other.test](https://www.other.test)
see <https://other.test/a>              | https://other.test/a
call tel:+15550100                      | tel:+15550100
see ftp://other.test/a                  | ftp://other.test/a
"""
DISGUISED: Final = """
[shop.example.com](https://evil.test/x)        | its text says `shop.example.com`
<a href="https://evil.test">shop.example.com</a>| its text says `shop.example.com`
http://shop.example.com@evil.test/ | what stands before the @, `shop.example.com`, is no host
http://192.0.2.7/a                             | its host is a number and no name
192.0.2.7/login                                | its host is a number and no name
http://3232235777/                             | its host is a number and no name
http://0x7f.0.0.1/                             | its host is a number and no name
https://xn--pypal-4ve.com/ | its name is read `pаypal.com`; mixed scripts: cyrillic and latin
pаypal.com                                     | mixed scripts: cyrillic and latin
https://раура.com/                             | reads as latin but is cyrillic
https://shop.example.com.evil.test/            | it only looks like `shop.example.com`
https://shop-example.com/                      | it only looks like `shop.example.com`
https://sh0p.example.com/                      | it only looks like `shop.example.com`
https://ev%69l.test/                           | its host is written in percent codes
javascript:alert(1)                            | it runs something and leads to no host
"""
NO_LINKS: Final = """
see https://shop.example.com/orders/1
see help.shop.example.com or shop.example.com
see [your orders](https://shop.example.com/orders)
e.g. this, i.e. that, and so on...
the file invoice.pdf and node.js
version 2.10.3 and 1.2.3.4
Thank you.Then we talk
10.30 and 5.50
a ratio of 3:1
"""


@pytest.mark.parametrize(("text", "wanted"), rows(PLAIN_LINKS))
def test_links(text: str, wanted: str) -> None:
    """B5: every link that leads away from the desk's own hosts."""
    assert found(text, Trigger.LINK) == [wanted]
    assert found(text, Trigger.DISGUISED_LINK) == []


@pytest.mark.parametrize(("text", "wanted"), rows(DISGUISED))
def test_links_that_look_like_others(text: str, wanted: str) -> None:
    """B3, B5: the text says another host, or the host only looks like the one that it is not."""
    told = said(f"Please see {text} for more", Trigger.DISGUISED_LINK)
    assert len(told) == 1
    assert told[0].endswith(f": {wanted}")


def test_the_host_is_said() -> None:
    """B5: the real host stands beside every link."""
    assert said("see [shop.example.com](https://evil.test/x)", Trigger.DISGUISED_LINK) == [
        "a link to `evil.test`: its text says `shop.example.com`"
    ]
    assert said("see https://other.test/a", Trigger.LINK) == ["a link to `other.test`"]


@pytest.mark.parametrize("text", NO_LINKS.strip().splitlines())
def test_no_links(text: str) -> None:
    """The desk's own plain links, abbreviations, files, versions and times are none."""
    assert found(text, Trigger.LINK, Trigger.DISGUISED_LINK) == []
