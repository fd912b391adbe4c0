"""What machines that watch us may read: live and ready for everybody, numbers for this machine or by a token."""

from dataclasses import replace

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from cti.web.areas.watch import may_read
from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.web.fakes import Browser, FakeTelephony

TOKEN = "t0ken"


@pytest.mark.req("TL-62")
async def test_live_and_ready_ask_for_nothing(visitor: Browser, telephony: FakeTelephony) -> None:
    foreign = {"Host": "balancer.example", "Origin": "https://elsewhere.example"}
    for path in ("/live", "/ready"):
        assert (await visitor.get(path, headers=foreign)).status == 200
    telephony.silent = True
    answer = await visitor.get("/ready")
    assert (answer.status, await answer.text()) == (503, "not ready\n")
    assert (await visitor.get("/live")).status == 200


@pytest.mark.req("TL-62", "S15")
async def test_numbers_are_for_this_machine_and_not_for_who_comes_by_a_proxy(visitor: Browser) -> None:
    answer = await visitor.get("/metrics")
    assert (answer.status, await answer.text()) == (200, "hotline_pops 0\n")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    passed_on = await visitor.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    assert (passed_on.status, (await passed_on.json())["code"]) == (403, "forbidden")


async def test_with_a_token_only_who_sends_it_reads_them(aiohttp_client: AiohttpClient, deps: WebDeps) -> None:
    visitor = Browser(await aiohttp_client(build_app(replace(deps, metrics_token=TOKEN))))
    assert (await visitor.get("/metrics")).status == 403
    assert (await visitor.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"})).status == 403
    sent = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "10.0.0.9"}
    assert (await visitor.get("/metrics", headers=sent)).status == 200
    assert TOKEN not in repr(replace(deps, metrics_token=TOKEN))


@pytest.mark.parametrize(
    ("authorization", "token", "remote", "proxied", "allowed"),
    [
        (None, "", "127.0.0.1", False, True),
        (None, "", "::1", False, True),
        (None, "", "127.0.0.1", True, False),
        (None, "", "10.0.0.9", False, False),
        (None, "", None, False, False),
        (None, "", "socket", False, False),
        ("Bearer ", "", "10.0.0.9", False, False),
        ("Basic t0ken", TOKEN, "127.0.0.1", False, False),
        ("bearer t0ken", TOKEN, "10.0.0.9", True, True),
        ("Bearer t0kén", TOKEN, "10.0.0.9", False, False),
    ],
)
def test_who_may_read(
    authorization: str | None, token: str, remote: str | None, *, proxied: bool, allowed: bool
) -> None:
    assert may_read(authorization, token, remote, proxied=proxied) is allowed
