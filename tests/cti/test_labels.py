"""What people call things, in Mandarin and English (TL-72)."""

from __future__ import annotations

from datetime import datetime

import pytest

from cti.labels import LabelBook
from ivr import menus, prompts
from ivr.model import Tree
from ticketing import taxonomy
from ticketing.db import Database


def shipped() -> Tree:
    tree = menus.load(prompts.load_manifest()).tree
    assert tree is not None
    return tree


@pytest.fixture
async def words(database: Database, now: datetime) -> taxonomy.Taxonomies:
    nodes = taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8"))
    async with database.write() as conn:
        await taxonomy.load(conn, nodes, now, today=now.date())
        return await taxonomy.read(conn)


@pytest.mark.req("TL-72")
@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", ("投诉受理", "1860 客户服务热线", "投诉", "大客户")),
        ("en", ("Complaints", "1860 customer service hotline", "Complaint", "Major customer")),
        ("fr", ("Complaints", "1860 customer service hotline", "Complaint", "Major customer")),
    ],
)
async def test_labels_in_both_languages_and_english_for_any_other(
    words: taxonomy.Taxonomies, language: str, told: tuple[str, str, str, str]
) -> None:
    tree = shipped()
    labels = LabelBook(lambda: tree, words)(language)
    assert (labels.queues["complaint"], labels.dialled["1860"], labels.nodes["main:1"], labels.vip["major"]) == told
    assert labels.reasons["vip-overdue"] == tree.routing.reasons["vip-overdue"]["zh" if language == "zh" else "en"]


async def test_every_queue_dialled_number_and_step_has_words(words: taxonomy.Taxonomies) -> None:
    tree = shipped()
    for language in ("zh", "en"):
        labels = LabelBook(lambda: tree, words)(language)
        assert set(labels.queues) == {rule.queue for rule in tree.routing.rules} | {"manager"}
        assert set(labels.dialled) == set(tree.lines)
        assert set(tree.nodes) <= set(labels.nodes)
        assert all(labels.nodes.values())
        assert all(f"{name}:{key}" in labels.nodes for name in tree.nodes for key in ("0", "*", "#", "silence"))


async def test_a_queue_nobody_named_is_called_by_its_own_name(words: taxonomy.Taxonomies) -> None:
    tree = shipped()
    assert LabelBook(lambda: tree, words).queue("night-shift", "zh") == "night-shift"


@pytest.mark.req("TL-03")
async def test_labels_are_made_once_and_anew_after_a_reload(words: taxonomy.Taxonomies) -> None:
    trees = [shipped()]
    book = LabelBook(lambda: trees[-1], words)
    first = book("zh")
    assert book("zh") is first
    trees.append(shipped())
    assert book("zh") is not first
