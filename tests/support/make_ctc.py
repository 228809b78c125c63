"""Make tests/losses/ctc.json: connectionist temporal classification as PyTorch computes it.

Usage: `python tests/support/make_ctc.py`, where torch is installed. The tests do not need it: they read the file, which holds
only what PyTorch returned, one case a line. Running the script again with the same version writes the same bytes.

A case is an object with
  library         name and version
  blank           the class of the blank
  dtype           of the computation, to which the logits are to be rounded
  logits          shape (N, T, C)
  input_lengths   time steps of each sample
  targets         labels of each sample
  losses          torch.nn.functional.ctc_loss(log_softmax(logits), ..., reduction="none")
  gradient        of the sum of the finite losses by the logits
  mean            with reduction="mean", and sum with reduction="sum", where all losses are finite; else null
Infinities are the string "inf".
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

OUTPUT = Path(__file__).parent.parent / "losses" / "ctc.json"
SEED = 1
SHAPES = (
    # samples, time, classes, most labels, blank, shortest input, scale of the logits, whether labels repeat
    (3, 4, 3, 2, 0, 4, 1.0, False),
    (5, 9, 6, 4, 0, 9, 2.0, False),
    (5, 9, 4, 4, 3, 6, 2.0, True),
    (4, 12, 3, 5, 1, 10, 5.0, True),
    (2, 30, 20, 12, 0, 25, 1.0, False),
    (4, 5, 3, 4, 0, 3, 1.0, True),  # labels that do not fit
    (3, 6, 4, 0, 2, 5, 1.0, False),  # no labels
    (2, 8, 5, 3, 4, 8, 40.0, False),
)


def plain(values: Any) -> Any:
    if isinstance(values, list):
        return [plain(one) for one in values]
    return "inf" if math.isinf(values) else values


def case(shape: tuple[Any, ...], dtype: str, generator: np.random.Generator) -> dict[str, Any]:
    import torch
    from torch.nn.functional import ctc_loss, log_softmax

    samples, time, classes, most, blank, shortest, scale, repeated = shape
    logits = generator.normal(0, scale, (samples, time, classes)).round(3)
    steps = generator.integers(shortest, time + 1, samples)
    steps[0] = time  # PyTorch wants one of full length
    names = [one for one in range(classes) if one != blank][: 1 if repeated else None]
    labels = [generator.choice(names, int(generator.integers(0, most + 1))).tolist() for _ in range(samples)]
    labels[0] = generator.choice(names, most).tolist()
    padded = np.full((samples, max(most, 1)), names[0])
    for row, one in zip(padded, labels, strict=True):
        row[: len(one)] = one
    z = torch.tensor(logits, dtype=getattr(torch, dtype), requires_grad=True)
    lengths = torch.tensor([len(one) for one in labels])
    given = log_softmax(z, -1).transpose(0, 1), torch.tensor(padded), torch.tensor(steps), lengths
    losses = ctc_loss(*given, blank=blank, reduction="none")
    finite = torch.isfinite(losses)
    losses[finite].sum().backward()
    gradient = z.grad.numpy().copy()
    gradient[~finite.numpy()] = 0  # NaN there
    whole = bool(finite.all())
    return {
        "library": f"torch {torch.__version__.split('+')[0]}",
        "blank": blank,
        "dtype": dtype,
        "logits": logits.tolist(),
        "input_lengths": steps.tolist(),
        "targets": labels,
        "losses": plain(losses.tolist()),
        "gradient": gradient.tolist(),
        "mean": ctc_loss(*given, blank=blank, reduction="mean").item() if whole else None,
        "sum": ctc_loss(*given, blank=blank, reduction="sum").item() if whole else None,
    }


def main() -> None:
    generator = np.random.default_rng(SEED)
    cases = [case(shape, dtype, generator) for shape in SHAPES for dtype in ("float32", "float64")]
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")
    print(f"{OUTPUT}: {len(cases)} cases")


if __name__ == "__main__":
    main()
