"""Completion: what may follow on a command line, answered from a table of names, without the imports of a command.

`losscli.cli.start` comes here at once where the shell asks. The scripts of the shells hand over the line up to the cursor and get
a candidate per line; where there is none they complete names of files.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

VARIABLE = "_LOSSCLI_COMPLETE"
"""The variable of the environment that names the shell which asks."""
TABLE = os.path.join(os.path.dirname(__file__), "completion.txt")
"""The names that completion knows, which python docs/make_tables.py writes. It is text, since a module of this size would be
compiled again wherever Python may not keep what it compiled."""
COMMANDS: dict[str, Sequence[str]] = {}
"""Words of a command -> its options."""
FAMILIES: dict[str, Sequence[str]] = {}
"""Words of a command and a family of losses -> the options that these take, beside their parameters."""
LOSSES: dict[str, tuple[str, Sequence[str]]] = {}
"""Name of a loss -> its family and its parameters."""
ALIASES: dict[str, str] = {}
SUMMARIES: dict[str, str] = {}
VALUES: dict[str, Sequence[str]] = {}
"""Option -> the words that its value may be."""
VALUELESS: set[str] = set()
"""Options without a value."""
LOSS_FIRST = ("compute", "rank", "compare", "explain", "plot samples", "plot curves", "plot compare")
"""Commands whose first operand is a loss."""
OF_COLUMNS = ("--id", "--by", "--columns", "--group")
"""Options whose value is a column, or several."""
OF_LOSSES = ("--loss", "--also", "--plus")
"""Options whose value is a loss."""
BASH = """\
_losscli_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $(_LOSSCLI_COMPLETE=bash _LOSSCLI_LINE="${COMP_LINE:0:$COMP_POINT}" _LOSSCLI_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null) )
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:=,] ]]; then compopt -o nospace; fi
}
complete -o default -F _losscli_completion losscli
"""
ZSH = """\
#compdef losscli
_losscli_completion() {
    local -a found
    found=("${(@f)$(_LOSSCLI_COMPLETE=zsh _LOSSCLI_LINE="${(j: :)words[1,CURRENT]}" ${words[1]} 2>/dev/null)}")
    if (( ${#found} == 0 )) || [[ -z ${found[1]} ]]; then _files; return; fi
    local -a open whole
    open=(${(M)found:#*[:=,]})
    whole=(${found:#*[:=,]})
    (( ${#open} )) && compadd -S '' -- $open
    (( ${#whole} )) && compadd -- $whole
    return 0
}
compdef _losscli_completion losscli
"""
FISH = """\
function _losscli_completion
    set -l found (env _LOSSCLI_COMPLETE=fish _LOSSCLI_LINE=(commandline -cp | string collect) losscli 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c losscli -f -a '(_losscli_completion)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""Shell -> its script."""
MOST_BYTES = 1_000_000
"""The beginning of a text file in which its first line is looked for."""


def load() -> None:
    """Read the table, once."""
    if COMMANDS:
        return
    with open(TABLE, encoding="utf-8") as stream:
        for line in stream:
            kind, name, *words = line.rstrip("\n").split("\t")
            if kind == "command":
                COMMANDS[name] = words
            elif kind == "family":
                FAMILIES[name] = words
            elif kind == "loss":
                LOSSES[name] = words[0], words[1:]
            elif kind == "alias":
                ALIASES[name] = words[0]
            elif kind == "value":
                VALUES[name] = words
            elif kind == "valueless":
                VALUELESS.update((name, *words))
            else:
                SUMMARIES[name] = words[0]


def answer(shell: str) -> None:
    """Print what may follow on the line that a shell hands over; nothing where the names of files may."""
    load()
    words, last = split(os.environ.get("_LOSSCLI_LINE", ""))
    breaks = os.environ.get("_LOSSCLI_BREAKS", "") if shell == "bash" else ""
    cut = 1 + max((last.rfind(sign) for sign in ":=" if sign in breaks), default=-1)
    for candidate in dict.fromkeys(candidates(words[1:], last)):
        text = _escaped(candidate[cut:]) if shell == "bash" else candidate
        summary = SUMMARIES.get(candidate, "") if shell == "fish" else ""
        print(f"{text}\t{summary}" if summary else text)


def split(line: str) -> tuple[list[str], str]:
    """Return the words of a line without quotes and backslashes, and the one that is begun."""
    words: list[str] = []
    word, quote, begun = "", "", False
    left = iter(line)
    for sign in left:
        if quote:
            if sign == quote:
                quote = ""
            elif sign == "\\" and quote == '"':
                word += next(left, "")
            else:
                word += sign
        elif sign in "'\"":
            quote, begun = sign, True
        elif sign == "\\":
            word, begun = word + next(left, ""), True
        elif sign.isspace():
            words += [word] if begun else []
            word, begun = "", False
        else:
            word, begun = word + sign, True
    return words, word


def _escaped(text: str) -> str:
    """Return a word as bash reads it without quotes."""
    return "".join(f"\\{sign}" if sign in " \t'\"\\$`!*?[](){}<>|&;#~" else sign for sign in text)


def candidates(words: Sequence[str], last: str) -> Iterator[str]:
    """Yield what may stand in the place of a word that is begun.

    Parameters
    ----------
    words
        the words before it, without the program's name.
    last
        the word as far as it is typed.
    """
    command, rest = _command(words)
    found: Iterable[str]
    if command is None:
        names = [name for name in COMMANDS if name and " " not in name] if not rest else _of_plot(rest)
        found = COMMANDS[""] if last.startswith("-") else names
    elif command == "help":
        found = _helped(last)
    else:
        found = _of_command(command, rest, last)
    return (one for one in found if one.startswith(last))


def _command(words: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the command of a line and the words behind it; None while it is not complete."""
    words = [word for word in words if word not in COMMANDS[""] or word in ("-h", "--help")]
    if not words or words[0] not in COMMANDS:
        return None, words
    if words[0] == "plot":
        if len(words) < 2 or f"plot {words[1]}" not in COMMANDS:
            return None, words
        return f"plot {words[1]}", words[2:]
    return words[0], words[1:]


def _of_plot(words: Sequence[str]) -> list[str]:
    """Return the kinds of pictures behind plot."""
    return [name.split()[1] for name in COMMANDS if name.startswith("plot ")] if list(words) == ["plot"] else []


def _helped(last: str) -> Iterator[str]:
    """Yield what there is help for."""
    if last.startswith("-"):
        yield from sorted({flag for flags in (*COMMANDS.values(), *FAMILIES.values()) for flag in flags})
    else:
        yield from (name for name in COMMANDS if name and " " not in name)
        yield from (*LOSSES, *ALIASES)


def _of_command(command: str, words: Sequence[str], last: str) -> Iterator[str]:
    """Yield what may follow behind a command."""
    operands, pending = _operands(words)
    flag, equals, value = last.partition("=")
    if pending:
        yield from _values(pending, last, command, operands)
    elif equals and flag.startswith("--"):
        yield from (f"{flag}={one}" for one in _values(flag, value, command, operands))
    elif last.startswith("-"):
        given = {word.partition("=")[0] for word in words}
        yield from (
            one for one in _flags(command, operands) if one not in given or one in OF_LOSSES or one == "--require"
        )
    elif command in LOSS_FIRST and (not operands or command == "plot curves"):
        yield from _specs(last)
    elif ":" in last:
        yield from _columns_behind(last)


def _operands(words: Sequence[str]) -> tuple[list[str], str]:
    """Return the operands among words, and the option whose value comes next, if there is one."""
    operands, pending = [], ""
    for word in words:
        if pending:
            pending = ""
        elif word.startswith("-") and len(word) > 1 and not word[1].isdecimal():
            pending = "" if "=" in word or word in VALUELESS else word
        else:
            operands.append(word)
    return operands, pending


def _flags(command: str, operands: Sequence[str]) -> Iterator[str]:
    """Yield the options of a command, and those of the loss that it computes."""
    if command in ("compute", "plot samples"):
        name = operands[0].partition(":")[0] if operands else ""
        name = ALIASES.get(name, name)
        if name in LOSSES:
            family, parameters = LOSSES[name]
            yield from (f"--{parameter.replace('_', '-')}" for parameter in parameters)
            yield from FAMILIES[f"{command} {family}"]
            return
    yield from COMMANDS[command]


def _values(flag: str, last: str, command: str, operands: Sequence[str]) -> Iterator[str]:
    """Yield what may be the value of an option."""
    if flag in OF_LOSSES:
        yield from _specs(last)
    elif flag in OF_COLUMNS:
        files = operands[1:] if command in LOSS_FIRST else operands
        before = last[: last.rfind(",") + 1] if flag == "--columns" else ""
        named = [file if os.path.exists(file) else file.partition(":")[0] for file in files[:2]]
        for file in dict.fromkeys(named):
            yield from (before + name for name in columns(file))
    elif flag == "--family":
        yield from dict.fromkeys(family for family, _ in LOSSES.values())
    elif flag in VALUES:
        yield from VALUES[flag]
    elif ":" in last:
        yield from _columns_behind(last)


def _specs(last: str) -> Iterator[str]:
    """Yield names of losses, or behind a name and a colon its parameters."""
    weight, times, spec = last.rpartition("*")
    before = weight + times
    name, colon, _ = spec.partition(":")
    if not colon:
        yield from (f"{before}{one}" for one in (*LOSSES, *ALIASES))
        return
    parts = spec.split(":")
    _, parameters = LOSSES.get(ALIASES.get(name, name), ("", ()))
    given = {part.partition("=")[0] for part in parts[1:-1]}
    yield from (f"{before}{':'.join(parts[:-1])}:{one}=" for one in parameters if one not in given)


def _columns_behind(last: str) -> Iterator[str]:
    """Yield FILE:COLUMN for each column of the file that is named."""
    for place in (i for i, sign in enumerate(last) if sign == ":"):
        file = last[:place]
        if os.path.isfile(file):
            yield from (f"{file}:{name}" for name in columns(file))
            return


def columns(file: str) -> list[str]:
    """Return the names of the columns of a file, or the keys of the arrays in it; none where it has none, or cannot be read."""
    if not os.path.isfile(file):
        return []
    name, inner = file.lower(), open
    for ending in (".gz", ".bz2", ".xz"):
        if name.endswith(ending):
            from importlib import import_module

            name = name.removesuffix(ending)
            inner = import_module({".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}[ending]).open
    read = READERS.get(name[name.rfind(".") :])
    try:
        return [] if read is None else read(file, inner)
    except Exception:  # noqa: BLE001 - a damaged file has no columns, and completion never complains
        return []


def _of_text(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the header of a text table; none if its first row is all numbers."""
    import csv

    with open_(file, "rb") as stream:  # type: ignore[attr-defined]
        line = stream.readline(MOST_BYTES).decode("utf-8-sig")
    cells = [next(csv.reader([line], delimiter=sign), []) for sign in (",", "\t", ";", "|")]
    first = [cell.strip() for cell in max(cells, key=len)]
    return [] if all(map(_is_number, first)) else [cell for cell in first if cell]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _of_npz(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the keys of an NPZ file."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def _of_npy(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the numbers of the columns of an array of two axes, from 1, as --columns calls them."""
    from ast import literal_eval

    with open_(file, "rb") as stream:  # type: ignore[attr-defined]
        head = stream.read(8)
        size = int.from_bytes(stream.read(2 if head[6] == 1 else 4), "little")
        shape = literal_eval(stream.read(size).decode("latin1").strip())["shape"]
    return [str(i + 1) for i in range(min(shape[1], 1000))] if len(shape) == 2 else []


def _of_lines(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the keys of the first of some JSON lines."""
    import json

    with open_(file, "rb") as stream:  # type: ignore[attr-defined]
        return list(json.loads(stream.readline(MOST_BYTES)))


def _of_safetensors(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the names of the arrays of a safetensors file."""
    import json

    with open_(file, "rb") as stream:  # type: ignore[attr-defined]
        head = json.loads(stream.read(min(int.from_bytes(stream.read(8), "little"), 100 * MOST_BYTES)))
    return [name for name in head if name != "__metadata__"]


def _of_parquet(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the columns of a Parquet file, which Polars reads."""
    import polars

    return list(polars.read_parquet_schema(file))


def _of_arrow(file: str, open_: Callable[..., object]) -> list[str]:
    """Return the columns of an Arrow file, which Polars reads."""
    import polars

    return list(polars.read_ipc_schema(file))


READERS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), _of_text),
    **dict.fromkeys((".jsonl", ".ndjson"), _of_lines),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), _of_arrow),
    ".npz": _of_npz,
    ".npy": _of_npy,
    ".safetensors": _of_safetensors,
    ".parquet": _of_parquet,
}
"""The end of a file's name -> what reads its columns."""


def shell_of(name: str) -> str:
    """Return the shell that is meant; by the environment if none is named.

    Raises
    ------
    UsageError
        if there is no script for it.
    """
    from losscli.errors import UsageError

    found = name or os.path.basename(os.environ.get("SHELL", ""))
    if found not in SCRIPTS:
        raise UsageError(f"no completion for the shell {found!r}; say one of: {', '.join(SCRIPTS)}")
    return found


def install(shell: str) -> str:
    """Write the script of a shell where the shell finds it, and return what to say.

    Bash and zsh get a line in their start files, once; fish reads its folder by itself.
    """
    home = os.path.expanduser("~")
    if shell == "fish":
        config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        place = os.path.join(config, "fish", "completions", "losscli.fish")
        _write(place, SCRIPTS[shell])
        return f"completion for fish is in {place}; new shells have it"
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    place = os.path.join(data, "losscli", f"completion.{shell}")
    start = (
        os.path.join(os.environ.get("ZDOTDIR") or home, ".zshrc") if shell == "zsh" else os.path.join(home, ".bashrc")
    )
    script = SCRIPTS[shell]
    if shell == "zsh":  # compdef exists after compinit
        script = script.replace(
            "compdef _loss", "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\ncompdef _loss"
        )
    _write(place, script)
    line = f"source {_quoted(place)}\n"
    before = ""
    if os.path.exists(start):
        with open(start, encoding="utf-8", errors="surrogateescape") as stream:
            before = stream.read()
    if line not in before:
        with open(start, "a", encoding="utf-8") as stream:
            stream.write(("\n" if before and not before.endswith("\n") else "") + line)
    return f"completion for {shell} is in {place}, and {start} reads it; new shells have it"


def _quoted(text: str) -> str:
    from losscli.wording import quoted

    return quoted(text)


def _write(place: str, text: str) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as stream:
        stream.write(text)


def main(shell: str) -> None:
    """Answer a shell; a defect here must not disturb a command line that is being typed."""
    try:
        if shell in SCRIPTS:
            answer(shell)
            sys.stdout.flush()
    except Exception:  # noqa: BLE001
        pass
