"""The call of a library as complete Python: run on the very arrays, it gives the number that is printed with it.

The names in it are p, the predictions, t, the targets, w, the weights of samples, and variance, negative, other, mask,
class_weight, input_lengths and target_lengths for the files of these options: arrays as `numpy.load` gives them, or the columns of
a table that are used, with its rows in the order of the predictions.

A template of a call (`losscli.libraries.call.Call.template`) has these places:

    {p}             the predictions, as the kind that the call takes, in the dtype of the computation
    {p:FORM}        first or second of two columns; distances between p and --other; column (n, 1); masks (1, n) for one mask; time (time, samples, classes); samples (samples, time, classes)
    {t}             the targets as they are; those over classes as indices, where the file has indices, or as rows
    {t:FORM}        index, rows, smoothed (rows with label smoothing, for a call without an argument for it), outcomes (0 and 1), signs (-1 and 1), lists (of labels, ended by -1), column, labels (of sequences), padded (labels of sequences as rows, with 0 behind the last)
    {w:FORM}        weights of rows, times those of classes or outputs: rows (n,), column (n, 1), or elements (the shape of p)
    {variance} {negative} {other} {reference}      the third operand
    {class_weight} {pos_weight}                    one number per class or output, or one number
    {input_lengths} {target_lengths}               of sequences
    {input_paddings} {target_paddings}             1 for each step or label that a sequence does not have, and 0 for others
    {arguments}     the keyword arguments that are needed
    {weights}       those of them that are weights, if they stand elsewhere
    {reduction}     how the library writes the reduction
"""

import re
from typing import Any

import numpy as np

from losscli.data.labels import Rebased, Renumbered
from losscli.data.target_encoding import DecodedTargets
from losscli.definition.batch import Sequences
from losscli.definition.request import Request
from losscli.engine.job import Job
from losscli.io.positions import OfSamples, Positions
from losscli.io.source import ConstantSource, Derived, Picked, Recoded, Reordered, Reshaped, Source, whole
from losscli.io.turned import Steps
from losscli.libraries.call import Call, Library
from losscli.records import NamedTuple

WEIGHTS = ("sample_weight", "class_weight", "output_weight")
"""The options that are weights, which some libraries take in another place than their other arguments."""
MOST_WRITTEN = 20
"""Numbers or names that are written out; more of them get a name."""


class Printed(NamedTuple):
    """A call as Python, and the statements that it needs before it."""

    call: str
    imports: tuple[str, ...]


class _Written(NamedTuple):
    """An expression in NumPy, and the dtype that it has; None if it is a list."""

    text: str
    dtype: "np.dtype[Any] | None"


def printed(
    library: Library, call: Call, request: Request, opened: Job, decoded: DecodedTargets, reduction: str
) -> Printed:
    """Return a library's call for a request.

    Parameters
    ----------
    request
        the request with all conventions of the library, whose parameters are those that the call computes with.
    opened
        the job of the files as they are.
    reduction
        the default reduction of the call, which need not be written.
    """
    text = _Writer(library, call, request, opened, decoded, reduction).call()
    imports = (*(["import numpy"] if "numpy." in text else []), *library.imports)
    return Printed(text, imports)


