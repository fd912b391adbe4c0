"""What the web asks of the telephone side; the composition root gives the real one, tests a fake one."""

from collections.abc import Sequence
from typing import Protocol

from cti.screenpop import Labels
from cti.web.schemas.agent import PhoneCredentials, PhoneKind, QueueView
from cti.web.schemas.figures import CountersView
from cti.web.schemas.pop import MissedPop, Pop
from cti.web.schemas.reference import HealthPart
from ticketing.roles import Actor

__all__ = ["Telephony"]


class Telephony(Protocol):
    """Carries out on Asterisk what the database already says, and tells what is live.

    The four verbs are called after the agent's new state is committed: they may be repeated, must not wait longer
    than two seconds, and raise `ticketing.errors.Unavailable` when Asterisk does not answer; membership is then
    reconciled after the reconnect (TL-40).
    """

    async def sign_in(self, actor: Actor, phone: PhoneKind) -> None:
        """Add his interface to the queues of his post and team, unpaused."""

    async def sign_out(self, actor: Actor) -> None:
        """Take his interface out of every queue we added it to."""

    async def pause(self, actor: Actor, reason: str) -> None:
        """Pause his interface in every queue with the reason's code."""

    async def ready(self, actor: Actor) -> None:
        """End pause or wrap-up: unpause his interface in every queue."""

    async def phone_credentials(self, actor: Actor) -> PhoneCredentials:
        """A fresh short-lived secret for his browser phone; the one before stops to work."""

    def require_up(self, call_id: str) -> None:
        """Raises NotFound when the call is not up, Unavailable while the link to Asterisk is down."""

    async def disconnect(self, call_id: str, by: str) -> None:
        """End a call that is up, for everybody in it; it keeps that a supervisor did (PX-04).

        Raises NotFound when it is not up, Unavailable when Asterisk does not answer.
        """

    def registered(self, number: str) -> bool:
        """Whether Asterisk has a contact for this agent's phone now."""

    def queue_label(self, name: str, language: str) -> str:
        """What people call a queue in `zh` or `en`; its own name when nobody named it."""

    def labels(self, language: str) -> Labels:
        """What people call menu choices, lines and reasons in `zh` or `en`, as the menus in force say."""

    async def queues(self, language: str) -> Sequence[QueueView]:
        """Every queue with members and callers as Asterisk has them, labelled in this language (TL-60).

        Raises Unavailable.
        """

    async def counters(self, language: str) -> Sequence[CountersView]:
        """Asterisk's own counters beside ours, a queue each (TL-13). Raises Unavailable."""

    async def current_pop(self, number: str) -> Pop | None:
        """The pop this agent must see now, for a page that starts afresh (TL-31)."""

    async def missed_pops(self, number: str) -> Sequence[MissedPop]:
        """Pops of the last hours that ended before he saw them (N7)."""

    async def health(self) -> Sequence[HealthPart]:
        """Lease, links, menus, disk, spool, journal, records: one line each; never raises."""

    @property
    def serving(self) -> bool:
        """Whether callers can be served from here; from memory."""

    async def metrics(self, pops_ms: Sequence[float]) -> bytes:
        """Everything as numbers, in the text form of Prometheus; `pops_ms` are the last pops' times to paint."""

    def sip_address(self) -> str:
        """`ws://host:port/ws` of Asterisk, where `/sip` is relayed to; raises Unavailable."""
