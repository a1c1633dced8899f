"""What users write, as YAML: suites and systems, validated before any compute."""
