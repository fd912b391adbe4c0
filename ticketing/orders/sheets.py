"""What an export of orders holds: two sheets, their heads in two languages, and their cells (AU-05). Pure.

A cell is text, a number, a time or nothing; it is covered where the reader may not see it in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ticketing.clocks import rules as clock_rules
from ticketing.masking import Personal, mask
from ticketing.orders import labels
from ticketing.orders.model import WorkOrderState
from ticketing.orders.track import Stay
from ticketing.taxonomy import Taxonomies

Cell = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written."""

    language: str
    #: personal facts are covered
    covered: bool
    words: Taxonomies
    now: datetime

    def code(self, kind: str, code: str | None) -> str | None:
        """A code's name."""
        return self.words.label(kind, code, self.language) if code else None

    def said(self, kind: Personal, text: str | None) -> str | None:
        """A personal fact."""
        return mask(kind, text) if text and self.covered else text

    def yes(self, value: bool | None) -> str | None:
        """A flag."""
        return None if value is None else labels.name(labels.YES_NO, str(value), self.language)


@dataclass(frozen=True, slots=True)
class Line:
    """One order as an export reads it: its row and its track."""

    row: Mapping[str, Any]
    track: tuple[Stay, ...]

    @property
    def now_at(self) -> Stay | None:
        """Where the order itself lies."""
        own = [stay for stay in self.track if stay.work_order is None]
        return own[-1] if own else None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet."""

    zh: str
    en: str
    cell: Callable[[Line, Reader], Cell]
    #: characters
    width: int = 14


def _row(name: str) -> Callable[[Line, Reader], Cell]:
    return lambda line, reader: line.row[name]


def _code(name: str, kind: str | None = None) -> Callable[[Line, Reader], Cell]:
    return lambda line, reader: reader.code(kind or name, line.row[name])


def _said(name: str, kind: Personal) -> Callable[[Line, Reader], Cell]:
    return lambda line, reader: reader.said(kind, line.row[name])


def _customer(line: Line, reader: Reader) -> Cell:
    return reader.said(Personal.NAME, line.row["customer_name"] or line.row["contact_name"])


def _card(line: Line, reader: Reader) -> Cell:
    if line.row["ended_at"] is not None:
        return None
    card = clock_rules.card(line.row["due_at"], line.row["warn_at"], reader.now)
    return labels.name(labels.CARDS, card.value, reader.language)


def _state(line: Line, reader: Reader) -> Cell:
    return labels.name(labels.STATES, line.row["state"], reader.language)


def _handled(which: str) -> Callable[[Line, Reader], Cell]:
    def cell(line: Line, reader: Reader) -> Cell:
        work = [stay for stay in line.track if stay.work_order is not None and stay.state != WorkOrderState.SENT.value]
        if which == "started":
            return min((stay.started_at for stay in work), default=None)
        ends = [stay.ended_at for stay in work if stay.ended_at is not None]
        live = any(stay.ended_at is None for stay in work)
        return None if live else max(ends, default=None)

    return cell


def _handler(line: Line, reader: Reader) -> Cell:
    return line.row["owner_queue"] or line.row["owner_number"] or (line.now_at.handler if line.now_at else None)


def _kind(line: Line, reader: Reader) -> Cell:
    return labels.name(labels.KINDS, line.row["kind"], reader.language) or None


ORDERS: Final = (
    Column("单号", "Order", _row("serial"), 12),
    Column(
        "类别", "Kind", lambda line, reader: labels.name(labels.KINDS, line.row["kind"], reader.language) or None, 10
    ),
    Column("受理客户", "Customer", _customer),
    Column("受理时间", "Received", _row("received_at"), 19),
    Column("要求结束时间", "Wanted end", lambda line, reader: line.row["due_at"] or line.row["wanted_limit_at"], 19),
    Column("实际结束时间", "Actual end", _row("ended_at"), 19),
    Column("工单处理节点", "Node", _state, 16),
    Column("工单处理用户", "Handler", _handler, 12),
    Column("处理状态", "State", _state, 14),
    Column("开始处理时间", "Handling began", _handled("started"), 19),
    Column("结束处理时间", "Handling ended", _handled("ended"), 19),
    Column("受理方式", "Channel", _code("channel")),
    Column("业务", "Business", _code("business")),
    Column("性质", "Nature", _code("nature")),
    Column("投诉类型", "Complaint type", _code("complaint_type")),
    Column("投诉人类型", "Complainant type", _code("complainant_type")),
    Column("建议类别", "Suggestion category", _code("suggestion_category")),
    Column("被投诉单位", "Unit complained about", _code("unit"), 18),
    Column("客户级别", "Class", _code("vip_class")),
    Column("主叫号码", "Caller number", _said("caller_number", Personal.NUMBER), 16),
    Column("联系人", "Contact", _said("contact_name", Personal.NAME)),
    Column("联系号码", "Contact number", _said("contact_number", Personal.NUMBER), 16),
    Column("联系地址", "Address", _said("contact_address", Personal.ADDRESS), 28),
    Column("服务号码", "Service number", _said("service_number", Personal.NUMBER), 18),
    Column("事件描述", "What happened", _said("description", Personal.TEXT), 40),
    Column("客户原话", "Customer's words", _said("verbatim", Personal.TEXT), 40),
    Column("要求", "Wanted", _said("wanted_result", Personal.TEXT), 24),
    Column("操作流水", "Operation", _row("operation_serial"), 16),
    Column("加急", "Urgent", lambda line, reader: reader.yes(line.row["urgent"]), 6),
    Column("重复次数", "Repeats", _row("repeat_no"), 8),
    Column("催单次数", "Chases", _row("chase_no"), 8),
    Column("联系次数", "Contacts", _row("contact_no"), 8),
    Column("黄红牌", "Card", _card, 8),
    Column("首次解决", "First contact", lambda line, reader: reader.yes(line.row["fcr"]), 8),
    Column("受理人", "Received by", _row("author_number"), 10),
    Column("登记时间", "Registered", _row("registered_at"), 19),
    Column("无需立单原因", "No-order reason", _code("no_order_reason")),
)
"""One line an order: the nine fields of AU-05 first."""


def _node(stay: Stay, reader: Reader) -> Cell:
    """工单处理节点: the unit of a work order, or the order's own state."""
    if stay.work_order is not None:
        return reader.code("unit", stay.node) or stay.node
    return labels.name(labels.STATES, stay.node, reader.language)


