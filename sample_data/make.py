"""Make the sample data: real models' scores on held-out rows of scikit-learn's bundled data sets, and of a text.

Each model is fitted on a training split and scored on the test split only, with every random
choice taken from ``SEED``. Nothing is downloaded. Running the script again writes the same bytes;
on another machine or with other library versions the last digits may differ.

Usage: ``python sample_data/make.py [--output DIR]`` (needs NumPy and scikit-learn).
"""

# scikit-learn and threadpoolctl ship no type information.
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import argparse
import csv
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

SEED = 0
DIGITS_TEST_ROWS = 360
CANCER_TEST_FRACTION = 0.3
DIABETES_TEST_FRACTION = 0.3
WINE_TEST_FRACTION = 0.5
PICTURES = 6
"""Number of pictures in the files of pixels: the first ones of the digits' test split."""
LETTERS = " abcdefghijklmnopqrstuvwxyz"
"""The characters of the text, by their ids; the id after the last one begins and ends a line."""
LINE_LENGTH, HELD_OUT_LINES = 38, 4
PADDING = -100
HOLES_FRACTION = 0.3
WINE_OUTPUTS = ("alcohol", "color_intensity", "proline")
DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Scores = dict[str, float]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a comma-separated UTF-8 file.

    ``str`` of a NumPy float is the shortest text that reads back to the same value in its own
    precision, so neither float64 nor float32 values lose anything here.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([str(cell) for cell in row] for row in rows)


def split(n_rows: int, test_size: float, labels: IntArray | None = None) -> tuple[IntArray, IntArray]:
    """Return the sorted row numbers of the training and the test split.

    ``test_size`` is a number of rows if it is an int, else a fraction. With ``labels``, both
    splits keep the class proportions.
    """
    train: IntArray
    test: IntArray
    rows = np.arange(n_rows, dtype=np.int64)
    train, test = train_test_split(rows, test_size=test_size, random_state=SEED, stratify=labels)
    return np.sort(train), np.sort(test)


def softmax(logits: npt.NDArray[np.floating]) -> FloatArray:
    """Return the row-wise softmax, computed in float64."""
    wide = logits.astype(np.float64)
    exponentials: FloatArray = np.exp(wide - wide.max(axis=1, keepdims=True))
    result: FloatArray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def make_tiny(output: Path) -> Scores:
    """Write the 3 x 3 example, which is small enough to check by hand."""
    class_names = ("cat", "dog", "eel")
    ids = ("w000", "w001", "w002")
    logits = np.array([[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]], dtype=np.float32)
    labels = np.array([1, 2, 0], dtype=np.int64)

    np.save(output / "tiny_logits.npy", logits)
    np.save(output / "tiny_labels.npy", labels)
    write_csv(
        output / "tiny_logits.csv",
        ["id", *(f"logit_{name}" for name in class_names)],
        ([row_id, *row] for row_id, row in zip(ids, logits, strict=True)),
    )
    write_csv(
        output / "tiny_labels.csv",
        ["id", "label"],
        ([row_id, class_names[label]] for row_id, label in zip(ids, labels, strict=True)),
    )
    return {
        "accuracy": accuracy_score(labels, logits.argmax(axis=1)),
        "mean cross-entropy": log_loss(labels, softmax(logits)),
    }


