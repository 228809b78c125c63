"""Parts of a measurement: each is made by a process of its own and written to a file, and all together give the result.

A file of a part holds the records of its chunks and everything else that the result is made of, so that the predictions and
targets are not needed to put parts together. docs/larger.md describes the file.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.loss import BoundLoss, Loss
from losscli.definition.options import FILES
from losscli.engine.aggregates import Faults
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.label_alignment import Sampling
from losscli.engine.collectors.row_faults import raise_faults
from losscli.engine.evaluate import ChunkResult, completed
from losscli.engine.job import chunks
from losscli.engine.parts import Part, Recorded, exact_records, together
from losscli.engine.units import OF_FILE
from losscli.errors import DataError, UsageError
from losscli.io.bytes import is_far
from losscli.io.plain_data import Reader, Special, Writer, stacked, unstacked
from losscli.measurement.measure import Measurement
from losscli.measurement.receipt import arithmetic
from losscli.records import dataclass, field, replace
from losscli.version import __version__
from losscli.wording import count, listing

FORMAT = "losscli part"
VERSION = 1
"""Of the format; a file of another version is refused."""
SUFFIX = ".part"
ROWS = ".rows"
"""What the name of a file with the per-sample rows of a part ends with, behind the name of the part."""
ENDS = 1 << 12
"""Bytes at the beginning and at the end of a file whose digest is kept."""
OPERANDS = frozenset(
    {"predictions", "targets", "third_operand", "class_weight", "class_counts"}
    | {word.replace("-", "_") for word in FILES}
)
"""Fields of a request that may name files, which may be elsewhere for another part."""


@dataclass
class Absent:
    """A source of which only the description is there, and the places that a result may name; it cannot be read."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns: tuple[str, ...] | None
    places: Mapping[tuple[int, int | None], str] = field(default_factory=dict)
    grain = 1
    cuts = None

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Return no rows; raise a RuntimeError for any rows."""
        if start != stop:
            raise RuntimeError(f"{self.name} is not there")
        return np.zeros((0, *self.shape[1:]), self.dtype)

    def place(self, row: int, column: int | None = None) -> str:
        """Return the place of a number, as the source itself said it."""
        return self.places.get(
            (row, column), f"{self.name}[{row}]" if column is None else f"{self.name}[{row}, {column}]"
        )


def _is_source(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("read", "place", "shape", "dtype", "columns"))


def _described_loss(loss: BoundLoss) -> dict[str, Any]:
    """Return what finds a loss again: its name, or its family if it is of a user's file, which is not read again."""
    own = loss.family.name if loss.family.custom else None
    found = {"name": loss.name, "family": own, "parameters": dict(loss.parameters)}
    return found if own is None else found | {"definition": loss.declaration.definition}


def _found_loss(described: Mapping[str, Any]) -> BoundLoss:
    from losscli.losses import find

    if described["family"] is None:
        return BoundLoss(find(described["name"]), described["parameters"])
    from losscli.custom.loss import FAMILIES, OF_ELEMENTS

    # The two kinds of families have the same names, and what differs plays no part once the losses are computed.
    family = FAMILIES.get(described["family"], OF_ELEMENTS)
    template: Loss = find("squared-error")
    declaration = replace(
        template,
        name=described["name"],
        family=family,
        definition=described["definition"],
        formula="",
        statistics={},
        baseline=None,
    )
    return BoundLoss(declaration, described["parameters"])


def _special(places: Mapping[int, Mapping[tuple[int, int | None], str]]) -> tuple[Special, ...]:
    """Return how sources and losses are written; `places` are those that a result may name, by the `id` of the source."""

    def description(source: Any) -> tuple[Any, ...]:
        known = places.get(id(source), getattr(source, "places", {}))
        columns = source.columns
        return source.name, tuple(source.shape), source.dtype, None if columns is None else tuple(columns), dict(known)

    return (
        Special("loss", lambda value: isinstance(value, BoundLoss), _described_loss, _found_loss),
        Special("source", _is_source, description, lambda parts: Absent(*parts)),
    )


PLAIN = _special({})


