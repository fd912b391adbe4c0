"""Tables of the order itself: what it says, its words, promises, links and trail."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ticketing.db import BigId, Json, UtcDateTime, id_column, metadata
from ticketing.orders.closing_tables import order_filing, order_reply, order_survey, survey_attempt
from ticketing.orders.form_tables import order_template, phrase
from ticketing.orders.step_tables import (
    order_agreement,
    order_coordination,
    order_remedy,
    order_response,
    tracking_task,
)
from ticketing.orders.work_tables import review, work_order, work_order_amendment
from ticketing.processes.tables import process_node, process_template, process_template_version

__all__ = [
    "commitment",
    "customer_order",
    "order_addendum",
    "order_agreement",
    "order_coordination",
    "order_filing",
    "order_link",
    "order_remedy",
    "order_reply",
    "order_response",
    "order_survey",
    "order_template",
    "order_term",
    "order_trail",
    "phrase",
    "process_node",
    "process_template",
    "process_template_version",
    "review",
    "survey_attempt",
    "tracking_task",
    "work_order",
    "work_order_amendment",
]

customer_order = Table(
    "customer_order",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    #: digits a customer can say and key in (PX-03), given at DRAFT, never reused
    Column("serial", String(12), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    # what it is and where it stands
    Column("kind", String(16)),
    Column("state", String(16), nullable=False),
    Column("control", String(8), nullable=False),
    Column("pause_reason", String(40)),
    Column("resume_expected_at", UtcDateTime),
    Column("urgent", Boolean, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("cycle", SmallInteger, nullable=False),
    Column("contact_no", Integer, nullable=False),
    Column("repeat_no", Integer, nullable=False),
    #: how often it was chased (T29)
    Column("chase_no", Integer, nullable=False, server_default=text("0")),
    # how it came in: never edited (IN-18, IN-25)
    Column("channel", String(16), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("caller_number", String(32)),
    Column("call_id", String(80), unique=True),
    Column("dnis", String(32)),
    #: last answer of the call: an older one that is told again changes nothing
    Column("answered_at", UtcDateTime),
    # who it is about; class and type are snapshots (IN-07)
    Column("customer_id", BigId, ForeignKey("customer.id")),
    Column("vip_class", String(40)),
    Column("complainant_type", String(40)),
    Column("contact_name", String(200)),
    Column("contact_number", String(32)),
    Column("contact_address", String(500)),
    Column("reply_mode", String(40)),
    Column("service_number", String(40)),
    # what it says (IN-03…IN-14)
    Column("business", String(60)),
    Column("nature", String(60)),
    Column("complaint_type", String(60)),
    Column("suggestion_category", String(60)),
    Column("unit", String(60)),
    Column("event_at", UtcDateTime),
    Column("event_place", String(500)),
    Column("description", Text),
    #: the customer's own words, fixed at submission (IN-22); later words are addenda
    Column("verbatim", Text),
    Column("wanted_result", Text),
    Column("wanted_limit_at", UtcDateTime),
    Column("promise_text", Text),
    Column("promise_due_at", UtcDateTime),
    Column("operation_serial", String(80), index=True),
    #: field -> refused | not_applicable (IN-17)
    Column("coded", Json, nullable=False),
    #: its template as it was when the order was asked: code, version, what it asks and fills in (IN-05)
    Column("form", Json),
    # how it ends
    Column("no_order_reason", String(40)),
    Column("end_reason", String(40)),
    Column("end_note", Text),
    Column("fcr", Boolean),
    Column("repeat_of_id", BigId, ForeignKey("customer_order.id")),
    Column("merged_into_id", BigId, ForeignKey("customer_order.id")),
    Column("template_version_id", BigId, ForeignKey("process_template_version.id")),
    # owner: one person or one queue while it lives (IN-23)
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    Column("author_id", BigId, ForeignKey("staff.id")),
    # times
    Column("created_at", UtcDateTime, nullable=False),
    Column("registered_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    #: 工号 of the last change, told to whoever comes too late (F18)
    Column("changed_by", String(16), nullable=False),
    #: nearest running limit of K10 and K11 and its yellow time, kept here for lists; derived from the clocks
    Column("due_at", UtcDateTime),
    Column("warn_at", UtcDateTime),
    CheckConstraint("ended_at IS NOT NULL OR (owner_id IS NULL) <> (owner_queue IS NULL)", name="one_owner"),
    CheckConstraint("version > 0 AND contact_no > 0 AND repeat_no >= 0", name="counts"),
    Index("ix_customer_order_newest", "created_at", "id"),
    Index("ix_customer_order_customer", "customer_id", "created_at"),
    Index("ix_customer_order_caller", "caller_number", "created_at"),
    Index("ix_customer_order_contact_number", "contact_number", "created_at"),
    Index("ix_customer_order_service_number", "service_number", "created_at"),
    Index("ix_customer_order_owner", "owner_id", "created_at"),
    Index("ix_customer_order_queue", "owner_queue", "created_at"),
    Index("ix_customer_order_state", "state", "created_at"),
    #: suggestions and appeals are few among complaints
    Index("ix_customer_order_kind", "kind", "created_at"),
)

Index(
    "ix_customer_order_due",
    customer_order.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)

#: what is open, by time and with its limits: cards are told from here, however many orders have ended
Index(
    "ix_customer_order_live",
    customer_order.c.created_at,
    customer_order.c.id,
    customer_order.c.due_at,
    customer_order.c.warn_at,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

order_addendum = Table(
    "order_addendum",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("contact_id", BigId, ForeignKey("contact.id")),
    Column("text", Text, nullable=False),
)

order_term = Table(
    "order_term",
    metadata,
    #: a pair of Chinese characters, or another word; compared by code points on every database (TL-72)
    Column("term", String(40).with_variant(String(40, collation="C"), "postgresql"), primary_key=True),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), primary_key=True, index=True),
)

commitment = Table(
    "commitment",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", BigId, ForeignKey("staff.id")),
    Column("contact_id", BigId, ForeignKey("contact.id")),
    Column("due_at", UtcDateTime, nullable=False),
    Column("kept_at", UtcDateTime),
    #: another promise took its place
    Column("replaced_at", UtcDateTime),
)
"""What was promised, by when (RT-13)."""

order_link = Table(
    "order_link",
    metadata,
    id_column(),
    Column("from_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("to_id", BigId, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("from_id", "to_id", "kind"),
    CheckConstraint("from_id <> to_id", name="not_itself"),
)

order_trail = Table(
    "order_trail",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("work_order_id", BigId, ForeignKey("work_order.id", ondelete="CASCADE")),
    #: version of the order this step made
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", BigId, ForeignKey("staff.id")),
    #: 工号 and name as they were, the product itself being "system"
    Column("actor_number", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("action", String(32), nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16), nullable=False),
    #: where it lies after the step, for the nine fields of AU-05
    Column("node", String(60), nullable=False),
    Column("handler", String(40)),
    Column("due_at", UtcDateTime),
    Column("note", Text),
    Column("payload", Json, nullable=False),
    Index("ix_order_trail_order", "order_id", "id"),
)
