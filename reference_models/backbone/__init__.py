"""One causal transformer for every use: backbone, short context, and inside the codecs."""
