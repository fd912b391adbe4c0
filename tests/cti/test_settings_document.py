"""docs/settings.md tells every setting as the source has it."""

from __future__ import annotations

from cti.settings import Settings
from tests.cti.settings_document import DOCUMENT, document, meanings


def test_every_setting_says_what_it_means() -> None:
    assert set(meanings()) >= set(Settings.model_fields)


def test_the_document_is_as_the_source() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `python -m tests.cti.settings_document`"


def test_lengths_of_time_and_space_carry_their_unit() -> None:
    """A number without a unit in its name is a port or a count."""
    plain = {
        name
        for name, field in Settings.model_fields.items()
        if field.annotation in (int, float) and not name.endswith(("_seconds", "_mib", "_bytes", "_port", "_days"))
    }
    assert plain == {"rtp_start", "rtp_end", "misses_before_pause", "export_rows"}
