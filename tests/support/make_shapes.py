"""Make tests/data/golden_shapes.json: losses of images, volumes, sequences and masks, from PyTorch, Keras, optax and MONAI.

Usage: `python tests/support/make_shapes.py`, where torch, keras, jax, optax and monai are installed. The tests need none
of them: they read the file, which holds what these libraries returned. Running the script again with the same versions
writes the same bytes.

The file is an object with
  arrays  name -> {"kind": "float", "int" or "bool", "values": nested lists}; NaN is the string "nan". Floats are multiples
          of 1/64 with few bits, so that float16, float32 and float64 hold the very same numbers
  cases   a list of
    name       what is compared
    library    name and version of what was run
    call       what was evaluated, in float64, with the arrays by their names
    words      what losscli is told: `losscli compute ` and these words, with {NAME} for the file of an array
    value      the number that the call returned; null with --reduction none
    losses     only where `each` is there: the loss of each unit, in the shape of the units, null for one that does not exist
    each       the expression that gave `losses`
    gradient   only with PyTorch: of the sum of `losses` by the predictions, in their shape
    rtol       only where the library itself is not exact: what it adds to a denominator, say
    note       how the parameters of the library become those of losscli
    doubt      only where the contract can be read in another way: which reading this is

Cases with the same words come from different libraries, and the script compares them: they are evidence for each other.
"""

import json
import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.update(
    CUDA_VISIBLE_DEVICES="",
    JAX_ENABLE_X64="1",
    JAX_PLATFORMS="cpu",
    KERAS_BACKEND="jax",
    TF_CPP_MIN_LOG_LEVEL="3",
)

import numpy as np
from numpy.typing import NDArray

OUTPUT = Path(__file__).parent.parent / "data" / "golden_shapes.json"
SEED = 18
AGREE = 1e-12
"""How far two libraries may be apart, relatively, where they are to give the same number."""

Array = NDArray[Any]
Case = dict[str, Any]

# Arrays. All floats are multiples of 1/64 below 8, or of 1/32: exact in float16.


def logits(rng: np.random.Generator, *shape: int) -> Array:
    return np.clip(np.round(rng.normal(0, 2, shape) * 32), -160, 160) / 32


def distributions(rng: np.random.Generator, axis: int, *shape: int) -> Array:
    """Probabilities along an axis: whole numbers of 64ths, at least 2 of them, whose sum is exactly 1."""
    k = shape[axis]
    others = shape[:axis] + shape[axis + 1 :]
    counts = 2 + rng.multinomial(64 - 2 * k, rng.dirichlet(np.ones(k), others), others)
    return np.moveaxis(counts / 64, -1, axis)


