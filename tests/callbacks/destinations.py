"""Where nobody's call may go: abroad, premium, short codes, other technologies, several at once, and riddles."""

from __future__ import annotations

from typing import Final

_GOOD: Final = "13800138000"
_ABROAD: Final = (
    "0012125550100", "+12125550100", "00447700900123", "+882161234567", "+8835100012345", "0088299123456",
    "+97335551234", "0037167890123", "+37255512345", "00252612345678", "+53512345678", "00960771234",
    "+85291234567", "0085366123456", "+886912345678",
)  # fmt: skip
_SHORT: Final = (
    "110", "119", "120", "10086", "10000", "12345", "95588", "96110", "400", "4008123123", "8008123123", "16898168",
    "+864008123123", "106901234567", "12580", "1860", "1999", "0", "", "*43", "*72", "##002#", "*#06#", "*21*138#",
)  # fmt: skip
_OTHER: Final = (
    "Local/{}@cti-dial", "Local/{}@cti-trunk", "PJSIP/{}@trunk", "SIP/{}@trunk", "IAX2/evil/{}", "DAHDI/g1/{}",
    "sip:{}@evil.example", "tel:{}", "{}@evil.example", "{}@trunk", "{}@cti-trunk", "trunk/{}", "1001", "PJSIP/1001",
    "s", "h", "t", "i", "s@cti-trunk",
)  # fmt: skip
#: between a good number and a bad one
_BETWEEN: Final = (
    "&", "&PJSIP/", "&Local/", ",", ",,", ";", "|", "/", "@", "\n", "\r\n", "\t", "\x00", "%26", "%0d%0a",
    "w", "W", "p", "P", "^", "!", "~", "$", "%", "*", "#",
)  # fmt: skip
_WORDS: Final = (
    "${EXTEN}", "${SHELL(id)}", "${SYSTEM(id)}", "$[1+1]", "${CTI_OUTBOUND_NUMBER}", "${CURL(http://evil.example)}",
    "`id`", "$(id)", ";id", "|id", "&id", "' OR 1=1 --", "1;DROP TABLE callback", "<script>", "../../etc/passwd",
    "alice", "anonymous", "unknown", "null", "NaN", "-13800138000", "1e10", "0x13800138000", "Infinity", "True",
    "１３８００１３８０００x", "١٣٨٠٠١٣٨٠٠٠0", "一三八零零一三八零零零", "①③⑧⓪⓪①③⑧⓪⓪⓪", "1380013800O", "l3800138000",
    "138001380000", "1380013800", "12800138000", "1" * 31, "9" * 300, "0" * 11, "+",
    "++8613800138000", "+86+8613800138000",
)  # fmt: skip


def destinations() -> list[str]:
    """300 of them, each once."""
    bad = ("0012125550100", "1001", "16898168", "h")
    made = [
        *_ABROAD, *_SHORT, *_WORDS,
        *(form.format(number) for form in _OTHER for number in (_GOOD, "0012125550100")),
        *(f"{_GOOD}{between}{other}" for between in _BETWEEN for other in bad),
        *(f"{other}{between}{_GOOD}" for between in _BETWEEN for other in bad),
    ]  # fmt: skip
    return list(dict.fromkeys(made))[:300]
