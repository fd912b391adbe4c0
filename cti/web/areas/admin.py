"""People of the centre for the administrator: added, granted posts, locked, let in anew (AD-01, AD-02, AD-04)."""

from collections.abc import Collection
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Route
from cti.web.schemas.admin import (
    AddPerson,
    ChangePerson,
    LockPerson,
    PersonSkills,
    PersonView,
    PostChoice,
    QualificationView,
    Qualify,
    ResetToken,
    SetPosts,
    StaffList,
    TeamView,
    UnlockPerson,
)
from cti.web.schemas.common import Label
from ticketing import taxonomy
from ticketing.days import day_of
from ticketing.errors import Invalid
from ticketing.handover import adopting
from ticketing.roles import POST_LABELS, Post
from ticketing.staff import actions, qualifications, store
from ticketing.staff.model import PhoneKind, Staff
from ticketing.staff.qualifications import Qualification

__all__ = ["ROUTES"]

_ONE = "/api/staff/{number:[0-9A-Za-z-]{1,16}}"


async def everyone(call: Call) -> StaffList:
    """Everybody, also who is locked."""
    async with call.deps.database.read() as conn:
        people = await store.everyone(conn, active=False)
        views = await _views(conn, people, day_of(call.now))
        teams = await store.teams(conn)
    await call.looked_up("staff.listed", "staff", "list", ids=[person.number for person in people])
    return StaffList(
        items=views,
        teams=[TeamView(code=team.code, name=team.name) for team in teams],
        posts=[_choice(post) for post in Post],
    )


def _choice(post: Post) -> PostChoice:
    zh, en = POST_LABELS[post]
    asked = qualifications.demands().get(post)
    return PostChoice(
        post=post.value, label=Label(zh=zh, en=en), demands=Label(zh=asked[0], en=asked[1]) if asked else None
    )


async def _views(conn: AsyncConnection, people: Collection[Staff], day: date) -> list[PersonView]:
    able = await store.with_password(conn)
    skills = await qualifications.skills_of(conn)
    held = await qualifications.of_everyone(conn)
    return [
        PersonView(
            number=person.number,
            name=person.name,
            posts=sorted(post.value for post in person.posts),
            team=person.team.code if person.team else None,
            unit=person.unit,
            phone_kind=person.phone_kind.value,
            vip_overflow=person.vip_overflow,
            active=person.active,
            has_password=person.id in able,
            version=person.version,
            skills=dict(skills.get(person.id, {})),
            qualifications=[
                QualificationView(
                    post=each.post.value, what=each.what, obtained_on=each.obtained_on, valid_to=each.valid_to
                )
                for each in held.get(person.id, [])
            ],
            unqualified=sorted(post.value for post in await qualifications.missing(conn, person.id, person.posts, day)),
        )
        for person in people
    ]


async def _view(call: Call, conn: AsyncConnection, number: str) -> PersonView:
    return (await _views(conn, [await store.by_number(conn, number)], day_of(call.now)))[0]


async def create(call: Call) -> PersonView:
    """A new person, without a password: a reset gives him the token that sets one."""
    given = call.input(AddPerson)
    async with call.write() as conn:
        if given.unit is not None:
            await taxonomy.leaf(conn, "unit", given.unit, day_of(call.now), field="unit")
        new = actions.AddStaff(
            given.number,
            given.name,
            frozenset(Post(post) for post in given.posts),
            given.team,
            PhoneKind(given.phone_kind),
            call.actor.language,
            given.vip_overflow,
            given.unit,
            tuple(_qualification(each) for each in given.qualifications),
            given.override,
        )
        change = await actions.add_staff(conn, call.actor, new, call.now)
        found = await _view(call, conn, given.number)
    call.changed(change)
    return found


async def change(call: Call) -> PersonView:
    """Name, team, unit, phone, VIP overflow."""
    given = call.input(ChangePerson)
    said = given.model_dump(exclude_unset=True)
    if said.get("phone_kind") is not None:
        said["phone_kind"] = PhoneKind(said["phone_kind"])
    async with call.write() as conn:
        done = await actions.change_person(
            conn, call.actor, actions.ChangePerson(call.part("number"), **said), call.now
        )
        found = await _view(call, conn, call.part("number"))
    call.changed(done)
    return found


