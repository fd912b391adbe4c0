"""What can go wrong with the telephone exchange, each in one sentence a person can act on."""

from __future__ import annotations


class AsteriskError(RuntimeError):
    """Asterisk could not be prepared, started, reached or stopped."""


class ProvisionError(AsteriskError):
    """No Asterisk that is new enough could be found or installed."""


class PortTaken(AsteriskError):
    """A port that Asterisk needs belongs to another program."""


class NotRunning(AsteriskError):
    """No Asterisk answers at this run folder's control socket."""
