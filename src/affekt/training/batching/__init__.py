"""What a step sees: which texts, as which tokens, in which rows."""
