"""Takes a recorded complaint when the service cannot: `AGI(rescue)` of the dialplan, on pyst2, with the spool's folder.

The message is `<call id>-msg-9<n>.wav` with a sidecar beside it (README.md); both are on the disk before the caller is
told so, and the service takes them in when it is back. Nothing of the product is imported: it may be what is broken.
`CTI_DONE` = `leave` says that all went well; without it the dialplan apologises.
"""

import contextlib
import json
import os
import sys
import wave
from datetime import UTC, datetime
from pathlib import Path

from asterisk.agi import AGI, AGIException

LIMIT_MS = 180_000
SILENCE_S = 5
SHORTEST_S = 2.0
TRIES = 2
RATE = 8000


class NotKept(Exception):
    """There is no message, or no disk."""


def facts(agi):
    """What the sidecar tells of the call; everything was cleaned by the dialplan's guard."""
    names = ("CALL_ID", "ANI", "DNIS", "LANG", "QUEUE")
    call_id, ani, dnis, lang, queue = (agi.get_variable(f"CTI_{name}") for name in names)
    if not call_id.replace("-", "").isdigit():
        raise NotKept("no call id")
    return {"call_id": call_id, "ani": ani, "dnis": dnis, "lang": lang or "zh", "queue": queue}


def write(spool, message, ending):
    """Write the sidecar; it is on the disk when this returns."""
    path = (spool / message["file"]).with_suffix(ending)
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(message, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(spool, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def seconds(wav):
    """Length of what was recorded; 0 when there is nothing."""
    try:
        with wave.open(str(wav), "rb") as file:
            return file.getnframes() / RATE
    except (OSError, EOFError, wave.Error):
        return 0.0


def play(agi, *prompts):
    """Prompts to the end; a caller who has hung up hears none."""
    for prompt in prompts:
        agi.stream_file(f"hotline/{prompt}")


def record(agi, spool, about, number):
    """One take; the sidecar as it stands (`rescue`, or `hung_up`), or None for too little of it."""
    message = about | {
        **{"version": 1, "kind": "message", "how": "hung_up", "seconds": 0.0, "at": datetime.now(UTC).isoformat()},
        **{"file": f"{about['call_id']}-msg-9{number}.wav", "sorted_out": None},
    }
    wav = spool / message["file"]
    write(spool, message, ".open")
    try:
        agi.execute("RECORD FILE", f'"{wav.with_suffix("")}"', "wav", "#", LIMIT_MS, f"s={SILENCE_S}")
        message["how"] = "rescue"
    except (AGIException, ValueError):
        pass  # he has hung up: what he said is a message all the same
    length = seconds(wav)
    enough = length >= SHORTEST_S if message["how"] == "rescue" else length > 0
    if enough:
        with wav.open("rb") as file:
            os.fsync(file.fileno())
        write(spool, message | {"seconds": round(length, 2), "at": datetime.now(UTC).isoformat()}, ".json")
    else:
        wav.unlink(missing_ok=True)
    wav.with_suffix(".open").unlink(missing_ok=True)
    if not enough and message["how"] == "hung_up":
        raise NotKept("hung up without a word")
    return message if enough else None


def leave_message(agi, spool):
    """The dialogue; raises when there is nothing to be kept."""
    about = facts(agi)
    prompt = "record-intro"
    for number in range(1, TRIES + 1):
        play(agi, prompt, "beep")
        message = record(agi, spool, about, number)
        if message:
            agi.set_variable("CTI_STEP", "recorded")
            agi.set_variable("CTI_DONE", "leave")
            if message["how"] == "rescue":
                play(agi, "record-saved-plain", "goodbye")
            return
        prompt = "record-too-short"
    raise NotKept("too short")


def main():
    """Whatever goes wrong, the dialplan has the caller back and apologises."""
    with Path(os.devnull).open("w") as nowhere, contextlib.suppress(AGIException, ValueError, OSError, NotKept):
        leave_message(AGI(stderr=nowhere), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
