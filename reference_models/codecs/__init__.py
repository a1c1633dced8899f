"""Audio to frames and back: a causal audio VAE and an RVQ codec, in a SEANet and in a spectral form."""
