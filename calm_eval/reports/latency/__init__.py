"""What is written of a latency measurement: tables, figures, and values for machines."""
