"""Tables of ratios from results, and what they say about the goals."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from measure import Result
from peers import PEERS
from workloads import JOIN, LARGE, SHAPED, SOFTMAX, Workload

AGREE = 1e-4  # relative: float32 in any order of summation, and nothing worse
LIMITS = ("cat", "sum()")
FLAT = 1.25  # what the peak may grow by over the sizes measured, and still be flat
LAST, FIRST = 1.1, 1.4  # what an array of more axes may take of its table's time, with the classes last and first
FEW, MANY = 10, 1000  # classes
Find = Callable[[str, str, str], Result | None]


def text(facts: dict[str, Any], results: Sequence[Result], markdown: bool = False) -> str:
    """Everything there is to say, in the order of the README."""
    title = "## {}" if markdown else "{}"
    parts = [heading(facts)]
    for name, headers, rows in (
        ("Side by side", SIDE_BY_SIDE, side_by_side(results)),
        ("Against reading once", AGAINST_READING, against_reading(results)),
        ("Against size", AGAINST_SIZE, against_size(results)),
        ("Against threads", AGAINST_THREADS, against_threads(results)),
        ("Rows written", WRITTEN, written(results)),
        ("Start-up", START_UP, start_up(results)),
    ):
        found = list(rows)
        if found:
            parts.append(f"{title.format(name)}\n\n{table(headers, found, markdown)}")
    verdicts = [("- " if markdown else "") + line for line in goals(results)]
    if facts["scale"] != 1:
        verdicts.insert(0, f"Goals are for full size; this is {facts['scale']:g} of it.\n")
    return "\n\n".join([*parts, title.format("Goals") + "\n\n" + "\n".join(verdicts)])


def heading(facts: dict[str, Any]) -> str:
    versions = facts["versions"]
    found = [f"{name} {version}" for name, version in versions.items() if version]
    missing = [name for name, version in versions.items() if not version]
    size = f"{facts['cores']} cores, {facts['cpu']}, {facts['memory'] / 1e9:.0f} GB of memory, Python {facts['python']}"
    turns = f"medians of {facts['repeats']}, scale {facts['scale']:g}"
    absent = f"; not installed: {', '.join(missing)}" if missing else ""
    return f"{size}; {', '.join(found)}{absent}; {turns}"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], markdown: bool) -> str:
    """Text to the left, numbers to the right."""
    cells = [[cell.replace("|", "\\|") if markdown else cell for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    left = [header in TEXTS for header in headers]

    def line(row: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(row, widths, left, strict=True)
        ]
        return f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip()

    rules = [
        "-" * (width - 1) + ":" if markdown and not is_left else "-" * width
        for width, is_left in zip(widths, left, strict=True)
    ]
    return "\n".join(map(line, [cells[0], rules, *cells[1:]]))


TEXTS = ("workload", "measured", "contender", "command", "against", "note")
SIDE_BY_SIDE = ("workload", "measured", "contender", "time", "ratio", "peak MB", "peak ratio", "GB/s", "note")
AGAINST_READING = ("workload", "cat", "process", "ratio", "sum()", "in process", "ratio")
AGAINST_SIZE = ("file MB", "losscli", "peak MB", "torch", "its peak MB")
AGAINST_THREADS = ("threads", "process", "speed-up", "in process", "speed-up")
WRITTEN = ("workload", "losscli", "csv", "ratio", "peak MB", "peak ratio")
START_UP = ("command", "losscli", "against", "imports", "ratio", "CPU", "imports, CPU", "CPU ratio")


def side_by_side(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    """A row a workload and contender; ratios are multiples of losscli's."""
    find = finder(results)
    for result in results:
        if result.mode not in ("process", "in process", "in process, gradient", "inputs") or result.contender in LIMITS:
            continue
        mine = find(result.workload, result.mode, "losscli")
        time, peak = result.time, result.peak
        yield (
            result.workload,
            result.mode,
            result.contender,
            duration(time),
            ratio(time, mine and mine.time),
            megabytes(peak),
            ratio(peak, mine and mine.peak),
            f"{result.bytes / time / 1e9:.2f}" if time and result.mode.startswith("in process") else "",
            result.fault or difference(result, results),
        )


