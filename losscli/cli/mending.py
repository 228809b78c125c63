"""The command line that works, for a message about one that does not: with all that is missing, ready to be pasted.

Candidates come from what the columns of the tables hold (`losscli.data.proposal`) and from the options that an error names. Each is
run here without output before it is shown, so that following a message does not lead to the next message.
"""

import io
import math
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING

from losscli.cli.command import is_operand
from losscli.errors import LosscliError
from losscli.numerals import is_count
from losscli.records import NamedTuple
from losscli.wording import listing, quoted

if TYPE_CHECKING:
    from losscli.io.operands import Operand

LOSSES_FIRST = ("compute", "rank", "compare", "plot samples")
"""Commands whose first operand is a loss or a SPEC."""
COMMANDS = (*LOSSES_FIRST, "check", "calibrate", "plot reliability")
TRIED_AS = {"plot samples": "compute", "plot reliability": "calibrate"}
"""A command that draws -> the one that is run instead where a line is only tried: it takes the same operands and options."""
MOST_TRIED = 12
"""Command lines that are run at most before none is shown."""
MOST_BYTES = 100_000_000
"""Files of more bytes than this together are not read again for a message."""
WRITES = ("-o", "--output", "--gradient", "--part", "--cluster", "--progress", "--no-progress")
"""Options that are left out where a command line is only tried."""
PICTURE = ("--title", "--size", "--dpi", "--theme", "--show", "--panel", "--log", "--binning", "--calibrate")
"""Options of a picture, which are left out where its numbers are computed instead."""
FITTING = {
    "bce": "bce, sigmoid-brier and sigmoid-focal fit outcomes such as these",
    "ce": "ce, brier and softmax-focal fit classes such as these",
    "mse": "mse, mae and huber fit numbers such as these",
}
"""A loss -> what a message about a command line without a loss says of it and of others for the same targets."""
ANY_LOSS = ("ce", "bce", "mse")
"""The losses that are tried where none is named: of classes, of outcomes and of numbers."""
OF_OUTCOMES = {"softmax-cross-entropy": "bce", "brier": "sigmoid-brier", "softmax-focal": "sigmoid-focal"}
"""A loss of classes -> the same of outcomes, which have one score."""
OF_CLASSES = {"sigmoid-cross-entropy": "ce", "sigmoid-brier": "brier", "sigmoid-focal": "softmax-focal"}
"""A loss of outcomes -> the same of classes, which have one score each."""


TWICE = re.compile(r"warning: double-\w+: [^\n]*?say --from (log-probs|probs)\b")
"""The warning of probabilities that are read as logits, with what they are."""


class Line(NamedTuple):
    """A command line taken apart. `options` are flags with their values, None for flags without one."""

    command: str
    loss: str | None
    operands: tuple[str, ...]
    options: tuple[tuple[str, str | None], ...]
    others: tuple[str, ...] = ()
    """Columns that may be the predictions as well as the one that it names."""

    @classmethod
    def of(cls, words: Sequence[str]) -> "Line | None":
        """Take words apart; return None for commands without predictions and targets, and where operands come from a pipe."""
        path = " ".join(words[:2]) if words[:1] == ["plot"] else "".join(words[:1])
        if path not in COMMANDS or "--apply" in words:  # whose other predictions would be tried as well
            return None
        operands, options = _apart(words[len(path.split()) :], _valueless(path))
        if not operands or any(word == "-" or word.startswith("-:") for word in operands):
            return None
        loss = operands.pop(0) if path in LOSSES_FIRST else None
        if not operands and (loss is None or not _is_file(loss)):
            return None
        return cls(path, loss, tuple(operands), tuple(options))

    @property
    def targets(self) -> str | None:
        """The operand of the targets, None if it is missing."""
        if self.command == "compare":
            return self.value("--targets")
        return self.operands[1] if len(self.operands) > 1 else None

    @property
    def said(self) -> frozenset[str]:
        return frozenset(flag for flag, _ in self.options)

    def value(self, flag: str) -> str | None:
        return next((value for name, value in self.options if name == flag), None)

    def words(self, trial: bool = False) -> list[str]:
        """Return the words again; those of a trial without what writes files, and instead of a picture its numbers are computed."""
        drawn = trial and self.command in TRIED_AS
        command = (TRIED_AS[self.command] if drawn else self.command).split()
        words = [*command, *([] if self.loss is None else [self.loss]), *self.operands]
        for flag, value in self.options:
            if not (trial and flag in WRITES) and not (drawn and flag in PICTURE):
                words += [flag] if value is None else [flag, value]
        return words

    def text(self) -> str:
        """Return the line as it is pasted into a shell."""
        return " ".join(["losscli", *map(quoted, self.words())])

    def with_flag(self, flag: str, value: str | None) -> "Line":
        """Return the line with an option; --columns that leave columns out add up."""
        before = self.value(flag)
        if flag == "--columns" and before and value and before.startswith("!") and value.startswith("!"):
            value = f"{before},{value}"
        kept = tuple(item for item in self.options if item[0] != flag)
        return self._replace(options=(*kept, (flag, value)))

    def with_operands(self, predictions: str, targets: str) -> "Line":
        """Return the line with other predictions and targets; all models of a comparison get the same column."""
        if self.command != "compare":
            return self._replace(operands=(predictions, targets, *self.operands[2:]))
        column = predictions.removeprefix(self.operands[0])
        models = tuple(model + column for model in self.operands)
        return self._replace(operands=models).with_flag("--targets", targets)