def _stay_state(stay: Stay, reader: Reader) -> Cell:
    names = labels.STATES if stay.work_order is None else labels.WORK_STATES
    return labels.name(names, stay.state, reader.language)


def _stay_handler(stay: Stay, reader: Reader) -> Cell:
    return " ".join(filter(None, (stay.handler, stay.handler_name))) or None


_TRACK: Final[tuple[tuple[str, str, Callable[[Stay, Reader], Cell], int], ...]] = (
    ("受理客户", "Customer", lambda stay, reader: reader.said(Personal.NAME, stay.customer), 14),
    ("受理时间", "Received", lambda stay, reader: stay.received_at, 19),
    ("要求结束时间", "Wanted end", lambda stay, reader: stay.wanted_end_at, 19),
    ("实际结束时间", "Actual end", lambda stay, reader: stay.actual_end_at, 19),
    ("工单处理节点", "Node", _node, 20),
    (
        "工单处理用户",
        "Handler",
        _stay_handler,
        16,
    ),
    ("处理状态", "State", _stay_state, 14),
    ("开始处理时间", "Handling began", lambda stay, reader: stay.started_at, 19),
    ("结束处理时间", "Handling ended", lambda stay, reader: stay.ended_at, 19),
)

TRACK_HEADS: Final = (
    ("单号", "Order", 12),
    ("工单", "Work order", 10),
    *((zh, en, width) for zh, en, _, width in _TRACK),
)
"""Heads of the second sheet: which order, which work order, and the nine fields."""


def heads(language: str) -> tuple[tuple[str, list[tuple[str, int]]], ...]:
    """Both sheets' names with head and width of each column."""
    at = 1 if language == "en" else 0
    first = [((column.zh, column.en)[at], column.width) for column in ORDERS]
    second = [((zh, en)[at], width) for zh, en, width in TRACK_HEADS]
    return (("定单", "Orders")[at], first), (("办理轨迹", "Track")[at], second)


def order_cells(line: Line, reader: Reader) -> list[Cell]:
    """One row of the first sheet."""
    return [column.cell(line, reader) for column in ORDERS]


def track_cells(serial: str, stay: Stay, reader: Reader) -> list[Cell]:
    """One row of the second sheet."""
    number = f"{serial}-{stay.work_order}" if stay.work_order is not None else None
    return [serial, number, *(cell(stay, reader) for _, _, cell, _ in _TRACK)]
