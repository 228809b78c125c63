"""Train the runs of digits.py in Keras, on its PyTorch backend. Usage: `python keras_digits.py FOLDER [--short]`.

Half of them are trained by compile and fit, half by a written loop, which the center loss needs: its centers move after
each batch. Only the loop's gradients are PyTorch's; all else is Keras alone.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported, which reads it once

import digits
import keras
import numpy as np
import torch
from digits import Case, Run
from keras import layers, ops
from losses_keras import CenterLoss, FocalLoss, focal_loss

Loss = Callable[[Any, Any], Any]


def network() -> tuple[keras.Model, keras.Model]:
    """Two convolutions, and two features before the logits: a model of the logits, and one of both."""

    def bend() -> layers.Layer:
        return layers.LeakyReLU(negative_slope=digits.SLOPE)

    images = keras.Input((8, 8, 1))
    x = layers.MaxPooling2D(2)(bend()(layers.Conv2D(16, 3, padding="same")(images)))
    x = layers.MaxPooling2D(2)(bend()(layers.Conv2D(32, 3, padding="same")(x)))
    x = bend()(layers.Dense(64)(layers.Flatten()(x)))
    features = layers.Dense(digits.FEATURES, name="features")(x)
    logits = layers.Dense(digits.CLASSES, name="logits")(features)
    return keras.Model(images, logits), keras.Model(images, [logits, features])


@keras.saving.register_keras_serializable("digits")
def smoothed(y_true: Any, y_pred: Any) -> Any:
    """Cross-entropy with smoothed labels: t (1 - E) + E / k; Keras smooths one-hot rows only."""
    hot = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), digits.CLASSES)
    return keras.losses.categorical_crossentropy(hot, y_pred, from_logits=True, label_smoothing=digits.SMOOTHING)


def loss_of(run: Run) -> Any:
    """What a run minimises, but for the center loss: a function of one loss per row, or a loss that averages them."""
    if run.loss == "focal":
        return FocalLoss(digits.GAMMA) if run.form == "class" else focal_loss
    return smoothed if run.loss == "smoothing" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Batches(keras.utils.PyDataset):
    """The batches of digits.py, in their order, for `fit`.

    The epoch is said by the callback below: Keras calls `on_epoch_end` of a data set before the first epoch too, after a
    look at a batch.
    """

    def __init__(self, case: Case, run: Run) -> None:
        super().__init__()
        self.case, self.run = case, run
        self.begin(1)

    def begin(self, epoch: int) -> None:
        self.held = list(self.case.batches(self.run, epoch))

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, index: int) -> Any:
        images, labels = self.held[index]
        return images[..., None], labels


class Epochs(keras.callbacks.Callback):
    """Before each epoch its batches; after it, save, and keep Keras's own numbers on the test split."""

    def __init__(self, data: Batches, evaluate: Callable[[int], dict[str, float]]) -> None:
        super().__init__()
        self.data, self.evaluate = data, evaluate
        self.history: list[dict[str, Any]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.data.begin(epoch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.history.append({"epoch": epoch + 1} | self.evaluate(epoch + 1))


class Training:
    """One run, by either way."""

    def __init__(self, case: Case, run: Run) -> None:
        keras.utils.set_random_seed(run.seed)
        self.case, self.run, self.loss = case, run, loss_of(run)
        self.model, self.both = network()
        self.optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(digits.RATE, case.steps))
        self.center = CenterLoss(digits.CLASSES, digits.FEATURES, digits.ALPHA)

    def fit(self) -> list[dict[str, Any]]:
        """Compile and fit."""
        data = Batches(self.case, self.run)
        epochs = Epochs(data, self.evaluate)
        self.model.compile(optimizer=self.optimizer, loss=self.loss)
        self.model.fit(data, epochs=self.case.epochs, shuffle=False, callbacks=[epochs], verbose=0)
        return epochs.history

    def loop(self) -> list[dict[str, Any]]:
        """The same written out, with the centers."""
        history = []
        for epoch in range(1, self.case.epochs + 1):
            for images, labels in self.case.batches(self.run, epoch):
                features, before = self.step(images[..., None], labels)
            if self.run.weight:
                self.case.save(self.run, epoch, centers=self.center.centers.numpy())
            history.append({"epoch": epoch} | self.evaluate(epoch))
        if self.run.weight:
            after = self.center.centers.numpy()
            self.case.save_step(self.run, ops.convert_to_numpy(features), labels, before, after)
        return history

    def step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        """One batch: the features that it had, and the centers before they moved."""
        logits, features = self.both(images, training=True)
        self.model.zero_grad()
        self.objective(labels, logits, features).backward()
        weights = self.model.trainable_weights
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
            before = np.array(self.center.centers.numpy())
            self.center.move(labels, features)
        return features.detach(), before

    def objective(self, labels: Any, logits: Any, features: Any) -> Any:
        """What is minimised."""
        total = ops.mean(self.loss(labels, logits))
        return total + self.run.weight * self.center(labels, features) if self.run.weight else total

    def evaluate(self, epoch: int) -> dict[str, float]:
        """Keras's numbers on the test split, whose logits and features are saved."""
        labels = self.case.digits.test_labels
        with torch.no_grad():
            logits, features = self.both(self.case.digits.test_images[..., None], training=False)
            entropy = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            found = {
                "objective": self.objective(labels, logits, features),
                "cross_entropy": ops.mean(entropy),
                "accuracy": ops.mean(ops.cast(ops.argmax(logits, axis=-1), "int64") == ops.convert_to_tensor(labels)),
            }
        arrays = {"logits": ops.convert_to_numpy(logits), "features": ops.convert_to_numpy(features)}
        self.case.save(self.run, epoch, **arrays)
        return {name: float(value) for name, value in found.items()}


def train(case: Case, run: Run) -> list[dict[str, Any]]:
    """Train a run by its way."""
    training = Training(case, run)
    return training.fit() if run.way == "fit" else training.loop()


def main() -> None:
    """Train all runs into a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(".")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--short", action="store_true", help="a few runs, two epochs, and a part of the digits")
    given = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order, and such a net is no faster on two
    versions = {"keras": keras.__version__, "torch": torch.__version__.split("+")[0]}
    Case("keras", given.folder, given.short).train(train, versions)


if __name__ == "__main__":
    main()
