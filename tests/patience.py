"""How long tests wait for what real processes do."""

from __future__ import annotations

PATIENCE_S = 100.0
"""For what takes a second or two where nothing else runs. Waiting longer costs nothing when all is well, and
a machine that is busy with something else may stand still for half a minute."""

NEVER_S = 10 * PATIENCE_S
"""A limit of the product that must not be what ends a wait: no test has so much patience."""
