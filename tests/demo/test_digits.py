"""Part one: its data, their disturbance, its network and what is made of the outcome."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback_demo import digits
from pullback_demo.record import DigitsRecord, Epoch, Images


@pytest.fixture(scope="module")
def parts():
    return digits.load(0)


def test_the_split_is_of_all_images_and_gives_each_digit_its_share(parts):
    train, test = parts
    assert (len(train), len(test)) == (1437, 360)
    share = np.bincount(test.digits) / np.bincount(np.concatenate([train.digits, test.digits]))
    np.testing.assert_allclose(share, 0.2, atol=0.005)
    everything = np.concatenate([train.pixels, test.pixels])
    assert everything.shape == (1797, 64)
    assert (everything.min(), everything.max()) == (0.0, 1.0)


def test_the_split_depends_on_the_seed_alone(parts):
    again, other = digits.load(0), digits.load(1)
    np.testing.assert_array_equal(parts[1].pixels, again[1].pixels)
    assert not np.array_equal(parts[1].pixels, other[1].pixels)


def test_images_move_by_whole_pixels_exactly():
    images = np.random.default_rng(0).uniform(size=(2, 8, 8))
    down = digits.moved(images, np.array([1.0, -1.0]), axis=1)
    np.testing.assert_array_equal(down[0, 1:], images[0, :-1])
    np.testing.assert_array_equal(down[0, 0], 0)
    np.testing.assert_array_equal(down[1, :-1], images[1, 1:])
    np.testing.assert_array_equal(down[1, -1], 0)


def test_a_fraction_of_a_pixel_moves_the_centre_of_mass_by_that_fraction():
    image = np.zeros((1, 8, 8))
    image[0, 2:6, 2:6] = np.random.default_rng(0).uniform(size=(4, 4))
    columns = np.arange(8.0)
    for by in (-0.4, 0.0, 0.3):
        moved = digits.moved(image, np.array([by]), axis=2)
        centre = [np.sum(x * columns) / np.sum(x) for x in (image, moved)]
        assert centre[1] - centre[0] == pytest.approx(by, abs=1e-14)


def test_disturbing_leaves_the_images_themselves_alone(parts):
    pixels = parts[0].pixels[:5].copy()
    seen = digits.disturbed(pixels, np.random.default_rng(0))
    np.testing.assert_array_equal(pixels, parts[0].pixels[:5])
    assert seen.shape == pixels.shape
    assert not np.array_equal(seen, pixels)


def test_the_gradient_is_that_of_the_hand_written_recursion(parts):
    net = digits.network(np.random.default_rng(0))
    pixels, labels = parts[0].pixels[:6], parts[0].digits[:6]
    gradient = pb.grad(digits.objective)(net, pixels, labels)

    lift, *steps, scores = net.layers
    states = [np.tanh(pixels @ lift.W.T + lift.b)]
    slopes = []
    for layer in steps:
        slopes.append(np.tanh(states[-1] @ layer.W.T + layer.b))
        states.append(states[-1] + layer.h * slopes[-1])
    z = states[-1] @ scores.W.T + scores.b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    z_bar = (p - np.eye(10)[labels]) / len(labels)
    expected = [(z_bar.T @ states[-1], z_bar.sum(axis=0))]
    a = z_bar @ scores.W
    for layer, state, slope in zip(steps[::-1], states[-2::-1], slopes[::-1], strict=True):
        v_bar = layer.h * (1 - slope**2) * a
        expected.append((v_bar.T @ state, v_bar.sum(axis=0)))
        a = a + v_bar @ layer.W
    v_bar = (1 - states[0] ** 2) * a
    expected.append((v_bar.T @ pixels, v_bar.sum(axis=0)))

    for layer, (w_bar, b_bar) in zip(gradient.layers[::-1], expected, strict=True):
        np.testing.assert_allclose(layer.W, w_bar, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(layer.b, b_bar, rtol=1e-11, atol=1e-15)


def test_the_assessment_counts_each_test_image_once_and_sorts_mistakes_by_confidence():
    pixels = np.random.default_rng(0).uniform(size=(4, 64))
    scores = np.zeros((4, 10))
    scores[[0, 1, 2, 3], [7, 1, 2, 3]] = [1.0, 5.0, 9.0, 3.0]
    record = DigitsRecord(planned=1, test=Images(pixels, np.array([0, 1, 5, 3])))
    record.epochs.append(Epoch(1.0, 0.5, 0.5, lambda _: scores))
    digits.assess(record)
    assert record.confusion.sum() == 4
    assert record.confusion[0, 7] == record.confusion[5, 2] == 1
    assert [(m.label, m.prediction) for m in record.mistakes] == [(5, 2), (0, 7)]
    assert record.mistakes[0].probability == pytest.approx(np.exp(9) / (np.exp(9) + 9))
    np.testing.assert_array_equal(record.mistakes[1].image, pixels[0])


def test_nothing_is_assessed_before_the_first_epoch():
    record = DigitsRecord(planned=1)
    digits.assess(record)
    assert record.confusion is None
    assert record.mistakes == []