def some(rng: np.random.Generator, *shape: int) -> Array:
    """A mask: about a third is left out, in every sample another number of elements, and in none all."""
    mask = rng.random(shape) > np.linspace(0.15, 0.55, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    mask.reshape(shape[0], -1)[:, 0] = True
    return mask


def regions(rng: np.random.Generator, *counts: tuple[int, ...]) -> Array:
    """Label maps of 4 x 4 pixels, one per tuple, in which class c has as many pixels as the tuple says."""
    return np.stack([rng.permutation(np.repeat(np.arange(len(each)), each)).reshape(4, 4) for each in counts])


def holes(rng: np.random.Generator, values: Array, hole: float) -> Array:
    """About a quarter of the elements replaced, the first and the last column of the first row among them."""
    holed = np.where(rng.random(values.shape) < 0.25, hole, values)
    holed[0, 0] = holed[0, -1] = hole
    holed[-1, 1] = values[-1, 1]
    return holed


def arrays() -> dict[str, Array]:
    rng = np.random.default_rng(SEED)
    made: dict[str, Array] = {
        "images": logits(rng, 2, 3, 4, 4),
        "image_labels": regions(rng, (6, 7, 3), (1, 5, 10)),
        "volumes": logits(rng, 2, 3, 2, 2, 3),
        "volume_labels": rng.integers(0, 3, (2, 2, 2, 3)),
        "series": logits(rng, 2, 3, 5),
        "series_labels": rng.integers(0, 3, (2, 5)),
        "tokens": logits(rng, 3, 5, 7),
        "token_labels": rng.integers(0, 7, (3, 5)),
        "image_probs": distributions(rng, 1, 2, 3, 4, 4),
        "soft_images": distributions(rng, 1, 2, 3, 4, 4),
        "soft_volumes": distributions(rng, 1, 2, 3, 2, 2, 3),
        "numbers": logits(rng, 2, 3, 4, 5),
        "actual": logits(rng, 2, 3, 4, 5),
        "outcomes": rng.integers(0, 2, (2, 3, 4, 5)),
        "several": logits(rng, 2, 3, 4, 4),
        "several_masks": rng.integers(0, 2, (2, 3, 4, 4)),
        "one": logits(rng, 3, 1, 4, 4),
        "one_mask": rng.integers(0, 2, (3, 1, 4, 4)),
        "table": logits(rng, 6, 4),
        "image_mask": some(rng, 2, 4, 4),
        "token_mask": some(rng, 3, 5),
        "element_mask": some(rng, 2, 3, 4, 5),
        "several_mask": some(rng, 2, 3, 4, 4),
        "element_weights": rng.integers(0, 17, (2, 3, 4, 5)) / 8,
        "token_weights": rng.integers(0, 17, (3, 5)) / 8,
        "two_weights": np.array([0.5, 2.0]),
        "class_weights": np.array([0.25, 2.0, 1.5]),
        # The counts are powers of two, since MONAI takes its weights, 1 / count**2, in float32.
        "even_labels": regions(rng, (8, 4, 4), (4, 8, 4)),
        "even_batch": regions(rng, (8, 4, 4), (8, 4, 4)),
    }
    made["ignored_images"] = np.where(some(rng, 2, 4, 4), made["image_labels"], -100)
    made["ignored_tokens"] = np.where(some(rng, 3, 5), made["token_labels"], -100)
    made["ignored_255"] = np.where(some(rng, 2, 4, 4), made["image_labels"], 255)
    # A padded batch: the sequences have 5, 3 and 1 tokens.
    made["padded_tokens"] = np.where(np.arange(5) < np.array([[5], [3], [1]]), made["token_labels"], -100)
    made["images_last"] = np.ascontiguousarray(np.moveaxis(made["images"], 1, -1))
    made["probs_last"] = np.ascontiguousarray(np.moveaxis(made["image_probs"], 1, -1))
    made["hot_images"] = np.moveaxis(np.eye(3, dtype=np.int64)[made["image_labels"]], -1, 1).copy()
    made["hot_last"] = np.eye(3, dtype=np.int64)[made["image_labels"]]
    outcomes = rng.integers(0, 2, (6, 4))
    made["nan_outcomes"] = holes(rng, outcomes.astype(float), math.nan)
    made["missing_outcomes"] = holes(rng, outcomes, -1)
    made["nan_numbers"] = holes(rng, logits(rng, 6, 4), math.nan)
    return {name: np.ascontiguousarray(array) for name, array in made.items()}


# The libraries. Each evaluates an expression in float64, and gives the result as an array; PyTorch also a gradient.

Run = Callable[[str, dict[str, Array]], tuple[Array, "Array | None"]]


def on_torch(names: dict[str, Any]) -> Run:
    import torch

    def run(call: str, given: dict[str, Array]) -> tuple[Array, Array | None]:
        tensors = {name: torch.tensor(array) for name, array in given.items()}
        tensors["p"].requires_grad_()
        found = eval(call, {"torch": torch, "F": torch.nn.functional} | names | tensors)
        gradient = torch.autograd.grad(found.sum(), tensors["p"])[0].numpy()
        return found.detach().numpy(), gradient

    return run


def pytorch() -> tuple[str, Run]:
    return f"torch {version('torch').partition('+')[0]}", on_torch({})


def monai() -> tuple[str, Run]:
    from monai import losses

    library = f"monai {version('monai')} (torch {version('torch').partition('+')[0]})"
    return library, on_torch({name: getattr(losses, name) for name in losses.__dict__ if name.endswith("Loss")})


def on_jax(names: dict[str, Any]) -> Run:
    import jax.numpy as jnp

    def run(call: str, given: dict[str, Array]) -> tuple[Array, Array | None]:
        arrays = {name: jnp.asarray(array) for name, array in given.items()}
        return np.asarray(eval(call, {"jnp": jnp} | names | arrays)), None

    return run


def keras() -> tuple[str, Run]:
    """On JAX, since its reductions are rounded to float32 on PyTorch."""
    import keras

    keras.config.set_floatx("float64")
    return f"keras {keras.__version__} (jax {version('jax')})", on_jax({"keras": keras})


def optax() -> tuple[str, Run]:
    import optax

    return f"optax {optax.__version__} (jax {version('jax')})", on_jax({"optax": optax})


LIBRARIES = {"torch": pytorch, "monai": monai, "keras": keras, "optax": optax}

# The grid.


@dataclass(frozen=True)
class Entry:
    """A call, what losscli is told for it, and the arrays that it gets by short names: p, t, m, w, c."""

    name: str
    library: str
    call: str
    words: str
    given: str
    """As "p=images t=image_labels"."""
    each: str = ""
    kept: str = ""
    """Which units exist, as a NumPy expression; all of them without it."""
    rtol: float = 0.0
    note: str = ""
    doubt: str = ""

    @property
    def names(self) -> dict[str, str]:
        return dict(each.split("=") for each in self.given.split())


IMAGES = "p=images t=image_labels"
VOLUMES = "p=volumes t=volume_labels"
SERIES = "p=series t=series_labels"
FIRST = "ce {p} {t} --class-axis 1"
NONE = "F.cross_entropy(p, t, reduction='none')"


def over_classes_first() -> Iterator[Entry]:
    """Cross-entropy with the class axis 1: (N, C, T), (N, C, H, W), (N, C, D, H, W)."""
    for what, given in (("series", SERIES), ("images", IMAGES), ("volumes", VOLUMES)):
        yield Entry(f"ce of {what}", "torch", "F.cross_entropy(p, t)", FIRST, given, NONE)
        yield Entry(
            f"ce of {what}, mean of the samples' means",
            "torch",
            "torch.stack([F.cross_entropy(z[None], y[None]) for z, y in zip(p, t)]).mean()",
            f"{FIRST} --per sample",
            given,
            "F.cross_entropy(p, t, reduction='none').flatten(1).mean(1)",
        )
        yield Entry(
            f"ce of {what}, unreduced", "torch", NONE, f"{FIRST} --reduction none", given, NONE, note="value is null"
        )
        yield Entry(
            f"smoothed ce of {what}",
            "torch",
            "F.cross_entropy(p, t, label_smoothing=0.125)",
            f"{FIRST} --label-smoothing 0.125",
            given,
            "F.cross_entropy(p, t, label_smoothing=0.125, reduction='none')",
            note="torch spreads the smoothing over all classes: --smoothing-mode uniform, the default",
        )
        yield Entry(
            f"weighted ce of {what}",
            "torch",
            "F.cross_entropy(p, t, c)",
            f"{FIRST} --class-weight {{c}}",
            f"{given} c=class_weights",
            NONE,
            note="torch's weighted mean is sum(w l) / sum(w), the default",
        )
    yield Entry(
        "ce of images, samples summed over their pixels",
        "torch",
        "F.cross_entropy(p, t, reduction='sum') / len(p)",
        f"{FIRST} --per sample --over-positions sum",
        IMAGES,
        "F.cross_entropy(p, t, reduction='none').flatten(1).sum(1)",
    )
    yield Entry(
        "ce of images, sum", "torch", "F.cross_entropy(p, t, reduction='sum')", f"{FIRST} --reduction sum", IMAGES
    )
    yield Entry(
        "weighted ce of images by n",
        "torch",
        "F.cross_entropy(p, t, c, reduction='sum') / t.numel()",
        f"{FIRST} --class-weight {{c}} --reduction sum-over-batch-size",
        f"{IMAGES} c=class_weights",
    )
    yield Entry(
        "nll of log-probs of images",
        "torch",
        "F.nll_loss(p.log(), t)",
        f"{FIRST} --from probs",
        "p=image_probs t=image_labels",
        "F.nll_loss(p.log(), t, reduction='none')",
        note="torch's nll_loss takes log-probabilities: these are the logarithms of the file's probabilities",
    )
    yield Entry(
        "nll of images, weighted and with ignored pixels",
        "torch",
        "F.nll_loss(p.log(), t, c, ignore_index=-100)",
        f"{FIRST} --from probs --ignore-index -100 --class-weight {{c}}",
        "p=image_probs t=ignored_images c=class_weights",
    )
    ignored = "p=images t=ignored_images"
    yield Entry(
        "ce of images with ignored pixels",
        "torch",
        "F.cross_entropy(p, t, ignore_index=-100)",
        f"{FIRST} --ignore-index -100",
        ignored,
        "F.cross_entropy(p, t, ignore_index=-100, reduction='none')",
        "t != -100",
    )
    yield Entry(
        "ce of images with ignored pixels, mean of the images' means",
        "torch",
        "torch.stack([F.cross_entropy(z[None], y[None], ignore_index=-100) for z, y in zip(p, t)]).mean()",
        f"{FIRST} --ignore-index -100 --per sample",
        ignored,
        "torch.stack([F.cross_entropy(z[None], y[None], ignore_index=-100) for z, y in zip(p, t)])",
    )
    yield Entry(
        "smoothed ce of images with ignored pixels",
        "torch",
        "F.cross_entropy(p, t, ignore_index=-100, label_smoothing=0.25)",
        f"{FIRST} --ignore-index -100 --label-smoothing 0.25",
        ignored,
    )
    yield Entry(
        "weighted ce of images with ignored pixels",
        "torch",
        "F.cross_entropy(p, t, c, ignore_index=-100)",
        f"{FIRST} --ignore-index -100 --class-weight {{c}}",
        f"{ignored} c=class_weights",
    )
    yield Entry(
        "ce of images with a mask",
        "torch",
        "(F.cross_entropy(p, t, reduction='none') * m).sum() / m.sum()",
        f"{FIRST} --mask {{m}}",
        f"{IMAGES} m=image_mask",
        "F.cross_entropy(p, t, reduction='none') * m",
        "m",
    )
    yield Entry(
        "ce of images with a mask, mean of the images' means",
        "torch",
        "((F.cross_entropy(p, t, reduction='none') * m).sum((1, 2)) / m.sum((1, 2))).mean()",
        f"{FIRST} --mask {{m}} --per sample",
        f"{IMAGES} m=image_mask",
        "(F.cross_entropy(p, t, reduction='none') * m).sum((1, 2)) / m.sum((1, 2))",
    )
    for what, given in (("images", "p=images t=soft_images"), ("volumes", "p=volumes t=soft_volumes")):
        yield Entry(f"ce of {what} with soft targets", "torch", "F.cross_entropy(p, t)", FIRST, given, NONE)
    yield Entry(
        "smoothed ce of images with soft targets",
        "torch",
        "F.cross_entropy(p, t, label_smoothing=0.25)",
        f"{FIRST} --label-smoothing 0.25",
        "p=images t=soft_images",
    )
    yield Entry(
        "ce of images with one-hot targets", "torch", "F.cross_entropy(p, t.double())", FIRST, "p=images t=hot_images"
    )
    yield Entry(
        "kl of images",
        "torch",
        "F.kl_div(F.log_softmax(p, 1), t, reduction='none').sum(1).mean()",
        "kl {p} {t} --class-axis 1",
        "p=images t=soft_images",
        "F.kl_div(F.log_softmax(p, 1), t, reduction='none').sum(1)",
    )
    yield Entry(
        "ce of images with one weight per image",
        "torch",
        "(F.cross_entropy(p, t, reduction='none') * w[:, None, None]).sum() / (w.sum() * t[0].numel())",
        f"{FIRST} --sample-weight {{w}}",
        f"{IMAGES} w=two_weights",
    )
    yield Entry(
        "focal loss of images",
        "torch",
        "((1 - F.softmax(p, 1).gather(1, t[:, None])[:, 0]) ** 2 * F.cross_entropy(p, t, reduction='none')).mean()",
        "softmax-focal {p} {t} --gamma 2 --class-axis 1",
        IMAGES,
        "(1 - F.softmax(p, 1).gather(1, t[:, None])[:, 0]) ** 2 * F.cross_entropy(p, t, reduction='none')",
    )


TOKENS = "p=tokens t=token_labels"
IGNORED = "p=tokens t=ignored_tokens"
PADDED = "p=tokens t=padded_tokens"
LAST = "ce {p} {t} --class-axis -1"
INTEGER = "optax.softmax_cross_entropy_with_integer_labels(p, t)"
TURNED = "F.cross_entropy(p.transpose(1, 2), t, reduction='none')"


def over_classes_last() -> Iterator[Entry]:
    """Cross-entropy with the class axis last: (N, T, V), (N, H, W, C)."""
    yield Entry("ce of tokens", "torch", "F.cross_entropy(p.transpose(1, 2), t)", LAST, TOKENS, TURNED)
    yield Entry("ce of tokens", "optax", f"{INTEGER}.mean()", LAST, TOKENS, INTEGER)
    yield Entry(
        "ce of tokens",
        "keras",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, axis=-1)(t, p)",
        LAST,
        TOKENS,
        "keras.losses.sparse_categorical_crossentropy(t, p, from_logits=True, axis=-1)",
    )
    yield Entry(
        "ce of channels-last images",
        "torch",
        "F.cross_entropy(p.movedim(-1, 1), t)",
        LAST,
        "p=images_last t=image_labels",
    )
    yield Entry(
        "ce of channels-last images",
        "keras",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)(t, p)",
        LAST,
        "p=images_last t=image_labels",
    )
    yield Entry("ce of channels-last images", "optax", f"{INTEGER}.mean()", LAST, "p=images_last t=image_labels")
    yield Entry(
        "ce of channels-last images with one-hot targets",
        "keras",
        "keras.losses.CategoricalCrossentropy(from_logits=True)(t, p)",
        LAST,
        "p=images_last t=hot_last",
    )
    yield Entry(
        "smoothed ce of channels-last images",
        "keras",
        "keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.25)(t, p)",
        f"{LAST} --label-smoothing 0.25",
        "p=images_last t=hot_last",
    )
    yield Entry(
        "smoothed ce of channels-last images",
        "optax",
        "optax.softmax_cross_entropy(p, optax.smooth_labels(1.0 * t, 0.25)).mean()",
        f"{LAST} --label-smoothing 0.25",
        "p=images_last t=hot_last",
    )
    yield Entry(
        "ce of tokens with ignored ones",
        "torch",
        "F.cross_entropy(p.transpose(1, 2), t, ignore_index=-100)",
        f"{LAST} --ignore-index -100",
        IGNORED,
        "F.cross_entropy(p.transpose(1, 2), t, ignore_index=-100, reduction='none')",
        "t != -100",
    )
    yield Entry(
        "ce of tokens with ignored ones",
        "keras",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)(t, p)",
        f"{LAST} --ignore-index -100",
        IGNORED,
    )
    yield Entry(
        "ce of padded sequences, mean over the tokens",
        "torch",
        "F.cross_entropy(p.flatten(0, 1), t.flatten(), ignore_index=-100)",
        f"{LAST} --ignore-index -100",
        PADDED,
    )
    own = "[F.cross_entropy(z, y, ignore_index=-100) for z, y in zip(p, t)]"
    yield Entry(
        "ce of padded sequences, mean of the sequences' means",
        "torch",
        f"torch.stack({own}).mean()",
        f"{LAST} --ignore-index -100 --per sample",
        PADDED,
        f"torch.stack({own})",
    )
    own = own.replace("=-100)", "=-100, reduction='sum')")
    yield Entry(
        "ce of padded sequences, mean of the sequences' sums",
        "torch",
        f"torch.stack({own}).mean()",
        f"{LAST} --ignore-index -100 --per sample --over-positions sum",
        PADDED,
        f"torch.stack({own})",
    )
    masked = f"{TOKENS} m=token_mask"
    yield Entry(
        "ce of tokens with a mask",
        "torch",
        f"({TURNED} * m).sum() / m.sum()",
        f"{LAST} --mask {{m}}",
        masked,
        f"{TURNED} * m",
        "m",
    )
    yield Entry(
        "ce of tokens with a mask",
        "optax",
        f"jnp.mean({INTEGER}, where=m)",
        f"{LAST} --mask {{m}}",
        masked,
        INTEGER,
        "m",
    )
    yield Entry(
        "ce of tokens with a mask",
        "optax",
        "optax.softmax_cross_entropy_with_integer_labels(p, t, where=m[..., None] & jnp.ones_like(p, bool)).sum() / m.sum()",
        f"{LAST} --mask {{m}}",
        masked,
        note="optax's where is of the logits; with all classes of a token off, the token's loss is 0",
    )
    yield Entry(
        "ce of tokens with a mask",
        "keras",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction='mean_with_sample_weight')"
        "(t, p, sample_weight=m)",
        f"{LAST} --mask {{m}}",
        masked,
    )
    weighted = f"{TOKENS} w=token_weights"
    yield Entry(
        "ce of tokens with a weight each",
        "torch",
        f"({TURNED} * w).sum() / w.sum()",
        f"{LAST} --sample-weight {{w}}",
        weighted,
        TURNED,
    )
    yield Entry(
        "ce of tokens with a weight each",
        "keras",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction='mean_with_sample_weight')"
        "(t, p, sample_weight=w)",
        f"{LAST} --sample-weight {{w}}",
        weighted,
    )
    yield Entry(
        "ce of tokens with a weight each, by n",
        "keras",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)(t, p, sample_weight=w)",
        f"{LAST} --sample-weight {{w}} --reduction sum-over-batch-size",
        weighted,
        note="Keras' own reduction divides by the number of tokens",
    )
    yield Entry(
        "next tokens",
        "torch",
        "F.cross_entropy(p[:, :-1].flatten(0, 1), t[:, 1:].flatten(), ignore_index=-100)",
        f"{LAST} --shift 1 --ignore-index -100",
        IGNORED,
        note="as Hugging Face's causal language models compute it: logits[:, :-1] against labels[:, 1:]",
    )
    shifted = "F.cross_entropy(p[:, :-1].transpose(1, 2), t[:, 1:], reduction='none')"
    yield Entry("next tokens, none ignored", "torch", f"{shifted}.mean()", f"{LAST} --shift 1", TOKENS, shifted)
    yield Entry(
        "next tokens of padded sequences, mean of the sequences' means",
        "torch",
        "torch.stack([F.cross_entropy(z[:-1], y[1:], ignore_index=-100) for z, y in zip(p[:2], t[:2])]).mean()",
        f"{LAST} --shift 1 --ignore-index -100 --per sample",
        PADDED,
        note="the third sequence has one token, so nothing is left of it: it has no loss and is in no denominator",
    )
    yield Entry(
        "tokens after the next",
        "torch",
        "F.cross_entropy(p[:, :-2].flatten(0, 1), t[:, 2:].flatten())",
        f"{LAST} --shift 2",
        TOKENS,
    )


