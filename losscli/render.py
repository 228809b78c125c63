"""A result as table, JSON, Markdown or a bare number. Everything here returns text; nothing prints."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli import __version__, sketch
from losscli.errors import count, printable
from losscli.histogram import Histogram
from losscli.receipt import short
from losscli.result import Result
from losscli.strictjson import strict, strict_json

if TYPE_CHECKING:
    from losscli.calibrate import Calibrated
    from losscli.centers import Centers
    from losscli.check import Report
    from losscli.request import Request
    from losscli.sidebyside import Side

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "markdown", "value")
ROW_FORMATS = ("jsonl", "csv", "tsv")
TABLE_ROWS = 20
LIST_ITEMS = 4
BARS = 30
CLASSES_SHOWN = 20
KINDS = {
    "index": "class indices",
    "name": "class names",
    "one-hot": "one-hot rows",
    "soft": "soft targets in [0, 1]",
    "binary": "0 and 1",
    "signed": "-1 and 1",
}
"""What targets are called in the table of a check."""

Row = Mapping[str, Any]


def as_record(result: Result) -> dict[str, Any]:
    """The result with the keys of the JSON contract."""
    best = result.baseline
    return {
        "loss": result.loss,
        "parameters": dict(result.parameters),
        "value": result.value,
        "reduction": result.reduction,
        "numerator": result.numerator,
        "denominator": result.denominator,
        "samples": result.samples,
        "ignored": result.ignored,
        "summary": result.summary,
        "baseline": None if best is None else {"prediction": best.prediction, "value": best.value, "skill": best.skill},
        "requirements": result.requirements,
        "receipt": result.receipt,
        "signature": result.signature,
    }


def to_json(result: Result) -> str:
    """The result as indented JSON."""
    return strict_json(as_record(result), indent=2) + "\n"


JSON_BETWEEN = ",\n    "
"""What stands between the rows of a result in JSON, which are JSON text, one a line."""


def json_around(result: Result) -> tuple[str, str]:
    """What stands before the rows of a result in JSON, and behind them."""
    return to_json(result).removesuffix("\n}\n") + ',\n  "rows": [\n    ', "\n  ]\n}\n"


def to_value(result: Result) -> str:
    return f"{result.value!r}\n"


def number(value: float | None, full: bool) -> str:
    """A number for people: 7 digits on a terminal, all of them elsewhere."""
    if value is None:
        return "-"
    return (
        repr(float(value)) if full and not float(value).is_integer() else f"{value:.7g}" if not full else f"{value!r}"
    )


def _facts(result: Result, full: bool) -> list[tuple[str, str]]:
    from losscli.reduce import REDUCTIONS

    formula = REDUCTIONS[result.reduction].formula
    parameters = ", ".join(f"{name} = {short(value)}" for name, value in result.parameters.items() if value is not None)
    facts = [("loss", result.loss + (f" ({parameters})" if parameters else ""))]
    if result.value is not None:
        facts.append((result.reduction, number(result.value, full)))
        if result.reduction != "sum":
            facts.append((formula, f"{number(result.numerator, full)} / {number(result.denominator, full)}"))
    facts.append(("samples", f"{result.samples:,}" + (f" ({result.ignored:,} ignored)" if result.ignored else "")))
    facts += [
        (name, number(value, full)) for name, value in result.summary.items() if name != "mean" or _differs(result)
    ]
    best = result.baseline
    if best is not None:
        shown = best.prediction if isinstance(best.prediction, list) else [best.prediction]
        words = ", ".join(f"{value:.4g}" for value in shown[:6]) + (", ..." if len(shown) > 6 else "")
        facts.append(("baseline", f"{number(best.value, full)} (constant prediction {words})"))
        if best.skill is not None:
            facts.append(("skill", f"{number(best.skill, full)} (1 - value / baseline)"))
    for entry in result.requirements:
        verdict = "met" if entry["met"] else "NOT MET"
        facts.append((f"require {entry['require']}", f"{verdict} ({number(entry['actual'], full)})"))
    return facts


def _differs(result: Result) -> bool:
    return result.value is None or result.reduction != "mean" or result.value != result.summary["mean"]


def distribution(result: Result, encoding: str | None) -> str | None:
    """The losses as a line of bars with its ends; None where all of them are one number."""
    found = Histogram.of(result.losses, BARS)
    if found is None or np.count_nonzero(found.counts) < 2:
        return None
    ends = [f"{end:.4g}" for end in found.edges[[0, -1]]]
    words = [f"{ends[0]} [{sketch.bars(found.counts, encoding)}] {ends[1]}"]
    words += ["log scale"] if found.log else []
    words += [f"{found.not_positive:,} at 0 or below"] if found.not_positive else []
    words += [f"{found.infinite:,} infinite"] if found.infinite else []
    return ", ".join(words)


def to_table(
    result: Result, rows: Sequence[Row] | None, terminal: bool, width: int, encoding: str | None = "utf-8"
) -> str:
    """A table sized to its content; on a terminal with colour, elsewhere plain and never cut.

    `encoding` is that of what shows it: the distribution is of block characters where it has them.
    """
    facts = _clean(_facts(result, full=not terminal))
    shape = distribution(result, encoding)
    if shape is not None:
        place = next(i for i, fact in enumerate(facts) if fact[0] == "max") + 1
        facts.insert(place, ("distribution", shape))
    rest = result.samples - TABLE_ROWS
    more = f"... and {rest:,} more samples; --output FILE.csv has them all" if rows and rest > 0 else None
    shown = [
        {printable(name): printable(cell(value, full=not terminal)) for name, value in row.items()}
        for row in (rows or [])[:TABLE_ROWS]
    ]
    numeric = {printable(name): isinstance(value, float | int) for name, value in rows[0].items()} if rows else {}
    if terminal:
        return _coloured(result, facts, shown, numeric, more, width)
    lines = _plain(facts)
    lines += _boxed(shown, numeric) if shown else []
    return "\n".join([*lines, *([more] if more else []), printable(result.signature), ""])


def _clean(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Facts without control characters, which names of files and classes may have."""
    return [(printable(name), printable(" ".join(value.splitlines()))) for name, value in facts]


