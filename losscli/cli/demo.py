"""`losscli demo`: the main job on the packaged sample data, from any folder."""

import sys
from pathlib import Path
from typing import Annotated

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


def demo(format: Annotated[ResultFormat, formats_option(ResultFormat, panel=None)] = "table") -> int:
    """Compute a loss on the packaged sample data: 360 handwritten digits, scored by a real model."""
    from losscli.cli.compute import compute
    from losscli.cli.options.losses import signature
    from losscli.lookup.names import find
    from losscli.render.screen import Screen, command_lines, wrapped

    data, loss = folder(), find("softmax-cross-entropy")
    predictions, targets = str(data / "digits_logits.csv"), str(data / "digits_labels.csv")
    screen = Screen.of(sys.stderr)
    line = f"$ losscli compute {loss.name} {predictions} {targets} --id id --per-sample"
    print("\n".join(command_lines(line, screen)), file=sys.stderr)
    defaults = {name: item.default for name, item in signature(loss).parameters.items()}
    typed = {"predictions": predictions, "targets": targets, "id": "id", "per_sample": True, "format": format}
    code = compute(loss, defaults | typed)
    where = wrapped(f"The files are in {data}; losscli list shows the losses.", screen.width)
    print("\n".join(where), file=sys.stderr)
    return code
