"""Vocabularies: data, dated, and only leaves may be chosen."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ticketing import taxonomy
from ticketing.db import Database
from ticketing.errors import Invalid
from ticketing.taxonomy import KINDS, SAMPLE, Node, Taxonomies, parse

TODAY = date(2026, 3, 10)
NODES = parse(SAMPLE.read_text(encoding="utf-8"))


def test_the_shipped_file_fills_every_kind_with_both_languages() -> None:
    assert {node.kind for node in NODES} == set(KINDS)
    assert all(node.zh and node.en for node in NODES)
    assert {node.code for node in NODES if node.kind == "no_order_reason"} == {
        "inquiry", "wrong_number", "silent", "dropped", "nuisance", "progress",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("business", ["固定电话", "无线市话", "数据通信", "公话", "电话卡", "信息业务", "宽带"]),
        ("nature", ["资费", "服务质量", "通信质量", "装机", "移机", "障碍修复", "工作差错", "产品质量"]),
        ("complaint_type", ["资费类", "服务类", "网络类", "业务类"]),
        ("suggestion_category", ["企业经营", "服务建议", "新业务建议"]),
        ("vip_class", ["大客户", "重要客户", "专线客户"]),
    ],
)
def test_the_papers_words_are_there(kind: str, words: list[str]) -> None:
    assert set(words) <= {node.zh for node in NODES if node.kind == kind}


def test_only_a_living_leaf_may_be_chosen() -> None:
    known = Taxonomies([*NODES, Node("business", "pager", "寻呼", "Pager", 99, True, None, date(2005, 12, 31))])
    assert known.check_leaf("business", "data.broadband", TODAY).zh == "宽带"
    for code, why in (("data", "not_a_leaf"), ("telegram", "unknown_code"), ("pager", "retired_code")):
        with pytest.raises(Invalid) as caught:
            known.check_leaf("business", code, TODAY, field="business_code")
        assert (caught.value.code, caught.value.field) == (why, "business_code")
    assert known.label("business", "pager") == "寻呼"
    assert known.label("business", "data.broadband", "en") == "Broadband"
    assert known.label("business", "nothing") == "nothing"


def test_the_tree_nests_and_leaves_out_the_retired() -> None:
    known = Taxonomies([*NODES, Node("business", "pager", "寻呼", "Pager", 99, True, None, date(2005, 12, 31))])
    tree = {node["code"]: node for node in known.trees(TODAY)["business"]}
    assert "pager" not in tree
    assert tree["data"]["children"][0] == {
        "code": "data.broadband", "label": {"zh": "宽带", "en": "Broadband"}, "children": [],
    }  # fmt: skip
    assert next(iter(tree)) == "fixed"


@pytest.mark.req("IN-03")
async def test_a_new_leaf_needs_no_deploy_and_a_removed_one_is_retired(database: Database, now: datetime) -> None:
    async with database.write() as conn:
        assert await taxonomy.load(conn, NODES, now, today=TODAY) == (len(NODES), 0)
        assert await taxonomy.load(conn, NODES, now, today=TODAY) == (0, 0)
    later = [node for node in NODES if (node.kind, node.code) != ("business", "other")]
    later.append(Node("business", "satellite", "卫星电话", "Satellite", 50))
    next_day = date(2026, 3, 11)
    async with database.write() as conn:
        assert await taxonomy.load(conn, later, now, today=TODAY) == (1, 1)
        assert (await taxonomy.leaf(conn, "business", "satellite", next_day)).zh == "卫星电话"
        with pytest.raises(Invalid, match="not in use"):
            await taxonomy.leaf(conn, "business", "other", next_day)
        known = await taxonomy.read(conn)
    assert known.label("business", "other") == "其他业务"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[colour]\na=['红','red']", "unknown kind"),
        ("[unit]\n'a.b'=['甲','A']", "below 'a'"),
        ("[unit]\na='甲'", "give"),
        ("[unit]\na=['甲','']", "give"),
        ("[unit]\na={label=['甲','A'], from='x'}", "dates"),
        ("[unit", "taxonomies"),
    ],
)
def test_a_broken_file_is_named(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse(text)


def test_dates_of_an_entry_are_read() -> None:
    node = parse("[unit]\na={label=['甲','A'], from=2026-03-11, to=2026-03-12}")[0]
    assert [node.active(date(2026, 3, day)) for day in (10, 11, 12, 13)] == [False, True, True, False]