def _plain(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Facts as lines, their values below each other."""
    wide = max(len(name) for name, _ in facts)
    return [f"{name:<{wide}}  {value}" for name, value in facts]


def _boxed(rows: Sequence[Mapping[str, str]], numeric: Mapping[str, bool]) -> list[str]:
    """Rows in a frame of characters that every terminal and file has; rich would take longer to load than all else."""
    rows = [{name: " ".join(text.splitlines()) for name, text in row.items()} for row in rows]
    widths = {name: max(_width(text) for text in (name, *(row[name] for row in rows))) for name in numeric}
    rule = "+" + "+".join("-" * (width + 2) for width in widths.values()) + "+"

    def line(cells: Mapping[str, str]) -> str:
        parts = []
        for name, width in widths.items():
            room = " " * (width - _width(cells[name]))
            parts.append(room + cells[name] if numeric[name] else cells[name] + room)
        return "| " + " | ".join(parts) + " |"

    return [rule, line({name: name for name in numeric}), rule, *map(line, rows), rule]


def _width(text: str) -> int:
    """Columns that a text takes: those of East Asian scripts take two a character."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def checked(report: "Report", terminal: bool, width: int) -> str:
    """What `losscli check` found: facts, then findings."""
    full = not terminal
    facts = []
    for role in ("predictions", "targets"):
        found = report.facts.get(role, {})
        shape = " x ".join(f"{length:,}" for length in found.get("shape", ()))
        described = ", ".join([*([shape] if shape else []), *([found["dtype"]] if "dtype" in found else [])])
        facts.append((role, f"{found.get('file', 'not read')}" + (f": {described}" if described else "")))
        kind, evidence = found.get("kind"), found.get("evidence")
        if kind:
            facts.append(("", KINDS.get(kind, kind) + (f": {evidence}" if evidence else "")))
        for what in ("classes", "positives"):
            counts = found.get(what, {})
            shown = list(counts.items())[:CLASSES_SHOWN]
            more = f", ... {len(counts) - len(shown):,} more" if len(counts) > len(shown) else ""
            facts += [] if not counts else [(what, ", ".join(f"{name}: {rows:,}" for name, rows in shown) + more)]
    read = report.facts.get("read_as")
    if read:
        facts.append(("read as", f"{read['loss']}" + (f", from {read['from']}" if "from" in read else "")))
    for name in ("samples", "ignored", "dropped"):
        if report.facts.get(name):
            facts.append((name, f"{report.facts[name]:,}"))
    for name, meaning in (
        ("accuracy", "labels that are the predicted class"),
        ("majority", "labels of the most frequent class"),
        ("loss", "mean"),
        ("baseline", "mean loss of the best constant prediction"),
        ("shuffled", "mean loss with shuffled labels"),
    ):
        if name in report.facts:
            facts.append((name, f"{number(report.facts[name], full)} ({meaning})"))
    facts += [("note", note) for note in report.facts.get("notes", ())]
    facts += [(finding.severity, finding.line()) for finding in report.findings]
    if not report.findings:
        facts.append(("findings", "none"))
    facts = _clean(facts)
    if terminal:
        styles = {"error": "bold red", "warning": "bold yellow"}
        return _console(width, [_facts_table(facts, lambda name, value: styles.get(name, ""))])
    return "\n".join([*_plain(facts), ""])


Listed = tuple[str, Sequence[Row]]
"""A title, and rows that stand under it in a frame."""


def report(
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Listed],
    terminal: bool,
    width: int,
    styles: Callable[[str, str], str] = lambda name, value: "",
) -> str:
    """Facts, then tables: sized to their content; on a terminal with colour, elsewhere plain and never cut."""
    facts = _clean(facts)
    framed = []
    for title, rows in tables:
        shown = [
            {printable(name): printable(cell(value, full=not terminal)) for name, value in row.items()} for row in rows
        ]
        numeric = {printable(name): isinstance(value, float | int) for name, value in rows[0].items()} if rows else {}
        if rows:
            framed.append((printable(title), shown, numeric))
    if not terminal:
        lines = _plain(facts)
        for title, shown, numeric in framed:
            lines += ["", title, *_boxed(shown, numeric)]
        return "\n".join([*lines, ""])
    from rich.text import Text

    parts: list[Any] = [_facts_table(facts, styles)]
    for title, shown, numeric in framed:
        parts += [Text(f"\n{title}", "bold"), _framed(shown, numeric)]
    return _console(width, parts)