def make_digits(output: Path) -> Scores:
    """Write ten-class logits: multinomial logistic regression on the 8 x 8 digit images."""
    images: FloatArray
    all_labels: IntArray
    images, all_labels = load_digits(return_X_y=True)
    pixels = images / 16.0  # grey levels 0..16
    train, test = split(len(pixels), DIGITS_TEST_ROWS, all_labels)

    model = LogisticRegression(max_iter=5000, tol=1e-8)
    model.fit(pixels[train], all_labels[train])
    logits: Float32Array = model.decision_function(pixels[test]).astype(np.float32)
    labels = all_labels[test].astype(np.int64)
    # From the rounded float32 logits, so that the two files describe the same predictions.
    probabilities = softmax(logits)

    ids = [f"d{row:04d}" for row in test]
    np.save(output / "digits_logits.npy", logits)
    np.save(output / "digits_labels.npy", labels)
    write_csv(
        output / "digits_logits.csv",
        ["id", *(f"logit_{name}" for name in DIGIT_NAMES)],
        ([row_id, *row] for row_id, row in zip(ids, logits, strict=True)),
    )
    write_csv(
        output / "digits_probs.csv",
        ["id", *DIGIT_NAMES],
        ([row_id, *row] for row_id, row in zip(ids, probabilities, strict=True)),
    )
    second = make_pipeline(StandardScaler(), MLPClassifier((32,), alpha=1.0, max_iter=1000, random_state=SEED))
    second.fit(pixels[train], all_labels[train])
    mlp: Float32Array = second.predict_log_proba(pixels[test]).astype(np.float32)
    np.save(output / "digits_mlp.npy", mlp)
    write_csv(
        output / "digits_mlp.csv",
        ["id", *(f"logit_{name}" for name in DIGIT_NAMES)],
        ([row_id, *row] for row_id, row in reversed(list(zip(ids, mlp, strict=True)))),
    )
    # Shuffled on purpose: these labels fit the predictions only when joined by id.
    order = np.random.default_rng(SEED).permutation(len(ids))
    write_csv(
        output / "digits_labels.csv",
        ["id", "label"],
        ([ids[i], DIGIT_NAMES[labels[i]]] for i in order),
    )
    return {
        "accuracy": accuracy_score(labels, logits.argmax(axis=1)),
        "mean cross-entropy": log_loss(labels, probabilities),
        "second model's accuracy": accuracy_score(labels, mlp.argmax(axis=1)),
        "second model's mean cross-entropy": log_loss(labels, softmax(mlp)),
    }


def make_cancer(output: Path) -> Scores:
    """Write binary logits: logistic regression on the breast cancer measurements.

    Label 1 is malignant. (scikit-learn codes malignant as 0 and benign as 1.)
    """
    features: FloatArray
    target: IntArray
    features, target = load_breast_cancer(return_X_y=True)
    all_labels = (target == 0).astype(np.int64)
    train, test = split(len(features), CANCER_TEST_FRACTION, all_labels)

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000, tol=1e-8))
    model.fit(features[train], all_labels[train])
    logits: FloatArray = model.decision_function(features[test])
    labels = all_labels[test]
    # Inverse class frequency in the training split; the model itself is fitted without weights.
    class_weights = len(train) / (2.0 * np.bincount(all_labels[train], minlength=2))
    weights: FloatArray = class_weights[labels]

    np.save(output / "cancer_logits.npy", logits)
    np.save(output / "cancer_labels.npy", labels)
    write_csv(output / "cancer.csv", ["logit", "label", "weight"], zip(logits, labels, weights, strict=True))
    probabilities = model.predict_proba(features[test])
    return {
        "accuracy": accuracy_score(labels, logits > 0),
        "mean log loss": log_loss(labels, probabilities),
        "weighted mean log loss": log_loss(labels, probabilities, sample_weight=weights),
    }


def make_diabetes(output: Path) -> Scores:
    """Write regression predictions: ridge regression on the diabetes measurements."""
    features: FloatArray
    all_targets: FloatArray
    features, all_targets = load_diabetes(return_X_y=True, scaled=False)
    train, test = split(len(features), DIABETES_TEST_FRACTION)

    model = make_pipeline(StandardScaler(), Ridge(alpha=1.0))
    model.fit(features[train], all_targets[train])
    predictions: FloatArray = model.predict(features[test])
    targets = all_targets[test]

    ids = [f"p{row:03d}" for row in test]
    np.save(output / "diabetes_predictions.npy", predictions)
    np.save(output / "diabetes_targets.npy", targets)
    write_csv(output / "diabetes.csv", ["id", "prediction", "target"], zip(ids, predictions, targets, strict=True))
    return {
        "R2": r2_score(targets, predictions),
        "mean squared error": mean_squared_error(targets, predictions),
        "mean absolute error": mean_absolute_error(targets, predictions),
    }


