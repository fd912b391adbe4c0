"""Vocabularies in an administrator's hands: list, add, rename, close from a day, move (IN-03, G12)."""

from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Route
from cti.web.schemas.vocabulary import (
    AddEntry,
    ClosedWords,
    CloseEntry,
    MoveEntry,
    RenameEntry,
    VocabularyEntry,
    VocabularyList,
)
from ticketing import taxonomy, vocabulary
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import NotFound

__all__ = ["ROUTES"]

_KIND = "/api/vocabularies/{kind:[A-Za-z0-9_-]{1,32}}"
_ONE = f"{_KIND}/{{code:[A-Za-z0-9_.-]{{1,64}}}}"


async def listed(call: Call) -> VocabularyList:
    """Every entry, closed ones too."""
    async with call.deps.database.read() as conn:
        found = await vocabulary.entries(conn, call.part("kind"))
    await call.looked_up("taxonomy.read", "taxonomy", call.part("kind"))
    return VocabularyList(items=[VocabularyEntry.model_validate(asdict(each)) for each in found])


async def closed(call: Call) -> ClosedWords:
    """Words of what can be chosen no more."""
    async with call.deps.database.read() as conn:
        words = await taxonomy.read(conn)
    return ClosedWords.model_validate({"kinds": words.closed(day_of(call.now))})


async def add(call: Call) -> VocabularyEntry:
    """Add an entry."""
    given = call.input(AddEntry)
    new = vocabulary.NewEntry(call.part("kind"), given.name, given.zh, given.en, given.parent, given.valid_from)
    async with call.write() as conn:
        change = await vocabulary.add(conn, call.actor, new, call.now, today=day_of(call.now))
        return await told(call, conn, change)


async def rename(call: Call) -> VocabularyEntry:
    """Other words for it."""
    given = call.input(RenameEntry)
    async with call.write() as conn:
        change = await vocabulary.rename(
            conn, call.actor, call.part("kind"), call.part("code"), given.version, given.zh, given.en, call.now
        )
        return await told(call, conn, change)


async def close(call: Call) -> VocabularyEntry:
    """Close it from a day on, or open it again."""
    given = call.input(CloseEntry)
    async with call.write() as conn:
        change = await vocabulary.close(
            conn,
            call.actor,
            call.part("kind"),
            call.part("code"),
            given.version,
            given.from_day,
            call.now,
            today=day_of(call.now),
        )
        return await told(call, conn, change)


async def move(call: Call) -> VocabularyEntry:
    """Hang it elsewhere."""
    given = call.input(MoveEntry)
    async with call.write() as conn:
        change = await vocabulary.move(
            conn, call.actor, call.part("kind"), call.part("code"), given.version, given.parent, given.place, call.now
        )
        return await told(call, conn, change)


async def told(call: Call, conn: AsyncConnection, change: Change) -> VocabularyEntry:
    """The entry as it is now; the change is announced once it is committed."""
    call.changed(change)
    kind, code = change.payload["kind"], change.payload["code"]
    found = next((each for each in await vocabulary.entries(conn, kind) if each.code == code), None)
    if found is None:
        raise NotFound(subject="taxonomy", id=change.subject_id)
    return VocabularyEntry.model_validate(asdict(found))


ROUTES = (
    Route("vocabularies.list", "GET", _KIND, listed, "A whole vocabulary.", answer=VocabularyList),
    Route("vocabularies.closed", "GET", "/api/closed-words", closed, "Words no more in use.", answer=ClosedWords),
    Route(
        "vocabularies.add",
        "POST",
        _KIND,
        add,
        "Add an entry.",
        body=AddEntry,
        answer=VocabularyEntry,
        status=201,
        idempotent=True,
    ),
    Route(
        "vocabularies.rename",
        "POST",
        f"{_ONE}/rename",
        rename,
        "Other words.",
        body=RenameEntry,
        answer=VocabularyEntry,
        idempotent=True,
    ),
    Route(
        "vocabularies.close",
        "POST",
        f"{_ONE}/close",
        close,
        "Close from a day on.",
        body=CloseEntry,
        answer=VocabularyEntry,
        idempotent=True,
    ),
    Route(
        "vocabularies.move",
        "POST",
        f"{_ONE}/move",
        move,
        "Hang it elsewhere.",
        body=MoveEntry,
        answer=VocabularyEntry,
        idempotent=True,
    ),
)