ELEMENTS = "p=numbers t=actual"
REGRESSION = (
    ("mse", "F.mse_loss(p, t{})", ""),
    ("l1", "F.l1_loss(p, t{})", ""),
    ("huber", "F.huber_loss(p, t, delta=1.5{})", " --delta 1.5"),
    ("smooth-l1", "F.smooth_l1_loss(p, t, beta=0.5{})", " --beta 0.5"),
)
FLOAT32_MEAN = "the mean over the last axis, of 5 elements, is multiplied by 1/5 in float32 there"


def elementwise() -> Iterator[Entry]:
    """Losses of elements of (N, C, H, W), with masks and weights per element."""
    for loss, call, options in REGRESSION:
        each = call.format(", reduction='none'")
        words = f"{loss} {{p}} {{t}}{options}"
        yield Entry(f"{loss} of elements", "torch", call.format(""), words, ELEMENTS, each)
        yield Entry(
            f"{loss} of elements with a mask",
            "torch",
            f"({each} * m).sum() / m.sum()",
            f"{words} --mask {{m}}",
            f"{ELEMENTS} m=element_mask",
            f"{each} * m",
            "m",
        )
        yield Entry(
            f"{loss} of elements with a weight each",
            "torch",
            f"({each} * w).sum() / w.sum()",
            f"{words} --sample-weight {{w}}",
            f"{ELEMENTS} w=element_weights",
            each,
        )
        yield Entry(
            f"{loss} of elements, per sample",
            "torch",
            call.format(""),
            f"{words} --per sample",
            ELEMENTS,
            f"{each}.flatten(1).mean(1)",
        )
    mse = "F.mse_loss(p, t, reduction='none')"
    yield Entry(
        "mse of elements with a mask, per sample",
        "torch",
        f"(({mse} * m).flatten(1).sum(1) / m.flatten(1).sum(1)).mean()",
        "mse {p} {t} --mask {m} --per sample",
        f"{ELEMENTS} m=element_mask",
        f"({mse} * m).flatten(1).sum(1) / m.flatten(1).sum(1)",
    )
    yield Entry(
        "mse of elements, per class",
        "torch",
        f"{mse}.mean()",
        "mse {p} {t} --class-axis 1 --per class",
        ELEMENTS,
        f"{mse}.mean((0, 2, 3))",
    )
    yield Entry(
        "mse of elements with a mask, per class",
        "torch",
        f"(({mse} * m).sum((0, 2, 3)) / m.sum((0, 2, 3))).mean()",
        "mse {p} {t} --mask {m} --class-axis 1 --per class",
        f"{ELEMENTS} m=element_mask",
        f"({mse} * m).sum((0, 2, 3)) / m.sum((0, 2, 3))",
    )
    yield Entry(
        "mse of elements, per sample and class",
        "torch",
        f"{mse}.mean()",
        "mse {p} {t} --class-axis 1 --per sample,class",
        ELEMENTS,
        f"{mse}.mean((2, 3))",
    )
    yield Entry(
        "mse of elements with one weight per sample",
        "torch",
        f"({mse} * w[:, None, None, None]).sum() / (w.sum() * t[0].numel())",
        "mse {p} {t} --sample-weight {w}",
        f"{ELEMENTS} w=two_weights",
    )
    yield Entry(
        "mse of elements against a constant",
        "torch",
        "F.mse_loss(p, torch.full_like(p, 0.25))",
        "mse {p} 0.25",
        "p=numbers t=actual",
    )
    yield Entry(
        "mse of elements",
        "keras",
        "keras.losses.MeanSquaredError()(t, p)",
        "mse {p} {t}",
        ELEMENTS,
        rtol=3e-7,
        note=FLOAT32_MEAN,
    )
    yield Entry("mse of elements", "optax", "optax.losses.squared_error(p, t).mean()", "mse {p} {t}", ELEMENTS)
    yield Entry(
        "huber of elements",
        "optax",
        "optax.losses.huber_loss(p, t, delta=1.5).mean()",
        "huber {p} {t} --delta 1.5",
        ELEMENTS,
    )
    outcomes = "p=numbers t=outcomes"
    bce = "F.binary_cross_entropy_with_logits(p, t.double(), reduction='none'{})"
    yield Entry("bce of elements", "torch", bce.format("") + ".mean()", "bce {p} {t}", outcomes, bce.format(""))
    yield Entry(
        "bce of elements",
        "keras",
        "keras.losses.BinaryCrossentropy(from_logits=True)(t, p)",
        "bce {p} {t}",
        outcomes,
        rtol=3e-7,
        note=FLOAT32_MEAN,
    )
    yield Entry(
        "bce of elements", "optax", "optax.losses.sigmoid_binary_cross_entropy(p, t).mean()", "bce {p} {t}", outcomes
    )
    yield Entry(
        "bce of elements with one positive weight",
        "torch",
        "F.binary_cross_entropy_with_logits(p, t.double(), pos_weight=torch.tensor(2.5))",
        "bce {p} {t} --pos-weight 2.5",
        outcomes,
        bce.format(", pos_weight=torch.tensor(2.5)"),
    )
    yield Entry(
        "bce of elements with a positive weight per class",
        "torch",
        "F.binary_cross_entropy_with_logits(p, t.double(), pos_weight=torch.tensor([0.5, 2.0, 4.0]).view(3, 1, 1))",
        "bce {p} {t} --pos-weight 0=0.5,1=2,2=4 --class-axis 1",
        outcomes,
    )
    yield Entry(
        "bce of elements with a weight per class",
        "torch",
        f"({bce.format('')} * (c.view(3, 1, 1) * torch.ones_like(p))).sum() / (c.sum() * p[:, 0].numel())",
        "bce {p} {t} --class-weight {c} --class-axis 1",
        f"{outcomes} c=class_weights",
        note="the weight of an output enters the denominator",
    )
    yield Entry(
        "bce of elements with weights of the outputs",
        "torch",
        f"({bce.format('')} * (c.view(3, 1, 1) * torch.ones_like(p))).sum() / (c.sum() * p[:, 0].numel())",
        "bce {p} {t} --output-weight 0.25,2,1.5 --class-axis 1",
        f"{outcomes} c=class_weights",
    )
    yield Entry(
        "bce of elements with a mask",
        "torch",
        f"({bce.format('')} * m).sum() / m.sum()",
        "bce {p} {t} --mask {m}",
        f"{outcomes} m=element_mask",
        f"{bce.format('')} * m",
        "m",
    )


