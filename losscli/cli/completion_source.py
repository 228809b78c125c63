"""The table that completion answers from, made from the declarations of commands, options and losses."""

from collections.abc import Mapping
from typing import Any

import typer


def source() -> str:
    """Return the text of `losscli/cli/completion.txt`: a line for each fact, in words between tabs."""
    from losscli.losses import LOSSES, NAMES

    commands, families = _commands(), _families()
    options = [item for made in commands.values() for item in _options(made)]
    options += [item for items in families.values() for item in items]
    valueless = sorted({flag for item in options if item.is_flag for flag in (*item.opts, *item.secondary_opts)})
    lines = [("command", path, *_flags(_options(made))) for path, made in commands.items()]
    lines += [("family", key, *_flags(items)) for key, items in families.items()]
    lines += [("loss", loss.name, loss.family.name, *loss.parameters) for loss in LOSSES.values()]
    lines += [("alias", name, loss) for name, loss in NAMES.items() if name != loss]
    lines += [("value", flag, *words) for flag, words in _values(options).items()]
    lines += [("valueless", *valueless)]
    lines += [("summary", name, text) for name, text in _summaries().items()]
    return "".join("\t".join(line) + "\n" for line in lines)


def _commands() -> Mapping[str, Any]:
    """Return the commands by their words."""
    from losscli.cli.loss_command import LossGroup
    from losscli.cli.main import COMMANDS, app

    root: Any = typer.main.get_command(app)
    found = {"": root}
    for name in COMMANDS:
        found[name] = root.get_command(None, name)
        if not isinstance(found[name], LossGroup):
            for inner, one in getattr(found[name], "commands", {}).items():
                found[f"{name} {inner}"] = one
    return found


def _families() -> Mapping[str, list[Any]]:
    """Return the options that losses of each family take beside their parameters, by the command's words and the family."""
    from losscli.cli.compute import command_of
    from losscli.cli.plot.samples import SamplesGroup
    from losscli.losses import LOSSES

    found: dict[str, list[Any]] = {}
    for loss in LOSSES.values():
        for path, make in (("compute", command_of), ("plot samples", SamplesGroup.make)):
            key = f"{path} {loss.family.name}"
            if key not in found:
                found[key] = [item for item in _options(make(loss)) if item.name not in loss.parameters]
    return found


def _options(command: Any) -> list[Any]:
    return [item for item in command.params if item.param_type_name == "option"]


def _flags(items: list[Any]) -> tuple[str, ...]:
    """Return the flags of options: of each the long ones, or the short one if there is no other; --help last."""
    flags = [flag for item in items for flag in (*item.opts, *item.secondary_opts) if flag.startswith("--")]
    return (*(flag for flag in dict.fromkeys(flags) if flag != "--help"), "--help")


def _values(items: list[Any]) -> dict[str, tuple[str, ...]]:
    """Return the words that may be the value of an option."""
    from losscli.libraries import libraries

    found: dict[str, tuple[str, ...]] = {}
    for item in items:
        words = tuple(getattr(item.type, "choices", ()))
        for flag in item.opts if words else ():
            found[flag] = tuple(dict.fromkeys((*found.get(flag, ()), *words)))
    return found | {"--as": tuple(libraries())}


def _summaries() -> dict[str, str]:
    """Return what fish shows beside a command or a loss."""
    from losscli.cli.main import COMMANDS
    from losscli.losses import LOSSES

    return {name: text for name, (_, _, text) in COMMANDS.items()} | {
        loss.name: loss.summary for loss in LOSSES.values()
    }