def _apart(words: Sequence[str], valueless: frozenset[str]) -> tuple[list[str], list[tuple[str, str | None]]]:
    """Return the operands among words, and the options with their values."""
    operands: list[str] = []
    options: list[tuple[str, str | None]] = []
    left = iter(words)
    for word in left:
        flag, equals, value = word.partition("=")
        if word == "--":
            return [*operands, *left], options
        if not word.startswith("-") or word == "-" or is_operand(word):
            operands.append(word)
        elif word in valueless:
            options.append((word, None))
        else:
            options.append((flag, value if equals else next(left, "")))
    return operands, options


def _valueless(command: str) -> frozenset[str]:
    """Return the flags of a command that take no value."""
    from losscli.cli.compute import command_of
    from losscli.cli.main import Commands
    from losscli.losses import find

    losses = command in ("compute", "plot samples")
    first, *rest = command.split()
    made = command_of(find("softmax-cross-entropy")) if losses else Commands().get_command(None, first)
    for word in () if losses else rest:
        made = made.get_command(None, word)
    flags = [item for item in made.params if getattr(item, "is_flag", False)]
    return frozenset(name for item in flags for name in (*item.opts, *item.secondary_opts))


def completed(words: Sequence[str], message: str, error: Exception, run: Callable[[list[str]], int]) -> str:
    """Return a message, and with it the command line that says all that is missing, if there is one.

    Parameters
    ----------
    words
        the command line that did not work.
    message
        what is wrong with it.
    error
        the error that it raised.
    run
        runs a command line and returns its exit code, or raises its error.
    """
    line = Line.of(words)
    if (
        line is None or _bytes(line) > MOST_BYTES or message.startswith(("--show:", "--cluster"))
    ):  # no window opens, and no worker answers, whatever the files hold
        return message
    try:
        if line.said & set(WRITES) and _try(line, run)[0]:
            return message  # without its outputs it works, so that nothing is missing
        if (whole := _that_works(message, run)) is not None:
            return whole
        for start, said in _starts(line, message):
            found = _working(start, error if start == line else None, run)
            if found is not None and found != line and "  " not in found.text() and found.text().isprintable():
                return _said(message, said, line, found)
    except LosscliError:  # a file that cannot be read, which the message is about
        pass
    return message


def _that_works(message: str, run: Callable[[list[str]], int]) -> str | None:
    """Return a message that ends with a command line already, which works; None for other messages."""
    end = re.search(r": losscli (\S.*)$", message)
    if end is None:
        return None
    try:
        line = Line.of(shlex.split(end[1]))
    except ValueError:
        return None
    if line is None:
        return None
    works, _, said = _try(line, run)
    better = _as_warned(line, said, run)
    return None if not works else message if better == line else f"{message[: end.start()]}: {better.text()}"


def _bytes(line: Line) -> float:
    """Return how large the files of a command line are together; infinite for files that are not on this machine."""
    texts = {*line.operands, line.targets or "", line.loss or "", line.value("--sample-weight") or ""}
    if any("://" in text for text in texts):
        return math.inf
    return sum(map(_size, texts))


def _size(text: str) -> float:
    """Return the size of a file, of FILE:COLUMN, or of all files of a folder or a glob; 0 for what is none of these.

    It is infinite for pipes and devices, which cannot be read again.
    """
    for end in (len(text), *(i for i, sign in enumerate(text) if sign == ":")):
        if os.path.exists(text[:end]) and not os.path.isfile(text[:end]) and not os.path.isdir(text[:end]):
            return math.inf
        if os.path.isfile(text[:end]):
            return _sum_of_sizes([text[:end]])
        if end and os.path.isdir(text[:end]):
            return _sum_of_sizes(os.path.join(place, file) for place, _, files in os.walk(text[:end]) for file in files)
    from glob import glob

    return _sum_of_sizes(filter(os.path.isfile, glob(text)))


