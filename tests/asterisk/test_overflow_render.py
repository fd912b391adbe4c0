"""What the settings' overflow adds to the configuration: an offer short enough, its keys, a script that starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cti.asterisk.lint import check
from cti.asterisk.render import rendered_files
from cti.asterisk.secrets import Secrets
from cti.asterisk.settings import HOME, AsteriskSettings


@pytest.mark.req("TL-20", "TL-60")
@pytest.mark.parametrize("overflow", [True, False])
def test_the_offer_and_its_keys_are_rendered_only_when_they_work(tmp_path: Path, *, overflow: bool) -> None:
    settings = AsteriskSettings(run_dir=tmp_path, cache_dir=tmp_path, overflow=overflow)
    assert check(settings) == []
    files = {name: list(lines) for name, lines in rendered_files(settings, Secrets.load_or_create(tmp_path / "s"))}
    assert ("context = cti-keys" in files["queue_offer.conf"]) is overflow


@pytest.mark.req("TL-24")
def test_the_rescue_script_survives_an_exchange_that_goes_away(tmp_path: Path) -> None:
    """No AGI header, and then nothing: it ends by itself, quietly, and leaves nothing."""
    script = HOME / "asterisk-conf" / "agi-bin" / "rescue.py"
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(tmp_path)],
        input="agi_request: rescue\n\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
