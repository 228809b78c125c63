"""A calibration as a table: scores before and after."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_args

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
    single = len(found.measurement.job.predictions.shape) == 1
    outcome = found.fit.limit or ("converged" if found.fit.converged else "NOT CONVERGED")
    biases = record.get("bias")
    formula = f"{'sigmoid' if single else 'softmax'}(z / T{'' if biases is None else ' + b'})"
    logits = "the logits" if record["from"] == "logits" else "log p" if not single else "log(p / (1 - p))"
    facts = [
        ("temperature", f"{number(found.temperature, digits)} ({formula}, z: {logits})"),
        ("fit", f"{outcome}, {count(found.fit.iterations, 'step')}"),
    ]
    if biases is not None:
        shown = [f"{whole(name)}: {number(value, digits)}" for name, value in biases.items()]
        rest = f", ... {len(shown) - CLASSES_SHOWN:,} more" if len(shown) > CLASSES_SHOWN else ""
        facts.append(("bias", ", ".join(shown[:CLASSES_SHOWN]) + rest))
    ignored = f" ({record['ignored']:,} ignored)" if record["ignored"] else ""
    facts.append(("samples", f"{record['samples']:,}{ignored}"))
    styles = {"NOT CONVERGED": "bold red", "T ->": "bold red"}
    lines = facts_in(facts, screen, lambda _, value: next((styles[word] for word in styles if word in value), ""))
    lines += laid_out(Table("", _scores(record, digits), prose=("",), numbers=("before", "after")), screen, str)
    return "\n".join([*lines, *signed(record["signature"], screen), ""])


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
                f"ECE, {bins} {'bin' if bins == '1' else 'bins'} of equal {binning}",
                lambda scores, binning=binning: number(scores["ece"][binning]["value"], digits),  # type: ignore[misc]
            )
        )
        rows.append(
            row(
                f"  95 % of calibrated models, equal {binning}",
                lambda scores, binning=binning: " to ".join(f"{end:.4f}" for end in scores["ece"][binning]["band"]),  # type: ignore[misc]
            )
        )
    rows.append(row("accuracy", lambda scores: number(scores["accuracy"], digits)))
    return rows