def report_in_markdown(title: str, facts: Sequence[tuple[str, str]], tables: Sequence[Listed]) -> str:
    """The same as Markdown, for step summaries of CI."""
    lines = [*_markdown_header(["", title]), *map(markdown_line, facts)]
    for name, rows in tables:
        if rows:
            lines += ["", printable(name), "", *_markdown_header(list(rows[0]))]
            lines += [markdown_line(cell(value, full=False) for value in row.values()) for row in rows]
    return "\n".join([*lines, ""])


def rows_in(format: str, rows: Sequence[Row]) -> str:
    """Rows as JSON lines, CSV or TSV; there, lists are columns of their own, and what is missing is empty."""
    if format == "jsonl":
        return "".join(strict_json(row) + "\n" for row in rows)
    flat = [_flattened(row) for row in rows]
    out = io.StringIO()
    writer = csv.DictWriter(
        out, list(flat[0]) if flat else [], delimiter="\t" if format == "tsv" else ",", lineterminator="\n"
    )
    if flat:
        writer.writeheader()
        writer.writerows(flat)
    return out.getvalue()


def _flattened(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name == "interval":
            found |= dict(zip(("low", "high"), value, strict=True))
        elif isinstance(value, list):
            found |= {f"{name}_{i}": item for i, item in enumerate(value)}
        else:
            found[name] = value
    return found


def _framed(rows: Sequence[Mapping[str, str]], numeric: Mapping[str, bool]) -> Any:
    """Rows in a table of rich's."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    listed = Table(box=box.ROUNDED)
    for name, right in numeric.items():
        listed.add_column(Text(str(name)), justify="right" if right else "left", overflow="fold")
    for row in rows:
        listed.add_row(*map(Text, row.values()))
    return listed


def center_table(found: "Centers", terminal: bool, width: int) -> str:
    """What `losscli centers` made: facts, then a class a line."""
    full = not terminal
    record, k = found.record(), len(found.after)
    alpha = "" if found.alpha is None else f", alpha = {number(found.alpha, full)}"
    ignored = f" ({found.ignored:,} ignored)" if found.ignored else ""
    facts = [
        ("update", f"{found.update}: {record['rule']}{alpha}"),
        ("samples", f"{found.samples:,}{ignored}"),
        ("centers", f"{k:,} x {found.after.shape[1]:,}"),
        *(
            (f"loss {when}", number(record[f"loss_{when}"], full))
            for when in ("before", "after")[found.before is None :]
        ),
    ]
    shown = [name for name, value in record["classes"][0].items() if value is not None or found.before is not None]
    rows = [
        {name: "-" if line[name] is None else line[name] for name in shown} for line in record["classes"][:TABLE_ROWS]
    ]
    more = f"; {k - TABLE_ROWS:,} more, --format json has them all" if k > TABLE_ROWS else ""
    return report(facts, [(f"classes{more}", rows)], terminal, width)


def calibrated(found: "Calibrated", terminal: bool, width: int) -> str:
    """What `losscli calibrate` found: the fit, then the scores before and after it."""
    full = not terminal
    record = found.record()
    one = len(found.calculation.job.predictions.shape) == 1
    outcome = found.fit.limit or ("converged" if found.fit.converged else "NOT CONVERGED")
    biases = record.get("bias")
    formula = f"{'sigmoid' if one else 'softmax'}(z / T{'' if biases is None else ' + b'})"
    logits = "the logits" if record["from"] == "logits" else "log p" if not one else "log(p / (1 - p))"
    facts = [
        ("temperature", f"{number(found.temperature, full)} ({formula}, z: {logits})"),
        ("fit", f"{outcome}, {count(found.fit.iterations, 'step')}"),
    ]
    if biases is not None:
        shown = [f"{name}: {number(value, full)}" for name, value in biases.items()]
        rest = f", ... {len(shown) - CLASSES_SHOWN:,} more" if len(shown) > CLASSES_SHOWN else ""
        facts.append(("bias", ", ".join(shown[:CLASSES_SHOWN]) + rest))
    ignored = f" ({record['ignored']:,} ignored)" if record["ignored"] else ""
    facts.append(("samples", f"{record['samples']:,}{ignored}"))
    facts = _clean(facts)
    rows = _scores(record, full)
    if terminal:
        styles = {"NOT CONVERGED": "bold red", "T ->": "bold red"}
        head = _console(
            width, [_facts_table(facts, lambda _, value: next((styles[w] for w in styles if w in value), ""))]
        )
    else:
        head = "\n".join([*_plain(facts), ""])
    numeric = {"": False, "before": True, "after": True}
    return head + "\n".join([*_boxed(rows, numeric), printable(record["signature"]), ""])


def _scores(record: Mapping[str, Any], full: bool) -> list[dict[str, str]]:
    """Scores before and after a calibration, a row each."""
    sides = {name: record[name] for name in ("before", "after")}

    def row(title: str, of: Callable[[Any], str]) -> dict[str, str]:
        return {"": title, **{name: of(scores) for name, scores in sides.items()}}

    rows = [
        row("cross-entropy", lambda scores: number(scores["cross_entropy"], full)),
        row(f"Brier score, {record['brier_formula']}", lambda scores: number(scores["brier"], full)),
    ]
    for binning in ("width", "mass"):
        bins = " to ".join(dict.fromkeys(f"{scores['ece'][binning]['bins']}" for scores in sides.values()))
        rows.append(
            row(
                f"ECE, {bins} {'bin' if bins == '1' else 'bins'} of equal {binning}",
                lambda scores, binning=binning: number(scores["ece"][binning]["value"], full),  # type: ignore[misc]
            )
        )
        rows.append(
            row(
                "  95 % of calibrated models",
                lambda scores, binning=binning: " to ".join(f"{end:.4f}" for end in scores["ece"][binning]["band"]),  # type: ignore[misc]
            )
        )
    rows.append(row("accuracy", lambda scores: number(scores["accuracy"], full)))
    return rows


def _coloured(
    result: Result,
    facts: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, str]],
    numeric: Mapping[str, bool],
    more: str | None,
    width: int,
) -> str:
    """The same through rich, for a terminal."""
    from rich.text import Text

    def style(name: str, value: str) -> str:
        return "bold red" if "NOT MET" in value else "bold" if name == result.reduction else ""

    parts: list[Any] = [_facts_table(facts, style)]
    if rows:
        parts += [_framed(rows, numeric), *([Text(more)] if more else [])]
    return _console(width, parts, Text(printable(result.signature), "dim"))


def _facts_table(facts: Sequence[tuple[str, str]], style: Callable[[str, str], str]) -> Any:
    """Names and values in two columns, through rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), Text(value, style(name, value)))
    return table


