"""sqlmap at every value of a request that could reach a statement: queries, addresses, bodies (S17).

Runs as `make proof-sql`, which makes its environment (`tools/aside.sh`), and is no part of `make test`: what needs no
tool is tried there (`test_injection.py`). A hole that is planted shows that sqlmap would find one. It looks by truth,
error, union and inline query; not by time, which a busy machine answers for itself.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from aiohttp import web
from pydantic import BaseModel
from pytest_aiohttp.plugin import AiohttpClient

from cti.web.catalogue import ROUTES
from cti.web.security import CSRF_HEADER
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.test_generated import NOT_ASKED, askers
from tests.web.test_matrix import NOTHING, OPERATIONS, Operation, World, strangers, world

__all__ = ["strangers", "world"]

ROOT: Final = Path(__file__).resolve().parents[2]
SQLMAP: Final = ROOT / ".venv-sqlmap" / "bin" / "sqlmap"
#: what a condition of any kind takes, tried in turn after the words its description lists
TAKEN: Final = ("1", "2026-03-10", "2026-03-10T00:00:00Z", "true", "13800138000", "asap")
QUERIES: Final = {route.name: route.query for route in ROUTES if route.query is not None}
ASKED: Final = [each for each in OPERATIONS if each.name not in NOT_ASKED]
_SAFE: Final = "all tested parameters do not appear to be injectable"
_FOUND: Final = "sqlmap identified the following injection point"


async def look(folder: Path, url: str, *, body: str = "", method: str = "GET", headers: dict[str, str]) -> str:
    """What sqlmap says of every value of one request."""
    arguments = [f"--url={url}", f"--method={method}", f"--output-dir={folder}", "--batch", "--flush-session"]
    arguments += ["--technique=BEUQ", "--level=1", "--risk=2", "--ignore-code=*", "--disable-coloring", "--threads=2"]
    arguments += [f"--header={name}: {value}" for name, value in headers.items()]
    arguments += ["--answers=JSON data=Y,URI=Y,custom injection=Y,follow=N", "--skip-waf", "--parse-errors"]
    arguments += [f"--data={body}"] if body else []
    process = await asyncio.create_subprocess_exec(
        SQLMAP, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    return (await process.communicate())[0].decode("utf-8", "replace")


async def test_a_planted_hole_is_found(aiohttp_client: AiohttpClient, tmp_path: Path) -> None:
    """The tool, called as it is called below, at a statement made of words."""
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as rows:
        rows.executescript("CREATE TABLE person (name TEXT); INSERT INTO person VALUES ('li'), ('wang');")

        async def find(request: web.Request) -> web.Response:
            try:
                found = rows.execute(f"SELECT name FROM person WHERE name = '{request.query['name']}'").fetchall()
            except sqlite3.Error:
                found = []
            return web.json_response(found)

        app = web.Application()
        app.router.add_get("/find", find)
        client = await aiohttp_client(app)
        said = await look(tmp_path, f"{client.make_url('/find')}?name=li", headers={})
    assert _FOUND in said, said[-3000:]


@pytest.mark.req("S17")
@pytest.mark.parametrize(
    "each", [each for each in OPERATIONS if each.name not in NOT_ASKED], ids=lambda each: each.name
)
async def test_no_value_reaches_a_statement(
    open_browser: MakeBrowser,
    world: World,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    each: Operation,
) -> None:
    """Every condition of a list with a value it takes, every part of an address, every value of a body."""
    browser = await open_browser(askers(each, world)[0])
    requests = [one async for one in values(browser, each, world)]
    record_property("examples", len(requests))
    for url, body in requests:
        said = await look(tmp_path, url, body=body, method=each.method, headers=identity(browser))
        assert _SAFE in said, f"{each.method} {url} {body}\n{said[-3000:]}"
        assert _FOUND not in said


def identity(browser: Browser) -> dict[str, str]:
    """The headers of a person who is signed in."""
    cookie = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))["hotline"].value
    return {"Origin": browser.origin, CSRF_HEADER: browser.csrf, "Cookie": f"hotline={cookie}"}


async def values(browser: Browser, each: Operation, world: World) -> AsyncIterator[tuple[str, str]]:
    """(address, body) with the places marked that sqlmap is to fill."""
    kinds = [world.ids[kind] for operation, kind in world.places() if operation.name == each.name]
    for ids in kinds or [{}]:
        path = each.at(ids).partition("?")[0]
        if "{" in each.path:
            yield browser.origin + each.at({name: f"{ids.get(name, NOTHING)}*" for name in names(each.path)}), ""
        if isinstance(each.body, dict) and each.body:
            yield browser.origin + path, json.dumps(each.body)
        if each.method == "GET":
            for field, taken in conditions(each):
                yield await fits(browser, path, field, taken), ""


def names(path: str) -> Iterator[str]:
    """The places of an address."""
    yield from (part.partition("}")[0] for part in path.split("{")[1:])


def conditions(each: Operation) -> Iterator[tuple[str, list[str]]]:
    """(name, values to try) of what may stand in the query; what several lists share, at the first of them."""
    model = QUERIES.get(each.name)
    if model is None:
        return
    schema = model.model_json_schema()
    for field, said in model.model_fields.items():
        name = said.alias or field
        if FIRST[origin(model, field)] == each.name:
            yield name, [*listed(schema["properties"][name]), *TAKEN]


def origin(model: type[BaseModel], name: str) -> tuple[type, str]:
    """The class a condition is written in, and its name."""
    return next(kind for kind in reversed(model.__mro__) if name in vars(kind).get("__annotations__", ())), name


def listed(said: Any) -> Iterator[str]:
    """The words of an enumeration, wherever in a schema."""
    if isinstance(said, dict):
        yield from (str(word) for word in said.get("enum", ()))
        for inner in said.values():
            yield from listed(inner)
    elif isinstance(said, list):
        for inner in said:
            yield from listed(inner)


async def fits(browser: Browser, path: str, field: str, taken: list[str]) -> str:
    """The address with the first value that is taken for this condition, or with the first when none is alone."""
    for value in taken:
        if (await browser.get(path, params={field: value})).status == 200:
            break
    else:
        value = taken[0]
    return f"{browser.origin}{path}?{field}={quote(value)}"


#: (class, condition) -> the first route that takes it; an export, which is slower, only what no list takes
FIRST: Final = {
    origin(QUERIES[name], field): name
    for name in sorted(QUERIES, key=lambda name: not name.endswith(".export"))
    for field in QUERIES[name].model_fields
}
