"""Objects and folders that live elsewhere, with the methods of a path that the code for operands calls."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any

from losscli.errors import DataError
from losscli.io.remote.file import RemoteFile, Stamp, in_background
from losscli.io.remote.store import Address, errors, failure, is_missing, without_query
from losscli.wording import natural

AT_ONCE = 64
"""Objects whose first bytes are read before they are opened."""
MAGIC = re.compile(r"[*?\[]")


class RemotePath:
    """An object, or a folder: the beginning that keys have in common, up to a slash.

    What is in a folder is listed once, with everything below it.
    """

    def __init__(
        self, address: Address, raw: RemoteFile | None = None, children: "dict[str, RemotePath] | None" = None
    ) -> None:
        self.address, self._raw, self.children = address, raw, children

    def __str__(self) -> str:
        return self.address.name

    @property
    def name(self) -> str:
        """The last part of the key, by whose suffix a format is told."""
        return without_query(self.address.name).rstrip("/").rpartition("/")[2]

    @property
    def suffix(self) -> str:
        return f".{self.name.rpartition('.')[2]}" if "." in self.name else ""

    def __truediv__(self, name: str) -> "RemotePath":
        place: RemotePath = self
        for part in name.split("/"):
            inside = (place.children or {}).get(part)
            place = inside or RemotePath(place.address.with_key(f"{place.address.key.rstrip('/')}/{part}".lstrip("/")))
        return place

    def raw(self) -> RemoteFile:
        """Return the bytes of an object."""
        assert self._raw is not None
        return self._raw

    def is_file(self) -> bool:
        return self._raw is not None

    def is_dir(self) -> bool:
        return self.children is not None

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def iterdir(self) -> "Iterator[RemotePath]":
        yield from (self.children or {}).values()

    def glob(self, pattern: str) -> "Iterator[RemotePath]":
        yield from (path for name, path in (self.children or {}).items() if fnmatchcase(name, pattern))

    def stat(self) -> Any:
        return SimpleNamespace(st_size=self.raw().size)

    def read_bytes(self) -> bytes:
        return self.raw().read(0, self.raw().size)


def find(text: str, what: str) -> tuple[list[RemotePath], str | None]:
    """Return the objects that an address or pattern stands for, or the one folder, and what it says behind them and a colon.

    `what` is the operand's role, for messages. A colon in a query begins a column; one in a key does so if no object has
    the whole key.

    Raises
    ------
    DataError
        if there is nothing, or it cannot be read.
    """
    wholes = list(_split(text))
    missing: DataError | None = None
    for place in (_at, _folder):
        for whole, part in wholes:
            try:
                found = place(Address.parse(whole))
            except FileNotFoundError as error:
                missing = missing or error.__cause__ or missing  # type: ignore[assignment]
                continue
            if found is not None:
                return [found], part
    for whole, part in (wholes[0], wholes[-1]):
        if _is_pattern(whole) and (paths := _matching(Address.parse(whole))):
            return paths, part
    if _is_pattern(wholes[0][0]):
        if Address.parse(wholes[0][0]).listed:
            raise DataError(f"{text}: no such object ({what}); the pattern matches nothing")
        raise DataError(f"{text}: patterns need a list of the files, which web servers do not give; name a file")
    raise missing or DataError(f"{text}: no such object ({what}); is the address right?")


def _is_pattern(text: str) -> bool:
    """Whether an address may stand for several files: a question mark of an https address begins a query."""
    return MAGIC.search(without_query(text)) is not None


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the ways in which a word may be an address, and what stands behind it and a colon."""
    scheme, sign, rest = text.partition("://")
    server, slash, key = rest.partition("/")
    begin = f"{scheme}{sign}{server}{slash}"
    query = key.find("?...")
    colon = key.find(":", query) if query >= 0 and scheme.startswith("http") else -1
    if colon >= 0:
        yield begin + key[:colon], key[colon + 1 :]
        return
    yield text, None
    for match in re.finditer(":", key):
        if match.start():
            yield begin + key[: match.start()], key[match.end() :]


def _at(address: Address) -> RemotePath | None:
    """Return an object; raise a FileNotFoundError, with the message as its cause, if there seems to be none."""
    if not address.key or address.key.endswith("/"):
        return None
    try:
        return RemotePath(address, RemoteFile(address))
    except errors() as error:
        if is_missing(error):
            raise FileNotFoundError from failure(address, error)
        raise failure(address, error) from None


def _folder(address: Address) -> RemotePath | None:
    """Return a folder with what is in it; None if there is none, or it cannot be listed."""
    if not address.listed or MAGIC.search(address.key):
        return None
    prefix = address.key.rstrip("/")
    try:
        objects = in_background(_listed, address, prefix, True).result()
    except errors() as error:
        if is_missing(error) and prefix:
            return None
        raise failure(address, error, "listed") from None
    if not objects:
        return None
    root = RemotePath(address.with_key(prefix), children={})
    for key, meta in objects:
        *folders, name = key[len(prefix) :].lstrip("/").split("/")
        place, before = root, prefix
        for folder in folders:
            before = f"{before}/{folder}".lstrip("/")
            assert place.children is not None
            place = place.children.setdefault(folder, RemotePath(address.with_key(before), children={}))
        if name and place.children is not None:  # a key that ends in a slash stands for an empty folder
            place.children[name] = _of_list(address.with_key(key), meta)
    return root


def _matching(address: Address) -> list[RemotePath]:
    """Return the objects whose keys match a pattern, in natural order; a sign of it stands for no slash."""
    if not address.listed:
        return []
    parts = address.key.split("/")
    plain = next(i for i, part in enumerate(parts) if MAGIC.search(part))
    prefix = "/".join(parts[:plain])
    try:
        objects = in_background(_listed, address, prefix, plain < len(parts) - 1).result()
    except errors() as error:
        raise failure(address, error, "listed") from None
    fitting = []
    for key, meta in objects:
        own = key.split("/")
        hidden = any(name.startswith(".") and not part.startswith(".") for name, part in zip(own, parts, strict=False))
        if len(own) == len(parts) and not hidden and all(map(fnmatchcase, own, parts)):
            fitting.append((key, meta))
    return [_of_list(address.with_key(key), meta) for key, meta in sorted(fitting, key=lambda item: natural(item[0]))]


def _listed(address: Address, prefix: str, deep: bool) -> list[tuple[str, Any]]:
    """Return the keys that begin with a prefix, and what the list says of each; only those without a further slash, unless `deep`."""
    store, _ = address.connect()
    if not deep:
        return [(meta["path"], meta) for meta in store.list_with_delimiter(prefix or None)["objects"]]
    return [(meta["path"], meta) for batch in store.list(prefix or None, chunk_size=1000) for meta in batch]


def _of_list(address: Address, meta: Any) -> RemotePath:
    return RemotePath(address, RemoteFile(address, Stamp.of(meta)))


def opened_in_turn(paths: Sequence[Any]) -> Iterator[RemotePath]:
    """Yield objects, to be opened one after another, while the first bytes of the next ones are read at the same time."""
    asked = [in_background(path.raw().fetch_head) for path in paths[:AT_ONCE]]
    for i, path in enumerate(paths):
        asked[i].result()
        if i + AT_ONCE < len(paths):
            asked.append(in_background(paths[i + AT_ONCE].raw().fetch_head))
        yield path
        if len(paths) > AT_ONCE:
            path.raw().release()
