"""Erase a customer: the key goes, the content with it, and the log says that it happened."""

from __future__ import annotations

from handrail.core.entry import Tag
from handrail.engine.base.record import note_on_desk
from handrail.store.protocol import Tx, Unit

__all__ = ["erase_unit"]


def erase_unit(desk: str, customer: str, *, actor: str) -> Unit[bool]:
    """The unit that destroys a customer's key; False when the customer is not known."""

    def unit(tx: Tx) -> bool:
        ref = tx.vault.find_ref(desk, customer)
        if ref is None or not tx.vault.erase(desk, ref, tx.now):
            return False
        note_on_desk(tx, desk, Tag.CUSTOMER_ERASED, actor=actor, subject=ref)
        return True

    return unit
