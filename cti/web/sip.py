"""What a browser phone may say: SIP requests under its owner's number only (S11). Pure."""

import re

__all__ = ["MESSAGE_CAP", "acceptable"]

#: bytes one SIP message may have; an SDP offer with every codec is about 6 KiB
MESSAGE_CAP = 32 * 1024

_REQUEST = re.compile(r"([A-Z]{3,12}) sips?:\S{1,500} SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 [1-6][0-9]{2} .{0,200}")
_HEADER = re.compile(r"([A-Za-z-]{1,40})[ \t]*:[ \t]*(.{0,4000})")
_USER = re.compile(r"sips?:([0-9A-Za-z]{1,32})@", re.IGNORECASE)
#: a To header with a tag behind its address: the request belongs to a call that exists
_IN_CALL = re.compile(
    r"(?:To|t)[ \t]*:[^<>]{0,200}<[^<>]{1,500}>(?:;[^;<>]{0,200})*;[ \t]*tag=[A-Za-z0-9.!%*_+`'~-]{1,200}",
    re.IGNORECASE,
)
_COMPACT = {"f": "from", "t": "to"}


def acceptable(message: str, number: str) -> bool:
    """Whether a phone of this number may send this message.

    Requests that begin something name the number in From, and REGISTER in To as well. Requests inside a call (To has
    a tag) pass: their From is the contact Asterisk called, and Asterisk answers 481 to a call it does not know.
    Answers to requests of Asterisk and keep-alives pass. Folded, repeated or unreadable headers are refused, so that
    Asterisk cannot read them another way.
    """
    if message.strip("\r\n") == "":
        return True
    head, gap, _ = message.partition("\r\n\r\n")
    lines = head.split("\r\n")
    if not gap or any(c in head for c in "\0") or any("\n" in line or "\r" in line for line in lines):
        return False
    if _RESPONSE.fullmatch(lines[0]):
        return True
    request = _REQUEST.fullmatch(lines[0])
    return request is not None and _named_rightly(request[1], lines[1:], number)


def _named_rightly(method: str, headers: list[str], number: str) -> bool:
    users = _users(headers)
    if users is None or len(users["from"]) != 1 or len(users["to"]) != 1:
        return False
    if method != "REGISTER" and any(_IN_CALL.match(line) for line in headers):
        return True
    return users["from"] == [number] and (method != "REGISTER" or users["to"] == [number])


def _users(lines: list[str]) -> dict[str, list[str]] | None:
    """Users named in From and To, or None when a header cannot be read in only one way."""
    users: dict[str, list[str]] = {"from": [], "to": []}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            return None
        name = _COMPACT.get(header[1].lower(), header[1].lower())
        if name in users:
            users[name].append(_user(header[2]))
    return users


def _user(value: str) -> str:
    """The user of the one address in a From or To value; empty when it is not plain."""
    bare = re.sub(r'^"(?:[^"\\]|\\.)*"', "", value.strip())
    if bare.count("<") > 1 or bare.lower().count("sip:") + bare.lower().count("sips:") != 1 or '"' in bare:
        return ""
    found = _USER.search(bare)
    before = bare[: found.start()] if found else ""
    return found[1] if found and (before == "" or before.rstrip().endswith("<")) else ""