class _Writer:
    """Writes one call."""

    def __init__(
        self, library: Library, call: Call, request: Request, opened: Job, decoded: DecodedTargets, reduction: str
    ) -> None:
        self.library, self.record, self.request, self.opened, self.decoded = library, call, request, opened, decoded
        self.reduction = reduction
        self.dtype = np.dtype(request.convention.cast) if request.convention.cast else opened.dtype
        self.over_classes = request.loss.family.target_type in ("classes", "sequences")

    def call(self) -> str:
        """Return the call."""
        arguments, apart = self._arguments(), ""
        if "{weights}" in self.record.template:
            weights = [self._argument(name) for name in WEIGHTS]
            apart = ", ".join(dict.fromkeys(text for text in weights if text in arguments))
            arguments = [text for text in arguments if text not in weights]
        text = self.record.template.replace("{arguments}", ", ".join(arguments)).replace("{weights}", apart)
        text = text.replace("{reduction}", str(self.library.reductions.get(self.request.reduction, "")))
        return re.sub(r", (?=\))|(?<=\(), ", "", self._filled(text))

    def _filled(self, text: str) -> str:
        """Return a text with operands in their places."""
        return re.sub(r"\{(\w+)(?::(\w+))?\}", lambda found: self._operand(found[1], found[2] or ""), text)

    def _arguments(self) -> list[str]:
        """Return the keyword arguments: all parameters of the loss, and the options that are given."""
        return list(dict.fromkeys(text for name in self.record.arguments if (text := self._argument(name))))

    def _argument(self, name: str) -> str:
        """Return an argument with its value; '' if it is not given, or the template writes it."""
        text, values = self.record.arguments.get(name, ""), self._values()
        return _valued(text, values[name]) if name in values else ""

    def _values(self) -> dict[str, Any]:
        """Return the parameters of the loss and the options that are given, by losscli's names."""
        request, asked = self.request, self.request.reduction
        values: dict[str, Any] = dict(request.loss.parameters)
        options = {
            "sample_weight": request.sample_weight,
            "class_weight": request.class_weight,
            "output_weight": request.output_weight,
            "pos_weight": request.pos_weight,
            "label_smoothing": request.label_smoothing or None,
            "ignore_index": None if self.opened.encoding.ignore is None else int(self.opened.encoding.ignore),
            "reduction": None if asked == self.reduction else self.library.reductions.get(asked),
        }
        return {name: value for name, value in (values | options).items() if value is not None}

    def _operand(self, name: str, form: str) -> str:
        """Return an operand as the library takes it."""
        if name == "p":
            return self._tensor(self._predictions(form))
        if name == "t":
            return self._targets_of(form)
        if name == "w":
            return self._tensor(self._weights(form))
        if name in ("variance", "negative", "other", "reference"):
            return self._tensor(self._third(name))
        if name == "class_weight":
            return self._tensor(self._numbers(name, self._class_weights()))
        if name == "pos_weight":
            return self._tensor(self._numbers(name, np.asarray(self.opened.extras.pos_weight)))
        if name in ("input_lengths", "target_lengths"):
            return self._tensor(self._lengths(name), whole=True)
        if name in ("input_paddings", "target_paddings"):
            return self._tensor(self._paddings(name))
        raise AssertionError(f"{self.record.template}: no place is called {name}")

    def _tensor(self, written: _Written, whole: bool = False) -> str:
        """Return an expression as the library takes it, in its dtype; `whole` says that it holds whole numbers."""
        wanted = np.dtype(np.int64) if whole else self.dtype
        return self.library.tensor(written.text, wanted.name, written.dtype is not None and written.dtype == wanted)

    def _targets_of(self, form: str) -> str:
        """Return the targets as the library takes them."""
        written = self._smoothed() if form == "smoothed" else self._targets(form)
        if self.library.takes_whole_numbers and written.dtype is not None and written.dtype.kind in "ib":
            return written.text
        return self._tensor(written, self._whole_labels(form))

    def _numbers(self, name: str, values: np.ndarray[Any, Any]) -> _Written:
        """Return numbers as they are written, or the name of an array if there are many."""
        if values.size > MOST_WRITTEN:
            return _Written(name, values.dtype)
        return _Written(repr(values.tolist()), None)

    def _lengths(self, name: str) -> _Written:
        """Return the lengths of sequences: how many time steps, or how many labels."""
        sequences = Sequences(whole(self.opened.targets))
        lengths = (sequences.steps if name == "input_lengths" else sequences.lengths).astype(np.int64)
        if len(lengths) <= MOST_WRITTEN:
            return self._numbers(name, lengths)
        if (lengths == lengths[0]).all():
            return _Written(f"numpy.full({len(lengths)}, {lengths[0]})", np.dtype(np.int64))
        if getattr(self.request, name) is not None:
            return _Written(name, None)
        return _Written(f"numpy.logical_not({self._behind_labels()}).sum(axis=1)", None)

    def _behind_labels(self) -> str:
        """Return which elements of rows of labels stand behind the last label, as NumPy."""
        label = self.request.ignore_index
        if label is None:
            return "t == -1"
        return "numpy.isnan(t)" if label.lower() == "nan" else f"t == {_literal(label)}"

    def _paddings(self, name: str) -> _Written:
        """Return which steps or labels of the longest sequence a sequence does not have."""
        if name == "target_paddings":
            return _Written(self._behind_labels(), np.dtype(bool))
        steps = self.opened.predictions.shape[1] // self.opened.encoding.k
        lengths = self._lengths("input_lengths").text
        lengths = f"numpy.array({lengths})" if lengths.startswith("[") else _bracketed(lengths)
        return _Written(f"numpy.arange({steps}) >= {lengths}[:, None]", np.dtype(bool))

    def _class_weights(self) -> np.ndarray[Any, Any]:
        found = next(
            (
                part
                for part in (self.opened.class_weights, self.opened.output_weights, self.opened.class_factors)
                if part is not None
            ),
            None,
        )
        assert found is not None
        return found

    # Rows that are used.

    def _kept(self, text: str, flat: bool = True) -> str:
        """Return an expression without the rows that are ignored or masked; `flat` says that it is one array of rows."""
        condition = self._condition()
        return text if condition is None or not flat else f"{_bracketed(text)}[{condition}]"

    def _condition(self) -> str | None:
        """Return which rows are used, as NumPy; None for all."""
        parts = []
        encoding = self.opened.encoding
        if (
            encoding.ignore is not None
            and "ignore_index" not in self.record.arguments
            and encoding.stored_as != "sequences"
        ):
            ignored = self.request.ignore_index
            parts.append(
                "~numpy.isnan(t)"
                if str(ignored).lower() == "nan"
                else f"{self._labels_of_file()} != {_literal(ignored)}"
            )
        if self.opened.mask is not None:
            parts.append(f"{_of_source(self.opened.mask, 'mask')} != 0")
        return " & ".join(f"({part})" for part in parts) if len(parts) > 1 else (parts[0] if parts else None)

    def _labels_of_file(self) -> str:
        """Return the labels as they stand in the file."""
        source = self.opened.targets
        while isinstance(source, Rebased | Renumbered):
            source = source.of
        return _of_source(source, "t")

    # Predictions.

    def _predictions(self, form: str) -> _Written:
        """Return the predictions as NumPy, converted to the kind that the call takes."""
        source, opened = self.opened.predictions, self.opened
        if form in ("time", "samples"):
            text = "p" if isinstance(source, Steps) == (form == "samples") else "p.transpose(1, 0, 2)"
            return self._converted(_Written(text, source.dtype), -1)
        written = _Written(self._kept(_of_source(source, "p")), source.dtype)
        if form in ("first", "second"):
            return _Written(f"{written.text}[:, {int(form == 'second')}]", written.dtype)
        if form == "distances" and opened.third_operand is not None:
            other = self._third("other")
            dtype = np.promote_types(self.dtype, np.float32)
            left, right = (_cast(part, dtype) for part in (written, other))
            return _Written(f"numpy.sqrt((({left} - {right}) ** 2).sum(axis=1))", dtype)
        written = self._converted(written, 1)
        if form == "column" and len(source.shape) == 1:
            return written._replace(text=f"{_bracketed(written.text)}[:, None]")
        if form == "masks" and len(source.shape) == 1:
            return written._replace(text=f"{_bracketed(written.text)}[None]")
        return written

    def _converted(self, written: _Written, axis: int) -> _Written:
        """Return predictions as the kind that the call takes; classes are along an axis."""
        given, wanted = self.request.prediction_kind, self.record.prediction_kind
        if not self.request.loss.family.takes_from or wanted in (None, given):
            return written
        if self.request.loss.family.of_masks and self.request.activation == "softmax":
            axis, over_classes = 1, True
        else:
            over_classes = self.over_classes
        if over_classes and wanted == "logits" and given == "log-probs":
            return written
        p = _cast(written, self.dtype)
        return _Written(_conversion(p, str(given), str(wanted), over_classes, axis), self.dtype)

    # Targets.

    def _whole_labels(self, form: str) -> bool:
        """Whether targets are written as whole numbers."""
        if form in ("index", "lists", "labels", "padded"):
            return True
        indices = self.opened.encoding.stored_as == "indices"
        return indices and form in ("", "column")

    def _targets(self, form: str) -> _Written:
        """Return the targets as NumPy."""
        encoding, source, opened = self.opened.encoding, self.opened.targets, self.opened
        if encoding.kind == "constant":
            assert isinstance(source, ConstantSource)
            number, shape = repr(source.value), f"{_bracketed(self._predictions('').text)}.shape"
            return _Written(
                f"numpy.full({shape}{'[:1]' if len(source.shape) < len(opened.predictions.shape) else ''}, {number})",
                np.dtype(np.float64),
            )
        if encoding.stored_as == "sequences":
            return _Written(f"numpy.where({self._behind_labels()}, 0, t)" if form == "padded" else "t", None)
        if encoding.stored_as == "indices" or encoding.one_hot:
            return self._classes("rows" if encoding.one_hot and form != "index" else form)
        written = _Written(self._kept(_of_source(source, "t")), _leaf(source).dtype)
        text = _bracketed(written.text)
        if form == "index":
            return _Written(f"{text}.argmax(axis=1)", np.dtype(np.int64))
        if form == "lists":
            return _Written(
                f"numpy.where(numpy.sort({text} > 0, axis=1)[:, ::-1], numpy.argsort({text} <= 0, axis=1, kind='stable'), -1)",
                np.dtype(np.int64),
            )
        if form == "signs":
            return written if encoding.kind == "signed" else _Written(f"numpy.where({written.text} > 0, 1, -1)", None)
        if form == "masks" and len(source.shape) == 1:
            written, text = written._replace(text=f"{text}[None]"), f"{text}[None]"
        if encoding.kind == "signed" and (form in ("outcomes", "masks") or (form == "column" and not self._of_signs())):
            column = "[:, None]" if form == "column" and len(source.shape) == 1 else ""
            return _Written(f"({text} > 0){column}" if column else f"{text} > 0", np.dtype(bool))
        if form == "column" and len(source.shape) == 1:
            return written._replace(text=f"{text}[:, None]")
        return written

    def _of_signs(self) -> bool:
        """Whether the loss is one of labels -1 and 1, which it takes as they are."""
        return self.request.loss.family.target_type == "signs"

    def _smoothed(self) -> _Written:
        """Return targets as rows of one number per class, with label smoothing if it is asked for."""
        rows, amount = self._targets("rows"), self.request.label_smoothing
        if not amount:
            return rows
        k, wide = self.opened.encoding.k, _cast(rows, np.dtype(np.float64))
        return _Written(f"{_bracketed(wide)} * (1 - {amount!r}) + {amount!r} / {k}", None)

    def _classes(self, form: str) -> _Written:
        """Return targets with one class per row: as indices, or as rows of 0 and 1."""
        index = self._kept(self._index())
        if form == "rows":
            k = self.opened.encoding.k
            return _Written(
                f"numpy.eye({k})[{index if self._whole() else f'{_bracketed(index)}.astype(int)'}]",
                np.dtype(np.float64),
            )
        text = f"{_bracketed(index)}[:, None]" if form == "column" else index
        return _Written(text, _leaf(self.opened.targets).dtype if self._whole() and index.startswith("t") else None)

    def _whole(self) -> bool:
        return _leaf(self.opened.targets).dtype.kind in "iu" or self.opened.encoding.kind == "name"

    def _index(self) -> str:
        """Return labels as numbers of classes."""
        source, names = self.opened.targets, self.decoded.classes
        if isinstance(source, Recoded) and names is not None and len(names) <= MOST_WRITTEN:
            number, ignored = f"{list(names)!r}.index(label)", self.opened.encoding.ignore
            if ignored is not None:  # by its name, which need not be that of a class
                number = f"{ignored:.0f} if label == {self.request.ignore_index!r} else {number}"
            return f"numpy.array([{number} for label in t])"
        return _of_source(source, "t")

    # Everything else.

    def _third(self, name: str) -> _Written:
        source = self.opened.third_operand
        assert source is not None
        if isinstance(source, ConstantSource):
            shape = f"{_bracketed(self._kept(_of_source(self.opened.predictions, 'p')))}.shape"
            return _Written(f"numpy.full({shape}, {source.value!r})", np.dtype(np.float64))
        return _Written(self._kept(_of_source(source, name)), _leaf(source).dtype)

    def _weights(self, form: str) -> _Written:
        """Return the weights of rows, times those of their classes, or those of outputs."""
        opened, several = self.opened, self.opened.several
        factors = []
        dtype: np.dtype[Any] | None = np.dtype(np.float64)
        if opened.element_weights is not None:
            factors.append(self._kept(_of_source(opened.element_weights, "w")))
            dtype = _leaf(opened.element_weights).dtype
        if opened.weights is not None:
            rows = self._weights_of_rows(opened.weights)
            wide = several and form in ("column", "elements")
            factors.append(f"{_bracketed(rows)}[:, None]" if wide else rows)
            dtype = _leaf(opened.weights).dtype
        if opened.class_weights is not None:
            factors.append(self._weights_of_classes(opened.class_weights))
            dtype = np.dtype(np.float64)
        if opened.output_weights is not None:
            factors.append(f"numpy.array({opened.output_weights.tolist()!r})")
            dtype = np.dtype(np.float64)
        text = " * ".join(factors)
        if form == "elements" and several and opened.element_weights is None:
            shape = f"{_bracketed(self._kept(_of_source(opened.predictions, 'p')))}.shape"
            text = f"numpy.broadcast_to({text}, {shape})"
        return _Written(text, dtype)

    def _weights_of_rows(self, source: Source) -> str:
        if isinstance(source, ConstantSource):
            return f"numpy.full(len({self._kept(_of_source(self.opened.predictions, 'p'))}), {source.value!r})"
        return self._kept(_of_source(source, "w"))

    def _weights_of_classes(self, weights: np.ndarray[Any, Any]) -> str:
        """Return the weight of each row's class as NumPy."""
        numbers = f"numpy.array({weights.tolist()!r})" if len(weights) <= MOST_WRITTEN else "class_weight"
        encoding = self.opened.encoding
        if encoding.stored_as == "indices":
            index = self._kept(self._index())
            return f"{numbers}[{index if self._whole() else f'{_bracketed(index)}.astype(int)'}]"
        text = self._kept(_of_source(self.opened.targets, "t"))
        if encoding.stored_as == "rows":
            return f"({_bracketed(text)} @ {numbers})"
        wide = _cast(_Written(text, _leaf(self.opened.targets).dtype), np.dtype(np.float64))
        t = f"({_bracketed(text)} > 0)" if encoding.kind in ("binary", "signed") else _bracketed(wide)
        return f"({t} * {weights[1].item()!r} + (1 - {t}) * {weights[0].item()!r})"


