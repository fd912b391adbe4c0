"""Remedies with their limits (PR-17), standard measures by class (PR-19), apologies that are owed (PR-18)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Invalid, Refused
from ticketing.orders import drafts, fields, ledger, workflow
from ticketing.orders.ledger import Held, Step
from ticketing.orders.step_inputs import DecideRemedy, Remedy
from ticketing.orders.tables import order_remedy
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor, Post

_MOST = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Limits:
    """Which remedies are money, and how much each post may grant by itself."""

    money: frozenset[str]
    posts: Mapping[Post, Decimal]

    def of(self, actor: Actor) -> Decimal:
        """The largest amount this person may grant: the highest of his posts."""
        return max((limit for post, limit in self.posts.items() if post in actor.posts), default=Decimal(0))


@cache
def limits() -> Limits:
    """The limits of the data file."""
    given = tomllib.loads(files("ticketing").joinpath("data/remedies.toml").read_text(encoding="utf-8"))
    return Limits(
        frozenset(given["money"]["remedies"]), {Post(post): Decimal(limit) for post, limit in given["limits"].items()}
    )


@cache
def _measures() -> Mapping[str, list[list[str]]]:
    given = tomllib.loads(files("ticketing").joinpath("data/measures.toml").read_text(encoding="utf-8"))
    return dict(given["measures"])


def measures(nature: str | None) -> list[dict[str, str]]:
    """Standard measures for a class, those of the leaf before those of its branch (PR-19)."""
    found: list[dict[str, str]] = []
    code = nature or ""
    while code:
        found += [{"zh": zh, "en": en} for zh, en in _measures().get(code, ())]
        code = code.rpartition(".")[0]
    return found


async def remedy(conn: AsyncConnection, actor: Actor, given: Remedy, now: datetime) -> Change:
    """A remedy within the limit of the granter's post is granted; above it a leader is asked (PR-17).

    Raises Invalid for a negative amount, one without money, money without an amount.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    money = given.remedy in limits().money
    said: dict[str, Any] = {
        "remedy": given.remedy,
        "reason": fields.text("reason", given.reason, 1000, lines=True),
        "amount": given.amount,
    }
    seen = drafts.situation(held, said=frozenset({"money"} if money else ()))
    workflow.advance(seen, Verb.REMEDY, actor.posts, said)
    await taxonomy.leaf(conn, "remedy", given.remedy, day_of(now), field="remedy")
    _check_amount(given.amount, money=money)
    if await _asked(conn, held) is not None:
        raise Refused("remedy_asked", "a remedy of this order waits for a leader")
    granted = given.amount is None or given.amount <= limits().of(actor)
    row = {"order_id": held.id, "at": now, "staff_id": ledger.id_of(actor), "state": "granted" if granted else "asked"}
    await conn.execute(insert(order_remedy).values({**row, **said}))
    payload = {
        "remedy": given.remedy,
        "amount": None if given.amount is None else str(given.amount),
        "state": row["state"],
    }
    step = Step(f"order.remedy_{row['state']}", Verb.REMEDY, held.state, {}, note=said["reason"], payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


def _check_amount(amount: Decimal | None, *, money: bool) -> None:
    if amount is None:
        return
    if not money:
        raise Invalid("no_money", "this remedy is not given in money", field="amount", allowed=sorted(limits().money))
    if not amount.is_finite() or amount < 0:
        raise Invalid("negative", "an amount is not below zero", field="amount", allowed=[0, int(_MOST)])
    if amount > _MOST or amount != amount.quantize(Decimal("0.01")):
        raise Invalid("bad_amount", "yuan and fen", field="amount", allowed=[0, int(_MOST)])


async def decide_remedy(conn: AsyncConnection, actor: Actor, given: DecideRemedy, now: datetime) -> Change:
    """A leader grants a remedy above the asker's limit, or refuses it (PR-17)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    said = {"granted": given.granted, "opinion": opinion}
    workflow.advance(drafts.situation(held), Verb.DECIDE_REMEDY, actor.posts, said)
    found = await _asked(conn, held)
    if found is None:
        raise Refused("nothing_asked", "no remedy of this order waits for a leader")
    state = "granted" if given.granted else "refused"
    decided = {"state": state, "decided_at": now, "decided_by": actor.staff_id, "opinion": opinion}
    await conn.execute(update(order_remedy).where(order_remedy.c.id == found["id"]).values(**decided))
    payload = {"remedy": found["remedy"], "amount": str(found["amount"]), "state": state}
    step = Step(f"order.remedy_{state}", Verb.DECIDE_REMEDY, held.state, {}, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def waits(conn: AsyncConnection, held: Held) -> bool:
    """A leader has not decided yet."""
    return await _asked(conn, held) is not None


async def _asked(conn: AsyncConnection, held: Held) -> RowMapping | None:
    mine = (order_remedy.c.order_id == held.id, order_remedy.c.state == "asked")
    return (await conn.execute(select(order_remedy).where(*mine))).mappings().first()


def quality_flag(liability: str | None, apology: bool | None) -> str | None:
    """What quality must look at: the company's fault without an apology (PR-18)."""
    return "no_apology" if liability == "company" and not apology else None
