"""Recordings: state, waveform, a short-lived link, and the sound behind it (TL-51, S19)."""

from aiohttp import web

from cti.web.media import send
from cti.web.recordingviews import peaks_view, recording_view
from cti.web.route import Call, Route
from cti.web.schemas.calls import PeaksView, RecordingLink, RecordingView
from recordings.model import Purpose

__all__ = ["ROUTES"]

_ONE = "/api/recordings/{id:[A-Za-z0-9_-]{1,64}}"


async def show(call: Call) -> RecordingView:
    """One recording's state."""
    recording = await call.deps.library.get(call.actor, call.part("id"))
    await call.looked_up("recording.read", "recording", recording.public_id, ids=[recording.call_id])
    return recording_view(recording)


async def peaks(call: Call) -> PeaksView:
    """One recording's waveform."""
    recording = await call.deps.library.get(call.actor, call.part("id"))
    drawn = await call.deps.library.peaks(recording)
    await call.looked_up("recording.drawn", "recording", recording.public_id, ids=[recording.call_id])
    return peaks_view(drawn)


async def link(call: Call) -> RecordingLink:
    """An address of the sound for this person, for five minutes."""
    made = await call.deps.library.link(call.actor, call.part("id"), call.now)
    return RecordingLink(url=f"/media/{made.token}", expires_at=made.expires_at)


async def play(call: Call) -> web.StreamResponse:
    """The sound of a link; logged before a byte is given."""
    wanted = call.request.headers.get("Range")
    media = await call.deps.library.open(
        call.actor, call.part("token"), call.now, byte_range=wanted[:80] if wanted else None
    )
    kind = "attachment" if media.purpose is Purpose.DOWNLOAD else "inline"
    return await send(
        call.request,
        media.file,
        size=media.size,
        content_type=media.content_type,
        etag=f'"{media.recording.sha256 or media.recording.version}"',
        disposition=f'{kind}; filename="{media.filename}"',
    )


ROUTES = (
    Route("recordings.show", "GET", _ONE, show, "One recording's state.", answer=RecordingView),
    Route("recordings.peaks", "GET", f"{_ONE}/peaks", peaks, "One recording's waveform.", answer=PeaksView),
    Route("recordings.link", "POST", f"{_ONE}/link", link, "A short-lived link to the sound.", answer=RecordingLink),
    Route(
        "media.play",
        "GET",
        "/media/{token:[A-Za-z0-9_.-]{1,512}}",
        play,
        "The sound behind a link; takes Range.",
        media_type="audio/wav",
    ),
)
