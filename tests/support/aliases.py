"""Every alias of every loss: who calls the loss so, and by which formula.

A `Use` is one place in which names are used: a library's function, or a paper. Its formula is that of the place, at the place's own
defaults. Where losscli's number is another one at losscli's defaults, `same` says how the place's number comes from losscli's, and
every one of the names must then have a note in `losscli.lookup.meanings.ELSEWHERE`, which says so to whoever asks by that name.

A use with a `call` was checked by running the library: `tests/support/make_aliases.py` writes what it gave into tests/lookup/aliases.json.
Formulas without one are cited from their source. Both are evaluated against losscli by test_aliases.py.
"""

import math
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Inputs = dict[str, Any]


class Use(NamedTuple):
    """One place that calls a loss by some names."""

    names: str
    """The names, separated by blanks, as losscli declares them."""
    loss: str
    source: str
    """The library with its version, or the paper."""
    inputs: str
    """A key of `INPUTS`."""
    formula: str
    """One number, in Python: of the inputs' names, NumPy's functions and those of `FUNCTIONS`."""
    call: str = ""
    """The call of the library that gives the number, with the inputs' names; '' if it was not run."""
    same: str = "loss()"
    """The same number from losscli's: `loss(parameter=value)` is what losscli computes with parameters or options, `other('name')`
    what it computes by another loss. '' says that losscli does not have it.
    """
    settings: str = ""
    """Parameters that the place has no default for: losscli's number is with them."""


# Inputs: NumPy arrays by the names that formulas and calls use. `OPERANDS` says how losscli is given them.


def _labels(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Labels 0 and 1, both of them in every row and every column."""
    t = rng.integers(0, 2, shape)
    t.reshape(-1)[:2] = 0, 1
    return t


def _several_labels(rng: np.random.Generator) -> Any:
    return np.array([[1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]])


def _boxes(rng: np.random.Generator) -> Any:
    corner = rng.uniform(0, 1, (6, 2))
    return np.hstack([corner, corner + rng.uniform(0.5, 2, (6, 2))])


def _rows(rng: np.random.Generator, n: int, k: int) -> Any:
    return softmax(rng.normal(0, 1.5, (n, k)))


def _cosines(rng: np.random.Generator) -> Inputs:
    """Unit features, class vectors, and the cosines between them."""
    a, w = _unit(rng.normal(0, 1, (8, 3))), rng.normal(0, 1, (4, 3))
    return {"a": a, "w": w, "c": a @ _unit(w).T, "t": np.arange(8) % 4}


def softmax(z: Any) -> Any:
    """The probabilities of logits in rows."""
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


INPUTS: dict[str, Callable[[np.random.Generator], Inputs]] = {
    "numbers": lambda rng: {"p": rng.normal(0, 3, 24), "t": rng.normal(0, 3, 24)},
    "amounts": lambda rng: {"p": rng.uniform(0.2, 4, 24), "t": rng.uniform(0.2, 4, 24)},
    "rates": lambda rng: {"p": rng.uniform(0.2, 4, 24), "t": rng.poisson(2, 24)},
    "log rates": lambda rng: {"p": rng.normal(0, 1, 24), "t": rng.poisson(2, 24)},
    "log amounts": lambda rng: {"p": rng.normal(0, 1, 24), "t": rng.uniform(0.2, 4, 24)},
    "variances": lambda rng: {"p": rng.normal(0, 3, 24), "t": rng.normal(0, 3, 24), "v": rng.uniform(0.3, 3, 24)},
    "scales": lambda rng: {"p": rng.normal(0, 3, 24), "t": rng.normal(0, 3, 24), "s": rng.uniform(0.3, 3, 24)},
    "dispersions": lambda rng: {"p": rng.uniform(0.2, 4, 24), "t": rng.poisson(2, 24), "d": rng.uniform(0.1, 2, 24)},
    "intervals": lambda rng: {"p": np.sort(rng.normal(0, 2, (12, 2)), axis=1), "t": rng.normal(0, 3, 12)},
    "quantiles": lambda rng: {"p": rng.normal(0, 2, (8, 3)), "t": rng.normal(0, 3, 8), "q": np.array([0.1, 0.5, 0.9])},
    "scores": lambda rng: {"z": rng.normal(0, 2, 24), "t": _labels(rng, (24,))},
    "chances": lambda rng: {"p": rng.uniform(0.02, 0.98, 24), "t": _labels(rng, (24,))},
    "soft chances": lambda rng: {"z": rng.normal(0, 2, 24), "t": rng.uniform(0, 1, 24)},
    "several scores": lambda rng: {"z": rng.normal(0, 2, (6, 4)), "t": _several_labels(rng)},
    "classes": lambda rng: {"z": rng.normal(0, 2, (12, 4)), "t": np.arange(12) % 4},
    "counted classes": lambda rng: {
        "z": rng.normal(0, 1, (12, 4)),
        "t": np.arange(12) % 4,
        "n": np.array([3.0, 50.0, 7.0, 20.0]),
    },
    "class chances": lambda rng: {"p": _rows(rng, 12, 4), "t": np.arange(12) % 4},
    "two chances": lambda rng: {"p": _rows(rng, 12, 2), "t": np.arange(12) % 2},
    "distributions": lambda rng: {"p": _rows(rng, 8, 5), "t": _rows(rng, 8, 5)},
    "masses": lambda rng: {"p": rng.uniform(0.2, 4, (8, 5)), "t": rng.uniform(0.2, 4, (8, 5))},
    "views": lambda rng: {"z": rng.normal(0, 2, (6, 12)), "t": np.arange(6) % 4},
    "lists": lambda rng: {"z": rng.normal(0, 2, (6, 5)), "t": rng.integers(0, 4, (6, 5))},
    "preferences": lambda rng: {
        "p": -rng.gamma(2, 9, (12, 2)),
        "t": _labels(rng, (12,)),
        "r": -rng.gamma(2, 9, (12, 2)),
    },
    "responses": lambda rng: {"p": -rng.gamma(2, 9, 24), "t": _labels(rng, (24,)), "r": -rng.gamma(2, 9, 24)},
    "mean likelihoods": lambda rng: {"p": -rng.gamma(2, 0.5, (12, 2)), "t": _labels(rng, (12,))},
    "orders": lambda rng: {"z": rng.normal(0, 2, (6, 5)), "t": np.argsort(rng.random((6, 5)))},
    "survival": lambda rng: {"p": rng.normal(0, 1, 24), "t": rng.integers(1, 9, 24), "e": _labels(rng, (24,))},
    "two scores": lambda rng: {"z": rng.normal(0, 2, (12, 2)), "t": _labels(rng, (12,))},
    "centers": lambda rng: {"a": rng.normal(0, 1, (8, 3)), "t": np.arange(8) % 4, "w": rng.normal(0, 1, (4, 3))},
    "features": lambda rng: {"a": rng.normal(0, 1, (8, 5)), "b": rng.normal(0, 1, (8, 5))},
    "alike": lambda rng: {"a": rng.normal(0, 0.5, (8, 5)), "b": rng.normal(0, 0.5, (8, 5)), "t": _labels(rng, (8,))},
    "triplets": lambda rng: {name: rng.normal(0, 1, (8, 5)) for name in "abn"},
    "cosines": lambda rng: _cosines(rng),
    "batch": lambda rng: {"a": rng.normal(0, 1, (12, 5)), "t": np.arange(12) % 3},
    "uneven batch": lambda rng: {"a": rng.normal(0, 1, (9, 5)), "t": np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])},
    "masks": lambda rng: {"p": rng.uniform(0.02, 0.98, (6, 8)), "t": _labels(rng, (6, 8))},
    "score masks": lambda rng: {"z": rng.normal(0, 2, (6, 8)), "t": _labels(rng, (6, 8))},
    "score mask": lambda rng: {"z": rng.normal(0, 2, 24), "t": _labels(rng, (24,))},
    "real and fake": lambda rng: {"z": rng.normal(0, 2, 24), "t": np.arange(24) % 2},
    "boxes": lambda rng: {"a": _boxes(rng), "b": _boxes(rng)},
    "boxes that overlap": lambda rng: {name: _boxes(rng) + np.array([0, 0, 1, 1]) for name in "ab"},
    "levels": lambda rng: {"z": rng.normal(0, 2, (12, 4)), "t": np.arange(12) % 5},
    "ensembles": lambda rng: {"p": rng.normal(0, 2, (8, 5)), "t": rng.normal(0, 2, 8)},
    "ensembles of vectors": lambda rng: {"p": rng.normal(0, 2, (8, 5, 3)), "t": rng.normal(0, 2, (8, 3))},
    "sequences": lambda rng: {"z": rng.normal(0, 1, (2, 5, 4)), "t": np.array([[1, 2], [3, 1]])},
}
PREDICTIONS, TARGETS = "pzca", "tb"
"""Names of the inputs that are losscli's predictions, and of those that are its targets: of each, the first that there is."""
OPTIONS: dict[str, dict[str, Any]] = {
    "chances": {"from_": "probs"},
    "class chances": {"from_": "probs"},
    "counted classes": {"class_counts": "0=3,1=50,2=7,3=20"},
    "two chances": {"from_": "probs"},
    "distributions": {"from_": "probs"},
    "masks": {"from_": "probs"},
    "sequences": {"time_axis": 1},
    "quantiles": {"levels": "0.1,0.5,0.9"},
}
"""Options of losscli that belong to the inputs."""
THIRD = {
    "variances": ("variance", "v"),
    "scales": ("scale", "s"),
    "dispersions": ("dispersion", "d"),
    "centers": ("centers", "w"),
    "alike": ("other", "b"),
    "triplets": ("negative", "n"),
    "preferences": ("reference", "r"),
    "responses": ("reference", "r"),
    "survival": ("event", "e"),
}
"""The option for the third operand of some inputs, and its name among them."""


def inputs_of(kind: str) -> Inputs:
    """The inputs of a kind: the same at every call."""
    return INPUTS[kind](np.random.default_rng(zlib.crc32(kind.encode())))


# The functions that formulas use beside NumPy's.

_erf, _lgamma = np.vectorize(math.erf), np.vectorize(math.lgamma)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _logsumexp(z: Any) -> Any:
    return np.log(np.exp(z).sum(-1))


def _at(z: Any, t: Any) -> Any:
    """The column of each row that its class names."""
    return np.take_along_axis(z, np.asarray(t)[:, None], 1)[:, 0]


def _other(z: Any, t: Any) -> Any:
    """The rows without the column that the class names."""
    keep = np.arange(z.shape[1]) != np.asarray(t)[:, None]
    return z[keep].reshape(len(z), -1)


def _unit(x: Any) -> Any:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _cosine(a: Any, b: Any) -> Any:
    return (_unit(a) * _unit(b)).sum(-1)


def _ce(z: Any, t: Any) -> Any:
    return _logsumexp(z) - _at(z, t)


def _one_hot(t: Any, k: int) -> Any:
    return np.eye(k)[np.asarray(t)]


def _replaced(c: Any, t: Any, new: Any) -> Any:
    """Rows in which the number of the row's class is replaced."""
    return np.where(_one_hot(t, c.shape[1]) == 1, np.asarray(new)[:, None], c)


def _pairs(a: Any, t: Any, of: Callable[[Any, Any], Any]) -> Any:
    """For each row with its cosines to rows of its class, and to rows of others: what `of` makes of the two; the mean over rows."""
    s, same = _unit(a) @ _unit(a).T, np.asarray(t)[:, None] == np.asarray(t)
    others = ~np.eye(len(a), dtype=bool)
    return np.mean([np.mean(of(s[i][same[i] & others[i]], s[i][~same[i]])) for i in range(len(a))])


def _all_pairs(a: Any, t: Any, of: Callable[[Any, Any], Any]) -> Any:
    """As `_pairs`, but the mean over all pairs at once."""
    s, same = _unit(a) @ _unit(a).T, np.asarray(t)[:, None] == np.asarray(t)
    others = ~np.eye(len(a), dtype=bool)
    return np.mean(np.concatenate([of(s[i][same[i] & others[i]], s[i][~same[i]]) for i in range(len(a))]))


def _ntxent(temperature: float) -> Callable[[Any, Any], Any]:
    def of(positive: Any, negative: Any) -> Any:
        return np.log(1 + np.exp((negative[None, :] - positive[:, None]) / temperature).sum(1))

    return of


def _supcon(temperature: float) -> Callable[[Any, Any], Any]:
    def of(positive: Any, negative: Any) -> Any:
        return np.log(np.exp(np.append(positive, negative) / temperature).sum()) - positive.mean() / temperature

    return of


def _circle(positive: Any, negative: Any) -> Any:
    gamma, m = 80, 0.4
    of_negative = np.exp(gamma * np.maximum(0, negative + m) * (negative - m)).sum()
    of_positive = np.exp(-gamma * np.maximum(0, 1 + m - positive) * (positive - 1 + m)).sum()
    return np.log1p(of_negative * of_positive)


def _multi_similarity(positive: Any, negative: Any) -> Any:
    return np.log1p(np.exp(-2 * (positive - 0.5)).sum()) / 2 + np.log1p(np.exp(50 * (negative - 0.5)).sum()) / 50


def _lovasz(errors: Any, truth: Any) -> Any:
    """The Lovasz extension of the Jaccard loss of one mask (Berman et al. 2018, algorithm 1)."""
    order = np.argsort(-errors, kind="stable")
    t = np.asarray(truth)[order]
    jaccard = 1 - (t.sum() - np.cumsum(t)) / (t.sum() + np.cumsum(1 - t))
    return errors[order] @ np.diff(jaccard, prepend=0)


def _sparsemax(z: Any) -> Any:
    """The projection of a row on the simplex (Martins and Astudillo 2016, algorithm 1)."""
    down = np.sort(z)[::-1]
    sums = np.cumsum(down)
    k = max(i + 1 for i in range(len(z)) if 1 + (i + 1) * down[i] > sums[i])
    return np.maximum(0, z - (sums[k - 1] - 1) / k)


def _overlap(a: Any, b: Any) -> tuple[Any, Any, Any, Any]:
    """Intersection, union, area of the hull and squared distance of centers over the squared diagonal of the hull of boxes."""
    sides = np.maximum(0, np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]))
    hull = np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])
    i = sides.prod(1)
    u = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - i
    apart = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) ** 2).sum(1) / 4
    return i, u, hull.prod(1), apart / (hull**2).sum(1)


