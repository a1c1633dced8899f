"""The language models: CALM, the RQ-Transformer and the MusicGen-style delay pattern."""
