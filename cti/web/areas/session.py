"""Signing in and out of the page, and the first passwords by the one-time token (S13, S14, S24)."""

from datetime import tzinfo

from aiohttp import web

from cti.web.areas.phone import SOCKETS
from cti.web.deps import WebDeps
from cti.web.route import Call, Reply, Route
from cti.web.schemas.session import (
    Language,
    SessionView,
    SetupCheck,
    SetupInput,
    SetupNeeded,
    SetupPerson,
    SetupStaff,
    SignIn,
    StaffView,
)
from cti.web.security import cookie_name, drop_cookie, set_cookie
from ticketing.handover import actions as handover
from ticketing.roles import permissions
from ticketing.staff import actions, sessions
from ticketing.staff.model import Staff

__all__ = ["ROUTES"]


def session_view(person: Staff, csrf_token: str, zone: tzinfo) -> SessionView:
    """The session as the page needs it."""
    return SessionView(
        staff=StaffView(
            id=person.id,
            number=person.number,
            name=person.name,
            posts=sorted(post.value for post in person.posts),
            team=person.team.name if person.team else None,
            phone_kind=person.phone_kind.value,
            language=person.language,
        ),
        csrf_token=csrf_token,
        permissions=sorted(action.value for action in permissions(person.posts)),
        zone=str(zone),
    )


async def show(call: Call) -> SessionView:
    """Who is signed in at this browser."""
    assert call.signed_in is not None
    return session_view(call.signed_in.person, call.signed_in.csrf_token, call.deps.zone)


async def create(call: Call) -> Reply:
    """Sign in under a fresh session; the one the browser brought ends (fixation)."""
    given = call.input(SignIn)
    deps = call.deps
    brought = call.request.cookies.get(cookie_name(secure=deps.secure))
    entered = await deps.door.sign_in(
        given.number,
        given.password.get_secret_value(),
        address=call.request.remote or "",
        now=call.now,
        old_token=brought,
    )
    if brought:
        await end(deps, call.request.app, sessions.hash_of(brought))
    lasts = round((entered.expires_at - call.now).total_seconds())

    def finish(response: web.StreamResponse) -> None:
        set_cookie(response, entered.token, secure=deps.secure, max_age_s=lasts)

    return Reply(session_view(entered.staff, entered.csrf_token, deps.zone), finish=finish)


async def delete(call: Call) -> Reply:
    """Sign out: the session ends on the server, with every stream and phone that hangs on it; refused with the list
    while something hangs on him alone (TL-44)."""
    who, deps = call.signed_in, call.deps
    assert who is not None
    async with deps.database.read() as conn:
        await handover.free_to_go(conn, who.actor)
        session = await sessions.look_up(conn, who.token, call.now)
    await deps.door.sign_out(session, who.token, call.now)
    await end(deps, call.request.app, who.session)
    return Reply(finish=lambda response: drop_cookie(response, secure=deps.secure))


async def end(deps: WebDeps, app: web.Application, session: str) -> None:
    """Close what hangs on a session that is over."""
    deps.hub.disconnect(session)
    await app[SOCKETS].disconnect(session)


async def language(call: Call) -> None:
    """Keep the language this person chose, for what the service writes to him."""
    async with call.deps.database.write() as conn:
        change = await actions.set_language(conn, call.actor, call.input(Language).language, call.now)
    call.changed(change)


async def setup_show(call: Call) -> SetupNeeded:
    """Whether a set-up token waits to be used."""
    async with call.deps.database.read() as conn:
        return SetupNeeded(needed=await sessions.setup_needed(conn, call.now))


async def setup_check(call: Call) -> SetupStaff:
    """Whose passwords the token may set."""
    staff = await call.deps.door.check_setup(call.input(SetupCheck).token, call.now)
    return SetupStaff(
        staff=[
            SetupPerson(
                number=person.number,
                name=person.name,
                posts=sorted(post.value for post in person.posts),
                has_password=able,
            )
            for person, able in staff
        ]
    )


async def setup_create(call: Call) -> None:
    """Set the first passwords; the token is spent."""
    given = call.input(SetupInput)
    passwords = {number: secret.get_secret_value() for number, secret in given.passwords.items()}
    await call.deps.door.set_up(given.token, passwords, call.now)


ROUTES = (
    Route("session.show", "GET", "/api/session", show, "Who is signed in.", answer=SessionView),
    Route("session.create", "POST", "/api/session", create, "Sign in.", body=SignIn, answer=SessionView),
    Route("session.delete", "DELETE", "/api/session", delete, "Sign out."),
    Route("session.language", "PUT", "/api/session/language", language, "Choose my language.", body=Language),
    Route("setup.show", "GET", "/api/setup", setup_show, "Whether first passwords are needed.", answer=SetupNeeded),
    Route(
        "setup.check",
        "POST",
        "/api/setup/check",
        setup_check,
        "Whose passwords the token may set.",
        body=SetupCheck,
        answer=SetupStaff,
    ),
    Route("setup.create", "POST", "/api/setup", setup_create, "Set the first passwords.", body=SetupInput),
)
