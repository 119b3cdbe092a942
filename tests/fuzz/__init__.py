"""Generators of programs and calls that run for as long as they are given: `make fuzz`.

Each module has ``run(seconds, seed)``, which prints what is wrong, in a form that can be run again,
and returns how often that was. The suite runs a fixed sample of each.
"""
