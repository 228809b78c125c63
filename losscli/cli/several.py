"""`losscli compute LOSS ... --also SPEC`: more losses of the same files, in the same pass."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.cli.command import say
from losscli.cli.delivery import Delivery, rows_in_form, without_rows
from losscli.cli.options.output import Wanted
from losscli.cli.options.running import Running
from losscli.cli.sums import terms_of
from losscli.engine.evaluate import Rows
from losscli.errors import Exit, UsageError
from losscli.io.sinks import keep_apart
from losscli.io.strict_json import strict_json
from losscli.measurement.measure import Measurement
from losscli.measurement.several import Several, measured, requirements_of
from losscli.measurement.sums import names_of
from losscli.render.compare import verdict_style
from losscli.render.screen import Screen
from losscli.render.several import laid_out, to_value
from losscli.render.table import Table
from losscli.render.text import IN_MARKDOWN, report, report_in_markdown

if TYPE_CHECKING:
    from losscli.cli.loss_command import Typed
    from losscli.definition.loss import BoundLoss


def compute_also(
    first: "BoundLoss", also: Sequence[str], values: dict[str, Any], wanted: Wanted, running: Running, typed: "Typed"
) -> int:
    """Compute a loss and those of --also in one pass, deliver their results, and return the exit code.

    Parameters
    ----------
    values
        the values of the options that any of the losses takes, and the operands.
    """
    from losscli.lookup.names import elsewhere
    from losscli.lookup.spec import single

    _refuse(wanted, values)
    losses = [first, *map(single, also)]
    names = names_of(losses, "--also", "say it once")
    requirements = requirements_of(wanted.require, names, [typed.name, *also])
    needed = wanted.needed(one for _, one in requirements)
    factors, why = [(1.0, loss) for loss in losses], "--also gives each loss its number"
    terms, notes = terms_of(factors, names, values, typed, why, needed)
    of_each = requirements_of(wanted.require_each, names, [typed.name, *also], each=True)
    wanted = wanted.under(values["reduction"])
    with running.shown() as progress, SeveralDelivery(wanted, names) as delivery:
        found = measured(
            terms,
            running.threads,
            progress.looking,
            delivery.begin,
            progress.start,
            progress,
            delivery.consume_together if delivery.needs_rows else None,
        )
        progress.wipe()
        met = found.judge(requirements)
        met = found.judge_each(of_each) and met
        say([*notes, *found.notes, *elsewhere(typed.name, *also)], wanted.quiet)
        delivery.deliver(found)  # type: ignore[arg-type]  # it asks `_text` of this class alone
    return Exit.OK if met else Exit.UNMET


def _refuse(wanted: Wanted, values: dict[str, Any]) -> None:
    """Raise a UsageError for what several losses do not have together."""
    if wanted.gradient is not None:
        raise UsageError("--gradient is of one loss; leave out --also, and take the gradient of each loss by itself")
    if wanted.elements:
        raise UsageError("--elements is of one loss; with --also, say --per-sample, which has a column for each loss")
    if wanted.per_sample and (wanted.format in ("json", "markdown") or str(wanted.output).endswith((".json", ".md"))):
        raise UsageError(
            "--per-sample with --also is a table with a column for each loss; say -f jsonl, csv or tsv, or -o FILE.parquet"
        )
    if str(wanted.output).endswith(".html"):
        raise UsageError(
            f"--output {wanted.output}: a page is of one loss; leave out --also, or say -o FILE.md, which has a column for each loss"
        )
    wanted.check_value(values["reduction"])


class SeveralDelivery(Delivery):
    """Delivers the results of several losses: each number beside the others, and rows with a column for each loss."""

    def __init__(self, wanted: Wanted, names: Sequence[str]) -> None:
        super().__init__(wanted)
        self.names = names

    def begin(self, measurements: Sequence[Measurement]) -> None:
        """Open the outputs."""
        for measurement in measurements:
            if self.output is not None:
                keep_apart(self.output, measurement.files)
        self.open(measurements[0])
        if self.needs_rows:
            self.consume_together([without_rows(one, True, False, False).rows[0] for one in measurements])

    def consume_together(self, together: Sequence[Rows]) -> None:
        """Write the losses of the same units under each of the losses."""
        self.take({form: self._columns(together, form) for form in self.forms})

    def _columns(self, together: Sequence[Rows], form: str) -> dict[str, Any]:
        if form == "losses":
            parts = [rows_in_form(self.measurement, rows, form)["loss"] for rows in together]
            return {"loss": np.stack(parts, axis=-1)}
        columns: dict[str, Any] = {}
        for name, values in rows_in_form(self.measurement, together[0], form).items():
            if name != "loss":
                columns[name] = values
                continue
            for own, rows in zip(self.names, together, strict=True):
                columns[own if own not in columns else f"loss_{own}"] = rows.loss
        return columns

    def _text(self, format: str, result: Any, screen: Screen) -> str:
        found: Several = result
        if format == "value":
            return to_value(found)
        if format == "json":
            return strict_json(found.to_dict(), indent=2) + "\n"
        if format == "markdown":
            return report_in_markdown(*laid_out(found, IN_MARKDOWN))
        _, facts, tables = laid_out(found, screen.digits)
        listed = [*tables, Table("samples", self.rows)] if self.per_sample else tables
        return report(facts, listed, screen, verdict_style)
