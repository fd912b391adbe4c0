"""The description of the interface is OpenAPI 3.1, as a validator of its own reads it."""

from __future__ import annotations

from openapi_spec_validator import OpenAPIV31SpecValidator

from cti.web.catalogue import ROUTES
from cti.web.openapi import describe


def test_the_document_is_valid_openapi() -> None:
    """Every schema, reference, parameter and answer; operations have names of their own."""
    document = describe(ROUTES, "1.2.3")
    faults = [
        f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
        for fault in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    assert faults == []
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(names) == len(set(names)) > 100
