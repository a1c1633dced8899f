"""Intervals, and later paired tests, non-inferiority and multiple comparisons."""