def with_holes() -> Iterator[Entry]:
    """Targets of several outputs of which some are missing, (n, k)."""
    bce = "F.binary_cross_entropy_with_logits(p, torch.where({0}, t, 0).double(), reduction='none')"
    mean = "torch.where({0}, {1}, torch.nan).nanmean()"
    rows = "torch.where({0}, {1}, torch.nan).nanmean(1).nanmean()"
    doubt = "the mean over all elements that exist, sum(l m) / sum(m), not the mean of the rows' means"
    for what, exists, given, words in (
        ("NaN", "~t.isnan()", "p=table t=nan_outcomes", "--missing ignore"),
        ("-1", "t != -1", "p=table t=missing_outcomes", "--missing ignore --ignore-index -1"),
    ):
        each = bce.format(exists)
        yield Entry(
            f"multi-label bce, {what} is missing",
            "torch",
            mean.format(exists, each),
            f"bce {{p}} {{t}} {words}",
            given,
            doubt=doubt,
        )
    exists, each = "~t.isnan()", "F.mse_loss(p, torch.where(~t.isnan(), t, 0), reduction='none')"
    yield Entry(
        "mse of several outputs, NaN is missing",
        "torch",
        mean.format(exists, each),
        "mse {p} {t} --missing ignore",
        "p=table t=nan_numbers",
        doubt=doubt,
    )
    yield Entry(
        "mse of several outputs, NaN is missing, per sample",
        "torch",
        rows.format(exists, each),
        "mse {p} {t} --missing ignore --per sample",
        "p=table t=nan_numbers",
        doubt="--per sample said aloud: the mean of the rows' means",
    )
    yield Entry(
        "mse of several outputs, NaN is missing, per class",
        "torch",
        f"torch.where({exists}, {each}, torch.nan).nanmean(0).mean()",
        "mse {p} {t} --missing ignore --per class",
        "p=table t=nan_numbers",
        f"torch.where({exists}, {each}, torch.nan).nanmean(0)",
    )


