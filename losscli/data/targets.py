"""Targets in every encoding, decoded into the targets that a lift takes.

What the targets are is decided here, once, from the whole file, before any arithmetic. The result is a Source of plain
numbers and a TargetEncoding, a small record that turns a batch of them into a lift's targets.
"""

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import by_name
from losscli.data.columns import Columns
from losscli.data.dataset import LIKELY_IDS
from losscli.data.labels import CENTERS, PREDICTIONS, THRESHOLDS, Holder, as_number, groups, one_a_row, two_names
from losscli.data.target_encoding import SUM_TOLERANCE, DecodedTargets, TargetEncoding, is_ignored
from losscli.definition.loss import Family
from losscli.definition.words import StoredAs, TargetKind
from losscli.errors import DataError, UsageError
from losscli.io.source import ConstantSource, Reshaped, Source, blocks, first_of
from losscli.wording import count, listing, quoted, written


def decode(
    family: Family,
    loss: str,
    predictions: Source,
    targets: Columns | float,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int = 0,
    named: bool = False,
    missing: bool = False,
) -> DecodedTargets:
    """Decide what the targets are, from the whole file.

    Parameters
    ----------
    loss
        name of the loss, for messages.
    predictions
        the predictions; only their shape and names are used.
    targets
        columns, or a constant (losses of numbers, and of labels that are signs).
    classes
        names of the classes, or of the outputs, if they have any.
    k
        number of classes, or of outputs.
    ignore
        label of rows to leave out, or None.
    base
        label of the first class, if labels are indices.
    named
        whether the user says the names of the classes.
    missing
        whether targets of several outputs may be missing: NaN, or the label to leave out.

    Raises
    ------
    DataError
        if this family cannot read the targets, with the first places.
    UsageError
        if an option does not fit the targets.
    """
    if isinstance(targets, float):
        return _constant(family, loss, predictions, targets)
    if family.target_type == "classes" and family.coupled == "rows":
        return groups(loss, targets, ignore)
    if family.target_type == "classes":
        return _of_classes(family, loss, targets, classes, k, ignore, base, named)
    if family.thresholds and (len(targets.shape) == 1 or targets.shape[1] == 1):
        return one_a_row(loss, targets, classes, k, ignore, base, THRESHOLDS, named)
    several = len(predictions.shape) == 2
    if family.target_type in ("signs", "outcomes"):
        targets.hint = _hint_for_text(family, several)
    if family.target_type == "outcomes" and several and len(targets.shape) == 1 and predictions.shape[1] > 1:
        return _one_output_a_row(loss, targets, classes, k, ignore, base, named)
    if base:
        raise UsageError(f"--label-base {base}: {loss} takes no labels from {base} on here; leave it out")
    return _of_outputs(family, loss, predictions, targets, classes, k, ignore, missing)


def _constant(family: Family, loss: str, predictions: Source, number: float) -> DecodedTargets:
    """Decode a number that is the target everywhere; raise a UsageError if it is no label of a loss that takes these."""
    shape = _shape_of_targets(family, predictions)
    stored_as: StoredAs = "signs" if family.target_type == "signs" else "numbers"
    if stored_as == "signs" and number not in (-1, 0, 1):
        raise UsageError(f"{written(number)} is not a target of {loss}, which takes labels in {{0, 1}} or {{-1, 1}}")
    if stored_as == "signs" and family.width == 2:
        _check_order(loss, predictions, number)
    return DecodedTargets(ConstantSource(number, shape, np.dtype(np.float64)), TargetEncoding("constant", stored_as))


def _shape_of_targets(family: Family, predictions: Source) -> tuple[int, ...]:
    """Return the shape of targets that go with predictions of a family."""
    if family.of_vectors:
        from losscli.data.vectors import shape_of_targets

        return shape_of_targets(predictions)
    return predictions.shape[:1] if family.one_target else predictions.shape


def _check_order(loss: str, predictions: Source, number: float) -> None:
    """Raise a DataError if columns are called rejected and chosen, and the constant label says the opposite."""
    names = [name.lower() for name in predictions.columns or ()]
    preferred = 0 if number > 0 else 1
    if len(names) == 2 and "rejected" in names[preferred] and "chosen" in names[1 - preferred]:
        first, second = predictions.columns or ()
        raise DataError(
            f"{predictions.name}: its columns are {first!r} and {second!r}, and the constant {written(number)} says that "
            f"{(first, second)[preferred]!r} is preferred in {loss}; say {preferred} instead"
        )


