"""Platt scaling and isotonic regression of files: each column of the predictions by itself, with the scores before and after."""

import math
from typing import TYPE_CHECKING

import numpy as np

from losscli.analysis.calibration.columns import INFINITE, Extent, Extents
from losscli.analysis.calibration.isotonic import Keep, KeptRows
from losscli.analysis.calibration.judged import Judged
from losscli.analysis.calibration.maps import CalibrationMap, Isotonic, Platt, Tempered
from losscli.analysis.calibration.platt import PlattLook, Slope, fit_platt
from losscli.analysis.calibration.scores import Scores
from losscli.analysis.calibration.temperature import Fit, Point
from losscli.errors import DataError
from losscli.measurement.class_labels import group_names
from losscli.wording import count, listing

if TYPE_CHECKING:
    from losscli.analysis.calibration.fit import Rounds, Terms
    from losscli.arrays import Array
    from losscli.measurement.measure import Measurement

MOST_KEPT = 1 << 28
"""Number of scores up to which isotonic regression keeps them: 2 GiB."""


def one_vs_rest(rounds: "Rounds", terms: "Terms") -> tuple[Fit, CalibrationMap, Scores, Scores, list[str]]:
    """Return the fit of a method, the map, the scores before and after it, and notes for the user.

    Raises
    ------
    DataError
        if a column has rows of one label only, if Platt scaling meets an infinite score, or isotonic regression too many scores.
    """
    measurement, isotonic = rounds.measurement, terms.method == "isotonic"
    job = measurement.job
    kind, several = job.extras.prediction_kind, job.several
    if isotonic and (size := math.prod(job.predictions.shape)) > MOST_KEPT:
        raise DataError(
            f"{job.predictions.name}: {size:,} scores, and isotonic regression keeps {MOST_KEPT:,} at most; fit it to a part of "
            "the rows, and calibrate all of them with --apply"
        )
    before_map = Tempered(kind, several, Point())
    judged = Judged(before_map, terms.bins, rounds.positive)
    first = rounds.collected(judged, Extents(), *([Keep()] if isotonic else []))
    before = first.get(Scores)
    extent = first.get(Extent)
    if before is None or extent is None or not before.rows:
        raise DataError(f"{job.predictions.name}: no row of a weight is left; a calibration by nothing is undefined")
    _refuse_one_label(measurement, extent)
    if isotonic:
        found: CalibrationMap = Isotonic(kind, several, first[KeptRows].steps())
        solution = Fit(Point(), True, 0)
    else:
        _refuse_infinite(measurement, extent)
        a, b, converged, iterations = fit_platt(lambda look: _slope(rounds, look), extent)
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise DataError(
                f"{job.predictions.name}: the scores of a column are too near to each other for a slope that float64 holds; multiply "
                "them all by one number first"
            )
        found, solution = Platt(kind, several, a, b), Fit(Point(), converged, iterations)
    after = rounds.collected(Judged(found, terms.bins, rounds.positive))[Scores]
    notes = _notes(measurement, found, extent, solution)
    if after.value > before.value:
        notes.append(
            f"warning: {job.predictions.name}: cross-entropy is higher after than before, even on the rows of the fit; --method "
            "temperature never is"
        )
    return solution, found, before, after, notes


def _slope(rounds: "Rounds", look: PlattLook) -> Slope:
    """Make a pass and return what a step of Newton's method needs."""
    return rounds.collected(look)[Slope]


