"""The command line: parse, call, print. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calm_eval import (
    __version__,
    baseline_command,
    compare_command,
    environment_command,
    export_command,
    figure_command,
    gate_command,
    latency_command,
    page_command,
    table_command,
)
from calm_eval.errors import CalmEvalError, InputError
from calm_eval.listing import WHAT

if TYPE_CHECKING:
    from calm_eval.runs.order import Order
    from calm_eval.systems.protocol import Value


_COMMANDS = {
    "table": table_command,
    "figure": figure_command,
    "page": page_command,
    "compare": compare_command,
    "baseline": baseline_command,
    "gate": gate_command,
    "export": export_command,
    "latency": latency_command,
    "environments": environment_command,
}
"""Verbs with a file of their own: `HELP`, `add_arguments` and `run`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Returns 0 done or PASS, 1 FAIL or a self-test failed, 2 usage or input error, 3 INCONCLUSIVE,
    4 a judge or system is unavailable.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(words)
    arguments.command_line = shlex.join(["calm-eval", *words])
    try:
        code: int = arguments.call(arguments)
    except CalmEvalError as error:
        print(f"calm-eval: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("calm-eval: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="calm-eval",
        description="Evaluate continuous and discrete audio language models: generate, score, report.",
        epilog="Exit codes: 0 done or PASS, 1 FAIL or a self-test failed, 2 usage or input error, 3 INCONCLUSIVE, 4 a "
        "judge or system is unavailable.",
    )
    parser.add_argument("--version", action="version", version=f"calm-eval {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run = verbs.add_parser("run", help="generate, score and report; the same command resumes")
    run.add_argument("suites", nargs="+", metavar="SUITE", help="suite file, folder of suites, or bundled name")
    _run_options(run)
    run.set_defaults(call=_run)
    generate = verbs.add_parser("generate", help="the first stage of run, on suites or on a run folder")
    generate.add_argument("suites", nargs="+", metavar="SUITE|RUN", help="as for run, or one run folder")
    _run_options(generate)
    generate.set_defaults(call=_generate)
    score = verbs.add_parser("score", help="judge and measure what a run holds, or one folder against another")
    score.add_argument("run", nargs="?", type=Path, metavar="RUN", help="run folder; leave it out for two folders")
    _folder_options(score)
    score.set_defaults(call=_score, stage="score")
    report = verbs.add_parser("report", help="write the tables and plots of a run")
    report.add_argument("run", type=Path, metavar="RUN", help="run folder")
    report.set_defaults(call=_stage, stage="report")
    for name, command in _COMMANDS.items():
        verb = verbs.add_parser(name, help=command.HELP)
        command.add_arguments(verb)
        verb.set_defaults(call=command.run)
    listing = verbs.add_parser("list", help="what there is")
    listing.add_argument(
        "what",
        choices=WHAT,
        help="systems: with the reference models' presets; codecs: their codecs alone",
    )
    listing.set_defaults(call=_list)
    validate = verbs.add_parser("validate", help="check a suite, system, layout or policy file")
    validate.add_argument("files", nargs="+", metavar="FILE")
    validate.set_defaults(call=_validate)
    assets = verbs.add_parser("assets", help="weights and voices: what there is, fetch, verify")
    assets.add_argument("action", choices=("list", "fetch", "verify"))
    assets.add_argument("names", nargs="*", metavar="NAME", help="all when left out")
    assets.add_argument("--suite", action="append", default=[], help="what the judges of this suite need; repeatable")
    assets.set_defaults(call=_assets)
    data = verbs.add_parser("data", help="training corpora: what there is, build")
    data.add_argument("action", choices=("list", "build"))
    data.add_argument("names", nargs="*", metavar="NAME", help="corpora to build")
    data.add_argument("--out", type=Path, metavar="DIR", help="folder of one corpus (default: in the cache)")
    data.set_defaults(call=_data)
    doctor = verbs.add_parser("doctor", help="what can run here, what is missing, how to get it")
    doctor.set_defaults(call=_doctor)
    selftest = verbs.add_parser("selftest", help="closed forms through every metric, golden signals through judges")
    selftest.add_argument("--fetch", action="store_true", help="fetch weights that are not in the cache")
    selftest.set_defaults(call=_selftest)
    train = verbs.add_parser("train", help="train a preset of the reference models; builds what it needs")
    train.add_argument("preset", metavar="PRESET", help="bundled name or preset file with a recipe")
    _train_options(train)
    train.set_defaults(call=_train)
    return parser


def _folder_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--generated", type=Path, metavar="DIR", help="folder of audio to score; a file's name is its id")
    add("--reference", type=Path, metavar="DIR", help="folder of audio to compare it with")
    add("--metrics", metavar="A,B", help="metrics, as NAME or NAME:JUDGE (default: what the input allows)")
    add("--manifest", type=Path, metavar="JSONL", help="texts of the generated clips: rows with id and text")
    add("--out", type=Path, metavar="DIR", help="run folder (default: runs/GENERATED-against-REFERENCE)")
    add("--device", default="cpu", help="cpu, cuda, cuda:1, mps (default: cpu)")
    add("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")


def _train_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", help="folder of the training (default: trainings/PRESET)")
    add("--resume", action="store_true", help="go on from the folder's last saved state")
    add("--minutes", type=float, metavar="N", help="stop cleanly after N minutes of training")
    add("--steps", type=int, metavar="N", help="train N steps instead of the recipe's")
    add("--device", default="cpu", help="cpu, cuda, cuda:1, mps (default: cpu)")
    add("--dtype", default="float32", choices=("float32", "bfloat16"), help="bfloat16: autocast, for GPUs")
    add("--threads", type=int, metavar="N", help="CPU threads (default: torch's)")
    add("--corpus", type=Path, metavar="DIR", help="corpus folder instead of the recipe's own")
    add("--frames", type=Path, metavar="DIR", help="cached frames instead of a corpus")
    add("--codec-checkpoint", type=Path, metavar="FILE", help="codec weights instead of the bundled ones")
    add("--teacher-checkpoint", type=Path, metavar="FILE", help="teacher weights instead of the bundled ones")
    add("--prepare-only", action="store_true", help="build corpus and frames, and stop")


def _run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--systems", nargs="+", metavar="FILE", help="system files or names instead of the suite's own")
    add("--out", type=Path, metavar="DIR", help="run folder (default: runs/<suites>)")
    add("--limit", type=int, metavar="N", help="first N items of each suite (default: as the suite says)")
    add("--full", action="store_true", help="the items and seeds of a full run (default: all items)")
    add("--seeds", type=int, metavar="N", help="seeds 0 to N-1 for each item")
    add("--sweep", nargs="+", default=[], metavar="NAME=V,V", help="grid of sampling parameters")
    add("--reuse", nargs="+", default=[], metavar="RUN", help="take finished samples from earlier runs")
    add("--retry-failed", action="store_true", help="make failed samples again")
    add("--dry-run", action="store_true", help="print the plan and stop")
    add("--device", default="cpu", help="cpu, cuda, cuda:1, mps (default: cpu)")
    add("--dtype", default="float32", help="dtype that systems are asked to use")
    add("--batch-size", type=int, default=1, metavar="N", help="items in one call of a system (default: 1)")
    add("--threads", type=int, metavar="N", help="CPU threads for systems and judges (default: all cores)")
    add("--item-timeout", type=float, metavar="S", help="seconds that one item may take (default: 300)")
    add("--in-process", action="store_true", help="no child process: for debugging a system")


def _order(arguments: argparse.Namespace) -> Order:
    from calm_eval.runs.order import Order, default_threads
    from calm_eval.runs.plan import Wishes
    from calm_eval.systems.engine import Conditions

    for name in ("limit", "seeds", "batch_size", "threads", "item_timeout"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            raise InputError(f"--{name.replace('_', '-')} {value}: must be above 0")
    return Order(
        suites=tuple(arguments.suites),
        wishes=Wishes(arguments.systems, arguments.limit, arguments.full, arguments.seeds, _sweep(arguments.sweep)),
        conditions=Conditions(
            device=arguments.device,
            dtype=arguments.dtype,
            threads=arguments.threads or default_threads(),
            batch_size=arguments.batch_size,
            item_timeout=arguments.item_timeout,
            in_process=arguments.in_process,
        ),
        reuse=tuple(arguments.reuse),
        retry_failed=arguments.retry_failed,
        command=arguments.command_line,
    )


def _sweep(words: Sequence[str]) -> dict[str, list[Value]]:
    from calm_eval.systems.sampling import read_value

    sweep: dict[str, list[Value]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        if not name or not equals or not values.strip(","):
            raise InputError(f"--sweep {word}: expected NAME=VALUE,VALUE")
        if name in sweep:
            raise InputError(f"--sweep {name}: given twice")
        sweep[name] = [read_value(value) for value in values.split(",") if value]
    return sweep


def _folder(arguments: argparse.Namespace) -> Path:
    from calm_eval.runs.order import default_folder

    return arguments.out if arguments.out is not None else default_folder(arguments.suites)


def _run(arguments: argparse.Namespace) -> int:
    from calm_eval.runs.dry_run import dry_run
    from calm_eval.runs.evaluate import evaluate

    order, folder = _order(arguments), _folder(arguments)
    if arguments.dry_run:
        print(dry_run(order, folder))
        return 0
    run = evaluate(order, folder)
    print((folder / "report.md").read_text(encoding="utf-8"))
    print(f"Written: {folder / 'report.md'}, {folder / 'summary.csv'}")
    return _end(run.unavailable)


def _generate(arguments: argparse.Namespace) -> int:
    from calm_eval.runs.database import FILE_NAME
    from calm_eval.runs.dry_run import dry_run
    from calm_eval.runs.evaluate import evaluate
    from calm_eval.runs.order import stored_order

    order, folder = _order(arguments), Path(arguments.suites[0])
    if len(arguments.suites) == 1 and (folder / FILE_NAME).is_file():
        plain = _parser().parse_args(["generate", arguments.suites[0]])
        given = [name for name, value in vars(plain).items() if getattr(arguments, name) != value]
        if set(given) - {"dry_run"}:
            raise InputError(
                f"--{given[0].replace('_', '-')}: a run folder is completed as it was planned; name suites"
            )
        order = stored_order(folder)
    else:
        folder = _folder(arguments)
    if arguments.dry_run:
        print(dry_run(order, folder))
        return 0
    return _end(evaluate(order, folder, stages=("generate",)).unavailable)


def _stage(arguments: argparse.Namespace) -> int:
    from calm_eval.runs.evaluate import evaluate
    from calm_eval.runs.order import stored_order

    run = evaluate(stored_order(arguments.run), arguments.run, stages=(arguments.stage,))
    if arguments.stage == "report":
        print((arguments.run / "report.md").read_text(encoding="utf-8"))
    return _end(run.unavailable)


def _score(arguments: argparse.Namespace) -> int:
    given = [arguments.generated, arguments.reference]
    if arguments.run is not None:
        if any(given):
            raise InputError("score: either a run folder, or --generated and --reference")
        return _stage(arguments)
    if not all(given):
        raise InputError("score: name a run folder, or two folders with --generated and --reference")
    from calm_eval.runs.evaluate import evaluate
    from calm_eval.runs.order import default_threads
    from calm_eval.runs.two_folders import Folders, default_out, folder_order
    from calm_eval.systems.engine import Conditions

    names = tuple(name for name in (arguments.metrics or "").split(",") if name)
    folders = Folders(arguments.generated, arguments.reference, arguments.manifest, names)
    conditions = Conditions(device=arguments.device, threads=arguments.threads or default_threads())
    out = arguments.out if arguments.out is not None else default_out(given)
    run = evaluate(folder_order(folders, out, conditions, arguments.command_line), out)
    print((out / "report.md").read_text(encoding="utf-8"))
    print(f"Written: {out / 'report.md'}, {out / 'summary.csv'}")
    return _end(run.unavailable)


def _end(unavailable: dict[str, str]) -> int:
    for name, why in unavailable.items():
        print(f"calm-eval: {name} is unavailable: {why}", file=sys.stderr)
    return 4 if unavailable else 0


def _list(arguments: argparse.Namespace) -> int:
    from calm_eval.listing import listing

    print(listing(arguments.what))
    return 0


def _validate(arguments: argparse.Namespace) -> int:
    from calm_eval.specs.check import check_file

    for file in arguments.files:
        print(check_file(Path(file)))
    return 0


def _assets(arguments: argparse.Namespace) -> int:
    from calm_eval.assets import commands
    from calm_eval.doctor_suites import suite_assets

    if arguments.action == "list":
        print(commands.list_assets())
        return 0
    of_suites = [name for suite in arguments.suite for name in suite_assets(suite)]
    names = list(dict.fromkeys([*arguments.names, *of_suites]))
    if arguments.suite and not names:
        print("no assets are needed")
        return 0
    if arguments.action == "verify":
        text, good = commands.verify_assets(names)
        print(text)
        return 0 if good else 4
    print(commands.fetch_assets(names))
    return 0


def _data(arguments: argparse.Namespace) -> int:
    from calm_eval.data.corpus import CORPORA, build_corpus, describe_corpora
    from calm_eval.progress import ProgressBar

    if arguments.action == "list":
        print(describe_corpora())
        return 0
    if not arguments.names or (arguments.out is not None and len(arguments.names) > 1):
        raise InputError(f"data build: name {'one corpus' if arguments.names else 'a corpus'}: {', '.join(CORPORA)}")
    for name in arguments.names:
        with ProgressBar(name, "clip") as told:
            print(build_corpus(name, arguments.out, told))
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from calm_eval.doctor import doctor

    print(doctor())
    return 0


def _selftest(arguments: argparse.Namespace) -> int:
    from calm_eval.selftest.run import selftest, told

    outcomes = list(selftest(fetch=arguments.fetch))
    print(told(outcomes))
    return 1 if any(one.failed for one in outcomes) else 0


def _train(arguments: argparse.Namespace) -> int:
    from calm_eval.training import Wish, train_preset

    wishes = {name: value for name, value in vars(arguments).items() if name in Wish.__dataclass_fields__}
    print(train_preset(Wish(**wishes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
