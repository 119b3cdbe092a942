"""Part one: a residual network that reads handwritten digits.

The data are the 1,797 images of 8 × 8 pixels that come with scikit-learn, from the test set of
E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
Repository (1998).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from pullback_demo.progress import Progress
from pullback_demo.record import (
    Array,
    DigitsRecord,
    Epoch,
    Images,
    Mistake,
    Stopwatch,
    Trial,
    check,
)

__all__ = ["assess", "disturbed", "load", "network", "objective", "train"]

WIDTH, DEPTH, STEP = 64, 4, 0.5
"""Values in each residual layer, number of these layers, and their step h."""

BATCH, RATE = 64, 3e-3
TEST_SHARE = 0.2
COMPARED = 10
"""Epochs to train without compiling, too."""

TRAINING = "training the classifier"
SHIFT, NOISE = 0.5, 0.1
"""How far training images are moved, in pixels, and the noise they get, in units of full ink."""


def load(seed: int, samples: int | None = None) -> tuple[Images, Images]:
    """Images to train on and images to test on, each class with its share in both.

    Parameters
    ----------
    seed : int
        Decides which image goes where.
    samples : int, optional
        How many images to take in all; every one by default.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, digits = load_digits(return_X_y=True)
    train_pixels, test_pixels, train_digits, test_digits = train_test_split(
        pixels[:samples] / 16.0,
        digits[:samples],
        test_size=TEST_SHARE,
        stratify=digits[:samples],
        random_state=seed,
    )
    return Images(train_pixels, train_digits), Images(test_pixels, test_digits)


def network(rng: np.random.Generator) -> Any:
    """The residual network at its initial parameters."""
    lift = pb.nn.Dense.initialize(64, WIDTH, "tanh", rng=rng)
    steps = [pb.nn.Residual.initialize(WIDTH, STEP, "tanh", rng=rng) for _ in range(DEPTH)]
    scores = pb.nn.Dense.initialize(WIDTH, 10, rng=rng)
    return pb.nn.Chain((lift, *steps, scores))


def objective(net: Any, pixels: Array, digits: Array) -> Any:
    """Mean cross-entropy of the digits under the network's softmax."""
    return pb.losses.softmax_cross_entropy(net(pixels), digits)


def train(
    record: DigitsRecord,
    stopwatch: Stopwatch,
    progress: Progress,
    seed: int,
    samples: int | None = None,
    compiled: bool = True,
) -> None:
    """Check the gradient, then train, filling the record as it goes.

    Parameters
    ----------
    record : DigitsRecord
        Says for how many epochs.
    stopwatch : Stopwatch
    progress : Progress
    seed : int
    samples : int, optional
        How many images to use; every one by default.
    compiled : bool
        Whether to train with compiled steps, and to take the first epochs without compiling too.
    """
    with stopwatch.phase("loading the images"):
        parts = data, test = load(seed, samples)
        net = network(np.random.default_rng(seed))
        record.test = test
        record.architecture = str(net)
        record.train_size = len(data)

    with stopwatch.phase("checking the classifier’s gradient"):

        def loss(net: Any) -> Any:
            return objective(net, data.pixels[:8], data.digits[:8])

        check(record, loss, net)
        progress.say(f"gradient of the classifier: {record.check.title}")

    with stopwatch.phase(TRAINING), progress.task("digits", "epoch", record.planned) as advance:

        def tell(epoch: Epoch) -> None:
            advance(f"loss {epoch.loss:.4f}  test accuracy {100 * epoch.test:.1f} %")

        record.training = Trial(compiled, record.epochs)
        follow(record.training, parts, seed, record.planned, tell)

    if compiled:
        first = min(COMPARED, record.planned)
        with (
            stopwatch.phase("training without compiling, to compare"),
            progress.task("digits", "eager epoch", first) as advance,
        ):
            record.eager = Trial(compiled=False)
            follow(record.eager, parts, seed, record.planned, tell, first)


def follow(
    trial: Trial,
    parts: tuple[Images, Images],
    seed: int,
    planned: int,
    tell: Callable[[Epoch], object],
    last: int | None = None,
) -> None:
    """A training run, from the initial parameters on; its images and order depend on the seed.

    Parameters
    ----------
    trial : Trial
        Is filled.
    parts : pair of Images
        To train on, to test on.
    seed : int
    planned : int
        Epochs in which the learning rate goes down to zero.
    tell : callable
        Gets each epoch.
    last : int, optional
        The epoch after which to stop.
    """
    data, test = parts
    rng = np.random.default_rng(seed)

    def keep(number: int, net: Any, loss: float) -> bool:
        trial.pace.stop()
        trial.epochs.append(Epoch(loss, accuracy(net, data), accuracy(net, test), net))
        tell(trial.epochs[-1])
        return number == last

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "train: interrupted")  # the run says so itself
        training = pb.optim.train(
            objective,
            network(rng),
            (data.pixels, data.digits),
            "adam",
            learning_rate=pb.optim.cosine(RATE, planned * -(-len(data) // BATCH)),
            epochs=planned,
            batch_size=BATCH,
            rng=rng,
            callback=keep,
            prepare=trial.pace.after(lambda pixels, digits: (disturbed(pixels, rng), digits)),
            compile=trial.compiled,
        )
    if training.stopped == "interrupted":
        raise KeyboardInterrupt


def accuracy(net: Callable[[Array], Array], images: Images) -> float:
    """The share of images whose highest score is that of the digit they show."""
    return float(np.mean(np.argmax(net(images.pixels), axis=1) == images.digits))


def assess(record: DigitsRecord) -> None:
    """Which test images the latest network takes for what; nothing before the first epoch."""
    if not record.epochs or record.test is None:
        return
    test = record.test
    probabilities = pb.nn.activations.softmax(record.epochs[-1].network(test.pixels))
    readings = np.argmax(probabilities, axis=1)
    confusion = np.zeros((10, 10), dtype=int)
    np.add.at(confusion, (test.digits, readings), 1)
    confident = np.max(probabilities, axis=1)
    wrong = np.flatnonzero(readings != test.digits)
    record.confusion = confusion
    record.mistakes = [
        Mistake(test.pixels[i], int(test.digits[i]), int(readings[i]), float(confident[i]))
        for i in wrong[np.argsort(-confident[wrong])]
    ]


# -- variety --------------------------------------------------------------------------------


def disturbed(pixels: Array, rng: np.random.Generator) -> Array:
    """The images, each moved by a fraction of a pixel in both directions, with a little noise.

    A hand never writes a digit twice in the same place; so the network never sees an image twice.
    """
    images = pixels.reshape(-1, 8, 8)
    for axis in (1, 2):
        images = moved(images, rng.uniform(-SHIFT, SHIFT, size=len(images)), axis)
    return images.reshape(pixels.shape) + NOISE * rng.normal(size=pixels.shape)


def moved(images: Array, by: Array, axis: int) -> Array:
    """Each image moved along an axis by at most a pixel, by linear interpolation."""
    images = np.moveaxis(images, axis, 1)
    by = by[:, np.newaxis, np.newaxis]
    new = (1 - abs(by)) * images
    new[:, 1:] += np.maximum(by, 0) * images[:, :-1]
    new[:, :-1] += np.maximum(-by, 0) * images[:, 1:]
    result: Array = np.moveaxis(new, 1, axis)
    return result
