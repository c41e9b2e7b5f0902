"""Train and dev, or folds, and writing them in the table's own format."""