def _refuse_one_label(measurement: "Measurement", extent: Extent) -> None:
    """Raise a DataError if all rows of a column have the same label, from which nothing can be learnt about its scores."""
    job = measurement.job
    alone = (extent.weight == 0).any(axis=0)
    if not alone.any():
        return
    if len(job.predictions.shape) == 1:
        label = group_names(job, measurement.decoded)[int(extent.weight[1, 0] > 0)]
        fact = f"every row is of class {label!r}"
    else:
        names = [name for name, one in zip(group_names(job, measurement.decoded), alone, strict=True) if one]
        what = ("output", "outputs") if job.several else ("class", "classes")
        fact = f"all rows are alike in {count(len(names), *what)} of {len(alone)} ({listing(names)})"
    raise DataError(
        f"{job.targets.name}: {fact}; Platt scaling and isotonic regression need rows of both kinds: give a file with both, or use "
        "--method temperature"
    )


def _refuse_infinite(measurement: "Measurement", extent: Extent) -> None:
    """Raise a DataError if a score is infinite, which a straight line does not reach."""
    if not extent.infinite:
        return
    number, places = extent.infinite.found[INFINITE]
    name = measurement.job.predictions.place(places[0][0])
    rows = f" ({count(number, 'row')} like this)" if number > 1 else ""
    raise DataError(
        f"{name}: an infinite score{rows}, and Platt scaling is linear in the score; give probabilities with --from probs, or use "
        "--method isotonic"
    )


def _notes(measurement: "Measurement", found: CalibrationMap, extent: Extent, solution: Fit) -> list[str]:
    """Return what is remarkable about a map: warnings, and how far its scores can be believed."""
    name, job = measurement.job.predictions.name, measurement.job
    names = group_names(job, measurement.decoded)
    names = names[1:] if len(job.predictions.shape) == 1 else names

    def where(columns: "Array") -> str:
        if len(names) == 1:
            return ""
        return f" in {listing([one for one, there in zip(names, columns, strict=True) if there])}"

    notes = []
    if extent.constant.any():
        notes.append(
            f"warning: {name}: all rows have the same score{where(extent.constant)}, and so get the same probability; are these "
            "the model's predictions?"
        )
    separated = extent.separated & ~extent.constant
    if isinstance(found, Isotonic):
        steps = ", ".join(f"{one.levels:,}" for one in found.steps[:5]) + (" ..." if len(found.steps) > 5 else "")
        notes.append(
            f"the scores after are of the rows of the fit, which isotonic regression follows closely (levels: {steps}): they are too good, "
            "and ECE after is near 0 whatever the rows; judge it on other rows, with losscli calibrate --apply OTHER -o FILE"
        )
        flat = np.array([one.levels == 1 for one in found.steps]) & ~extent.constant
        if flat.any():
            notes.append(
                f"warning: {name}: one level for all scores{where(flat)}: nowhere does a higher score make it more probable; do the "
                "labels belong to these rows? losscli check says more"
            )
        certain = sum(float(one.y[0]) == 0 or float(one.y[-1]) == 1 for one in found.steps)
        if certain:
            notes.append(
                f"at its ends the map is exactly 0 or 1{_of_columns(certain, len(found.steps))}, so that cross-entropy may be infinite on "
                "other rows; --method platt never is"
            )
        return notes
    assert isinstance(found, Platt)
    if separated.any():
        warning = "warning: " if len(names) == 1 else ""  # of several classes some are easy
        notes.append(
            f"{warning}{name}: a score divides the labels without error{where(separated)}: a would grow without limit, but for Platt's "
            "smoothed targets, so that it says more about the number of rows than about the model; fit on rows that the model has not learnt"
        )
    falling = (found.a < 0) & ~extent.constant
    if falling.any():
        notes.append(
            f"warning: {name}: a < 0{where(falling)}: the higher the score, the less probable it becomes; do the labels belong to these "
            "rows? losscli check says more"
        )
    if not solution.converged:
        notes.append(
            f"warning: {name}: the fit has not converged after {count(solution.iterations, 'step')}; look at the predictions with "
            "losscli check"
        )
    return notes


def _of_columns(number: int, all_of_them: int) -> str:
    """Return of how many columns something is said, or nothing if there is one."""
    return "" if all_of_them == 1 else f" in {number:,} of {count(all_of_them, 'column')}"
