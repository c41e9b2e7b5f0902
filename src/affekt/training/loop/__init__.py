"""Steps, epochs, reports and orderly ends, over any engine."""
