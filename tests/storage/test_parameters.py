"""Files of parameters: what comes back, what is refused by name, and what a file cannot do."""

from __future__ import annotations

import json
import os
import pickle
import sys

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as format_of

import pullback as pb
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError

RNG = np.random.default_rng(0)
NET = pb.nn.Chain(
    [pb.nn.Dense.initialize(2, 3, "tanh", rng=0), np.sin, pb.nn.Head.initialize(3, rng=1)]
)

DTYPES = st.sampled_from("?bBhHiIlLefdFD")
LEAVES = st.one_of(
    DTYPES.flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=3))
    ),
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.complex_numbers(),
)  # fmt: skip
KEYS = st.one_of(st.text(max_size=3).filter(lambda k: k.isprintable()), st.integers(-9, 9))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text("ab.[]'0", max_size=3), inner, max_size=3),
        st.dictionaries(st.integers(0, 3), inner, max_size=3),
        st.none(),
    ),
    max_leaves=6,
)


def same(one, other):
    (leaves, spec), (others, structure) = trees.flatten(one), trees.flatten(other)
    assert spec == structure
    for leaf, wanted in zip(leaves, others, strict=True):
        assert np.asarray(leaf).dtype == np.asarray(wanted).dtype
        assert (type(leaf) is type(wanted)) or isinstance(wanted, np.ndarray | np.generic)
        assert np.shape(leaf) == np.shape(wanted)
        assert np.asarray(leaf).tobytes() == np.asarray(wanted).tobytes()


@settings(max_examples=40)
@given(TREES)
def test_what_is_saved_is_loaded_bit_by_bit(tmp_path_factory, tree):
    path = tmp_path_factory.getbasetemp() / "tree.safetensors"
    pb.save(path, tree)
    same(pb.load(path), tree)
    same(pb.load(path, like=tree), tree)


def test_networks_and_states_are_loaded_like_others(tmp_path):
    path = tmp_path / "net.safetensors"
    tree = {"net": NET, "state": pb.optim.Adam().init(NET)}
    pb.save(path, tree)
    like = trees.map_tree(lambda x: x * 0, tree)
    found = pb.load(path, like=like)
    same(found, tree)
    x = RNG.normal(size=(4, 2))
    np.testing.assert_array_equal(found["net"](x), NET(x))
    with pytest.raises(ArgumentValueError, match=r"load: \['net'\] is a Chain, which is not made"):
        pb.load(path)


def test_arrays_in_other_orders_are_kept_by_their_values(tmp_path):
    path = tmp_path / "a.safetensors"
    a = np.arange(6.0).reshape(2, 3)
    for given_array in (a.T, a[:, ::-1], a.astype(">f8"), np.asfortranarray(a), a + 1j):
        pb.save(path, [given_array])
        np.testing.assert_array_equal(pb.load(path)[0], given_array)


def test_other_readers_find_the_leaves_by_their_names(tmp_path):
    path = tmp_path / "net.safetensors"
    pb.save(path, NET)
    found = format_of.load_file(path)
    assert sorted(found) == ["layers[0].W", "layers[0].b", "layers[2].mu", "layers[2].w"]
    np.testing.assert_array_equal(found["layers[0].W"], NET[0].W)


def test_files_of_other_writers_are_loaded_by_name(tmp_path):
    path = tmp_path / "theirs.safetensors"
    theirs = {"layers[0].W": np.ones((3, 2)), "layers[0].b": np.zeros(3)}
    format_of.save_file(theirs, path)
    same(pb.load(path), theirs)
    chain = pb.nn.Chain([pb.nn.Dense.initialize(2, 3, rng=0)])
    np.testing.assert_array_equal(pb.load(path, like=chain)[0].W, theirs["layers[0].W"])
    with pytest.raises(ArgumentValueError, match=r"load: the file has no layers\[2\].w; it has la"):
        pb.load(path, like=NET)


