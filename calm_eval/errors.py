"""The errors a user can act on, each with the exit code the command line returns for it."""

from __future__ import annotations


class CalmEvalError(Exception):
    """Base of every error that calm-eval raises on purpose: says what was wrong, where, and what to do next."""

    exit_code = 1


class InputError(CalmEvalError):
    """What the user gave is wrong: a file, a key, a value, a command line."""

    exit_code = 2


class UnavailableError(CalmEvalError):
    """A judge, a system or an asset cannot be had here: a missing extra, no network, a wrong checksum."""

    exit_code = 4


class StoreError(CalmEvalError):
    """The run folder cannot be used: locked by another process, not writable, disk full, from a newer version."""

    exit_code = 2