def _sum_of_sizes(paths: Iterable[str]) -> float:
    """Return how large files are together, counted until they are too large; a link to nothing has no size."""
    size = 0.0
    for path in paths:
        with suppress(OSError):
            size += os.path.getsize(path)
        if size > MOST_BYTES:
            break
    return size


def _starts(line: Line, message: str) -> Iterator[tuple[Line, str]]:
    """Yield the command line, or where its loss is missing or in a wrong place, those with one; and what to say of them."""
    from losscli.losses import declared

    if line.command not in LOSSES_FIRST:
        named = next((word for word in line.operands if declared(word) is not None and not os.path.exists(word)), None)
        if named is None or line.command != "check":
            yield line, ""
            return
        files = tuple(word for word in line.operands if word != named)
        yield line._replace(operands=files).with_flag("--loss", named), "check takes the loss as an option"
        return
    assert line.loss is not None
    if not _is_file(line.loss):
        meant = _meant(line) or _with_options(line)
        yield (line, "") if meant is None else (meant, message)
        return
    files = (line.loss, *line.operands)
    for name in [word for word in files if declared(word) is not None] or ANY_LOSS:
        rest = tuple(word for word in files if word != name)
        said = "no loss, and the loss comes first" if name in files else "a file, and no loss is named"
        yield line._replace(loss=name, operands=rest), f"{line.loss} is {said}"


def _meant(line: Line) -> Line | None:
    """Return the line with the loss that gives a statistic, or that another program's name means here; None for other names."""
    from losscli.render.catalogue import told

    word = told(str(line.loss))
    if word is None or not word["commands"]:
        return None
    _, _, loss, *rest = word["commands"][0].split()
    if rest[:2] != ["PREDICTIONS", "TARGETS"] or {"FILE", "X", "A,B", "S", "LISTS"} & set(rest):
        return None
    line = line._replace(loss=loss)
    for flag, value in zip(rest[2::2], rest[3::2], strict=False):
        line = line if flag in line.said else line.with_flag(flag, value)
    return line


def _with_options(line: Line) -> Line | None:
    """Return the line with options in the place of parameters that the loss of its SPEC does not have; None if there are none."""
    from losscli.cli.options.losses import flags
    from losscli.losses import declared

    name, *parts = str(line.loss).split(":")
    loss = declared(name)
    if loss is None:
        return None
    options = [part for part in parts if part.partition("=")[0].replace("-", "_") not in loss.parameters]
    for part in options:
        parameter, _, value = part.partition("=")
        flag = f"--{parameter.replace('_', '-')}"
        if flag not in flags() or flag in line.said:
            return None
        line = line.with_flag(flag, value)
    return line._replace(loss=":".join([name, *(part for part in parts if part not in options)])) if options else None


def _is_file(text: str) -> bool:
    """Whether a word is a file, or FILE:COLUMN."""
    return any(os.path.isfile(text[:end]) for end in (len(text), *(i for i, c in enumerate(text) if c == ":")))


def _working(line: Line, error: Exception | None, run: Callable[[list[str]], int]) -> Line | None:
    """Return a command line that works, from one that may not; None if none is found.

    `error` is what the line raised, None if it was not run yet.
    """
    tried: list[Line] = []
    open_: list[tuple[Line, Exception | None]] = [(line, error)]
    proposed = False
    while open_ and len(tried) < MOST_TRIED:
        here, why = open_.pop(0)
        if here in tried:
            continue
        tried.append(here)
        if why is None:
            works, why, said = _try(here, run)
            if works:
                return _as_warned(here, said, run)
        further = [_cured(here, *cure) for cure in getattr(why, "cures", ())]
        if not proposed:
            proposed = True
            further = [*_proposed(here), *further]
        open_ += [(one, None) for one in further]
    return None


def _as_warned(line: Line, said: str, run: Callable[[list[str]], int]) -> Line:
    """Return a line that works with the --from that a warning of it asks for; as it is if there is no such warning."""
    kind = None if "--from" in line.said else TWICE.search(said)
    if kind is None:
        return line
    better = line.with_flag("--from", kind[1])
    plain = better._replace(options=tuple(item for item in better.options if item[0] != "--activation"))
    return next((one for one in (better, plain) if _try(one, run)[0]), line)


def _cured(line: Line, flag: str, value: str | None) -> Line:
    """Return a line with one of the cures that an error names."""
    if flag != "LOSS":
        return line.with_flag(flag, value)
    said = line.loss or line.value("--loss")
    return line if said is None else _of_kind(line, str(value), _name(said), said)


def _name(said: str) -> str:
    """Return the name of the loss of a SPEC."""
    from losscli.lookup.spec import single

    return single(said).name


