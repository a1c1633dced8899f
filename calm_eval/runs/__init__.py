"""A run: plan, store, stages."""
