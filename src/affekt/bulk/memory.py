"""How Arrow takes memory: a choice for a whole process, so programs make it, not functions."""

import pyarrow as pa


def spare_memory() -> None:
    """Let Arrow take memory from the system and give it back at once, which costs little and keeps jobs small."""
    pa.set_memory_pool(pa.system_memory_pool())
