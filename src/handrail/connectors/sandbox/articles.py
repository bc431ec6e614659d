"""The sample shop's knowledge base."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["ARTICLES"]


class _Article(NamedTuple):
    """One article of the knowledge base."""

    id: str
    title: str
    body: str


ARTICLES: Final = (
    _Article(
        "KB-01",
        "Returning an item",
        "Unused items can be returned within 30 days of delivery. Open your order, choose Return"
        " an item and print the label; drop the parcel at any collection point. The refund goes"
        " back to the way you paid once the parcel has reached us, usually after five working"
        " days. Made-to-order items and opened food cannot be returned.",
    ),
    _Article(
        "KB-02",
        "Something arrived damaged",
        "Write to us within 14 days of delivery and describe the damage; a photo helps. You do not"
        " have to send a broken item back. We refund the damaged part of the order or send it"
        " again, whichever you prefer.",
    ),
    _Article(
        "KB-03",
        "Where is my parcel?",
        "Orders leave our warehouse within two working days. Delivery takes three to five working"
        " days inside the country and seven to twelve abroad. If the tracking page has not changed"
        " for ten days, the parcel counts as lost: we refund it or send it again.",
    ),
    _Article(
        "KB-04",
        "Late deliveries",
        "When a delivery comes more than five working days after the date we gave, we add store"
        " credit of 10 percent of the order, at least 5 and at most 25 in your currency. Ask us"
        " within 60 days.",
    ),
    _Article(
        "KB-05",
        "How long a refund takes",
        "A refund always goes back to the method you paid with. Cards show it after three to ten"
        " working days, bank transfers after two. We cannot send a refund to another card or to"
        " another person.",
    ),
    _Article(
        "KB-06",
        "Store credit",
        "Store credit is used first at the next checkout. It belongs to one account and one"
        " currency, does not expire, and cannot be paid out in cash.",
    ),
    _Article(
        "KB-07",
        "Changing your address, name or phone number",
        "You can change these yourself under Account, Details. We change them for you when you"
        " write from the address on file. A parcel that has left the warehouse cannot be"
        " redirected.",
    ),
    _Article(
        "KB-08",
        "Changing your login address",
        "Sign in, open Account, Security and confirm the link that we send to both the old and the"
        " new address. If you have lost access to the old address, we need to confirm who you are"
        " before anything changes.",
    ),
    _Article(
        "KB-09",
        "Payout accounts of sellers",
        "Business customers who sell through us are paid on Mondays. A change of the payout account"
        " must be asked for from the address on file and is confirmed by telephone before the next"
        " payout.",
    ),
    _Article(
        "KB-10",
        "Closing your account",
        "Closing an account ends the plan at once and removes saved cards. Orders under way are"
        " still delivered; unspent store credit is lost, so use it first.",
    ),
)
