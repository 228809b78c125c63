"""`losscli compute LOSS ... --plus [W*]SPEC`: the weighted sum of several losses of the same files, with its terms."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from losscli.cli.command import say
from losscli.cli.delivery import ONE_NUMBER, ReportDelivery, say_verdicts
from losscli.cli.options.losses import options_for
from losscli.cli.options.output import Wanted
from losscli.cli.options.running import Running
from losscli.definition.request import Request
from losscli.errors import Exit, UsageError
from losscli.io.writers import suffix_of
from losscli.measurement.measure import Measurement
from losscli.measurement.sums import Term, names_of, requirements_of, summed
from losscli.render.sums import laid_out
from losscli.render.words import ROW_FORMATS

if TYPE_CHECKING:
    from losscli.cli.loss_command import Typed
    from losscli.definition.loss import BoundLoss


def compute_sum(
    first: "BoundLoss", plus: Sequence[str], values: dict[str, Any], wanted: Wanted, running: Running, typed: "Typed"
) -> int:
    """Compute a loss and the losses of --plus, print their weighted sum with its terms, and return the exit code.

    Parameters
    ----------
    values
        the values of the options that any of the losses takes, and the operands.
    """
    from losscli.lookup.names import elsewhere
    from losscli.lookup.spec import weighted

    _refuse(wanted, values)
    factors = [(1.0, first), *(weighted(text) for text in plus)]
    names = names_of([loss for _, loss in factors])
    requirements = requirements_of(wanted.require, names, [typed.name, *plus])
    needed = wanted.needed(requirements)
    terms, notes = terms_of(factors, names, values, typed, "--plus makes one number", needed)
    with running.shown() as progress, ReportDelivery(wanted.format, wanted.output) as delivery:

        def started(measurements: Sequence[Measurement]) -> None:
            delivery.keep_apart(frozenset().union(*(measurement.files for measurement in measurements)))

        found = summed(terms, running.threads, progress.looking, started, progress.start, progress)
        progress.wipe()
        met = found.judge(requirements)
        say([*notes, *found.notes, *elsewhere(typed.name, *plus)], wanted.quiet)
        delivery.deliver(found.to_dict, lambda digits: laid_out(found, digits), value=lambda: f"{found.value!r}\n")
    if wanted.format == "value":
        sys.stdout.flush()
        say_verdicts(found.requirements)
    return Exit.OK if met else Exit.UNMET


def terms_of(
    factors: "Sequence[tuple[float, BoundLoss]]",
    names: Sequence[str],
    values: dict[str, Any],
    typed: "Typed",
    why: str,
    needed: dict[str, Any],
) -> tuple[list[Term], list[str]]:
    """Return the terms of several losses, each with the options that it takes, and notes about those that it does not.

    Parameters
    ----------
    factors, names
        the weight, the loss and the name of each term.
    values
        the values of the options that any of the losses takes, and the operands.
    why
        why only one library can be named, for the message.
    needed
        the fields of a request that say which statistics are wanted.
    """
    library = _one_library(values.pop("library"), typed, why)
    chosen = options_for([loss.family for _, loss in factors])
    terms, notes = [], []
    for name, (weight, loss) in zip(names, factors, strict=True):
        own = {item.name for item in chosen if item.when(loss.family)}
        request = Request(loss=loss, **{key: value for key, value in values.items() if key in own} | needed)
        terms.append(Term(name, weight, request, library, tuple(sorted(typed.options & own))))
        refused = [item.flag for item in chosen if item.name in typed.options and item.name in values.keys() - own]
        notes += [f"{' and '.join(refused)}: not for {name}, which takes no such option"] if refused else []
    return terms, notes


def _refuse(wanted: Wanted, values: dict[str, Any]) -> None:
    """Raise a UsageError for what a sum does not have: rows of its own, slices, an interval, and a gradient."""
    for option, given in (("--by", values["by"]), ("--interval", values["interval"] is not None)):
        if given:
            raise UsageError(
                f"{option}: --plus makes one number, whose terms may be of other units; say --also in its place, which has slices "
                "and intervals of each loss"
            )
    for option, chosen in (("--per-sample", wanted.per_sample), ("--elements", wanted.elements)):
        if chosen:
            raise UsageError(f"{option}: --plus makes one number, whose terms may be of other units; leave out either")
    if wanted.format in ROW_FORMATS:
        raise UsageError(
            f"--format {wanted.format} is a row per sample, and --plus makes one number; say json or table"
        )
    if wanted.gradient is not None:
        raise UsageError(
            "--gradient is of each unit's loss before weights and reduction, and the terms of --plus may have other units; "
            "take the gradient of each loss by itself"
        )
    if wanted.output is not None:
        suffix_of(wanted.output, tuple(ONE_NUMBER), "--output with --plus")


def _one_library(text: str | None, typed: "Typed", why: str) -> str | None:
    """Return the library of --as, or None without it; raises a UsageError if there are several."""
    if text is None:
        return None
    from losscli.measurement.conventions import parse

    names = parse(text)
    if len(names) > 1:
        raise UsageError(f"--as {text}: {why}; name one library")
    if "over_outputs" in typed.options:
        raise UsageError("--over-outputs does not go together with --as: how outputs add up is the library's affair")
    return names[0]
