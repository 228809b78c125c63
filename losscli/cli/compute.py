"""`losscli compute LOSS PREDICTIONS TARGETS`: every loss is a sub-command with its own options."""

import re
import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from losscli.errors import Exit, UsageError

if TYPE_CHECKING:
    from losscli.core import Loss

NEGATIVE = re.compile(r"-\.?\d[\d.]*(e[+-]?\d+)?", re.IGNORECASE)


SHORT = {"-f": "--format", "-o": "--output", "-q": "--quiet"}
FLAGS = ("-", "-q", "--quiet", "--per-sample", "--elements", "--header", "--no-header")


def is_operand(word: str, before: str) -> bool:
    """Whether a word that looks like an option is an operand: a negative number, or a column of standard input."""
    of_option = before.startswith("-") and before not in FLAGS and not NEGATIVE.fullmatch(before)
    return bool(word.startswith("-:") or NEGATIVE.fullmatch(word)) and not of_option


class LossCommand(TyperCommand):
    """A command to which a negative number is an operand, not an unknown option."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_twice(args)
        # A number with a space before it still reads as the number, and no longer as an option.
        operands = [
            f" {word}" if is_operand(word, before) else word for before, word in zip(["", *args], args, strict=False)
        ]
        return list(super().parse_args(ctx, operands))


def _refuse_twice(args: list[str]) -> None:
    # The last of two would win without a word.
    given = [SHORT.get(word, word).split("=")[0] for word in args if word.startswith("--") or word in SHORT]
    twice = next((word for word in given if given.count(word) > 1 and word != "--require"), None)
    if twice is not None and twice != "--":
        raise UsageError(f"{twice} is given twice; say it once")


class LossGroup(TyperGroup):
    """Makes a loss's command when it is asked for, from the loss's declaration."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [self.subcommand_metavar]  # options come after the loss, not before it

    def list_commands(self, ctx: Any) -> list[str]:
        from losscli.losses import LOSSES

        return list(LOSSES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from losscli.losses import find

        return command_of(find(cmd_name))


app = typer.Typer(
    cls=LossGroup,
    help="Compute a loss of predictions and targets. Each loss has its own options: losscli compute LOSS --help",
    no_args_is_help=True,
    subcommand_metavar="LOSS PREDICTIONS TARGETS [OPTIONS]",
)


@app.callback()
def _group() -> None:
    pass


def command_of(loss: "Loss") -> Any:
    """The command of one loss."""
    from losscli.cli.options import signature

    def command(**values: Any) -> int:
        return compute(loss, values)

    spliced = signature(loss)
    vars(command)["__signature__"] = spliced
    command.__annotations__ = {name: item.annotation for name, item in spliced.parameters.items()}
    names = f" Also called {', '.join(loss.aliases)}." if loss.aliases else ""
    letters = {**loss.family.variables, **loss.where}
    text = "\n\n".join(
        [
            f"{loss.name}: {loss.summary}{names}",
            f"f = {loss.formula}"
            + ("" if "sum" not in loss.family.value else f"; the loss is the {loss.family.value}"),
            "with " + "; ".join(f"{letter} = {meaning}" for letter, meaning in letters.items()),
            f"Targets: {loss.family.targets}.",
        ]
    )
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(
        loss.name,
        cls=LossCommand,
        help=text,
        short_help=loss.summary,
        epilog=f"More: losscli explain {loss.name}",
        context_settings={"help_option_names": ["-h", "--help"]},
    )(command)
    return typer.main.get_command(single)


def compute(loss: "Loss", values: dict[str, Any]) -> int:
    """Do what a parsed command line asks for, and return the exit code."""
    from losscli.calculation import prepare
    from losscli.cli.results import Delivery
    from losscli.request import Request
    from losscli.result import Requirement

    bound = loss.bind(**{name: values.pop(name) for name in loss.parameters})
    output_names = ("format", "output", "per_sample", "elements", "gradient", "require", "quiet")
    wanted = {name: values.pop(name, False) for name in output_names}
    requirements = [Requirement.parse(text) for text in wanted["require"]]
    if wanted["format"] == "value" and values["reduction"] == "none":
        raise UsageError("--format value prints one number, and --reduction none leaves none; choose another of either")
    for name in ("predictions", "targets"):
        if is_operand(values[name].strip(), ""):
            values[name] = values[name].strip()
    if values["reduction"] == "none" and wanted["format"] == "table":
        wanted["per_sample"] = True  # every sample's own loss is what there is to show
    request = Request(loss=bound, **values)
    with Delivery(
        wanted["format"], wanted["output"], wanted["gradient"], wanted["per_sample"], wanted["elements"]
    ) as delivery:
        calculation = prepare(
            request,
            rows=delivery.needs_rows,
            elements=wanted["elements"],
            gradient=wanted["gradient"] is not None,
        )
        delivery.start(calculation)
        result = calculation.run(delivery.consume)
        if not wanted["quiet"]:  # an error is one line; what else there was to note no longer matters then
            for note in calculation.notes:
                print(f"losscli: {note if note.startswith('warning:') else 'note: ' + note}", file=sys.stderr)
        met = result.require(requirements)
        delivery.deliver(result)
    return Exit.OK if met else Exit.UNMET
