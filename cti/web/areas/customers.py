"""Customers: who is behind a number, and one customer with his last orders."""

from typing import Annotated, Final

from pydantic import StringConstraints

from cti.web.orderviews import customer_file, customer_view
from cti.web.route import Call, Route
from cti.web.schemas.common import Input
from cti.web.schemas.customers import BadLineView, CustomerFile, CustomerImport, CustomerList, CustomerView, NoteProfile
from ticketing import taxonomy
from ticketing.customers import actions, imports
from ticketing.orders import follow_up, store
from ticketing.orders.views import OrderFilter
from ticketing.orders.words import write_of_customer

__all__ = ["ROUTES"]


#: bytes of a file; a larger one is for `hotline customers import`
LARGEST: Final = 20 << 20


class CustomerQuery(Input):
    """A telephone number in any form people write it."""

    number: Annotated[str, StringConstraints(pattern=r"^[0-9+*#() -]{1,40}$")]


async def find(call: Call) -> CustomerList:
    """Who may be behind a number, most likely first."""
    asked = call.filters(CustomerQuery)
    async with call.deps.database.read() as conn:
        found = await actions.look_up(conn, asked.number, call.now)
        words = await taxonomy.read(conn)
    views = [customer_view(candidate.customer, words, call.actor.language) for candidate in found.candidates]
    ids = [view.id for view in views]
    await call.looked_up("customer.searched", "customer", "list", conditions={"number": asked.number}, ids=ids)
    return CustomerList(items=views)


async def show(call: Call) -> CustomerFile:
    """One customer with his last orders."""
    public_id = call.part("id")
    async with call.deps.database.read() as conn:
        customer = await actions.get(conn, call.actor, public_id)
        words = await taxonomy.read(conn)
        wanted = OrderFilter(customer=public_id)
        page = await store.search(conn, call.actor, wanted, call.now, limit=20)
    await call.looked_up("customer.read", "customer", public_id, ids=[public_id])
    return customer_file(customer_view(customer, words, call.actor.language), page.items)


async def note_profile(call: Call) -> CustomerView:
    """What he told about himself when he was called back, with its source and date (SV-06)."""
    public_id = call.part("id")
    facts = follow_up.shipped().facts_asked(call.input(NoteProfile).facts)
    async with call.deps.database.write() as conn:
        change = await actions.note_profile(conn, call.actor, public_id, facts, "follow_up", now=call.now)
        customer = await actions.get(conn, call.actor, public_id)
        words = await taxonomy.read(conn)
    call.changed(change)
    return customer_view(customer, words, call.actor.language)


async def take_in(call: Call) -> CustomerImport:
    """A CSV file: what is well is added or brought up to date, what is wrong is told by line."""
    lines = imports.lines_of_bytes(call.upload)
    report = await imports.take(
        call.deps.database, call.actor, lines, call.now, area_code=call.deps.area_code, renamed=write_of_customer
    )
    bad = [
        BadLineView(
            line=each.line, column=each.column, value=each.value, code=each.code, advice=each.advice[call.language]
        )
        for each in report.bad or ()
    ]
    counts = {name: getattr(report, name) for name in ("lines", "added", "changed", "same", "bad_count")}
    return CustomerImport(**counts, bad=bad)


ROUTES = (
    Route(
        "customers.import",
        "POST",
        "/api/customers/import",
        take_in,
        "Customers from a CSV file.",
        answer=CustomerImport,
        upload_cap=LARGEST,
    ),
    Route(
        "customers.list",
        "GET",
        "/api/customers",
        find,
        "Who is behind a number.",
        query=CustomerQuery,
        answer=CustomerList,
    ),
    Route(
        "customers.show", "GET", "/api/customers/{id:[A-Za-z0-9_-]{1,64}}", show, "One customer.", answer=CustomerFile
    ),
    Route(
        "customers.profile",
        "POST",
        "/api/customers/{id:[A-Za-z0-9_-]{1,64}}/profile",
        note_profile,
        "What he told about himself.",
        body=NoteProfile,
        answer=CustomerView,
    ),
)
