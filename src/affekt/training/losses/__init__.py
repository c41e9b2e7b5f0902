"""What is minimised: losses, their terms, and the objective of a batch."""
