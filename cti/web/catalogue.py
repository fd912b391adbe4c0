"""Every route of the application, in one place."""

from cti.web.areas import (
    agent,
    announcements,
    audit,
    callbacks,
    calls,
    customers,
    desk,
    events,
    exports,
    figures,
    intake,
    orders,
    papers,
    phone,
    pops,
    recordings,
    reference,
    session,
    surveys,
    watch,
    work,
    workflow,
)
from cti.web.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    *session.ROUTES,
    *agent.ROUTES,
    *events.ROUTES,
    *phone.ROUTES,
    *pops.ROUTES,
    *exports.ROUTES,
    *orders.ROUTES,
    *workflow.ROUTES,
    *intake.ROUTES,
    *papers.ROUTES,
    *callbacks.ROUTES,
    *work.ROUTES,
    *announcements.ROUTES,
    *calls.ROUTES,
    *figures.ROUTES,
    *surveys.ROUTES,
    *recordings.ROUTES,
    *customers.ROUTES,
    *audit.ROUTES,
    *reference.ROUTES,
    *watch.ROUTES,
    *desk.ROUTES,
)
