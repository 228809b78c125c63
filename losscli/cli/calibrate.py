"""`losscli calibrate PREDICTIONS TARGETS`: a calibration, and what predictions score before and after it."""

from contextlib import ExitStack
from typing import Annotated, Any, NamedTuple

import typer

from losscli.analysis.words import CalibrationMethod
from losscli.cli.command import command, say
from losscli.cli.options.declare import LOSS, WRITING, OfLosses, option
from losscli.cli.options.files import ClassPredictions, ClassTargets
from losscli.cli.options.losses import (
    OF_COLUMNS,
    READ,
    From,
    activation_option,
    bins_option,
    fields,
    method_option,
    only,
    reliability_option,
)
from losscli.cli.options.output import ListFormat, Quiet, output_option
from losscli.cli.options.running import Running, seed_option
from losscli.definition.words import ActivationName, ReliabilityForm
from losscli.errors import DataError, Exit, UsageError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Fitting(NamedTuple):
    """What is fitted, and how calibration is measured."""

    method: Annotated[
        CalibrationMethod,
        method_option(
            "temperature: one T; platt: a and b of sigmoid(a s + b), s the file's number; isotonic: steps that never fall. "
            "platt and isotonic calibrate each class by itself, and divide by the sum, as scikit-learn's CalibratedClassifierCV.",
            LOSS,
        ),
    ] = "temperature"
    bias: Annotated[
        bool,
        option(
            "--bias",
            panel=LOSS,
            show_default=False,
            help="With a temperature, fit a bias a class too: softmax(z / T + b).",
        ),
    ] = False
    bins: Annotated[int, bins_option("Bins of ECE, from 1 to 1000.", LOSS)] = 15
    seed: Annotated[int, seed_option("Of the draws that ECE's band for calibrated models comes from.", LOSS)] = 0


@command(app)
def calibrate(
    predictions: ClassPredictions,
    targets: ClassTargets,
    *,
    prediction_kind: From = "logits",
    activation: Annotated[ActivationName | None, activation_option(OF_COLUMNS)] = None,
    reliability_of: Annotated[ReliabilityForm | None, reliability_option("ECE and its bins", LOSS)] = None,
    fitting: Fitting,
    apply: Annotated[
        str | None,
        option(
            "--apply",
            metavar="OTHER",
            panel=WRITING,
            help="Predictions of the same model to calibrate, such as those of a test set; they need no targets. With --output.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        output_option("The calibrated predictions of OTHER, or of PREDICTIONS, as what --from says: .npy or .csv."),
    ] = None,
    given: Annotated[dict[str, Any], OfLosses(only(*READ, "sample-weight"))],
    format: ListFormat = "table",
    quiet: Quiet = False,
    running: Running,
) -> int:
    """Fit the temperature T of softmax(z / T), Platt scaling or isotonic regression to labels.

    Shows cross-entropy, Brier score, ECE and accuracy before and after.

    A temperature divides logits, and logarithms of probabilities.

    Fit on rows that the model was not trained on, and --apply to others.
    """
    from losscli.analysis.calibration.apply import Recalibrated
    from losscli.analysis.calibration.fit import Terms
    from losscli.analysis.calibration.fit import calibrate as fitted
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.cli.delivery import show
    from losscli.definition.request import Request
    from losscli.render.calibrate import calibrated

    running = running.begun(quiet)
    if apply is not None and output is None:
        raise UsageError(f"--apply {apply}: where shall its calibrated predictions go? Say --output FILE")
    request = Request(
        likelihood(None),
        predictions,
        targets,
        prediction_kind=prediction_kind,
        activation=activation,
        reliability_of=reliability_of,
        **fields(given),
    )
    with ExitStack() as stack:
        shown = stack.enter_context(running.shown())
        written = None if output is None else stack.enter_context(Recalibrated(output, apply))
        opened = (lambda measurement: None) if written is None else written.open
        found = fitted(request, Terms(*fitting), running.threads, shown.looking, opened, shown.start, shown)
        shown.wipe()
        notes = found.notes
        if written is not None:
            if found.fit.limit is not None:
                raise DataError(found.notes[-1].removeprefix("warning: ") + f"; {output} is not written")
            notes = [*notes, *written.write(found.map)]
        say(notes, quiet)
    show(format, found.to_dict, lambda screen: calibrated(found, screen))
    return Exit.OK
