"""The embedded desk: a whole support desk in one SQLite file, so that nothing else is needed."""

from handrail.connectors.sandbox.desk import Fault, Sandbox
from handrail.connectors.sandbox.views import DeskMessage, DeskTicket, PaymentBalance, SentMail

__all__ = ["DeskMessage", "DeskTicket", "Fault", "PaymentBalance", "Sandbox", "SentMail"]