def _hint_for_text(family: Family, several: bool) -> str:
    """Return what to do if targets that are signs or outcomes are words; `several` says that a row has several outputs."""
    hint = "; code the labels as 0 and 1, or as -1 and 1"
    return f"{hint}, or say --classes NEGATIVE,POSITIVE" if family.takes_classes and not several else hint


def _one_output_a_row(
    loss: str,
    targets: Columns,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int,
    named: bool,
) -> DecodedTargets:
    """Decode one label per row for several outputs: the target is 1 for the output that the label names, 0 for others."""
    decoded = one_a_row(loss, targets, classes, k, ignore, base, named=named)
    decoded.encoding = TargetEncoding(decoded.encoding.kind, "outcomes", k, decoded.encoding.ignore, one_hot=True)
    return decoded


def _of_classes(
    family: Family,
    loss: str,
    targets: Columns,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int,
    named: bool,
) -> DecodedTargets:
    """Decode targets over classes; raise a DataError if they are soft and the loss takes one label per row."""
    holder = CENTERS if family.takes_centers else PREDICTIONS
    decoded = _classes(loss, targets, classes, k, ignore, base, holder, named)
    if family.hard and decoded.encoding.kind == "soft":
        raise DataError(
            f"{targets.name}: soft targets, and {loss} takes one label per row; give labels, or rows of 0 and 1"
        )
    return decoded


def _of_outputs(
    family: Family,
    loss: str,
    predictions: Source,
    targets: Columns,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    missing: bool,
) -> DecodedTargets:
    """Decode one target for each output, or one per row: numbers, signs or outcomes, the last two also as two names."""
    labels = family.target_type in ("signs", "outcomes")
    stored_as: StoredAs = "signs" if family.target_type == "signs" else "outcomes"
    if labels and classes and len(predictions.shape) == 1:
        named = two_names(loss, stored_as, targets, classes, ignore)
        if named is not None:
            return named
    value: float | None = None
    try:
        source, notes, matched = matching(loss, predictions, targets, family)
    except DataError:
        from losscli.data.truth import read_words

        value = read_words(targets, ignore) if labels else None
        if targets.truths is None:
            raise
        source, notes, matched = matching(loss, predictions, targets, family)
    if ignore is not None:
        if len(source.shape) == 2 and not missing:
            cure = "to leave out such elements, say --missing ignore as well" if family.several_outputs else ""
            raise UsageError(
                f"--ignore-index: {source.name} has {source.shape[1]} targets per row; {cure or 'it needs one label per row'}"
            )
        value = value if targets.truths is not None else as_number(ignore, "--ignore-index")
    if family.target_type == "numbers":
        return DecodedTargets(source, TargetEncoding("numbers", "numbers", k, value), None, matched, notes)
    kind = _outcome_kind(family, loss, source, value, missing)
    return DecodedTargets(source, TargetEncoding(kind, stored_as, k, value), classes, matched, notes)


def check_rows(predictions: Columns, other: Columns) -> None:
    """Raise a DataError if two operands have different numbers of rows."""
    rows, other_rows = predictions.shape[0], other.shape[0]
    if rows == other_rows:
        return
    for side in (predictions, other):
        if side.operand.is_table:
            side.operand.content.check()  # raises an error if a blank or broken row is the reason
    what = " weights" if other.role == "weights" else ""
    fact = f"{predictions.name} has {count(rows, 'row')} and {other.name} {other_rows:,}{what}"
    raise DataError(f"{fact}: {_cure_of_rows(predictions, other, rows - other_rows)}", "rows-differ")


def _cure_of_rows(predictions: Columns, other: Columns, more: int) -> str:
    """Return the cure for operands of different lengths; the predictions have so many `more` rows, or fewer if below 0."""
    if len(predictions.shape) == 2 and predictions.shape[1] == other.shape[0]:
        return "if the predictions are transposed, save them with one row per sample"
    bare, other_bare = _is_bare(predictions), _is_bare(other)
    if more == 1 and other.first_row_taken is not None:
        return (
            f"its first row ({other.first_row_taken}) was taken for a header; if it is data, "
            "give the file a header line, or say --no-header, which holds for all tables"
        )
    if more == -1 and other_bare:
        cure = f"delete it, or give {predictions.name} one too and say --header" if bare else "say --header"
        return f"if its first row is a header, {cure}"
    if more == 1 and bare:
        return (
            f"if the first row of {predictions.name} is a header, say --header; else join by a common column with --id"
        )
    return "each prediction needs its own; join by a common column with --id"


