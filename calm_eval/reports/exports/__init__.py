"""What leaves a run for other tools: one file a format, registered in `make.py`."""
