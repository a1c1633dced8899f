"""Figures of a run, one file a kind: drawn as SVG and PNG, with a caption that says how."""
