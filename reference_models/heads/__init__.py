"""Heads: from the condition Z of one frame to its latent or its codes. One file each, one protocol."""