def make_features(output: Path) -> Scores:
    """Write two-dimensional features: linear discriminant analysis of the wine measurements."""
    wine = load_wine()
    measurements: FloatArray = wine.data
    all_labels: IntArray = wine.target.astype(np.int64)
    class_names = [str(name) for name in wine.target_names]
    train, test = split(len(measurements), WINE_TEST_FRACTION, all_labels)

    model = LinearDiscriminantAnalysis(n_components=2)
    train_features: FloatArray = model.fit_transform(measurements[train], all_labels[train])
    features: FloatArray = model.transform(measurements[test])
    labels = all_labels[test]
    centers = np.stack([train_features[all_labels[train] == label].mean(axis=0) for label in range(len(class_names))])

    ids = [f"wine{row:03d}" for row in test]
    np.save(output / "features.npy", features)
    np.save(output / "features_labels.npy", labels)
    np.save(output / "centers.npy", centers)
    write_csv(
        output / "features.csv",
        ["id", "x", "y"],
        ([row_id, *row] for row_id, row in zip(ids, features, strict=True)),
    )
    write_csv(
        output / "features_labels.csv",
        ["id", "label"],
        ([row_id, class_names[label]] for row_id, label in zip(ids, labels, strict=True)),
    )
    write_csv(
        output / "centers.csv",
        ["class", "x", "y"],
        ([name, *row] for name, row in zip(class_names, centers, strict=True)),
    )
    squared_distances = ((features[:, np.newaxis, :] - centers) ** 2).sum(axis=2)
    return {
        "model accuracy": model.score(measurements[test], labels),
        "nearest-center accuracy": accuracy_score(labels, squared_distances.argmin(axis=1)),
        "mean squared distance to own center": float(np.mean(squared_distances[np.arange(len(labels)), labels])),
    }


def with_neighbours(images: FloatArray) -> FloatArray:
    """Return the eight neighbours of each pixel, shape (pictures, rows, columns, 8); beyond the border there is no ink."""
    height, width = images.shape[1:]
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    places = [(row, column) for row in range(3) for column in range(3) if (row, column) != (1, 1)]
    return np.stack([framed[:, row : row + height, column : column + width] for row, column in places], axis=-1)


def make_pixels(output: Path) -> Scores:
    """Write three-class logits of every pixel of some digits, predicted from the pixel's eight neighbours.

    Class 0 is no ink (grey level 0), class 2 full ink (15 or 16), class 1 what is between them.
    """
    digits = load_digits()
    images: FloatArray = digits.images
    classes = np.digitize(images, (0.5, 14.5))
    neighbours = with_neighbours(images / 16.0)
    train, test = split(len(images), DIGITS_TEST_ROWS, digits.target)
    test = test[:PICTURES]

    model = LogisticRegression(max_iter=5000, tol=1e-8)
    model.fit(neighbours[train].reshape(-1, 8), classes[train].ravel())
    scores = model.decision_function(neighbours[test].reshape(-1, 8)).reshape(*classes[test].shape, 3)
    logits: Float32Array = np.ascontiguousarray(np.moveaxis(scores, -1, 1), np.float32)
    labels = classes[test].astype(np.uint8)
    inside = np.zeros(labels.shape, np.uint8)
    inside[:, 1:-1, 1:-1] = 1

    np.save(output / "pixels_logits.npy", logits)
    np.save(output / "pixels_labels.npy", labels)
    np.save(output / "pixels_mask.npy", inside)
    flat = np.moveaxis(logits, 1, -1).reshape(-1, 3)
    kept = inside.ravel() == 1
    return {
        "accuracy": accuracy_score(labels.ravel(), flat.argmax(axis=1)),
        "mean cross-entropy": log_loss(labels.ravel(), softmax(flat)),
        "mean cross-entropy inside": log_loss(labels.ravel()[kept], softmax(flat[kept])),
    }


def lines_of(text: str) -> list[list[int]]:
    """Return a text as lines of ids: small letters and single blanks, in lines that begin and end with the last id."""
    plain = re.sub("[^a-z]+", " ", text.lower()).strip()
    end = len(LETTERS)
    return [[end, *map(LETTERS.index, line), end] for line in textwrap.wrap(plain, LINE_LENGTH)]


