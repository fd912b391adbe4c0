"""Many callers at once by SIPp: they dial, wait, and end when the exchange ends them or their patience does."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.absent import missing

#: dials, takes the answer, waits for the other side's end at most as long as it was told, then hangs up itself
_WAITS: Final = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="waits">
  <send retrans="500" start_rtd="answer"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="181" optional="true"/>
  <recv response="182" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rtd="answer" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv request="BYE" timeout="{patience_ms}" ontimeout="leaves"/>
  <send next="end"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <label id="leaves"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[pid]t[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
  <label id="end"/>
</scenario>
"""


class Crowd:
    """So many callers, so many a second, all from numbers of their own.

    async with Crowd(folder, "127.0.0.1:5060", 60, per_s=20) as crowd:
        ...
        failed = await crowd.gone()
    """

    def __init__(self, folder: Path, sip: str, count: int, *, per_s: int, patience_s: float = 120.0) -> None:
        self._folder = folder
        self._sip = sip
        self.count = count
        self._per_s = per_s
        self._patience_s = patience_s
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        program = shutil.which("sipp")
        if program is None:
            missing("SIPp is not installed")
        scenario, numbers = self._folder / "waits.xml", self._folder / "numbers.csv"
        scenario.write_text(_WAITS.replace("{patience_ms}", str(int(self._patience_s * 1000))), encoding="utf-8")
        numbers.write_text("SEQUENTIAL\n" + "".join(f"1370000{n:04d};\n" for n in range(self.count)), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            program, self._sip, "-sf", str(scenario), "-inf", str(numbers), "-s", "1860", "-i", "127.0.0.1",
            *("-m", str(self.count), "-l", str(self.count), "-r", str(self._per_s)),
            *("-nostdin", "-timeout", "300", "-trace_err"),
            cwd=self._folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        return self

    async def gone(self, *, within_s: float = 120.0) -> None:
        """Waits until all calls are over; each was answered and ended in order."""
        assert self._process is not None
        async with asyncio.timeout(within_s):
            said, _ = await self._process.communicate()
        assert self._process.returncode == 0, said.decode(errors="replace")[-2000:]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            said, _ = await self._process.communicate()
            print(said.decode(errors="replace")[-2000:])
        for log in self._folder.glob("*errors.log"):
            print(log.read_text()[:3000])
