"""`losscli compute LOSS PREDICTIONS TARGETS`: each loss is a sub-command with its own options."""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import typer

from losscli.cli.command import say
from losscli.cli.loss_command import TYPED, LossGroup, Typed, loss_command
from losscli.cli.options.declare import taken
from losscli.cli.options.output import Wanted
from losscli.cli.options.running import Running
from losscli.cli.options.slices import Slicing
from losscli.errors import Exit, UsageError

if TYPE_CHECKING:
    from losscli.definition.loss import Family, Loss
    from losscli.definition.request import Request
    from losscli.measurement.requirement import Requirement


def command_of(loss: "Loss") -> Any:
    """Make the command of one loss."""
    return _command_of_several(loss, ())


def _command_of_several(loss: "Loss", families: "Sequence[Family]") -> Any:
    """Make the command of a loss with which others are computed; it takes the options of their families as well."""
    from losscli.cli.options.losses import signature

    options = signature(loss, others=families)
    return loss_command(loss, lambda values, typed: compute(loss, values, typed), options)


OTHERS = "losscli.others"
"""The key of a context's `meta` for the values of --plus and --also, which are looked for before the options are known."""


class ComputeGroup(LossGroup):
    """The losses as sub-commands of compute."""

    make = staticmethod(command_of)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        ctx.meta[OTHERS] = [*_values_of("--plus", args), *_values_of("--also", args)]
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if not ctx.meta.get(OTHERS):
            return super().get_command(ctx, cmd_name)
        from losscli.lookup.names import find
        from losscli.lookup.spec import weighted

        ctx.meta[TYPED] = cmd_name
        return _command_of_several(find(cmd_name), [weighted(text)[1].family for text in ctx.meta[OTHERS]])


def _values_of(flag: str, words: Sequence[str]) -> list[str]:
    """Return the values of an option among the words of a command line, before it is known what all of them mean."""
    words = words[: list(words).index("--")] if "--" in words else words
    apart = [value for word, value in pairwise(words) if word == flag]
    return apart + [word.removeprefix(f"{flag}=") for word in words if word.startswith(f"{flag}=")]


app = typer.Typer(
    add_completion=False,
    cls=ComputeGroup,
    help="Compute a loss of predictions and targets. Each loss has its own options: losscli compute LOSS --help",
    no_args_is_help=True,
    subcommand_metavar="LOSS PREDICTIONS TARGETS [OPTIONS]",
)


@app.callback()
def _group() -> None:
    pass


def compute(loss: "Loss", values: dict[str, Any], typed: Typed = Typed()) -> int:
    """Run `losscli compute` of one loss, and return the exit code.

    Parameters
    ----------
    values
        the values of the command's options, by the names of its parameters.
    typed
        what the user typed.
    """
    from losscli.definition.request import Request

    if values["targets"] is None:
        _check_targets(loss, values, typed)
    bound = loss.bind(**{name: values.pop(name) for name in loss.parameters})
    wanted = taken(Wanted, values)
    running = taken(Running, values).begun(wanted.quiet)
    also, plus = values.pop("also", ()), values.pop("plus", ())
    values |= taken(Slicing, values).fields(typed.options)
    if wanted.require_each and not values["by"]:
        raise UsageError(f"--require-each {wanted.require_each[0]!r}: of which slices? Say --by COLUMN as well")
    if also and plus:
        raise UsageError("--plus makes one number of several losses, and --also one number of each; say one of the two")
    if wanted.part is not None:
        from losscli.cli.parts import check_wanted

        check_wanted(wanted, typed.options, values["library"], also, plus)
    if also:
        from losscli.cli.several import compute_also

        return compute_also(bound, also, values, wanted, running, typed)
    if plus:
        from losscli.cli.sums import compute_sum

        return compute_sum(bound, plus, values, wanted, running, typed)
    requirements = _requirements(wanted.require), _requirements(wanted.require_each, each=True)
    wanted.check_value(values["reduction"])
    libraries = _libraries(values.pop("library"), wanted, typed.options)
    request = Request(loss=bound, **values | wanted.needed(requirements[0]))
    if len(libraries) > 1:
        if request.by or request.interval is not None:
            option = "--by" if request.by else "--interval"
            raise UsageError(f"{option} is of one number; name one library in --as {','.join(libraries)}")
        return _side_by_side(request, libraries, wanted, running, typed.options)
    if wanted.part is not None:
        from losscli.cli.parts import compute_part

        return compute_part(request, libraries, wanted, running, typed)
    return _measured(request, libraries, wanted.under(request.reduction), requirements, running, typed)