def _conversion(p: str, given: str, wanted: str, over_classes: bool, axis: int) -> str:
    """Return predictions of one kind as another, as `losscli.libraries.arithmetic.converted` computes them."""
    p_ = _bracketed(p)
    if over_classes:
        if given == "logits":
            log_p = f"{p_} - numpy.logaddexp.reduce({p}, axis={axis}, keepdims=True)"
            return log_p if wanted == "log-probs" else f"numpy.exp({log_p})"
        return f"numpy.exp({p})" if wanted == "probs" else f"numpy.log({p})"
    if given == "logits":
        return f"1 / (1 + numpy.exp(-{p_}))" if wanted == "probs" else f"-numpy.logaddexp(0, -{p_})"
    p = f"numpy.exp({p})" if given == "log-probs" else p
    if wanted == "logits":
        return f"numpy.log({p}) - numpy.log1p(-{_bracketed(p)})"
    return p if wanted == "probs" else f"numpy.log({p})"


def _valued(text: str, value: Any) -> str:
    """Return an argument with its value in the place of {}."""
    if "{:bool}" in text:
        return text.replace("{:bool}", repr(bool(value)))
    found = re.search(r"\{([!:][^}]*)?\}", text)
    return text if found is None else text[: found.start()] + found[0].format(value) + text[found.end() :]


