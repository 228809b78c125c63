"""`losscli compare SPEC A B --targets TARGETS`: whether one model is better than another."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from losscli.cli.command import HELP, Command, running_options, say, typed
from losscli.cli.options import (
    OF_LOSSES,
    RUNNING,
    WRITING,
    Progress,
    Report,
    ReportFile,
    Seed,
    Silent,
    Spec,
    TargetsOption,
    Threads,
    requested,
    spliced,
)
from losscli.errors import Exit, UsageError

if TYPE_CHECKING:
    from losscli.compare import Compared, Comparison

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
DECISION = "The decision"
MOST_CLASSES = 20
"""Classes that a table shows: the ones that became worst, and best."""

OPTIONS = {name: item for name, item in OF_LOSSES.items() if name not in ("reduction", "per")}
Models = Annotated[
    list[str],
    typer.Argument(
        metavar="A B [C...]", show_default=False, help="Predictions of two models, or of more: each against the first."
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        "--margin",
        metavar="X",
        rich_help_panel=DECISION,
        help="By how much the mean loss may be larger without being worse.",
    ),
]
Confidence = Annotated[
    float, typer.Option("--confidence", metavar="C", rich_help_panel=DECISION, help="Of the intervals.")
]
Resamples = Annotated[
    int,
    typer.Option("--resamples", metavar="N", rich_help_panel=RUNNING, help="Of the bootstrap and the permutations."),
]


def compare(
    spec: Spec,
    models: Models,
    targets: TargetsOption,
    given: dict[str, Any],
    fail_if: Annotated[
        Literal["worse"] | None,
        typer.Option(
            "--fail-if",
            metavar="worse",
            rich_help_panel=DECISION,
            show_default=False,
            help="Exit 1 if a verdict is 'worse'.",
        ),
    ] = None,
    margin: Margin = 0.0,
    confidence: Confidence = 0.95,
    top: Annotated[
        int,
        typer.Option("--top", metavar="N", rich_help_panel=WRITING, help="Rows to show that changed most, either way."),
    ] = 5,
    resamples: Resamples = 10_000,
    seed: Seed = 0,
    threads: Threads = None,
    progress: Progress = None,
    format: Report = "table",
    output: ReportFile = None,
    quiet: Silent = False,
) -> int:
    """Say whether one model is better than another: row for row, with an interval.

    The difference is the mean of B's loss minus A's: below 0, B is better.

    "worse": the whole interval is above the margin.

    "better or equal": none of it is.

    "inconclusive": neither; more rows are needed.
    """
    from losscli.cli.progress import Progress as Shown
    from losscli.cli.results import ReportDelivery
    from losscli.compare import Terms, compare_all
    from losscli.spec import single

    terms = Terms(margin, confidence, resamples, seed, top)
    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    if len(models) < 2:
        raise UsageError(f"compare {spec} {models[0]}: one model; name two or more, then --targets TARGETS")
    request = requested(single(spec), typed(models[0]), typed(targets), given)
    with Shown(running.progress) as shown, ReportDelivery(format, output) as delivery:
        found = compare_all(
            request,
            [typed(model) for model in models],
            terms,
            running.threads,
            shown.looking,
            lambda job: shown.of(job.samples, job.size),
            shown,
        )
        shown.wipe()
        delivery.keep_apart(found.files)
        if not quiet:
            say(found.notes)
        delivery.deliver(found.record, lambda full: laid_out(found, full))
    return Exit.UNMET if fail_if and found.worse else Exit.OK


app.command(cls=Command, context_settings=HELP, name="compare")(spliced(compare, OPTIONS))


def laid_out(
    found: "Compared", full: bool
) -> tuple[str, list[tuple[str, str]], list[tuple[str, list[dict[str, Any]]]]]:
    """A comparison as a title, facts and tables."""
    from losscli.render import number

    receipt, terms = found.first.calculation.receipt, found.terms
    facts = [("loss", receipt["loss"]), ("A", _model(found.first.name, found.comparisons[0].values[0], full))]
    tables: list[tuple[str, list[dict[str, Any]]]] = []
    for letter, one in zip("BCDEFGHIJKLMNOPQRSTUVWXYZ" * 100, found.comparisons, strict=False):
        facts += _facts(letter, one, found, full)
        if one.classes:
            tables.append((f"{letter} against A, by class (mean difference, without weights)", _some(one.classes)))
        for rows, words in ((one.worse, "worse"), (one.better, "better")):
            tables.append((f"{letter}: rows that became {words}", rows))
    facts.append(("margin", number(terms.margin, full)))
    facts.append(
        ("method", f"paired bootstrap (BCa), {terms.resamples:,} resamples; sign-flip permutations; seed {terms.seed}")
    )
    return receipt["loss"], facts, tables


def _model(name: str, value: float, full: bool) -> str:
    from losscli.render import number

    return f"{name}: mean {number(value, full)}"


def _facts(letter: str, one: "Comparison", found: "Compared", full: bool) -> list[tuple[str, str]]:
    from losscli.reduce import divide
    from losscli.render import number

    relative = divide(one.difference, abs(one.values[0]))
    share = "" if relative != relative else f" ({100 * relative:+.3g} %)"
    adjusted = "" if one.adjusted is None else f", {one.adjusted:.4g} for all comparisons together (Holm)"
    return [
        (letter, _model(one.model, one.values[1], full)),
        (f"{letter} - A", number(one.difference, full) + share),
        (f"{100 * found.terms.confidence:g} % interval", f"{number(one.low, full)} to {number(one.high, full)}"),
        ("p", f"{one.p:.4g}{adjusted}"),
        ("verdict", one.verdict),
        ("rows", f"{one.samples:,}: {one.wins:,} won by {letter}, {one.ties:,} ties, {one.losses:,} lost"),
    ]


def _some(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The classes with the ends of their intervals in columns, those in the middle left out where there are many."""
    half = MOST_CLASSES // 2
    shown = classes if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]
    return [
        {"class": one["class"], "rows": one["rows"], "difference": one["difference"]}
        | dict(zip(("low", "high"), one["interval"], strict=True))
        for one in shown
    ]
