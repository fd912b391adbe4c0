"""Staff, dialled numbers and settings as Asterisk's side needs them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.exchange import dialled, exchange_settings, roster
from cti.settings import Settings
from ivr import menus, prompts
from tests.cti.test_access import remote
from ticketing.roles import Post
from ticketing.staff.model import Agent, AgentState, PhoneKind, Staff


def person(number: str, *posts: Post, phone: PhoneKind = PhoneKind.BROWSER) -> Staff:
    return Staff(
        id=int(number),
        number=number,
        name="王磊",
        posts=frozenset(posts),
        team=None,
        phone_kind=phone,
        language="zh",
        vip_overflow=False,
        active=True,
        unit=None,
        version=1,
    )


def test_everybody_who_takes_calls_has_a_phone_of_his_kind() -> None:
    people = [person("1002", Post.JA, phone=PhoneKind.DESK), person("2001", Post.SA), person("8001", Post.DS)]
    assert [(phone.number, phone.kind) for phone in roster(people)] == [("1002", "desk"), ("2001", "browser")]


def test_who_sits_there_has_the_phone_he_signed_in_with() -> None:
    """Also after the exchange was started anew under him, with the whole machine."""
    now = datetime(2026, 3, 10, tzinfo=UTC)
    seat = Agent(1, "2001", "王磊", AgentState.READY, now, None, None, AgentState.READY, None, None, PhoneKind.DESK, 1)
    people = [person("1002", Post.JA), person("2001", Post.SA)]
    assert [(phone.number, phone.kind) for phone in roster(people, [seat])] == [("1002", "browser"), ("2001", "desk")]


@pytest.mark.req("TL-01")
def test_each_dialled_number_has_the_language_it_begins_with() -> None:
    manifest = prompts.load_manifest()
    tree = menus.load(manifest).tree
    assert tree is not None
    assert {line.number: line.language for line in dialled(tree.lines, manifest)} == {"1860": "zh", "1861": "en"}


def test_settings_become_asterisks_settings(tmp_path: Path) -> None:
    given = Settings.model_validate(
        {
            "home": tmp_path,
            "sip_host": "10.0.0.5",
            "sip_port": 5060,
            "ami_port": 5038,
            "asterisk_http_port": 8088,
            "agi_port": 4573,
            "trunk_hosts": "10.9.0.0/16,10.8.0.1",
        }
    )
    made = exchange_settings(given, (), ())
    assert made.managed
    assert made.run_dir == tmp_path / "asterisk"
    assert (made.sip_bind, made.sip_port, made.ami_port, made.http_port) == ("10.0.0.5", 5060, 5038, 8088)
    assert (made.agi_host, made.agi_port) == ("127.0.0.1", 4573)
    assert [str(host) for host in made.trunk_hosts] == ["10.9.0.0/16", "10.8.0.1/32"]
    assert (made.roster, made.dnis) == ((), ())
    assert made.spool == tmp_path / "asterisk" / "voice"


def test_a_remote_asterisk_is_not_ours_to_start_and_reaches_us_by_what_is_advertised(tmp_path: Path) -> None:
    given = Settings.model_validate({**remote(tmp_path), "agi_advertised": "hotline.lan"})
    made = exchange_settings(given)
    assert not made.managed
    assert (made.agi_host, made.spool) == ("hotline.lan", tmp_path)
    assert {phone.number for phone in made.roster} >= {"1001", "2001"}
