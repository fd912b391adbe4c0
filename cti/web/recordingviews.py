"""Voice files as pages show them: a state always, a sound when there is one (IN-15)."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.schemas.calls import PeakChannel, PeaksView, RecordingRef, RecordingView
from recordings import store
from recordings.model import Peaks, Recording

__all__ = ["peaks_view", "recording_ref", "recording_refs", "recording_view"]


async def recording_refs(conn: AsyncConnection, call_ids: Sequence[str]) -> Mapping[str, RecordingRef]:
    """By call id; whether a person may hear one is asked when he opens it."""
    if not call_ids:
        return {}
    found = await store.of_calls(conn, call_ids)
    return {call_id: recording_ref(recording) for call_id, recording in found.items()}


def recording_ref(recording: Recording) -> RecordingRef:
    """State, length and what is wrong."""
    return RecordingRef(
        id=recording.public_id,
        state=recording.state.value,
        seconds=recording.seconds,
        alarm=recording.alarm.value if recording.alarm else None,
    )


def recording_view(recording: Recording) -> RecordingView:
    """One recording with where its waveform is."""
    return RecordingView(
        **recording_ref(recording).model_dump(),
        call_id=recording.call_id,
        peaks_url=f"/api/recordings/{recording.public_id}/peaks",
    )


def peaks_view(peaks: Peaks) -> PeaksView:
    """The waveform, the agent's side first (left)."""
    return PeaksView(
        channels=[
            PeakChannel(name="agent", peaks=list(peaks.agent)),
            PeakChannel(name="caller", peaks=list(peaks.caller)),
        ],
        seconds=peaks.seconds,
    )