def _try(line: Line, run: Callable[[list[str]], int]) -> tuple[bool, Exception | None, str]:
    """Run a command line without output; return whether it works, else its error, and what it said on standard error."""
    sink, heard = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    threads = os.environ.get("POLARS_MAX_THREADS")
    try:
        with redirect_stdout(sink), redirect_stderr(heard):
            return run(line.words(trial=True)) in (0, 1), None, heard.getvalue()
    except Exception as error:  # noqa: BLE001 - of any kind: the line is only tried
        return False, error, ""
    finally:
        if threads is None:
            os.environ.pop("POLARS_MAX_THREADS", None)
        else:
            os.environ["POLARS_MAX_THREADS"] = threads


def _proposed(line: Line) -> Iterator[Line]:
    """Yield the line with the operands and options that are probably meant, by what the columns hold."""
    from losscli.custom import is_custom
    from losscli.data.proposal import looks, proposals
    from losscli.lookup.names import find

    said = line.loss if line.loss is not None else line.value("--loss")
    if said is not None and is_custom(said):
        return
    losses = [find(name) for name in (ANY_LOSS if said is None else [_name(said)])]
    predictions, targets = _opened(line)
    if "--decimal" not in line.said and any(look.has_commas for look in looks(predictions)):
        line = line.with_flag("--decimal", ",")
        predictions, targets = _opened(line)
    for loss in losses:
        for one in proposals(loss.family, predictions, targets, line.said):
            if one.predictions == one.targets:
                continue
            found = line.with_operands(one.predictions, one.targets)._replace(others=one.others)
            for flag, value in one.options:
                found = found.with_flag(flag, value)
            yield found if said is None else _of_kind(found, one.kind, loss.name, said)


def _opened(line: Line) -> "tuple[Operand, Operand | None]":
    """Open predictions and targets as the options of a line say; targets that are missing are None."""
    from losscli.definition.dialect import Dialect
    from losscli.io.operands import Opener

    header = True if "--header" in line.said else False if "--no-header" in line.said else None
    skip = line.value("--skip-rows") or "0"
    dialect = Dialect.of(
        line.value("--sep"), line.value("--decimal"), line.value("--comment"), int(skip) if is_count(skip) else 0
    )
    opener = Opener(header, dialect=dialect)
    predictions = opener.open(line.operands[0], "predictions")
    return predictions, None if line.targets is None else opener.open(line.targets, "targets")


def _of_kind(line: Line, kind: str, loss: str, said: str) -> Line:
    """Return a line with the loss for the kind of targets that the columns hold: 'outcomes' or 'classes', '' for that which was said."""
    others = {"outcomes": OF_OUTCOMES, "classes": OF_CLASSES}.get(kind, {})
    if not others:
        return line
    other = {"squared-error": "sigmoid-brier"}.get(loss) or others.get(loss, "bce" if kind == "outcomes" else "ce")
    colon = said.find(":")
    other += said[colon:] if colon > 0 else ""
    return line._replace(loss=other) if line.loss is not None else line.with_flag("--loss", other)


def _said(message: str, said: str, line: Line, found: Line) -> str:
    """Return the message with the command line that works, and with what the columns hold where that decided."""
    from losscli.data.proposal import held

    facts = [(said or message).rstrip(".")]
    if line.loss is not None and found.loss in FITTING and found.loss not in line.operands and _is_file(line.loss):
        facts.append(FITTING[found.loss])
    elif found.loss in OF_OUTCOMES.values() and line.loss != found.loss and not said:
        of = (
            "of one score and two outcomes"
            if line.loss in OF_OUTCOMES or found.loss == "bce"
            else "of squared errors of a probability"
        )
        facts.append(f"the loss {of} is {found.loss}")
    elif found.loss in OF_CLASSES.values() and line.loss != found.loss and not said:
        facts.append(f"the loss of a score for each class is {found.loss}")
    if "--classes" in found.said - line.said:
        negative, _, positive = str(found.value("--classes")).rpartition(",")
        facts.append(
            f"the command at the end takes {positive!r} as the positive outcome; if {negative!r} is it, say --classes {quoted(f'{positive},{negative}')}"
        )
    if ":" in f"{found.operands[0]}{found.targets or ''}" or "--columns" in found.said - line.said:
        columns = held(_opened(found)[0])
        facts += [f"{found.operands[0].partition(':')[0]} holds {columns}"] if columns else []
    if found.others:
        facts.append(f"the predictions may be those of {listing(map(repr, found.others))} as well")
    if said == message:
        return "; ".join([*facts, f"with these files: {found.text()}"])
    if said and len(facts) == 1:
        return f"{said}: {found.text()}"
    return "; ".join([*facts, f"with all that is missing: {found.text()}"])
