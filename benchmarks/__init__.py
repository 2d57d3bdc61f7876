"""How fast the suite is, and against what.

``python -m benchmarks`` measures, ``python -m benchmarks.cost`` turns the measurements into core-hours.
"""
