"""A calibration as a table: scores before and after."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_args

from losscli.analysis.calibration.maps import Isotonic, Platt
from losscli.analysis.words import Binning
from losscli.render.check import CLASSES_SHOWN
from losscli.render.screen import Screen, whole
from losscli.render.table import Table, laid_out
from losscli.render.text import facts_in, number, signed
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.analysis.calibration.fit import Calibrated


def calibrated(found: "Calibrated", screen: Screen) -> str:
    """Return the table of `losscli calibrate`: the fit, then the scores before and after it."""
    digits = screen.digits
    record = found.to_dict()
    biases = record.get("bias")
    facts = _fit(found, record, digits)
    if biases is not None:
        shown = [f"{whole(name)}: {number(value, digits)}" for name, value in biases.items()]
        rest = f", ... {len(shown) - CLASSES_SHOWN:,} more" if len(shown) > CLASSES_SHOWN else ""
        facts.append(("bias", ", ".join(shown[:CLASSES_SHOWN]) + rest))
    ignored = f" ({record['ignored']:,} ignored)" if record["ignored"] else ""
    facts.append(("samples", f"{record['samples']:,}{ignored}"))
    facts.append(("scores", f"of {record['scored_on']}, so those after are optimistic; --apply calibrates others"))
    styles = {"NOT CONVERGED": "bold red", "T ->": "bold red"}
    lines = facts_in(facts, screen, lambda _, value: next((styles[word] for word in styles if word in value), ""))
    lines += laid_out(Table("", _scores(record, digits), prose=("",), numbers=("before", "after")), screen, str)
    return "\n".join([*lines, *signed(record["signature"], screen), ""])


def _fit(found: "Calibrated", record: Mapping[str, Any], digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about what was fitted."""
    job, fit = found.measurement.job, found.fit
    binary = len(job.predictions.shape) == 1 or job.several
    logits = record["from"] == "logits"
    outcome = fit.limit or ("converged" if fit.converged else "NOT CONVERGED")
    fitted = ("fit", f"{outcome}, {count(fit.iterations, 'step')}")
    if isinstance(found.map, Isotonic):
        levels = _listed(found, [f"{steps.levels:,}" for steps in found.map.steps])
        facts = [("isotonic", f"steps of {'the logit' if logits else 'p'}"), ("levels", levels)]
    elif isinstance(found.map, Platt):
        pairs = zip(found.map.a.tolist(), found.map.b.tolist(), strict=True)
        numbers = _listed(found, [f"{number(a, digits)}, {number(b, digits)}" for a, b in pairs])
        about = f"sigmoid(a s + b), s: {'the logit' if logits else 'p'}; to Platt's smoothed targets"
        facts = [("platt", about), ("a, b", numbers), fitted]
    else:
        formula = f"{'sigmoid' if binary else 'softmax'}(z / T{'' if record.get('bias') is None else ' + b'})"
        z = "the logits" if logits else "log(p / (1 - p))" if binary else "log p"
        return [("temperature", f"{number(found.temperature, digits)} ({formula}, z: {z})"), fitted]
    return facts if binary else [*facts, ("classes", "each against the rest, then divided by the sum of the row")]


def _listed(found: "Calibrated", texts: list[str]) -> str:
    """Return a text for each column of the predictions, with its name where there are several."""
    if len(texts) == 1:
        return texts[0]
    named = [f"{whole(name)}: {text}" for name, text in zip(found.columns(), texts, strict=True)]
    rest = f"; ... {len(named) - CLASSES_SHOWN:,} more" if len(named) > CLASSES_SHOWN else ""
    return "; ".join(named[:CLASSES_SHOWN]) + rest


def _scores(record: Mapping[str, Any], digits: int | None) -> list[dict[str, str]]:
    """Return one row per score, with columns for before and after the calibration."""
    sides = {name: record[name] for name in ("before", "after")}

    def row(title: str, of: Callable[[Any], str]) -> dict[str, str]:
        return {"": title, **{name: of(scores) for name, scores in sides.items()}}

    rows = [
        row("cross-entropy", lambda scores: number(scores["cross_entropy"], digits)),
        row(f"Brier score, {record['brier_formula']}", lambda scores: number(scores["brier"], digits)),
    ]
    for binning in get_args(Binning):
        bins = " to ".join(dict.fromkeys(f"{scores['ece'][binning]['bins']}" for scores in sides.values()))
        rows.append(
            row(
                f"ECE of {record['ece_of']}, {bins} {'bin' if bins == '1' else 'bins'} of equal {binning}",
                lambda scores, binning=binning: number(scores["ece"][binning]["value"], digits),  # type: ignore[misc]
            )
        )
        rows.append(
            row(
                f"  95 % of calibrated models, equal {binning}",
                lambda scores, binning=binning: " to ".join(f"{end:.4f}" for end in scores["ece"][binning]["band"]),  # type: ignore[misc]
            )
        )
    if "classwise_ece" in record["before"]:
        title = "classwise ECE, bins of equal width"
        rows.append(row(title, lambda scores: number(scores["classwise_ece"], digits)))
    rows.append(row("accuracy", lambda scores: number(scores["accuracy"], digits)))
    return rows
