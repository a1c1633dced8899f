"""Training: one loop for codecs, language models and students; reads manifest folders or cached frames alone."""
