"""The interface's description (OpenAPI 3.1) from the route table and the models: nothing is written twice. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from cti.web.idempotency import HEADER
from cti.web.policy import POLICY, Access
from cti.web.route import Route
from cti.web.schemas.common import ErrorBody
from cti.web.schemas.pop import STREAM_EVENTS
from cti.web.security import CSRF_HEADER
from ticketing.roles import PERMISSIONS

__all__ = ["describe"]

_PART = re.compile(r"\{(\w+):((?:[^{}]|\{[^{}]*\})+)\}")
_REFUSALS = {
    400: "The request cannot be read.",
    401: "Not signed in.",
    403: "The post does not allow it, the page's token is missing, or another site asked.",
    404: "There is no such thing, or it is not yours to see.",
    409: "The present state does not allow it; `stale_version` when somebody else was faster.",
    413: "The body is too large.",
    415: "Only JSON is taken.",
    422: "A field is unknown, wrong or missing.",
    429: "Too many attempts.",
    503: "Something this needs does not answer now.",
}

_ONCE = (
    "Sent again within 24 hours, the same request has the same answer and happens once (`Idempotent-Replayed: true`); "
    "another request under the key is 422 `idempotency_key_reused`."
)

Key = tuple[str, str]


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The whole document."""
    shown = [route for route in routes if not route.hidden]
    schemas, components = _schemas(shown)
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        path = _PART.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hotline",
            "version": version,
            "description": "The desk's own interface: what the page can do, a program can do.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-hotline"},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            },
            "responses": {
                str(status): {
                    "description": text,
                    "content": {"application/json": {"schema": schemas["error", "serialization"]}},
                }
                for status, text in _REFUSALS.items()
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[Key, Any], dict[str, Any]]:
    """Schema of every body, query, answer and stream event by (route, mode), and the shared definitions."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [("error", "serialization", TypeAdapter(ErrorBody))]
    for route in routes:
        if route.body is not None:
            inputs.append((route.name, "validation", TypeAdapter(route.body)))
        if route.query is not None:
            inputs.append((f"{route.name}?", "validation", TypeAdapter(route.query)))
        if route.answer is not None:
            inputs.append((route.name, "serialization", route.adapter))
    inputs += [(f"event:{name}", "serialization", TypeAdapter(model)) for name, model in STREAM_EVENTS.items()]
    made, definitions = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
    return {(str(name), str(mode)): schema for (name, mode), schema in made.items()}, definitions.get("$defs", {})


def _operation(route: Route, schemas: dict[Key, Any]) -> dict[str, Any]:
    needs = POLICY[route.name]
    operation: dict[str, Any] = {
        "operationId": route.name.replace(".", "_"),
        "summary": route.summary,
        "tags": [route.name.partition(".")[0]],
        "parameters": _parameters(route, schemas),
        "responses": _responses(route, schemas),
    }
    if needs is not Access.PUBLIC:
        operation["security"] = [{"session": [], "csrf": []} if route.writes else {"session": []}]
    if not isinstance(needs, Access):
        operation["x-permission"] = needs.value
        operation["x-posts"] = sorted(post.value for post in PERMISSIONS[needs])
    if route.body is not None:
        content: dict[str, Any] = {"schema": schemas[route.name, "validation"]}
        examples = _examples(route.body)
        if examples:
            content["example"] = examples[0]
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    elif route.upload_cap:
        file = {"schema": {"type": "string", "format": "binary", "maxLength": route.upload_cap}}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": file}}
    return operation


def _responses(route: Route, schemas: dict[Key, Any]) -> dict[str, Any]:
    if route.answer is not None:
        content: dict[str, Any] = {"schema": schemas[route.name, "serialization"]}
        examples = _examples(route.answer)
        if examples:
            content["example"] = examples[0]
        good = {str(route.status): {"description": route.summary, "content": {"application/json": content}}}
    elif route.media_type == "text/event-stream":
        events = {name: schemas[f"event:{name}", "serialization"] for name in STREAM_EVENTS}
        stream = {"schema": {"type": "string"}, "x-events": events}
        good = {"200": {"description": route.summary, "content": {route.media_type: stream}}}
    elif route.media_type == "application/json":
        good = {"204": {"description": route.summary}}
    elif route.media_type == "application/sip":
        good = {"101": {"description": route.summary}}
    else:
        sound = {"schema": {"type": "string", "format": "binary"}}
        good = {
            status: {"description": route.summary, "content": {route.media_type: sound}} for status in ("200", "206")
        }
    needs = POLICY[route.name]
    wrong = {400, 404 if "{" in route.path else 400, 422 if route.body or route.query else 400}
    wrong |= {401, 403} if needs is not Access.PUBLIC else set()
    wrong |= {403, 404, 409, 413, 415, 422, 429, 503} if route.writes else set()  # a body names things too
    return good | {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(wrong)}


def _parameters(route: Route, schemas: dict[Key, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{pattern}$"}}
        for name, pattern in _PART.findall(route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema()
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, **_described(part)}
            for name, part in schema.get("properties", {}).items()
        ]
    if route.idempotent:
        pattern = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"}
        found.append({"name": HEADER, "in": "header", "required": False, "schema": pattern, "description": _ONCE})
    return found


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's meaning stands beside its schema."""
    rest = {name: value for name, value in schema.items() if name != "description"}
    return {"schema": rest, **({"description": schema["description"]} if "description" in schema else {})}


def _examples(model: Any) -> list[Any]:
    config = getattr(model, "model_config", None) or {}
    extra = config.get("json_schema_extra") or {}
    return list(extra.get("examples", [])) if isinstance(extra, dict) else []
