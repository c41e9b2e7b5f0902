"""What a table is like: its faults, its imbalance, its pictures."""
