"""Students: teachers out of fold, and texts that only they label."""
