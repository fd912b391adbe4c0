"""`hotline customers import FILE` as an administrator types it: what it says, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

FILE = "external_id,name,numbers\nK1,张三丰,13811112222\n"


async def hotline(home: Path, *words: str) -> tuple[int, str]:
    """Exit code and everything it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cti", *words,
        env={**os.environ, "HOTLINE_HOME": str(home), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_exit_code_says_what_became_of_the_file(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "customers.csv"
    file.write_text(FILE, encoding="gb18030")
    assert (await hotline(home, "customers", "import", str(tmp_path / "none.csv")))[0] == 2
    code, said = await hotline(home, "customers", "import", str(file))
    assert (code, "hotline up" in said) == (2, True)
    assert (await hotline(home, "db", "upgrade"))[0] == 0
    code, said = await hotline(home, "customers", "import", str(file), "--json")
    report = json.loads(said)
    assert (code, report["added"], report["bad_count"]) == (0, 1, 0)
    file.write_text(FILE + "K2,=SUM(A1),13811113333\n", encoding="utf-8")
    code, said = await hotline(home, "customers", "import", str(file))
    assert code == 1
    assert "line 3, name: '=SUM(A1)" in said
    assert "1 as they were" in said
    file.write_text("name\nx\n", encoding="utf-8")
    assert (await hotline(home, "customers", "import", str(file)))[0] == 2
