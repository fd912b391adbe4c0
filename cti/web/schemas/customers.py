"""Customers as the directory gives them (TL-34). Pure."""

from typing import Annotated

from cti.web.schemas.common import Output
from cti.web.schemas.orders import OrderSummary
from ticketing.masking import Personal

__all__ = ["CustomerFile", "CustomerList", "CustomerNumberView", "CustomerView"]


class CustomerNumberView(Output):
    """One number of a customer."""

    e164: Annotated[str, Personal.NUMBER]
    kind: str
    service: Annotated[str | None, Personal.NUMBER] = None


class CustomerView(Output):
    """A customer."""

    id: str
    name: Annotated[str, Personal.NAME]
    #: major 大客户, important 重要客户, dedicated_line 专线, or null.
    vip_class: str | None
    vip_label: str | None
    complainant_type: str | None
    profile: Annotated[dict[str, str], Personal.ADDRESS]
    numbers: list[CustomerNumberView]
    #: The directory answered from its cache (TL-34).
    stale: bool


class CustomerList(Output):
    """Who may be behind a number, most likely first."""

    items: list[CustomerView]


class CustomerFile(CustomerView):
    """A customer with his last orders."""

    orders: list[OrderSummary]