def _bracketed(text: str) -> str:
    """Return an expression that can be followed by an index or a method, or stand beside an operator."""
    return text if re.fullmatch(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])*", text) else f"({text})"


def _cast(written: _Written, dtype: "np.dtype[Any]") -> str:
    """Return an expression that has a dtype."""
    return (
        written.text
        if written.dtype is not None and written.dtype == dtype
        else f"{_bracketed(written.text)}.astype('{dtype.name}')"
    )


def _literal(text: str | None) -> str:
    """Return a label of the command line as Python: a number, or a word in quotes."""
    try:
        number = float(str(text))
    except ValueError:
        return repr(text)
    return repr(int(number)) if number.is_integer() else repr(number)


def _leaf(source: Source) -> Source:
    """Return the source that others are made of."""
    while isinstance(source, Derived) and not isinstance(source, Recoded | Renumbered):
        source = source.of
    return source


def _of_source(source: Source, name: str) -> str:
    """Return a source as NumPy; `name` stands for the array of its file."""
    if not isinstance(source, Derived):
        return name
    if isinstance(source, Recoded):
        return name
    of = _of_source(source.of, name)
    if isinstance(source, Reshaped):
        return f"{of}.reshape(-1)"
    if isinstance(source, Reordered):
        return f"{of}[:, {list(source.order)}]"
    if isinstance(source, Picked):
        return f"{of}[:, {list(source.numbers)}]"
    if isinstance(source, Rebased):
        return f"{of} - {source.base}"
    if isinstance(source, Renumbered):
        return f"numpy.array([{source.numbers.tolist()}.index(label) for label in {of}])"
    if isinstance(source, OfSamples):
        return f"numpy.repeat({of}.reshape(-1), {source.layout.rows // max(1, source.layout.samples)})"
    if isinstance(source, Positions):
        return _of_positions(source, of)
    return of


def _of_positions(source: Positions, name: str) -> str:
    """Return an array of more axes as rows of positions."""
    grid = source.grid
    axis = grid.class_axis
    if grid.skipped != (0, 0):
        first, last = grid.skipped
        cut = f"{first}:{grid.positions - last}"
        place = grid.axes[0]
        name = f"{name}[{':, ' * place}{cut}]"
    if axis is None:
        return f"{name}.reshape(-1)"
    moved = name if axis == len(grid.shape) - 1 else f"numpy.moveaxis({name}, {axis}, -1)"
    return f"{moved}.reshape(-1, {grid.classes})"
