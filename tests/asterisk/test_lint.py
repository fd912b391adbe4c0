"""Every fault that is planted in the shipped configuration is found, by file and line, in words."""

from __future__ import annotations

import pytest

from cti.asterisk.settings import Dnis, Phone
from tests.asterisk.conftest import Copy


@pytest.mark.req("TL-60")
def test_the_shipped_configuration_is_clean(copy: Copy) -> None:
    assert [str(problem) for problem in copy.problems()] == []


FAULTS = [
    ("queues.conf", "autofill = yes\nringinuse", "autofill = no\nringinuse", "autofill = no"),
    ("queues.conf", "ringinuse = no", "ringinuse = yes", "ringinuse = yes"),
    ("queues.conf", "\nretry = 1", "\nretry = 5", "two offers do not fit"),
    ("queues.conf", "timeout = 8", "timeout = 12", "two offers do not fit"),
    ("queues.conf", "servicelevel = 15", "servicelevel = 60", "another time than 15 s"),
    ("queues.conf", "joinempty = yes", "joinempty = no", "refuses callers"),
    ("queues.conf", "musicclass = hotline", "musicclass = jazz", "musiconhold.conf does not have"),
    ("queues.conf", "hotline/thanks-waiting", "hotline/no-such-prompt", "zh/no-such-prompt.wav does not exist"),
    ("queues.conf", "hotline/thanks-waiting", "hotline/notice", "would hold an offer up"),
    ("queues.conf", "[complaint](hotline)", "[complaint](hotline)\nmember => PJSIP/7777", "no endpoint in pjsip.conf"),
    ("queues.conf", "[complaint](hotline)", "[complaint](hotline)\nmember => Local/1@x/n", "not a plain PJSIP phone"),
    ("queues.conf", "[complaint](hotline)", "[complaints](hotline)", "no queue [complaint]"),
    ("extensions.conf", "exten => _XXX,1", "exten => _X.,1", "takes any text"),
    ("extensions.conf", "Answer()", "System(reboot)", "System reaches outside"),
    ("extensions.conf", "Answer()", "Set(CTI_ANI=${SHELL(id)})", "SHELL reaches outside"),
    ("extensions.conf", "Answer()", "Set(CTI_ANI=${CURL(x)})", "CURL reaches outside"),
    ("extensions.conf", "Playback(hotline/technical-hold)", "Playback(hotline/${EXTEN})", "as it came from the caller"),
    ("extensions.conf", "Ani: ${CTI_ANI}", "Ani: ${CALLERID(num)}", "before it was filtered"),
    ("extensions.conf", "${CTI_RESCUE_QUEUE})\n", "${CTI_RESQUE_QUEUE})\n", "CTI_RESQUE_QUEUE is not in the variable"),
    ("extensions.conf", "Set(CTI_DNIS=${EXTEN})", "Set(CTI_DNS=${EXTEN})", "CTI_DNS is not in the variable contract"),
    ("extensions.conf", "UserEvent(CtiRescue", "UserEvent(CtiRescued", "nobody listens to the event CtiRescued"),
    ("extensions.conf", "Dnis: ${CTI_DNIS}", "Did: ${CTI_DNIS}", "instead of Dnis"),
    ("extensions.conf", "Goto(cti-entry,s,1)", "Goto(cti-entrance,s,1)", "[cti-entrance], which does not exist"),
    ("extensions.conf", "cti-queue,s,busy)", "cti-queue,s,bussy)", "label bussy"),
    ("extensions.conf", "hotline/all-busy", "hotline/all-bussy", "en/all-bussy.wav does not exist"),
    ("extensions.conf", "writeprotect = yes", "writeprotect = no", "could rewrite the dialplan"),
    ("extensions.conf", "[globals]\n#include rendered/cti_globals.conf", "[globals]", "is never rendered"),
    ("manager.conf", "timestampevents = yes", "timestampevent = yes", "no option of the manager"),
    ("manager.conf", "timestampevents = yes", "timestampevents = no", "no time of their own"),
    ("manager.conf", "writetimeout", "writetimout", "no option of an account"),
    ("manager.conf", "writetimeout = 5000", "writetimeout = 100", "cut off when it is slow"),
    ("manager.conf", "writetimeout = 5000", "", "cut off when it is slow"),
    ("manager.conf", "writetimeout = 5000", "eventfilter(action(include),nane(Hangup)) =", "is not understood"),
    ("manager.conf", "writetimeout = 5000", "write = command", "as good as a shell"),
    ("manager.conf", "deny = 0.0.0.0/0.0.0.0", "", "open to every address"),
    ("pjsip.conf", "context = from-trunk", "context = from-trnk", "[from-trnk], which does not exist"),
    ("pjsip.conf", "username,auth_username,ip,anonymous", "ip,username,anonymous", "swallows them"),
    ("modules.conf", "autoload = no", "autoload = yes", "every module"),
    ("modules.conf", "load = app_queue.so", "", "app_queue.so is not loaded"),
    ("modules.conf", "load = app_echo.so", "load = func_shell.so", "func_shell.so opens a way"),
    ("cel.conf", "%s.%6q", "%s", "no microseconds"),
    ("cel.conf", ",USER_DEFINED", "", "lacks USER_DEFINED"),
    ("cel.conf", "apps = queue", "apps = dial", "lacks queue"),
    ("cel_custom.conf", "${CSV_QUOTE(${CHANNEL(accountcode)})}", "${BRIDGEPEER}", "other columns than back-fill reads"),
    (
        "extensions.conf",
        " same => n,CELGenUserEvent(CtiEnd,Step: ${CTI_STEP})\n",
        "",
        "CtiEnd is not written to the journal",
    ),
    ("extensions.conf", "CELGenUserEvent(CtiRescue,Why: message)", "CELGenUserEvent(CtiRescue)", "would be lost"),
    ("musiconhold.conf", "[hotline]", "[hotline", "section header"),
]


@pytest.mark.req("TL-60", "S07")
@pytest.mark.parametrize(("file", "old", "new", "words"), FAULTS)
def test_a_planted_fault_is_named(copy: Copy, file: str, old: str, new: str, words: str) -> None:
    line = copy.replace(file, old, new)
    found = [problem for problem in copy.problems() if words in problem.why]
    assert found, [str(problem) for problem in copy.problems()]
    assert found[0].file in (file, "rendered/manager_accounts.conf")
    assert found[0].remedy
    exactly = not any(
        vague in words for vague in ("is not loaded", "is never rendered", "open to every", "no queue", "cut off")
    )
    assert abs(found[0].line - line) <= 1 or not exactly


def test_a_missing_file_is_named(copy: Copy) -> None:
    (copy.folder / "queues.conf").unlink()
    assert [(p.file, p.why) for p in copy.problems()] == [("queues.conf", "there is no such file")]


def test_settings_are_checked_with_the_files(copy: Copy) -> None:
    words = [problem.why for problem in copy.problems(rescue_queue="nowhere")]
    assert any("no queue [nowhere]" in why for why in words)
    words = [problem.why for problem in copy.problems(dnis=(Dnis(number="1860", notice="no-such-notice"),))]
    assert any("zh/no-such-notice.wav" in why for why in words)


def test_a_static_member_with_a_phone_is_fine(copy: Copy) -> None:
    copy.replace("queues.conf", "[complaint](hotline)", "[complaint](hotline)\nmember => PJSIP/7001")
    assert copy.problems(roster=(Phone(number="7001"),)) == []
