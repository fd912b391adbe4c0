"""Takes a recorded complaint when the service cannot: `AGI(rescue)` of the dialplan, on pyst2, with the spool's folder.

The message is `<call id>-msg-9<n>.wav` with a sidecar beside it (README.md); both are on the disk before the caller is
told so, and the service takes them in when it is back. Silent and short ones are asked for again and kept as what they
are when nothing better comes. Nothing of the product is imported: it may be what is broken.
`CTI_DONE` = `leave` says that all went well; without it the dialplan apologises.
"""

import array
import contextlib
import fcntl
import json
import os
import re
import sys
import time
import wave
from datetime import UTC, datetime
from pathlib import Path

from asterisk.agi import AGI, AGIException

LIMIT_MS = 180_000
SILENCE_S = 5
SHORTEST_S = 2.0
SPEECH_S = 0.4
TRIES = 2
RATE = 8000
WINDOW = RATE // 50
LOUD = 184  # -45 dBFS, as the service hears it
FILE, LOCK, LOCK_S = "numbers.reserve", "numbers.lock", 0.5
ASK_AGAIN = {"silence": "record-silent", "too_short": "record-too-short"}


class NotKept(Exception):
    """There is no message, or no disk."""


def facts(agi):
    """What the sidecar tells of the call; everything was cleaned by the dialplan's guard."""
    names = ("CALL_ID", "ANI", "DNIS", "LANG", "QUEUE")
    call_id, ani, dnis, lang, queue = (agi.get_variable(f"CTI_{name}") for name in names)
    if not call_id.replace("-", "").isdigit():
        raise NotKept("no call id")
    return {"call_id": call_id, "ani": ani, "dnis": dnis, "lang": lang or "zh", "queue": queue}


def synced(path, text):
    """The file, whole or as it was before; it is on the disk when this returns."""
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def write(spool, message, ending):
    """The sidecar."""
    synced((spool / message["file"]).with_suffix(ending), json.dumps(message, ensure_ascii=False))


def drop(spool, message, *endings):
    """What is not needed any more."""
    for ending in endings:
        (spool / message["file"]).with_suffix(ending).unlink(missing_ok=True)


def number_of(spool):
    """A reserved order number, taken for good; None when there is none, or somebody holds them too long."""
    if not (spool / FILE).is_file():
        return None
    with contextlib.suppress(OSError), (spool / LOCK).open("a") as lock:
        until = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    return None
                time.sleep(0.01)
        lines = (spool / FILE).read_text(encoding="ascii", errors="replace").splitlines()
        numbers = [line for line in lines if re.fullmatch("[0-9]{9}", line)]
        if numbers:
            synced(spool / FILE, "".join(f"{number}\n" for number in numbers[1:]))
            return numbers[0]
    return None


def heard(wav):
    """Seconds of what was recorded, and how many of them are louder than silence; 0 when there is nothing."""
    try:
        with wave.open(str(wav), "rb") as file:
            samples = array.array("h", file.readframes(file.getnframes()))
    except (OSError, EOFError, wave.Error):
        return 0.0, 0.0
    energy = (sum(each * each for each in samples[at : at + WINDOW]) for at in range(0, len(samples), WINDOW))
    loud = sum(each >= WINDOW * LOUD * LOUD for each in energy)
    return len(samples) / RATE, loud * WINDOW / RATE


def play(agi, *prompts):
    """Prompts to the end; a caller who has hung up hears none."""
    for prompt in prompts:
        agi.stream_file(f"hotline/{prompt}")


def record(agi, spool, about, number):
    """One take, its `.open` still beside it: `how` is `rescue` or `hung_up`, `sorted_out` what is wrong with it."""
    message = about | {
        **{"version": 1, "kind": "message", "how": "hung_up", "seconds": 0.0, "at": datetime.now(UTC).isoformat()},
        **{"file": f"{about['call_id']}-msg-9{number}.wav", "sorted_out": None, "serial": None},
    }
    wav = spool / message["file"]
    write(spool, message, ".open")
    try:
        agi.execute("RECORD FILE", f'"{wav.with_suffix("")}"', "wav", "#", LIMIT_MS, f"s={SILENCE_S}")
        message["how"] = "rescue"
    except (AGIException, ValueError):
        pass  # he has hung up: what he said is a message all the same
    seconds, loud = heard(wav)
    message |= {"seconds": round(seconds, 2), "at": datetime.now(UTC).isoformat()}
    if loud < SPEECH_S:
        message["sorted_out"] = "silence"
    elif seconds < SHORTEST_S:
        message["sorted_out"] = "too_short"
    return message


def takes(agi, spool, about):
    """Every take of the dialogue; ends with a good one, with the tries, or when he hangs up."""
    prompt = "record-intro"
    for number in range(1, TRIES + 1):
        try:
            play(agi, prompt, "beep")
        except (AGIException, ValueError):
            return
        message = record(agi, spool, about, number)
        yield message
        if not message["sorted_out"] or message["how"] == "hung_up":
            return
        prompt = ASK_AGAIN[message["sorted_out"]]


def best_of(found):
    """The last good one, else the longest that holds any sound file at all, else None."""
    good = [message for message in found if not message["sorted_out"]]
    spoken = sorted((message for message in found if message["seconds"] > 0), key=lambda each: each["seconds"])
    return (good or spoken or [None])[-1]


def keep(spool, message):
    """Sound and sidecar are on the disk when this returns."""
    with (spool / message["file"]).open("rb") as file:
        os.fsync(file.fileno())
    write(spool, message, ".json")
    drop(spool, message, ".open")


def leave_message(agi, spool):
    """The dialogue; raises when there is nothing to be kept that says anything."""
    found = list(takes(agi, spool, facts(agi)))
    best = best_of(found)
    for message in found:
        if message is not best:
            drop(spool, message, ".wav", ".open")
    if best is None:
        raise NotKept("nothing was said")
    stays = best["how"] == "rescue"
    if best["sorted_out"]:
        keep(spool, best | {"how": "given_up" if stays else "hung_up"})
        raise NotKept(best["sorted_out"])
    number = number_of(spool) if stays else None
    keep(spool, best | {"serial": number})
    agi.set_variable("CTI_STEP", "recorded")
    agi.set_variable("CTI_DONE", "leave")
    if stays and number:
        digits = [f"digit-{digit}" for digit in number]
        play(agi, "record-saved", *digits, "order-number-repeat", *digits, "record-saved-promise", "goodbye")
    elif stays:
        play(agi, "record-saved-plain", "goodbye")


def main():
    """Whatever goes wrong, the dialplan has the caller back and apologises."""
    with Path(os.devnull).open("w") as nowhere, contextlib.suppress(AGIException, ValueError, OSError, NotKept):
        leave_message(AGI(stderr=nowhere), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
