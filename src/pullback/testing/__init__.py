"""Trust: check any derivative against the function it belongs to.

`check` is the entrance; `Report` is what it returns. The parts, from the bottom up:

* :mod:`pullback.testing.directions`: perturbations on the scale of what they perturb, which
  floating-point numbers represent exactly;
* :mod:`pullback.testing.ladder`: values of the function at smaller and smaller steps;
* :mod:`pullback.testing.differences`: the derivative from values of the function alone, with the
  error it may have;
* :mod:`pullback.testing.subject`: a function of pytrees as one of lists of arrays, with names;
* :mod:`pullback.testing.probes`: one direction at one argument;
* :mod:`pullback.testing.forward`, :mod:`pullback.testing.reverse`: the single checks;
* :mod:`pullback.testing.report`: the table.
"""

from pullback.testing.report import Report, Row
from pullback.testing.verification import check

__all__ = ["Report", "Row", "check"]
