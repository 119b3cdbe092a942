"""The models and networks as estimators of scikit-learn.

They are fitted, searched over, put into pipelines, cloned and pickled as scikit-learn's own::

    from pullback.sklearn import MLPClassifier
    search = GridSearchCV(make_pipeline(StandardScaler(), MLPClassifier()), grid).fit(X, y)

What is fitted is a network of `pullback.nn`, the attribute `network_`, by methods of
`pullback.optim`; steps and objectives are compiled unless ``compile=False`` says otherwise. It
needs the extra ``sklearn``: ``pip install "pullback[sklearn]"``.
"""

try:
    import sklearn as _sklearn
except ImportError as error:
    raise ImportError(
        "pullback.sklearn needs scikit-learn, which isn't installed; write "
        'pip install "pullback[sklearn]"'
    ) from error

from pullback.sklearn.linear import (
    LinearRegression,
    LinearSVC,
    LogisticRegression,
    SoftmaxRegression,
)
from pullback.sklearn.multilayer import MLPClassifier, MLPRegressor
from pullback.sklearn.perceptron import Perceptron
from pullback.sklearn.residual import ResidualClassifier, ResidualRegressor

__all__ = [
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
    "ResidualClassifier",
    "ResidualRegressor",
    "SoftmaxRegression",
]

del _sklearn