def check_parts(measurement: Measurement, gradient: bool) -> None:
    """Raise a UsageError if the result cannot be made of parts: rows far apart have a loss together, or can be read once only."""
    job, family, name = measurement.job, measurement.request.loss.family, measurement.request.loss.name
    held = job.masks is not None and not job.within_samples
    if held and family.coupled == "masks" and job.layout is not None:
        raise UsageError(f"--part: {name} is of all rows of the file together; say --per sample, or leave out --part")
    coupled = family.coupled in ("rows", "file") or job.extras.everyone is not None or job.extras.whole is not None
    if held or (coupled and not job.within_samples):
        raise UsageError(f"--part: {name} is of all rows of the file together, which no part has; leave out --part")
    if gradient and job.unit in OF_FILE:
        raise UsageError(
            f"--part: the gradient for --per {job.unit} needs the weights of all rows; say --per sample, or leave out --gradient"
        )
    for name, text in vars(measurement.request).items():
        if name in OPERANDS and isinstance(text, str) and _read_once(text):
            raise UsageError(f"--part: {text} can be read only once, and each part reads its own rows; name a file")


def _read_once(text: str) -> bool:
    """Whether an operand is standard input, a pipe or a device."""
    if text == "-" or text.startswith("-:"):
        return True
    path = Path(text)
    return path.exists() and not path.is_file() and not path.is_dir()


def digest_of_ends(read: Callable[[int, int], bytes], size: int) -> str:
    """Return a digest of the first and the last bytes, in hexadecimal digits; `read` returns the bytes from a position on, so many."""
    first = min(ENDS, size)
    last = max(first, size - ENDS)
    return hashlib.sha256(read(0, first) + read(last, size - last)).hexdigest()[:32]


def digest_of_file(path: "str | os.PathLike[str]") -> str:
    """Return the digest of the ends of a file."""
    with open(path, "rb") as file:
        return digest_of_ends(
            lambda position, size: os.pread(file.fileno(), size, position), os.fstat(file.fileno()).st_size
        )


def _identity(raw: Any) -> dict[str, Any] | None:
    """Return what tells a file from one of the same name: its size and a digest of its ends, or the tag of the server that has it.

    None for a copy that is in memory or without a name, whose own file is another entry.
    """
    tag = getattr(raw, "etag", None)
    if tag is not None:
        return {"file": raw.name, "bytes": raw.size, "etag": tag}
    if getattr(raw, "path", None) is None and not is_far(raw):
        return None
    return {"file": raw.name, "bytes": raw.size, "ends": digest_of_ends(raw.read, raw.size)}


def _options(measurement: Measurement) -> dict[str, Any]:
    """Return what must be the same for all parts besides the files: every option that bears on the result."""
    request, job = measurement.request, measurement.job
    said: dict[str, Any] = {"loss": request.loss.name, "parameters": dict(request.loss.parameters)}
    for name, value in vars(request).items():
        if name in OPERANDS and isinstance(value, str):
            said[name] = os.path.basename(value)
        elif value is None or isinstance(value, bool | int | float | str):
            said[name] = value
        elif name == "by":
            said[name] = ",".join(map(os.path.basename, value))
        elif name == "interval":
            said[name] = "of confidence {:g} by {} resamples, seed {}".format(*value)
    return said | {"per_sample": job.rows, "elements": job.elements, "gradient": job.gradient}


class PartWriter:
    """Collects what a part keeps of its chunks, and writes it."""

    def __init__(self, measurement: Measurement, part: Part) -> None:
        if measurement.request.loss.family.custom:
            # The labels are compared with losses of a sample once all parts are there, and users' code is not run then.
            measurement.collectors = [one for one in measurement.collectors if not isinstance(one, Sampling)]
        self.measurement, self.part = measurement, part
        self.token = os.urandom(16).hex()
        self.exact = exact_records(measurement.collectors)
        self.recorded = Recorded()
        self.chunks = 0
        bounds = chunks(measurement.job)
        own = part.chunks(bounds)
        self.all_chunks = len(bounds)
        self.rows = (own[0][0], own[-1][1]) if own else (0, 0)

    def consume(self, chunk: ChunkResult) -> None:
        """Keep the records of a chunk."""
        self.chunks += 1
        self.recorded.add(chunk.aggregate, self.exact)

    def check(self) -> None:
        """Raise a DataError for a fault of the rows of this part, with which there is no result of the whole either."""
        faults = self.recorded.folded.get(Faults)
        if faults and self.measurement.job.convention.nothing is None:
            raise_faults(self.measurement.job, faults)

    def write(self, file: Any, beside: Mapping[str, Any]) -> None:
        """Write the part to a file.

        Parameters
        ----------
        beside
            what is said of the files beside it: of per-sample rows and of gradients.
        """
        measurement = self.measurement
        identities = [found for raw in measurement.raws if (found := _identity(raw)) is not None]
        head = {
            "format": FORMAT,
            "version": VERSION,
            "losscli": __version__,
            "arithmetic": arithmetic(),
            "part": self.part.number,
            "of": self.part.of,
            "rows": list(self.rows),
            "all_rows": measurement.job.samples,
            "chunks": self.chunks,
            "all_chunks": self.all_chunks,
            "files": identities,
            "inputs": sorted(measurement.files),
            "options": _options(measurement),
            "token": self.token,
            **beside,
        }
        with Writer(file, _special(self._places())) as writer:
            writer.add_json("part", head)
            writer.add("measurement", _without_files(measurement))
            writer.add("folded", dict(self.recorded.folded))
            writer.add("chunks", {kind: stacked(records) for kind, records in self.recorded.apart.items()})

    def _places(self) -> dict[int, dict[tuple[int, int | None], str]]:
        """Return the places in words that messages about faults may name, by the `id` of their source."""
        found: Mapping[str, Any] = getattr(self.recorded.folded.get(Faults), "found", {})
        job = self.measurement.job
        sources = [one for one in (job.predictions, job.targets, job.weights, job.third_operand) if one is not None]
        places: dict[int, dict[tuple[int, int | None], str]] = {id(source): {} for source in sources}
        for _, first in found.values():
            for row, column, _ in first:
                for source in sources:
                    with suppress(IndexError, ValueError, DataError):  # a place that only another source has
                        places[id(source)][row, column] = source.place(row, column)
        return places