def _is_bare(columns: Columns) -> bool:
    """Whether columns are those of a table without a header."""
    return columns.operand.is_table and columns.names is None


def matching(loss: str, predictions: Source, targets: Columns, family: Family) -> tuple[Source, list[str], str | None]:
    """Return targets in the predictions' shape, with columns in the predictions' order, or one target per row.

    Also returns notes, and how the columns were matched, or None.
    """
    shape, targets_shape, one_target = _shape_of_targets(family, predictions), targets.shape, family.one_target
    if family.of_vectors:
        from losscli.data.vectors import check_targets

        check_targets(loss, predictions, targets)
        shape = targets_shape if len(shape) == 2 else shape
    notes: list[str] = []
    source: Source | None = None
    if shape != targets_shape:
        if len(shape) == 1 and targets_shape == (*shape, 1):
            source = Reshaped(targets.source())
            whose = "one target per row" if one_target else "the predictions' shape"
            notes.append(f"{targets.name}: shape {targets_shape} was squeezed to {shape}, {whose}")
        elif one_target:
            raise DataError(
                f"{loss}: predictions {predictions.name} have shape {predictions.shape} and targets {targets.name} "
                f"{targets_shape}; give one target per row, {shape}, or pick a column of a table with FILE:COLUMN"
            )
        else:
            raise DataError(
                f"{loss}: predictions {predictions.name} have shape {shape} and targets {targets.name} {targets_shape}; "
                "nothing is broadcast: give one target for each prediction, or pick a column of a table with FILE:COLUMN"
            )
    source = source or targets.source()
    matched = None
    if family.boxes:
        from losscli.data.boxes import alike

        if alike(predictions.columns, targets.names):
            return source, notes, "by name"
    if len(shape) == 2 and len(source.shape) == 2 and predictions.columns and targets.names:
        labels = family.target_type in ("signs", "outcomes")
        source, matched = by_name(source, predictions.columns, targets.names, notes, positions=not labels)
    return source, notes, matched


def _classes(
    loss: str,
    targets: Columns,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int,
    holder: Holder,
    named: bool,
) -> DecodedTargets:
    """Decode targets over classes: one label per row, or one column per class."""
    shape = targets.shape
    if len(shape) == 1 or shape[1] == 1:
        decoded = one_a_row(loss, targets, classes, k, ignore, base, holder, named)
        if len(shape) == 2:
            decoded.notes.append(f"{targets.name}: shape {shape} was squeezed to {shape[:1]}: one label per row")
        return decoded
    if shape[1] != k:
        both = [name for name in targets.names or () if name in (classes or ())]
        likely = both[0] if len(both) == 1 else next((name for name in both if name.lower() in LIKELY_IDS), None)
        if likely is not None:
            raise DataError(
                f"{loss}: column {likely!r} is in both files, and counts as a class while it is not named as their id: "
                f"{targets.name} has {shape[1]} columns, and the predictions have {k}; join by it with --id {quoted(likely)}"
            )
        raise DataError(
            f"{loss}: {targets.name} has {shape[1]} columns, and there are {k} classes; "
            f"give one label per row, or one column per class{_unlike_columns(targets, classes or (), both) if both else ''}"
        )
    if ignore is not None:
        raise UsageError(f"--ignore-index: {targets.name} has {k} targets per row; it needs one label per row")
    if base:
        raise UsageError(f"--label-base {base}: {targets.name} has one column per class, and no labels; leave it out")
    notes: list[str] = []
    if targets.operand.is_table:
        from losscli.data.truth import read_words

        read_words(targets)
    source, matched = targets.source(), None
    if classes and targets.names:
        source, matched = by_name(source, classes, targets.names, notes, positions=False)
    return DecodedTargets(source, TargetEncoding(_row_kind(loss, source), "rows", k), classes, matched, notes)


def _unlike_columns(targets: Columns, classes: tuple[str, ...], both: list[str]) -> str:
    """Return which columns keep targets from having one per class, where some of them are called as classes are, `both`."""
    spare = [name for name in targets.names or () if name not in both]
    lacking = [name for name in classes if name not in both]
    if spare and not lacking:
        one = targets.operand.text
        return f"; besides the classes it has {listing(map(repr, spare))}: save it without, or say which holds labels, as {one}:{spare[-1]}"
    return (
        f"; it lacks {listing(map(repr, lacking))}: leave such columns out of the predictions with --columns"
        if lacking
        else ""
    )


