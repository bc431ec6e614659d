"""The airline's facts: what its written rules ask about, read from its records and the thread."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.tau.rule import Look, RulesOfTool, agreed, amount_told, method_named, named

__all__ = [
    "NOW",
    "RULES",
    "bags_asked",
    "bags_owed",
    "cabin_told",
    "connects",
    "flights_told",
    "goes",
    "people",
    "people_known",
    "user_of",
]

NOW: Final = datetime(2024, 5, 15, 15)
"""Where the desk's clock stands, in EST, as all times of its records."""
FREE_BAGS: Final = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
"""Free checked bags of each passenger (rules, "Book flight")."""
CANCELLED_USD: Final = 100
DELAYED_USD: Final = 50
"""What a certificate is worth for each passenger (rules, "Refunds and Compensation")."""
_TAKEN_OFF: Final = frozenset(("landed", "flying"))

_COVERED: Final = re.compile(
    r"\b(health|medical|ill|illness|sick|sickness|unwell|hospital(ized|ised)?|surgery|doctor"
    r"|injur(y|ed)|fever|flu|weather|storms?|hurricane|snow(storm)?|blizzard|flood(s|ing)?)\b"
)
"""Words for the two reasons that the insurance covers: health and weather."""
_COMPENSATION: Final = re.compile(
    r"\b(compensat\w*|reimburs\w*|certificates?|vouchers?|goodwill|make (it|this|that|up)"
    r"|for (the|my|this|all this) (inconvenience|trouble))\b"
)
_BAGS: Final = re.compile(r"\b(bags?|baggages?|luggage|suitcases?)\b")


def _reservation(look: Look) -> Any:
    return look.shop.reservations.peek(look.text("reservation_id"))


def user_of(look: Look) -> Any:
    """The customer: who is named, else who owns the reservation."""
    if "user_id" in look.arguments:
        return look.shop.users.peek(look.text("user_id"))
    return look.shop.users.peek(_reservation(look).user_id)


def _statuses(look: Look, reservation: Any) -> set[str]:
    """The state of every flight of a reservation on its day. KeyError for an unknown day."""
    return {
        str(look.shop.flights.peek(one.flight_number).dates[one.date].status)
        for one in reservation.flights
    }


def already_cancelled(look: Look) -> bool:
    """Whether the reservation is cancelled already."""
    return bool(_reservation(look).status == "cancelled")


def flown(look: Look) -> bool:
    """Whether any flight of it has taken off."""
    return not _TAKEN_OFF.isdisjoint(_statuses(look, _reservation(look)))


def airline_cancelled(look: Look) -> bool:
    """Whether the airline cancelled a flight of it."""
    return "cancelled" in _statuses(look, _reservation(look))


def cabin_before(look: Look) -> str:
    """The cabin as it is booked."""
    return str(_reservation(look).cabin)


def insured(look: Look) -> bool:
    """Whether travel insurance was bought with it."""
    return bool(_reservation(look).insurance == "yes")


def minutes_since_booking(look: Look) -> int | None:
    """How long ago it was booked; None for a time that lies ahead."""
    age = NOW - datetime.fromisoformat(_reservation(look).created_at)
    return None if age < timedelta(0) else age // timedelta(minutes=1)


def _segments(look: Look) -> list[tuple[str, str]]:
    return [(one["flight_number"], one["date"]) for one in look.entries("flights")]


def _booked(look: Look) -> list[tuple[str, str]]:
    return [(one.flight_number, one.date) for one in _reservation(look).flights]


def cabin_changes(look: Look) -> bool:
    """Whether the call asks for another cabin."""
    return look.text("cabin") != cabin_before(look)


def flights_change(look: Look) -> bool:
    """Whether the call asks for other flights."""
    return _segments(look) != _booked(look)


def goes(look: Look, origin: str, destination: str, trip: str) -> bool:
    """Whether the flights asked for make this journey, there, and back if it is a round trip."""
    legs = [look.shop.flights.peek(number) for number, _ in _segments(look)]
    if not legs or legs[0].origin != origin:
        return False
    if any(one.destination != two.origin for one, two in itertools.pairwise(legs)):
        return False
    if trip == "one_way":
        return bool(legs[-1].destination == destination)
    reached = [leg.destination for leg in legs[:-1]]
    return trip == "round_trip" and destination in reached and legs[-1].destination == origin


