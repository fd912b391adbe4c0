"""Service standards at the desk are the words of the voice menu."""

from pathlib import Path

import pytest

from cti.web.deps import WebDeps
from cti.web.standards import read_standards
from tests.web.fakes import Browser
from ticketing.errors import Invalid


async def test_they_are_the_words_of_the_voice_menu(agent: Browser, deps: WebDeps) -> None:
    object.__setattr__(deps, "standards", read_standards())
    items = (await (await agent.get("/api/standards")).json())["items"]
    assert {item["code"] for item in items} >= {"install", "repair", "complaint"}
    assert all(item["title"]["zh"] and item["text"]["zh"] and item["text"]["en"] for item in items)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    menus, texts = tmp_path / "menus.toml", tmp_path / "texts.toml"
    with pytest.raises(Invalid, match=r"texts\.toml"):
        read_standards(menus, texts)
    texts.write_text("[prompt.x]\nzh = '一'\nen = 'a'\n", encoding="utf-8")
    menus.write_text("[menu.standard-a]\nprompts = ['y']\nzh = '一'\nen = 'a'\n", encoding="utf-8")
    with pytest.raises(Invalid, match="standard-a"):
        read_standards(menus, texts)
