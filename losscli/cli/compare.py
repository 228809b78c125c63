"""`losscli compare SPEC A B --targets TARGETS`: whether one model is better than another."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.analysis.words import FailingVerdict
from losscli.cli.command import command, command_line, say
from losscli.cli.comparing import targets_of
from losscli.cli.options.declare import DECISION, OfLosses, operand, option
from losscli.cli.options.files import TargetsOption
from losscli.cli.options.losses import OF_COMPARISONS, Spec, library_of, requested
from losscli.cli.options.output import PageFile, Quiet, Report, top_option
from losscli.cli.options.running import Judging, Running
from losscli.errors import DataError, Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscli.analysis.compare import Compared, Comparison
    from losscli.definition.loss import BoundLoss
    from losscli.render.page import Page, Picture

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def compare(
    spec: Spec,
    models: Annotated[
        list[str], operand("A B [C...]", help="Predictions of two models, or of more: each against the first.")
    ],
    targets: TargetsOption = None,
    *,
    fail_if: Annotated[
        FailingVerdict | None,
        option(
            "--fail-if",
            panel=DECISION,
            show_default=False,
            help="Exit 1 if a verdict is 'worse'; or unless every verdict is 'better'.",
        ),
    ] = None,
    top: Annotated[int, top_option("Rows to show that changed most, either way.")] = 5,
    judging: Judging,
    running: Running,
    format: Report = "table",
    output: PageFile = None,
    quiet: Quiet = False,
    given: Annotated[dict[str, Any], OfLosses(OF_COMPARISONS)],
) -> int:
    """Say whether one model is better than another: row for row, with an interval.

    The difference is the mean of B's loss minus A's: below 0, B is better.

    "worse": the whole interval is above the margin.

    "better": the whole interval is below 0.

    "better or equal": none of it is above the margin.

    "inconclusive": neither; more rows are needed.

    "undefined": both models have infinite losses; exit code 3.

    What rounding alone may change is no difference.
    """
    from losscli.analysis.compare import Terms, compare_all
    from losscli.cli.delivery import WITH_PAGE, ReportDelivery
    from losscli.lookup.names import elsewhere
    from losscli.lookup.spec import single
    from losscli.render.compare import decided, laid_out

    terms = Terms(**judging._asdict(), top=top, fail_if=fail_if)
    running = running.begun(quiet)
    targets = targets_of("compare", spec, models, targets, given)
    if len(models) < 2:
        raise UsageError(f"compare {spec} {models[0]}: one model; name two or more, then --targets TARGETS")
    asked = dict(given)
    library, typed = library_of(spec, given)
    request = requested(single(spec), models[0], targets, given)
    with running.shown() as shown, ReportDelivery(format, output, WITH_PAGE) as delivery:
        found = compare_all(request, models, terms, running.threads, shown.looking, shown.start, shown, library, typed)
        shown.wipe()
        delivery.keep_apart(found.files)
        cures = _cures(found, spec, models, targets, asked, judging, fail_if)
        warned = [f"warning: {fact}" for fact in found.infinite_losses()]
        # An error has the last cure itself: a command line is whole on a terminal where a message ends with it.
        say([*found.notes, *elsewhere(spec), *(cures[:-1] if found.undefined else [*warned, *cures])], quiet)
        delivery.deliver(
            found.to_dict,
            lambda digits: laid_out(found, digits),
            last=decided(found),
            page=lambda: _page(found, request.loss, [*found.notes, *warned, *cures]),
        )
    if found.undefined:
        raise DataError("; ".join([*found.infinite_losses(), *cures[-1:]]))
    return Exit.UNMET if found.fails() else Exit.OK


def _page(found: "Compared", loss: "BoundLoss", notes: "Sequence[str]") -> "Page":
    """Return a comparison as a page for a browser."""
    from losscli.cli.pages import as_findings, page_of
    from losscli.measurement.receipt import signature
    from losscli.render.compare import laid_out, lead
    from losscli.render.text import IN_MARKDOWN

    words, why, mood = lead(found)
    receipt = found.first.measurement.receipt
    title, facts, tables = laid_out(found, IN_MARKDOWN)
    others = found.comparisons[0].model if len(found.comparisons) == 1 else f"{len(found.comparisons)} models"
    return page_of(
        (f"{title}: {others} against {found.first.name}", facts, tables),
        (words, why),
        pictures=_pictures(found, loss),
        findings=as_findings(notes),
        receipt=receipt,
        signature=signature(receipt),
        mood=mood,
    )


def _pictures(found: "Compared", loss: "BoundLoss") -> "list[Picture]":
    """Return the pictures of a page: for each model its differences from the first one, unless losses are infinite."""
    from losscli.cli.pages import drawn
    from losscli.lookup.spec import spec
    from losscli.plots import compare as picture
    from losscli.render.compare import lettered

    def differences(letter: str, one: "Comparison") -> "Picture":
        return drawn(
            f"{letter} against A",
            f"Differences of the losses of {one.model} and {found.first.name}, row for row: {one.wins:,} rows of {one.samples:,} are "
            f"better, {one.losses:,} worse; the losses of both; and the mean difference of each class, if there are classes.",
            lambda look: picture.draw(one, spec(loss), found.terms, look, ""),
        )

    return [differences(letter, one) for letter, one in lettered(found) if one.infinite is None]


def _cures(
    found: "Compared",
    spec: str,
    models: list[str],
    targets: str,
    given: dict[str, Any],
    judging: Judging,
    fail_if: str | None,
) -> list[str]:
    """Return the complete command lines that compare models with infinite losses: clipped, and by a bounded loss."""
    from losscli.lookup.names import find
    from losscli.wording import short

    more = {
        name: short(float(value)) for name, value in judging._asdict().items() if value != Judging._field_defaults[name]
    }
    more |= {} if fail_if is None else {"fail-if": fail_if}
    lines = []
    if found.clipping is not None:
        line = command_line("compare", [spec, *models], {"targets": targets, **given, **more, "as": found.clipping})
        lines.append(f"clipped as {found.clipping} does: {line}")
    if found.bounded is not None:
        family = find(found.bounded).family
        kept = {name: value for name, value in given.items() if name != "as" and OF_COMPARISONS[name].when(family)}
        line = command_line("compare", [found.bounded, *models], {"targets": targets, **kept, **more})
        lines.append(f"by a bounded loss: {line}")
    return lines
