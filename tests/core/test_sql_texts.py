"""No statement is put together from texts: whatever SQL stands in our code is a constant (S17)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
#: what takes SQL as a text: functions of SQLAlchemy, and methods of connections, cursors and columns
FUNCTIONS: Final = frozenset({"text", "literal_column", "DDL"})
METHODS: Final = frozenset({"exec_driver_sql", "executescript", "op", "bool_op"})
#: (file, what is put in): numbers and words of our own, none of them from outside
OURS: Final = frozenset(
    {
        ("cti/migrations/revisions.py", "_LOCK"),
        ("cti/migrations/__init__.py", "pragma"),
        ("cti/migrations/versions/0019_process_templates_and_responsibility.py", "drafts"),
        ("cti/doctor.py", "now"),
        ("ticketing/db.py", "max(1, round(limit_s * 1000))"),
        ("ticketing/db.py", "begin"),
        ("ticketing/db.py", "pragma"),
        ("cti/migrations/env.py", "str(written)"),
    }
)


def sources() -> list[Path]:
    """Every module that ships."""
    found = [path for name in ("cti", "ivr", "recordings", "ticketing") for path in (ROOT / name).rglob("*.py")]
    return sorted(path for path in found if "node_modules" not in path.parts)


def made_of_texts(code: str, name: str) -> Iterator[str]:
    """Places where SQL that is not a constant is given, as `line: what`."""
    tree = ast.parse(code)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
        if alias.name in FUNCTIONS
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func
        if isinstance(called, ast.Name):
            takes_sql = called.id in imported
        elif isinstance(called, ast.Attribute):
            of_module = isinstance(called.value, ast.Name) and called.value.id in {"sa", "sqlalchemy"}
            written = isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)
            runs_text = called.attr in {"execute", "executemany", "scalar"} and written
            takes_sql = called.attr in METHODS or (of_module and called.attr in FUNCTIONS) or runs_text
        else:
            continue
        if takes_sql:
            yield from (f"{node.lineno}: {part}" for part in _parts(node.args[0]) if (name, part) not in OURS)


def _parts(given: ast.expr) -> list[str]:
    """What is not constant in an expression."""
    if isinstance(given, ast.Constant):
        return []
    if isinstance(given, ast.JoinedStr):
        return [ast.unparse(each.value) for each in given.values if isinstance(each, ast.FormattedValue)]
    return [ast.unparse(given)]


@pytest.mark.req("S17")
def test_sql_is_a_constant() -> None:
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sources()}
    assert len(files) > 300
    found = {name: list(made_of_texts(code, name)) for name, code in files.items()}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "code",
    [
        'from sqlalchemy import text\ntext(f"SELECT {name}")',
        'from sqlalchemy import text as t\nt("SELECT " + name)',
        'import sqlalchemy as sa\nsa.literal_column("%s DESC" % name)',
        'conn.exec_driver_sql("SELECT {}".format(name))',
        'column.op(name)("x")',
        'cursor.execute(f"DELETE FROM {table}")',
    ],
)
def test_what_the_rule_finds(code: str) -> None:
    assert len(list(made_of_texts(code, "x.py"))) == 1