def _console(width: int, parts: Sequence[Any], line: Any = None) -> str:
    """What rich makes of tables and text on a terminal of a width, and of a line that is not cut."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=width, height=100, highlight=False, emoji=False, legacy_windows=False
    )
    for part in parts:
        console.print(part)
    if line is not None:
        console.print(line, soft_wrap=True)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def cell(value: Any, full: bool = True) -> str:
    if isinstance(value, float):
        return number(value, full)
    if isinstance(value, list):
        if full:
            return json.dumps(strict(value), ensure_ascii=False)
        shown = ", ".join(f"{item:.4g}" for item in value[:LIST_ITEMS])
        return f"[{shown}{', ...' if len(value) > LIST_ITEMS else ''}]"
    return str(value)


def to_markdown(result: Result) -> str:
    """A Markdown table, for step summaries of CI."""
    before, behind = markdown_around(result)
    return before + behind


def markdown_around(result: Result, header: Sequence[str] = ()) -> tuple[str, str]:
    """What stands before a result's rows in Markdown, with the header of their table, and behind them."""
    facts = _facts(result, full=False)[1:]
    lines = [*_markdown_header(["", result.loss]), *map(markdown_line, facts)]
    lines += ["", *_markdown_header(header)] if header else []
    return "\n".join(lines) + "\n", f"\n`{printable(result.signature)}`\n"


