"""The policy table and the description of the interface name the same routes (S15)."""

import re
from typing import Any

import pytest

from cti.web.catalogue import ROUTES
from cti.web.openapi import describe
from cti.web.policy import POLICY, Access, allowed, check_complete
from cti.web.route import Route
from tests.web.fakes import Browser
from ticketing.roles import Action, Actor

SHOWN = [route for route in ROUTES if not route.hidden]


def example_path(route: Route) -> str:
    """An address that fits the route and names nothing that exists."""
    return re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})+\}", "none-such", route.path)


def example_body(route: Route) -> Any:
    """The body's example from the description."""
    if route.body is None:
        return None
    extra = route.body.model_config.get("json_schema_extra")
    assert isinstance(extra, dict), f"{route.name}: a body needs an example"
    examples: Any = extra["examples"]
    return examples[0]


def test_every_route_has_a_policy_and_every_policy_a_route() -> None:
    check_complete({route.name for route in ROUTES})
    with pytest.raises(LookupError, match=r"orders\.list"):
        check_complete({route.name for route in ROUTES} - {"orders.list"})
    with pytest.raises(LookupError, match=r"^routes and policy differ: spoken, unheard$"):
        check_complete([*(route.name for route in ROUTES), "unheard", "spoken"])


@pytest.mark.req("S15")
def test_two_routes_of_one_name_would_share_a_policy() -> None:
    """The second was perhaps never thought about: the service does not start."""
    with pytest.raises(LookupError, match=r"differ: orders\.list$"):
        check_complete([*(route.name for route in ROUTES), "orders.list"])


def test_what_names_an_access_needs_no_post() -> None:
    nobody = Actor(1, "1001", "x")
    assert allowed(nobody, Access.SIGNED_IN)
    assert not allowed(nobody, Action.TAKE_CALLS)


def test_the_description_holds_every_route() -> None:
    document = describe(ROUTES, "1.2.3")
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"
    found = {operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()}
    assert set(found) == {route.name.replace(".", "_") for route in SHOWN}
    for route in SHOWN:
        operation = found[route.name.replace(".", "_")]
        assert ("security" in operation) == (POLICY[route.name] is not Access.PUBLIC)
        assert ("requestBody" in operation) == (route.body is not None or route.upload_cap > 0)
        assert {p["name"] for p in operation["parameters"] if p["in"] == "path"} == set(
            re.findall(r"\{(\w+):", route.path)
        )
        assert any(status < "300" for status in operation["responses"])


def test_every_reference_of_the_description_leads_somewhere() -> None:
    document = describe(ROUTES, "0")

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [ref for inner in value.values() for ref in references(inner)]
        return [ref for inner in value for ref in references(inner)] if isinstance(value, list) else []

    found = references(document)
    assert found
    for ref in found:
        at = document
        for part in ref.removeprefix("#/").split("/"):
            at = at[part]


def test_every_example_fits_its_model() -> None:
    for route in SHOWN:
        for model in (route.body, route.answer):
            extra = getattr(model, "model_config", {}).get("json_schema_extra") or {}
            for example in extra.get("examples", []):
                model.model_validate(example)  # type: ignore[union-attr]


async def test_the_description_is_served(visitor: Browser) -> None:
    answer = await visitor.get("/api/openapi.json")
    assert answer.status == 200
    assert (await answer.json())["paths"]["/api/orders/{id}"]["patch"]["x-permission"] == "edit_draft"
