"""All hostile texts (tests/data/hostile.jsonl) in every column that people write into, put past every check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, String, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import metadata

TEXTS: Final[list[str]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
]

#: columns that hold words of people, whichever table they are in
WORDS: Final = frozenset(
    {
        "address", "answer", "channel_reason", "contact_address", "contact_name", "content", "customer_nature",
        "decision", "department", "description", "dispatch_opinion", "end_note", "event_place", "external_id",
        "handled", "holder", "mail_number", "name", "new_task", "note", "old_task", "operation_serial",
        "opinion", "originals", "overtime_reason", "place", "plan", "process_notes", "promise_text", "question",
        "result", "sender", "service", "service_number", "subject", "task", "text", "time_reason", "value",
        "verbatim", "wanted", "wanted_result", "what",
    }
)  # fmt: skip
#: and those that do in some tables only
ALSO: Final = frozenset(
    {
        ("nuisance_number", "reason"),
        ("responsibility", "reason"),
        ("order_remedy", "reason"),
        ("clock_change", "reason"),
        ("work_order", "end_reason"),
        ("work_order_amendment", "reason"),
        ("customer_profile", "field"),
        ("order_trail", "actor_name"),
        ("paper_custody", "to"),
        ("process_template", "name_zh"),
        ("process_template", "name_en"),
        ("process_node", "name_zh"),
        ("process_node", "name_en"),
        ("phrase", "zh"),
        ("phrase", "en"),
    }
)  # fmt: skip
#: columns of such a name that hold no words
NOT: Final = frozenset(
    {("ami_offset", "name"), ("lease", "name"), ("staff_qualification", "what"), ("idempotency", "answer"),
     ("work_order_file", "name"), ("paper_file", "name"), ("contact", "external_id"), ("notice", "address"),
     ("web_session", "address"), ("order_filing", "originals"), ("order_filing", "customer_nature")}
)  # fmt: skip
#: labels of choices and names of people stand in hundreds of places of one page: a few texts in each, all in all
LABELS: Final = frozenset(
    {("taxonomy_node", "zh"), ("taxonomy_node", "en"), ("team", "name"), ("order_template", "zh"),
     ("order_template", "en"), ("staff", "name")}
)  # fmt: skip


def marked(place: int) -> str:
    """One text and, behind it, which one it is."""
    return f"{TEXTS[place % len(TEXTS)]}⟦{place % len(TEXTS)}⟧"


def everything(start: int) -> str:
    """All texts in one value; which one it begins with is given."""
    return "\n".join(marked(start + place) for place in range(len(TEXTS)))


def columns() -> Iterator[tuple[Table, list[Column[Any]], list[Column[Any]]]]:
    """(table, columns of words, columns of labels) of every table that has any."""
    for table in metadata.sorted_tables:
        text = [column for column in table.columns if isinstance(column.type, String)]
        words = [
            column
            for column in text
            if (table.name, column.name) not in NOT
            and (column.name in WORDS or (table.name, column.name) in ALSO)
            and (table.name, column.name) not in LABELS
        ]
        labels = [column for column in text if (table.name, column.name) in LABELS]
        if words or labels:
            yield table, words, labels


async def spoil(conn: AsyncConnection) -> int:
    """Writes them into every row; how many values were written. Nulls of words are filled too."""
    numbers, written = count(), 0
    for table, words, labels in columns():
        keys = list(table.primary_key.columns)
        where = [column for column in keys if column not in words]
        for row in (await conn.execute(select(*keys))).all():
            values: dict[str, Any] = {column.name: everything(7 * next(numbers)) for column in words}
            values |= {column.name: marked(next(numbers)) for column in labels}
            found = [column == value for column, value in zip(keys, row, strict=True)]
            await conn.execute(update(table).where(*found).values(values))
            written += len(values)
        assert where or not words, table.name
    return written
