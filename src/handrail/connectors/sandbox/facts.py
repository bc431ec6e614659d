"""The facts that the desk reads for each kind of action, and what each of them holds.

Those about the requester are read only where the action names a ticket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handrail.core.policy import FactType

__all__ = ["FACTS"]

_ACCOUNT: Final = {"account_status": FactType.TEXT}
_REQUESTER: Final = {
    "requester": FactType.TEXT,
    "requester_is_customer": FactType.BOOLEAN,
    "last_customer_message": FactType.TEXT,
}
_MONEY: Final = {
    "refunds_30d": FactType.INTEGER,
    "refunds_30d_sum": FactType.MONEY,
    "credits_30d": FactType.INTEGER,
    "credits_30d_sum": FactType.MONEY,
}
_CHANGES: Final = {
    **_ACCOUNT,
    **_REQUESTER,
    "account_plan": FactType.TEXT,
    "account_changes_30d": FactType.INTEGER,
}
_REPLY: Final = {
    **_REQUESTER,
    "ticket_status": FactType.TEXT,
    "customer_name": FactType.TEXT,
    "last_message_from": FactType.TEXT,
}

FACTS: Final[Mapping[str, Mapping[str, FactType]]] = {
    "ticket.read": {"ticket_status": FactType.TEXT, "requester": FactType.TEXT},
    "kb.search": {},
    "reply.draft": _REPLY,
    "reply.send": {
        **_REPLY,
        "recipient_is_requester": FactType.BOOLEAN,
        "same_message_sent": FactType.BOOLEAN,
    },
    "draft.discard": {"draft_status": FactType.TEXT},
    "refund.issue": {
        **_ACCOUNT,
        **_REQUESTER,
        **_MONEY,
        "order_owner": FactType.TEXT,
        "order_status": FactType.TEXT,
        "order_date": FactType.DATE,
        "order_total": FactType.MONEY,
        "payment_method": FactType.TEXT,
        "captured": FactType.MONEY,
        "already_refunded": FactType.MONEY,
        "refundable": FactType.MONEY,
    },
    "refund.reverse": {
        **_ACCOUNT,
        "refund_status": FactType.TEXT,
        "refund_amount": FactType.MONEY,
    },
    "credit.grant": {**_ACCOUNT, **_REQUESTER, **_MONEY, "credit_balance": FactType.MONEY},
    "credit.revoke": {
        **_ACCOUNT,
        "credit_status": FactType.TEXT,
        "credit_balance": FactType.MONEY,
    },
    "account.update": {**_CHANGES, "current_value": FactType.TEXT},
    "account.cancel": {
        **_CHANGES,
        "orders_under_way": FactType.INTEGER,
        "has_store_credit": FactType.BOOLEAN,
    },
    "payout.change": {**_CHANGES, "current_payout": FactType.TEXT},
    "login.change": {
        **_CHANGES,
        "current_login": FactType.TEXT,
        "login_taken": FactType.BOOLEAN,
    },
}
