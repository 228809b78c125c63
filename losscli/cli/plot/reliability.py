"""`losscli plot reliability PREDICTIONS TARGETS`: how often predictions come true against how probable they are."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from losscli.analysis.words import Binning, CalibrationMethod
from losscli.cli.command import say
from losscli.cli.options.declare import OfLosses, option
from losscli.cli.options.files import ClassPredictions, ClassTargets
from losscli.cli.options.losses import (
    OF_COLUMNS,
    OF_DIALECTS,
    activation_option,
    bins_option,
    fields,
    method_option,
    only,
    reliability_option,
)
from losscli.cli.options.picture import Looks, Picture, Quiet
from losscli.cli.options.running import Cluster, computing
from losscli.cli.plot.delivery import PlotDelivery, named
from losscli.definition.words import ActivationName, ReliabilityForm

if TYPE_CHECKING:
    from losscli.analysis.calibration.reliability import Reliability
    from losscli.definition.request import Request
    from losscli.measurement.measure import Measurement
    from losscli.plots.reliability import Change

COMMAND = "losscli plot reliability {} -o reliability.png"
"""How the command is typed, for messages."""
WORDS = (
    "from",
    "id",
    "on-unmatched",
    "classes",
    "label-base",
    "class-axis",
    "shift",
    "mask",
    "columns",
    "header",
    *OF_DIALECTS,
    "dtype",
    "ignore-index",
)


def reliability(
    predictions: ClassPredictions,
    targets: ClassTargets,
    output: Picture = None,
    *,
    bins: Annotated[int, bins_option("How many bins, from 1 to 1000.")] = 15,
    binning: Annotated[
        Binning,
        option("--binning", help="Bins of equal width from 0 to 1, or of equal mass: as many rows in each."),
    ] = "width",
    reliability_of: Annotated[ReliabilityForm | None, reliability_option("points and ECE", None)] = None,
    activation: Annotated[ActivationName | None, activation_option(OF_COLUMNS, None)] = None,
    calibrate: Annotated[
        bool,
        option(
            "--calibrate",
            show_default=False,
            help="Before and after the calibration that losscli calibrate fits to these very rows.",
        ),
    ] = False,
    method: Annotated[
        CalibrationMethod | None,
        method_option("Draw --calibrate by a temperature (default), platt or isotonic.", show_default=False),
    ] = None,
    given: Annotated[dict[str, Any], OfLosses(only(*WORDS))],
    looks: Looks,
    cluster: Cluster = None,
    quiet: Quiet = False,
) -> None:
    """Draw how often predictions come true against how probable they are said to be.

    One score per row: the fraction of positives against p(positive). Several classes: accuracy against confidence, the
    probability of the predicted class.

    ECE, the expected calibration error: the mean over the rows of the distance from the diagonal of their bin.
    """
    from losscli.analysis.calibration.fit import check_bins
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.definition.request import Request

    check_bins(bins)
    look = looks.look()
    request = Request(
        likelihood(None), predictions, targets, activation=activation, reliability_of=reliability_of, **fields(given)
    )
    with PlotDelivery("reliability", output, look) as delivery, computing(cluster):
        from losscli.plots import reliability as picture

        calibrated = calibrate or method is not None
        measure = partial(_calibrated, method or "temperature") if calibrated else _as_it_is
        measurement, notes, found, change = measure(request, bins, binning, delivery)
        about = f"{named(predictions, targets)} | from {request.prediction_kind} | bins (low, high], {found.describe()}"
        if measurement.job.several:
            about += " | each output of a row counts as a sample"
        if change is not None:
            about += f" | {change.words}"
        drawn = delivery.publish(
            lambda: picture.draw(found, look, about, change), f"ECE {found.error!r} of {found.of_what} | {about}"
        )
    say([*notes, *drawn], quiet)


Measured = tuple["Measurement", list[str], "Reliability", "Change | None"]
"""The measurement, notes for the user, the bins, and how a calibration changes them, if there is one."""


def _as_it_is(request: "Request", bins: int, binning: Binning, delivery: PlotDelivery) -> Measured:
    """Measure the bins of the predictions as they are."""
    from losscli.analysis.calibration.fit import prepared_for, telling_of_several_labels
    from losscli.analysis.calibration.judged import JudgedAsTheyAre
    from losscli.analysis.calibration.reliability import Reliability
    from losscli.analysis.calibration.scores import Confidences
    from losscli.engine.collectors.calibration_bins import Judge, of_positive

    with telling_of_several_labels(request, COMMAND):
        measurement = prepared_for(request)
        positive = of_positive(measurement.job, request.reliability_of)
        delivery.keep_apart(measurement.files)
        notes = measurement.notes
        measurement.observe(JudgedAsTheyAre(bins, Judge(positive)))
        groups = measurement.run().aggregate[Confidences].groups()
        found = Reliability.of_groups(groups, bins, binning, positive)
    return measurement, notes, found, None


def _calibrated(
    method: "CalibrationMethod", request: "Request", bins: int, binning: Binning, delivery: PlotDelivery
) -> Measured:
    """Measure the bins before and after a calibration, which is fitted to these rows."""
    from losscli.analysis.calibration.fit import Terms, calibrate
    from losscli.plots.reliability import Change

    terms = Terms(method, bins=bins)
    made = calibrate(request, terms, opened=lambda measurement: delivery.keep_apart(measurement.files), command=COMMAND)
    band = made.after.to_dict(made.seed)["ece"][binning]["band"]
    change = Change(made.after.reliability(binning), made.name, made.fit.limit, band)
    return made.measurement, made.notes, made.before.reliability(binning), change
