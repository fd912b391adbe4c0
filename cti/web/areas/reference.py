"""Vocabularies, service standards, queues, health and the description of the interface itself."""

from collections.abc import Sequence

from sqlalchemy import select, text

from cti.web.openapi import describe
from cti.web.route import Call, Reply, Route
from cti.web.schemas.agent import QueueView
from cti.web.schemas.reference import Health, HealthPart, StandardList, TaxonomyNode
from ticketing import taxonomy
from ticketing.days import day_of
from ticketing.errors import Unavailable
from ticketing.roles import Action, may
from ticketing.staff.tables import staff

__all__ = ["ROUTES"]


async def taxonomies(call: Call) -> dict[str, list[TaxonomyNode]]:
    """Every vocabulary as trees of what may be chosen today."""
    async with call.deps.database.read() as conn:
        words = await taxonomy.read(conn)
    trees = words.trees(day_of(call.now))
    return {kind: [TaxonomyNode.model_validate(node) for node in tree] for kind, tree in trees.items()}


async def standards(call: Call) -> StandardList:
    """Service standards as the voice menu says them (IN-01)."""
    await call.looked_up("standards.read", "standard", "all")
    return StandardList(items=list(call.deps.standards))


async def queues(call: Call) -> list[QueueView]:
    """Queues as the exchange has them now; callers' numbers only for those who watch the floor or take calls."""
    found = await _named(call, await call.deps.telephony.queues(call.actor.language))
    posts = call.actor.posts
    if may(posts, Action.VIEW_FLOOR) or may(posts, Action.TAKE_CALLS):
        return found
    return [queue.model_copy(update={"calls": []}) for queue in found]


async def _named(call: Call, queues: Sequence[QueueView]) -> list[QueueView]:
    """With the members' names."""
    async with call.deps.database.read() as conn:
        names = {row.number: row.name for row in await conn.execute(select(staff.c.number, staff.c.name))}
    return [
        queue.model_copy(
            update={
                "members": [member.model_copy(update={"name": names.get(member.agent)}) for member in queue.members]
            }
        )
        for queue in queues
    ]


async def health(call: Call) -> Reply:
    """`ok`, `degraded` (pages work, telephony does not) or `down` (503); the parts are for people of the house."""
    parts = [await database_part(call), *await call.deps.telephony.health()]
    status = "ok" if all(part.ok for part in parts) else "degraded" if parts[0].ok else "down"
    told = Health(status=status, at=call.now, parts=parts if call.signed_in else [])
    return Reply(told, 503 if status == "down" else 200)


async def database_part(call: Call) -> HealthPart:
    """Whether the database answers."""
    try:
        async with call.deps.database.read() as conn:
            await conn.execute(text("SELECT 1"))
    except Unavailable:
        return HealthPart(name="database", ok=False, text="does not answer")
    return HealthPart(name="database", ok=True, text="answers")


async def openapi(call: Call) -> Reply:
    """This interface, OpenAPI 3.1."""
    from cti.web.catalogue import ROUTES as every  # noqa: PLC0415 - the table holds this route too

    return Reply(describe(every, call.deps.version), headers={"Cache-Control": "max-age=60"})


ROUTES = (
    Route(
        "taxonomies",
        "GET",
        "/api/taxonomies",
        taxonomies,
        "Every vocabulary as trees.",
        answer=dict[str, list[TaxonomyNode]],
    ),
    Route("standards", "GET", "/api/standards", standards, "Service standards.", answer=StandardList),
    Route("queues", "GET", "/api/queues", queues, "Queues as they are now.", answer=list[QueueView]),
    Route("health", "GET", "/api/health", health, "Whether we can work.", answer=Health),
    Route("openapi", "GET", "/api/openapi.json", openapi, "This description.", answer=dict[str, object]),
)
