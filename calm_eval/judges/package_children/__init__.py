"""Scripts that run a package in its own interpreter: NumPy and that package are all that they may import."""
