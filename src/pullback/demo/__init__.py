"""The demo: two networks trained on real data, and a report to look at.

``pullback demo`` runs it. It needs the extra ``demo``: ``pip install "pullback[demo]"``.

* :mod:`pullback.demo.digits`: a residual network that reads handwritten digits;
* :mod:`pullback.demo.hamiltonian`: a residual network that learns the Hamiltonian of a pendulum,
  with :mod:`pullback.demo.integrators`;
* :mod:`pullback.demo.record`: what a run has found; :mod:`pullback.demo.progress`: what it shows
  meanwhile; :mod:`pullback.demo.report`: the page it leaves, drawn by :mod:`pullback.demo.charts`;
* :mod:`pullback.demo.run`: the run itself.
"""
