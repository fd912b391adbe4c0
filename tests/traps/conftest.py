"""The real exchange of the system tests, for traps that only Asterisk itself can show."""

from tests.system.conftest import asterisk_installation, lines, pbx, short_tmp

__all__ = ["asterisk_installation", "lines", "pbx", "short_tmp"]
