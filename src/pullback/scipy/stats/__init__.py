"""The functions and distributions of `scipy.stats`."""

from pullback.scipy.stats import continuous, densities, discrete, frozen, moments, quantiles

__all__ = ["continuous", "densities", "discrete", "frozen", "moments", "quantiles"]
