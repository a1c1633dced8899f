"""Tables as data, built by layouts from a run, and written as Markdown, LaTeX, CSV or a pandas table."""
