"""All claims in their order."""

from __future__ import annotations

from analysis.claims.catalogue import cooperation, performance, traffic
from analysis.claims.comparison import Claim

CLAIMS: tuple[Claim, ...] = tuple(
    sorted((*performance.CLAIMS, *traffic.CLAIMS, *cooperation.CLAIMS), key=lambda claim: int(claim.id[1:]))
)


def claim(name: str) -> Claim:
    """The claim of an id.

    Raises:
        ValueError: there is none.
    """
    for found in CLAIMS:
        if found.id == name:
            return found
    raise ValueError(f"there is no claim '{name}'; allowed: {', '.join(found.id for found in CLAIMS)}")
