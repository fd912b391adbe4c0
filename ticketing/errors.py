"""One exception tree: what the core refuses, with a code a machine can read. Pure."""

from __future__ import annotations

import inspect


class HotlineError(Exception):
    """The request could not be done."""

    #: used when the caller gives none; stable, it goes to the page and to API clients
    default_code = "error"

    def __init__(self, code: str | None = None, message: str | None = None, **details: object) -> None:
        self.code: str = code or self.default_code
        self.message: str = message or inspect.cleandoc(type(self).__doc__ or self.code).splitlines()[0]
        #: facts that help to repair the request; never secrets, shown to the person who asked
        self.details: dict[str, object] = details
        super().__init__(self.message)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.details.items())
        return f"{self.code}: {self.message}" + (f" ({facts})" if facts else "")


class Refused(HotlineError):
    """The present state does not allow this."""

    default_code = "refused"


class Stale(Refused):
    """Somebody else changed this in the meantime; read it again."""

    default_code = "stale_version"


class NotFound(HotlineError):
    """There is no such thing, or it is not yours to see."""

    default_code = "not_found"


class Forbidden(HotlineError):
    """Your post does not allow this."""

    default_code = "forbidden"


class NotSignedIn(HotlineError):
    """Sign in first."""

    default_code = "not_signed_in"


class TooMany(HotlineError):
    """Too many attempts; wait before the next one."""

    default_code = "too_many"


class Invalid(HotlineError):
    """A field of the request is wrong or missing."""

    default_code = "invalid"

    def __init__(
        self, code: str | None = None, message: str | None = None, *, field: str | None = None, **details: object
    ) -> None:
        #: name of the wrong field, as the request spells it
        self.field: str | None = field
        super().__init__(code, message, **({"field": field} if field is not None else {}), **details)


class Unavailable(HotlineError):
    """Something this needs does not answer now; try again."""

    default_code = "unavailable"


class TookTooLong(HotlineError):
    """The search took longer than it may; ask for less at a time."""

    default_code = "took_too_long"
