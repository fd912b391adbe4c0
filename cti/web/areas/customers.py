"""Customers: who is behind a number, and one customer with his last orders."""

from typing import Annotated

from pydantic import StringConstraints

from cti.web.orderviews import customer_file, customer_view
from cti.web.route import Call, Route
from cti.web.schemas.common import Input
from cti.web.schemas.customers import CustomerFile, CustomerList
from ticketing import taxonomy
from ticketing.customers import actions
from ticketing.orders import store
from ticketing.orders.views import OrderFilter

__all__ = ["ROUTES"]


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


ROUTES = (
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
)
