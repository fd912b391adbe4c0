"""The look through a run's logs finds what must not be there, and nothing else (S25)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cti.settings import Settings
from tests.system.hygiene import leaks


@pytest.mark.req("S25")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'{"event": "call 13800138000"}', 1),
        (b'{"number": "+8613800138000", "other": "010-82100033"}', 2),
        (b'{"password": "0123456789abcdef0123"}', 1),
        (b'{"call": "20260310013000-013800138000", "number": "138****8000", "at": 1795400008.123456}', 0),
        (b'{"request_id": "a13800138000bcde", "channel": "PJSIP/trunk-00000001"}', 0),
    ],
)
def test_what_is_found(tmp_path: Path, line: bytes, found: int) -> None:
    given: dict[str, Any] = {"home": tmp_path}
    settings = Settings(**given)
    for folder in (tmp_path / "log", settings.secrets_dir):
        folder.mkdir()
    (settings.secrets_dir / "ami").write_text("bridge 0123456789abcdef0123\n")
    (tmp_path / "log" / "hotline.jsonl").write_bytes(b'{"event": "started"}\n' + line + b"\n")
    assert len(leaks(settings)) == found
