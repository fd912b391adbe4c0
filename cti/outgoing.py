"""Who is told what was committed: pages by one courier, customers and departments outside by another (TL-25, F21).

Two couriers, so that a gateway that is slow or dead holds up no page and no step, only its own messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final

from cti.exchange import message_token
from cti.hub import Hub
from cti.news import TOPIC, InTurn, OrderNews, ThreadNews
from cti.settings import Settings
from cti.web.outgoing import HttpGateway
from ticketing.callbacks.dialling import TOPIC as CALLBACKS
from ticketing.db import Database
from ticketing.notices import rules
from ticketing.notices.delivery import Delivery
from ticketing.notices.files import FileGateway
from ticketing.notices.model import NoticeGateway
from ticketing.notices.store import TOPIC as NOTICES
from ticketing.notices.writer import NoticeWriter
from ticketing.outbox import Courier, Receiver
from ticketing.threads.actions import TOPIC as THREADS

#: what writing down how it went may take, beside the gateway's own time
_NOTE_S: Final = 10.0


def couriers(
    stack: AsyncExitStack,
    settings: Settings,
    database: Database,
    hub: Hub,
    *,
    name: str,
    clock: Callable[[], datetime],
) -> Mapping[str, Courier]:
    """Couriers by the name of their task; without a gateway nothing is made for it. Raises Invalid for a wrong file."""
    news, talk = OrderNews(hub, database), ThreadNews(hub, database)
    gateway = _gateway(stack, settings)
    if gateway is None:
        return {"courier": Courier(database, {TOPIC: news, THREADS: talk, CALLBACKS: InTurn()}, name=name)}
    writer = NoticeWriter(database, rules.read(settings.message_rules))
    receivers: dict[str, Receiver] = {TOPIC: InTurn(writer, news), THREADS: talk, CALLBACKS: writer}
    delivery = Delivery(database, gateway, clock, settings.message_seconds)
    messages = Courier(database, {NOTICES: delivery}, name=name, timeout_s=settings.message_seconds + _NOTE_S)
    return {"courier": Courier(database, receivers, name=name), "messages": messages}


def _gateway(stack: AsyncExitStack, settings: Settings) -> NoticeGateway | None:
    match settings.message_gateway:
        case "file":
            return FileGateway(settings.messages_root)
        case "http":
            gateway = HttpGateway(settings.message_url, message_token(settings))
            stack.push_async_callback(gateway.close)
            return gateway
        case _:
            return None
