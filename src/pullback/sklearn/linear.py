"""Linear models: scores W x + b, and the losses that make them regressions and classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from sklearn.utils.validation import check_is_fitted

from pullback.nn import Chain, Dense
from pullback.optim.minimization import Derivatives
from pullback.optim.vectors import flatten
from pullback.sklearn.base import Array, Classifier, Estimator, Regressor, normalised
from pullback.sklearn.objectives import Objective, library

__all__ = [
    "Linear",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "SoftmaxRegression",
    "probabilities",
]


class Linear(Estimator):
    """Base class: one layer W x + b.

    Attributes
    ----------
    coef_ : array, shape (K, n)
        W, with a row for each class; one row for two classes, and for a single target (n,).
    intercept_ : array, shape (K,)
        b.
    """

    @property
    def coef_(self) -> Array:
        """W."""
        check_is_fitted(self, "network_")
        return self.network_.layers[0].W

    @property
    def intercept_(self) -> Array:
        """b."""
        check_is_fitted(self, "network_")
        b = self.network_.layers[0].b
        return np.zeros(len(self.network_.layers[0].W)) if b is None else b

    def _start(self, n: int, outputs: int, W: Array | None = None) -> Any:
        """The network to start from: the last one, where the estimator goes on."""
        before = getattr(self, "network_", None)
        if self.warm_start and before is not None and before.layers[0].W.shape == (outputs, n):
            return before
        W = np.zeros((outputs, n)) if W is None else W
        return Chain([Dense(W, np.zeros(outputs) if self.fit_intercept else None)])


class LinearRegression(Linear, Regressor):
    """ŷ = W x + b with the mean squared error; with a penalty, ridge regression.

    The objective is quadratic: a Newton step with its exact gradient and Hessian ends at its
    minimum, and a second one takes off the first one's rounding errors. Where the minimum isn't
    unique the shortest step is taken, in samples of a common scale.

    Parameters
    ----------
    alpha : float
        λ, of λ‖W‖² beside the sum of squares, as `sklearn.linear_model.Ridge` has it.
    fit_intercept : bool
    compile : bool
        Whether derivatives are compiled.

    Attributes
    ----------
    coef_, intercept_, network_, n_features_in_, feature_names_in_

    Examples
    --------
    >>> import numpy as np
    >>> from pullback.sklearn import LinearRegression
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> LinearRegression().fit(x, 2 * x[:, 0] + 1).predict([[10.0]]).round(6)
    array([21.])
    """

    def __init__(
        self, alpha: float = 0.0, *, fit_intercept: bool = True, compile: bool = True
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.compile = compile

    @property
    def coef_(self) -> Array:
        """W."""
        W = super().coef_
        return W[0] if self._is_flat else W

    @property
    def intercept_(self) -> Array:
        """b."""
        b = super().intercept_
        return b[0] if self._is_flat else b

    def fit(self, X: Array, y: Array, sample_weight: Any = None) -> LinearRegression:
        """Fit to samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)
        y : array, shape (m,) or (m, K)
        sample_weight : array, shape (m,), optional

        Returns
        -------
        LinearRegression
        """
        if not self.alpha >= 0:
            raise ValueError(f"LinearRegression: alpha is {self.alpha}, wanted at least 0")
        X, y, weight = self._samples(X, y, sample_weight)
        total, weight = weight.sum(), normalised(weight)
        objective = Objective("squared_error", True)
        shared = library(objective, "newton") if self.compile else {}
        derivatives = shared.get("derivatives")
        if derivatives is None:
            derivatives = shared["derivatives"] = Derivatives(objective, self.compile)
        # Without a penalty the scale of a column is free, and a common one is best for rounding.
        mean = np.average(X, axis=0, weights=weight) if self.fit_intercept else np.zeros(X.shape[1])
        scale = np.ones(X.shape[1])
        if self.alpha == 0:
            scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
            scale[~(scale > 10 * np.finfo(float).eps * np.abs(mean))] = 1.0
        Z = (X - mean) / scale
        penalty = np.asarray(self.alpha / total)
        W, b = np.zeros((y.shape[1], X.shape[1])), np.zeros(y.shape[1])
        center = np.average(y, axis=0, weights=weight) if self.fit_intercept else b
        for k, target in enumerate((y - center).T):
            intercept = np.zeros(1) if self.fit_intercept else None
            network = Chain([Dense(np.zeros((1, X.shape[1])), intercept)])
            for _ in range(2):
                network = _newton(derivatives, network, (Z, target, weight, penalty))
            W[k] = network.layers[0].W[0] / scale
            if self.fit_intercept:
                b[k] = network.layers[0].b[0] + center[k] - W[k] @ mean
        self.network_ = Chain([Dense(W, b if self.fit_intercept else None)])
        return self

    def predict(self, X: Array) -> Array:
        """The values at samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)

        Returns
        -------
        array, shape (m,) or (m, K)
        """
        return self._values(self._scores(X))


def _newton(derivatives: Derivatives, network: Any, args: tuple[Any, ...]) -> Any:
    """The network after a step to the minimum of the quadratic that is seen from it."""
    vector, unflatten = flatten(network)
    _, gradient = derivatives.value_and_grad(network, *args)
    curvature = derivatives.curvature(network, *args)
    step = scipy.linalg.lstsq(curvature, -flatten(gradient)[0], lapack_driver="gelsd")[0]
    return unflatten(vector + step)


class LogisticRegression(Linear, Classifier):
    """p(y = 1 | x) = σ(wᵀx + b) with the cross entropy; several classes one against the rest.

    Parameters
    ----------
    C : float
        The inverse of the penalty: ½‖W‖² stands beside C times the sum of losses.
    fit_intercept : bool
    class_weight : dict, "balanced" or None
    tol : float
        The largest element of the gradient, of the mean, at which L-BFGS stops.
    max_iter : int
    warm_start : bool
    compile : bool
        Whether the objective and its gradient are compiled.

    Attributes
    ----------
    classes_, coef_, intercept_, network_, n_iter_, loss_curve_, n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from pullback.sklearn import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> bool(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y).score(X, y) > 0.98)
    True
    """

    _loss = "log_loss"

    def __init__(
        self,
        C: float = 1.0,
        *,
        fit_intercept: bool = True,
        class_weight: Any = None,
        tol: float = 1e-4,
        max_iter: int = 100,
        warm_start: bool = False,
        compile: bool = True,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.compile = compile

    def fit(self, X: Array, y: Array, sample_weight: Any = None) -> Any:
        """Fit to samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)
        y : array, shape (m,)
        sample_weight : array, shape (m,), optional

        Returns
        -------
        The estimator.
        """
        if not self.C > 0:
            raise ValueError(f"{type(self).__name__}: C is {self.C}, wanted a positive number")
        X, numbers, weight = self._samples(X, y, sample_weight)
        training = self._fitted(
            self._start(X.shape[1], self._outputs),
            (X, self._targets(numbers), normalised(weight)),
            1 / (self.C * weight.sum()),
            **self._search(),
        )
        self._warn_unless_converged(training)
        return self

    def _search(self) -> dict[str, Any]:
        """The method that finds the minimum."""
        settings = {"gtol": self.tol, "ftol": 64 * np.finfo(float).eps, "maxls": 50}
        return {"method": "L-BFGS-B", "options": settings}

    def predict_proba(self, X: Array) -> Array:
        """The probabilities of classes.

        Parameters
        ----------
        X : array or frame, shape (m, n)

        Returns
        -------
        array, shape (m, K)
        """
        return probabilities(self._scores(X), self._is_softmax)

    def predict_log_proba(self, X: Array) -> Array:
        """Their logarithms."""
        return np.log(self.predict_proba(X))


def probabilities(scores: Array, is_softmax: bool) -> Array:
    """Probabilities of classes from scores (m, K)."""
    if is_softmax:
        shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)
    each = 0.5 * (1 + np.tanh(0.5 * scores))
    if scores.shape[1] == 1:
        return np.column_stack([1 - each, each])
    total = each.sum(axis=1, keepdims=True)
    return np.where(total > 0, each, 1.0) / np.where(total > 0, total, scores.shape[1])


class SoftmaxRegression(LogisticRegression):
    """p(y = k | x) = exp(w_kᵀx + b_k) / Σⱼ exp(w_jᵀx + b_j) with the cross entropy.

    Parameters
    ----------
    C, fit_intercept, class_weight, tol, max_iter, warm_start, compile
        As of `LogisticRegression`.

    Attributes
    ----------
    classes_, coef_, intercept_, network_, n_iter_, loss_curve_, n_features_in_, feature_names_in_
    """

    _loss = "softmax"
    _is_softmax = True

    def _is_single(self, network: Any) -> bool:
        return False


class LinearSVC(Linear, Classifier):
    """The linear support vector machine: hinge loss and ½‖W‖²; of several classes one against all.

    Parameters
    ----------
    C : float
        The inverse of the penalty.
    loss : {"squared_hinge", "hinge"}
        max(0, 1 − y s), or its square, which is smooth.
    fit_intercept : bool
        b is not drawn to zero.
    class_weight : dict, "balanced" or None
    tol : float
        The size of the gradient, of the mean, at which the search stops.
    max_iter : int
    warm_start : bool
    compile : bool
        Whether the objective and its gradient are compiled.

    Attributes
    ----------
    classes_, coef_, intercept_, network_, n_iter_, loss_curve_, n_features_in_, feature_names_in_
    """

    _is_signed = True

    def __init__(
        self,
        C: float = 1.0,
        *,
        loss: str = "squared_hinge",
        fit_intercept: bool = True,
        class_weight: Any = None,
        tol: float = 1e-6,
        max_iter: int = 100,
        warm_start: bool = False,
        compile: bool = True,
    ) -> None:
        self.C = C
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.compile = compile

    @property
    def _loss(self) -> str:  # type: ignore[override]
        if self.loss not in ("hinge", "squared_hinge"):
            raise ValueError(f"LinearSVC: loss is {self.loss!r}, wanted 'squared_hinge' or 'hinge'")
        return self.loss

    fit = LogisticRegression.fit

    def _search(self) -> dict[str, Any]:
        """Newton's method where there is curvature: the squared hinge is piecewise quadratic."""
        if self.loss == "hinge":
            # At the minimum there is a kink, where no gradient vanishes: the value has to settle.
            settings = {"gtol": self.tol, "ftol": 1e-7, "maxls": 50}
            return {"method": "L-BFGS-B", "options": settings}
        return {"method": "trust-ncg", "options": {"gtol": self.tol}}
