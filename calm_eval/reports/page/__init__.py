"""One folder to listen to: tables, figures, and every item's systems side by side; opens from disk."""
