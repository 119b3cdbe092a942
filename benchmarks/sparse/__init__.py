"""Sparse Jacobians and Hessians beside CasADi and asdex: patterns, preparation, values, growth."""
