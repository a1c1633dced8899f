"""`calm-eval selftest`: closed forms through every metric, golden signals through every judge that is here."""
