"""Which addresses may be called, and what a receiver can do to who calls it."""

from __future__ import annotations

import pytest

from handrail.surfaces.outbound.egress import NotSent, address_of, post
from tests.outbound.receivers import receiver
from tests.patience import HANG_S

NEVER = ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::", "::ffff:169.254.169.254"]
INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.5.5",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]


@pytest.mark.parametrize("host", NEVER)
@pytest.mark.parametrize("inside", [True, False])
def test_what_is_never_called(host: str, inside: bool) -> None:
    """M5: link-local, multicast and no address at all, whatever an administrator allows."""
    with pytest.raises(NotSent, match="not a public one"):
        address_of(host, 443, inside=inside)


@pytest.mark.parametrize("host", INSIDE)
def test_what_is_called_only_by_name(host: str) -> None:
    """M5: private and loopback addresses, however they are written."""
    with pytest.raises(NotSent, match="not a public one"):
        address_of(host, 443, inside=False)
    assert address_of(host, 443, inside=True)


@pytest.mark.parametrize("host", PUBLIC)
def test_what_may_be_called(host: str) -> None:
    """A public address is the one that is connected to."""
    assert address_of(host, 443, inside=False) == host


@pytest.mark.parametrize("host", ["", "no-such-host.invalid", "a" * 300, "exa mple.com"])
def test_hosts_that_are_none(host: str) -> None:
    """A name that leads nowhere is refused, and nothing is raised that has it inside."""
    with pytest.raises(NotSent):
        address_of(host, 443, inside=True) and pytest.fail("it was taken")


def test_no_redirect_is_followed() -> None:
    """M5: a receiver cannot send us elsewhere; the answer is its own."""
    with receiver() as found:
        found.answer = 302
        assert post(f"{found.url}/hook", b"{}", {}, inside=True) == 302
        assert (len(found.got), found.asked) == (1, [])


def test_an_endless_answer_is_cut() -> None:
    """M5: no more than a bounded part of an answer is read."""
    with receiver() as found:
        found.answer = "flood"
        assert post(found.url, b"{}", {}, inside=True) == 200
        assert found.over.wait(HANG_S), "it could write for ever"


def test_a_receiver_that_closes() -> None:
    """Nothing is known of it then; the words hold no address."""
    with receiver() as found:
        found.answer = "close"
        with pytest.raises(NotSent) as refused:
            post(found.url, b"{}", {}, inside=True)
        assert "127.0.0.1" not in str(refused.value)


def test_a_receiver_that_hangs() -> None:
    """It is given up after the time that a call may take."""
    with receiver() as found:
        found.answer = "hang"
        with pytest.raises(NotSent, match="did not answer in time"):
            post(found.url, b"{}", {}, inside=True, within_s=0.3)


def test_the_name_is_what_is_sent_and_the_address_is_what_is_called() -> None:
    """M5: the connection goes to the address that was looked at, under the name of the host."""
    with receiver() as found:
        port = found.url.rpartition(":")[2]
        assert post(f"http://localhost:{port}/hook", b"{}", {}, inside=True) == 200
        ((headers, body),) = found.got
        assert (headers["host"], body) == (f"localhost:{port}", b"{}")