def _without_files(measurement: Measurement) -> Measurement:
    """Return the measurement with what is needed once its pass is made."""
    request, job = replace(measurement.request, arrays={}), replace(measurement.job, totals=None)
    return replace(measurement, request=request, job=job, opened=job, ids=None, raws=[])


@dataclass
class PartRead:
    """A part that was read from its file."""

    path: str
    head: dict[str, Any]
    reader: Reader

    @classmethod
    def open(cls, path: str) -> "PartRead":
        """Open a part; raise a DataError if the file is none, or of another version."""
        if not os.path.exists(path):
            raise DataError(f"{path}: no such file; merge takes the parts that losscli compute --part wrote")
        if not os.path.isfile(
            path
        ):  # the list of an archive's members is at its end, and a pipe or a device may have none
            raise DataError(f"{path}: a pipe or a device; merge takes files, which losscli compute --part wrote")
        reader = Reader(path, path, "a part that losscli compute --part wrote", PLAIN)
        head = reader.get_json("part") if "part" in reader else None
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise reader.another()
        if (head.get("version"), head.get("losscli")) != (VERSION, __version__):
            raise DataError(
                f"{path}: made by losscli {head.get('losscli')}, and this is losscli {__version__}; make the part again with this version"
            )
        if not _whole(head):
            raise reader.damaged("part")
        return cls(path, head, reader)

    @property
    def part(self) -> Part:
        return Part(self.head["part"], self.head["of"])

    @property
    def recorded(self) -> Recorded:
        """The records of its chunks."""
        apart = self.reader.get("chunks", lambda held: {kind: unstacked(one) for kind, one in held.items()})
        return Recorded(self.reader.get("folded", dict), apart)

    @property
    def measurement(self) -> Measurement:
        """The measurement of which this is a part, without its files."""
        found = self.reader.get("measurement")
        if not isinstance(found, Measurement):
            raise self.reader.damaged("measurement")
        return found


def _whole(head: Mapping[str, Any]) -> bool:
    """Whether a part says everything about itself, in the right types."""
    kinds: dict[str, Any] = {
        "arithmetic": dict,
        "part": int,
        "of": int,
        "rows": list,
        "chunks": int,
        "all_chunks": int,
        "files": list,
        "inputs": list,
        "options": dict,
        "token": str,
        "rows_file": (str, type(None)),
        "gradient": (dict, type(None)),
    }
    if not all(isinstance(head.get(name), kind) for name, kind in kinds.items()):
        return False
    gradient = {"file": "", "beside": "", "ends": ""} if head["gradient"] is None else head["gradient"]
    texts = [*head["inputs"], *(gradient.get(name) for name in ("file", "beside", "ends"))]
    numbers = [one.get("bytes") if isinstance(one, dict) else None for one in head["files"]]
    options = all(name in head["options"] for name in ("elements", "reduction"))
    return (
        1 <= head["part"] <= head["of"]
        and options
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
    )


def _files_of(path: str) -> list[str]:
    """Return the parts that an operand names: a file, the parts in a folder, or the files that fit a pattern."""
    if os.path.isdir(path):
        found = sorted(str(file) for file in Path(path).glob(f"*{SUFFIX}"))
        if not found:
            raise DataError(
                f"{path}: a folder without files *{SUFFIX}; name the parts that losscli compute --part wrote"
            )
        return found
    return [path] if os.path.exists(path) else sorted(glob(path)) or [path]


