"""The regression gate: a candidate run against an accepted baseline, by a policy, with error rates that are known."""
