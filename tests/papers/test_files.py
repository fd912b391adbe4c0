"""The store of scans: private, complete, never outside its folder; what went wrong on the disk is named."""

import hashlib
import stat
from pathlib import Path

import pytest

from ticketing.errors import NotFound, Unavailable
from ticketing.papers.files import FileStore


@pytest.mark.req("KB-11")
async def test_what_was_put_is_read_again_and_is_private(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "papers")
    stored = await files.put(b"%PDF-1.7 scan")
    assert (stored.size, stored.sha256) == (13, hashlib.sha256(b"%PDF-1.7 scan").hexdigest())
    with await files.open(stored.key) as file:
        assert file.read() == b"%PDF-1.7 scan"
    (path,) = [each for each in (tmp_path / "papers").rglob("*") if each.is_file()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await files.drop(stored.key)
    with pytest.raises(NotFound):
        await files.open(stored.key)


@pytest.mark.req("S18")
async def test_a_key_is_no_path_and_a_link_is_not_followed(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "papers")
    for key in ("../../etc/passwd", "a" * 31, "A" * 32, "a" * 32 + "/x", "", "a\0"):
        with pytest.raises(ValueError, match="key"):
            await files.open(key)
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="utf-8")
    key = "ab" * 16
    (tmp_path / "papers" / "ab").mkdir(parents=True)
    (tmp_path / "papers" / "ab" / key).symlink_to(secret)
    with pytest.raises(NotFound):
        await files.open(key)


@pytest.mark.req("CL-02")
async def test_what_is_missing_changed_or_nobodys_is_named(tmp_path: Path) -> None:
    root = tmp_path / "papers"
    files = FileStore(root)
    assert await files.orphans([]) == []
    kept = [await files.put(f"scan {n}".encode()) for n in range(4)]
    known = [(each.key, each.sha256, each.size) for each in kept[:3]]
    assert await files.wrong(known) == []
    (root / kept[0].key[:2] / kept[0].key).unlink()
    (root / kept[1].key[:2] / kept[1].key).write_bytes(b"scan X")
    assert await files.wrong(known) == [(kept[0].key, "missing"), (kept[1].key, "changed")]
    assert await files.orphans([key for key, _, _ in known]) == [kept[3].key]


async def test_a_disk_that_does_not_take_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "papers").write_text("no folder", encoding="utf-8")
    with pytest.raises(Unavailable) as refusal:
        await FileStore(tmp_path / "papers").put(b"x")
    assert refusal.value.code == "file_store_down"
