"""Use case of attachments: a file is put to a work order, in the store where scans of papers are. Never commits."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.attachments.tables import work_order_file
from ticketing.changes import Change
from ticketing.errors import Forbidden, Refused
from ticketing.orders import work, workflow
from ticketing.orders.inputs import OnOrder
from ticketing.orders.work import Done, HeldWork
from ticketing.orders.workflow import Verb
from ticketing.papers import rules
from ticketing.papers.files import FileStore, Stored
from ticketing.papers.model import FileKind
from ticketing.roles import Actor, Post

_ANYBODY = frozenset({Post.DS, Post.DH, Post.SA, Post.MH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach(OnOrder):
    """A file for a work order."""

    #: as its sender calls it
    name: str
    data: bytes
    #: where it is kept
    files: FileStore


async def attach(conn: AsyncConnection, actor: Actor, given: Attach, now: datetime) -> Change:
    """Keeps a scan, photograph, PDF or text with a live work order, on its trail (PX-05).

    Raises Invalid for a name that could be a path and for content that is no scan, PDF or text, Refused for one that
    is there already or one too many. The file is on disk before the row: what a failed commit leaves behind is found
    by `FileStore.orphans`.
    """
    held = await work.hold(conn, actor, given)
    workflow.advance(work.situation(held, now), Verb.ATTACH, actor.posts, {"name": given.name.strip()})
    if not actor.posts & _ANYBODY and held.row["owner_id"] != actor.staff_id:
        raise Forbidden("not_your_task", "this is the task of somebody else at the place")
    name = rules.file_name(given.name)
    kind = rules.kind_of(name, given.data)
    mine = work_order_file.c.work_order_id == held.row["id"]
    if (await conn.scalar(select(func.count()).select_from(work_order_file).where(mine)) or 0) >= rules.MOST:
        raise Refused("too_many_files", f"at most {rules.MOST} files", limit=rules.MOST)
    stored = await given.files.put(given.data)
    try:
        return await _keep(conn, actor, held, stored, name=name, kind=kind, now=now)
    except BaseException:
        await given.files.drop(stored.key)
        raise


async def _keep(
    conn: AsyncConnection, actor: Actor, held: HeldWork, stored: Stored, *, name: str, kind: FileKind, now: datetime
) -> Change:
    same = await conn.scalar(
        select(work_order_file.c.public_id).where(
            work_order_file.c.work_order_id == held.row["id"], work_order_file.c.sha256 == stored.sha256
        )
    )
    if same is not None:
        raise Refused("same_file", "this file is there already", field="file", file=same)
    row = {
        "public_id": secrets.token_urlsafe(16),
        "order_id": held.order.id,
        "work_order_id": held.row["id"],
        "name": name,
        "media_type": kind.media_type,
        "size": stored.size,
        "sha256": stored.sha256,
        "key": stored.key,
        "added_at": now,
        "added_by": actor.number,
    }
    await conn.execute(insert(work_order_file).values(row))
    payload = {"file": row["public_id"], "sha256": stored.sha256, "size": stored.size}
    done = Done("work_order.file_added", Verb.ATTACH, held.state, {}, name)
    return await work.change(conn, actor, held, done, now, payload=payload)