def markdown_line(cells: Iterable[Any]) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(printable(cell(value)).replace("|", "\\|").replace("\n", " ") for value in cells) + " |"


def _markdown_header(header: Sequence[str]) -> list[str]:
    return [markdown_line(header), "|" + " --- |" * len(header)]


def sides(format: str, request: "Request", own: float, found: "Sequence[Side]", full: bool) -> str:
    """The numbers of several libraries, in a format of standard output or of a file."""
    from losscli.sidebyside import lines

    if format in ("json", "jsonl"):
        ours = {"library": "losscli", "version": __version__, "call": request.loss.loss.name, "value": own}
        records = [ours, *(side.record() for side in found)]
        if format == "jsonl":
            return "".join(strict_json(record) + "\n" for record in records)
        head = {
            "loss": request.loss.loss.name,
            "parameters": dict(request.loss.parameters),
            "value": own,
            "reduction": request.reduction,
        }
        return strict_json(head | {"as": records[1:]}, indent=2) + "\n"
    rows = lines(request.loss.loss.name, own, request.reduction, found, lambda value: number(value, full))
    header = list(rows[0])
    if format == "markdown":
        return "\n".join([*_markdown_header(header), *(markdown_line(row.values()) for row in rows)]) + "\n"
    if format in ("csv", "tsv"):
        out = io.StringIO()
        writer = csv.writer(out, delimiter="\t" if format == "tsv" else ",", lineterminator="\n")
        writer.writerows([header, *(list(row.values()) for row in rows)])
        return out.getvalue()
    return "\n".join(_boxed(rows, dict.fromkeys(header, False))) + "\n"
