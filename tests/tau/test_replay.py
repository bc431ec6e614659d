"""Recorded conversations straight against the shops: the ground that the measurement stands on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.tau import direct
from benchmarks.tau.client import Backend
from benchmarks.tau.direct import compare, replay
from benchmarks.tau.score import load_labels
from benchmarks.tau.traffic import SAMPLE, load_traffic, pick_traffic

BOOKED_WITH_CERTIFICATE = {
    "gpt4o-airline-0-0#8",
    "gpt4o-airline-0-1#6",
    "gpt4o-airline-0-2#6",
    "gpt4o-airline-0-3#6",
    "gpt4o-airline-32-2#3",
    "gpt4o-airline-32-3#4",
}
"""Bookings whose label counts a certificate twice: as a payment, and as gone from the profile."""


@pytest.mark.parametrize("folder", [SAMPLE, pick_traffic(None).folder], ids=["sample", "picked"])
def test_the_shops_do_what_was_recorded(backend: Backend, folder: Path) -> None:
    """Every call is accepted or refused as recorded and as labelled, and values agree."""
    traffic = load_traffic(folder)
    print(traffic.origin)
    replayed = {
        one.call_id: one
        for conversation in traffic.conversations
        for one in replay(backend, conversation)
    }
    compared = compare(traffic.conversations, replayed, load_labels(folder))
    assert compared.acceptance == ()
    assert {case.split()[0] for case in compared.values} <= BOOKED_WITH_CERTIFICATE
    # the first edition's shop answered in other words; the current one must answer in its own
    assert not [case for case in compared.answers if not case.startswith("gpt4o-")]
    assert backend.is_pristine("retail")
    assert backend.is_pristine("airline")


def test_a_difference_is_reported_case_by_case(backend: Backend) -> None:
    """The comparison can fail: a wrong label and a changed answer are both named."""
    traffic = load_traffic(SAMPLE)
    labels = load_labels(SAMPLE)
    one = traffic.conversations[0]
    (write_id,) = labels[one.id].writes
    lying = replace(labels[one.id].writes[write_id], backend_accepts=False)
    refunded = replace(labels[one.id].writes[write_id], to_customer_cents=1)
    seen = {found.call_id: found for found in replay(backend, one)}

    labels[one.id] = replace(labels[one.id], writes={write_id: lying})
    assert compare([one], seen, labels).acceptance == (
        f"{write_id} return_delivered_order_items: accepted, labelled otherwise",
    )
    labels[one.id] = replace(labels[one.id], writes={write_id: refunded})
    assert compare([one], seen, labels).values == (
        f"{write_id} return_delivered_order_items: 16215 cents, labelled 1",
    )
    first = one.calls[0].id
    seen[first] = replace(seen[first], said="somebody_else")
    assert compare([one], seen, labels).answers == (f"{first} find_user_id_by_email",)


def test_the_program_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` is one object on stdout; what was replayed is said on stderr."""
    assert direct.main(["--traffic", str(SAMPLE), "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["sets"]["sample-retail"]["allow"]["wrong_ran_alone_cents"] == 260659
    assert report["pristine_after"] is True
    assert "sample of our own making" in err


def test_traffic_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong folder ends with status 2 and a sentence."""
    assert direct.main(["--traffic", str(tmp_path)]) == 2
    assert "cannot read" in capsys.readouterr().err
