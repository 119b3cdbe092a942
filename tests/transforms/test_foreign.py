"""Data of other libraries are taken by position, or refused where numbers are not all they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.foreign import by_position, columns_of, is_foreign


class Held:
    """An array as other libraries hold one: a tensor, a column, a labelled array."""

    def __init__(self, values, **attributes):
        self.values = values
        self.__dict__.update(attributes)

    def __array__(self, dtype=None, copy=None):
        if isinstance(self.values, Exception):
            raise self.values
        return np.asarray(self.values, dtype=dtype)


ARRAY = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
ODD = [7, 1, 3]

TAKEN = {
    "array": ARRAY,
    "list": ARRAY.tolist(),
    "tuple of rows": tuple(ARRAY),
    "tensor": Held(ARRAY),
    "tensor of objects": Held(ARRAY.astype(object)),
    "attribute that names a unit": Held(ARRAY, units="metres"),
    "mask of nothing": np.ma.masked_less(ARRAY, 0),
    "frame": pd.DataFrame(ARRAY, columns=["a", "b"], index=ODD),
    "frame of mixed columns": pd.DataFrame({"a": [1, 3, 5], "b": [2.0, 4.0, 6.0]}, index=ODD),
    "frame of nullable columns": pd.DataFrame(
        {"a": pd.array([1, 3, 5], dtype="Int64"), "b": pd.array([2.0, 4, 6], dtype="Float64")}
    ),
    "frame of categories that are numbers": pd.DataFrame(
        {"a": pd.Series([1, 3, 5], dtype="category"), "b": [2.0, 4.0, 6.0]}
    ),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_what_holds_numbers_is_taken_by_position(kind):
    taken = by_position(TAKEN[kind], "f: x")
    assert type(taken) is np.ndarray
    assert taken.dtype == np.float64
    np.testing.assert_array_equal(taken, ARRAY)


def test_dtypes_are_kept_and_arrays_are_not_copied():
    assert by_position(ARRAY, "f: x") is ARRAY
    assert by_position(pd.Series([1, 2], dtype="int8"), "f: x").dtype == np.int8
    assert by_position(pd.Series([1, 2], dtype="Int64"), "f: x").dtype == np.int64
    assert by_position(pd.DataFrame({"a": [True], "b": [False]}), "f: x").dtype == np.bool_
    assert by_position(pd.Series([1.0], dtype="float32"), "f: x").dtype == np.float32
    assert by_position(Held(np.array([], dtype=object)), "f: x").shape == (0,)
    assert by_position(range(3), "f: x").tolist() == [0, 1, 2]


def test_an_array_in_a_file_is_not_read(tmp_path):
    np.save(tmp_path / "x.npy", ARRAY)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.may_share_memory(by_position(mapped, "f: x"), mapped)


def test_traced_values_are_kept():
    def f(x):
        assert by_position(x, "f: x") is x
        return np.sum(by_position([x, 2 * x], "f: x") ** 2)

    assert pb.grad(f)(3.0) == 30


class Quantity(np.ndarray):
    unit = "m"

    def to_value(self, unit):
        """As astropy's."""


