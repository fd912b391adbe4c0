"""What the readers are tried with: captured and hand-made beginnings, and the kept finds of guided runs."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.fuzz.targets import CALL
from tests.ivr.fakes import header

KEPT: Final = Path(__file__).with_name("corpus")
_DATA: Final = Path(__file__).parents[1] / "data"
#: longest that is kept, bytes, and most of one reader
LONGEST, MOST = 600, 250

_FORGERIES: Final = (
    b"139\r\nEvent: OriginateResponse\r\nResponse: Success\r\nActionID: x",
    b"139\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\nCause: 16\r\n\r\n",
    b"139\r\n\r\nEvent: QueueMemberPause\r\nQueue: complaint\r\nPaused: 1\r\n\r\nX: ",
    b"139\r\nChanVariable: CTI_TOKEN=0\r\nChannelState: 6",
    b"139\r\ndestchannelstate: 6\r\nDestChanVariable: CTI_CALL_ID=" + CALL.encode(),
    "139\u0085Event: Hangup\u2028Uniqueid: 1".encode(),
)
_REPLIES: Final = (
    b"200 result=1\n",
    b"200 result=0 endpos=13840\nHANGUP\n",
    b"200 result=1 (timeout)\n",
    b"100 Trying\n200 result=49 endpos=1\n",
    b"510 Invalid or unknown command\n511 Command Not Permitted on a dead channel or intercept routine\n",
    b"520-Invalid command syntax.  Proper usage follows:\nUsage: x\n520 End of proper usage.\n200 result=-1\n",
)


def beginnings(target: str) -> list[bytes]:
    """What is known to be read, for one reader."""
    captures = sorted((_DATA / "ami").glob("*.ami"))
    blocks = list(dict.fromkeys(block for path in captures for block in path.read_bytes().split(b"\r\n\r\n") if block))
    lines = [line for path in sorted((_DATA / "journals").iterdir()) for line in path.read_bytes().splitlines()]
    made: dict[str, Iterable[bytes]] = {
        "ami_splitter": [
            b"\x05Asterisk Call Manager/11.0.0\r\n" + b"\r\n\r\n".join(blocks[:2]),
            b"\x3f" + b"x" * 1200 + b"\r\n\r\nEvent: Reload\r\n\r\n",
            b"\x01\r\n\r\n\r\n\r\nResponse: Success\r\nPing: Pong\r\n\r\n",
        ],
        "ami_frame": _one_of_each(blocks),
        "ami_forgery": _FORGERIES,
        "ami_fact": [b"Fact: CallerJoined\r\nat: 2026-11-23T03:00:00+00:00\r\ncall_id: 1", b"Fact: FloorSnapshot"],
        "journals": [line + b"\n" + other for line, other in zip(lines, reversed(lines), strict=True)][:24],
        "agi_header": [b"\x0f" + header(), b"\x3f" + header(changes={"agi_callerid": "1\nagi_callerid: 2"})],
        "agi_replies": [b"\x07" + reply for reply in _REPLIES],
    }
    return list(made[target])


def _one_of_each(blocks: list[bytes]) -> list[bytes]:
    """The first block of each event."""
    return list({block.partition(b"\r\n")[0]: block for block in reversed(blocks)}.values())


def kept(target: str) -> list[bytes]:
    """What guided runs found: each reaches a part of the reader that the others do not."""
    path = KEPT / f"{target}.txt"
    return [base64.b64decode(line) for line in path.read_text().split()] if path.exists() else []


def keep(target: str, found: Iterable[bytes]) -> int:
    """Writes the shortest of them down; how many."""
    chosen = sorted({one for one in found if len(one) <= LONGEST}, key=lambda one: (len(one), one))[:MOST]
    KEPT.mkdir(exist_ok=True)
    text = "".join(base64.b64encode(one).decode() + "\n" for one in chosen if one)
    (KEPT / f"{target}.txt").write_text(text)
    return len(chosen)
