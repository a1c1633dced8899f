"""Reading, writing, resampling and checking audio."""
