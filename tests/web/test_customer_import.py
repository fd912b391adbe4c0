"""A file of customers through the interface."""

from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser

FILE = "external_id,name,numbers\nK1,张三丰,13811112222\nK2,李四,12\n"


@pytest.mark.parametrize(("language", "advice"), [("zh", "多个用 ; 分开"), ("en", "with area code")])
async def test_an_administrator_sends_a_file_and_is_told_what_is_wrong(
    agent: Browser, open_browser: MakeBrowser, language: str, advice: str
) -> None:
    admin = await open_browser("9001")

    async def send(browser: Browser, raw: bytes) -> tuple[int, dict[str, Any]]:
        own = {"Origin": browser.origin, "X-CSRF-Token": browser.csrf, "Accept-Language": language}
        own |= {"Content-Type": "text/csv"}
        answer = await browser.client.post("/api/customers/import", data=raw, headers=own)
        return answer.status, await answer.json()

    assert (await send(agent, FILE.encode()))[0] == 403
    status, report = await send(admin, FILE.encode("gb18030"))
    assert (status, report["added"], report["bad_count"]) == (200, 1, 1)
    (bad,) = report["bad"]
    assert (bad["line"], bad["column"], bad["value"]) == (3, "numbers", "12")
    assert advice in bad["advice"]
    assert (await send(admin, FILE.encode()))[1]["same"] == 1
    status, refused = await send(admin, b"name\nx\n")
    assert (status, refused["code"]) == (422, "bad_header")
