"""Order numbers: nine digits, errors found, never twice, not guessable in sequence."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.db import Database
from ticketing.errors import Invalid
from ticketing.serial_digits import CAPACITY, LENGTH, serial_of
from ticketing.serials import next_serial, reserve_block, valid

counters = st.integers(0, CAPACITY - 1)
keys = st.binary(min_size=32, max_size=32)


@pytest.mark.req("PX-03")
@given(counters, keys)
def test_serials_are_nine_digits_and_valid(counter: int, key: bytes) -> None:
    serial = serial_of(counter, key)
    assert len(serial) == LENGTH
    assert serial.isdigit()
    assert serial[0] != "0"
    assert valid(serial)


@pytest.mark.req("PX-03")
@given(counters, keys, st.integers(0, LENGTH - 1), st.integers(1, 9))
def test_one_wrong_digit_is_found(counter: int, key: bytes, place: int, by: int) -> None:
    serial = serial_of(counter, key)
    wrong = serial[:place] + str((int(serial[place]) + by) % 10) + serial[place + 1 :]
    assert not valid(wrong)


@pytest.mark.req("PX-03")
@given(counters, keys, st.integers(0, LENGTH - 2))
def test_swapped_neighbours_are_found(counter: int, key: bytes, place: int) -> None:
    serial = serial_of(counter, key)
    swapped = serial[:place] + serial[place + 1] + serial[place] + serial[place + 2 :]
    assert valid(swapped) is (swapped == serial)


@given(st.sets(counters, min_size=2, max_size=50), keys)
def test_different_draws_give_different_serials(drawn: set[int], key: bytes) -> None:
    assert len({serial_of(each, key) for each in drawn}) == len(drawn)


def test_neighbours_in_time_are_not_neighbours_in_number() -> None:
    serials = [int(serial_of(each, b"k" * 32)[:8]) for each in range(2000)]
    steps = [later - earlier for earlier, later in itertools.pairwise(serials)]
    assert len(set(steps)) > 1990
    assert sum(abs(step) < 1000 for step in steps) < 5
    assert [serial_of(each, b"l" * 32) for each in range(5)] != [serial_of(each, b"k" * 32) for each in range(5)]


@pytest.mark.parametrize(
    "text", ["", "12345678", "1234567890", "12345678a", "１２３４５６７８９", "-12345678", " 1234567 "]
)
def test_other_text_is_not_a_serial(text: str) -> None:
    assert not valid(text)


def test_the_space_ends_with_an_error() -> None:
    assert valid(serial_of(CAPACITY - 1, b"k" * 32))
    with pytest.raises(OverflowError):
        serial_of(CAPACITY, b"k" * 32)


@pytest.mark.req("IN-11", "PX-03")
async def test_parallel_creates_get_different_serials(database: Database) -> None:
    async def draw() -> str:
        async with database.write() as conn:
            return await next_serial(conn)

    serials = await asyncio.gather(*(draw() for _ in range(20)))
    assert len(set(serials)) == 20
    assert all(valid(serial) for serial in serials)


async def test_a_reserved_block_is_never_given_to_others(database: Database) -> None:
    async with database.write() as conn:
        first = await next_serial(conn)
        block = await reserve_block(conn, "rescue", 50)
        after = [await next_serial(conn) for _ in range(20)]
    assert len({first, *block, *after}) == 71
    async with database.write() as conn:
        with pytest.raises(Invalid):
            await reserve_block(conn, "rescue", 0)
