"""Where items come from: manifests, and corpora that are built on first use."""
