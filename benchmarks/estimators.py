"""The command: ``python -m benchmarks estimators``, the estimators beside scikit-learn's own.

Each pair is searched over the same grid in the same pipeline, with the same folds, and then fitted
by turns in one process. Scores are means over the folds, of the best of the grid; times are of the
processor, medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.choice import choose
from benchmarks.report import machine

__all__ = ["PAIRS", "Comparison", "compare", "main"]


def _pairs() -> dict[str, tuple[str, Callable[[], Any], Callable[[], Any], dict[str, list[float]]]]:
    """Data, our estimator, theirs, and the grid, by name."""
    # They are there where scikit-learn is.
    from sklearn import linear_model, neural_network, svm

    import pullback.sklearn as ours

    net: dict[str, Any] = {"random_state": 0, "max_iter": 200}
    decay, strong = {"alpha": [1e-3, 0.1, 10.0]}, {"alpha": [1.0, 30.0, 300.0]}
    strength = {"C": [0.01, 0.1, 1.0]}
    logistic = linear_model.LogisticRegression
    mlp, regressor = neural_network.MLPClassifier, neural_network.MLPRegressor
    return {
        "diabetes-ridge": (
            "diabetes", ours.LinearRegression, linear_model.Ridge, {"alpha": [0.1, 1.0, 10.0]}
        ),
        "diabetes-network": (
            "diabetes", lambda: ours.MLPRegressor(**net),
            lambda: regressor(**net, learning_rate_init=1e-2), strong,
        ),
        "diabetes-residual": (
            "diabetes", lambda: ours.ResidualRegressor(**net),
            lambda: regressor(**net, learning_rate_init=1e-2), strong,
        ),
        "cancer-logistic": ("breast_cancer", ours.LogisticRegression, logistic, strength),
        "cancer-perceptron": (
            "breast_cancer", lambda: ours.Perceptron(random_state=0),
            lambda: linear_model.Perceptron(random_state=0), {"alpha": [1e-4, 1e-3]},
        ),
        "wine-softmax": ("wine", ours.SoftmaxRegression, logistic, strength),
        "wine-residual": (
            "wine", lambda: ours.ResidualClassifier(**net), lambda: mlp(**net), decay
        ),
        "digits-softmax": ("digits", ours.SoftmaxRegression, logistic, strength),
        "digits-svm": ("digits", ours.LinearSVC, svm.LinearSVC, {"C": [0.001, 0.01, 0.1]}),
        "digits-network": ("digits", lambda: ours.MLPClassifier(**net), lambda: mlp(**net), decay),
    }  # fmt: skip


PAIRS = (
    "diabetes-ridge", "diabetes-network", "diabetes-residual", "cancer-logistic",
    "cancer-perceptron", "wine-softmax", "wine-residual", "digits-softmax", "digits-svm",
    "digits-network",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What a pair came to.

    Attributes
    ----------
    name, ours, theirs : str
    score, their_score : float
        Accuracies, or R².
    first : float
        Seconds of our first fit, with what it compiles.
    seconds, their_seconds : list of float
        Of each fit after that.
    """

    name: str
    ours: str
    theirs: str
    score: float
    their_score: float
    first: float
    seconds: list[float]
    their_seconds: list[float]

    @property
    def ratio(self) -> float:
        """How many times as long ours takes."""
        return statistics.median(self.seconds) / statistics.median(self.their_seconds)


def compare(name: str, rounds: int, folds: int) -> Comparison:
    """Search over the grid with each of a pair, then fit them by turns."""
    from sklearn import datasets
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data, *makers, grid = _pairs()[name]
    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    scores, best, titles, first = [], [], [], 0.0
    for number, make in enumerate(makers):
        pipeline = make_pipeline(StandardScaler(), make())
        step, estimator = pipeline.steps[-1]
        titles.append(type(estimator).__name__)
        if number == 0:
            first = _seconds(pipeline, X, y)
        search = GridSearchCV(pipeline, {f"{step}__{k}": v for k, v in grid.items()}, cv=folds)
        search.fit(X, y)
        scores.append(float(search.best_score_))
        best.append(search.best_estimator_)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for pipeline, taken in zip(best, times, strict=True):
            taken.append(_seconds(pipeline, X, y))
    return Comparison(name, *titles, *scores, first, *times)


def _seconds(pipeline: Any, X: Any, y: Any) -> float:
    start = time.process_time()
    pipeline.fit(X, y)
    return time.process_time() - start


def main(arguments: Sequence[str]) -> int:
    """Compare, print a table and write the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks estimators",
        description="Scores and times of fits of the estimators beside scikit-learn's own.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PAIRS)}")
    parser.add_argument("--rounds", type=int, default=7, help="fits of each (7)")
    parser.add_argument("--folds", type=int, default=5, help="folds of the search (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(arguments)
    chosen = choose(parser, options.names, PAIRS)
    print("; ".join(f"{key} {value}" for key, value in machine().items()), end="\n\n")
    print(f"{'':18} {'ours':19} {'score':>6} {'its':>6} {'fit, s':>8} {'÷ its':>6} {'first':>6}")
    found = []
    for name in chosen:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a search meets settings that don't converge
            each = compare(name, options.rounds, options.folds)
        found.append(each)
        print(
            f"{name:18} {each.ours:19} {each.score:6.3f} {each.their_score:6.3f} "
            f"{statistics.median(each.seconds):8.4f} {each.ratio:6.2f} {each.first:6.2f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps([*map(asdict, found)], indent=1), encoding="utf-8")
    return 0
