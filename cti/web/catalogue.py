"""Every route of the application, in one place."""

from cti.web.areas import agent, desk, events, phone, pops, reference, session
from cti.web.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    *session.ROUTES,
    *agent.ROUTES,
    *events.ROUTES,
    *phone.ROUTES,
    *pops.ROUTES,
    *reference.ROUTES,
    *desk.ROUTES,
)
