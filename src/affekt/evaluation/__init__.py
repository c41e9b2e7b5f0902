"""Measuring a model: metrics, their intervals, comparisons, and what the labels themselves are worth."""