def _check_targets(loss: "Loss", values: dict[str, Any], typed: Typed) -> None:
    """Raise a UsageError if the operand TARGETS is missing, and predictions are not the likelihoods of what happened."""
    from losscli.cli.command import about_targets
    from losscli.data.likelihoods import MISSING, taken_without_targets

    if not taken_without_targets(loss, values["prediction_kind"]):
        advice = f"{about_targets(values['predictions'])} (see {typed.command} --help)"
        raise UsageError(f"{MISSING}{advice}", fact=MISSING)


def _requirements(texts: Sequence[str], each: bool = False) -> "list[Requirement]":
    """Return what --require asks for, or what --require-each does."""
    if not texts:
        return []
    from losscli.measurement.requirement import Requirement

    return [Requirement.of_each(text) if each else Requirement.parse(text) for text in texts]


def _measured(
    request: "Request",
    libraries: Sequence[str],
    wanted: Wanted,
    requirements: "tuple[list[Requirement], list[Requirement]]",
    running: Running,
    typed: Typed,
) -> int:
    """Measure, as losscli does or as the one library does, and deliver the result."""
    from losscli import api
    from losscli.cli.delivery import Delivery
    from losscli.lookup.names import elsewhere

    with running.shown() as progress, Delivery(wanted) as delivery:
        measurement, result = api.measured(
            request,
            api.Hooks(running.threads, progress.looking, progress.start, progress),
            rows=delivery.needs_rows,
            elements=wanted.elements,
            gradient=wanted.gradient is not None,
            library=libraries[0] if libraries else None,
            typed=typed.options,
            started=delivery.start,
            consume=delivery.consume,
        )
        progress.wipe()
        result.judge(requirements[0])
        met = result.judge_each(requirements[1])
        # Only now, since an error is printed as one line without notes.
        say([*measurement.notes, *elsewhere(typed.name)], wanted.quiet)
        delivery.deliver(result)
    return Exit.OK if met else Exit.UNMET


def _libraries(text: str | None, wanted: Wanted, given: frozenset[str]) -> list[str]:
    """Read --as: return the libraries whose number is asked for, or none without it.

    Raises
    ------
    UsageError
        for options that do not go together with --as, or with more than one library.
    """
    if text is None:
        return []
    from losscli.measurement.conventions import parse

    names = parse(text)
    if "over_outputs" in given:
        raise UsageError("--over-outputs does not go together with --as: how outputs add up is the library's affair")
    if wanted.gradient is not None:
        raise UsageError("--gradient is that of the loss itself; leave out --as")
    if len(names) == 1:
        return names
    for option, chosen in (("--per-sample", wanted.per_sample), ("--elements", wanted.elements)):
        if chosen:
            raise UsageError(f"{option} shows one number per row; name one library in --as {text}")
    if wanted.require:
        raise UsageError(f"--require is about one number; name one library in --as {text}")
    if wanted.format == "value":
        raise UsageError(f"--format value prints one number; name one library in --as {text}")
    return names


def _side_by_side(request: "Request", names: list[str], wanted: Wanted, running: Running, given: frozenset[str]) -> int:
    """Print the numbers of several libraries, and write them to a file if one is named."""
    from losscli.cli.delivery import published
    from losscli.io.sinks import keep_apart
    from losscli.measurement.as_library import side_by_side
    from losscli.measurement.prepare import prepare
    from losscli.render.libraries import sides
    from losscli.render.screen import Screen

    if request.reduction == "none":
        raise UsageError("--reduction none leaves no number to put side by side; name one library in --as")
    with running.shown() as progress:
        measurement = prepare(request, looked=progress.looking, once=False)
        if wanted.output is not None:
            keep_apart(wanted.output, measurement.files)
        own, found = side_by_side(measurement, names, given, running.threads)
    say(dict.fromkeys(measurement.notes), wanted.quiet)
    if wanted.output is not None:
        published(wanted.output, lambda kind: sides(kind, request, own, found))
    print(sides(wanted.format, request, own, found, Screen.of(sys.stdout)), end="")
    return Exit.OK
