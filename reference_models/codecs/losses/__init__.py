"""Training losses of the codecs, one idea a file; `objective.py` beside this folder weighs them."""
