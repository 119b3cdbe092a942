"""Constants that have more digits than a float64: in two parts, the second of which is the rest.

Of a constant that is split the first part has 41 bits only, so that its product with a whole number
of up to 12 bits, such as an exponent, is exact.
"""

__all__ = [
    "CBRT_2", "CBRT_4", "LN2", "LN2_SPLIT", "LOG2E", "LOG2E_PAIR", "LOG10E_PAIR", "LOG10_2_SPLIT",
    "TWO_THIRDS",
]  # fmt: skip

LOG2E = 1.4426950408889634
LN2 = (0.6931471805599453, 2.3190468138462996e-17)
LN2_SPLIT = (0.6931471805601177, -1.7239444525614835e-13)
LOG2E_PAIR = (1.4426950408889634, 2.0355273740931033e-17)
LOG10_2_SPLIT = (0.3010299956640665, -8.532344317057107e-14)
LOG10E_PAIR = (0.4342944819032518, 1.098319650216765e-17)
TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
CBRT_2 = 1.2599210498948732
CBRT_4 = 1.5874010519681996