frame = pd.DataFrame
REFUSED = {
    "mask": (np.ma.masked_equal([1.0, -999.0], -999.0), r"masked array .* x\.filled\(value\)"),
    "matrix": (np.matrix([[1.0]]), r"numpy\.matrix of shape \(1, 1\).* write np\.asarray\(x\)"),
    "sparse": (scipy.sparse.csr_array(np.eye(2)), r"sparse csr_array .* write x\.toarray\(\)"),
    "unit": (np.ones(2).view(Quantity), "a Quantity in the unit m, which would be lost"),
    "words": (frame({"a": [1, 2], "b": ["x", "y"]}), r"holds 'x' \(column 'b', row 0\)"),
    "word": (pd.Series([1, "y"]), r"Series that holds 'y' \(row 1\), wanted numbers"),
    "categories": (pd.Series(["x"], dtype="category"), r"holds 'x' .*codes or indicators"),
    "missing": (pd.Series([1, None], dtype="Int64").astype(object), r"missing value \(row 1\)"),
    "missing in a column": (
        frame({"a": pd.array([1, None], dtype="Int64"), "b": [1.0, 2.0]}),
        r"missing value \(column 'a', row 1\); leave those rows out, or fill them",
    ),
    "times": (pd.Series(pd.to_datetime(["2020-01-01"])), r"Series of dtype datetime64"),
    "times in a column": (
        frame({"a": [1], "b": pd.to_datetime(["2020-01-01"])}),
        r"holds Timestamp.* \(column 'b', row 0\)",
    ),
    "what cannot be read": (Held(RuntimeError("on a device")), "Held that cannot .*on a device"),
    "ragged list": ([[1.0, 2.0], [3.0]], "list whose rows differ in length"),
    "list of words": (["a"], r"wanted|dtype"),
    "nothing": (None, "None, wanted an array or a number"),
    "word alone": ("abc", "a str, wanted an array"),
    "mapping": ({"a": 1.0}, "a dict, wanted an array"),
    "generator": ((i for i in range(3)), "a generator, wanted an array"),
    "class": (Held, "the class Held, wanted an array"),
    "list of masked rows": (
        [np.ma.masked_less([1.0, 2.0], 2.0), np.ones(2)],
        r"a list with a part that is a masked array",
    ),
    "list with a masked number": ([np.ma.masked, 1.0], "a list with a part that is a masked"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_says_more_than_its_numbers_is_refused(kind):
    given, words = REFUSED[kind]
    if kind == "list of words":
        assert by_position(given, "f: x").dtype.kind == "U"  # whoever asks looks at the dtype
        return
    with pytest.raises((ArgumentTypeError, ArgumentValueError), match=f"^f: x is .*{words}"):
        by_position(given, "f: x")


def test_names_of_columns():
    assert columns_of(pd.DataFrame(ARRAY, columns=["a", "b"])) == ("a", "b")
    assert columns_of(Held(ARRAY, columns=["a", "b"])) == ("a", "b")
    for nameless in (pd.DataFrame(ARRAY), pd.Series([1.0]), ARRAY, ARRAY.tolist(), 1.0, None):
        assert columns_of(nameless) is None
    assert is_foreign(pd.Series([1.0]))
    assert is_foreign(scipy.sparse.csr_array(np.eye(2)))
    assert not any(is_foreign(x) for x in (ARRAY, 1.0, np.float32(1), [1.0], None, "a"))


# -- whoever takes data takes them so ----------------------------------------------------------


def rows_and_labels():
    """Samples with labels of rows in another order, as a split of data leaves them."""
    x = np.random.default_rng(3).normal(size=(6, 2))
    y = x @ [1.0, -2.0] + 0.5
    order = [4, 2, 3, 0, 1, 5]
    frame, series = pd.DataFrame(x, columns=["a", "b"], index=order), pd.Series(y)
    yield x, y, frame, series
    yield x, y, Held(x, columns=["a", "b"]), Held(y)
    yield x, y, frame, y.tolist()
    yield x, y, np.ma.masked_greater(x, 9), series


def test_training_takes_rows_by_position():
    def objective(head, x, y):
        assert type(y) is np.ndarray
        return pb.losses.mse(head(x), y)

    for x, y, frame, series in rows_and_labels():
        for options in ({}, {"batch_size": 4, "rng": 0}, {"batch_size": 99, "rng": 0}):
            ours, plain = (
                pb.optim.train(
                    objective,
                    pb.nn.Head(np.zeros(2)),
                    data,
                    pb.optim.Momentum(0.1),
                    epochs=5,
                    **options,
                )
                for data in ((frame, series), (x, y))
            )
            # A frame's columns lie otherwise in memory, and BLAS adds them in another order.
            np.testing.assert_array_max_ulp(ours.params.w, plain.params.w, 16)


@pytest.mark.parametrize("columns", [dict, lambda frame: frame.to_dict("list")])
def test_the_columns_of_a_frame_by_name(columns):
    _, _, frame, series = next(rows_and_labels())
    found = pb.optim.train(
        lambda w, x, y: np.mean((x["a"] * w[0] + x["b"] * w[1] + w[2] - y) ** 2),
        np.zeros(3),
        (columns(frame), series),
        pb.optim.SteepestDescent(0.1),
        epochs=300,
        batch_size=3,
        rng=0,
    )
    np.testing.assert_allclose(found.params, [1, -2, 0.5], atol=1e-3)


def test_a_column_by_name_of_what_is_an_array_now():
    _, _, frame, series = next(rows_and_labels())

    def train(objective):
        pb.optim.train(objective, np.ones(2), (frame, series), pb.optim.Adam(), epochs=1)

    with pytest.raises(ArgumentTypeError, match=r"batch\[:, 0\] for 'a', or give dict\(frame\)"):
        train(lambda w, x, y: np.mean((x["a"] * w[0] - y) ** 2))
    with pytest.raises(IndexError, match="out of bounds"):
        train(lambda w, x, y: np.mean((x[:, 2] * w[0] - y) ** 2))


def test_models_take_rows_by_position_and_give_arrays():
    for x, y, frame, series in rows_and_labels():
        for options in ({}, {"method": pb.optim.Adam(0.1), "batch_size": 4, "rng": 0}):
            model = pb.nn.models.linear_regression(2).fit(frame, series, epochs=20, **options)
            plain = pb.nn.models.linear_regression(2).fit(x, y, epochs=20, **options)
            np.testing.assert_allclose(model.network.w, plain.network.w, rtol=1e-12)
            for result in (model.predict(frame), model.score(frame)):
                assert type(result) is np.ndarray
                np.testing.assert_allclose(result, plain.predict(x), rtol=1e-12)


def test_a_model_of_several_arrays():
    def network(parts):
        return parts["a"] * 2.0 + parts["b"]

    model = pb.nn.Model(network, pb.losses.mse)
    parts = {"a": pd.Series([1.0, 2.0], index=[1, 0]), "b": [3.0, 4.0]}
    np.testing.assert_array_equal(model.predict(parts), [5.0, 8.0])
    head = pb.nn.Model(pb.nn.Head(np.ones(2)), pb.losses.mse)
    np.testing.assert_array_equal(head.predict(list(ARRAY)), head.predict(ARRAY))


def test_a_model_knows_the_columns_that_it_was_fitted_to():
    x, _, frame, series = next(rows_and_labels())
    model = pb.nn.models.linear_regression(2).fit(frame, series)
    assert model.columns == ("a", "b")
    assert pb.nn.models.linear_regression(2).fit(x, series).columns is None
    np.testing.assert_allclose(model.predict(x), model.predict(frame), rtol=1e-12)
    for method in (model.predict, model.score):
        with pytest.raises(ArgumentValueError, match=r"columns b, a, .*to a, b; write x\[\['a', '"):
            method(frame[["b", "a"]])
    with pytest.raises(ArgumentValueError, match="columns a, c"):
        model.predict(frame.rename(columns={"b": "c"}))


def test_data_that_are_not_numbers_are_named():
    x, y, _, _ = next(rows_and_labels())
    model = pb.nn.models.linear_regression(2)
    for bad, _words in REFUSED.values():
        if isinstance(bad, list | str) or bad is None:
            continue
        for fit in (
            lambda bad=bad: model.fit(bad, y),
            lambda bad=bad: model.fit(x, bad),
            lambda bad=bad: model.fit(x, bad, method=pb.optim.Adam()),
            lambda bad=bad: model.predict(bad),
            lambda bad=bad: pb.nn.backpropagate(pb.nn.Head(np.ones(2)), pb.losses.mse, bad, y),
            lambda bad=bad: pb.losses.mse(bad, y),
            lambda bad=bad: pb.losses.mse(y, bad),
            lambda bad=bad: pb.losses.hinge(y, bad),
            lambda bad=bad: pb.losses.softmax_cross_entropy(x, bad),
        ):
            with pytest.raises((ArgumentTypeError, ArgumentValueError)):
                fit()


def test_missing_samples_are_told_from_steps_that_are_too_long():
    x, y, frame, _ = next(rows_and_labels())
    holes = frame.mask(frame > 0.5)
    assert holes.isna().to_numpy().any()
    model = pb.nn.models.linear_regression(2)
    with pytest.raises(
        ArgumentValueError,
        match=r"the objective is nan.* data\[0\] holds NaN or infinity in sample 0",
    ):
        model.fit(holes, y)
    with pytest.raises(ArgumentValueError, match=r"epoch 1.* data\[0\] holds NaN"):
        model.fit(holes, y, method=pb.optim.Adam())
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ArgumentValueError, match="lower the learning rate"),
    ):
        model.fit(x, y, method=pb.optim.SteepestDescent(1e200))


