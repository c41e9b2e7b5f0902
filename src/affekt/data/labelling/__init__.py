"""From cells to texts and targets: which layout a table has, and what its labels are."""
