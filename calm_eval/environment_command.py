"""`calm-eval environments`: interpreters of their own for packages that clash with calm-eval's."""

from __future__ import annotations

import argparse

HELP = "interpreters of their own for packages that clash: list them, make one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("what", nargs="?", choices=("list", "make"), default="list", help="list (default) or make")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of an environment to make")


def run(arguments: argparse.Namespace) -> int:
    """Returns 0. Raises InputError for an unknown name, UnavailableError when pip fails."""
    from calm_eval.errors import InputError
    from calm_eval.judges.environments import find_environment, load_environments, make_environment

    if arguments.what == "list":
        if arguments.names:
            raise InputError(f"to make it: calm-eval environments make {' '.join(arguments.names)}")
        for one in load_environments().values():
            state = f"made: {one.folder}" if one.made else one.told
            print(f"{one.name}  {one.package} {one.version}  {state}")
        return 0
    if not arguments.names:
        raise InputError(f"name what to make: {', '.join(load_environments())}")
    for one in [find_environment(name) for name in arguments.names]:
        print(f"{one.name}: {make_environment(one)}")
    return 0
