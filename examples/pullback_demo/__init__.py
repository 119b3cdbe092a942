"""The demo: two networks trained on real data, and a report to look at.

``pullback demo`` runs it. It needs the extra ``demo``: ``pip install "pullback[demo]"``.

* :mod:`pullback_demo.digits`: a residual network that reads handwritten digits;
* :mod:`pullback_demo.hamiltonian`: a residual network that learns the Hamiltonian of a pendulum,
  with :mod:`pullback_demo.integrators`;
* :mod:`pullback_demo.record`: what a run has found; :mod:`pullback_demo.progress`: what it shows
  meanwhile; :mod:`pullback_demo.report`: the page it leaves, drawn by :mod:`pullback_demo.charts`;
* :mod:`pullback_demo.run`: the run itself.
"""
