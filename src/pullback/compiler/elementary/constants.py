"""Constants that have more digits than their dtype: in two parts, the second of which is the rest.

Of a constant that is split the first part has 41 bits only (float32: 15), so that its product with
a whole number of up to 12 bits (9), such as an exponent, is exact.
"""

__all__ = [
    "CBRT_2", "CBRT_HALF", "LN2", "LN2_SPLIT", "LOG2E", "LOG10E", "LOG10_2_SPLIT", "TWO_THIRDS",
]  # fmt: skip

LN2 = {
    "float64": (0.6931471805599453, 2.3190468138462996e-17),
    "float32": (0.6931471824645996, -1.9046542121259336e-09),
}
LN2_SPLIT = {
    "float64": (0.6931471805601177, -1.7239444525614835e-13),
    "float32": (0.693145751953125, 1.428606765330187e-06),
}
LOG2E = {
    "float64": (1.4426950408889634, 2.0355273740931033e-17),
    "float32": (1.4426950216293335, 1.925963033500011e-08),
}
LOG10_2_SPLIT = {
    "float64": (0.3010299956640665, -8.532344317057107e-14),
    "float32": (0.301025390625, 4.605039066518657e-06),
}
LOG10E = {
    "float64": (0.4342944819032518, 1.098319650216765e-17),
    "float32": (0.4342944920063019, -1.0103049952192578e-08),
}
TWO_THIRDS = {
    "float64": (0.6666666666666666, 3.700743415417188e-17),
    "float32": (0.6666666865348816, -1.9868215517249155e-08),
}
CBRT_2 = 1.2599210498948732
CBRT_HALF = 0.7937005259840998