def _row_kind(loss: str, source: Source) -> TargetKind:
    """Return 'one-hot' or 'soft' for targets with one column per class, from the whole file."""
    one_hot = True
    for start, batch in blocks(source):
        bad = ~((batch >= 0) & (batch <= 1 + SUM_TOLERANCE))
        if bad.any():
            place, at = first_of(source, start, bad)
            raise DataError(
                f"{place}: {written(batch[at])} is not a target probability; {loss} takes "
                "rows of numbers in [0, 1] that sum to 1, or one label per row",
                "targets-not-probabilities",
            )
        sums = batch.sum(axis=1, dtype=np.float64)
        off = np.abs(sums - 1) > SUM_TOLERANCE
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise DataError(
                f"{source.place(start + row)}: the targets of the row sum to {sums[row]:.6g}, not 1; divide each row by its "
                "sum; several labels per row are for sigmoid losses, or for one column after the other",
                "targets-not-probabilities",
            )
        one_hot = one_hot and bool(((batch == 0) | (batch == 1)).all())
    return "one-hot" if one_hot else "soft"


def _outcome_kind(family: Family, loss: str, source: Source, ignore: float | None, missing: bool = False) -> TargetKind:
    """Return 'binary' for targets in {0, 1}, 'signed' for {-1, 1}, or 'soft' for [0, 1], from the whole file.

    Raises a DataError with the first place of a number that is no target, or if -1 is mixed with 0 or with numbers between.
    """
    seen = {-1.0: False, 0.0: False, 1.0: False}
    soft = False
    for start, batch in blocks(source):
        ones = int(np.count_nonzero(batch if batch.dtype == bool else batch == 1))
        zeros = batch.size - ones if batch.dtype == bool else int(np.count_nonzero(batch == 0))
        if zeros + ones == batch.size and ignore not in (0, 1):  # most files hold nothing else, and need no closer look
            seen[0.0], seen[1.0] = seen[0.0] or zeros > 0, seen[1.0] or ones > 0
            continue
        odd = _mark_seen(seen, batch, ignore)
        if missing and batch.dtype.kind == "f":
            odd &= ~np.isnan(batch)
        outside = odd & ~((batch > 0) & (batch < 1)) if family.target_type == "outcomes" else odd
        if outside.any():
            raise _not_a_target(family, loss, source, start, batch, outside)
        soft = soft or bool(odd.any())
    return _kind_of_outcomes(loss, source.name, seen, soft)


def _kind_of_outcomes(loss: str, file: str, seen: dict[float, bool], soft: bool) -> TargetKind:
    """Return the kind of targets of which -1, 0 and 1 were seen or not, and, if `soft`, numbers between 0 and 1.

    Raises a DataError if -1 is mixed with 0 or with numbers between.
    """
    if seen[-1.0] and (seen[0.0] or soft):
        other = "0" if seen[0.0] else "numbers between 0 and 1"
        raise DataError(
            f"{file}: the labels mix -1 and {other}; {loss} takes {{0, 1}} or {{-1, 1}}: "
            "recode them, or leave rows out with --ignore-index",
            "label-not-a-class",
        )
    if soft:
        return "soft"
    return "signed" if seen[-1.0] else "binary"


def _mark_seen(seen: dict[float, bool], batch: Array, ignore: float | None) -> Array:
    """Set to True in `seen` the numbers that occur in a batch, and return where it holds any other number.

    Ignored targets count neither as seen nor as another number.
    """
    kept = np.ones(batch.shape, bool) if ignore is None else ~is_ignored(batch, ignore)
    odd = kept.copy()
    for value in seen:
        is_value = (batch == value) & kept
        seen[value] = seen[value] or bool(is_value.any())
        odd &= ~is_value
    return odd


def _not_a_target(family: Family, loss: str, source: Source, start: int, batch: Array, outside: Array) -> DataError:
    """Return the error about the first number of a batch that is no target; row `start` of the file is the batch's first."""
    place, at = first_of(source, start, outside)
    number = batch[at]
    if np.isnan(number) and batch.ndim == 2 and family.several_outputs:
        return DataError(
            f"{place}: the target is NaN; fill it, or leave such elements out with --missing ignore", "nan-targets"
        )
    takes = "labels in {0, 1} or {-1, 1}" + (", or numbers in [0, 1]" if family.target_type == "outcomes" else "")
    return DataError(f"{place}: {written(number)} is not a target of {loss}, which takes {takes}", "label-not-a-class")
