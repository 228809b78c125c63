"""Formats that have no fixed first bytes, and are told by what stands in the first ones."""

import json
import re

from losscli.io.bytes import BOM
from losscli.io.format import Named

MOST_HEADER = 100_000_000
"""Bytes that the header of a safetensors file may have, by its specification."""
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
JSON_BEGINS = rb'\{\s*["}]|\[\s*[-\d]'


def is_safetensors(where: Named) -> bool:
    """Whether a file begins with the length of a header of JSON, and the header."""
    head = where.head
    size = int.from_bytes(head[:8], "little")
    return len(head) > 9 and head[8:9] == b"{" and head[9:10] in b'"}' and size <= min(MOST_HEADER, where.raw.size - 8)


def is_torch(where: Named) -> bool:
    """Whether torch.save wrote a file: an archive that begins with its file data.pkl, or, before 2020, pickles."""
    head = where.head
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return (head.startswith(b"PK\x03\x04") and name.endswith(b"/data.pkl")) or head.startswith(OLD_TORCH)


def is_json_lines(where: Named) -> bool:
    """Whether the first line of a file is an object of JSON, or a list of numbers with another line after it."""
    first, end, rest = where.head.removeprefix(BOM).lstrip().partition(b"\n")
    if not re.match(JSON_BEGINS, first):
        return False
    if not end:  # a long line, or the only one
        return first.startswith(b"{") and (len(where.head) < where.raw.size or _is_json(first))
    return _is_json(first) and (first.startswith(b"{") or bool(rest.strip()))


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
