"""The estimators keep scikit-learn's contract, and are what the formulas say."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier as TheirMLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC as TheirLinearSVC
from sklearn.utils.estimator_checks import check_estimator

import pullback as pb
import pullback.sklearn as ours

RNG = np.random.default_rng(0)
FEW = {"max_iter": 20, "learning_rate_init": 0.05, "compile": False}


@pytest.fixture(autouse=True)
def fits_may_end_early():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


CHECKED = {
    "linear regression": ours.LinearRegression(compile=False),
    "logistic regression": ours.LogisticRegression(compile=False),
    "softmax regression": ours.SoftmaxRegression(compile=False),
    "linear SVM": ours.LinearSVC(max_iter=40, compile=False),
    "perceptron": ours.Perceptron(compile=False),
    "multi-layer classifier": ours.MLPClassifier(10, **FEW),
    "multi-layer regressor": ours.MLPRegressor((5, 5), **FEW),
    "residual classifier": ours.ResidualClassifier(5, depth=1, **FEW),
    "residual regressor": ours.ResidualRegressor(5, depth=1, **FEW),
}


@pytest.mark.parametrize("name", CHECKED)
def test_the_contract_of_scikit_learn_is_kept(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(CHECKED[name])


def test_all_estimators_are_checked():
    assert {type(each).__name__ for each in CHECKED.values()} == set(ours.__all__)


# -- beside scikit-learn's own ----------------------------------------------------------------

DATA = {
    "diabetes": load_diabetes, "wine": load_wine, "breast cancer": load_breast_cancer,
    "digits": lambda return_X_y: tuple(x[:250] for x in load_digits(return_X_y=return_X_y)),
}  # fmt: skip
NET = {"learning_rate_init": 0.02, "max_iter": 25, "random_state": 0, "compile": False}
LOGISTIC, C = linear_model.LogisticRegression(), {"C": [0.1, 1.0]}
SEARCHES = {
    "diabetes, ridge": (
        ours.LinearRegression(), linear_model.Ridge(), {"alpha": [1.0, 30.0]}, {"alpha": [1.0, 30]}
    ),
    "diabetes, network": (
        ours.MLPRegressor(16, **NET), linear_model.Ridge(), {"alpha": [10.0, 100.0]}, {}
    ),
    "wine, softmax": (ours.SoftmaxRegression(compile=False), LOGISTIC, C, C),
    "wine, residual network": (ours.ResidualClassifier(16, depth=1, **NET), LOGISTIC, {}, {}),
    "breast cancer, logistic": (ours.LogisticRegression(), LOGISTIC, C, C),
    "breast cancer, perceptron": (
        ours.Perceptron(random_state=0, compile=False), linear_model.Perceptron(), {}, {}
    ),
    "digits, SVM": (ours.LinearSVC(compile=False), TheirLinearSVC(), {"C": [0.01]}, {"C": [0.01]}),
    "digits, network": (
        ours.MLPClassifier(32, **NET), TheirMLPClassifier(32, random_state=0), {"alpha": [0.1]}, {}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_finds_what_is_as_good_as_scikit_learns(name):
    """To 2 standard errors of an accuracy, or to 0.03 of R²."""
    X, y = DATA[name.partition(",")[0]](return_X_y=True)
    one, other, grid, theirs = SEARCHES[name]
    scores = []
    for estimator, its in ((one, grid), (other, theirs)):
        pipeline = make_pipeline(StandardScaler(), estimator)
        step = pipeline.steps[-1][0]
        search = GridSearchCV(pipeline, {f"{step}__{k}": v for k, v in its.items()}, cv=3)
        scores.append(search.fit(X, y).best_score_)
    accuracy = scores[1]
    noise = 0.03 if "diabetes" in name else 2 * np.sqrt(accuracy * (1 - accuracy) / len(X))
    assert scores[0] >= accuracy - noise


# -- what the formulas say --------------------------------------------------------------------

X3 = RNG.normal(size=(60, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, 1.0]
LABELS = np.array(["no", "yes", "perhaps"])[np.digitize(X3 @ [2.0, 0.4, -5.0], [-5.0, -3.0])]
TWO = np.where(LABELS == "yes", "yes", "no")
VALUES = X3 @ [1.0, -2.0, 3.0] + 0.5 + RNG.normal(size=60)
WEIGHTS = RNG.uniform(0.1, 3.0, size=60)


@pytest.mark.parametrize("alpha", [0.0, 2.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_linear_regression_is_at_the_minimum_of_the_squares(alpha, fit_intercept):
    for y in (VALUES, np.column_stack([VALUES, VALUES**2])):
        for weight in (None, WEIGHTS):
            one = ours.LinearRegression(alpha, fit_intercept=fit_intercept, compile=False)
            kind = linear_model.Ridge if alpha else linear_model.LinearRegression
            other = kind(**({"alpha": alpha} if alpha else {}), fit_intercept=fit_intercept)
            one.fit(X3, y, weight), other.fit(X3, y, weight)
            np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-9)
            np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(one.predict(X3), other.predict(X3), rtol=1e-9)


def test_linear_regression_takes_columns_that_depend_on_each_other():
    X = np.column_stack([X3, X3[:, 0] - 1e6 * X3[:, 1], np.ones(60)])
    one, other = ours.LinearRegression().fit(X, VALUES), ours.LinearRegression().fit(X3, VALUES)
    np.testing.assert_allclose(one.predict(X), other.predict(X3), rtol=1e-7)


@pytest.mark.parametrize("y", [TWO, LABELS], ids=["two", "three"])
def test_softmax_and_logistic_regression_are_at_scikit_learns_minimum(y):
    weight = {"sample_weight": WEIGHTS}
    softmax = ours.SoftmaxRegression(0.7, tol=1e-9, compile=False).fit(X3, y, **weight)
    theirs = linear_model.LogisticRegression(C=0.7, tol=1e-10, max_iter=1000).fit(X3, y, **weight)
    if len(set(y)) == 3:
        np.testing.assert_allclose(softmax.predict_proba(X3), theirs.predict_proba(X3), rtol=1e-5)
        np.testing.assert_allclose(softmax.coef_, theirs.coef_, rtol=1e-4, atol=1e-6)
    else:
        logistic = ours.LogisticRegression(0.7, tol=1e-9, compile=False).fit(X3, y, **weight)
        np.testing.assert_allclose(logistic.coef_, theirs.coef_, rtol=1e-5)
        np.testing.assert_allclose(logistic.intercept_, theirs.intercept_, rtol=1e-5)
        np.testing.assert_allclose(logistic.predict_proba(X3), theirs.predict_proba(X3), rtol=1e-5)


def test_the_machine_is_where_the_gradient_vanishes():
    """w/C = Σ 2 aᵢ yᵢ xᵢ max(0, 1 − yᵢsᵢ), and the same of b without the left side."""
    machine = ours.LinearSVC(0.3, compile=False).fit(X3, TWO, WEIGHTS)
    sign = np.where(TWO == "yes", 1, -1)
    slack = 2 * WEIGHTS * sign * np.maximum(0, 1 - sign * machine.decision_function(X3))
    np.testing.assert_allclose(machine.coef_[0] / 0.3, X3.T @ slack, rtol=1e-6)
    np.testing.assert_allclose(slack.sum(), 0, atol=1e-5)
    kinked = ours.LinearSVC(loss="hinge", compile=False).fit(X3, TWO)
    assert kinked.score(X3, TWO) >= machine.score(X3, TWO) - 0.05


def test_the_perceptron_separates_what_can_be_separated():
    y = np.where(X3 @ [1.0, 0.4, -3.0] > 1, 3, 7)
    model = ours.Perceptron(random_state=0, n_iter_no_change=200, compile=False).fit(X3, y)
    assert model.score(X3, y) == 1


# -- what fits with weights, batches and names come to ----------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        ours.SoftmaxRegression(),
        ours.ResidualClassifier(4, depth=1, batch_size=30, max_iter=3, random_state=0, tol=0),
    ],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
def test_what_is_compiled_is_the_same(model):
    one = model.fit(X3, LABELS)
    other = clone(model).set_params(compile=False).fit(X3, LABELS)
    np.testing.assert_allclose(
        one.decision_function(X3), other.decision_function(X3), rtol=1e-6, atol=1e-9
    )


def network(**options):
    return ours.MLPClassifier(8, **{**FEW, "random_state": 0, **options})


def test_the_same_seed_gives_the_same_bits_and_a_pickle_keeps_them():
    options = {"batch_size": 16, "early_stopping": True, "validation_fraction": 0.2}
    one, other = network(**options).fit(X3, LABELS), network(**options).fit(X3, LABELS)
    np.testing.assert_array_equal(one.predict_proba(X3), other.predict_proba(X3))
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(one.predict_proba(X3), again.predict_proba(X3))
    options["random_state"] = 1
    assert not np.array_equal(
        one.predict_proba(X3), network(**options).fit(X3, LABELS).predict_proba(X3)
    )
    np.testing.assert_allclose(one.predict_proba(X3).sum(axis=1), 1, rtol=1e-14)


def test_early_stopping_keeps_the_epoch_that_is_best_on_samples_set_aside():
    model = network(early_stopping=True, validation_fraction=0.3, max_iter=200, n_iter_no_change=7)
    model.fit(X3, LABELS)
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ == len(model.loss_curve_) < 200
    assert model.best_validation_score_ == max(scores)
    assert max(scores[-7:]) < max(scores[:-7]) + model.tol
    values = ours.MLPRegressor(8, early_stopping=True, random_state=0, **FEW).fit(X3, VALUES)
    assert max(values.validation_scores_) == values.best_validation_score_ > 0.5


def test_epochs_one_by_one_are_a_fit():
    model = network(batch_size=16, tol=0, n_iter_no_change=99, max_iter=5).fit(X3, LABELS)
    steps = network(batch_size=16)
    for _ in range(5):
        steps.partial_fit(X3, LABELS, classes=["yes", "perhaps", "no"])
    np.testing.assert_array_equal(steps.predict_proba(X3), model.predict_proba(X3))
    assert steps.n_iter_ == 5
    assert steps.loss_curve_ == model.loss_curve_
    with pytest.raises(ValueError, match="y has the class 'never', which is not among classes"):
        steps.partial_fit(X3[:1], ["never"])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        network().partial_fit(X3, LABELS)
    with pytest.raises(ValueError, match=r"partial_fit: solver is 'lbfgs', which takes all"):
        network(solver="lbfgs").partial_fit(X3, LABELS, classes=np.unique(LABELS))


def test_a_warm_start_goes_on():
    model = network(warm_start=True, max_iter=10).fit(X3, LABELS)
    first = model.loss_curve_
    assert model.fit(X3, LABELS).loss_curve_[0] < first[-1] + 0.05
    assert network(max_iter=10).fit(X3, LABELS).loss_curve_ == first
    logistic = ours.LogisticRegression(warm_start=True, compile=False).fit(X3, TWO)
    assert logistic.fit(X3, TWO).n_iter_ < 3


def test_weights_of_classes_are_weights_of_samples():
    balanced = ours.LogisticRegression(class_weight="balanced", compile=False).fit(X3, TWO)
    share = np.mean(TWO == "yes")
    weight = np.where(TWO == "yes", 0.5 / share, 0.5 / (1 - share))
    other = ours.LogisticRegression(compile=False).fit(X3, TWO, weight)
    np.testing.assert_allclose(balanced.coef_, other.coef_, rtol=1e-6)


def test_frames_have_names():
    frame = pd.DataFrame(X3, columns=["a", "b", "c"])
    model = ours.LinearSVC(compile=False).fit(frame, pd.Series(TWO))
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    np.testing.assert_array_equal(
        model.predict(frame), ours.LinearSVC(compile=False).fit(X3, TWO).predict(X3)
    )
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c"]])


@pytest.mark.parametrize("solver", ["sgd", "nesterov", "adamw", "lbfgs"])
def test_solvers_have_names(solver):
    rate = {"learning_rate_init": 0.1 if solver != "adamw" else 0.02}
    model = network(solver=solver, max_iter=99, **rate).fit(X3 / X3.std(axis=0), LABELS)
    assert model.score(X3 / X3.std(axis=0), LABELS) > 0.8
    with pytest.raises(ValueError, match="solver is 'adma', wanted one of 'adam', "):
        network(solver="adma").fit(X3, LABELS)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ours.LogisticRegression(C=0), "LogisticRegression: C is 0, wanted a positive number"),
        (ours.LinearSVC(loss="log"), "loss is 'log', wanted 'squared_hinge' or 'hinge'"),
        (network(alpha=-1), "MLPClassifier: alpha is -1, wanted at least 0"),
        (network(batch_size="all"), "batch_size is 'all', wanted 'auto' or at least 1"),
        (network(early_stopping=True, validation_fraction=1), "validation_fraction is 1, wanted"),
        (ours.MLPClassifier((5, 0)), r"hidden_layer_sizes is \(5, 0\), wanted sizes of at least 1"),
        (ours.ResidualClassifier(0), "width is 0 and depth is 3, wanted at least 1"),
    ],
)
def test_parameters_that_cannot_be_meant(model, words):
    with pytest.raises(ValueError, match=words):
        model.fit(X3, TWO)


def test_weights_and_labels_that_cannot_be_meant():
    model = ours.LogisticRegression(compile=False)
    with pytest.raises(ValueError, match="wanted weights of at least 0, not all 0"):
        model.fit(X3, TWO, -WEIGHTS)
    with pytest.raises(ValueError, match="LogisticRegression: y has 1 class, 'no'; wanted samples"):
        model.fit(X3, ["no"] * 60)


def test_the_network_is_one_of_pullbacks(tmp_path):
    model = network().fit(X3, LABELS)
    assert isinstance(model.network_, pb.nn.Chain)
    pb.save(tmp_path / "net.safetensors", model.network_)
    again = pb.load(tmp_path / "net.safetensors", like=model.network_)
    np.testing.assert_array_equal(again(X3), model.network_(X3))
    folds = StratifiedKFold(2)
    search = GridSearchCV(network(max_iter=3), {"alpha": [0.1, 1.0]}, cv=folds)
    assert search.fit(X3, LABELS).best_params_["alpha"] in (0.1, 1.0)


def test_scikit_learn_is_loaded_by_its_own_module_alone():
    program = (
        "import sys, pullback; assert 'sklearn' not in sys.modules\n"
        "sys.modules['sklearn'] = None\n"
        "try: import pullback.sklearn\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 'pip install "pullback[sklearn]"' in done.stdout