def test_losses_compare_by_position():
    prediction = pd.Series([1.0, 2.0, 3.0], index=[2, 1, 0])
    target = pd.Series([1.0, 2.0, 5.0])
    assert pb.losses.mse(prediction, target) == 4 / 3
    assert pb.losses.mae(prediction, Held(target.to_numpy())) == 2 / 3
    assert pb.grad(lambda x: pb.losses.l2(x, prediction))(np.zeros(3)).tolist() == [-1, -2, -3]
    labels = pd.Series([True, False], index=[1, 0])
    entropy = pb.losses.binary_cross_entropy(pd.Series([0.9, 0.2]), labels)
    np.testing.assert_allclose(entropy, -(np.log(0.9) + np.log(0.8)) / 2)


def test_named_axes_must_agree():
    x = Held(np.eye(2), dims=("time", "place"))
    y = Held(np.zeros((2, 2)), dims=("place", "time"))
    assert pb.losses.mse(x, Held(np.zeros((2, 2)), dims=("time", "place"))) == 0.5
    for loss in (pb.losses.mse, pb.losses.hinge, pb.losses.softmax_cross_entropy):
        with pytest.raises(ArgumentValueError, match=r"target\.transpose\(\*prediction\.dims\)"):
            loss(x, y)


def test_networks_take_frames():
    x = pd.DataFrame(ARRAY, index=ODD)
    net = pb.nn.Chain([np.tanh, pb.nn.Head(np.ones(2))])
    np.testing.assert_array_equal(net(x), net(ARRAY))
    np.testing.assert_array_equal(net[1](x), net[1](ARRAY))
    record = pb.nn.backpropagate(net, pb.losses.mse, x, pd.Series([1.0, 2.0, 3.0], index=ODD))
    plain = pb.nn.backpropagate(net, pb.losses.mse, ARRAY, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(record.x_bar, plain.x_bar)
    with pytest.raises(ArgumentTypeError, match="Chain: the input is a masked array"):
        net(np.ma.masked_less(ARRAY, 3))


def test_data_that_never_end():
    endless = {}
    endless["itself"] = endless
    model = pb.nn.models.linear_regression(2)
    for call in (
        lambda: model.fit(ARRAY, endless),
        lambda: model.predict(endless),
        lambda: pb.optim.train(None, None, (endless,), pb.optim.Adam(), epochs=1),
        lambda: pb.optim.train(np.sum, np.ones(2), (endless,), pb.optim.Adam(), epochs=1),
    ):
        with pytest.raises((ArgumentTypeError, ArgumentValueError)):
            call()
