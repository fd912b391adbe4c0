"""Sign-in by number: no enumeration, no race, no fixation, no default password."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import Database
from ticketing.errors import Forbidden, HotlineError, Invalid, NotSignedIn, TooMany, Unavailable
from ticketing.roles import SYSTEM, Post
from ticketing.staff import actions, sessions, store
from ticketing.staff.passwords import Passwords
from ticketing.staff.rules import ACCOUNT, check_password, wait_until
from ticketing.staff.sign_in import Door, SignedIn, sweep
from ticketing.staff.tables import credential, setup_token, sign_in_attempt, web_session

GOOD = "青山绿水 2026 ok"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def open_door(door: Door, centre: Database, now: datetime) -> Door:
    async with centre.write() as conn:
        token = await sessions.new_setup_token(conn, now)
    await door.set_up(token, {"1001": GOOD, "9001": GOOD}, now)
    return door


async def sign_in(door: Door, now: datetime, number: str = "1001", password: str = GOOD, **more: str) -> SignedIn:
    return await door.sign_in(number, password, address=more.pop("address", "10.0.0.1"), now=now, **more)


@pytest.mark.req("PX-01")
async def test_sign_in_by_number_gives_a_session_with_posts_and_team(
    open_door: Door, centre: Database, now: datetime
) -> None:
    signed = await sign_in(open_door, now)
    async with centre.read() as conn:
        session = await sessions.look_up(conn, signed.token, now)
    person = session.staff
    assert (person.name, person.posts, person.team and person.team.name) == ("林晓梅", frozenset({Post.JA}), "一班")
    assert session.csrf_token == signed.csrf_token != signed.token


@pytest.mark.parametrize(
    ("number", "password"),
    [
        ("1001", "wrong wrong"),
        ("7777", GOOD),
        ("1002", GOOD),
        ("1001' OR '1'='1", GOOD),
        ("", ""),
        ("1001\x00", GOOD),
        ("\ud800", GOOD),
        ("１００１", GOOD),
        ("9" * 100_000, GOOD),
        ("1001", "\ud800\x00"),
        ("1001", GOOD + "x" * 100_000),
    ],
)
async def test_every_wrong_sign_in_looks_the_same(open_door: Door, now: datetime, number: str, password: str) -> None:
    with pytest.raises(NotSignedIn) as caught:
        await sign_in(open_door, now, number, password)
    assert (caught.value.code, caught.value.details) == ("wrong_sign_in", {})


async def test_a_person_who_left_cannot_sign_in(open_door: Door, centre: Database, now: datetime) -> None:
    signed = await sign_in(open_door, now)
    async with centre.write() as conn:
        await actions.deactivate(conn, SYSTEM, "1001", 1, now)
        with pytest.raises(NotSignedIn):
            await sessions.look_up(conn, signed.token, now)
    with pytest.raises(NotSignedIn):
        await sign_in(open_door, now)


@pytest.mark.req("S14")
async def test_of_many_parallel_guesses_only_the_free_ones_get_through(open_door: Door, now: datetime) -> None:
    async def guess(each: int) -> str:
        try:
            await sign_in(open_door, now, password=f"guess number {each}", address=f"10.0.1.{each}")
        except HotlineError as error:
            return error.code
        return "in"

    codes = await asyncio.gather(*(guess(each) for each in range(60)))
    assert codes.count("wrong_sign_in") == ACCOUNT.free
    assert codes.count("sign_in_wait") == 60 - ACCOUNT.free
    with pytest.raises(TooMany) as caught:
        await sign_in(open_door, now)
    assert caught.value.details == {"retry_after_s": 2}
    await sign_in(open_door, now + timedelta(seconds=2))
    await sign_in(open_door, now + timedelta(seconds=2))


@pytest.mark.req("S14")
async def test_an_address_that_tries_many_numbers_waits(open_door: Door, now: datetime) -> None:
    codes = []
    for each in range(51):
        with pytest.raises(HotlineError) as caught:
            await sign_in(open_door, now, number=f"8{each:03d}")
        codes.append(caught.value.code)
    assert codes == ["wrong_sign_in"] * 50 + ["sign_in_wait"]
    await sign_in(open_door, now, address="10.0.0.2")


async def test_old_counts_are_forgotten(open_door: Door, centre: Database, now: datetime) -> None:
    with pytest.raises(NotSignedIn):
        await sign_in(open_door, now, password="wrong wrong")
    async with centre.write() as conn:
        await sweep(conn, now + timedelta(hours=2))
        assert (await conn.execute(select(sign_in_attempt))).first() is None


def test_waits_double_to_a_quarter_of_an_hour(now: datetime) -> None:
    waits = [wait_until(ACCOUNT, failures, now) for failures in (4, 5, 6, 7, 60)]
    assert [wait and (wait - now).total_seconds() for wait in waits] == [None, 2, 4, 8, 900]


@pytest.mark.req("S13")
async def test_each_sign_in_has_a_new_token_and_ends_the_one_it_came_with(
    open_door: Door, centre: Database, now: datetime
) -> None:
    first = await sign_in(open_door, now)
    second = await sign_in(open_door, now, old_token=first.token)
    assert first.token != second.token
    async with centre.read() as conn:
        await sessions.look_up(conn, second.token, now)
        with pytest.raises(NotSignedIn):
            await sessions.look_up(conn, first.token, now)
        stored = (await conn.execute(select(web_session.c.token_hash))).scalars().all()
    assert {first.token, second.token}.isdisjoint(stored)


@pytest.mark.req("S13")
async def test_a_session_ends_when_idle_after_twelve_hours_at_sign_out_and_with_new_posts(
    open_door: Door, centre: Database, now: datetime
) -> None:
    signed = await sign_in(open_door, now)

    async def alive(at: datetime, token: str) -> bool:
        async with centre.write() as conn:
            try:
                session = await sessions.look_up(conn, token, at)
            except NotSignedIn:
                return False
            if session.touch_due:
                await sessions.touch(conn, session, at)
            return True

    assert not await alive(now + 30 * MINUTE, signed.token)
    for minutes in range(0, 720, 29):
        assert await alive(now + minutes * MINUTE, signed.token)
    assert not await alive(now + 720 * MINUTE, signed.token)
    again = await sign_in(open_door, now)
    async with centre.write() as conn:
        await actions.change_posts(conn, SYSTEM, actions.ChangePosts("1001", frozenset({Post.SA}), 1), now)
    assert not await alive(now, again.token)
    third = await sign_in(open_door, now)
    async with centre.read() as conn:
        session = await sessions.look_up(conn, third.token, now)
    await open_door.sign_out(session, third.token, now)
    assert not await alive(now, third.token)
    for nothing in (None, "", "x" * 43, "\udcff\x00"):
        async with centre.read() as conn:
            with pytest.raises(NotSignedIn):
                await sessions.look_up(conn, nothing, now)


@pytest.mark.req("S24")
async def test_nobody_has_a_password_before_the_set_up(centre: Database, door: Door, now: datetime) -> None:
    async with centre.read() as conn:
        assert await store.with_password(conn) == set()
        assert await sessions.first_run(conn)
        assert not await sessions.setup_needed(conn, now)
    for number, password in (("9001", "admin"), ("admin", "admin"), ("9001", "9001"), ("9001", "")):
        with pytest.raises(NotSignedIn):
            await sign_in(door, now, number, password)


@pytest.mark.req("S24")
async def test_the_set_up_token_works_once_and_is_not_stored(centre: Database, door: Door, now: datetime) -> None:
    async with centre.write() as conn:
        void = await sessions.new_setup_token(conn, now)
        token = await sessions.new_setup_token(conn, now)
        assert await sessions.setup_needed(conn, now)
        assert token not in (await conn.execute(select(setup_token.c.token_hash))).scalars().all()
    for wrong in (void, "", "x"):
        with pytest.raises(Forbidden):
            await door.check_setup(wrong, now)
    listed = await door.check_setup(token, now)
    assert [(person.number, able) for person, able in listed][:2] == [("1001", False), ("1002", False)]
    with pytest.raises(Invalid) as caught:
        await door.set_up(token, {"9001": GOOD, "1001": "12345678"}, now)
    assert caught.value.field == "passwords.1001"
    with pytest.raises(Forbidden):
        await door.set_up(token, {"9001": GOOD}, now + timedelta(hours=24))
    twice = [door.set_up(token, {"9001": GOOD}, now) for _ in range(2)]
    results = await asyncio.gather(*twice, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "NoneType"]
    async with centre.read() as conn:
        assert not await sessions.setup_needed(conn, now)
        assert not await sessions.first_run(conn)
    await sign_in(door, now, "9001")


async def listed(door: Door, token: str, now: datetime) -> list[str]:
    return [person.number for person, _ in await door.check_setup(token, now)]


@pytest.mark.req("S24")
async def test_a_colleagues_token_sets_his_password_and_nobody_elses(
    open_door: Door, centre: Database, now: datetime
) -> None:
    async with centre.write() as conn:
        person = await store.by_number(conn, "1002")
        void = await sessions.new_setup_token(conn, now, person.id)
        token = await sessions.new_setup_token(conn, now, person.id)
    with pytest.raises(Forbidden):
        await open_door.check_setup(void, now)
    assert await listed(open_door, token, now) == ["1002"]
    for others in ({"9001": "ein-Neues-42"}, {"1002": GOOD, "9001": "ein-Neues-42"}, {"2001": GOOD}, {"7777": GOOD}):
        with pytest.raises(Forbidden) as caught:
            await open_door.set_up(token, others, now)
        assert caught.value.code == "bad_setup_token"
    await sign_in(open_door, now, "9001")
    await open_door.set_up(token, {"1002": GOOD}, now)
    await sign_in(open_door, now, "1002")


@pytest.mark.req("S24")
async def test_tokens_of_another_scope_stay_open(door: Door, centre: Database, now: datetime) -> None:
    async with centre.write() as conn:
        first, second = [(await store.by_number(conn, number)).id for number in ("1001", "1002")]
        whole = await sessions.new_setup_token(conn, now)
        one = await sessions.new_setup_token(conn, now, first)
        other = await sessions.new_setup_token(conn, now, second)
        anew = await sessions.new_setup_token(conn, now)
    with pytest.raises(Forbidden):
        await door.check_setup(whole, now)
    assert (await listed(door, one, now), await listed(door, other, now)) == (["1001"], ["1002"])
    assert len(await listed(door, anew, now)) > 2


@pytest.mark.req("S24")
async def test_the_installations_token_gives_first_passwords_only_once_an_administrator_has_one(
    door: Door, centre: Database, now: datetime
) -> None:
    async with centre.write() as conn:
        await door_opens_for(conn, "1001", now)
        token = await sessions.new_setup_token(conn, now)
    assert {"1001", "1002", "9001"} <= set(await listed(door, token, now))
    async with centre.write() as conn:
        await door_opens_for(conn, "9001", now)
    numbers = await listed(door, token, now)
    assert "1002" in numbers
    assert {"1001", "9001"}.isdisjoint(numbers)
    for number in ("1001", "9001"):
        with pytest.raises(Forbidden):
            await door.set_up(token, {number: GOOD, "1002": GOOD}, now)
    async with centre.write() as conn:
        with pytest.raises(Forbidden):
            await sessions.spend_setup(conn, token, ["9001"], now)
    await door.set_up(token, {"1002": GOOD}, now)


async def door_opens_for(conn: AsyncConnection, number: str, now: datetime) -> None:
    await actions.set_password_hash(conn, SYSTEM, number, "$argon2id$made-up", now)


@pytest.mark.req("S24")
@pytest.mark.parametrize(
    "password", ["short", "12345678", "password", "MySecret", "88888888", "10011001", "x" * 129, "１２３４５６７８"]
)
def test_known_short_and_own_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid):
        check_password(password, number="1001", name="林晓梅")


async def test_a_changed_password_ends_all_sessions(open_door: Door, centre: Database, now: datetime) -> None:
    signed = await sign_in(open_door, now)
    with pytest.raises(Invalid):
        await open_door.change_password(signed.staff, "wrong", "another good one", address="a", now=now)
    await open_door.change_password(signed.staff, GOOD, "another good one", address="a", now=now)
    async with centre.read() as conn:
        with pytest.raises(NotSignedIn):
            await sessions.look_up(conn, signed.token, now)
        stored = (await conn.execute(select(credential.c.hash))).scalars().all()
    assert all(each.startswith("$argon2id$") for each in stored)
    await sign_in(open_door, now, password="another good one")


async def test_old_costs_are_renewed_at_sign_in(open_door: Door, centre: Database, now: datetime) -> None:
    dearer = Passwords(memory_mib=2)
    await sign_in(Door(centre, dearer), now)
    dearer.close()
    async with centre.read() as conn:
        person = await store.by_number(conn, "1001")
        query = select(credential.c.hash).where(credential.c.staff_id == person.id)
        assert "m=2048" in (await conn.execute(query)).scalar_one()


async def test_hashing_is_bounded() -> None:
    small = Passwords(memory_mib=1, threads=1, waiting=1)
    results = await asyncio.gather(*(small.hash("x" * 8) for _ in range(5)), return_exceptions=True)
    small.close()
    assert [isinstance(result, Unavailable) for result in results] == [False, False, True, True, True]