SOFTMAX = "{p} {t} --class-axis 1 --activation softmax"
SIGMOID = "{p} {t} --class-axis 1 --activation sigmoid"
EXACT = "smooth_nr=0, smooth_dr=0"
LABELS = "t[:, None]"
PER_BOTH, PER_CLASS = "--per sample,class", "--per class"
HALF = "MONAI and segmentation-models add smooth to 2 I, losscli adds it to I: theirs is twice ours"
SHARED = "units share their logits (softmax): the gradient is that of the sum of all units' losses"


def masks() -> Iterator[Entry]:
    """Overlap losses of MONAI: one per sample and class, or, with batch=True, one per class."""
    yield from dice_of_softmax()
    yield from dice_of_sigmoid()
    yield from other_overlaps()


def dice_of_softmax() -> Iterator[Entry]:
    for batch, per in (("", PER_BOTH), (", batch=True", PER_CLASS)):
        for background, excluded in (("", ""), (", include_background=False", " --exclude-class 0")):
            made = f"DiceLoss(softmax=True, to_onehot_y=True, {EXACT}{batch}{background}{{}})"
            each = made.format(", reduction='none'") + f"(p, {LABELS})" + (".flatten()" if batch else ".flatten(1)")
            yield Entry(
                f"softmax dice{batch}{background}",
                "monai",
                made.format("") + f"(p, {LABELS})",
                f"dice {SOFTMAX} {per}{excluded}",
                IMAGES,
                each,
                doubt=SHARED,
            )
    yield Entry(
        "softmax dice of volumes",
        "monai",
        f"DiceLoss(softmax=True, to_onehot_y=True, {EXACT})(p, {LABELS})",
        f"dice {SOFTMAX} {PER_BOTH}",
        VOLUMES,
    )
    yield Entry(
        "softmax dice with smooth",
        "monai",
        f"DiceLoss(softmax=True, to_onehot_y=True, smooth_nr=1, smooth_dr=1)(p, {LABELS})",
        f"dice {SOFTMAX} {PER_BOTH} --smooth 0.5",
        IMAGES,
        note=HALF,
    )
    yield Entry(
        "softmax dice with one-hot targets",
        "monai",
        f"DiceLoss(softmax=True, {EXACT})(p, t)",
        f"dice {SOFTMAX} {PER_BOTH}",
        "p=images t=hot_images",
    )
    yield Entry(
        "softmax dice with ignored pixels",
        "monai",
        f"DiceLoss(softmax=True, to_onehot_y=True, {EXACT}, ignore_index=255)(p, {LABELS})",
        f"dice {SOFTMAX} {PER_BOTH} --ignore-index 255",
        "p=images t=ignored_255",
        note="an ignored pixel is in no sum",
    )
    yield Entry(
        "weighted softmax dice, by n",
        "monai",
        f"DiceLoss(softmax=True, to_onehot_y=True, {EXACT}, weight=c)(p, {LABELS})",
        f"dice {SOFTMAX} {PER_BOTH} --class-weight {{c}} --reduction sum-over-batch-size",
        f"{IMAGES} c=class_weights",
        note="MONAI multiplies by the weight of the class and divides by the number of losses",
    )
    yield Entry(
        "weighted softmax dice",
        "monai",
        f"DiceLoss(softmax=True, to_onehot_y=True, {EXACT}, weight=c)(p, {LABELS}) / c.mean()",
        f"dice {SOFTMAX} {PER_BOTH} --class-weight {{c}}",
        f"{IMAGES} c=class_weights",
        note="sum(w l) / sum(w) with the weight of the class",
    )
    q, t = "F.softmax(p, 1)", "F.one_hot(t, 3).movedim(-1, 1)"
    for what, dims, per in (("image", "(1, 2, 3)", "--per sample"), ("class", "(0, 2, 3)", PER_CLASS)):
        each = f"1 - 2 * ({q} * {t}).sum({dims}) / ({q} + {t}).sum({dims})"
        yield Entry(
            f"softmax dice per {what}, by hand", "torch", f"({each}).mean()", f"dice {SOFTMAX} {per}", IMAGES, each
        )
    yield Entry(
        "softmax dice, usual unit",
        "torch",
        f"(1 - 2 * ({q} * {t}).sum((1, 2, 3)) / ({q} + {t}).sum((1, 2, 3))).mean()",
        f"dice {SOFTMAX}",
        IMAGES,
        note="beyond two axes the usual unit is the sample",
    )
    yield Entry(
        "softmax dice over the batch, by hand",
        "torch",
        f"1 - 2 * ({q} * {t}).sum() / ({q} + {t}).sum()",
        f"dice {SOFTMAX} --per file",
        IMAGES,
    )
    masked = f"F.softmax(p, 1) * m[:, None], {t} * m[:, None]"
    yield Entry(
        "softmax dice with a mask",
        "monai",
        f"DiceLoss({EXACT})({masked})",
        f"dice {SOFTMAX} {PER_BOTH} --mask {{m}}",
        f"{IMAGES} m=image_mask",
        note="probabilities and targets times the mask; MONAI's MaskedDiceLoss masks the logits before the activation",
    )
    yield Entry(
        "dice of probabilities",
        "monai",
        f"DiceLoss(to_onehot_y=True, {EXACT})(p, {LABELS})",
        f"dice {{p}} {{t}} --from probs --class-axis 1 {PER_BOTH}",
        "p=image_probs t=image_labels",
        f"DiceLoss(to_onehot_y=True, {EXACT}, reduction='none')(p, {LABELS}).flatten(1)",
    )
    for axis, per in (
        ("(1, 2, 3)", "--per sample"),
        ("(0, 1, 2)", PER_CLASS),
        ("(1, 2)", PER_BOTH),
        ("None", "--per file"),
    ):
        yield Entry(
            f"dice of channels-last probabilities over {axis}",
            "keras",
            f"keras.losses.Dice(axis={axis})(t, p)",
            f"dice {{p}} {{t}} --from probs --class-axis -1 {per}",
            "p=probs_last t=hot_last",
            rtol=3e-7,
            note="Keras adds 1e-7 to the denominator",
        )
    yield Entry(
        "softmax dice of channels-last images",
        "optax",
        "optax.losses.dice_loss(p, t, smooth=0.5).mean()",
        f"dice {{p}} {{t}} --class-axis -1 --activation softmax {PER_BOTH} --smooth 0.5",
        "p=images_last t=hot_last",
        note="optax adds smooth to I, as losscli does; its loss of a sample is the mean of the classes'",
    )
    yield Entry(
        "softmax tversky of channels-last images without background",
        "optax",
        "optax.losses.dice_loss(p, t, smooth=0.5, alpha=0.25, beta=0.75, ignore_background=True).mean()",
        "tversky {p} {t} --class-axis -1 --activation softmax --per sample,class --smooth 0.5 --alpha 0.25 --beta 0.75 "
        "--exclude-class 0",
        "p=images_last t=hot_last",
    )


