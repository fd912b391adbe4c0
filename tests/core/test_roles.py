"""Posts and permissions: one table, nothing left out."""

from __future__ import annotations

import pytest

from ticketing.errors import Forbidden, Invalid, Stale
from ticketing.roles import PERMISSIONS, POST_LABELS, SYSTEM, Action, Actor, Post, may, permissions, require


def test_every_action_and_every_post_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert set().union(*PERMISSIONS.values()) == set(Post)
    assert set(POST_LABELS) == set(Post)


@pytest.mark.parametrize(
    ("post", "action", "allowed"),
    [
        (Post.JA, Action.SUBMIT_ORDER, True),
        (Post.JA, Action.DISPATCH, False),
        (Post.JA, Action.HANDLE_VIP, False),
        (Post.SA, Action.DISPATCH, True),
        (Post.DM, Action.SUBMIT_ORDER, False),
        (Post.QC, Action.EDIT_DRAFT, False),
        (Post.SU, Action.EDIT_DRAFT, False),
        (Post.SU, Action.CONTROL_AGENTS, True),
        (Post.AD, Action.INSPECT_QUALITY, False),
        (Post.DS, Action.VIEW_ALL_ORDERS, False),
    ],
)
def test_posts_may_what_part_three_says(post: Post, action: Action, allowed: bool) -> None:
    assert may({post}, action) is allowed


def test_two_posts_add_up() -> None:
    assert permissions({Post.JA, Post.SU}) == permissions({Post.JA}) | permissions({Post.SU})
    assert permissions(set()) == frozenset()


def test_refusal_names_the_action() -> None:
    with pytest.raises(Forbidden) as caught:
        require(Actor(1, "1001", "林晓梅", frozenset({Post.JA})), Action.DISPATCH)
    assert caught.value.details == {"action": "dispatch", "posts": ["JA"]}
    require(SYSTEM, Action.DISPATCH)


def test_errors_carry_code_message_and_field() -> None:
    wrong = Invalid("too_long", "200 characters at most", field="name", limit=200)
    assert (wrong.code, wrong.field, wrong.details) == ("too_long", "name", {"field": "name", "limit": 200})
    stale = Stale(version=3)
    assert stale.code == "stale_version"
    assert stale.message == "Somebody else changed this in the meantime; read it again."
    assert "version=3" in str(stale)
