"""Rules for the manager, phones, journal and modules: who may do what, and that what is needed is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cti.ami.journals import COLUMNS
from cti.asterisk.conf import Conf, Entry
from cti.asterisk.lint_model import Problem, Site, at, is_yes
from ivr.variables import ON_EVENTS

#: options Asterisk 22 knows; another spelling is ignored with one warning, and a filter then lets everything through
_GENERAL: Final = {
    *("enabled", "webenabled", "port", "bindaddr", "displayconnects", "timestampevents", "channelvars", "debug"),
    *("allowmultiplelogin", "authtimeout", "authlimit", "disabledevents", "brokeneventsaction", "httptimeout"),
    *("tlsenable", "tlsbindaddr", "tlsbindport", "tlscertfile", "tlsprivatekey", "tlscipher", "tlscafile"),
}
_ACCOUNT: Final = {
    *("secret", "deny", "permit", "acl", "read", "write", "writetimeout", "displayconnects", "setvar"),
    *("allowmultiplelogin",),
}
_FILTER: Final = re.compile(
    r"^eventfilter\(action\((?:include|exclude)\)"
    r"(?:,name\([A-Za-z]+\)|,header\([A-Za-z]+\)|,method\((?:regex|exact|starts_with|ends_with|contains|none)\))*\)$"
)

#: Asterisk ends a session whose client does not read for so long; its default of 100 ms is a hiccup (S01, F03)
_WRITE_TIMEOUT_MS: Final = 5000

#: rights that reach a shell, files or the dialplan (S01)
_DANGEROUS: Final = {"all", "system", "command", "config", "aoc", "agi", "originate", "dialplan", "cc", "message"}
_WRITE_ALLOWED: Final = {"dialler": {"originate"}}
_LOOPBACK: Final = ("127.0.0.1", "::1")

_NEEDED_MODULES: Final = (
    *("app_queue.so", "app_mixmonitor.so", "app_stack.so", "app_userevent.so", "app_playback.so", "chan_pjsip.so"),
    "app_celgenuserevent.so",
    *("res_agi.so", "res_pjsip_pubsub.so", "res_speech.so", "pbx_config.so", "cel_custom.so", "res_cdrel_custom.so"),
    *("res_pjsip_transport_websocket.so", "res_srtp.so", "res_musiconhold.so", "format_wav.so"),
)
#: channel events that back-fill reads
_JOURNALLED: Final = ("CHAN_START", "ANSWER", "HANGUP", "APP_START", "APP_END", "BRIDGE_EXIT", "USER_DEFINED")
_SURPLUS_MODULES: Final = (
    "app_system.so",
    "func_shell.so",
    "func_curl.so",
    "pbx_spool.so",
    "func_db.so",
    "func_env.so",
)


def rules(site: Site) -> Iterator[Problem]:
    """All rules of these files."""
    if (manager := site.files.get("manager.conf")) is not None:
        yield from _manager(manager)
    if (pjsip := site.files.get("pjsip.conf")) is not None:
        yield from _pjsip(site, pjsip)
    if (modules := site.files.get("modules.conf")) is not None:
        yield from _modules(modules)
    if (cel := site.files.get("cel.conf")) is not None:
        yield from _journal(cel)
    if (custom := site.files.get("cel_custom.conf")) is not None:
        yield from _columns(custom)


def _manager(manager: Conf) -> Iterator[Problem]:
    general = manager.options("general")
    for key, entry in general.items():
        if key not in _GENERAL:
            yield at(
                entry, f"`{entry.key}` is no option of the manager; Asterisk would ignore it", "correct the spelling"
            )
    address = general.get("bindaddr")
    if address is None or address.value not in _LOOPBACK:
        where = address or Entry("", "", "manager.conf", 1)
        yield at(where, "the manager listens to other machines", "bind it to 127.0.0.1, or use TLS and a firewall")
    stamps = general.get("timestampevents")
    if stamps is None or not is_yes(stamps.value):
        where = stamps or Entry("", "", "manager.conf", 1)
        yield at(where, "events carry no time of their own, so no target can be measured", "set timestampevents = yes")
    carried = general.get("channelvars")
    if carried is None or tuple(part.strip() for part in carried.value.split(",")) != ON_EVENTS:
        where = carried or Entry("", "", "manager.conf", 1)
        yield at(where, "events do not carry the call's id and token", f"set channelvars = {','.join(ON_EVENTS)}")
    for name in manager.names():
        if name != "general":
            yield from _account(manager, name)


def _account(manager: Conf, name: str) -> Iterator[Problem]:
    section = manager.named(name)[0]
    entries = list(manager.effective(section))
    for entry in entries:
        key = entry.key.lower()
        if key.startswith("eventfilter"):
            if not _FILTER.match(entry.key):
                why = f"the event filter `{entry.key}` is not understood, and {name} would be sent everything"
                yield at(entry, why, "write eventfilter(action(include),name(Event)) =")
        elif key not in _ACCOUNT:
            yield at(
                entry, f"`{entry.key}` is no option of an account; Asterisk would ignore it", "correct the spelling"
            )
        elif key == "write":
            rights = {right.strip() for right in entry.value.split(",")}
            if surplus := sorted(rights & _DANGEROUS - _WRITE_ALLOWED.get(name, set())):
                why = f"the account {name} may write {', '.join(surplus)}: that is as good as a shell"
                yield at(entry, why, "take that right away")
    patience = next((entry for entry in entries if entry.key.lower() == "writetimeout"), None)
    if patience is None or not patience.value.isdigit() or int(patience.value) < _WRITE_TIMEOUT_MS:
        where = patience or Entry("", "", section.file, section.line)
        why = f"the account {name} is cut off when it is slow for a moment, and what happens meanwhile is lost"
        yield at(where, why, f"set writetimeout = {_WRITE_TIMEOUT_MS}, in milliseconds")
    if not any(entry.key.lower() == "deny" for entry in entries):
        why = f"the account {name} is open to every address"
        yield Problem(section.file, section.line, why, "base it on [account], which denies all but what is permitted")


def _pjsip(site: Site, pjsip: Conf) -> Iterator[Problem]:
    dialplan = site.files.get("extensions.conf")
    contexts = {section.name for section in dialplan.sections} if dialplan else set()
    kinds: dict[str, set[str]] = {}
    for section in pjsip.sections:
        for entry in pjsip.effective(section):
            if entry.key == "type" and not section.template:
                kinds.setdefault(entry.value, set()).add(section.name)
    for section in pjsip.sections:
        for entry in section.entries:
            if entry.key == "context" and dialplan is not None and entry.value not in contexts:
                yield at(
                    entry,
                    f"calls of [{section.name}] go to the context [{entry.value}], which does not exist",
                    "correct it",
                )
            wanted = {"auth": "auth", "aors": "aor", "endpoint": "endpoint"}.get(entry.key)
            if wanted and entry.value not in kinds.get(wanted, set()):
                yield at(
                    entry,
                    f"[{section.name}] names the {wanted} {entry.value}, which does not exist",
                    "add it, or correct it",
                )
    yield from _identifiers(pjsip)


def _identifiers(pjsip: Conf) -> Iterator[Problem]:
    entry = pjsip.options("global").get("endpoint_identifier_order")
    order = [part.strip() for part in entry.value.split(",")] if entry else ["ip", "username", "anonymous"]
    if (
        "anonymous" in order[:-1]
        or "ip" not in order
        or "username" not in order
        or order.index("ip") < order.index("username")
    ):
        where = entry or Entry("", "", "pjsip.conf", 1)
        why = "phones are known by address before their name: a trunk on the same address swallows them"
        yield at(where, why, "set endpoint_identifier_order = username,auth_username,ip,anonymous")


def _modules(modules: Conf) -> Iterator[Problem]:
    entries = [entry for section in modules.named("modules") for entry in section.entries]
    automatic = next((entry for entry in entries if entry.key == "autoload"), None)
    if automatic is None or is_yes(automatic.value):
        where = automatic or Entry("", "", "modules.conf", 1)
        yield at(where, "every module there is would be loaded", "set autoload = no")
    loaded = {entry.value: entry for entry in entries if entry.key == "load"}
    for name in _NEEDED_MODULES:
        if name not in loaded:
            yield Problem("modules.conf", 1, f"{name} is not loaded, but calls need it", f"add load = {name}")
    for name in _SURPLUS_MODULES:
        if name in loaded:
            yield at(loaded[name], f"{name} opens a way to files, shell or network", "remove the line")


def _journal(cel: Conf) -> Iterator[Problem]:
    """The channel event log must hold what back-fill reads (TL-70)."""
    options = cel.options("general")
    entry = options.get("dateformat")
    if entry is not None and "%6q" not in entry.value:
        yield at(entry, "the channel event log has no microseconds", "set dateformat = %s.%6q")
    for key, needed in (("events", _JOURNALLED), ("apps", ("queue",))):
        entry = options.get(key)
        there = {part.strip().lower() for part in entry.value.split(",")} if entry else set()
        missing = [word for word in needed if word.lower() not in there]
        if entry is not None and missing:
            why = f"the channel event log lacks {', '.join(missing)}: calls of an outage would not be known"
            yield at(entry, why, f"add it to {key}")


def _columns(custom: Conf) -> Iterator[Problem]:
    wanted = ",".join(f"${{CSV_QUOTE(${{{name}}})}}" for name in COLUMNS)
    entry = custom.options("mappings").get("hotline.csv")
    if entry is None or entry.value != wanted:
        where = entry or Entry("", "", "cel_custom.conf", 1)
        yield at(where, "hotline.csv has other columns than back-fill reads", f"set hotline.csv => {wanted}")
