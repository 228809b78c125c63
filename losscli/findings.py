"""Findings: what may be wrong with files although there is a number, or why there is none, each under a code."""

from collections.abc import Iterable

from losscli.records import NamedTuple

ERROR, WARNING, NOTE = "error", "warning", "note"

ERRORS = {
    "unusable": "files that cannot be read as what they are for",
    "rows-differ": "files of different numbers of rows",
    "doubtful-columns": "columns that are probably not what they would be taken for, or a first row that may be a header",
    "names-differ": "columns with other names than those that they should meet",
    "empty-ids": "rows without an id",
    "duplicate-ids": "ids that are there more than once",
    "unmatched-ids": "ids without a row in another file",
    "empty-labels": "rows without a label",
    "label-not-a-class": "labels that are no class",
    "label-out-of-range": "class indices beyond the classes",
    "targets-not-probabilities": "soft targets that are not in [0, 1], or do not sum to 1",
    "nan-predictions": "predictions that are NaN",
    "nan-targets": "targets that are NaN",
    "outside-domain": "numbers that the loss does not take",
    "bad-weights": "weights that are negative or not finite",
    "not-probabilities": "numbers that are no probabilities, although --from says so",
    "row-sums": "rows whose probabilities do not sum to 1; a warning without --from probs",
    "undefined-loss": "rows whose loss is undefined",
}
WARNINGS = {
    "double-softmax": "probabilities that are read as logits, so that softmax is applied twice",
    "double-sigmoid": "probabilities that are read as logits, so that the sigmoid is applied twice",
    "unsigned-scores": "scores in [0, 1] for a loss that takes their sign for the prediction",
    "labels-unrelated": "a loss no better than with shuffled labels",
    "labels-shifted": "labels that fit the row before or after theirs, or the class before or after theirs",
    "labels-permuted": "labels that fit the predictions of another class each",
    "float16-overflow": "values that float16 could not hold",
    "saturated-probabilities": "probabilities of exactly 0 or 1",
    "infinite-loss": "rows whose loss is infinite, as where a loss divides by a target of 0, for other reasons than the two above",
    "no-alignment": "sequences of more labels than their time steps can hold, whose loss is infinite",
    "infinite-predictions": "predictions that are infinite; a note where all are -inf, which masks what cannot be",
    "constant-predictions": "the same prediction for every row",
    "one-class-predicted": "one class predicted for every row",
    "duplicate-rows": "rows of predictions that are equal to an earlier one, where that is not natural",
    "id-as-prediction": "a column that looks like an index or ids, and is taken for predictions",
    "nothing-compared": "lists of one item, relevances that are all 0, or a single row, for losses that compare items or rows",
    "same-data": "predictions and targets that are the same data",
    "keys-in-another-order": "a column of both files that nothing uses, with the same values in other rows",
}
NOTES = {
    "log-probabilities": "log-probabilities that are read as logits, which makes no difference",
    "classes-unseen": "classes that no row has",
}
CODES = ERRORS | WARNINGS | NOTES
"""Code of a finding -> its subject."""


class Finding(NamedTuple):
    """A finding: its code in CODES, its severity, the fact, the first few places, and what to do."""

    code: str
    severity: str
    message: str
    places: tuple[str, ...] = ()
    cure: str = ""

    def line(self) -> str:
        """Return the finding in one line, as warnings on standard error show it."""
        return f"{self.code}: {self.message}" + (f"; {self.cure}" if self.cure else "")


def warned(findings: Iterable[Finding]) -> list[str]:
    """Return findings as notes of a command that computes or draws nevertheless."""
    return [f"warning: {finding.line()}" for finding in findings]