def _ciou(a: Any, b: Any) -> Any:
    i, u, _, apart = _overlap(a, b)
    angle = [np.arctan((x[:, 2] - x[:, 0]) / (x[:, 3] - x[:, 1])) for x in (a, b)]
    v = 4 / np.pi**2 * (angle[1] - angle[0]) ** 2
    return 1 - i / u + apart + v**2 / (1 - i / u + v)


def _siou(a: Any, b: Any) -> Any:
    """As the paper writes it: the angle's cost by an arc sine."""
    i, u, _, _ = _overlap(a, b)
    around = np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])
    gap = np.abs(a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2
    angle = 1 - 2 * np.sin(np.arcsin(gap[:, 1] / np.hypot(*gap.T)) - np.pi / 4) ** 2
    distance = (1 - np.exp(-(2 - angle)[:, None] * (gap / around) ** 2)).sum(axis=1)
    sizes = [x[:, 2:] - x[:, :2] for x in (a, b)]
    shape = ((1 - np.exp(-np.abs(sizes[0] - sizes[1]) / np.maximum(*sizes))) ** 4).sum(axis=1)
    return 1 - i / u + (distance + shape) / 2


def _ctc(z: Any, t: Any) -> Any:
    """The loss of each sequence, by going through all paths."""
    import itertools

    found = []
    for logits, labels in zip(z, t, strict=True):
        log_p, total = logits - _logsumexp(logits)[:, None], 0.0
        for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
            if [k for k, _ in itertools.groupby(path) if k] == list(labels):
                total += np.exp(sum(log_p[s, k] for s, k in enumerate(path)))
        found.append(-np.log(total))
    return np.array(found)


def _listed(z: Any, t: Any, of: Callable[[Any, Any], float]) -> Any:
    return np.mean([of(*row) for row in zip(z, t, strict=True)])


def _margins_of_lists(z: Any, t: Any) -> float:
    return sum(max(0, 1 - z[a] + z[b]) for a in range(len(z)) for b in range(len(z)) if t[a] > 0 and t[b] == 0) / len(z)


def _two_way(z: Any, t: Any) -> float:
    def way(z: Any, t: Any) -> float:
        return np.mean(
            [
                np.log1p(np.exp(_logsumexp(row[on == 0]) + 4 * _logsumexp(-row[on == 1] / 4)))
                for row, on in zip(z, t, strict=True)
            ]
        )

    return way(z, t) + way(z.T, t.T)


def _distribution_balanced(z: Any, t: Any) -> Any:
    n = t.sum(0)
    h = z - 0.05 / 2 * np.log(len(t) / n - 1)
    r = (1 / n) / (t / n).sum(1, keepdims=True)
    w = 0.1 + _sigmoid(10 * (r - 0.2))

    def g(x: Any) -> Any:
        return np.log1p(np.exp(x)) * _sigmoid(x) ** 2

    return np.mean(w * 2 * np.where(t == 1, g(-h), g(2 * h) / 2))


def _jsd(z: Any, t: Any) -> Any:
    p = [softmax(part) for part in np.split(z, 3, axis=1)]
    m = sum(p) / 3
    return _ce(z[:, :4], t).mean() + 12 * np.mean([(q * np.log(q / m)).sum(1).mean() for q in p])


def _lead(t: Any, x: Any) -> Any:
    """The number of the preferred one of two, which is the first where the label is 1, minus that of the other."""
    return (2 * t - 1) * (x[:, 0] - x[:, 1])


def _preferred(t: Any, x: Any) -> Any:
    """The numbers of the preferred one of two, and those of the other."""
    return np.where(t == 1, x[:, 0], x[:, 1]), np.where(t == 1, x[:, 1], x[:, 0])


def _orpo(t: Any, x: Any, beta: float) -> Any:
    """Equations 6 and 7 of ORPO: the likelihood of the preferred one, and the ratio of the odds of both."""
    better, worse = np.exp(_preferred(t, x))
    return -np.log(better) - beta * np.log(_sigmoid(np.log(better / (1 - better) / (worse / (1 - worse)))))


def _vicreg(a: Any, b: Any) -> Any:
    """The authors' code of VICReg, with its coefficients."""
    covariances = [np.cov(x, rowvar=False) for x in (a, b)]
    missing = [np.maximum(0, 1 - np.sqrt(np.diag(c) + 1e-4)).mean() / 2 for c in covariances]
    others = [(c**2).sum() - (np.diag(c) ** 2).sum() for c in covariances]
    return 25 * np.mean((a - b) ** 2) + 25 * sum(missing) + sum(others) / a.shape[1]


def _barlow_twins(a: Any, b: Any) -> Any:
    """Equations 1 and 2 of Barlow Twins, with its lambda."""
    k = a.shape[1]
    c = np.corrcoef(a, b, rowvar=False)[:k, k:]
    return ((1 - np.diag(c)) ** 2).sum() + 0.0051 * ((c**2).sum() - (np.diag(c) ** 2).sum())


def _anchors(a: Any, t: Any) -> Any:
    """For each row, its distances to the others of its class, and to rows of other classes."""
    d, same = np.linalg.norm(a[:, None] - a, axis=2), np.asarray(t)[:, None] == np.asarray(t)
    return [(d[i][same[i] & (np.arange(len(a)) != i)], d[i][~same[i]]) for i in range(len(a))]


def _batch_hard(a: Any, t: Any) -> Any:
    return np.mean([max(0, positive.max() - negative.min() + 1) for positive, negative in _anchors(a, t)])


def _batch_all(a: Any, t: Any) -> Any:
    gaps = [p - n + 1 for positive, negative in _anchors(a, t) for p in positive for n in negative]
    return np.mean([gap for gap in gaps if gap > 0])


def _semi_hard(a: Any, t: Any) -> Any:
    gaps = []
    for positive, negative in _anchors(a, t):
        gaps += [p - min(negative[negative > p], default=negative.max()) + 1 for p in positive]
    return np.mean(np.maximum(0, gaps))


def _squared_chords(a: Any, w: Any) -> Any:
    """The squared distances of rows to proxies, all of unit length."""
    return ((_unit(a)[:, None] - _unit(w)) ** 2).sum(2)


FUNCTIONS: dict[str, Any] = {
    "erf": _erf,
    "lgamma": _lgamma,
    "barlow_twins": _barlow_twins,
    "batch_all": _batch_all,
    "batch_hard": _batch_hard,
    "lead": _lead,
    "orpo": _orpo,
    "semi_hard": _semi_hard,
    "squared_chords": _squared_chords,
    "vicreg": _vicreg,
    "at": _at,
    "all_pairs": _all_pairs,
    "ce": _ce,
    "ciou": _ciou,
    "siou": _siou,
    "circle": _circle,
    "cosine": _cosine,
    "ctc": _ctc,
    "distribution_balanced": _distribution_balanced,
    "jsd": _jsd,
    "listed": _listed,
    "logsumexp": _logsumexp,
    "lovasz": _lovasz,
    "margins_of_lists": _margins_of_lists,
    "multi_similarity": _multi_similarity,
    "norm": lambda x: np.linalg.norm(x, axis=-1),
    "ntxent": _ntxent,
    "one_hot": _one_hot,
    "other": _other,
    "overlap": _overlap,
    "pairs": _pairs,
    "replaced": _replaced,
    "sigmoid": _sigmoid,
    "softmax": softmax,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "sparsemax": _sparsemax,
    "supcon": _supcon,
    "two_way": _two_way,
    "unit": _unit,
}

TORCH, KERAS, TF, OPTAX = "torch 2.13.0", "keras 3.15.1", "tensorflow 2.21.0", "optax 0.2.8"
SKLEARN, SCIPY, STATSMODELS = "scikit-learn 1.9.1", "scipy 1.17.1", "statsmodels 0.15.0"
METRICS, VISION, TIMM = "torchmetrics 1.9.0", "torchvision 0.28.0", "timm 1.0.31"
SMP, PML, MONAI, KORNIA = (
    "segmentation-models-pytorch 0.6.0",
    "pytorch-metric-learning 2.9.0",
    "monai 1.6.1",
    "kornia 0.9.0",
)
XGBOOST, LIGHTGBM, CATBOOST = "xgboost 3.2.0", "lightgbm 4.7.0", "catboost 1.2.10"

_HUBER = "mean(where(abs(p - t) <= 1, (p - t)**2 / 2, abs(p - t) - 1 / 2))"
_BCE = "mean(softplus(z) - t * z)"
_FOCAL = "mean(where(t == 1, (1 - sigmoid(z))**2 * softplus(-z), sigmoid(z)**2 * softplus(z)))"
_KL = "mean(sum(t * log(t / p), 1))"
_DICE = "mean(1 - 2 * sum(p * t, 1) / sum(p + t, 1))"
_BALANCED = "mean(1 - (sum(p * t, 1) + 1) / (sum(p + t, 1) / 2 + 1))"
_JACCARD = "mean(1 - sum(p * t, 1) / sum(p + t - p * t, 1))"
_TVERSKY = "sum(p * t, 1) / (sum(p * t, 1) + {} * sum(p * (1 - t), 1) + {} * sum((1 - p) * t, 1))"
_CONTRASTIVE = "mean(where(t == 1, norm(a - b)**2, maximum(0, 1 - norm(a - b))**2))"
_TRIPLET = "mean(maximum(0, norm(a - b) - norm(a - n) + 1))"
_ANGULAR = "mean(ce({} * replaced(c, t, {}), t))"
_ARC = "where(at(c, t) >= -cos({0}), cos(arccos(at(c, t)) + {0}), at(c, t) - {0} * sin({0}))"
_TOP_MARGIN = "mean(maximum(0, 1 + other(z, t).max(1) - at(z, t)))"

USES: tuple[Use, ...] = (
    # Residuals
    Use("mse mse-loss", "squared-error", TORCH, "numbers", "mean((p - t)**2)", "torch.nn.functional.mse_loss(p, t)"),
    Use(
        "mse mean-squared-error",
        "squared-error",
        KERAS,
        "numbers",
        "mean((p - t)**2)",
        "keras.losses.mean_squared_error(t, p)",
    ),
    Use(
        "mean-squared-error",
        "squared-error",
        SKLEARN,
        "numbers",
        "mean((p - t)**2)",
        "sklearn.metrics.mean_squared_error(t, p)",
    ),
    Use(
        "l2 l2-loss",
        "half-squared-error",
        OPTAX,
        "numbers",
        "mean((p - t)**2 / 2)",
        "optax.losses.l2_loss(p, t).mean()",
    ),
    Use(
        "l2", "half-squared-error", LIGHTGBM, "numbers", "mean((p - t)**2)", "lightgbm_metric('l2', p, t)", "2 * loss()"
    ),
    Use(
        "l2-loss",
        "half-squared-error",
        TF,
        "numbers",
        "sum((p - t)**2) / 2",
        "tf.nn.l2_loss(p - t)",
        "loss(reduction='sum')",
    ),
    Use("l1 l1-loss", "absolute-error", TORCH, "numbers", "mean(abs(p - t))", "torch.nn.functional.l1_loss(p, t)"),
    Use(
        "mae mean-absolute-error",
        "absolute-error",
        KERAS,
        "numbers",
        "mean(abs(p - t))",
        "keras.losses.mean_absolute_error(t, p)",
    ),
    Use("l1 mae", "absolute-error", LIGHTGBM, "numbers", "mean(abs(p - t))", "lightgbm_metric('l1', p, t)"),
    Use("huber-loss", "huber", TORCH, "numbers", _HUBER, "torch.nn.functional.huber_loss(p, t)"),
    Use("smooth-l1-loss", "smooth-l1", TORCH, "numbers", _HUBER, "torch.nn.functional.smooth_l1_loss(p, t)"),
    Use(
        "tukey biweight",
        "tukey-biweight",
        f"{STATSMODELS}, with one more digit of c than its 4.685",
        "numbers",
        "mean(4.6851**2 / 6 * (1 - maximum(0, 1 - ((p - t) / 4.6851)**2)**3))",
        "statsmodels.robust.norms.TukeyBiweight(c=4.6851).rho(p - t).mean()",
    ),
    Use("soft-l1", "pseudo-huber", SCIPY, "numbers", "mean(sqrt(1 + (p - t)**2) - 1)", "scipy_cost('soft_l1', p, t)"),
    Use(
        "pseudo-huber-loss",
        "pseudo-huber",
        SCIPY,
        "numbers",
        "mean(sqrt(1 + (p - t)**2) - 1)",
        "scipy.special.pseudo_huber(1.0, p - t).mean()",
    ),
    Use("logcosh", "log-cosh", KERAS, "numbers", "mean(log(cosh(p - t)))", "keras.losses.log_cosh(t, p)"),
    Use(
        "log-cosh-error",
        "log-cosh",
        METRICS,
        "numbers",
        "mean(log(cosh(p - t)))",
        "torchmetrics.functional.log_cosh_error(p, t)",
    ),
    Use("log-cosh-loss", "log-cosh", OPTAX, "numbers", "mean(log(cosh(p - t)))", "optax.losses.log_cosh(p, t).mean()"),
    Use(
        "cauchy-loss",
        "cauchy",
        KORNIA,
        "numbers",
        "mean(log(1 + (p - t)**2 / 2))",
        "kornia.losses.cauchy_loss(p, t).mean()",
        "loss(c=sqrt(2))",
    ),
    Use(
        "lorentzian",
        "cauchy",
        "Black and Anandan 1996, The Robust Estimation of Multiple Motions, with sigma = 1",
        "numbers",
        "mean(log(1 + (p - t)**2 / 2))",
        same="loss(c=sqrt(2)) / 1**2",
    ),
    Use(
        "welsch-loss",
        "welsch",
        KORNIA,
        "numbers",
        "mean(1 - exp(-(p - t)**2 / 2))",
        "kornia.losses.welsch_loss(p, t).mean()",
        "loss(c=sqrt(2))",
    ),
    Use(
        "correntropy leclerc",
        "welsch",
        "Liu, Pokharel and Principe 2007, Correntropy; Leclerc 1989, with sigma = 1",
        "numbers",
        "mean(1 - exp(-(p - t)**2 / 2))",
        same="loss(c=sqrt(2))",
    ),
    Use(
        "geman-mcclure-loss",
        "geman-mcclure",
        KORNIA,
        "numbers",
        "mean(2 * (p - t)**2 / ((p - t)**2 + 4))",
        "kornia.losses.geman_mcclure_loss(p, t).mean()",
        "loss(c=2)",
    ),
    Use(
        "general-robust barron-loss",
        "barron",
        "Barron 2019, A General and Adaptive Robust Loss Function, equation 8, at alpha = 1, c = 1",
        "numbers",
        "mean(sqrt((p - t)**2 + 1) - 1)",
    ),
    Use(
        "adaptive-robust",
        "barron",
        "Barron 2019, equation 16, at alpha = 0, c = 1, where Z = pi * sqrt(2)",
        "numbers",
        "mean(log((p - t)**2 / 2 + 1)) + log(pi * sqrt(2))",
        same="loss(alpha=0) + log(pi * sqrt(2))",
    ),
    Use(
        "andrew-wave andrews-wave",
        "andrews",
        STATSMODELS,
        "numbers",
        "mean(where(abs(p - t) <= 1.339 * pi, 1.339**2 * (1 - cos((p - t) / 1.339)), 2 * 1.339**2))",
        "statsmodels.robust.norms.AndrewWave().rho(p - t).mean()",
    ),
    Use(
        "pinball pinball-loss mean-pinball-loss",
        "quantile",
        SKLEARN,
        "numbers",
        "mean(abs(p - t) / 2)",
        "sklearn.metrics.mean_pinball_loss(t, p)",
    ),
    Use(
        "quantile-loss",
        "quantile",
        f"{CATBOOST}, Quantile",
        "numbers",
        "mean(abs(p - t) / 2)",
        "catboost_metric('Quantile', p, t)",
    ),
    Use(
        "asymmetric-squared-error expectile-loss",
        "expectile",
        f"{CATBOOST}, Expectile",
        "numbers",
        "mean(where(p > t, 1 - 0.8, 0.8) * (p - t)**2)",
        "catboost_metric('Expectile:alpha=0.8', p, t)",
        settings="tau=0.8",
    ),
    Use(
        "asymmetric-squared-error",
        "expectile",
        "Newey and Powell 1987, Asymmetric Least Squares, at tau = 1/2",
        "numbers",
        "mean((p - t)**2 / 2)",
    ),
    Use(
        "svr epsilon-insensitive-loss",
        "epsilon-insensitive",
        f"{SKLEARN}, SGDRegressor and SVR",
        "numbers",
        "mean(maximum(0, abs(p - t) - 0.1))",
        "sgd_loss('EpsilonInsensitive', p, t, 0.1)",
    ),
    Use(
        "squared-epsilon-insensitive-loss",
        "squared-epsilon-insensitive",
        f"{SKLEARN}, SGDRegressor",
        "numbers",
        "mean(maximum(0, abs(p - t) - 0.1)**2)",
        "sgd_loss('SquaredEpsilonInsensitive', p, t, 0.1)",
    ),
    Use("lq-loss lp", "lq", f"{CATBOOST}, Lq", "numbers", "mean(abs(p - t)**1.5)", "catboost_metric('Lq:q=1.5', p, t)"),
    Use(
        "lp",
        "lq",
        f"{TORCH}, the p-norm of the residuals",
        "numbers",
        "sum(abs(p - t)**2)**(1 / 2)",
        "torch.linalg.vector_norm(p - t)",
        "loss(exponent=2, reduction='sum')**(1 / 2)",
    ),
    Use(
        "fair-loss",
        "fair",
        f"{CATBOOST}, FairLoss",
        "numbers",
        "mean(abs(p - t) - log(1 + abs(p - t)))",
        "catboost_metric('FairLoss:smoothness=1', p, t)",
    ),
    Use("arctan-loss", "arctan", SCIPY, "numbers", "mean(arctan((p - t)**2) / 2)", "scipy_cost('arctan', p, t)"),
    Use(
        "ramsay-e ramsay-ea",
        "ramsay",
        STATSMODELS,
        "numbers",
        "mean((1 - exp(-0.3 * abs(p - t)) * (1 + 0.3 * abs(p - t))) / 0.09)",
        "statsmodels.robust.norms.RamsayE().rho(p - t).mean()",
    ),
    Use(
        "trimmed-mean",
        "truncated-squared",
        STATSMODELS,
        "numbers",
        "mean(minimum((p - t)**2, 4) / 2)",
        "statsmodels.robust.norms.TrimmedMean().rho(p - t).mean()",
    ),
    Use(
        "talwar",
        "truncated-squared",
        "MATLAB, robustfit, 'talwar' with its tuning constant 2.795",
        "numbers",
        "mean(minimum((p - t)**2, 2.795**2) / 2)",
        same="loss(c=2.795)",
    ),
    Use(
        "truncated-quadratic",
        "truncated-squared",
        "Blake and Zisserman 1987, Visual Reconstruction, with c = 2",
        "numbers",
        "mean(minimum((p - t)**2, 4))",
        same="2 * loss()",
    ),
    Use(
        "student-t-loss",
        "student-t",
        STATSMODELS,
        "numbers",
        "mean(2.3849**2 * 2 * log(1 + ((p - t) / 2.3849)**2 / 4))",
        "statsmodels.robust.norms.StudentT().rho(p - t).mean()",
    ),
    Use(
        "wing-loss",
        "wing",
        SMP,
        "numbers",
        "mean(where(abs(p - t) < 5, 5 * log(1 + abs(p - t) / 0.5), abs(p - t) - 5 + 5 * log(1 + 5 / 0.5)))",
        "segmentation_models_pytorch.losses._functional.wing_loss(p, t)",
    ),
    # Relative errors
    Use(
        "mape mean-absolute-percentage-error",
        "absolute-percentage-error",
        SKLEARN,
        "amounts",
        "mean(abs(p - t) / t)",
        "sklearn.metrics.mean_absolute_percentage_error(t, p)",
    ),
    Use(
        "mape mean-absolute-percentage-error",
        "absolute-percentage-error",
        KERAS,
        "amounts",
        "100 * mean(abs(p - t) / t)",
        "keras.losses.mean_absolute_percentage_error(t, p)",
        "100 * loss()",
    ),
    Use(
        "mape",
        "absolute-percentage-error",
        LIGHTGBM,
        "amounts",
        "mean(abs(p - t) / maximum(1, t))",
        "lightgbm_metric('mape', p, t)",
        "loss(epsilon=1)",
    ),
    Use(
        "smape symmetric-mean-absolute-percentage-error",
        "symmetric-percentage-error",
        METRICS,
        "amounts",
        "mean(2 * abs(p - t) / (p + t))",
        "torchmetrics.functional.symmetric_mean_absolute_percentage_error(p, t)",
    ),
    Use(
        "smape",
        "symmetric-percentage-error",
        f"{CATBOOST}, SMAPE",
        "amounts",
        "100 * mean(2 * abs(p - t) / (p + t))",
        "catboost_metric('SMAPE', p, t)",
        "100 * loss()",
    ),
    Use(
        "msle mean-squared-logarithmic-error squared-logarithmic-error",
        "squared-log-error",
        KERAS,
        "amounts",
        "mean((log(1 + p) - log(1 + t))**2)",
        "keras.losses.mean_squared_logarithmic_error(t, p)",
    ),
    Use(
        "mean-squared-log-error",
        "squared-log-error",
        SKLEARN,
        "amounts",
        "mean((log(1 + p) - log(1 + t))**2)",
        "sklearn.metrics.mean_squared_log_error(t, p)",
    ),
    Use(
        "wmape weighted-mean-absolute-percentage-error wape",
        "weighted-percentage-error",
        METRICS,
        "amounts",
        "sum(abs(p - t)) / sum(t)",
        "torchmetrics.functional.weighted_mean_absolute_percentage_error(p, t)",
    ),
    # Likelihoods and deviances
    Use("poisson-loss", "poisson", KERAS, "rates", "mean(p - t * log(p))", "keras.losses.poisson(t, p)"),
    Use(
        "poisson-loss",
        "poisson",
        f"{LIGHTGBM} and CatBoost, objective poisson, of raw scores",
        "log rates",
        "mean(exp(p) - t * p)",
        "catboost_metric('Poisson', p, t)",
        "other('log-poisson')",
    ),
    Use(
        "log-poisson-loss",
        "log-poisson",
        TF,
        "log rates",
        "mean(exp(p) - t * p)",
        "tf.reduce_mean(tf.nn.log_poisson_loss(t.astype(float), p))",
    ),
    Use(
        "poisson-nll-loss",
        "log-poisson",
        TORCH,
        "log rates",
        "mean(exp(p) - t * p)",
        "torch.nn.functional.poisson_nll_loss(p, t)",
    ),
    Use(
        "mean-poisson-deviance",
        "poisson-deviance",
        SKLEARN,
        "amounts",
        "mean(2 * (t * log(t / p) - t + p))",
        "sklearn.metrics.mean_poisson_deviance(t, p)",
    ),
    Use(
        "mean-gamma-deviance",
        "gamma-deviance",
        SKLEARN,
        "amounts",
        "mean(2 * (log(p / t) + t / p - 1))",
        "sklearn.metrics.mean_gamma_deviance(t, p)",
    ),
    Use(
        "mean-tweedie-deviance",
        "tweedie-deviance",
        SKLEARN,
        "amounts",
        "mean((p - t)**2)",
        "sklearn.metrics.mean_tweedie_deviance(t, p)",
        "other('squared-error')",
    ),
    Use(
        "mean-tweedie-deviance",
        "tweedie-deviance",
        f"{SKLEARN}, at power 1.5",
        "amounts",
        "mean(2 * (t**0.5 / (-0.5 * 0.5) - t * p**-0.5 / -0.5 + p**0.5 / 0.5))",
        "sklearn.metrics.mean_tweedie_deviance(t, p, power=1.5)",
    ),
    Use(
        "tweedie-deviance-score",
        "tweedie-deviance",
        METRICS,
        "amounts",
        "mean((p - t)**2)",
        "torchmetrics.functional.tweedie_deviance_score(p, t)",
        "other('squared-error')",
    ),
    Use(
        "log-gamma-loss",
        "log-gamma",
        f"{LIGHTGBM}, objective gamma, as its metric of exp(p)",
        "log amounts",
        "mean(p + t * exp(-p))",
        "lightgbm_metric('gamma', exp(p), t)",
    ),
    Use(
        "log-tweedie-loss",
        "log-tweedie",
        f"{CATBOOST}, Tweedie",
        "log amounts",
        "mean(exp(0.5 * p) / 0.5 + t * exp(-0.5 * p) / 0.5)",
        "catboost_metric('Tweedie:variance_power=1.5', p, t)",
    ),
    Use(
        "generalized-kl-divergence",
        "generalized-kl",
        OPTAX,
        "masses",
        "mean(t * log(t / p) - t + p)",
        "optax.losses.generalized_kl_divergence(numpy.log(p), t).mean() / 5",
    ),
    Use(
        "convex-kl-divergence",
        "generalized-kl",
        OPTAX,
        "masses",
        "mean(t * log(t / p) - t + p)",
        "optax.losses.convex_kl_divergence(numpy.log(p), t).mean() / 5",
    ),
    Use(
        "i-divergence",
        "generalized-kl",
        f"{SCIPY}, special.kl_div; Csiszar 1975, I-Divergence Geometry",
        "masses",
        "mean(t * log(t / p) - t + p)",
        "scipy.special.kl_div(t, p).mean()",
    ),
    Use(
        "gaussian-nll-loss normal-nll gaussian",
        "gaussian-nll",
        TORCH,
        "variances",
        "mean((log(v) + (p - t)**2 / v) / 2)",
        "torch.nn.functional.gaussian_nll_loss(p, t, v)",
    ),
    Use(
        "gaussian",
        "gaussian-nll",
        "McCullagh and Nelder 1989, Generalized Linear Models: the Gaussian family, with variance 1 and without constants",
        "variances",
        "mean((p - t)**2) / 2",
        same="other('half-squared-error')",
    ),
    Use(
        "gaussian-kl-divergence vae-kl kld-normal latent-kl",
        "gaussian-kl",
        "Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114, appendix B, of one dimension and a prior with mean t",
        "variances",
        "mean((v + (p - t)**2 - 1 - log(v)) / 2)",
    ),
    Use(
        "beta-nll-loss",
        "beta-nll",
        "Seitzer et al. 2022, arXiv:2203.09168: beta_nll_loss of the authors' code, https://github.com/martius-lab/beta-nll",
        "variances",
        "mean((log(v) + (t - p)**2 / v) / 2 * v**0.5)",
    ),
    Use(
        "crps-gaussian crps-normal",
        "gaussian-crps",
        "properscoring 0.1, crps_gaussian, and scoringrules 0.10.0, crps_normal; of standard deviations there",
        "variances",
        "mean((p - t) * erf((p - t) / sqrt(2 * v)) + sqrt(2 * v / pi) * exp(-(p - t)**2 / (2 * v)) - sqrt(v / pi))",
    ),
    Use(
        "negative-binomial negative-binomial-loss",
        "negative-binomial-nll",
        "statsmodels 0.15.0, NegativeBinomial (NB2), of its mean and its alpha",
        "dispersions",
        "mean(lgamma(t + 1) + lgamma(1 / d) - lgamma(t + 1 / d) + log(1 + d * p) / d - t * log(d * p / (1 + d * p)))",
    ),
    Use(
        "mase mean-absolute-scaled-error",
        "absolute-scaled-error",
        "utilsforecast 0.2.17, mase, of the naive errors s",
        "scales",
        "mean(abs(p - t) / s)",
    ),
    Use(
        "rmsse root-mean-squared-scaled-error",
        "root-scaled-error",
        "utilsforecast 0.2.17, rmsse, of the naive squared errors s",
        "scales",
        "sqrt(mean((p - t)**2 / s))",
    ),
    Use("maximum-error max-absolute-error", "max-error", "scikit-learn, max_error", "numbers", "max(abs(p - t))"),
    Use("medae", "median-absolute-error", "scikit-learn, median_absolute_error", "numbers", "median(abs(p - t))"),
    Use(
        "winkler winkler-score",
        "interval-score",
        "Winkler 1972, doi:10.1080/01621459.1972.10481224; scoringrules 0.10.0, interval_score",
        "intervals",
        "mean(p[:, 1] - p[:, 0] + 40 * (maximum(p[:, 0] - t, 0) + maximum(t - p[:, 1], 0)))",
        settings="alpha=0.05",
    ),
    Use(
        "mqloss",
        "multi-quantile",
        "utilsforecast 0.2.17, mqloss",
        "quantiles",
        "mean(maximum(q * (t[:, None] - p), (q - 1) * (t[:, None] - p)))",
    ),
    Use(
        "wql weighted-quantile-loss mean-wquantileloss",
        "weighted-quantile",
        "GluonTS 0.17.0, MeanWeightedSumQuantileLoss; AutoGluon, WQL",
        "quantiles",
        "2 * sum(maximum(q * (t[:, None] - p), (q - 1) * (t[:, None] - p))) / 3 / sum(abs(t))",
    ),
    # Margins
    Use(
        "hinge-loss",
        "hinge",
        SKLEARN,
        "scores",
        "mean(maximum(0, 1 - (2 * t - 1) * z))",
        "sklearn.metrics.hinge_loss(t, z)",
    ),
    Use(
        "hinge-loss",
        "hinge",
        METRICS,
        "scores",
        "mean(maximum(0, 1 - (2 * t - 1) * sigmoid(z)))",
        "torchmetrics.functional.hinge_loss(z, t, task='binary')",
        "loss(p=sigmoid(z))",
    ),
    Use(
        "squared-hinge-loss",
        "squared-hinge",
        KERAS,
        "scores",
        "mean(maximum(0, 1 - (2 * t - 1) * z)**2)",
        "keras.losses.squared_hinge(t, z)",
    ),
    Use(
        "ramp-loss",
        "ramp",
        "Collobert, Sinz, Weston and Bottou 2006, Trading Convexity for Scalability, with s = -1",
        "scores",
        "mean(maximum(0, 1 - (2 * t - 1) * z) - maximum(0, -1 - (2 * t - 1) * z))",
    ),
    Use(
        "soft-margin soft-margin-loss",
        "logistic",
        TORCH,
        "scores",
        "mean(softplus(-(2 * t - 1) * z))",
        "torch.nn.functional.soft_margin_loss(z, 2.0 * t - 1)",
    ),
    Use(
        "soft-margin",
        "logistic",
        "Cortes and Vapnik 1995, Support-Vector Networks: the slack of the soft margin",
        "scores",
        "mean(maximum(0, 1 - (2 * t - 1) * z))",
        same="other('hinge')",
    ),
    Use(
        "logistic-loss",
        "logistic",
        "Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, table 12.1",
        "scores",
        "mean(log(1 + exp(-(2 * t - 1) * z)))",
    ),
    Use(
        "zero-one-loss misclassification",
        "zero-one",
        SKLEARN,
        "scores",
        "mean((z > 0) != t)",
        "sklearn.metrics.zero_one_loss(t, (z > 0).astype(int))",
    ),
    Use(
        "hamming-loss hamming",
        "zero-one",
        SKLEARN,
        "several scores",
        "mean((z > 0) != t)",
        "sklearn.metrics.hamming_loss(t, (z > 0).astype(int))",
    ),
    Use(
        "hamming-distance",
        "zero-one",
        METRICS,
        "scores",
        "mean((z > 0) != t)",
        "torchmetrics.functional.hamming_distance(z.sigmoid(), t, task='binary')",
    ),
    Use(
        "exponential-loss",
        "exponential",
        f"{SKLEARN}, _loss",
        "scores",
        "mean(exp(-(2 * t - 1) * z))",
        "sklearn._loss.loss.ExponentialLoss()(t.astype(float), z)",
    ),
    Use(
        "adaboost",
        "exponential",
        "Friedman, Hastie and Tibshirani 2000, Additive Logistic Regression, section 4",
        "scores",
        "mean(exp(-(2 * t - 1) * z))",
    ),
    Use(
        "modified-huber-loss",
        "modified-huber",
        f"{SKLEARN}, SGDClassifier",
        "scores",
        "mean(where((2 * t - 1) * z >= -1, maximum(0, 1 - (2 * t - 1) * z)**2, -4 * (2 * t - 1) * z))",
        "sgd_loss('ModifiedHuber', z, 2.0 * t - 1)",
    ),
    Use(
        "quadratically-smoothed-hinge",
        "modified-huber",
        "Zhang 2004, Solving Large Scale Linear Prediction Problems, with gamma = 2",
        "scores",
        "mean(where((2 * t - 1) * z >= -1, maximum(0, 1 - (2 * t - 1) * z)**2 / 4, -(2 * t - 1) * z))",
        same="loss() / 4",
    ),
    Use(
        "perceptron-loss",
        "perceptron",
        OPTAX,
        "scores",
        "mean(maximum(0, -(2 * t - 1) * z))",
        "optax.losses.perceptron_loss(z, 2 * t - 1).mean()",
    ),
    Use(
        "savage-loss savageboost",
        "savage",
        "Masnadi-Shirazi and Vasconcelos 2008, On the Design of Loss Functions for Classification, section 4",
        "scores",
        "mean(1 / (1 + exp((2 * t - 1) * z))**2)",
    ),
    Use(
        "tangent-loss tangentboost",
        "tangent",
        "Masnadi-Shirazi, Mahadevan and Vasconcelos 2010, On the Design of Robust Classifiers for Computer Vision",
        "scores",
        "mean((2 * arctan((2 * t - 1) * z) - 1)**2)",
    ),
    Use(
        "smoothed-hinge rennie-hinge",
        "smooth-hinge",
        "Rennie and Srebro 2005, Loss Functions for Preference Levels, equation 11",
        "scores",
        "mean(where(m <= 0, 1 / 2 - m, maximum(0, 1 - m)**2 / 2)) if (m := (2 * t - 1) * z) is not None else 0",
    ),
    Use(
        "sparsemax-binary binary-sparsemax-loss",
        "binary-sparsemax",
        OPTAX,
        "scores",
        "mean(where(m >= 1, 0, where(m <= -1, -m, (1 - m)**2 / 4))) if (m := (2 * t - 1) * z) is not None else 0",
        "optax.losses.sparsemax_loss(z, t).mean()",
    ),
    # Sigmoids
    Use(
        "bce-with-logits bce-with-logits-loss",
        "sigmoid-cross-entropy",
        TORCH,
        "scores",
        _BCE,
        "torch.nn.functional.binary_cross_entropy_with_logits(z, t.double())",
    ),
    Use(
        "binary-cross-entropy bce-loss",
        "sigmoid-cross-entropy",
        TORCH,
        "chances",
        "mean(-t * log(p) - (1 - t) * log(1 - p))",
        "torch.nn.functional.binary_cross_entropy(p, t.double())",
    ),
    Use(
        "bce binary-crossentropy",
        "sigmoid-cross-entropy",
        KERAS,
        "chances",
        "mean(-t * log(p) - (1 - t) * log(1 - p))",
        "keras.losses.binary_crossentropy(t.astype(float), p)",
    ),
    Use(
        "sigmoid-binary-cross-entropy",
        "sigmoid-cross-entropy",
        OPTAX,
        "scores",
        _BCE,
        "optax.losses.sigmoid_binary_cross_entropy(z, t).mean()",
    ),
    Use(
        "binary-focal-crossentropy binary-focal",
        "sigmoid-focal",
        KERAS,
        "scores",
        _FOCAL,
        "keras.losses.binary_focal_crossentropy(t, z, from_logits=True)",
    ),
    Use("sigmoid-focal-loss", "sigmoid-focal", OPTAX, "scores", _FOCAL, "optax.losses.sigmoid_focal_loss(z, t).mean()"),
    Use(
        "sigmoid-focal-loss",
        "sigmoid-focal",
        VISION,
        "scores",
        "mean(where(t == 1, 0.25 * (1 - sigmoid(z))**2 * softplus(-z), 0.75 * sigmoid(z)**2 * softplus(z)))",
        "torchvision.ops.sigmoid_focal_loss(z, t.double()).mean()",
        "loss(alpha=0.25)",
    ),
    Use(
        "focal binary-focal",
        "sigmoid-focal",
        f"{MONAI}, FocalLoss",
        "scores",
        _FOCAL,
        "monai.losses.FocalLoss()(z[:, None], t[:, None].double())",
    ),
    Use(
        "focal",
        "sigmoid-focal",
        f"{KORNIA}, focal_loss without alpha, summed over the classes",
        "classes",
        "mean((1 - at(softmax(z), t))**2 * -log(at(softmax(z), t)))",
        "kornia.losses.focal_loss(z, t, alpha=None).sum(1).mean()",
        "other('softmax-focal')",
    ),
    Use(
        "poly-1-binary-cross-entropy binary-poly-1",
        "sigmoid-poly-1",
        "Leng et al. 2022, PolyLoss, equation 6, epsilon = 1, of one sigmoid",
        "scores",
        "mean(softplus(z) - t * z + where(t == 1, 1 - sigmoid(z), sigmoid(z)))",
    ),
    Use(
        "poly-binary-cross-entropy",
        "sigmoid-poly-1",
        TIMM,
        "several scores",
        "mean(softplus(z) - t * z + 2 * where(t == 1, 1 - sigmoid(z), sigmoid(z)))",
        "timm.loss.PolyBinaryCrossEntropy()(z, t.double())",
        "loss(epsilon=2)",
    ),
    Use(
        "asymmetric-loss-multi-label asymmetric-multi-label asl asymmetric-loss",
        "asymmetric",
        f"{TIMM}; Ridnik et al. 2021, whose code adds up everything",
        "several scores",
        "mean(sum(where(t == 1, (1 - q) * -log(q), f**4 * -log(1 - f)), 1)) if ((q := sigmoid(z)), (f := maximum(sigmoid(z) - 0.05, 0))) else 0",
        "timm.loss.AsymmetricLossMultiLabel()(z, t)",
        "loss(over_outputs='sum')",
    ),
    Use(
        "qfl quality-focal-loss",
        "quality-focal",
        "Li et al. 2020, Generalized Focal Loss, equation 5",
        "soft chances",
        "mean(abs(t - sigmoid(z))**2 * (softplus(z) - t * z))",
    ),
    Use(
        "gfl generalized-focal-loss",
        "generalized-focal",
        "Li et al. 2020, Generalized Focal Loss, equation 8, with y_l = 0 and y_r = 1",
        "soft chances",
        "mean(abs(t - sigmoid(z))**2 * -((1 - t) * log(1 - sigmoid(z)) + t * log(sigmoid(z))))",
    ),
    Use(
        "balanced-bce balanced-binary-cross-entropy",
        "balanced-cross-entropy",
        "Xie and Tu 2015, Holistically-Nested Edge Detection, equation 2, with beta from the targets, "
        "which are half and half",
        "scores",
        "mean(softplus(z) - t * z) / 2 if (t := arange(24) % 2) is not None else 0",
        same="loss(t=arange(24) % 2)",
    ),
    Use(
        "balanced-bce balanced-binary-cross-entropy",
        "balanced-cross-entropy",
        "Xie and Tu 2015, Holistically-Nested Edge Detection, equation 2, with beta the fraction of negatives",
        "scores",
        "mean(where(t == 1, beta * softplus(-z), (1 - beta) * softplus(z))) if (beta := mean(1 - t)) else 0",
        same="loss(beta=mean(1 - t))",
    ),
    Use(
        "binary-brier brier-binary binary-brier-score",
        "sigmoid-brier",
        SKLEARN,
        "chances",
        "mean((p - t)**2)",
        "sklearn.metrics.brier_score_loss(t, p)",
    ),
    # Softmaxes
    Use(
        "cross-entropy cross-entropy-loss ce",
        "softmax-cross-entropy",
        TORCH,
        "classes",
        "mean(ce(z, t))",
        "torch.nn.functional.cross_entropy(z, t)",
    ),
    Use(
        "sparse-categorical-crossentropy sparse-categorical-cross-entropy scce",
        "softmax-cross-entropy",
        KERAS,
        "classes",
        "mean(ce(z, t))",
        "keras.losses.sparse_categorical_crossentropy(t, z, from_logits=True)",
    ),
    Use(
        "categorical-crossentropy categorical-cross-entropy cce",
        "softmax-cross-entropy",
        KERAS,
        "classes",
        "mean(ce(z, t))",
        "keras.losses.categorical_crossentropy(numpy.eye(4)[t], z, from_logits=True)",
    ),
    Use(
        "sparse-softmax-cross-entropy",
        "softmax-cross-entropy",
        TF,
        "classes",
        "mean(ce(z, t))",
        "tf.compat.v1.losses.sparse_softmax_cross_entropy(t, z)",
    ),
    Use(
        "kl-div kl-div-loss",
        "kl-divergence",
        f"{TORCH}, with reduction='batchmean'",
        "distributions",
        _KL,
        "torch.nn.functional.kl_div(p.log(), t, reduction='batchmean')",
    ),
    Use(
        "kl-div kl-div-loss",
        "kl-divergence",
        TORCH,
        "distributions",
        "mean(t * log(t / p))",
        "torch.nn.functional.kl_div(p.log(), t)",
        "loss() / 5",
    ),
    Use(
        "kl-div",
        "kl-divergence",
        f"{SCIPY}, special.kl_div of masses that are no distributions",
        "masses",
        "mean(t * log(t / p) - t + p)",
        "scipy.special.kl_div(t, p).mean()",
        "other('generalized-kl')",
    ),
    Use(
        "kl kullback-leibler kullback-leibler-divergence",
        "kl-divergence",
        KERAS,
        "distributions",
        _KL,
        "keras.losses.kl_divergence(t, p)",
    ),
    Use(
        "categorical-focal categorical-focal-crossentropy",
        "softmax-focal",
        f"{KERAS}, with alpha = 1",
        "classes",
        "mean((1 - at(softmax(z), t))**2 * ce(z, t))",
        "keras.losses.categorical_focal_crossentropy(numpy.eye(4)[t], z, alpha=1.0, from_logits=True)",
    ),
    Use(
        "categorical-focal-crossentropy",
        "softmax-focal",
        KERAS,
        "classes",
        "0.25 * mean((1 - at(softmax(z), t))**2 * ce(z, t))",
        "keras.losses.categorical_focal_crossentropy(numpy.eye(4)[t], z, from_logits=True)",
        "0.25 * loss()",
    ),
    Use(
        "sparse-focal",
        "softmax-focal",
        f"{SMP}, softmax_focal_loss_with_logits",
        "classes",
        "mean((1 - at(softmax(z), t))**2 * ce(z, t))",
        "segmentation_models_pytorch.losses._functional.softmax_focal_loss_with_logits(z, t)",
    ),
    Use(
        "poly-1 poly-1-cross-entropy poly-loss poly-cross-entropy poly-loss-cross-entropy",
        "softmax-poly-1",
        "Leng et al. 2022, PolyLoss, equation 6, with epsilon = 1",
        "classes",
        "mean(ce(z, t) + 1 - at(softmax(z), t))",
    ),
    Use(
        "poly-loss-cross-entropy poly-loss",
        "softmax-poly-1",
        OPTAX,
        "classes",
        "mean(ce(z, t) + 2 * (1 - at(softmax(z), t)))",
        "optax.losses.poly_loss_cross_entropy(z, numpy.eye(4)[t]).mean()",
        "loss(epsilon=2)",
    ),
    Use(
        "poly-cross-entropy",
        "softmax-poly-1",
        TIMM,
        "classes",
        "mean(ce(z, t) + 2 * (1 - at(softmax(z), t)))",
        "timm.loss.PolyCrossEntropy()(z, t)",
        "loss(epsilon=2)",
    ),
    Use(
        "taylor-ce taylor-loss",
        "taylor-cross-entropy",
        "Feng et al. 2020, Can Cross Entropy Loss Be Robust to Label Noise?, equation 8, with t = 2",
        "class chances",
        "mean(1 - at(p, t) + (1 - at(p, t))**2 / 2)",
    ),
    Use(
        "gce categorical-generalized-cross-entropy",
        "generalized-cross-entropy",
        "Zhang and Sabuncu 2018, Generalized Cross Entropy Loss, equation 6, with q = 0.7",
        "class chances",
        "mean((1 - at(p, t)**0.7) / 0.7)",
    ),
    Use(
        "categorical-generalized-cross-entropy",
        "generalized-cross-entropy",
        KERAS,
        "class chances",
        "mean((1 - at(p, t)**0.5) / 0.5)",
        "keras.losses.CategoricalGeneralizedCrossEntropy()(t, p)",
        "loss(q=0.5)",
    ),
    Use(
        "lq-loss",
        "lq",
        "Zhang and Sabuncu 2018, Generalized Cross Entropy Loss, equation 6, with q = 0.7",
        "class chances",
        "mean((1 - at(p, t)**0.7) / 0.7)",
        same="other('generalized-cross-entropy')",
    ),
    Use(
        "sce sce-loss symmetric-ce",
        "symmetric-cross-entropy",
        "Wang et al. 2019, Symmetric Cross Entropy, equations 5 and 7, with alpha = 0.1, beta = 1, A = -4",
        "class chances",
        "mean(-0.1 * log(at(p, t)) + 4 * (1 - at(p, t)))",
    ),
    Use(
        "sce sce-loss",
        "symmetric-cross-entropy",
        "Hou et al. 2022, GraphMAE, equation 2, with gamma = 1",
        "features",
        "mean(1 - cosine(a, b))",
        same="other('cosine-distance')",
    ),
    Use(
        "brier-score brier-score-loss multiclass-brier",
        "brier",
        SKLEARN,
        "class chances",
        "mean(sum((p - one_hot(t, 4))**2, 1))",
        "sklearn.metrics.brier_score_loss(t, p)",
    ),
    Use(
        "brier-score brier-score-loss",
        "brier",
        f"{SKLEARN}, two classes",
        "two chances",
        "mean((p[:, 1] - t)**2)",
        "sklearn.metrics.brier_score_loss(t, p)",
        "loss() / 2",
    ),
    Use(
        "quadratic-score",
        "brier",
        "Gneiting and Raftery 2007, Strictly Proper Scoring Rules, equation 12",
        "class chances",
        "mean(2 * at(p, t) - sum(p**2, 1))",
        same="1 - loss()",
    ),
    Use(
        "js jsd jensen-shannon-divergence js-divergence",
        "jensen-shannon",
        METRICS,
        "distributions",
        "mean(sum(t / 2 * log(2 * t / (p + t)) + p / 2 * log(2 * p / (p + t)), 1))",
        "torchmetrics.functional.regression.jensen_shannon_divergence(p, t)",
    ),
    Use(
        "js jsd jensen-shannon-divergence js-divergence",
        "jensen-shannon",
        f"{SCIPY}, spatial.distance.jensenshannon, squared before the mean",
        "distributions",
        "mean(sum(t / 2 * log(2 * t / (p + t)) + p / 2 * log(2 * p / (p + t)), 1))",
        "(scipy.spatial.distance.jensenshannon(p, t, axis=1)**2).mean()",
    ),
    Use(
        "spherical-score",
        "spherical",
        "Gneiting and Raftery 2007, Strictly Proper Scoring Rules, example 2: the pseudospherical score, alpha = 2",
        "class chances",
        "mean(at(p, t) / norm(p))",
        same="1 - loss()",
    ),
    Use(
        "asl-single-label asymmetric-loss-single-label asymmetric-single-label",
        "softmax-asymmetric",
        TIMM,
        "classes",
        "mean(-sum((0.9 * y + 0.1 / 4) * where(y == 1, 1 - p, p**4) * log(p), 1)) if ((p := softmax(z)), (y := one_hot(t, 4))) else 0",
        "timm.loss.AsymmetricLossSingleLabel()(z, t)",
        "loss(gamma_pos=1, label_smoothing=0.1)",
    ),
    Use(
        "asl-single-label asymmetric-loss-single-label asymmetric-single-label",
        "softmax-asymmetric",
        "Ridnik et al. 2021, Asymmetric Loss, its authors' ASLSingleLabel with eps = 0",
        "classes",
        "mean(ce(z, t))",
    ),
    Use(
        "rps",
        "ranked-probability-score",
        "Epstein 1969; Wilks 2011, Statistical Methods in the Atmospheric Sciences, equation 8.52",
        "class chances",
        "mean(sum((cumsum(p, 1) - cumsum(one_hot(t, 4), 1))**2, 1))",
    ),
    Use(
        "squared-earth-mover squared-emd",
        "ranked-probability-score",
        "Hou, Yu and Samaras 2016, Squared Earth Mover's Distance-Based Loss, equation 8",
        "class chances",
        "mean(sum((cumsum(p, 1) - cumsum(one_hot(t, 4), 1))**2, 1))",
    ),
    Use(
        "emd earth-movers-distance earth-mover-distance wasserstein wasserstein-1",
        "earth-mover",
        f"{SCIPY}, stats.wasserstein_distance of the class numbers, weighted",
        "distributions",
        "mean(sum(abs(cumsum(p - t, 1)), 1))",
        "numpy.mean([scipy.stats.wasserstein_distance(range(5), range(5), *rows) for rows in zip(p, t)])",
    ),
    Use(
        "jsd-ce augmix augmix-loss",
        "jsd-cross-entropy",
        f"{TIMM}, with smoothing = 0",
        "views",
        "jsd(z, t)",
        "timm.loss.JsdCrossEntropy(smoothing=0.0)(torch.cat(z.split(4, dim=1)), t.repeat(3))",
    ),
    # Scores of classes
    Use(
        "crammer-singer crammer-singer-hinge multiclass-hinge-loss",
        "multiclass-hinge",
        OPTAX,
        "classes",
        _TOP_MARGIN,
        "optax.losses.multiclass_hinge_loss(z, t).mean()",
    ),
    Use(
        "multiclass-hinge-loss",
        "multiclass-hinge",
        METRICS,
        "classes",
        _TOP_MARGIN.replace("(z, t)", "(softmax(z), t)"),
        "torchmetrics.functional.classification.multiclass_hinge_loss(z, t, num_classes=4)",
        "loss(p=softmax(z))",
    ),
    Use(
        "categorical-hinge-loss",
        "categorical-hinge",
        KERAS,
        "classes",
        "mean(maximum(0, 1 + maximum(0, other(z, t).max(1)) - at(z, t)))",
        "keras.losses.categorical_hinge(numpy.eye(4)[t], z)",
    ),
    Use(
        "multi-margin-loss multiclass-margin",
        "multi-margin",
        TORCH,
        "classes",
        "mean(sum(maximum(0, 1 - at(z, t)[:, None] + other(z, t)), 1) / 4)",
        "torch.nn.functional.multi_margin_loss(z, t)",
    ),
    Use(
        "multiclass-perceptron-loss",
        "multiclass-perceptron",
        OPTAX,
        "classes",
        "mean(z.max(1) - at(z, t))",
        "optax.losses.multiclass_perceptron_loss(z, t).mean()",
    ),
    Use(
        "multiclass-zero-one-loss top-1-error",
        "multiclass-zero-one",
        SKLEARN,
        "classes",
        "mean(z.argmax(1) != t)",
        "sklearn.metrics.zero_one_loss(t, z.argmax(1))",
    ),
    Use(
        "multiclass-sparsemax multiclass-sparsemax-loss sparsemax-loss",
        "sparsemax",
        OPTAX,
        "classes",
        "mean([q @ row + sum(q * (1 - q)) / 2 - row[y] for row, y in zip(z, t) if (q := sparsemax(row)) is not None])",
        "optax.losses.multiclass_sparsemax_loss(z, t).mean()",
    ),
    Use(
        "sparsemax-loss",
        "sparsemax",
        OPTAX,
        "scores",
        "mean(where(m >= 1, 0, where(m <= -1, -m, (1 - m)**2 / 4))) if (m := (2 * t - 1) * z) is not None else 0",
        "optax.losses.sparsemax_loss(z, t).mean()",
        "other('binary-sparsemax')",
    ),
    # Lists and pairs
    Use(
        "ranking-softmax ranking-softmax-loss",
        "listwise-softmax",
        OPTAX,
        "lists",
        "mean(sum(t * (logsumexp(z)[:, None] - z), 1))",
        "optax.losses.ranking_softmax_loss(z, t)",
    ),
    Use(
        "query-soft-max",
        "listwise-softmax",
        f"{CATBOOST}, QuerySoftMax",
        "lists",
        "sum(t * (logsumexp(z)[:, None] - z)) / sum(t)",
        "catboost_metric('QuerySoftMax', z, t)",
        "loss(reduction='sum') / sum(t)",
    ),
    Use(
        "list-net listnet-loss",
        "listnet",
        "Cao et al. 2007, Learning to Rank: From Pairwise Approach to Listwise Approach, equation 4 with top-one probabilities",
        "lists",
        "mean(sum(softmax(1.0 * t) * -log(softmax(z)), 1))",
    ),
    Use(
        "multilabel-margin-loss multi-label-margin multi-label-margin-loss",
        "multilabel-margin",
        f"{TORCH}, which is given the labels in lists",
        "several scores",
        "listed(z, t, margins_of_lists)",
        "torch.nn.functional.multilabel_margin_loss(z, torch.tensor([[k for k in range(4) if row[k]] + [-1] * int(4 - row.sum()) for row in t]))",
    ),
    Use(
        "approx-ndcg-loss",
        "approx-ndcg",
        "TensorFlow Ranking, ApproxNDCGLoss at its temperature of 0.1: -sum(gain / log2(1 + place)) / the ideal, place = 0.5 + sum(sigmoid)",
        "lists",
        "-mean([sum((2**b - 1) / log(1.5 + sum(1 / (1 + exp((a[:, None] - a) / 0.1)), 1)))"
        " / sum(sort(2**b - 1)[::-1] / log(2 + arange(5))) for a, b in zip(z, t)])",
        same="loss() - 1",
    ),
    Use(
        "list-mle-loss",
        "list-mle",
        "Xia et al. 2008, equation 7: -log of the product of exp(z_y(i)) / sum(exp(z_y(k)) for k >= i)",
        "orders",
        "mean([sum(logaddexp.accumulate(a[argsort(b)]) - a[argsort(b)]) for a, b in zip(z, t)])",
    ),
    Use(
        "cox-breslow cox-partial-likelihood",
        "cox",
        "Cox 1972, equation 12, and Breslow 1974, equation 7: -sum(z_i - log(sum(exp(z_j) for j at risk)))",
        "survival",
        "sum([log(sum(exp(p[t >= s]))) - r for r, s, d in zip(p, t, e) if d])",
    ),
    Use(
        "zlpr-loss",
        "zlpr",
        TIMM,
        "several scores",
        "mean(log(1 + sum(exp(z) * (1 - t), 1)) + log(1 + sum(exp(-z) * t, 1)))",
        "timm.loss.ZlprLoss()(z, t)",
    ),
    Use("two-way-loss", "two-way", TIMM, "several scores", "two_way(z, t)", "timm.loss.TwoWayLoss()(z, t)"),
    Use(
        "db-loss distribution-balanced-loss",
        "distribution-balanced",
        TIMM,
        "several scores",
        "distribution_balanced(z, t)",
        "timm.loss.DistributionBalancedLoss(t.sum(0), len(t))(z, t)",
    ),
    Use(
        "margin-ranking-loss",
        "margin-ranking",
        TORCH,
        "two scores",
        "mean(maximum(0, -(2 * t - 1) * (z[:, 0] - z[:, 1])))",
        "torch.nn.functional.margin_ranking_loss(z[:, 0], z[:, 1], 2 * t - 1)",
    ),
    Use(
        "pairwise-hinge",
        "margin-ranking",
        "TensorFlow Ranking, PairwiseHingeLoss: relu(1 - (s_i - s_j))",
        "two scores",
        "mean(maximum(0, 1 - (2 * t - 1) * (z[:, 0] - z[:, 1])))",
        same="loss(margin=1)",
    ),
    Use(
        "ranknet pairwise-logistic-loss",
        "pairwise-logistic",
        "Burges et al. 2005, Learning to Rank Using Gradient Descent, equation 3 with known order",
        "two scores",
        "mean(log(1 + exp(-(2 * t - 1) * (z[:, 0] - z[:, 1]))))",
    ),
    Use(
        "pair-logit rank-pairwise",
        "pairwise-logistic",
        f"{CATBOOST}, PairLogit",
        "two scores",
        "mean(log(1 + exp(-(2 * t - 1) * (z[:, 0] - z[:, 1]))))",
        "catboost_pairs(z, t)",
    ),
    Use(
        "bradley-terry-loss reward-model-loss reward-modeling-loss reward-loss",
        "bradley-terry",
        "Ouyang et al. 2022, Training language models to follow instructions, equation 1 with K = 2; TRL 1.16.0, RewardTrainer",
        "two scores",
        "mean(-log(sigmoid(lead(t, z))))",
    ),
    # Preferences of language models
    Use(
        "dpo-loss direct-preference-optimization",
        "dpo",
        "Rafailov et al. 2023, Direct Preference Optimization, equation 7 with its beta 0.1; TRL 0.12.2, DPOTrainer.dpo_loss",
        "preferences",
        "mean(-log(sigmoid(0.1 * lead(t, p - r))))",
    ),
    Use(
        "conservative-dpo cdpo",
        "dpo",
        "Mitchell 2023, A note on DPO with noisy preferences, equation 3; TRL 0.12.2, DPOTrainer.dpo_loss",
        "preferences",
        "mean(-0.8 * log(sigmoid(0.1 * lead(t, p - r))) - 0.2 * log(sigmoid(-0.1 * lead(t, p - r))))",
        settings="label_smoothing=0.2",
    ),
    Use(
        "ipo-loss identity-preference-optimization",
        "ipo",
        "Azar et al. 2023, A General Theoretical Paradigm, equation 17; TRL 0.12.2, DPOTrainer.dpo_loss with its beta 0.1",
        "preferences",
        "mean((lead(t, p - r) - 1 / (2 * 0.1))**2)",
    ),
    Use(
        "kto-loss kahneman-tversky-optimization",
        "kto",
        "Ethayarajh et al. 2024, KTO, equation 7; TRL 0.12.2, KTOTrainer.kto_loss with its beta 0.1",
        "responses",
        "mean(1 - sigmoid(0.1 * (2 * t - 1) * (p - r - 0.75)))",
        settings="kl=0.75",
    ),
    Use(
        "orpo-loss odds-ratio-preference-optimization",
        "orpo",
        "Hong, Lee and Thorne 2024, ORPO, equations 6 and 7; TRL 1.16.0, ORPOTrainer.odds_ratio_loss with its beta 0.1",
        "mean likelihoods",
        "mean(orpo(t, p, 0.1))",
    ),
    Use(
        "simpo-loss simple-preference-optimization",
        "simpo",
        "Meng, Xia and Chen 2024, SimPO, equation 6",
        "mean likelihoods",
        "mean(-log(sigmoid(2.5 * lead(t, p) - 1.25)))",
        settings="beta=2.5, gamma=1.25",
    ),
    # Adversarial networks
    Use(
        "lsgan-loss least-squares-gan lsgan-discriminator",
        "lsgan",
        "Mao et al. 2017, Least Squares Generative Adversarial Networks, equation 9: the terms of all samples",
        "scores",
        "mean(where(t == 1, (z - 1)**2, z**2) / 2)",
    ),
    Use(
        "lsgan-generator",
        "lsgan",
        "Mao et al. 2017, Least Squares Generative Adversarial Networks, equation 9",
        "scores",
        "mean((z - 1)**2) / 2",
        settings="t=1",
    ),
    Use(
        "hinge-gan-loss hinge-gan-discriminator gan-hinge hinge-discriminator",
        "hinge-gan",
        "Miyato et al. 2018, Spectral Normalization, equation 16: the terms of all samples",
        "scores",
        "mean(where(t == 1, maximum(0, 1 - z), maximum(0, 1 + z)))",
    ),
    Use(
        "wgan wgan-loss wasserstein-gan-loss wgan-critic",
        "wasserstein-gan",
        "Arjovsky, Chintala and Bottou 2017, Wasserstein GAN, algorithm 1: the terms of all samples",
        "scores",
        "mean(where(t == 1, -z, z))",
    ),
    Use(
        "wgan-generator hinge-gan-generator",
        "wasserstein-gan",
        "Arjovsky, Chintala and Bottou 2017, Wasserstein GAN, algorithm 1; Miyato et al. 2018, Spectral Normalization, equation 17",
        "scores",
        "mean(-z)",
        settings="t=1",
    ),
    Use(
        "vanilla-gan",
        "non-saturating-gan",
        "Goodfellow et al. 2014, Generative Adversarial Networks, equation 1: minus the terms of all samples",
        "scores",
        "mean(where(t == 1, -log(sigmoid(z)), -log(1 - sigmoid(z))))",
    ),
    Use(
        "non-saturating-gan-loss non-saturating ns-gan",
        "non-saturating-gan",
        "Goodfellow et al. 2014, Generative Adversarial Networks, section 3: minus log D(G(z))",
        "scores",
        "mean(-log(sigmoid(z)))",
        settings="t=1",
    ),
    Use(
        "lsgan-loss least-squares-gan lsgan-discriminator",
        "lsgan",
        "Mao et al. 2017, Least Squares Generative Adversarial Networks, equation 9: the sum of two means",
        "real and fake",
        "mean((z[t == 1] - 1)**2) / 2 + mean(z[t == 0]**2) / 2",
        same="2 * loss()",
    ),
    Use(
        "hinge-gan-loss hinge-gan-discriminator gan-hinge hinge-discriminator",
        "hinge-gan",
        "Miyato et al. 2018, Spectral Normalization, equation 16: the sum of two means",
        "real and fake",
        "mean(maximum(0, 1 - z[t == 1])) + mean(maximum(0, 1 + z[t == 0]))",
        same="2 * loss()",
    ),
    Use(
        "wgan wgan-loss wasserstein-gan-loss wgan-critic",
        "wasserstein-gan",
        "Arjovsky, Chintala and Bottou 2017, Wasserstein GAN, algorithm 1, with a minus: the difference of two means",
        "real and fake",
        "mean(z[t == 0]) - mean(z[t == 1])",
        same="2 * loss()",
    ),
    Use(
        "vanilla-gan",
        "non-saturating-gan",
        "Goodfellow et al. 2014, Generative Adversarial Networks, equation 1, with a minus: the sum of two means",
        "real and fake",
        "-mean(log(sigmoid(z[t == 1]))) - mean(log(1 - sigmoid(z[t == 0])))",
        same="2 * loss()",
    ),
    # Features
    Use(
        "clip-loss symmetric-info-nce symmetric-clip",
        "clip",
        "Radford et al. 2021, Learning Transferable Visual Models, figure 3 with the temperature 0.07",
        "features",
        "(mean(ce(unit(a) @ unit(b).T / 0.07, arange(8))) + mean(ce(unit(b) @ unit(a).T / 0.07, arange(8)))) / 2",
    ),
    Use(
        "siglip-loss sigmoid-contrastive sigmoid-clip",
        "siglip",
        "Zhai et al. 2023, Sigmoid Loss for Language Image Pre-Training, algorithm 1 with t' = log 10 and b = -10",
        "features",
        "-sum(log(sigmoid((2 * eye(8) - 1) * (10 * unit(a) @ unit(b).T - 10)))) / 8",
    ),
    Use(
        "vic-reg vicreg-loss",
        "vicreg",
        PML,
        "features",
        "vicreg(a, b)",
        "pytorch_metric_learning.losses.VICRegLoss()(a, ref_emb=b)",
    ),
    Use(
        "barlow barlow-twins-loss",
        "barlow-twins",
        "Zbontar et al. 2021, Barlow Twins, equations 1 and 2 with lambda 0.0051",
        "features",
        "barlow_twins(a, b)",
    ),
    Use(
        "batch-hard batch-hard-triplet-loss triplet-hard triplet-hard-loss",
        "batch-hard-triplet",
        "Hermans, Beyer and Leibe 2017, In Defense of the Triplet Loss, equation 5 with the margin 1, over the anchors",
        "uneven batch",
        "batch_hard(a, t)",
    ),
    Use(
        "semi-hard semi-hard-triplet-loss triplet-semi-hard triplet-semi-hard-loss batch-semi-hard",
        "semi-hard-triplet",
        "TensorFlow Addons, TripletSemiHardLoss with its margin 1, as many pairs for each row",
        "batch",
        "semi_hard(a, t)",
    ),
    Use(
        "semi-hard semi-hard-triplet-loss triplet-semi-hard triplet-semi-hard-loss batch-semi-hard",
        "semi-hard-triplet",
        "TensorFlow Addons, TripletSemiHardLoss with its margin 1",
        "uneven batch",
        "semi_hard(a, t)",
        same="loss(class_weight='0=3,1=2,2=1')",
    ),
    Use(
        "batch-all batch-all-triplet-loss triplet-non-zero triplet-avg-non-zero",
        "batch-all-triplet",
        "Hermans, Beyer and Leibe 2017, In Defense of the Triplet Loss, equation 6, the mean over those above 0, with the margin 1",
        "uneven batch",
        "batch_all(a, t)",
    ),
    Use(
        "proxy-nca-loss",
        "proxy-nca",
        "Movshovitz-Attias et al. 2017, No Fuss Distance Metric Learning using Proxies, equation 4",
        "centers",
        "mean(at(squared_chords(a, w), t) + logsumexp(other(-squared_chords(a, w), t)))",
    ),
    Use(
        "proxy-nca-loss",
        "proxy-nca",
        f"{PML}, ProxyNCALoss with these proxies",
        "centers",
        "mean(ce(-squared_chords(a, w), t))",
        same="other('proxy-nca-plus-plus', scale=1)",
    ),
    Use(
        "proxy-nca++ proxy-nca-pp",
        "proxy-nca-plus-plus",
        "Teh, DeVries and Taylor 2020, ProxyNCA++, equation 7 with the temperature 1/9",
        "centers",
        "mean(ce(-9 * squared_chords(a, w), t))",
    ),
    Use(
        "center-loss",
        "center",
        "Wen et al. 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, equation 2, over the rows",
        "centers",
        "mean(sum((a - w[t])**2, 1) / 2)",
    ),
    Use(
        "cosine",
        "cosine-distance",
        f"{SCIPY}, spatial.distance.cosine",
        "features",
        "mean(1 - cosine(a, b))",
        "numpy.mean([scipy.spatial.distance.cosine(*rows) for rows in zip(a, b)])",
    ),
    Use(
        "cosine-similarity cosine-proximity",
        "cosine-distance",
        KERAS,
        "features",
        "mean(-cosine(a, b))",
        "keras.losses.cosine_similarity(b, a)",
        "loss() - 1",
    ),
    Use(
        "cosine-similarity",
        "cosine-distance",
        OPTAX,
        "features",
        "mean(cosine(a, b))",
        "optax.losses.cosine_similarity(a, b).mean()",
        "1 - loss()",
    ),
    Use(
        "byol-loss",
        "normalized-squared-distance",
        "Grill et al. 2020, Bootstrap Your Own Latent, equation 2",
        "features",
        "mean(norm(unit(a) - unit(b))**2)",
    ),
    Use(
        "cosine-embedding-loss",
        "cosine-embedding",
        TORCH,
        "alike",
        "mean(where(t == 1, 1 - cosine(a, b), maximum(0, cosine(a, b))))",
        "torch.nn.functional.cosine_embedding_loss(a, b, 2 * t - 1)",
    ),
    Use(
        "contrastive-loss siamese",
        "contrastive",
        "Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping, equation 4",
        "alike",
        f"{_CONTRASTIVE} / 2",
    ),
    Use(
        "contrastive-loss",
        "contrastive",
        "TensorFlow Addons, contrastive_loss: y * d**2 + (1 - y) * max(margin - d, 0)**2",
        "alike",
        _CONTRASTIVE,
        same="2 * loss()",
    ),
    Use(
        "hinge-embedding-loss",
        "hinge-embedding",
        TORCH,
        "alike",
        "mean(where(t == 1, norm(a - b), maximum(0, 1 - norm(a - b))))",
        "torch.nn.functional.hinge_embedding_loss((a - b).norm(dim=1), 2 * t - 1)",
    ),
    Use(
        "triplet-margin triplet-margin-loss triplet-loss",
        "triplet",
        TORCH,
        "triplets",
        _TRIPLET,
        "torch.nn.functional.triplet_margin_loss(a, b, n)",
    ),
    Use(
        "triplet-margin-with-distance-loss",
        "triplet",
        TORCH,
        "triplets",
        _TRIPLET,
        "torch.nn.functional.triplet_margin_with_distance_loss(a, b, n)",
    ),
    Use(
        "triplet-loss",
        "triplet",
        "Schroff, Kalenichenko and Philbin 2015, FaceNet, equation 2, with alpha = 0.2, over the triplets",
        "triplets",
        "mean(maximum(0, norm(unit(a) - unit(b))**2 - norm(unit(a) - unit(n))**2 + 0.2))",
        same="",
    ),
    Use(
        "arc-face arcface-loss",
        "arcface",
        "Deng et al. 2019, ArcFace, equation 3, with s = 64, m = 0.5",
        "cosines",
        _ANGULAR.format(64, _ARC.format(0.5)),
    ),
    Use(
        "arcface-loss",
        "arcface",
        PML,
        "cosines",
        _ANGULAR.format(64, _ARC.format("radians(28.6)")),
        "with_weights(pytorch_metric_learning.losses.ArcFaceLoss(4, 3), w.T)(a, t)",
        "loss(margin=radians(28.6))",
    ),
    Use(
        "additive-angular-margin",
        "arcface",
        "Deng et al. 2019, ArcFace: Additive Angular Margin Loss, equation 3",
        "cosines",
        _ANGULAR.format(64, _ARC.format(0.5)),
    ),
    Use(
        "cos-face cosface-loss",
        "cosface",
        PML,
        "cosines",
        _ANGULAR.format(64, "at(c, t) - 0.35"),
        "with_weights(pytorch_metric_learning.losses.CosFaceLoss(4, 3), w.T)(a, t)",
    ),
    Use(
        "am-softmax additive-margin-softmax",
        "cosface",
        "Wang, Cheng, Liu and Liu 2018, Additive Margin Softmax for Face Verification, with s = 30, m = 0.35",
        "cosines",
        _ANGULAR.format(30, "at(c, t) - 0.35"),
        same="loss(scale=30)",
    ),
    Use(
        "normalised-softmax normface",
        "normalized-softmax",
        f"{PML}, NormalizedSoftmaxLoss; Wang et al. 2017, NormFace, equation 6 with s = 20",
        "cosines",
        "mean(ce(20 * c, t))",
        "with_weights(pytorch_metric_learning.losses.NormalizedSoftmaxLoss(4, 3), w.T)(a, t)",
    ),
    Use(
        "sphere-face sphereface-loss a-softmax",
        "sphereface",
        PML,
        "cosines",
        _ANGULAR.format(
            1,
            "cos(4 * arccos(at(c, t))) * (-1)**floor(4 * arccos(at(c, t)) / pi) - 2 * floor(4 * arccos(at(c, t)) / pi)",
        ),
        "with_weights(pytorch_metric_learning.losses.SphereFaceLoss(4, 3), w.T)(a, t)",
    ),
    Use(
        "ntxent",
        "nt-xent",
        OPTAX,
        "uneven batch",
        "all_pairs(a, t, ntxent(0.07))",
        "optax.losses.ntxent(a, t)",
        "",
    ),
    Use(
        "ntxent",
        "nt-xent",
        f"{OPTAX}, as many pairs for each row",
        "batch",
        "pairs(a, t, ntxent(0.07))",
        "optax.losses.ntxent(a, t)",
    ),
    Use(
        "nt-xent-loss",
        "nt-xent",
        f"{PML}, as many pairs for each row",
        "batch",
        "pairs(a, t, ntxent(0.07))",
        "pytorch_metric_learning.losses.NTXentLoss()(a, t)",
    ),
    Use(
        "nt-xent-loss",
        "nt-xent",
        PML,
        "uneven batch",
        "all_pairs(a, t, ntxent(0.07))",
        "pytorch_metric_learning.losses.NTXentLoss()(a, t)",
        "",
    ),
    Use(
        "simclr",
        "nt-xent",
        "Chen et al. 2020, A Simple Framework for Contrastive Learning, equation 1, with the temperature 0.5 of its CIFAR-10 runs",
        "batch",
        "pairs(a, t, ntxent(0.5))",
        same="loss(temperature=0.5)",
    ),
    Use(
        "sup-con supervised-contrastive supcon-loss",
        "supcon",
        PML,
        "batch",
        "pairs(a, t, supcon(0.1))",
        "pytorch_metric_learning.losses.SupConLoss()(a, t)",
    ),
    Use(
        "supcon-loss",
        "supcon",
        "Khosla et al. 2020, Supervised Contrastive Learning, equation 2, with the temperature 0.07 of its authors' code",
        "batch",
        "pairs(a, t, supcon(0.07))",
        same="loss(temperature=0.07)",
    ),
    Use(
        "circle-loss",
        "circle",
        PML,
        "batch",
        "pairs(a, t, circle)",
        "pytorch_metric_learning.losses.CircleLoss()(a, t)",
    ),
    Use(
        "multi-similarity-loss ms-loss",
        "multi-similarity",
        PML,
        "batch",
        "pairs(a, t, multi_similarity)",
        "pytorch_metric_learning.losses.MultiSimilarityLoss()(a, t)",
    ),
    Use(
        "infonce info-nce-loss",
        "info-nce",
        "van den Oord, Li and Vinyals 2018, equation 4 with exp(cos / 0.07); He et al. 2020, MoCo, equation 1",
        "features",
        "mean(ce(unit(a) @ unit(b).T / 0.07, arange(8)))",
    ),
    Use(
        "npairs n-pair n-pairs-loss",
        "n-pairs",
        PML,
        "features",
        "mean(ce(unit(a) @ unit(b).T, arange(8)))",
        "pytorch_metric_learning.losses.NPairsLoss()(torch.cat([a, b]), torch.arange(16) % 8)",
    ),
    Use(
        "npairs n-pair n-pairs-loss",
        "n-pairs",
        "Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective, equation 8, without its penalty",
        "features",
        "mean(ce(a @ b.T, arange(8)))",
        same="",
    ),
    # Masks
    Use(
        "sorensen-dice soft-dice f1-loss binary-dice-loss dice-loss",
        "dice",
        f"{OPTAX}, with smooth = 0",
        "score masks",
        _DICE.replace("p", "sigmoid(z)").replace("sigmoid(z)", "sigmoid(z)"),
        "optax.losses.binary_dice_loss(z, t, smooth=0.0).mean()",
    ),
    Use(
        "binary-dice-loss soft-dice dice-loss",
        "dice",
        OPTAX,
        "score masks",
        _BALANCED.replace("p", "sigmoid(z)"),
        "optax.losses.binary_dice_loss(z, t).mean()",
        "loss(smooth=1)",
    ),
    Use(
        "dice-loss soft-dice",
        "dice",
        f"{SMP}, which pools the batch",
        "score masks",
        "1 - 2 * sum(sigmoid(z) * t) / sum(sigmoid(z) + t)",
        "segmentation_models_pytorch.losses.DiceLoss('binary')(z[:, None], t[:, None])",
        "loss(per='file')",
    ),
    Use(
        "v-net-dice dice-squared",
        "squared-dice",
        "Milletari, Navab and Ahmadi 2016, V-Net, section 3: one minus the coefficient",
        "masks",
        "mean(1 - 2 * sum(p * t, 1) / sum(p**2 + t**2, 1))",
    ),
    Use(
        "dice-squared",
        "squared-dice",
        f"{MONAI}, DiceLoss(squared_pred=True), with smooth 0",
        "masks",
        "mean(1 - 2 * sum(p * t, 1) / sum(p**2 + t**2, 1))",
        "monai.losses.DiceLoss(squared_pred=True, smooth_nr=0.0, smooth_dr=0.0)(p[:, None], t[:, None].double())",
    ),
    Use(
        "jaccard-loss soft-iou iou-loss-of-masks",
        "jaccard",
        f"{MONAI}, DiceLoss(jaccard=True), with smooth 0",
        "masks",
        _JACCARD,
        "monai.losses.DiceLoss(jaccard=True, smooth_nr=0.0, smooth_dr=0.0)(p[:, None], t[:, None].double())",
    ),
    Use(
        "jaccard-loss",
        "jaccard",
        SMP,
        "score masks",
        "1 - sum(sigmoid(z) * t) / sum(sigmoid(z) + t - sigmoid(z) * t)",
        "segmentation_models_pytorch.losses.JaccardLoss('binary')(z[:, None], t[:, None])",
        "loss(per='file')",
    ),
    Use(
        "tversky-loss",
        "tversky",
        f"{MONAI}, with smooth 0",
        "masks",
        f"mean(1 - {_TVERSKY.format(0.5, 0.5)})",
        "monai.losses.TverskyLoss(smooth_nr=0.0, smooth_dr=0.0)(p[:, None], t[:, None].double())",
    ),
    Use(
        "tversky-loss",
        "tversky",
        f"{KERAS}, with alpha = 0.3, beta = 0.7",
        "masks",
        "1 - sum(p * t) / (sum(p * t) + 0.7 * sum(p * (1 - t)) + 0.3 * sum((1 - p) * t))",
        "keras.losses.tversky(t.astype(float), p, alpha=0.3, beta=0.7)",
        "loss(alpha=0.7, beta=0.3, per='file')",
    ),
    Use(
        "focal-tversky-loss",
        "focal-tversky",
        "Abraham and Khan 2019, A Novel Focal Tversky Loss Function, equation 4: gamma = 4/3, 0.7 on false negatives",
        "masks",
        f"mean((1 - {_TVERSKY.format(0.3, 0.7)})**(3 / 4))",
    ),
    Use(
        "mcc-loss matthews matthews-correlation-coefficient",
        "mcc",
        f"{SMP}, of probabilities",
        "masks",
        "1 - (a * d - b * c) / sqrt((a + b) * (a + c) * (d + b) * (d + c)) if ((a := sum(p * t)), (b := sum(p * (1 - t))), (c := sum((1 - p) * t)), (d := sum((1 - p) * (1 - t)))) else 0",
        "segmentation_models_pytorch.losses.MCCLoss()(p, t)",
        "loss(per='file')",
    ),
    Use(
        "log-dice-loss logarithmic-dice",
        "log-dice",
        f"{SMP}, DiceLoss(log_loss=True), one mask",
        "score mask",
        "-log(2 * sum(sigmoid(z) * t) / sum(sigmoid(z) + t))",
        "segmentation_models_pytorch.losses.DiceLoss('binary', log_loss=True)(z[None, None], t[None, None])",
    ),
    Use(
        "log-jaccard-loss",
        "log-jaccard",
        f"{SMP}, JaccardLoss(log_loss=True), one mask",
        "score mask",
        "-log(sum(sigmoid(z) * t) / sum(sigmoid(z) + t - sigmoid(z) * t))",
        "segmentation_models_pytorch.losses.JaccardLoss('binary', log_loss=True)(z[None, None], t[None, None])",
    ),
    Use(
        "log-tversky-loss",
        "log-tversky",
        f"{SMP}, TverskyLoss(log_loss=True), one mask",
        "score mask",
        "-log(sum(q * t) / (sum(q * t) + sum(q * (1 - t)) / 2 + sum((1 - q) * t) / 2)) if (q := sigmoid(z)) is not None else 0",
        "segmentation_models_pytorch.losses.TverskyLoss('binary', log_loss=True)(z[None, None], t[None, None])",
    ),
    Use(
        "log-cosh-dice-loss",
        "log-cosh-dice",
        "Jadon 2020, A Survey of Loss Functions for Semantic Segmentation, equation 18",
        "masks",
        f"mean(log(cosh({_DICE[5:-1]})))",
    ),
    Use(
        "generalised-dice generalized-dice-loss gdl",
        "generalized-dice",
        "Sudre et al. 2017, Generalised Dice Overlap, equation 1: w = 1 / (targets of the class)**2",
        "class chances",
        "1 - 2 * sum(w * sum(p * y, 0)) / sum(w * sum(p + y, 0)) if ((y := one_hot(t, 4)), (w := 1 / sum(one_hot(t, 4), 0)**2)) else 0",
    ),
    Use(
        "generalised-dice",
        "generalized-dice",
        f"{MONAI}, GeneralizedDiceLoss(batch=True), with smooth 0",
        "class chances",
        "1 - 2 * sum(w * sum(p * y, 0)) / sum(w * sum(p + y, 0)) if ((y := one_hot(t, 4)), (w := 1 / sum(one_hot(t, 4), 0)**2)) else 0",
        "monai.losses.GeneralizedDiceLoss(batch=True, smooth_nr=0.0, smooth_dr=0.0)(p[..., None], torch.eye(4)[t][..., None])",
    ),
    Use(
        "generalized-dice-squared squared-generalised-dice",
        "squared-generalized-dice",
        f"{METRICS}, generalized_dice_score of hard masks, where squares change nothing; "
        "with the squares of V-Net in the denominator",
        "class chances",
        "1 - 2 * sum(w * sum(p * y, 0)) / sum(w * sum(p**2 + y**2, 0)) if ((y := one_hot(t, 4)), (w := 1 / sum(one_hot(t, 4), 0)**2)) else 0",
    ),
    Use(
        "lovasz-hinge-loss",
        "lovasz-hinge",
        KORNIA,
        "score masks",
        "mean([lovasz(maximum(0, 1 - (2 * y - 1) * x), y) for x, y in zip(z, t)])",
        "torch.stack([kornia.losses.lovasz_hinge_loss(x[None, None, None], y[None, None]) for x, y in zip(z, t)]).mean()",
    ),
    Use(
        "lovasz-softmax-loss",
        "lovasz-softmax",
        KORNIA,
        "classes",
        "mean([lovasz(abs((t == k) - softmax(z)[:, k]), 1 * (t == k)) for k in range(4)])",
        "kornia.losses.lovasz_softmax_loss(z.T[None, :, None, :], t[None, None])",
    ),
    # Boxes, ensembles, sequences
    Use(
        "iou-loss box-iou",
        "iou",
        "Rezatofighi et al. 2019, Generalized Intersection over Union, algorithm 2: 1 - IoU",
        "boxes",
        "mean(1 - overlap(a, b)[0] / overlap(a, b)[1])",
    ),
    Use(
        "box-iou",
        "iou",
        VISION,
        "boxes",
        "mean(overlap(a, b)[0] / overlap(a, b)[1])",
        "torchvision.ops.box_iou(a, b).diagonal().mean()",
        "1 - loss()",
    ),
    Use(
        "iou-loss",
        "iou",
        "Yu et al. 2016, UnitBox, algorithm 1",
        "boxes",
        "mean(-log(overlap(a, b)[0] / overlap(a, b)[1]))",
        same="",
    ),
    Use(
        "generalized-box-iou-loss giou-loss",
        "giou",
        VISION,
        "boxes",
        "mean(1 - i / u + (c - u) / c) if (i := overlap(a, b)[0]) is not None and (u := overlap(a, b)[1]) is not None and "
        "(c := overlap(a, b)[2]) is not None else 0",
        "torchvision.ops.generalized_box_iou_loss(a, b).mean()",
    ),
    Use(
        "generalized-box-iou",
        "giou",
        VISION,
        "boxes",
        "mean(i / u - (c - u) / c) if (i := overlap(a, b)[0]) is not None and (u := overlap(a, b)[1]) is not None and "
        "(c := overlap(a, b)[2]) is not None else 0",
        "torchvision.ops.generalized_box_iou(a, b).diagonal().mean()",
        "1 - loss()",
    ),
    Use(
        "distance-box-iou-loss diou-loss",
        "diou",
        VISION,
        "boxes",
        "mean(1 - overlap(a, b)[0] / overlap(a, b)[1] + overlap(a, b)[3])",
        "torchvision.ops.distance_box_iou_loss(a, b).mean()",
    ),
    Use(
        "distance-box-iou",
        "diou",
        VISION,
        "boxes",
        "mean(overlap(a, b)[0] / overlap(a, b)[1] - overlap(a, b)[3])",
        "torchvision.ops.distance_box_iou(a, b).diagonal().mean()",
        "1 - loss()",
    ),
    Use(
        "complete-box-iou-loss ciou-loss",
        "ciou",
        VISION,
        "boxes",
        "mean(ciou(a, b))",
        "torchvision.ops.complete_box_iou_loss(a, b).mean()",
    ),
    Use(
        "complete-box-iou",
        "ciou",
        VISION,
        "boxes",
        "mean(1 - ciou(a, b))",
        "torchvision.ops.complete_box_iou(a, b).diagonal().mean()",
        "1 - loss()",
    ),
    Use(
        "iou-log-loss negative-log-iou unitbox",
        "log-box-iou",
        "Yu et al. 2016, UnitBox, arXiv:1608.01471, equation 4",
        "boxes that overlap",
        "mean(-log(overlap(a, b)[0] / overlap(a, b)[1]))",
    ),
    Use(
        "alpha-iou-loss power-iou-loss",
        "alpha-iou",
        "He et al. 2021, Alpha-IoU, arXiv:2110.13675, equation 3, with alpha = 3 as in its section 4",
        "boxes",
        "mean(1 - (overlap(a, b)[0] / overlap(a, b)[1])**3)",
    ),
    Use(
        "efficient-iou efficient-iou-loss eiou-loss",
        "eiou",
        "Zhang et al. 2021, Focal and Efficient IOU Loss, arXiv:2101.08158, equation 11",
        "boxes",
        "mean(1 - overlap(a, b)[0] / overlap(a, b)[1] + overlap(a, b)[3] + sum(((a[:, 2:] - a[:, :2] - b[:, 2:] + b[:, :2]) / "
        "(maximum(a[:, 2:], b[:, 2:]) - minimum(a[:, :2], b[:, :2])))**2, axis=1))",
    ),
    Use(
        "scylla-iou scylla-iou-loss siou-loss",
        "siou",
        "Gevorgyan 2022, SIoU Loss, arXiv:2205.12740, with theta = 4",
        "boxes",
        "mean(siou(a, b))",
    ),
    Use(
        "coral-loss",
        "coral",
        "coral-pytorch 1.4.0, coral_loss",
        "levels",
        "mean(sum(log1p(exp(where(t[:, None] > arange(4), -z, z))), axis=1))",
    ),
    Use(
        "corn-loss",
        "corn",
        "coral-pytorch 1.4.0, corn_loss, which divides by the number of thresholds that count",
        "levels",
        "sum(where(t[:, None] >= arange(4), log1p(exp(where(t[:, None] > arange(4), -z, z))), 0)) / sum(t[:, None] >= arange(4))",
        same="loss() * len(t) / sum(t[:, None] >= arange(4))",
    ),
    Use(
        "qwk-loss quadratic-weighted-kappa-loss cohen-kappa-loss",
        "quadratic-kappa",
        "Cohen 1968, doi:10.1037/h0026256: one minus it",
        "class chances",
        "sum(eye(4)[t].T @ p * (arange(4)[:, None] - arange(4))**2) / sum(outer(eye(4)[t].sum(axis=0), p.sum(axis=0)) / len(p) * "
        "(arange(4)[:, None] - arange(4))**2)",
    ),
    Use(
        "weighted-kappa-loss log-kappa",
        "log-quadratic-kappa",
        "de la Torre, Puig and Valls 2018, doi:10.1016/j.patrec.2017.05.018",
        "class chances",
        "log(sum(eye(4)[t].T @ p * (arange(4)[:, None] - arange(4))**2) / sum(outer(eye(4)[t].sum(axis=0), p.sum(axis=0)) / len(p) * "
        "(arange(4)[:, None] - arange(4))**2))",
    ),
    Use(
        "vfl varifocal-loss",
        "varifocal",
        "Zhang, Wang, Dayoub and Suenderhauf 2021, VarifocalNet, arXiv:2008.13367, equation 2, with alpha = 0.75 and gamma = 2",
        "soft chances",
        "mean(where(t > 0, -t * (t * log(sigmoid(z)) + (1 - t) * log(sigmoid(-z))), -0.75 * sigmoid(z)**2 * log(sigmoid(-z))))",
    ),
    Use(
        "squared-hellinger-distance hellinger-squared",
        "squared-hellinger",
        "Hellinger 1909, doi:10.1515/crll.1909.136.210, as Le Cam 1986 has it, with the half",
        "distributions",
        "mean(sum((sqrt(p) - sqrt(t))**2, axis=1) / 2)",
    ),
    Use(
        "hellinger-distance hellinger-loss",
        "hellinger",
        "Hellinger 1909, doi:10.1515/crll.1909.136.210, as Le Cam 1986 has it, with the half",
        "distributions",
        "mean(sqrt(sum((sqrt(p) - sqrt(t))**2, axis=1) / 2))",
    ),
    Use(
        "pearson-chi-squared pearson-chi2 pearson-divergence",
        "pearson-chi-square",
        "Pearson 1900, doi:10.1080/14786440009463897: observed minus expected, squared, over expected",
        "distributions",
        "mean(sum((t - p)**2 / p, axis=1))",
    ),
    Use(
        "neyman-chi-squared neyman-chi2 neyman-divergence",
        "neyman-chi-square",
        "Neyman 1949, Contribution to the Theory of the Chi-Square Test: over observed",
        "distributions",
        "mean(sum((t - p)**2 / t, axis=1))",
    ),
    Use(
        "tv-distance variational-distance",
        "total-variation-distance",
        "Levin, Peres and Wilmer 2009, Markov Chains and Mixing Times, proposition 4.2",
        "distributions",
        "mean(sum(abs(p - t), axis=1) / 2)",
    ),
    Use(
        "renyi-divergence renyi-alpha-divergence",
        "renyi",
        "van Erven and Harremoes 2014, arXiv:1206.2459, equation 1, of the target from the prediction, of order 2",
        "distributions",
        "mean(log(sum(t**2 / p, axis=1)))",
    ),
    Use(
        "taylor-softmax taylor-softmax-ce taylor-softmax-loss",
        "taylor-softmax-cross-entropy",
        "de Brebisson and Vincent 2016, arXiv:1511.05042: the softmax of 1 + z + z**2 / 2",
        "classes",
        "mean(-log(at(1 + z + z**2 / 2, t) / sum(1 + z + z**2 / 2, axis=1)))",
    ),
    Use(
        "logit-adjustment logit-adjusted-cross-entropy logit-adjusted-loss balanced-softmax",
        "logit-adjusted",
        "Menon et al. 2021, Long-Tail Learning via Logit Adjustment, arXiv:2007.07314, equation 10, with tau = 1; Ren et al. 2020, Balanced Meta-Softmax, arXiv:2007.10740, equation 4",
        "counted classes",
        "mean(logsumexp(z + log(n)) - at(z + log(n), t))",
    ),
    Use(
        "ldam-loss label-distribution-aware-margin",
        "ldam",
        "Cao et al. 2019, Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss, arXiv:1906.07413, equation 13, with the largest margin 0.5 and s = 30 as in its code",
        "counted classes",
        "mean(logsumexp(30 * (z - 0.5 * (min(n) / n)**0.25 * eye(4)[t])) - at(30 * (z - 0.5 * (min(n) / n)**0.25 * eye(4)[t]), t))",
    ),
    Use(
        "seesaw-loss",
        "seesaw",
        "Wang et al. 2021, Seesaw Loss for Long-Tailed Instance Segmentation, arXiv:2008.10032, equations 3 to 6, with p = 0.8 and q = 2",
        "counted classes",
        "mean(log(sum(where(eye(4)[t] > 0, 1, minimum(1, n / n[t][:, None])**0.8 * maximum(1, exp(z - at(z, t)[:, None]))**2) * exp(z - at(z, t)[:, None]), axis=1)))",
    ),
    Use(
        "crps-ensemble continuous-ranked-probability-score",
        "crps",
        METRICS,
        "ensembles",
        "mean(abs(p - t[:, None])) - mean(abs(p[:, :, None] - p[:, None, :])) / 2",
        "torchmetrics.functional.regression.continuous_ranked_probability_score(p, t)",
    ),
    Use(
        "es-ensemble",
        "energy-score",
        "scoringrules 0.10.0, es_ensemble with its estimator 'nrg'",
        "ensembles of vectors",
        "mean(sqrt(sum((p - t[:, None])**2, axis=2))) - mean(sqrt(sum((p[:, :, None] - p[:, None, :])**2, axis=3))) / 2",
    ),
    Use(
        "ctc-loss connectionist-temporal-classification",
        "ctc",
        f"{TF}, the mean over the sequences",
        "sequences",
        "mean(ctc(z, t))",
        "tf.reduce_mean(tf.nn.ctc_loss(t.astype('int32'), z.astype('float32'), [2, 2], [5, 5], logits_time_major=False, blank_index=0))",
    ),
    Use(
        "ctc-loss",
        "ctc",
        TORCH,
        "sequences",
        "mean(ctc(z, t) / 2)",
        "torch.nn.functional.ctc_loss(z.log_softmax(2).transpose(0, 1), t, [5, 5], [2, 2])",
        "loss() / 2",
    ),
)