def read_parts(paths: Sequence[str]) -> list[PartRead]:
    """Open all parts of a pass and return them in order; a path may be a file, a folder of parts, or a pattern.

    Raises
    ------
    DataError
        if a file is no part, or the parts are not those of one pass: of other files, options or versions, or some are missing.
    """
    parts = [PartRead.open(file) for path in paths for file in _files_of(path)]
    for one in parts[1:]:
        _ = one.measurement  # which must be whole as well, though that of the first is used
    _check_alike(parts)
    _check_complete(parts)
    return sorted(parts, key=lambda one: one.part.number)


def _check_alike(parts: Sequence[PartRead]) -> None:
    """Raise a DataError if parts differ in what is the same for all parts of one pass."""
    first, *others = parts
    for other in others:
        both = f"{other.path} and {first.path}"
        if other.part.of != first.part.of:
            raise DataError(f"{both}: parts of {other.part.of} and of {first.part.of}; merge those of one pass")
        ours, theirs = first.head["options"], other.head["options"]
        differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        if differing:
            name = differing[0]
            raise DataError(
                f"{both}: made with other options ({_flag(name)}: {theirs.get(name)} and {ours.get(name)}); make all parts with the same"
            )
        _check_files(first, other)
        if other.head["all_chunks"] != first.head["all_chunks"]:
            raise DataError(
                f"{both}: the rows are cut in another way; make both parts again with one version of losscli"
            )


def _check_files(first: PartRead, other: PartRead) -> None:
    """Raise a DataError if two parts read different files."""
    ours, theirs = first.head["files"], other.head["files"]
    if len(ours) != len(theirs):
        raise DataError(
            f"{other.path} and {first.path}: made of {len(theirs)} and {len(ours)} files; make both of the same"
        )
    for one, two in zip(ours, theirs, strict=True):
        what = {key: value for key, value in one.items() if key != "file"}
        if what != {key: value for key, value in two.items() if key != "file"}:
            sizes = f"{two['bytes']:,} and {one['bytes']:,} bytes"
            why = sizes if two["bytes"] != one["bytes"] else "of the same size, with other content"
            raise DataError(
                f"{other.path} and {first.path}: {two['file']} is not the same file for both ({why}); make both parts of the same files"
            )


def _check_complete(parts: Sequence[PartRead]) -> None:
    """Raise a DataError if a part is missing, or there twice."""
    by_number: dict[int, str] = {}
    for one in parts:
        if one.part.number in by_number:
            raise DataError(
                f"{by_number[one.part.number]} and {one.path}: both are part {one.part}; merge each part once"
            )
        by_number[one.part.number] = one.path
    of = parts[0].part.of
    missing = [str(number) for number in range(1, of + 1) if number not in by_number]
    if missing:
        verb, them = ("is", "it") if len(missing) == 1 else ("are", "them, as")
        raise DataError(
            f"{count(len(missing), 'part')} of {of} {verb} missing: {listing(missing)}; make {them} with --part {missing[0]}/{of}, "
            "and merge all together"
        )


def _flag(name: str) -> str:
    if name in ("loss", "parameters", "predictions", "targets"):
        return name
    return "--" + {"prediction_kind": "from", "library": "as"}.get(name, name).replace("_", "-")


def measurement_of(parts: Sequence[PartRead]) -> Measurement:
    """Return the measurement of which these are the parts."""
    measurement = parts[0].measurement
    measurement.files = frozenset().union(*(part.head["inputs"] for part in parts))
    measurement.notes += _notes(parts)
    return measurement


def aggregate_of(
    parts: Sequence[PartRead], measurement: Measurement, consume: Callable[[ChunkResult], None]
) -> Aggregate:
    """Return the aggregate of the whole pass; `consume` gets the rows of units to which rows of all parts belong."""
    aggregate = together(part.recorded for part in parts)
    return completed(measurement.job, measurement.collectors, aggregate, consume)


def _notes(parts: Sequence[PartRead]) -> list[str]:
    """Return a note if parts were computed with other instructions, or another NumPy."""
    by_level: dict[str, list[str]] = {}
    for part in parts:
        level = ", ".join(f"{name} {value}" for name, value in part.head["arithmetic"].items())
        by_level.setdefault(level, []).append(str(part.part.number))
    if len(by_level) == 1:
        return []
    held = "; ".join(f"{level}: part {listing(numbers)}" for level, numbers in by_level.items())
    return [
        f"the parts were computed with different arithmetic ({held}): the last digits may differ from those of one pass on one machine"
    ]