def dice_of_sigmoid() -> Iterator[Entry]:
    several = "p=several t=several_masks"
    for batch, per in (("", PER_BOTH), (", batch=True", PER_CLASS)):
        for background, excluded in (("", ""), (", include_background=False", " --exclude-class 0")):
            made = f"DiceLoss(sigmoid=True, {EXACT}{batch}{background}{{}})"
            each = made.format(", reduction='none'") + "(p, t)" + (".flatten()" if batch else ".flatten(1)")
            yield Entry(
                f"sigmoid dice{batch}{background}",
                "monai",
                made.format("") + "(p, t)",
                f"dice {SIGMOID} {per}{excluded}",
                several,
                each,
            )
    yield Entry(
        "sigmoid dice with smooth",
        "monai",
        "DiceLoss(sigmoid=True, smooth_nr=1, smooth_dr=1)(p, t)",
        f"dice {SIGMOID} {PER_BOTH} --smooth 0.5",
        several,
        "DiceLoss(sigmoid=True, smooth_nr=1, smooth_dr=1, reduction='none')(p, t).flatten(1)",
        note=HALF,
    )
    yield Entry(
        "sigmoid dice of label maps",
        "monai",
        f"DiceLoss(sigmoid=True, to_onehot_y=True, {EXACT})(p, {LABELS})",
        f"dice {SIGMOID} {PER_BOTH}",
        IMAGES,
    )
    one = "p=one t=one_mask"
    each = f"DiceLoss(sigmoid=True, {EXACT}, reduction='none')(p, t).flatten()"
    yield Entry(
        "dice of one mask per image", "monai", f"DiceLoss(sigmoid=True, {EXACT})(p, t)", "dice {p} {t}", one, each
    )
    yield Entry(
        "dice of one mask per image",
        "monai",
        f"DiceLoss(sigmoid=True, {EXACT})(p, t)",
        "dice {p} {t} --per sample",
        one,
        each,
    )
    yield Entry(
        "dice of one mask per image, pooled",
        "monai",
        f"DiceLoss(sigmoid=True, batch=True, {EXACT})(p, t)",
        "dice {p} {t} --per file",
        one,
    )
    s = "torch.sigmoid(p) * m"
    for what, dims, per in (("sample and class", "(2, 3)", PER_BOTH), ("sample", "(1, 2, 3)", "--per sample")):
        each = f"1 - 2 * ({s} * t).sum({dims}) / ({s} + t * m).sum({dims})"
        yield Entry(
            f"sigmoid dice with a mask per {what}, by hand",
            "torch",
            f"({each}).mean()",
            f"dice {SIGMOID} {per} --mask {{m}}",
            f"{several} m=several_mask",
            each,
        )


