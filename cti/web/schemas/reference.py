"""Taxonomies, service standards and health. Pure."""

from pydantic import ConfigDict

from cti.web.schemas.common import Label, Output, UtcInstant

__all__ = ["Health", "HealthPart", "Standard", "StandardList", "TaxonomyNode"]


class TaxonomyNode(Output):
    """One entry of a taxonomy tree; a leaf has no children."""

    code: str
    label: Label
    children: list["TaxonomyNode"]


class Standard(Output):
    """One service-quality standard (IN-01's look-up)."""

    code: str
    title: Label
    text: Label


class StandardList(Output):
    """Every standard in force."""

    items: list[Standard]


class HealthPart(Output):
    """One thing we depend on."""

    name: str
    ok: bool
    #: One sentence in plain words; never a password, a path or SQL.
    text: str


class Health(Output):
    """Whether we can work; `degraded` = pages work, telephony does not."""

    status: str
    at: UtcInstant
    parts: list[HealthPart]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "at": "2026-11-23T02:13:26Z",
                    "parts": [{"name": "database", "ok": True, "text": "answers"}],
                }
            ]
        },
    )
