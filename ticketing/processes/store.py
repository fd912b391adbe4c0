"""Templates as they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.classification import Cover
from ticketing.errors import NotFound
from ticketing.processes.model import Content, Node, Template, Version
from ticketing.processes.tables import process_node, process_template, process_template_version


async def every(conn: AsyncConnection) -> tuple[Template, ...]:
    """Every template with all its versions, by code."""
    return await _templates(conn, process_template.c.id.is_not(None))


async def get(conn: AsyncConnection, code: str) -> Template:
    """One template; raises NotFound."""
    found = await _templates(conn, process_template.c.code == code)
    if not found:
        raise NotFound(subject="template", id=code)
    return found[0]


async def of_version(conn: AsyncConnection, key: int) -> tuple[Template, Version]:
    """The template of a version, and the version."""
    owner = select(process_template_version.c.template_id).where(process_template_version.c.id == key)
    template = (await _templates(conn, process_template.c.id == owner.scalar_subquery()))[0]
    return template, next(each for each in template.versions if each.key == key)


async def _templates(conn: AsyncConnection, which: ColumnElement[bool]) -> tuple[Template, ...]:
    heads = (await conn.execute(select(process_template).where(which).order_by(process_template.c.code))).mappings()
    rows = list(heads)
    keys = [row["id"] for row in rows]
    versions = (
        await conn.execute(
            select(process_template_version)
            .where(process_template_version.c.template_id.in_(keys))
            .order_by(process_template_version.c.version.desc())
        )
    ).mappings()
    of_template: dict[int, list[RowMapping]] = {}
    for row in versions:
        of_template.setdefault(row["template_id"], []).append(row)
    nodes = await _nodes(conn, [row["id"] for each in of_template.values() for row in each])
    return tuple(
        Template(
            key=row["id"],
            code=row["code"],
            kind=row["kind"],
            zh=row["name_zh"],
            en=row["name_en"],
            version=row["version"],
            versions=tuple(_version(each, nodes.get(each["id"], ())) for each in of_template.get(row["id"], ())),
        )
        for row in rows
    )


async def _nodes(conn: AsyncConnection, versions: Sequence[int]) -> Mapping[int, tuple[Node, ...]]:
    rows = await conn.execute(
        select(process_node)
        .where(process_node.c.version_id.in_(versions))
        .order_by(process_node.c.version_id, process_node.c.position)
    )
    found: dict[int, list[Node]] = {}
    for row in rows:
        node = Node(
            code=row.code,
            zh=row.name_zh,
            en=row.name_en,
            task=row.task or row.name_zh,
            limit_s=row.limit_s or 0,
            working_time=row.working_time,
            after=tuple(row.after),
            unit=row.unit,
            duty=row.duty,
            workplace=row.workplace,
        )
        found.setdefault(row.version_id, []).append(node)
    return {key: tuple(each) for key, each in found.items()}


def _version(row: RowMapping, nodes: tuple[Node, ...]) -> Version:
    return Version(
        key=row["id"],
        number=row["version"],
        covers=tuple(Cover(**each) for each in row["covers"]),
        nodes=nodes,
        note=row["note"],
        published_at=row["published_at"],
        published_by=row["published_by"],
        effective_at=row["effective_at"],
        retired_at=row["retired_at"],
        tracking_s=row["settings"].get("tracking_s"),
    )


async def write_nodes(conn: AsyncConnection, version: int, content: Content) -> None:
    """Replaces the nodes of a draft."""
    await conn.execute(delete(process_node).where(process_node.c.version_id == version))
    rows = [
        {
            "version_id": version,
            "code": node.code,
            "name_zh": node.zh,
            "name_en": node.en,
            "position": place,
            "after": list(node.after),
            "unit": node.unit,
            "duty": node.duty,
            "workplace": node.workplace,
            "task": node.task,
            "limit_s": node.limit_s,
            "working_time": node.working_time,
        }
        for place, node in enumerate(content.nodes, start=1)
    ]
    if rows:
        await conn.execute(insert(process_node), rows)


async def node_keys(conn: AsyncConnection, version: int) -> Mapping[str, int]:
    """Internal keys of a version's nodes by code."""
    rows = await conn.execute(
        select(process_node.c.code, process_node.c.id).where(process_node.c.version_id == version)
    )
    return {row.code: row.id for row in rows}
