"""Who is behind a request's cookie, and whether he still is (S13)."""

from contextlib import suppress
from datetime import datetime

from cti.web.deps import WebDeps
from cti.web.route import Call, SignedIn
from cti.web.security import cookie_name
from ticketing.errors import NotFound, NotSignedIn, Unavailable
from ticketing.staff import sessions, store
from ticketing.staff.model import AgentState

__all__ = ["signed_in", "still_valid"]


async def signed_in(call: Call) -> SignedIn | None:
    """The person of the session cookie, or None; its use is written down at most once a minute."""
    token = call.request.cookies.get(cookie_name(secure=call.deps.secure))
    session = await _session(call.deps, token, call.now)
    if session is None or token is None:
        return None
    if session.touch_due:
        await _touch(call.deps, session, call.now)
    return SignedIn(session.staff, session.staff.actor, token, session.csrf_token, session.token_hash)


async def still_valid(deps: WebDeps, who: SignedIn, now: datetime) -> bool:
    """Whether the sign-in behind an open stream or socket still holds.

    An agent who takes calls keeps his sign-in alive by his open page: a quiet hour must not log him out. Anybody
    else's idle time goes on. While the database does not answer nobody is thrown out.
    """
    try:
        session = await _session(deps, who.token, now)
        if session is not None and session.touch_due and await _takes_calls(deps, session.staff.number):
            await _touch(deps, session, now)
    except Unavailable:
        return True
    return session is not None


async def _session(deps: WebDeps, token: str | None, now: datetime) -> sessions.Session | None:
    if not token or len(token) > 200:
        return None
    with suppress(NotSignedIn):
        return await deps.database.read_whole(lambda conn: sessions.look_up(conn, token, now))
    return None


async def _takes_calls(deps: WebDeps, number: str) -> bool:
    with suppress(NotFound):
        agent = await deps.database.read_whole(lambda conn: store.agent(conn, number))
        return agent.state is not AgentState.LOGGED_OUT
    return False


async def _touch(deps: WebDeps, session: sessions.Session, now: datetime) -> None:
    """A busy database must not turn a reader away: the next request writes it down."""
    with suppress(Unavailable):
        await deps.database.write_whole(lambda conn: sessions.touch(conn, session, now))
