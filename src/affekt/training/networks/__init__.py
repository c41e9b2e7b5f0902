"""What is trained: stock classifiers, and what is added to them or merged again."""
