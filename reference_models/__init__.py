"""Reference audio language models: CALM variants and the discrete baselines, with their codecs.

Knows nothing of the harness, except `adapter.py`, which serves any preset as a system.
"""
