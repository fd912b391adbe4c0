"""Checks asterisk-conf together with the settings, without a running Asterisk: every fault with file, line, remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cti.asterisk import conf, lint_accounts, lint_dialplan, lint_queues
from cti.asterisk.lint_model import Problem, Site
from cti.asterisk.render import rendered_files
from cti.asterisk.secrets import Secrets
from cti.asterisk.settings import AsteriskSettings

#: files without which Asterisk would start and not work
REQUIRED: Final = (
    *("cel.conf", "cel_custom.conf", "extensions.conf", "http.conf", "logger.conf", "manager.conf", "modules.conf"),
    *("musiconhold.conf", "pjsip.conf", "queues.conf", "rtp.conf"),
)


def check(settings: AsteriskSettings) -> list[Problem]:
    """Everything wrong with the administrator's files and what the settings render beside them, by file and line."""
    with TemporaryDirectory(prefix="hotline-lint-") as scratch:
        secrets = Secrets.load_or_create(Path(scratch))
        rendered = {f"rendered/{name}": "\n".join(lines) for name, lines in rendered_files(settings, secrets)}
    return sorted(set(_check(settings, rendered)))


def _check(settings: AsteriskSettings, rendered: dict[str, str]) -> Iterator[Problem]:
    on_disk = conf.folder_reader(settings.conf_dir)
    files: dict[str, conf.Conf] = {}
    names = {path.name for path in settings.conf_dir.glob("*.conf")} | set(REQUIRED)
    for name in sorted(names):
        try:
            files[name] = conf.read(name, lambda wanted: rendered.get(wanted) or on_disk(wanted))
        except conf.ConfError as error:
            yield Problem(error.file, error.line, error.why, "correct the file")
    site = Site(settings, files)
    for rules in (lint_dialplan.rules, lint_queues.rules, lint_accounts.rules):
        yield from rules(site)
