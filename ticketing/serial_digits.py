"""Digits of an order number: a check digit by Damm and a keyed permutation of a counter. Pure."""

from __future__ import annotations

import hashlib
import hmac

#: digits of a serial, check digit included: short enough to key in and to say (PX-03)
LENGTH = 9

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_HALF = 10_000
_LOWEST = 10_000_000
#: how many serials there are: no leading zero, so that a spreadsheet keeps them whole
CAPACITY = _HALF * _HALF - _LOWEST
_ROUNDS = 10


def check_digit(digits: str) -> str:
    """Damm's check digit: finds every single wrong digit and every swap of neighbours."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return str(interim)


def valid(serial: str) -> bool:
    """True for nine ASCII digits whose check digit fits; says nothing about whether such an order exists."""
    return len(serial) == LENGTH and serial.isascii() and serial.isdigit() and check_digit(serial) == "0"


def serial_of(counter: int, key: bytes) -> str:
    """Serial of the counter-th draw: a bijection under `key`, so serials never repeat and tell nothing of the next.

    Raises OverflowError when all 90 million are used.
    """
    if not 0 <= counter < CAPACITY:
        raise OverflowError(f"serial {counter} of {CAPACITY}")
    value = _permute(counter + _LOWEST, key)
    while value < _LOWEST:  # cycle walking: stay inside the numbers without a leading zero
        value = _permute(value, key)
    body = f"{value:08d}"
    return body + check_digit(body)


def _permute(value: int, key: bytes) -> int:
    """Feistel network over two halves of four digits."""
    left, right = divmod(value, _HALF)
    for step in range(_ROUNDS):
        mixed = hmac.digest(key, b"%d:%d" % (step, right), hashlib.sha256)
        left, right = right, (left + int.from_bytes(mixed[:8], "big")) % _HALF
    return left * _HALF + right
