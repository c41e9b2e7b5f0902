"""How many processors this process may really use: affinity and container limits, not what the machine has."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Processors that this process may keep busy: at least 1.

    The smaller of the scheduler's affinity mask and the control group's quota (version 2 or 1), rounded up.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota_v2(cgroup / "cpu.max") or _quota_v1(cgroup / "cpu")
    return max(1, affinity if quota is None else min(affinity, quota))


def _quota_v2(path: Path) -> int | None:
    words = _words(path)
    return _ceil_ratio(words[0], words[1]) if len(words) == 2 else None


def _quota_v1(folder: Path) -> int | None:
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    return _ceil_ratio(quota[0], period[0]) if quota and period else None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def _ceil_ratio(quota: str, period: str) -> int | None:
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    return -(-int(quota) // int(period))