async def posts(call: Call) -> PersonView:
    """Other posts; whoever is signed in under the old ones signs in again."""
    given = call.input(SetPosts)
    wanted = frozenset(Post(post) for post in given.posts)
    async with call.write() as conn:
        asked = actions.ChangePosts(call.part("number"), wanted, given.version, given.override)
        done = await actions.change_posts(conn, call.actor, asked, call.now)
        found = await _view(call, conn, call.part("number"))
    call.changed(done)
    return found


async def lock(call: Call) -> PersonView:
    """He leaves, or must not come in for now; what he had goes to its queues, so that nothing is nobody's (IN-23)."""
    async with call.write() as conn:
        version = call.input(LockPerson).version
        done = await actions.deactivate(conn, call.actor, call.part("number"), version, call.now)
        adopted = await adopting.adopt(conn, call.now)
        found = await _view(call, conn, call.part("number"))
    call.changed(done, *(each.change for each in adopted))
    return found


async def unlock(call: Call) -> PersonView:
    """He comes in again."""
    async with call.write() as conn:
        version = call.input(UnlockPerson).version
        done = await actions.reactivate(conn, call.actor, call.part("number"), version, call.now)
        found = await _view(call, conn, call.part("number"))
    call.changed(done)
    return found


async def reset(call: Call) -> ResetToken:
    """Voids the password; the token is shown once, to be handed over."""
    async with call.write() as conn:
        token = await actions.reset_password(conn, call.actor, call.part("number"), call.now)
    return ResetToken(token=token)


async def qualify(call: Call) -> PersonView:
    """Puts a qualification on record (AD-04)."""
    async with call.write() as conn:
        given = _qualification(call.input(Qualify))
        done = await qualifications.record(conn, call.actor, call.part("number"), given, call.now)
        found = await _view(call, conn, call.part("number"))
    call.changed(done)
    return found


async def skills(call: Call) -> PersonView:
    """Replaces the skill profile (AD-02)."""
    async with call.write() as conn:
        given = call.input(PersonSkills).skills
        done = await qualifications.set_skills(conn, call.actor, call.part("number"), given, call.now)
        found = await _view(call, conn, call.part("number"))
    call.changed(done)
    return found


def _qualification(given: Qualify) -> Qualification:
    first = _day(given.obtained_on, "obtained_on")
    return Qualification(
        Post(given.post), given.what, first, _day(given.valid_to, "valid_to") if given.valid_to else None
    )


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("bad_day", "there is no such day", field=field) from None


ROUTES = (
    Route("staff.list", "GET", "/api/staff", everyone, "Everybody.", answer=StaffList),
    Route(
        "staff.create",
        "POST",
        "/api/staff",
        create,
        "A new person.",
        body=AddPerson,
        answer=PersonView,
        status=201,
        idempotent=True,
    ),
    Route("staff.change", "PATCH", _ONE, change, "Facts about a person.", body=ChangePerson, answer=PersonView),
    Route("staff.posts", "PUT", f"{_ONE}/posts", posts, "Other posts.", body=SetPosts, answer=PersonView),
    Route("staff.lock", "POST", f"{_ONE}/lock", lock, "Lock a person.", body=LockPerson, answer=PersonView),
    Route("staff.unlock", "POST", f"{_ONE}/unlock", unlock, "Let him in again.", body=UnlockPerson, answer=PersonView),
    Route("staff.reset", "POST", f"{_ONE}/reset", reset, "A token for a new password.", answer=ResetToken),
    Route(
        "staff.qualify",
        "POST",
        f"{_ONE}/qualifications",
        qualify,
        "A qualification on record.",
        body=Qualify,
        answer=PersonView,
    ),
    Route("staff.skills", "PUT", f"{_ONE}/skills", skills, "Skill profile.", body=PersonSkills, answer=PersonView),
)
