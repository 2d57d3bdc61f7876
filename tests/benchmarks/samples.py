"""A made-up machine."""

from typing import Any

MACHINE: dict[str, Any] = {
    "hardware": {"processor": "Abacus", "cores": 2},
    "versions": {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"},
    "threads": 1,
    "usable_cores": 2,
    "load_average": [0.1, 0.2, 0.3],
    "date": "2026-01-01T00:00:00Z",
}