@pytest.mark.parametrize(
    ("like", "words"),
    [
        ({"a": np.ones(3), "b": [1, None]}, r"load: \['a'\] has shape \(2,\) in the file, wanted"),
        ({"a": np.ones(2, "f4"), "b": [1, None]}, r"\['a'\] has dtype float64 in the file, wanted"),
        (
            {"a": np.ones(2), "b": [1.0, None]},
            r"\['b'\]\[0\] has dtype int64 in the file, wanted f",
        ),
        ({"a": np.ones(2), "b": (1, None)}, r"\['b'\] is a list in the file, wanted a tuple"),
        ({"a": np.ones(2), "b": [1, 2]}, r"\['b'\]\[1\] is None in the file, wanted a leaf"),
        ({"a": np.ones(2)}, r"the whole has 'b', which is not wanted"),
        ({"a": np.ones(2), "b": [1, None], "c": 1}, r"the whole has no 'c', which is wanted"),
        ({"a": NET, "b": [1, None]}, r"\['a'\] is a leaf in the file, wanted a Chain"),
    ],
)
def test_what_differs_is_named(tmp_path, like, words):
    path = tmp_path / "tree.safetensors"
    pb.save(path, {"a": np.ones(2), "b": [1, None]})
    with pytest.raises(ArgumentValueError, match=words):
        pb.load(path, like=like)


def test_what_is_static_in_a_layer_belongs_to_the_structure(tmp_path):
    path = tmp_path / "net.safetensors"
    pb.save(path, NET)
    other = pb.nn.Chain([pb.nn.Dense(NET[0].W, NET[0].b, "relu"), *NET[1:]])
    words = r"activation of layers\[0\] is tanh in the file, wanted relu"
    with pytest.raises(ArgumentValueError, match=words):
        pb.load(path, like=other)


@pytest.mark.parametrize("leaf", ["word", np.array(["a"]), object(), 2**70, np.longdouble(1)])
def test_leaves_that_are_no_numbers_are_named(tmp_path, leaf):
    with pytest.raises(ArgumentTypeError, match=r"save: the leaf \['a'\]\[1\] (is|has) "):
        pb.save(tmp_path / "a.safetensors", {"a": [1.0, leaf]})
    assert not list(tmp_path.iterdir())


def test_paths_that_are_none(tmp_path):
    for path in ("weights.npz", "", "a\0.safetensors"):
        with pytest.raises(
            ArgumentValueError, match=r"wanted the name of a file, ending in .safet"
        ):
            pb.save(path, [1.0])
    for path in (None, 3, b"a.safetensors"):
        with pytest.raises((ArgumentTypeError, ArgumentValueError), match="wanted the name of a f"):
            pb.load(path)
    with pytest.raises(ArgumentValueError, match=r"load: there is no file .*nowhere"):
        pb.load(tmp_path / "nowhere.safetensors")
    with pytest.raises(ArgumentValueError, match=r"save: .* could not be written \(No such file"):
        pb.save(tmp_path / "nowhere" / "a.safetensors", [1.0])


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    pb.save(path, [1.0])

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ArgumentValueError, match="No space left"):
        pb.save(path, [2.0])
    assert pb.load(path) == [1.0]
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_links_stay_links(tmp_path):
    pb.save(tmp_path / "there.safetensors", [1.0])
    (tmp_path / "here.safetensors").symlink_to(tmp_path / "there.safetensors")
    pb.save(tmp_path / "here.safetensors", [2.0])
    assert (tmp_path / "here.safetensors").is_symlink()
    assert pb.load(tmp_path / "there.safetensors") == [2.0]


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (Trap.path,)

    path = ""


@pytest.mark.parametrize("kind", ["pickle", "cut", "empty", "header", "structure"])
def test_damaged_and_hostile_files_are_refused_and_run_nothing(tmp_path, kind):
    path, Trap.path = tmp_path / "a.safetensors", str(tmp_path / "trap")
    pb.save(path, {"a": np.ones(5)})
    content = path.read_bytes()
    structure = ["class os.system", ["touch trap"], ["array"], []]
    header = {"version": 1, "structure": structure, "notes": {}, "complex": ["b"]}
    made = {
        "pickle": pickle.dumps(Trap()),
        "cut": content[:-9],
        "empty": b"",
        "header": format_of.save({"a": np.ones(2)}, {"pullback": "[1"}),
        "structure": format_of.save({"a": np.ones(2)}, {"pullback": json.dumps(header)}),
    }
    path.write_bytes(made[kind])
    with pytest.raises(
        ArgumentValueError, match=r"is damaged, or is no|has a header that save did"
    ):
        pb.load(path)
    assert not os.path.exists(Trap.path)


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(
        ArgumentTypeError, match=r'installed; write pip install "pullback\[storage\]"'
    ):
        pb.save(tmp_path / "a.safetensors", [1.0])