def other_overlaps() -> Iterator[Entry]:
    several = "p=several t=several_masks"
    for activation, words, given, target in (
        ("sigmoid=True", SIGMOID, several, "t.double()"),
        # MONAI's own one-hot targets are float32, in which its squares of norms are rounded.
        ("softmax=True", SOFTMAX, IMAGES, "F.one_hot(t, 3).movedim(-1, 1).double()"),
    ):
        shared = SHARED if "softmax" in activation else ""
        for batch, per in (("", PER_BOTH), (", batch=True", PER_CLASS)):
            flat = ".flatten()" if batch else ".flatten(1)"
            for loss, made, options, note in (
                ("jaccard", f"DiceLoss({activation}, jaccard=True, {EXACT}{batch}{{}})", "", ""),
                (
                    "jaccard",
                    f"DiceLoss({activation}, jaccard=True, smooth_nr=1, smooth_dr=1{batch}{{}})",
                    " --smooth 0.5",
                    "MONAI adds smooth to 2 I and to 2 U: twice ours",
                ),
                ("squared-dice", f"DiceLoss({activation}, squared_pred=True, {EXACT}{batch}{{}})", "", ""),
                (
                    "squared-dice",
                    f"DiceLoss({activation}, squared_pred=True, smooth_nr=0.5, smooth_dr=0.5{batch}{{}})",
                    " --smooth 0.5",
                    "the same smooth",
                ),
                (
                    "tversky",
                    f"TverskyLoss({activation}, alpha=0.25, beta=0.75, {EXACT}{batch}{{}})",
                    " --alpha 0.25 --beta 0.75",
                    "alpha weighs false positives in both",
                ),
                (
                    "tversky",
                    f"TverskyLoss({activation}, alpha=0.25, beta=0.75, smooth_nr=0.5, smooth_dr=0.5{batch}{{}})",
                    " --alpha 0.25 --beta 0.75 --smooth 0.5",
                    "the same smooth",
                ),
            ):
                yield Entry(
                    f"{loss}: {made.format('')}",
                    "monai",
                    made.format("") + f"(p, {target})",
                    f"{loss} {words} {per}{options}",
                    given,
                    made.format(", reduction='none'") + f"(p, {target}){flat}",
                    note=note,
                    doubt=shared,
                )
    yield Entry(
        "generalized dice of softmax",
        "monai",
        f"GeneralizedDiceLoss(softmax=True, to_onehot_y=True, {EXACT})(p, {LABELS})",
        f"generalized-dice {SOFTMAX} --per sample",
        "p=images t=even_labels",
        f"GeneralizedDiceLoss(softmax=True, to_onehot_y=True, {EXACT}, reduction='none')(p, {LABELS}).flatten()",
        note="weights 1 / (number of a class's pixels)**2, MONAI's w_type='square'",
        doubt="the loss's name, and that the squared weights are its default",
    )
    yield Entry(
        "generalized dice of softmax over the batch",
        "monai",
        f"GeneralizedDiceLoss(softmax=True, to_onehot_y=True, {EXACT}, batch=True)(p, {LABELS})",
        f"generalized-dice {SOFTMAX} --per file",
        "p=images t=even_batch",
        doubt="the loss's name, and that the squared weights are its default",
    )
    yield Entry(
        "generalized dice without background",
        "monai",
        f"GeneralizedDiceLoss(softmax=True, to_onehot_y=True, include_background=False, {EXACT})(p, {LABELS})",
        f"generalized-dice {SOFTMAX} --per sample --exclude-class 0",
        "p=images t=even_labels",
        doubt="the loss's name, and that the squared weights are its default",
    )
    yield Entry(
        "generalized dice of sigmoid",
        "monai",
        f"GeneralizedDiceLoss(sigmoid=True, to_onehot_y=True, {EXACT})(p, {LABELS})",
        f"generalized-dice {SIGMOID} --per sample",
        "p=images t=even_labels",
        doubt="the loss's name, and that the squared weights are its default",
    )


