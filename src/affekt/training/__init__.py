"""Training: recipes, losses, engines, the loop, and the folder that comes out of it."""
