"""The data files: what is shipped is sound, a planted fault is named with its line, a broken file changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ivr.menus import DATA, BrokenMenus, Menus, load
from ivr.prompts import load_manifest
from ivr.server import FastAgiServer
from ivr.session import EntryStep
from tests.ivr.fakes import KNOWN, SECRET, FakeCall, FakeDirectory, ports, shipped_tree
from ticketing.orders.model import OPEN, State


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files to break."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def change(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first `old`; the line it stood in."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_what_is_shipped_is_sound() -> None:
    tree = shipped_tree()
    assert set(tree.lines) == {"1860", "1861"}
    assert tree.reason("vip-major", "zh").endswith("。")
    assert tree.reason("rescue", "en") != "rescue"
    assert tree.reason("never-heard-of", "en") == "never-heard-of"


def test_states_with_words_are_states_of_an_order() -> None:
    """`PAUSED` is what the wiring calls an order that is held."""
    assert set(shipped_tree().states) - {state.name for state in State} == {"PAUSED"}
    assert {state.name for state in OPEN} - set(shipped_tree().states) <= {"REPORTING", "ANALYSIS"}


@pytest.mark.parametrize(
    ("node", "key", "label"),
    [
        ("main", "1", "投诉"),
        ("main", "0", "人工"),
        ("standards", "2", "故障修复"),
        ("progress-serial", "entered", "已输入号码"),
        ("main", "silence", "没有按键"),
        ("main", "7", "主菜单"),
        ("gone", "1", "gone"),
    ],
)
def test_every_step_of_a_path_has_a_name(node: str, key: str, label: str) -> None:
    assert shipped_tree().label(node, key, "zh") == label


@pytest.mark.req("TL-03")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("menus.toml", 'go = "complaint"', 'go = "complain"', "'complain'"),
        ("menus.toml", "tries = 3", "tries = 0", "tries"),
        ("menus.toml", 'prompts = ["menu-main"]', 'prompts = ["menu-mian"]', "'menu-mian'"),
        ("menus.toml", 'kind = "serial"', 'kind = "cereal"', "kind"),
        ("menus.toml", "[menu.main]", "[menu.main", "TOML"),
        ("menus.toml", "1 = { go", "0 = { go", "keys"),
        ("menus.toml", "4 = { go", "9 = { go", "language"),
        ("menus.toml", 'back = "main"', 'back = "complaint"', "'complaint'"),
        ("menus.toml", "3 = { go", "# 3 = { go", "no key leads to"),
        ("menus.toml", "max_asks = 40", "max_aks = 40", "max_a"),
        ("dnis.toml", 'menu = "main"', 'menu = "mane"', "'mane'"),
        ("dnis.toml", 'languages = ["zh", "en"]', 'languages = ["zh", "fr"]', "languages"),
        ("dnis.toml", 'languages = ["zh", "en"]', 'languages = ["zh", "zh"]', "twice"),
        ("dnis.toml", "[line.1860]", '[line."18x0"]', "18x0"),
        ("routing.toml", 'queue = "senior"', 'queue = "seniors"', "'seniors'"),
        ("routing.toml", "priority = 20", "priority = 21", "priority"),
        ("routing.toml", 'when = ["major"]', 'when = ["mayor"]', "'mayor'"),
        ("routing.toml", 'code = "vip-major"', 'code = "vip"', "twice"),
        ("routing.toml", 'intents = ["person"]', 'intents = ["person"]\nwhen = ["vip"]', "'person'"),
        ("hours.toml", '"08:30-12:00"', '"12:00-08:30"', "end is not after"),
        ("hours.toml", '"08:30-12:00"', '"8-12"', "HH:MM"),
        ("hours.toml", 'manager = "always"', 'manager = "never"', "'never'"),
        ("hours.toml", 'zone = "Asia/Shanghai"', 'zone = "Asia/Peking"', "Asia/Peking"),
        ("hours.toml", '"2026-01-04"', '"2026-13-04"', "workdays"),
    ],
)
def test_a_fault_is_named_with_its_line(folder: Path, name: str, old: str, new: str, said: str) -> None:
    line = change(folder, name, old, new)
    loaded = load(load_manifest(), folder)
    assert loaded.tree is None
    found = [finding for finding in loaded.findings if said in finding.reason]
    assert found, loaded.findings
    assert Path(found[0].file).name == name
    assert found[0].line is not None
    assert abs(found[0].line - line) <= 12
    assert found[0].remedy


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "hours.toml").unlink()
    with pytest.raises(BrokenMenus, match=r"hours\.toml"):
        Menus(load_manifest(), folder)


@pytest.mark.req("TL-03")
async def test_a_call_in_progress_finishes_on_the_tree_it_began_with(folder: Path) -> None:
    menus = Menus(load_manifest(), folder)
    step = EntryStep(lambda: menus.tree, ports(FakeDirectory({"13800001111": KNOWN})))
    server = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": step})
    await server.start()

    class Reloading(FakeCall):
        """The files change while this caller listens to the menu."""

        def answer(self, line: str) -> str:
            if "GET DATA" in line and not self.steps:
                change(folder, "menus.toml", 'go = "complaint"', 'go = "suggestion"')
                assert menus.reload(load_manifest()) != ()  # complaint's route has no key any more
                change(folder, "menus.toml", 'go = "suggestion", zh = "建议"', 'go = "complaint", zh = "建议"')
                assert menus.reload(load_manifest()) == ()
            return super().answer(line)

    old, new = Reloading(["1"]), FakeCall(["1"])
    await old.run(server.port)
    await new.run(server.port)
    await server.stop()
    assert old.variables["CTI_QUEUE"] == "complaint"
    assert new.variables["CTI_QUEUE"] == "suggestion"


@pytest.mark.req("TL-03")
def test_a_broken_file_keeps_the_old_tree(folder: Path) -> None:
    menus = Menus(load_manifest(), folder)
    tree = menus.tree
    change(folder, "routing.toml", "manager_routing = false", "manager_routing = maybe")
    findings = menus.reload(load_manifest())
    assert [finding.line for finding in findings] == [13]
    assert menus.tree is tree


def test_manager_routing_is_a_setting(folder: Path) -> None:
    change(folder, "routing.toml", "manager_routing = false", "manager_routing = true")
    tree = Menus(load_manifest(), folder).tree
    assert tree.routing.manager_routing
