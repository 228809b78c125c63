"""`losscli demo`: the main job on the packaged sample data, from any folder."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from losscli.cli.options import FORMAT_HELP, FormatName


def folder() -> Path:
    """The sample data: inside the package when installed, beside it in a checkout."""
    from losscli.errors import DataError

    package = Path(__file__).parent.parent
    for place in (package / "sample_data", package.parent / "sample_data"):
        if (place / "digits_logits.csv").is_file():
            return place
    raise DataError(f"{package}: the sample data is missing; install losscli again")


def demo(
    format: Annotated[FormatName, typer.Option("-f", "--format", metavar="NAME", help=FORMAT_HELP)] = "table",
) -> int:
    """Compute a loss on the packaged sample data: 360 handwritten digits, scored by a real model."""
    from losscli.cli.compute import compute
    from losscli.lookup.names import find

    data = folder()
    predictions, targets = str(data / "digits_logits.csv"), str(data / "digits_labels.csv")
    command = f"losscli compute softmax-cross-entropy {predictions} {targets} --id id --per-sample"
    print(f"$ {command}", file=sys.stderr)
    options: dict[str, Any] = {
        "predictions": predictions,
        "targets": targets,
        "id": "id",
        "reduction": "mean",
        "format": format,
        "output": None,
        "per_sample": True,
        "gradient": None,
        "require": [],
        "threads": None,
        "progress": None,
    }
    code = compute(find("softmax-cross-entropy"), options)
    print(f"The files are in {data}; losscli list shows the losses.", file=sys.stderr)
    return code