def against_reading(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    """Ratios are losscli's time over that of reading once."""
    find = finder(results)
    for workload in LARGE:
        row = [workload.name]
        for mode, limit in (("process", "cat"), ("in process", "sum()")):
            times = [found.time if (found := find(workload.name, mode, who)) else None for who in (limit, "losscli")]
            row += [*map(duration, times), ratio(times[1], times[0])]
        if find(workload.name, "process", "cat"):
            yield row


def against_size(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    sizes = {result.bytes for result in results if result.mode == "size"}
    for size in sorted(sizes):
        row = [megabytes(size)]
        for who in ("losscli", "torch"):
            found = next(
                (each for each in results if (each.mode, each.bytes, each.contender) == ("size", size, who)), None
            )
            row += [(duration(found.time) or found.fault) if found else "", megabytes(found and found.peak)]
        yield row


def against_threads(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    modes = ("threads, process", "threads, in process")
    by = {(result.mode, result.contender): result for result in results if result.mode in modes}
    for count in dict.fromkeys(contender for _, contender in by):
        row = [count]
        for mode in modes:
            found, one = by.get((mode, count)), by.get((mode, "1"))
            row += [
                (duration(found.time) or found.fault) if found else "",
                ratio(one and one.time, found and found.time),
            ]
        yield row


def written(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    """Ratios are a format's over those of CSV."""
    for csv, other in outputs(results):
        yield (
            f"{other.workload}",
            duration(other.time) or other.fault,
            duration(csv.time) or csv.fault,
            ratio(other.time, csv.time),
            megabytes(other.peak),
            ratio(other.peak, csv.peak),
        )


def outputs(results: Sequence[Result]) -> Iterator[tuple[Result, Result]]:
    """Writing CSV, with each of the other formats."""
    found = [result for result in results if result.mode == "output"]
    return zip(found[::2], found[1::2], strict=False)


def start_up(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    for mine, other in starts(results):
        yield (
            mine.workload,
            duration(mine.time) or mine.fault,
            other.contender,
            duration(other.time),
            ratio(mine.time, other.time),
            duration(mine.cpu_time),
            duration(other.cpu_time),
            ratio(mine.cpu_time, other.cpu_time),
        )


def starts(results: Sequence[Result]) -> Iterator[tuple[Result, Result]]:
    """Each command with the imports it is held against."""
    found = [result for result in results if result.mode == "start-up"]
    return zip(found[::2], found[1::2], strict=False)


def finder(results: Iterable[Result]) -> Find:
    by = {(result.workload, result.mode, result.contender): result for result in results}
    return lambda workload, mode, contender: by.get((workload, mode, contender))


def difference(result: Result, results: Sequence[Result]) -> str:
    """Say by how much the number is off from losscli's, if it is."""
    beside = [each for each in results if each.workload == result.workload and each.contender not in LIMITS]
    reference = next((each for each in beside if each.value is not None), None)  # losscli, unless it failed
    if reference is None or reference.value is None or result.value is None or result.contender in LIMITS:
        return ""
    off = abs(result.value - reference.value) / (abs(reference.value) or 1)
    return "" if off <= AGREE else f"differs by {off:.1e} from {reference.contender}'s {reference.value:.6g}"


def goals(results: Sequence[Result]) -> Iterator[str]:
    """A line a goal: met or not, and the ratios that say so."""
    find = finder(results)
    csv = [each for each in LARGE if each.format == "csv"]
    softmax = [each for each in LARGE if each.loss == SOFTMAX and each.format == "npy" and not each.options]
    single = [each for each in softmax if each.dtype == "float32"]
    few = [each for each in single if (each.columns or 1) == FEW]
    more = [each for each in single if (each.columns or 1) > FEW]
    elements = [each for each in LARGE if each.columns is None]
    thousand = [each for each in single if each.columns == MANY]

    def over(workloads: Iterable[Workload], mode: str, others: Iterable[str], what: str = "time") -> dict[str, float]:
        """What losscli's time or peak is of that of the best of others, by workload."""
        found = {}
        for workload in workloads:
            mine = find(workload.name, mode, "losscli")
            theirs = [getattr(each, what) for other in others if (each := find(workload.name, mode, other))]
            least = min((each for each in theirs if each), default=None)
            own = mine and getattr(mine, what)
            if own and least:
                found[workload.name] = own / least
        return found

    rivals = [peer.name for peer in PEERS if peer.format == "npy"]
    for what, workloads, whole, inside in (
        (f"softmax, {FEW} classes", few, 0.33, 1),
        ("softmax, more classes", more, 0.25, 0.8),
        ("losses of single numbers", elements, 0.4, 1),
    ):
        yield verdict(f"{what}, process, time over the fastest peer's", over(workloads, "process", rivals), whole)
        yield verdict(
            f"{what}, in process, time over the fastest peer's", over(workloads, "in process", rivals), inside
        )
    slopes = over(thousand, "in process, gradient", rivals)
    yield verdict(f"softmax with gradient, {MANY} classes, in process, time over the fastest peer's", slopes, 0.8)
    yield verdict("process, peak over torch's", over([*softmax, *elements], "process", ["torch"], "peak"), 0.1)
    for other, bound in (("pandas + numpy", 0.5), ("polars + numpy", 0.8)):
        yield verdict(f"CSV, process, time over that of {other}", over(csv, "process", [other]), bound)
    yield verdict("CSV, peak over that of polars + numpy", over(csv, "process", ["polars + numpy"], "peak"), 0.5)
    starting = {
        mine.workload: (mine.time or float("inf")) / other.time for mine, other in starts(results) if other.time
    }
    for name, most in (("3 x 3 NPY", 1.35), ("3 x 3 CSV", 1.15), ("--help", 2.25)):
        ratios = {name: starting[name]} if name in starting else {}
        yield verdict(f"start-up, {name}, time over that of the imports", ratios, most)
    texts = {
        other.workload: (other.time or float("inf")) / csv.time
        for csv, other in outputs(results)
        if csv.time and other.contender in ("jsonl", "md")
    }
    yield verdict("JSON lines and Markdown, time over that of CSV", texts, 1.5)
    for what, bound in (("time", 1), ("peak", 0.5)):
        joined = over((JOIN,), "process", ["polars + numpy"], what)
        yield verdict(f"join by text ids, {what} over that of polars + numpy", joined, bound)
    peaks = [
        result.peak for result in results if (result.mode, result.contender) == ("size", "losscli") and result.peak
    ]
    growth = {f"{len(peaks)} sizes": max(peaks) / min(peaks)} if len(peaks) > 1 else {}
    yield verdict("largest peak over smallest, files of three decades", growth, FLAT)
    for first, bound in ((False, LAST), (True, FIRST)):
        shaped = [each for each in SHAPED if each.classes_first == first]
        what = f"class axis {'first' if first else 'last'}"
        yield verdict(f"{what}, time over that of the table", over_table(results, shaped, "time"), bound)
        yield verdict(f"{what}, peak over that of the table", over_table(results, shaped, "peak"), FLAT)


def over_table(results: Sequence[Result], workloads: Iterable[Workload], what: str) -> dict[str, float]:
    """Return how many times the time or the peak of the same numbers as a table it is, by workload."""
    find, found = finder(results), {}
    for workload in workloads:
        mine, table = (find(workload.name, "process", who) for who in ("losscli", "losscli, table"))
        own, other = (each and getattr(each, what) for each in (mine, table))
        if own and other:
            found[workload.name] = own / other
    return found


def verdict(what: str, ratios: dict[str, float], most: float) -> str:
    """Say whether every ratio keeps to the bound, the worst of them and where."""
    asked = f"{what} <= {most:g}"
    if not ratios:
        return f"not measured  {asked}"
    missed = [name for name, each in ratios.items() if each > most]
    worst = max(ratios, key=lambda name: ratios[name])
    middle = f", median {statistics.median(ratios.values()):.2f}" if len(ratios) > 1 else ""
    where = f" in {len(missed)} of {len(ratios)}" if missed else ""
    return f"{'NOT MET' if missed else 'met':12}  {asked}{where}: worst {ratios[worst]:.2f} ({worst}){middle}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 * size else f"{seconds:.0f} {unit}"
    return f"{seconds * 1e6:.3g} us"


def ratio(one: float | None, other: float | None) -> str:
    if not one or not other:
        return ""
    return f"{one / other:.2f}" if one / other < 10 else f"{one / other:.1f}"


def megabytes(size: float | None) -> str:
    return "" if not size else f"{size / 1e6:,.0f}" if size >= 1e7 else f"{size / 1e6:.2g}"