def make_letters(output: Path) -> Scores:
    """Write logits of the next letter: how often a letter follows another one in a text, plus one.

    Position i of a line holds the logits of what stands at position i + 1, as language models write them.
    """
    text, _, held_out = (Path(__file__).parent / "alice.txt").read_text(encoding="utf-8").partition("\n---\n")
    classes = len(LETTERS) + 1
    counts = np.ones((classes, classes))
    for line in lines_of(text.partition("\n\n")[2]):
        np.add.at(counts, (line[:-1], line[1:]), 1)

    lines = lines_of(held_out)[:HELD_OUT_LINES]
    letters = np.full((len(lines), max(map(len, lines))), PADDING, np.int64)
    for row, line in zip(letters, lines, strict=True):
        row[: len(line)] = line
    # What stands after the end of a line is predicted too, and means nothing.
    logits: Float32Array = np.log(counts)[np.where(letters == PADDING, len(LETTERS), letters)].astype(np.float32)
    lengths = np.array([len(line) - 2 for line in lines], np.int64)

    np.save(output / "letters_logits.npy", logits)
    np.save(output / "letters.npy", letters)
    np.save(output / "letters_bytes.npy", lengths)
    happens = letters[:, 1:] != PADDING
    probabilities, labels = softmax(logits[:, :-1][happens]), letters[:, 1:][happens]
    loss = log_loss(labels, probabilities, labels=np.arange(classes))
    return {
        "accuracy": accuracy_score(labels, probabilities.argmax(axis=1)),
        "mean cross-entropy": loss,
        "bits per byte": loss * len(labels) / np.log(2) / lengths.sum(),
    }


def make_holes(output: Path) -> Scores:
    """Write logits of three outcomes of wines, and a table of the outcomes in which some were not measured.

    An outcome is whether a measurement is above its median in the training split, predicted from the other ones.
    """
    wine = load_wine()
    train, test = split(len(wine.data), WINE_TEST_FRACTION, wine.target)
    columns = [wine.feature_names.index(name) for name in WINE_OUTPUTS]
    happens = (wine.data[:, columns] > np.median(wine.data[train][:, columns], axis=0)).astype(np.int64)
    others = np.delete(wine.data, columns, axis=1)

    models = [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000, tol=1e-8)).fit(others[train], column)
        for column in happens[train].T
    ]
    logits: FloatArray = np.stack([model.decision_function(others[test]) for model in models], axis=1)
    measured = np.random.default_rng(SEED).random(logits.shape) >= HOLES_FRACTION

    ids = [f"wine{row:03d}" for row in test]
    write_csv(
        output / "holes_logits.csv",
        ["id", *(f"logit_{name}" for name in WINE_OUTPUTS)],
        ([row_id, *row] for row_id, row in zip(ids, logits, strict=True)),
    )
    cells = np.where(measured, happens[test].astype(str), "")
    write_csv(
        output / "holes.csv",
        ["id", *WINE_OUTPUTS],
        ([row_id, *row] for row_id, row in zip(ids, cells, strict=True)),
    )
    chances, labels = 1 / (1 + np.exp(-logits[measured])), happens[test][measured]
    return {
        "outcomes measured": float(measured.sum()),
        "accuracy": accuracy_score(labels, chances > 0.5),
        "mean log loss": log_loss(labels, chances),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all files and print each model's scores on its test split."""
    parser = argparse.ArgumentParser(description="Make the sample data files.")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).resolve().parent,
        metavar="DIR",
        help="folder to write to, made if missing (default: the folder of this script)",
    )
    output: Path = parser.parse_args(arguments).output
    output.mkdir(parents=True, exist_ok=True)

    makers = {
        "tiny": make_tiny,
        "digits": make_digits,
        "cancer": make_cancer,
        "diabetes": make_diabetes,
        "features": make_features,
        "pixels": make_pixels,
        "letters": make_letters,
        "holes": make_holes,
    }
    # One thread, because the order of additions (so the last digit) depends on the thread count.
    with threadpool_limits(limits=1):
        for name, make in makers.items():
            for score, value in make(output).items():
                print(f"{name}: {score} = {float(value)!r}")


if __name__ == "__main__":
    main()