def same_journey(look: Look) -> bool:
    """Whether origin, destination and trip type stay as they are booked."""
    old = _reservation(look)
    return goes(look, old.origin, old.destination, old.flight_type)


def connects(look: Look) -> bool:
    """Whether each flight leaves after the one before it has landed."""
    landed: datetime | None = None
    for number, day in _segments(look):
        flight = look.shop.flights.peek(number)
        leaves = _at(day, flight.scheduled_departure_time_est)
        if landed is not None and leaves < landed:
            return False
        landed = _at(day, flight.scheduled_arrival_time_est)
    return True


def _at(day: str, clock: str) -> datetime:
    """A time such as `06:00:00`, or `01:30:00+1` on the day after. ValueError for anything else."""
    time, _, later = clock.partition("+")
    return datetime.fromisoformat(f"{day}T{time}") + timedelta(days=int(later or 0))


def method(look: Look) -> str:
    """What kind of payment method of the customer is named, `none` if it is not in the profile."""
    found = user_of(look).payment_methods.get(look.text("payment_id"))
    return "none" if found is None else str(found.source)


def method_is_original(look: Look) -> bool:
    """Whether the reservation was paid that way."""
    return look.text("payment_id") in _paid_by(look)


def _paid_by(look: Look) -> set[str]:
    return {one.payment_id for one in _reservation(look).payment_history}


def bags_owed(look: Look, cabin: str, *, heads: int, paid: int) -> int:
    """Bags above the free allowance, and never fewer than were paid for."""
    total = look.whole("total_baggages")
    return max(paid, total - FREE_BAGS[user_of(look).membership][cabin] * heads)


def bags_due(look: Look) -> int:
    """Bags that have to be paid for, those that were paid for before included."""
    old = _reservation(look)
    return bags_owed(look, old.cabin, heads=len(old.passengers), paid=old.nonfree_baggages)


def bags_before(look: Look) -> int:
    """Bags that the reservation has now."""
    return int(_reservation(look).total_baggages)


def people(look: Look) -> int:
    """How many passengers the call names."""
    return len(look.entries("passengers"))


def people_before(look: Look) -> int:
    """How many passengers the reservation has."""
    return len(_reservation(look).passengers)


def people_known(look: Look) -> bool:
    """Whether every passenger is known: from the profile, or named by the customer.

    One of the profile or the reservation has to have the date of birth that is kept there.
    """
    user = user_of(look)
    kept = {(user.name.first_name, user.name.last_name): user.dob}
    kept |= {(one.first_name, one.last_name): one.dob for one in user.saved_passengers}
    if "reservation_id" in look.arguments:
        old = _reservation(look).passengers
        kept |= {(one.first_name, one.last_name): one.dob for one in old}
    return all(_is_known(look, kept, one) for one in look.entries("passengers"))


def _is_known(look: Look, kept: Mapping[tuple[str, str], str], person: Mapping[str, str]) -> bool:
    first, last, born = person["first_name"], person["last_name"], person["dob"]
    if (first, last) in kept:
        return kept[first, last] == born
    year = born.partition("-")[0]
    return look.thread.customer_names(first, last) and (
        look.thread.customer_names(born) or look.thread.customer_names(year)
    )


def _reservations(look: Look) -> Iterator[Any]:
    """The customer's reservations as they were when the conversation began, and new ones."""
    for one in user_of(look).reservations:
        yield look.shop.reservations.first(one)


def _is_eligible(user: Any, reservation: Any) -> bool:
    return (
        user.membership in ("silver", "gold")
        or reservation.insurance == "yes"
        or reservation.cabin == "business"
    )


def eligible(look: Look) -> bool:
    """Whether the customer may be compensated at all, for any reservation."""
    user = user_of(look)
    return any(_is_eligible(user, one) for one in _reservations(look))


