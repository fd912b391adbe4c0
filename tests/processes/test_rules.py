"""Which template fits, what a template must be, and whose turn is next: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing import taxonomy
from ticketing.classification import Cover, Ways, ways
from ticketing.errors import Invalid
from ticketing.orders.model import LIVE_WORK, WorkOrderState
from ticketing.orders.nodes import NodeWork, Stand, next_works, stand
from ticketing.processes.model import Content, Node, Template, Version, VersionState
from ticketing.processes.rules import check, choose, ordered
from ticketing.responsibility.model import Line
from ticketing.responsibility.rules import responsible
from ticketing.taxonomy import Taxonomies

NOW = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
WORDS = Taxonomies(taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8")))


def node(code: str, *after: str, **more: object) -> Node:
    """A node of the network department."""
    return replace(Node(code, code, code, "x", 3600, after=after, unit="city.network"), **more)  # type: ignore[arg-type]


THREE = (node("check"), node("repair", "check"), node("ask", "repair"))
FORK = (node("a"), node("b"), node("c", "a", "b"))


def where(**codes: str) -> Ways:
    """Where an order stands."""
    return ways(WORDS, codes)


def template(code: str, *covers: Cover, kind: str = "complaint", **more: object) -> Template:
    """A template with one version in force."""
    version = Version(1, 1, covers, THREE, published_at=NOW, effective_at=NOW)
    return Template(1, code, kind, code, code, 1, (replace(version, **more),))  # type: ignore[arg-type]


@pytest.mark.req("IN-05", "DP-02")
def test_the_template_that_names_most_and_nearest_is_taken() -> None:
    broadband = {"complaint_type": "network", "business": "data.broadband", "nature": "network.speed"}
    everything = template("everything", Cover())
    network = template("network", Cover(complaint_type="network"))
    data = template("data", Cover(business="data"))
    slow = template("slow", Cover(business="data", nature="network.speed"))
    leaf = template("leaf", Cover(business="data.broadband", nature="network"))
    charges = template("charges", Cover(complaint_type="charges"))
    found = choose([everything, charges], "complaint", where(**broadband), NOW)
    assert found is not None
    assert found[0] is everything
    for better in (data, network, slow):
        rest = [everything, charges, data, network, slow]
        known = rest[: rest.index(better) + 1]
        picked = choose(reversed(known), "complaint", where(**broadband), NOW)
        assert picked is not None
        assert picked[0] is better, "the type of the complaint speaks before the business, two axes before one"
    both = template("both", Cover(business="data.broadband", nature="network.speed"))
    for given_first in ([both, slow, leaf], [leaf, slow, both]):
        picked = choose(given_first, "complaint", where(**broadband), NOW)
        assert picked is not None
        assert picked[0] is both, "of two that name as many axes the nearer branch"
    assert choose([network], "suggestion", where(**broadband), NOW) is None
    assert choose([network], "complaint", where(complaint_type="charges"), NOW) is None
    assert choose([network], "complaint", where(**broadband), NOW - timedelta(seconds=1)) is None


@pytest.mark.req("DP-14")
def test_where_a_version_stands_follows_from_its_times() -> None:
    version = Version(1, 1, (), ())
    day = timedelta(days=1)
    assert version.state(NOW) is VersionState.DRAFT
    version = replace(version, published_at=NOW, effective_at=NOW + day)
    assert version.state(NOW) is VersionState.COMING
    assert version.state(NOW + day) is VersionState.IN_FORCE
    ended = replace(version, retired_at=NOW + 2 * day)
    assert [ended.state(NOW + n * day).value for n in range(3)] == ["coming", "in_force", "retired"]
    never = replace(version, retired_at=NOW)
    assert never.state(NOW) is VersionState.RETIRED, "retired before it began: it never is in force"


@pytest.mark.req("DP-02", "DP-14")
@pytest.mark.parametrize(
    ("nodes", "code", "field"),
    [
        ((), "bad_length", "nodes"),
        ((node("A b"),), "bad_entry_code", "nodes.0.code"),
        ((node("a"), node("a")), "twice", "nodes.0.code"),
        ((node("a", task="  "),), "missing", "nodes.0.task"),
        ((node("a", limit_s=599),), "bad_limit", "nodes.0.limit_s"),
        ((node("a", unit=None),), "unit_or_duty", "nodes.0.unit"),
        ((node("a", duty="check"),), "unit_or_duty", "nodes.0.unit"),
        ((node("a", "b"),), "unknown_code", "nodes.0.after"),
        ((node("a", "b"), node("b", "a")), "circular", "nodes"),
        ((node("a", "a"),), "circular", "nodes"),
    ],
)
def test_what_could_not_be_published_is_refused_by_name(nodes: tuple[Node, ...], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(Content((Cover(complaint_type="network"),), nodes))
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_template_is_for_something_and_says_it_once() -> None:
    for covers, code in (((), "missing"), ((Cover(), Cover()), "twice")):
        with pytest.raises(Invalid) as refused:
            check(Content(covers, THREE))
        assert (refused.value.code, refused.value.field) == (code, "covers")


@pytest.mark.req("RP-08")
def test_a_department_watches_its_answer_for_a_time_that_can_be() -> None:
    for seconds in (None, 0, 600, 180 * 86400):
        check(Content((Cover(),), THREE, tracking_s=seconds))
    for seconds in (-1, 599, 180 * 86400 + 1):
        with pytest.raises(Invalid) as refused:
            check(Content((Cover(),), THREE, tracking_s=seconds))
        assert (refused.value.code, refused.value.field) == ("bad_tracking_time", "tracking_s")


def works(nodes: tuple[Node, ...], *states: str | None) -> list[NodeWork]:
    """One work order a node; None: the node has none."""
    made = enumerate(zip(nodes, states, strict=True), 1)
    return [NodeWork(key, each.code, WorkOrderState(state)) for key, (each, state) in made if state is not None]


@pytest.mark.req("DP-02")
@pytest.mark.parametrize(
    ("nodes", "states", "send", "off"),
    [
        (THREE, ("proposed", "proposed", "proposed"), (1,), ()),
        (THREE, ("working", "proposed", "proposed"), (), ()),
        (THREE, ("done", "proposed", "proposed"), (2,), ()),
        (THREE, ("done", "done", "proposed"), (3,), ()),
        (THREE, ("recalled", "proposed", "proposed"), (), (2, 3)),
        (THREE, ("returned", "proposed", "proposed"), (), ()),
        (THREE, ("done", None, "proposed"), (3,), ()),
        (THREE, (None, "proposed", "proposed"), (2,), ()),
        (THREE, (None, None, "proposed"), (3,), ()),
        (FORK, ("done", "working", "proposed"), (), ()),
        (FORK, ("done", "done", "proposed"), (3,), ()),
        (FORK, ("done", "recalled", "proposed"), (3,), ()),
        (FORK, ("recalled", "recalled", "proposed"), (), (3,)),
        (FORK, ("proposed", "proposed", "proposed"), (1, 2), ()),
    ],
)
def test_whose_turn_is_next(
    nodes: tuple[Node, ...], states: tuple[str | None, ...], send: tuple[int, ...], off: tuple[int, ...]
) -> None:
    assert next_works(nodes, works(nodes, *states)) == (send, off)


@pytest.mark.req("DP-02", "PR-10")
def test_what_took_the_place_of_a_work_order_counts_for_its_node() -> None:
    returned = NodeWork(1, "check", WorkOrderState.RETURNED)
    assert stand([returned]) is Stand.RUNNING, "the dispatcher must deal with it"
    assert stand([replace(returned, followed="dropped")]) is Stand.OVER
    again = NodeWork(2, "check", WorkOrderState.SENT)
    assert stand([replace(returned, followed="sent_on"), again]) is Stand.RUNNING
    moved = NodeWork(1, "check", WorkOrderState.TRANSFERRED)
    assert stand([moved, replace(again, state=WorkOrderState.DONE)]) is Stand.OVER
    assert stand([moved, replace(again, state=WorkOrderState.RECALLED)]) is Stand.STOPPED


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Node, ...]:
    """Any template without a circle, its nodes in any order."""
    size = draw(st.integers(1, 7))
    made = [
        node(f"n{place}", *(f"n{earlier}" for earlier in range(place) if draw(st.booleans()))) for place in range(size)
    ]
    return tuple(draw(st.permutations(made)))


@pytest.mark.req("DP-02")
@given(graphs(), st.data())
def test_any_template_runs_to_its_end_in_the_order_it_says(nodes: tuple[Node, ...], data: st.DataObject) -> None:
    """However the departments answer: nothing starts early, nothing waits for ever, each node starts once."""
    stands = {each.code: WorkOrderState.PROPOSED for each in nodes}
    keys = {each.code: place for place, each in enumerate(nodes)}
    started: list[str] = []
    for _ in range(3 * len(nodes)):
        now = [NodeWork(keys[code], code, state) for code, state in stands.items()]
        send, off = next_works(nodes, now)
        for code, key in keys.items():
            if key in send:
                before = next(each.after for each in nodes if each.code == code)
                assert not {stands[each] for each in before} & (LIVE_WORK | {WorkOrderState.PROPOSED})
                started.append(code)
                stands[code] = WorkOrderState.SENT
            elif key in off:
                stands[code] = WorkOrderState.CANCELLED
        running = [code for code, state in stands.items() if state in LIVE_WORK]
        if not running:
            break
        ended = data.draw(st.sampled_from(running))
        stands[ended] = data.draw(st.sampled_from([WorkOrderState.DONE, WorkOrderState.RECALLED]))
    assert WorkOrderState.PROPOSED not in stands.values()
    assert len(started) == len(set(started))
    places = {each.code: place for place, each in enumerate(ordered(nodes))}
    assert all(places[code] < places[each.code] for each in nodes for code in each.after)


def line(key: int, unit: str, start: datetime = NOW, until: datetime | None = None, **cover: str) -> Line:
    """A line of the map."""
    return Line(key, str(key), "check", Cover(**cover), unit, start, until, "x", NOW, "9001", 1)


@pytest.mark.req("AD-03", "DP-10", "IN-20")
def test_the_nearest_line_in_force_says_who_is_responsible() -> None:
    network = where(complaint_type="network", business="data.broadband")
    later = NOW + timedelta(days=7)
    lines = [
        line(1, "city.sales"),
        line(2, "city.network", until=later, complaint_type="network"),
        line(3, "county.installation", start=later, complaint_type="network"),
    ]

    def unit(at: datetime, duty: str = "check", place: Ways = network) -> str | None:
        found = responsible(lines, duty, place, at)
        return None if found is None else found.unit

    assert unit(NOW) == "city.network"
    assert unit(later - timedelta(microseconds=1)) == "city.network"
    assert unit(later) == "county.installation"
    assert unit(NOW, place=where(complaint_type="charges")) == "city.sales"
    assert unit(NOW, duty="repair") is None
    assert unit(NOW - timedelta(seconds=1)) is None
