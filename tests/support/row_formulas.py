"""The losses of whole rows as functions of mpf, and rows of numbers to compute them for, family by family."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp, mpf
from oracle import evaluate, log_softmax
from reference import REFERENCES

from losscli.definition.batch import Dense, Everyone, Extras, Indices, Sequences, Targets
from losscli.definition.loss import Loss
from losscli.losses.contrastive import unit

FAMILIES = (
    "views",
    "class-logits",
    "long-tail",
    "scores",
    "ranking",
    "pairs",
    "preference",
    "feedback",
    "odds",
    "adversarial",
    "cosine",
    "cosine-pair",
    "pair",
    "triplet",
    "angular",
    "batch",
    "paired",
    "mutual",
    "proxy",
    "mined",
    "every-triplet",
    "two-views",
    "overlap",
    "mask-margins",
    "class-masks",
    "class-overlap",
    "label-matrix",
    "series",
    "scaled-series",
    "series-order",
    "box",
    "ensemble",
    "vector-ensemble",
    "thresholds",
    "interval",
    "quantiles",
    "quantile-file",
    "sequence",
    "survival",
)

KINK = mpf(10) ** 15
STEP = mpf(10) ** -30
Numbers = list[Any]
Function = Callable[[Numbers], Any]


@dataclass(repr=False)
class Case:
    """One row of predictions, and its loss as a function of them and of what else is rounded."""

    predictions: np.ndarray
    targets: Targets
    extras: Extras
    value: Function
    """Of the elements of the row and of `others`."""
    others: Numbers
    inner: Callable[[Numbers], Numbers] | None = None
    """Numbers that a lift makes of the row and rounds; each counts as if it were at least of size 1."""
    of_inner: Function | None = None
    """The loss as a function of them."""


def exact(x: Any) -> Numbers:
    return [mpf(float(one)) for one in np.asarray(x, np.float64).reshape(-1)]


def truth(loss: Loss, parameters: Any, **variables: Any) -> Any:
    if loss.formula:
        return evaluate(loss, loss.formula, variables, parameters)
    given = {name: None if one is None else mpf(one) for name, one in parameters.items()}
    return REFERENCES[loss.name](**variables, **given)


def rounded(generator: Any, dtype: Any, *shape: int, scale: float = 1.0) -> np.ndarray:
    return np.asarray(generator.normal(0, scale, shape), dtype)


def table(row: Numbers, columns: int) -> list[Numbers]:
    return [row[i : i + columns] for i in range(0, len(row), columns)]


def scores(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, k, scale=scale) for k, scale in ((2, 1), (3, 0.3), (5, 2), (4, 30), (3, 1e4))]
    rows += [
        np.array(row, dtype)
        for row in (
            [0, 0],
            [1, 0],
            [0, 1],
            [2, 1, 1],
            [1, 2, 2],
            [-1, -2, -3],
            [0, 5, 4],
            [0, 3, 3, 2],
            [0.25, -0.75 + 1e-3],
        )
    ]
    for row in rows:
        # Of whole numbers the first is the true class's.
        y, k = 0 if (row == row.round()).all() else int(generator.integers(len(row))), len(row)

        def value(z: Numbers, y: int = y, k: int = k) -> Any:
            if not loss.formula:
                return truth(loss, parameters, z=z, y=y)
            return truth(loss, parameters, z=z, y=y, others=[i for i in range(k) if i != y], K=k)

        yield Case(row[None], Indices(np.array([y])), Extras(), value, [])


def ranking(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, k, scale=scale) for k, scale in ((2, 1), (3, 0.3), (5, 3), (4, 30), (3, 1e3))]
    for row in [*rows, np.zeros(3, dtype), np.array([20, 0], dtype), np.array([1, 0, 0], dtype)]:
        k = len(row)
        wholes = generator.integers(0, 2, k).astype(float)
        wholes[0] = 1 - wholes[0] if len(set(wholes)) == 1 else wholes[0]
        kinds = [wholes, np.zeros(k), np.ones(k)]
        if loss.name in ("listwise-softmax", "listnet"):
            kinds.append(np.abs(rounded(generator, dtype, k, scale=2)).astype(float))
        if loss.name in ("lambdarank", "approx-ndcg", "list-mle"):
            kinds = [generator.integers(0, 5, k).astype(float), np.round(generator.random(k) * 3, 2), *kinds[:2]]
        for t in kinds:

            def value(z: Numbers, t: Numbers = exact(t)) -> Any:
                ranks = {id(x): standing(x) for x in (z, t)}

                def place(x: Numbers, item: int) -> int:
                    return ranks[id(x)][item]

                return truth(loss, parameters, z=z, t=t, items=range(len(z)), K=len(z), place=place)

            inner = smooth_places(parameters, exact(t)) if loss.name == "approx-ndcg" else ()
            yield Case(row[None], Dense(t[None]), Extras(), value, [], *inner)


def smooth_places(parameters: Any, t: Numbers) -> tuple[Callable[[Numbers], Numbers], Function]:
    """The places of ApproxNDCG, which are rounded, and one minus NDCG by them."""
    ideal = sum((2**one - 1) / mp.log(1 + place) for one, place in zip(t, standing(t), strict=True)) or mpf(1)

    def places(z: Numbers) -> Numbers:
        leads = [[(other - one) / mpf(parameters["temperature"]) for other in z] for one in z]
        return [sum(1 / (1 + mp.exp(-x)) for x in row) + mpf("0.5") for row in leads]

    return places, lambda r: 1 - sum((2**one - 1) / mp.log(1 + at) for one, at in zip(t, r, strict=True)) / ideal


def standing(x: Numbers) -> list[int]:
    """The place of each number, the largest first; of equal ones the first."""
    order = sorted(range(len(x)), key=lambda k: (-x[k], k))
    return [order.index(k) + 1 for k in range(len(x))]


def survival(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, k, scale=scale) for k, scale in ((2, 1), (4, 0.3), (5, 2), (4, 30), (3, 1e3))]
    rows += [np.zeros(3, dtype), np.array([20, 0], dtype), np.array([0, 20, 19], dtype), np.array([1e3, 1e3, 0], dtype)]
    for row in rows:
        n = len(row)
        times = [np.arange(n, 0.0, -1), generator.integers(1, 3, n).astype(float), np.ones(n)]
        for t in times:
            for e in (np.ones(n), generator.integers(0, 2, n).astype(float)):
                e[generator.integers(n)] = 1

                def value(z: Numbers, t: Numbers = exact(t), e: Numbers = exact(e)) -> Any:
                    return truth(loss, parameters, z=z, t=t, e=e, rows=range(len(z)))

                yield Case(row[None], Dense(t[None]), Extras(third_operand=e[None]), value, [])


def pairs(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for scale in (0.1, 0.5, 0.5, 1, 1, 30, 1e4):
        for t in (1, -1):
            row = rounded(generator, dtype, 2, scale=scale)
            yield Case(
                row[None],
                Dense(np.array([t], np.int8)),
                Extras(),
                lambda x, t=t: truth(loss, parameters, d=t * (x[0] - x[1])),
                [],
            )


def likelihoods(dtype: Any, generator: Any, numbers: int) -> Iterator[np.ndarray]:
    """Log-probabilities of every size: of tokens and of long responses, of certain and of impossible ones."""
    for scale in (1e-6, 0.01, 0.5, 1, 3, 30, 300):
        for _ in range(2):
            yield -np.abs(rounded(generator, dtype, numbers, scale=scale))


def preference(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for row in likelihoods(dtype, generator, 2):
        for t in (1, -1):
            for reference in (np.asarray(row * (1 + 0.1 * generator.normal(size=2)), dtype), row, row[::-1]):
                yield Case(
                    row[None],
                    Dense(np.array([t], np.int8)),
                    Extras(third_operand=reference[None]),
                    lambda x, t=t: truth(loss, parameters, h=t * ((x[0] - x[2]) - (x[1] - x[3]))),
                    exact(reference),
                )


def feedback(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for row in likelihoods(dtype, generator, 1):
        for t in (1, -1):
            reference = np.asarray(row * (1 + 0.1 * generator.normal()), dtype)
            yield Case(
                row,
                Dense(np.array([t], np.int8)),
                Extras(third_operand=reference),
                lambda x, t=t: truth(loss, parameters, h=x[0] - x[1], t=t),
                exact(reference),
            )


def odds(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [*likelihoods(dtype, generator, 2), np.array([-1e-6, -20], dtype), np.array([-700, -0.5], dtype)]
    for row in rows:
        for t in (1, -1):

            def value(x: Numbers, t: int = t) -> Any:
                w, l = x[::t]
                return truth(loss, parameters, w=w, l=l)

            yield Case(row[None], Dense(np.array([t], np.int8)), Extras(), value, [])


def adversarial(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    scores = [*(float(rounded(generator, dtype, scale=scale)) for scale in (0.1, 1, 1, 3, 30, 1e4)), 0.0, 1.0, -1.0]
    for score in scores:
        for t in (1, -1):
            yield Case(
                np.array([score], dtype),
                Dense(np.array([t], np.int8)),
                Extras(),
                lambda x, t=t: truth(loss, parameters, s=x[0], t=t),
                [],
            )


def cosine_of(a: Numbers, b: Numbers) -> Any:
    return mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))


def features(dtype: Any, generator: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for d, scale in ((2, 1.0), (3, 1e-3), (5, 1e3), (8, 1.0)):
        a = rounded(generator, dtype, d, scale=scale)
        yield a, rounded(generator, dtype, d, scale=1 / scale)
        yield a, np.asarray(a * (1 + 1e-3 * generator.normal(size=d)), dtype)  # nearly alike
        yield a, np.asarray(-2 * a * (1 + 1e-2 * generator.normal(size=d)), dtype)


def cosine(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for a, b in features(dtype, generator):
        d = len(a)
        yield Case(
            a[None],
            Dense(b[None]),
            Extras(),
            lambda x, d=d: truth(loss, parameters, d=1 - cosine_of(x[:d], x[d:])),
            exact(b),
        )


def cosine_pair(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for t in (1, -1):
        for a, b in features(dtype, generator):
            d = len(a)
            yield Case(
                a[None],
                Dense(np.array([t], np.int8)),
                Extras(third_operand=b[None]),
                lambda x, d=d, t=t: truth(loss, parameters, d=1 - cosine_of(x[:d], x[d:]), t=t),
                exact(b),
            )


def size(gap: Numbers) -> Any:
    return mp.sqrt(mp.fdot(gap, gap))


def minus(a: Numbers, b: Numbers) -> Numbers:
    return [one - other for one, other in zip(a, b, strict=True)]


def pair(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for t in (1, -1):
        targets = Dense(np.array([t], np.int8))
        for a, b in features(dtype, generator):
            d = len(a)
            near = np.asarray(a + (b - a) * 0.3 / np.linalg.norm(b - a), dtype)
            for other in (b, near, a):
                yield Case(
                    a[None],
                    targets,
                    Extras(third_operand=other[None]),
                    lambda x, d=d, t=t: truth(loss, parameters, D=size(minus(x[:d], x[d:])), t=t),
                    exact(other),
                )
        for distance in (0.0, 1e-3, 0.3, 1.0, 2.5, 1e4):
            yield Case(
                np.array([distance], dtype), targets, Extras(), lambda x, t=t: truth(loss, parameters, D=x[0], t=t), []
            )


class Vector(list[Any]):
    def __sub__(self, other: Numbers) -> "Vector":
        return Vector(minus(self, other))


def triplet(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    def norm(gap: Vector) -> Any:
        p = mpf(parameters["p"])
        return sum(abs(one + mpf(parameters["epsilon"])) ** p for one in gap) ** (1 / p)

    for d, scale in ((1, 1.0), (2, 1.0), (3, 0.1), (4, 30.0), (3, 1e3)):
        a, b, n = (rounded(generator, dtype, d, scale=scale) for _ in range(3))
        for positive, negative in ((b, n), (n, b), (a, n), (b, a), (a, a)):

            def value(x: Numbers, d: int = d) -> Any:
                parts = {"a": Vector(x[:d]), "b": Vector(x[d : 2 * d]), "n": Vector(x[2 * d :])}
                return truth(loss, parameters, norm=norm, **parts)

            far = exact(positive) + exact(negative)

            def shifted(x: Numbers, far: Numbers = far) -> Numbers:
                return [one + mpf(parameters["epsilon"]) for one in x + far]

            def of_shifted(x: Numbers, value: Any = value) -> Any:
                return value([one - mpf(parameters["epsilon"]) for one in x])

            # A large epsilon is what the differences are rounded beside.
            inner = (shifted, of_shifted) if parameters["epsilon"] >= 1 else ()

            yield Case(
                a[None],
                Dense(positive[None]),
                Extras(third_operand=negative[None]),
                value,
                far,
                *inner,
            )


def angular(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    # Arc cosines and square roots of 1 - c**2 are rounded beside 1, however small c is.
    rows = [np.asarray(generator.uniform(-1, 1, k), dtype) for k in (2, 2, 3, 5)]
    rows += [
        np.array(row, dtype) for row in ([0.99, 0.1], [-0.99, 0.5, -1], [0.999, -0.5], [0.01, 1.0, 0.25], [-0.7, 0.7])
    ]
    for row in rows:

        def value(c: Numbers) -> Any:
            return truth(loss, parameters, c=c, y=0, others=list(range(1, len(c))))

        yield Case(row[None], Indices(np.array([0])), Extras(), value, [], inner=list, of_inner=value)


def batch(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for labels, d in (([0, 0, 1], 2), ([0, 1, 0, 1, 1, 0], 3), ([2, 2, 2], 2), ([0, 0, 1, 1, -1], 4)):
        x, y = rounded(generator, dtype, len(labels), d), np.array(labels)
        for row in (0, 1):
            kept = y >= 0
            others = [i for i in range(len(y)) if i != row and kept[i]]
            yield of_cosines(
                loss,
                parameters,
                x[row],
                [exact(one) for one in x],
                Indices(y[[row]]),
                Extras(everyone=Everyone(unit(x)[0], y, kept), at=np.array([row])),
                row,
                positives=[i for i in others if y[i] == y[row]],
                negatives=[i for i in others if y[i] != y[row]],
            )


def paired(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, d in ((1, 2), (2, 2), (4, 3), (6, 5)):
        x, t = rounded(generator, dtype, n, d), rounded(generator, dtype, n, d)
        yield of_cosines(
            loss,
            parameters,
            x[0],
            [exact(one) for one in t],
            Dense(t[[0]]),
            Extras(everyone=Everyone(unit(t)[0], np.zeros(0), np.ones(n, bool)), at=np.array([0])),
            None,
            y=0,
            negatives=list(range(1, n)),
        )


def mutual(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, d in ((1, 2), (2, 2), (4, 3), (6, 5)):
        x, t = rounded(generator, dtype, n, d), rounded(generator, dtype, n, d)
        targets, others = [exact(one) for one in t], [exact(one) for one in x[1:]]

        def cosines(row: Numbers, targets: Any = targets, others: Any = others) -> Numbers:
            own = cosine_of(row, targets[0])
            return [own, *(cosine_of(row, one) for one in targets[1:]), *(cosine_of(targets[0], one) for one in others)]

        def of(s: Numbers, n: int = n) -> Any:
            return truth(loss, parameters, s=s[:n], c=[s[0], *s[n:]], y=0, negatives=list(range(1, n)))

        everyone = Everyone(unit(t)[0], np.zeros(0), np.ones(n, bool), sources=unit(x)[0])
        extras = Extras(everyone=everyone, at=np.array([0]))
        yield Case(x[[0]], Dense(t[[0]]), extras, lambda row, of=of, cosines=cosines: of(cosines(row)), [], cosines, of)


def proxy(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for k, d in ((2, 2), (3, 3), (5, 4)):
        centers = rounded(generator, dtype, k, d)
        x = rounded(generator, dtype, 1, d, scale=10 ** generator.uniform(-3, 3))
        near = np.asarray(centers[[1]] * (1 + 1e-3 * generator.normal(size=d)), dtype)
        proxies = [exact(one) for one in centers]
        for row in (x, centers[[0]] * dtype(2.5), near):

            def inner(numbers: Numbers, proxies: Any = proxies) -> Numbers:
                return [2 - 2 * cosine_of(numbers, one) for one in proxies]

            def of(distances: Numbers, k: int = k) -> Any:
                return truth(loss, parameters, d=distances, y=0, others=list(range(1, k)))

            targets, extras = Indices(np.array([0])), Extras(centers=centers)
            yield Case(row, targets, extras, lambda x, of=of, inner=inner: of(inner(x)), [], inner, of)


def mined(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    """The distances are what is rounded, each beside 1; of the largest features, everything is."""
    for labels, d, scale in (
        ([0, 0, 1], 2, 1),
        ([0, 1, 0, 1, 1, 0], 3, 1),
        ([0, 0, 1, 1, -1], 4, 0.1),
        ([0, 0, 0, 1], 1, 30),
    ):
        x, y = rounded(generator, dtype, len(labels), d, scale=scale), np.array(labels)
        for row in (0, 1):
            kept = y >= 0
            others = [i for i in range(len(y)) if i != row and kept[i]]
            positives = [i for i in others if y[i] == y[row]]
            negatives = [i for i in others if y[i] != y[row]]
            if not positives:
                continue
            share, rows = 0.25 if loss.family.census else 1.0, [exact(one) for one in x]

            def distances(numbers: Numbers, rows: Any = rows) -> Numbers:
                return [size(minus(numbers, other)) for other in rows]

            def of(D: Numbers, positives: Any = positives, negatives: Any = negatives) -> Any:
                more = {"anchors": 1, "triplets": 4} if loss.family.census else {}
                return truth(loss, parameters, D=D, positives=positives, negatives=negatives, **more)

            def value(numbers: Numbers, of: Any = of, rows: Any = rows, row: int = row) -> Any:
                return of([mpf(0) if i == row else size(minus(numbers, other)) for i, other in enumerate(rows)])

            everyone = Everyone(x.astype(float), y, kept, share=share)
            extras = Extras(everyone=everyone, at=np.array([row]))
            yield Case(x[[row]], Indices(y[[row]]), extras, value, [], distances, of)


def two_views(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, d, scale in ((3, 2, 1), (3, 1, 0.1), (4, 2, 1)):
        a = rounded(generator, dtype, n, d, scale=scale)
        for b in (
            rounded(generator, dtype, n, d, scale=scale),
            np.asarray(a * (1 + 1e-3 * generator.normal(size=(n, d))), dtype),
        ):

            def value(x: Numbers, d: int = d, n: int = n) -> Any:
                return truth(loss, parameters, a=table(x[: n * d], d), b=table(x[n * d :], d))

            yield Case(a.reshape(1, -1), Dense(b.reshape(1, -1)), Extras(columns=d), value, exact(b))


def of_cosines(
    loss: Loss,
    parameters: Any,
    row: np.ndarray,
    rows: list[Numbers],
    targets: Targets,
    extras: Extras,
    itself: int | None,
    **variables: Any,
) -> Case:
    """The cosines are what is rounded, each beside 1."""

    def cosines(x: Numbers) -> Numbers:
        return [mpf(1) if i == itself else cosine_of(x, other) for i, other in enumerate(rows)]

    def of(s: Numbers) -> Any:
        return truth(loss, parameters, s=s, **variables)

    return Case(row[None], targets, extras, lambda x: of(cosines(x)), [], cosines, of)


def chance(x: Any, prediction_kind: str) -> Any:
    return {"logits": lambda: 1 / (1 + mp.exp(-x)), "probs": lambda: x, "log-probs": lambda: mp.exp(x)}[
        prediction_kind
    ]()


def overlap(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for given in ("logits", "probs", "log-probs"):
        for n, scale in ((1, 1), (2, 1), (4, 3), (6, 10)):
            z = rounded(generator, dtype, n, scale=scale)
            p = np.asarray(1 / (1 + np.exp(-z)), dtype)
            row = {"logits": z, "probs": p, "log-probs": np.log(p)}[given]
            if given == "log-probs" and scale == 10:
                continue  # logarithms round to 0
            hard = generator.integers(0, 2, n).astype(bool)
            near = z > 0
            for t in (hard, near, np.zeros(n, bool), np.ones(n, bool), generator.random(n)):
                if loss.name == "mcc" and (t.all() or not t.any()):
                    continue  # 0 / 0
                other = None if t.dtype == bool else 1 - t
                yield Case(
                    row[None],
                    Dense(t[None], None if other is None else other[None]),
                    Extras(given),
                    lambda x, t=exact(t), given=given: of_mask(loss, parameters, [chance(one, given) for one in x], t),
                    [],
                )


def of_mask(loss: Loss, parameters: Any, p: Numbers, t: Numbers) -> Any:
    both = list(zip(p, t, strict=True))
    return truth(
        loss,
        parameters,
        p=p,
        t=t,
        I=sum(a * b for a, b in both),
        FP=sum(a * (1 - b) for a, b in both),
        FN=sum((1 - a) * b for a, b in both),
        n=len(p),
    )


def mask_margins(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, scale in ((1, 1), (2, 1), (4, 1), (7, 3), (5, 1e3)):
        row = rounded(generator, dtype, n, scale=scale)
        for t in (np.sign(row), generator.choice([-1, 1], n), np.ones(n), -np.ones(n)):
            yield Case(
                row[None],
                Dense(t[None].astype(np.int8)),
                Extras(),
                lambda z, t=t: truth(loss, parameters, z=z, t=list(t)),
                [],
            )


def class_masks(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for given in ("logits", "probs", "log-probs"):
        for n, k, scale in ((1, 2, 1), (2, 2, 1), (3, 3, 5), (2, 4, 2)):
            z = rounded(generator, dtype, n, k, scale=scale)
            p = np.exp(z.astype(float)) / np.exp(z.astype(float)).sum(axis=1, keepdims=True)
            rows = {"logits": z, "probs": np.asarray(p, dtype), "log-probs": np.asarray(np.log(p), dtype)}[given]
            hard, likely = np.eye(k)[generator.integers(0, k, n)], np.eye(k)[z.argmax(axis=1)]
            soft = [] if loss.name == "lovasz-softmax" else [generator.dirichlet(np.ones(k), n)]
            for t in (hard, likely, *soft):
                yield Case(
                    rows.reshape(1, -1),
                    Dense(t.reshape(1, -1)),
                    Extras(given, columns=k),
                    lambda x, t=t, k=k, given=given: of_classes(loss, parameters, table(x, k), t, given),
                    [],
                )


def of_classes(loss: Loss, parameters: Any, rows: list[Numbers], t: np.ndarray, prediction_kind: str) -> Any:
    chances = {"logits": log_softmax, "probs": lambda row: [mp.log(one) for one in row], "log-probs": list}[
        prediction_kind
    ]
    p = [[mp.exp(one) for one in chances(row)] for row in rows]
    target = [exact(row) for row in t]
    if not loss.formula:
        return truth(loss, parameters, p=p, t=target)
    sizes = [sum(row[c] for row in target) for c in range(t.shape[1])]
    return truth(
        loss,
        parameters,
        classes=range(t.shape[1]),
        w=lambda c: 1 / (sizes[c] or min(one for one in sizes if one)) ** parameters["power"],
        I=lambda c: sum(a[c] * b[c] for a, b in zip(p, target, strict=True)),
        P=lambda c: sum(row[c] for row in p),
        T=lambda c: sizes[c],
        P2=lambda c: sum(row[c] ** 2 for row in p),
        T2=lambda c: sum(row[c] ** 2 for row in target),
    )


def balanced(parameters: Any, z: list[Numbers], t: list[list[int]]) -> dict[str, Any]:
    """The names of the formula of the distribution-balanced loss that its remarks define."""
    given = {name: mpf(value) for name, value in parameters.items()}
    rows, labels = range(len(t)), range(len(t[0]))
    n = [sum(t[i][c] for i in rows) for c in labels]

    def weight(i: int, c: int) -> Any:
        if not any(t[i]):
            return given["map_alpha"] + 1
        rarity = mpf(1) / n[c] / sum(mpf(t[i][j]) / n[j] for j in labels)
        return given["map_alpha"] + 1 / (1 + mp.exp(-given["map_beta"] * (rarity - given["map_mu"])))

    return {
        "rows": rows,
        "labels": labels,
        "w": weight,
        "h": lambda i, c: z[i][c] - given["init_bias"] / given["neg_scale"] * mp.log(mpf(len(t)) / n[c] - 1),
        "g": lambda x: mp.log(1 + mp.exp(x)) / (1 + mp.exp(-x)) ** given["focal_gamma"],
    }


def label_matrix(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, k, scale in ((1, 2, 1), (2, 3, 1), (3, 2, 5), (2, 2, 30)):
        z = rounded(generator, dtype, n, k, scale=scale)
        for t in (generator.integers(0, 2, (n, k)), z > 0, np.ones((n, k)), np.zeros((n, k))):
            labels = t.astype(bool)
            if loss.formula:  # each label needs both kinds
                if n == 1:
                    continue
                labels[0], labels[1] = True, False

            def value(x: Numbers, t: list[list[int]] = labels.astype(int).tolist(), k: int = k) -> Any:
                more = balanced(parameters, table(x, k), t) if loss.formula else {}
                return truth(loss, parameters, z=table(x, k), t=t, **more)

            yield Case(z.reshape(1, -1), Dense(labels.reshape(1, -1)), Extras(columns=k), value, [])


def series(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, scale in ((1, 1), (3, 1), (6, 1e3), (4, 1e-3)):
        y, t = rounded(generator, dtype, n, scale=scale), rounded(generator, dtype, n, scale=scale)
        for row in (y, np.where(np.arange(n) == 0, t, y), t):
            yield Case(
                row[None], Dense(t[None]), Extras(), lambda x, n=n: truth(loss, parameters, y=x[:n], t=x[n:]), exact(t)
            )


def scaled_series(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for case in series(loss, parameters, dtype, generator):
        n = case.predictions.shape[1]
        s = np.asarray(10 ** generator.uniform(-1, 1, n), dtype)

        def value(x: Numbers, n: int = n) -> Any:
            return truth(loss, parameters, y=x[:n], t=x[n : 2 * n], s=x[2 * n :])

        yield Case(case.predictions, case.targets, Extras(third_operand=s[None]), value, case.others + exact(s))


def box(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    pairs_of_boxes = [
        ([0, 0, 2, 2], [1, 1, 3, 3]),
        ([0, 0, 1, 1], [2, 3, 4, 4]),
        ([0, 0, 1, 1], [1, 0, 2, 1]),  # touching
        ([0, 0, 1, 1], [1, 1, 2, 2]),  # at a corner
        ([0, 0, 4, 4], [1, 1, 2, 3]),  # one in the other
        ([0, 0, 2, 1], [0, 0, 2, 1]),  # the same
        ([1, 1, 1, 2], [0, 0, 2, 2]),  # of width 0
    ]
    for _ in range(4):
        corners = np.sort(generator.uniform(-5, 5, (2, 2, 2)), axis=1)
        pairs_of_boxes.append((corners[0].reshape(-1), corners[1].reshape(-1)))
    near = np.array([10.1, 20.2, 15.3, 29.4])
    pairs_of_boxes.append((near, near * (1 + 1e-3 * generator.normal(size=4))))
    for ours, theirs in pairs_of_boxes:
        a, b = np.array(ours, dtype), np.array(theirs, dtype)
        yield Case(a[None], Dense(b[None]), Extras(), lambda x: of_boxes(loss, parameters, x[:4], x[4:]), exact(b))


def of_boxes(loss: Loss, parameters: Any, a: Numbers, b: Numbers) -> Any:
    width, height = (max(mpf(0), min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1))
    around = [max(a[i + 2], b[i + 2]) - min(a[i], b[i]) for i in (0, 1)]
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return truth(loss, parameters, a=a, b=b, I=width * height, U=sum(areas) - width * height, C=around[0] * around[1])


def thresholds(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, m, scale=scale) for m, scale in ((1, 1), (2, 5), (4, 2), (3, 30), (3, 1e-3))]
    for row in [*rows, np.array([40, -40], dtype), np.array([0, 0, 0], dtype)]:
        for y in range(len(row) + 1):
            yield Case(
                row[None],
                Dense(np.array([float(y)])),
                Extras(),
                lambda x, y=y: truth(loss, parameters, z=x, y=mpf(y), thresholds=range(len(x))),
                [],
            )


def ensemble(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, m, scale=scale) for m, scale in ((1, 1), (2, 1), (3, 30), (5, 1e3), (4, 1e-3))]
    rows += [np.array(row, dtype) for row in ([1, 1, 2], [0, 0], [0], [-1, 0.5, 3, 0.5])]
    for row in rows if loss.name != "fair-crps" else [one for one in rows if len(one) > 1]:
        for t in (0.0, float(dtype(generator.normal())), float(row[0]), float(row.max()) + 0.5):
            yield Case(
                row[None],
                Dense(np.array([t])),
                Extras(),
                lambda x: truth(loss, parameters, x=x[:-1], t=x[-1], M=len(x) - 1),
                [mpf(t)],
            )


def vector_ensemble(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    sizes = ((1, 2, 1), (2, 1, 1), (2, 3, 1), (3, 2, 30), (5, 2, 1e3), (4, 3, 1e-3), (2, 2, 1e30))
    for m, d, scale in sizes if loss.name != "fair-energy-score" else sizes[1:]:
        x, t = rounded(generator, dtype, m * d, scale=scale), rounded(generator, dtype, d, scale=scale)
        equal = np.concatenate([x[:d], *([x[d : 2 * d]] * (m - 1))])  # all but one member are the same
        for row, target in ((x, t), (x, x[:d]), (x, np.zeros(d)), (equal, t)):

            def value(x: Numbers, m: int = m, d: int = d) -> Any:
                return truth(loss, parameters, x=table(x[: m * d], d), t=x[m * d :], M=m)

            yield Case(row[None], Dense(target[None]), Extras(), value, exact(target))


def interval(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for scale in (1e-3, 1, 1, 30, 1e3):
        row = np.sort(rounded(generator, dtype, 2, scale=scale))
        for t in (float(row[0]) - scale, float(row.mean()), float(row[1]), float(row[1]) + scale / 2):
            yield Case(
                row[None],
                Dense(np.array([t])),
                Extras(),
                lambda x: truth(loss, parameters, x=x[:2], t=x[2]),
                [mpf(t)],
            )


def quantiles(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for levels, scale in (([0.5], 1), ([0.1, 0.5, 0.9], 1), ([0, 0.25, 1], 30), ([0.9, 0.1], 1e3), ([0.3, 0.7], 1e-3)):
        q = np.array(levels)
        row = rounded(generator, dtype, len(levels), scale=scale)
        for t in (0.0, float(row[0]), float(row.max()) + scale):
            yield Case(
                row[None],
                Dense(np.array([t])),
                Extras(levels=q),
                lambda x, q=exact(q.astype(dtype)): truth(loss, parameters, x=x[:-1], t=x[-1], levels=q, K=len(q)),
                [mpf(t)],
            )


def quantile_file(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for n, levels, scale in ((1, [0.5], 1), (2, [0.1, 0.9], 1), (3, [0, 0.25, 1], 30), (2, [0.9, 0.5, 0.1], 1e-3)):
        q, k = np.array(levels), len(levels)
        row, t = rounded(generator, dtype, n * k, scale=scale), rounded(generator, dtype, n, scale=scale)
        for x in (row, np.repeat(t, k)):

            def value(x: Numbers, q: Numbers = exact(q), n: int = n, k: int = k) -> Any:
                return truth(loss, parameters, x=table(x[: n * k], k), t=x[n * k :], levels=q, K=k)

            yield Case(x[None], Dense(t[None]), Extras(levels=q, columns=k), value, exact(t))


def views(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    for k, scale in ((2, 1), (3, 3), (5, 0.1), (3, 20)):
        row = rounded(generator, dtype, 3 * k, scale=scale)
        for targets, t in targets_of(k, dtype, generator):

            def value(z: Numbers, k: int = k, t: Numbers = t) -> Any:
                l = [log_softmax(view) for view in table(z, k)]
                p = [[mp.exp(one) for one in view] for view in l]
                m = [sum(view[i] for view in p) / 3 for i in range(k)]
                return truth(loss, parameters, l=l, p=p, t=t, m=m, classes=list(range(k)), views=[0, 1, 2])

            yield Case(row[None], targets, Extras(), value, [])


def targets_of(k: int, dtype: Any, generator: Any) -> Iterator[tuple[Targets, Numbers]]:
    """A class of a row, the same smoothed, and a soft target, each with its numbers."""
    y, on, off = int(generator.integers(k)), 0.9 + 0.1 / k, 0.1 / k
    soft = generator.dirichlet(np.ones(k)).astype(dtype)
    yield Indices(np.array([y])), [mpf(i == y) for i in range(k)]
    yield Indices(np.array([y]), on, off), [mpf(on if i == y else off) for i in range(k)]
    yield Dense(soft[None]), exact(soft)


def class_logits(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, k, scale=scale) for k, scale in ((2, 1), (3, 3), (5, 0.1), (3, 20), (4, 1e4))]
    for row in [*rows, np.array([20, 0], dtype), np.zeros(3, dtype), np.array([1, -3.3, -1], dtype)]:
        for targets, t in targets_of(len(row), dtype, generator):

            def value(z: Numbers, t: Numbers = t) -> Any:
                def series(x: Any) -> Any:
                    return sum(x**i / mp.factorial(i) for i in range(int(parameters["order"]) + 1))

                return truth(loss, parameters, z=z, t=t, classes=range(len(z)), series=series)

            yield Case(row[None], targets, Extras(), value, [])


def long_tail(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    rows = [rounded(generator, dtype, k, scale=scale) for k, scale in ((2, 1), (3, 0.3), (4, 3))]
    for row in [*rows, np.array([20, 0], dtype), np.zeros(3, dtype), np.array([1, 3, -1], dtype)]:
        counts = np.array([5.0, 1, 100, 2, 5])[: len(row)]
        n = exact(counts)
        for given in ("logits", "probs", "log-probs"):
            chances = np.exp(row.astype(float)) / np.exp(row.astype(float)).sum()
            x = {"logits": row, "probs": chances.astype(dtype), "log-probs": np.log(chances).astype(dtype)}[given]
            drawn = list(targets_of(len(row), dtype, generator))
            if given != "logits":
                drawn = drawn[2:] if len(row) < 4 and chances.min() > 1e-9 else []
            for targets, t in drawn:

                def of_logits(z: Numbers, t: Numbers = t, n: Numbers = n) -> Any:
                    return truth(loss, parameters, z=z, t=t, n=n, classes=range(len(z)))

                def logits(x: Numbers, given: str = given) -> Numbers:
                    return [mp.log(one) for one in x] if given == "probs" else list(x)

                def value(x: Numbers, of_logits: Any = of_logits, logits: Any = logits) -> Any:
                    return of_logits(logits(x))

                # What is added to logits, or they are multiplied by, is rounded beside them.
                size = [mpf(parameters.get("tau", 0)) * mp.log(one / max(n)) for one in n]
                size = [
                    a - mpf(parameters.get("max_m", 0)) * (min(n) / b) ** 0.25 for a, b in zip(size, n, strict=True)
                ]

                def shifted(x: Numbers, size: Numbers = size, logits: Any = logits) -> Numbers:
                    return [one + more for one, more in zip(logits(x), size, strict=True)]

                def of_shifted(z: Numbers, size: Numbers = size, of_logits: Any = of_logits) -> Any:
                    return of_logits([one - more for one, more in zip(z, size, strict=True)])

                yield Case(x[None], targets, Extras(given, class_counts=counts), value, [], shifted, of_shifted)


def sequence(loss: Loss, parameters: Any, dtype: Any, generator: Any) -> Iterator[Case]:
    blank = int(parameters["blank"])
    classes = max(3, blank + 1)
    names = [one for one in range(classes) if one != blank]
    a, b = names[0], names[-1]
    shapes = [(1, []), (1, [a]), (2, [a]), (2, [a, b]), (3, [a, b]), (3, [a, a]), (3, []), (4, [b, a])]
    for steps, labels in shapes if classes < 9 else shapes[:2]:
        for scale in (1, 10):
            row = rounded(generator, dtype, steps * classes, scale=scale)

            def inner(z: Numbers) -> Numbers:
                return [one for step in table(z, classes) for one in log_softmax(step)]

            def of_inner(l: Numbers, labels: list[int] = labels) -> Any:
                return truth(loss, parameters, l=table(l, classes), t=labels)

            def value(z: Numbers, of_inner: Any = of_inner, inner: Any = inner) -> Any:
                return of_inner(inner(z))

            targets = Sequences.of([labels], [steps])
            yield Case(row[None], targets, Extras(columns=classes), value, [], inner, of_inner)


MAKERS = {
    "views": views,
    "class-logits": class_logits,
    "long-tail": long_tail,
    "scores": scores,
    "ranking": ranking,
    "pairs": pairs,
    "preference": preference,
    "feedback": feedback,
    "odds": odds,
    "adversarial": adversarial,
    "cosine": cosine,
    "cosine-pair": cosine_pair,
    "pair": pair,
    "triplet": triplet,
    "angular": angular,
    "batch": batch,
    "paired": paired,
    "mutual": mutual,
    "proxy": proxy,
    "mined": mined,
    "every-triplet": mined,
    "two-views": two_views,
    "overlap": overlap,
    "mask-margins": mask_margins,
    "class-masks": class_masks,
    "class-overlap": class_masks,
    "label-matrix": label_matrix,
    "series": series,
    "scaled-series": scaled_series,
    "series-order": series,
    "box": box,
    "ensemble": ensemble,
    "vector-ensemble": vector_ensemble,
    "thresholds": thresholds,
    "interval": interval,
    "quantiles": quantiles,
    "quantile-file": quantile_file,
    "sequence": sequence,
    "survival": survival,
}


def moved(x: Numbers, *steps: tuple[int, Any]) -> Numbers:
    x = list(x)
    for i, step in steps:
        x[i] += step
    return x


def inner_pull(case: Case, row: Numbers) -> Any:
    """What rounding the numbers that a lift makes of a row does to its loss."""
    assert case.inner is not None
    assert case.of_inner is not None
    s = case.inner(row)
    return sum(
        max(1, abs(s[i])) * abs(case.of_inner(moved(s, (i, STEP))) - case.of_inner(moved(s, (i, -STEP)))) / (2 * STEP)
        for i in range(len(s))
    )