def _dues(look: Look) -> Iterator[tuple[Any, int, bool]]:
    """Each reservation that a certificate may be for: how many dollars, and if it is due by now.

    For a delay it is due once the reservation was changed or cancelled.
    """
    user = user_of(look)
    changed = set(look.shop.reservations.changed())
    for one in _reservations(look):
        if not _is_eligible(user, one):
            continue
        statuses, heads = _statuses(look, one), len(one.passengers)
        if "cancelled" in statuses:
            yield one, CANCELLED_USD * heads, True
        if "delayed" in statuses:
            yield one, DELAYED_USD * heads, one.reservation_id in changed


def amount_fits(look: Look) -> bool:
    """Whether the rules know a certificate of this amount for a reservation of the customer."""
    return look.whole("amount") in {dollars for _, dollars, _ in _dues(look)}


def due_by_now(look: Look) -> bool:
    """Whether such a reservation was changed or cancelled first, where the rules ask for it."""
    amount = look.whole("amount")
    return any(due and dollars == amount for _, dollars, due in _dues(look))


def due_is_named(look: Look) -> bool:
    """Whether a reservation for which that amount may be sent stands in the thread."""
    amount = look.whole("amount")
    found = [one.reservation_id for one, dollars, _ in _dues(look) if dollars == amount]
    return any(look.thread.names(one) for one in found)


def sent_before(look: Look) -> int:
    """Certificates that were sent to the customer in this conversation already."""
    user = user_of(look)
    first = look.shop.users.first(user.user_id)
    return sum(
        method.source == "certificate" and id_ not in first.payment_methods
        for id_, method in user.payment_methods.items()
    )


def reservation_told(look: Look) -> bool:
    """Whether the reservation stands in the thread."""
    return look.thread.names(look.text("reservation_id"))


def flights_told(look: Look) -> bool:
    """Whether every flight that is new stands in the thread."""
    old = _booked(look) if "reservation_id" in look.arguments else []
    new = [number for number, day in _segments(look) if (number, day) not in old]
    return look.thread.names(*new)


def cabin_told(look: Look) -> bool:
    """Whether the cabin asked for stands in the thread, or stays as it is."""
    if "reservation_id" in look.arguments and not cabin_changes(look):
        return True
    words = look.text("cabin").replace("_", "[ _-]")
    return look.thread.says(re.compile(rf"(?<!basic[ _-])\b{words}\b"))


def method_told(look: Look) -> bool:
    """Whether the thread names the way of paying, where anything is paid or paid back."""
    if look.cents == 0:
        return True
    id_ = look.text("payment_id")
    return method_named(look, user_of(look), id_, paid_by=_paid_by(look))


def covered_reason_told(look: Look) -> bool:
    """Whether the customer spoke of health or weather."""
    return look.thread.customer_says(_COVERED)


def bags_asked(look: Look) -> bool:
    """Whether the customer spoke of bags, or none are added."""
    before = bags_before(look) if "reservation_id" in look.arguments else 0
    return look.whole("total_baggages") <= before or look.thread.customer_says(_BAGS)


def compensation_asked(look: Look) -> bool:
    """Whether the customer spoke of compensation."""
    return look.thread.customer_says(_COMPENSATION)


RULES: Final[Mapping[str, RulesOfTool]] = {
    "cancel_reservation": (
        named(already_cancelled, flown, airline_cancelled, cabin_before, insured)
        | named(minutes_since_booking),
        named(agreed, amount_told, reservation_told, covered_reason_told),
    ),
    "update_reservation_flights": (
        named(already_cancelled, flown, cabin_before, cabin_changes, flights_change)
        | named(same_journey, connects, method, method_is_original),
        named(agreed, amount_told, reservation_told, flights_told, cabin_told, method_told),
    ),
    "update_reservation_baggages": (
        named(already_cancelled, bags_before, bags_due, method),
        named(agreed, amount_told, reservation_told, bags_asked, method_told),
    ),
    "update_reservation_passengers": (
        named(already_cancelled, people, people_before),
        named(agreed, reservation_told, people_known),
    ),
    "send_certificate": (
        named(eligible, amount_fits, due_by_now, sent_before),
        named(compensation_asked, due_is_named),
    ),
}
