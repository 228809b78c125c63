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
    from losscli.render.text import Laid


def calibrated(found: "Calibrated", screen: Screen) -> str:
    """Return the table of `losscli calibrate`: the fit, then the scores before and after it."""
    record = found.to_dict()
    styles = {"NOT CONVERGED": "bold red", "T ->": "bold red"}
    lines = facts_in(
        _facts(found, record, screen.digits),
        screen,
        lambda _, value: next((styles[word] for word in styles if word in value), ""),
    )
    lines += _columns(record, screen)
    lines += laid_out(_of_scores(record, screen.digits), screen, str)
    return "\n".join([*lines, *signed(record["signature"], screen), ""])


def parts(found: "Calibrated", digits: int | None) -> "Laid":
    """Return a calibration as a title, facts and tables."""
    record = found.to_dict()
    facts = [*_facts(found, record, digits), ("signature", record["signature"])]
    columns = [
        {"column": one["name"]} | _column(one, digits) for one in record["map"].get("columns", [])[:CLASSES_SHOWN]
    ]
    tables = [Table("columns", columns)] if len(columns) > 1 else []
    return "calibrate", facts, [*tables, _of_scores(record, digits)._replace(title="scores")]


def _of_scores(record: Mapping[str, Any], digits: int | None) -> Table:
    """Return the table of the scores before and after the calibration."""
    return Table("", _scores(record, digits), prose=("",), numbers=("before", "after"))


def _facts(found: "Calibrated", record: Mapping[str, Any], digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about a calibration."""
    biases = record.get("bias")
    facts = _fit(found, record, digits)
    if biases is not None:
        shown = [f"{whole(name)}: {number(value, digits)}" for name, value in biases.items()]
        rest = f", ... {len(shown) - CLASSES_SHOWN:,} more" if len(shown) > CLASSES_SHOWN else ""
        facts.append(("bias", ", ".join(shown[:CLASSES_SHOWN]) + rest))
    ignored = f" ({record['ignored']:,} ignored)" if record["ignored"] else ""
    facts.append(("samples", f"{record['samples']:,}{ignored}"))
    facts.append(("scores", f"of {record['scored_on']}, so those after are optimistic; --apply calibrates others"))
    return facts


def _fit(found: "Calibrated", record: Mapping[str, Any], digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about what was fitted; what differs between several columns is in a table of theirs."""
    job, fit, columns = found.measurement.job, found.fit, record["map"].get("columns", [])
    binary = len(job.predictions.shape) == 1 or job.several
    logits = record["from"] == "logits"
    outcome = fit.limit or ("converged" if fit.converged else "NOT CONVERGED")
    fitted = ("fit", f"{outcome}, {count(fit.iterations, 'step')}")
    if record["method"] == "temperature":
        formula = f"{'sigmoid' if binary else 'softmax'}(z / T{'' if record.get('bias') is None else ' + b'})"
        z = "the logits" if logits else "log(p / (1 - p))" if binary else "log p"
        return [("temperature", f"{number(found.temperature, digits)} ({formula}, z: {z})"), fitted]
    if record["method"] == "isotonic":
        facts = [("isotonic", f"steps of {'the logit' if logits else 'p'}")]
    else:
        about = f"sigmoid(a s + b), s: {'the logit' if logits else 'p'}; to Platt's smoothed targets"
        facts = [("platt", about), fitted]
    if not binary:
        facts.append(("classes", "each against the rest, then divided by the sum of the row"))
    return facts + ([*_column(columns[0], digits).items()] if len(columns) == 1 else [])


def _column(column: Mapping[str, Any], digits: int | None) -> dict[str, str]:
    """Return what was fitted to one column, by short names."""
    if "a" in column:
        return {name: number(column[name], digits) for name in ("a", "b")}
    y = column["y"]
    return {"levels": f"{len(set(y)):,}", "from": number(y[0], digits), "to": number(y[-1], digits)}


def _columns(record: Mapping[str, Any], screen: Screen) -> list[str]:
    """Return a table of what was fitted to each of several columns."""
    columns = record["map"].get("columns", [])
    if len(columns) < 2:
        return []
    rows = [{"column": whole(one["name"])} | _column(one, screen.digits) for one in columns[:CLASSES_SHOWN]]
    more = len(columns) - len(rows)
    left = [f"... and {more:,} more columns; -f json has them all"] if more else []
    return [*laid_out(Table("column", rows, numbers=tuple(rows[0])[1:]), screen, str), *left]


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
