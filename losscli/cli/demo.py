"""`losscli demo`: the main job on the packaged sample data, from any folder."""

import sys
from pathlib import Path
from typing import Annotated

from losscli.cli.options.declare import option
from losscli.cli.options.output import formats_option
from losscli.render.words import ResultFormat


def folder() -> Path:
    """Return the folder of the sample data: inside the package if it is installed, beside it in a checkout."""
    from losscli.errors import DataError

    package = Path(__file__).parent.parent
    for place in (package / "sample_data", package.parent / "sample_data"):
        if (place / "digits_logits.csv").is_file():
            return place
    raise DataError(f"{package}: the sample data is missing; install losscli again")


def copy(data: Path) -> str:
    """Copy the sample data into the folder `sample_data` here, and return a line that says so.

    Files that are there already stay as they are.

    Raises
    ------
    DataError
        if one of them is another file than ours, before anything is written; or if a file cannot be written.
    """
    from losscli.errors import DataError
    from losscli.io.sinks import Outputs

    folder = Path("sample_data")
    ours = {folder / path.name: path.read_bytes() for path in sorted(data.iterdir()) if path.is_file()}
    others = [path for path, content in ours.items() if path.exists() and not _holds(path, content)]
    if others:
        raise DataError(f"{others[0]}: exists and is not the sample data's; go to an empty folder, or move it away")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made, {error.strerror}; go to an empty folder") from error
    with Outputs() as outputs:
        for path, content in ours.items():
            if not path.exists():
                outputs.open(path).write(content)
        outputs.publish()
    return f"{folder}: {len(ours)} files, described in {folder / 'README.md'}"


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file has this content; a file of another size is not read."""
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


def demo(
    format: Annotated[ResultFormat, formats_option(ResultFormat, panel=None)] = "table",
    copy_files: Annotated[
        bool,
        option("--copy", show_default=False, help="Copy the sample data into a folder sample_data here, and no more."),
    ] = False,
) -> int:
    """Compute a loss on the packaged sample data: 360 handwritten digits, scored by a real model."""
    from losscli.cli.compute import compute
    from losscli.cli.options.losses import signature
    from losscli.lookup.names import find
    from losscli.render.screen import Screen, command_lines, wrapped

    if copy_files:
        print(copy(folder()))
        return 0
    data, loss = folder(), find("softmax-cross-entropy")
    predictions, targets = str(data / "digits_logits.csv"), str(data / "digits_labels.csv")
    screen = Screen.of(sys.stderr)

    def say(text: str) -> None:
        print("\n".join(wrapped(text, screen.width)), file=sys.stderr)

    say("The loss of a real model on 360 pictures of handwritten digits, as this command computes it:")
    line = f"$ losscli compute {loss.name} {predictions} {targets} --id id --per-sample"
    print("\n".join(command_lines(line, screen)), file=sys.stderr)
    defaults = {name: item.default for name, item in signature(loss).parameters.items()}
    typed = {"predictions": predictions, "targets": targets, "id": "id", "per_sample": True, "format": format}
    code = compute(loss, defaults | typed)
    say(
        "The mean is the model's loss, the baseline that of the best constant prediction, and the last line names "
        "all that the number depends on."
    )
    say(
        "Next: losscli demo --copy puts these files into a folder here, to try things with; losscli list shows the losses."
    )
    return code
