"""Customers as the directory gives them (TL-34). Pure."""

from cti.web.schemas.common import Output
from cti.web.schemas.orders import OrderSummary

__all__ = ["CustomerFile", "CustomerList", "CustomerNumberView", "CustomerView"]


class CustomerNumberView(Output):
    """One number of a customer."""

    e164: str
    kind: str
    service: str | None = None


class CustomerView(Output):
    """A customer."""

    id: str
    name: str
    #: major 大客户, important 重要客户, dedicated_line 专线, or null.
    vip_class: str | None
    vip_label: str | None
    complainant_type: str | None
    profile: dict[str, str]
    numbers: list[CustomerNumberView]
    #: The directory answered from its cache (TL-34).
    stale: bool


class CustomerList(Output):
    """Who may be behind a number, most likely first."""

    items: list[CustomerView]


class CustomerFile(CustomerView):
    """A customer with his last orders."""

    orders: list[OrderSummary]