def sums() -> Iterator[Entry]:
    """Sums of two losses: --plus."""
    for weight, plus in (("", "dice"), (", lambda_dice=0.5", "0.5*dice")):
        yield Entry(
            f"bce plus {plus}",
            "monai",
            f"DiceCELoss(sigmoid=True, {EXACT}{weight})(p, t.double())",
            f"bce {{p}} {{t}} --plus {plus} --per sample",
            "p=one t=one_mask",
            note="of one mask per image: the mean over pixels is that of the images' means, all have the same size",
        )
        yield Entry(
            f"ce plus {plus} per sample and class",
            "monai",
            f"DiceCELoss(softmax=True, to_onehot_y=True, {EXACT}{weight})(p, {LABELS})",
            f"ce {SOFTMAX} --plus {plus} {PER_BOTH}",
            IMAGES,
            doubt="--per sample,class is of the term that has it; cross-entropy, in which classes do not stand alone, has its "
            "mean over the pixels, whatever the unit",
        )
    q, t = "F.softmax(p, 1)", "F.one_hot(t, 3).movedim(-1, 1)"
    yield Entry(
        "ce plus dice per sample",
        "torch",
        f"F.cross_entropy(p, t) + (1 - 2 * ({q} * {t}).sum((1, 2, 3)) / ({q} + {t}).sum((1, 2, 3))).mean()",
        f"ce {SOFTMAX} --plus dice --per sample",
        IMAGES,
    )
    yield Entry(
        "mse plus half of l1",
        "torch",
        "F.mse_loss(p, t) + 0.5 * F.l1_loss(p, t)",
        "mse {p} {t} --plus 0.5*l1",
        ELEMENTS,
    )


def entries() -> Iterator[Entry]:
    yield from over_classes_first()
    yield from over_classes_last()
    yield from elementwise()
    yield from with_holes()
    yield from masks()
    yield from sums()


# Writing.


def listed(values: Array, exists: Array | None = None) -> Any:
    """Nested lists, with "nan" for NaN and None for what does not exist."""
    if values.ndim == 0:
        return values.item()
    boxed = values.astype(object)
    if values.dtype.kind == "f":
        boxed[np.isnan(values)] = "nan"
    if exists is not None:
        boxed[~exists] = None
    return boxed.tolist()


def case_of(entry: Entry, library: str, run: Run, known: dict[str, Array]) -> Case:
    given = {short: known[name] for short, name in entry.names.items()}
    value, _ = run(entry.call, given)
    unreduced = "--reduction none" in entry.words
    if not unreduced:
        assert value.shape == (), (entry.name, value.shape)
        assert np.isfinite(value), entry.name
    words = entry.words.format(**{short: f"{{{name}}}" for short, name in entry.names.items()}).split()
    case: Case = {"name": entry.name, "library": library, "call": entry.call, "words": words}
    case |= {"given": entry.names, "value": None if unreduced else float(value)}
    if entry.each:
        losses, gradient = run(entry.each, given)
        exists = eval(entry.kept, dict(given)) if entry.kept else None
        assert np.isfinite(losses).all(), entry.name
        case |= {"each": entry.each, "losses": listed(losses, exists)}
        if gradient is not None:
            case["gradient"] = listed(gradient)
    for key in ("rtol", "note", "doubt"):
        if getattr(entry, key):
            case[key] = getattr(entry, key)
    return case


def check(cases: list[Case]) -> int:
    """Assert that libraries agree where losscli is told the same, and return in how many cases that could be seen."""
    same: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        same[" ".join(case["words"])].append(case)
    groups = [group for group in same.values() if len(group) > 1]
    for group in groups:
        for case in group[1:]:
            tolerance = max(AGREE, case.get("rtol", 0))
            assert math.isclose(case["value"], group[0]["value"], rel_tol=tolerance), (case, group[0])
    return sum(map(len, groups))


def main() -> None:
    known = arrays()
    libraries = {name: make() for name, make in LIBRARIES.items()}
    cases = [case_of(entry, *libraries[entry.library], known) for entry in entries()]
    used = {name for case in cases for name in case["given"].values()}
    kinds = {"f": "float", "i": "int", "b": "bool"}
    stored = {
        name: {"kind": kinds[known[name].dtype.kind], "values": listed(known[name])} for name in known if name in used
    }
    for case in cases:
        del case["given"]
    lines = [
        f"{json.dumps(name)}:{json.dumps(array, separators=(',', ':'), allow_nan=False)}"
        for name, array in stored.items()
    ]
    rows = [json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases]
    OUTPUT.write_text('{"arrays":{\n' + ",\n".join(lines) + '\n},\n"cases":[\n' + ",\n".join(rows) + "\n]}\n")
    print(f"{len(cases)} cases, {check(cases)} of them from several libraries; {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
