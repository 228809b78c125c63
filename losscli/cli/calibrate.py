"""`losscli calibrate PREDICTIONS TARGETS`: a calibration, and what predictions score before and after it."""

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.analysis.words import CalibrationMethod
from losscli.cli.command import about_targets, command, command_line, say
from losscli.cli.options.declare import LOSS, WRITING, OfLosses, option
from losscli.cli.options.files import CalibrationTargets, ClassPredictions
from losscli.cli.options.losses import (
    OF_COLUMNS,
    OF_SUITES,
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
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.analysis.calibration.fit import Calibrated
    from losscli.measurement.measure import Measurement
    from losscli.render.page import Page

OF_TARGETS = ("sample-weight", "mask", "missing", "ignore-index", "shift", "label-base")
"""Options of targets or of a fit, which say nothing about predictions alone."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Fitting(NamedTuple):
    """What is fitted, and how calibration is measured."""

    method: Annotated[
        CalibrationMethod,
        method_option(
            "temperature: one T; platt: a and b of sigmoid(a s + b), s the file's number, or exp of a log-probability; isotonic: steps that never fall. "
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
            help="With a temperature, fit a bias for each class as well: softmax(z / T + b).",
        ),
    ] = False
    bins: Annotated[int, bins_option("Bins of ECE, from 1 to 1000.", LOSS)] = 15
    seed: Annotated[int, seed_option("Of the draws that ECE's band for calibrated models comes from.", LOSS)] = 0


@command(app)
def calibrate(
    predictions: ClassPredictions,
    targets: CalibrationTargets = None,
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
    map: Annotated[
        str | None,
        option(
            "--map",
            metavar="JSON",
            panel=WRITING,
            help="Calibrate PREDICTIONS as before, without TARGETS and a fit: what losscli calibrate -f json has printed. With --output.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        output_option(
            "The calibrated predictions of OTHER, or of PREDICTIONS, as what --from says: .npy or .csv. The result for a browser: .html."
        ),
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
    from losscli.analysis.calibration.apply import Basis, Recalibrated
    from losscli.analysis.calibration.fit import Terms
    from losscli.analysis.calibration.fit import calibrate as fitted
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.cli.delivery import PAGE, ReportDelivery
    from losscli.definition.request import Request
    from losscli.render.calibrate import calibrated, parts

    running = running.begun(quiet)
    if map is not None:
        _nothing_to_fit(map, activation, reliability_of, fitting, given)
        return _mapped(predictions, targets, map, apply, output, prediction_kind, given, quiet)
    if targets is None:
        missing = "Missing argument 'TARGETS'."
        raise UsageError(f"{missing}{about_targets(predictions)} (see losscli calibrate --help)", fact=missing)
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
    page = output if apply is None and output is not None and output.endswith(".html") else None
    with ExitStack() as stack:
        delivery = stack.enter_context(ReportDelivery(format, page, PAGE))
        shown = stack.enter_context(running.shown())
        written = None if output is None or page else stack.enter_context(Recalibrated(output, apply))

        def opened(measurement: "Measurement") -> None:
            if written is not None:
                written.open(Basis.of(measurement))

        found = fitted(request, Terms(*fitting), running.threads, shown.looking, opened, shown.start, shown)
        shown.wipe()
        notes = found.notes
        if written is not None:
            if found.fit.limit is not None:
                raise DataError(found.notes[-1].removeprefix("warning: ") + f"; {output} is not written")
            notes = [*notes, *written.write(found.map)]
        say(notes, quiet)
        delivery.keep_apart(found.measurement.files)
        delivery.deliver(
            found.to_dict,
            lambda digits: parts(found, digits),
            table=lambda screen: calibrated(found, screen),
            page=lambda: _page(found),
        )
    return Exit.OK


def _nothing_to_fit(
    map: str,
    activation: ActivationName | None,
    reliability_of: ReliabilityForm | None,
    fitting: Fitting,
    given: dict[str, Any],
) -> None:
    """Raise a UsageError if an option says how to fit or to measure, where a saved map says what is done."""
    options = {"--activation": activation, "--reliability-of": reliability_of}
    said = [name for name, value in options.items() if value is not None]
    said += [f"--{word}" for word in OF_TARGETS if given.get(word) not in (None, OF_SUITES[word].default)]
    said += [f"--{name}" for name, value in fitting._asdict().items() if value != Fitting._field_defaults[name]]
    if said:
        raise UsageError(
            f"--map {map}: nothing is fitted or measured, and the file says the method; leave out {said[0]}"
        )


def _page(found: "Calibrated") -> "Page":
    """Return a calibration as a page for a browser, with the bins before and after it."""
    from losscli.cli.pages import as_findings, drawn, file_of, page_of
    from losscli.plots import reliability as picture
    from losscli.render.calibrate import parts
    from losscli.render.text import IN_MARKDOWN, number

    before, after = found.before, found.after
    band = after.to_dict(found.seed)["ece"]["width"]["band"]
    change = picture.Change(after.reliability("width"), found.name, found.fit.limit, band)
    shown = drawn(
        "Reliability",
        f"How often predictions come true in each of {before.reliability('width').describe()}, before and after the calibration; "
        "on the diagonal they are as often right as they claim.",
        lambda look: picture.draw(before.reliability("width"), look, "", change),
    )
    scores = found.to_dict()
    lead = f"cross-entropy {number(scores['before']['cross_entropy'], 4)} before, {number(scores['after']['cross_entropy'], 4)} after, of {scores['scored_on']}"
    _, facts, tables = parts(found, IN_MARKDOWN)
    return page_of(
        (f"Calibration of {file_of(found.result.receipt)}", [fact for fact in facts if fact[0] != "signature"], tables),
        (found.name, lead),
        pictures=[shown],
        findings=as_findings(found.notes),
        receipt=found.result.receipt,
        signature=found.result.signature,
    )


def _mapped(
    predictions: str,
    targets: str | None,
    file: str,
    apply: str | None,
    output: str | None,
    prediction_kind: str,
    given: dict[str, Any],
    quiet: bool,
) -> int:
    """Write predictions, calibrated with a map that was saved, and return the exit code."""
    from losscli.analysis.calibration.apply import Basis, Recalibrated
    from losscli.analysis.calibration.saved import read_map
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.definition.request import Request

    words = command_line("calibrate", [predictions], {**given, "map": file, "output": output or "calibrated.csv"})
    if targets is not None or apply is not None:
        raise UsageError(f"--map {file}: nothing is fitted, so there are no TARGETS and no --apply: {words}")
    if output is None:
        raise UsageError(f"--map {file}: where shall the calibrated predictions go? {words}")
    saved = read_map(file)
    kind = saved.map.kind
    if prediction_kind not in ("logits", kind):
        raise UsageError(
            f"--from {prediction_kind}: the map of {file} is of {kind}; leave it out, or give predictions like these"
        )
    request = Request(likelihood(None), predictions, None, prediction_kind=kind, **fields(given))
    basis = Basis(
        request,
        f"the predictions of {file}",
        saved.shape,
        saved.columns,
        saved.map.several,
        frozenset([os.path.realpath(file)]),
    )
    with Recalibrated(output, None) as written:
        written.open(basis)
        notes = written.write(saved.map)
    say(notes, quiet)
    return Exit.OK
