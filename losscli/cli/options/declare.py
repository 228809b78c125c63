"""How options are declared: the headings of help, records of options, and groups that commands take as one parameter."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.definition.loss import Family

READING, LOSS, REDUCING, WRITING = "Reading", "The loss", "Weights and reduction", "Output"
RUNNING = "Running"
DECISION = "The decision"
SLICING = "Slices and intervals"
PICTURE = "The picture"

Group = TypeVar("Group", bound=tuple[Any, ...])
"""A NamedTuple whose fields are options."""


def option(*flags: str, help: str, panel: str | None = None, **more: Any) -> Any:
    """Declare an option; the result stands beside the type in `Annotated`.

    Parameters
    ----------
    panel
        the heading under which help shows it; None for Typer's own heading, "Options".
    more
        what else `typer.Option` takes, such as `metavar`.
    """
    return typer.Option(*flags, rich_help_panel=panel, help=help, **more)


def operand(metavar: str, help: str) -> Any:
    """Declare an operand; the result stands beside the type in `Annotated`."""
    return typer.Argument(metavar=metavar, show_default=False, help=help)


class Option(NamedTuple):
    """An option or operand as a record, for commands whose signature depends on the loss."""

    name: str
    """The name of the command's parameter; most are fields of the request with the same name."""
    annotation: Any
    default: Any = inspect.Parameter.empty
    when: Callable[["Family"], bool] = lambda family: True
    """Returns whether the losses of a family take it."""

    @property
    def panel(self) -> str | None:
        """The heading above it in help; None for an operand."""
        return getattr(self.annotation.__metadata__[0], "rich_help_panel", None)

    @property
    def flag(self) -> str:
        """Its first flag, such as '--from' or '--header/--no-header'; '' for an operand."""
        return str(getattr(self.annotation.__metadata__[0], "default", ""))

    @property
    def word(self) -> str:
        """Its flag without the dashes, such as 'from', which is its key in suites of `losscli run`."""
        return self.flag.split("/")[0].removeprefix("--")

    def parameter(self, name: str | None = None) -> inspect.Parameter:
        """Return the parameter of a command's signature, with the option's name or another one."""
        return inspect.Parameter(
            name or self.name, inspect.Parameter.KEYWORD_ONLY, annotation=self.annotation, default=self.default
        )


class OfLosses(NamedTuple):
    """Marks a parameter that stands for these options, in `Annotated[dict[str, Any], OfLosses(options)]`.

    The function gets the values of the options that were typed, with the keys of `options`.
    """

    options: Mapping[str, Option]


def options_of(group: type[tuple[Any, ...]], **when: Callable[["Family"], bool]) -> tuple[Option, ...]:
    """Return the options of a group, which is a NamedTuple with one option for each field.

    Parameters
    ----------
    when
        for some of the fields, which families' losses take the option; the others are for all losses.
    """
    defaults: Mapping[str, Any] = getattr(group, "_field_defaults", {})
    return tuple(
        Option(name, annotation, defaults.get(name, inspect.Parameter.empty), when.get(name, lambda family: True))
        for name, annotation in inspect.get_annotations(group).items()
    )


def taken(group: type[Group], values: dict[str, Any]) -> Group:
    """Remove the values of a group's options from a command's values, and return them as the group."""
    return group(**{item.name: values.pop(item.name, item.default) for item in options_of(group)})
