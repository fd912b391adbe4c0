"""What people call queues, dialled numbers, menu choices, routing reasons and VIP classes, in one language."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cti.screenpop import Labels
from ivr.model import Lang, Menu, Tree
from ticketing.changes import Change
from ticketing.taxonomy import Taxonomies

_QUEUES: Final = Path(__file__).parent / "data" / "queues.toml"


class LabelBook:
    """Labels by language, made anew when the menus were reloaded."""

    def __init__(self, tree: Callable[[], Tree], taxonomies: Taxonomies) -> None:
        self._tree = tree
        self._taxonomies = taxonomies
        self._queues = tomllib.loads(_QUEUES.read_text(encoding="utf-8"))
        self._made: dict[str, tuple[Tree, Labels]] = {}
        #: an administrator has changed a vocabulary: its words are to be read anew
        self.stale = False

    def __call__(self, language: str) -> Labels:
        """The labels in `zh` or `en`; any other language reads English."""
        lang: Lang = "zh" if language == "zh" else "en"
        tree = self._tree()
        made = self._made.get(lang)
        if made is None or made[0] is not tree:
            made = self._made[lang] = (tree, self._make(tree, lang))
        return made[1]

    def heed(self, changes: Sequence[Change]) -> None:
        """Notes that committed changes have made the words old."""
        self.stale = self.stale or any(change.kind.startswith("taxonomy.") for change in changes)

    def reword(self, taxonomies: Taxonomies) -> None:
        """Takes the vocabularies as they are now."""
        self._taxonomies, self._made, self.stale = taxonomies, {}, False

    def queue(self, name: str, language: str) -> str:
        """What people call one queue; its own name when nobody gave it another."""
        return self(language).queues.get(name, name)

    def _make(self, tree: Tree, lang: Lang) -> Labels:
        nodes: dict[str, str] = {}
        for name, node in tree.nodes.items():
            nodes[name] = tree.label(name, "", lang)
            keys = node.keys if isinstance(node, Menu) else ()
            for key in (*keys, "0", "*", "#", "8", "9", "silence", "entered"):
                nodes[f"{name}:{key}"] = tree.label(name, key, lang)
        return Labels(
            queues={name: texts[lang] for name, texts in self._queues.items()},
            dialled={dnis: line.label[lang] for dnis, line in tree.lines.items()},
            nodes=nodes,
            reasons={code: text[lang] for code, text in tree.routing.reasons.items()},
            vip={
                code: self._taxonomies.label("vip_class", code, lang)
                for code in ("major", "important", "dedicated_line")
            },
        )
