"""`losscli plot reliability PREDICTIONS TARGETS`: confidence against accuracy."""

from typing import TYPE_CHECKING, Annotated, Any

from losscli.analysis.words import Binning
from losscli.cli.command import say
from losscli.cli.options.declare import OfLosses, option
from losscli.cli.options.files import ClassPredictions, ClassTargets
from losscli.cli.options.losses import OF_DIALECTS, bins_option, fields, only
from losscli.cli.options.picture import Looks, Picture, Quiet
from losscli.cli.options.running import Cluster, computing
from losscli.cli.plot.gallery import Gallery

if TYPE_CHECKING:
    from losscli.analysis.calibration.reliability import Reliability
    from losscli.definition.request import Request
    from losscli.measurement.measure import Measurement
    from losscli.plots.reliability import Change

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
    output: Picture,
    *,
    bins: Annotated[int, bins_option("How many bins, from 1 to 1000.")] = 15,
    binning: Annotated[
        Binning,
        option("--binning", help="Bins of equal width from 0 to 1, or of equal mass: as many rows in each."),
    ] = "width",
    calibrate: Annotated[
        bool,
        option(
            "--calibrate",
            show_default=False,
            help="Before and after calibration by the temperature that losscli calibrate fits to these very rows.",
        ),
    ] = False,
    given: Annotated[dict[str, Any], OfLosses(only(*WORDS))],
    looks: Looks,
    cluster: Cluster = None,
    quiet: Quiet = False,
) -> None:
    """Draw confidence against accuracy: whether predictions are as often right as they claim.

    Confidence is the probability of the predicted class, the likeliest one.

    ECE, the expected calibration error: the mean over the rows of |accuracy - confidence| of their bin.
    """
    from losscli.analysis.calibration.fit import check_bins
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.definition.request import Request

    check_bins(bins)
    look = looks.look()
    request = Request(likelihood(None), predictions, targets, **fields(given))
    with Gallery(output, look) as gallery, computing(cluster):
        from losscli.plots import reliability as picture

        measure = _calibrated if calibrate else _as_it_is
        measurement, notes, found, change = measure(request, bins, binning, gallery)
        names = f"{measurement.job.predictions.name}, {measurement.job.targets.name}"
        about = f"{names} | from {request.prediction_kind} | bins (low, high], {found.describe()}"
        if change is not None:
            about += f" | {change.words}"
        drawn = gallery.publish(lambda: picture.draw(found, look, about, change), f"ECE {found.error!r} | {about}")
    say([*notes, *drawn], quiet)


Measured = tuple["Measurement", list[str], "Reliability", "Change | None"]
"""The measurement, notes for the user, the bins, and how a calibration changes them, if there is one."""


def _as_it_is(request: "Request", bins: int, binning: Binning, gallery: Gallery) -> Measured:
    """Measure the bins of the predictions as they are."""
    from losscli.analysis.calibration.fit import refuse_soft
    from losscli.analysis.calibration.reliability import Reliability
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.engine.collectors.calibration_bins import Judge, Verdicts
    from losscli.measurement.prepare import prepare

    measurement = prepare(request, choose=likelihood)
    gallery.keep_apart(measurement.files)
    notes = measurement.notes
    refuse_soft(measurement.job)
    measurement.observe(Judge())
    return measurement, notes, Reliability.of(measurement.run().aggregate[Verdicts], bins, binning), None


def _calibrated(request: "Request", bins: int, binning: Binning, gallery: Gallery) -> Measured:
    """Measure the bins before and after a calibration, which is fitted to these rows."""
    from losscli.analysis.calibration.fit import calibrate
    from losscli.plots.reliability import Change

    made = calibrate(request, bins=bins, opened=lambda measurement: gallery.keep_apart(measurement.files))
    band = made.after.to_dict(made.seed)["ece"][binning]["band"]
    change = Change(made.after.reliability(binning), made.temperature, made.fit.limit, band)
    return made.measurement, made.notes, made.before.reliability(binning), change
