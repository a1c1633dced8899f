"""How long a run will take: what is left of each piece of work, at the speed of this run and of this machine's past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from calm_eval.runs.speeds import Speed, SpeedBook, add
from calm_eval.runs.work import Left, Name, Piece, pace, slowdown

TENTH = 0.1


class Forecast:
    """Follows a run: what was planned, what is done, how fast it went."""

    def __init__(self, book: SpeedBook, elapsed: Callable[[], float], say: Callable[[str], None]) -> None:
        self.book = book
        self.tenth: float | None = None
        """The forecast of the whole run, in seconds, as told after a tenth."""
        self._elapsed = elapsed
        self._say = say
        self._began = 0.0
        self._pieces: dict[Name, Piece] = {}
        self._done: dict[Name, Speed] = {}
        self._live: dict[str, Speed] = {}
        self._good: dict[str, Speed] = {}
        self._measured = self._foretold = 0.0
        self._waits_for_a_tenth = False

    def plan(self, pieces: Iterable[Piece]) -> None:
        """Begin with these pieces."""
        self._pieces = {piece.name: piece for piece in pieces}
        self._began = self._elapsed()
        self._waits_for_a_tenth = any(piece.count for piece in self._pieces.values() if piece.name[0] != "report")

    def revise(self, pieces: Iterable[Piece]) -> None:
        """These pieces are what is left of their names now, known better than before."""
        for piece in pieces:
            self._pieces[piece.name] = piece
            self._done.pop(piece.name, None)

    def drop(self, *names: Name) -> None:
        """Nothing more comes of these."""
        for name in names:
            self._pieces.pop(name, None)

    def did(
        self, name: Name, seconds: float, *, units: float = 1.0, count: int = 1, good: bool = True, timed: bool = True
    ) -> None:
        """So much of a piece was done in these seconds.

        What is not `good` (a failure) tells nothing of later runs, and what is not `timed` (its time is counted in
        another piece) nothing of any speed.
        """
        piece = self._pieces.get(name)
        if piece is None:
            return
        one = Speed(count, units, seconds)
        self._done[name] = self._done[name] + one if name in self._done else one
        if count and timed:
            add(self._live, piece.speeds(one))
            if good:
                add(self._good, piece.speeds(one))
            then = self.book.past.get(piece.keys[0])
            if good and then is not None and name[0] in ("row", "judge"):
                self._measured += seconds
                self._foretold += then.per_unit * units
        if self._waits_for_a_tenth:
            self._tell_a_tenth()

    def finished(self, name: Name, seconds: float) -> None:
        """All that was left of a piece was done in these seconds."""
        piece, done = self._pieces.get(name), self._done.get(name, Speed(0, 0, 0))
        if piece is not None and piece.count > done.count:
            self.did(name, seconds, units=piece.units - done.units, count=int(piece.count - done.count))

    def keep(self) -> None:
        """Keep the speeds measured so far for later runs."""
        self.book.keep(self._good)

    def left(self) -> Left:
        """What is left of the whole run, all suites and stages."""
        slower = slowdown(self._measured, self._foretold)
        seconds = 0.0
        guessed, unknown = [], []
        for piece in self._pieces.values():
            done = self._done.get(piece.name, Speed(0, 0, 0))
            if piece.count <= done.count:
                continue
            found = pace(piece, self._live, self.book.past, slower)
            if found is None:
                unknown.append(piece.name)
                continue
            seconds += found.per_unit * max(0.0, piece.units - done.units)
            if found.guessed:
                guessed.append(piece.name)
        return Left(seconds, tuple(guessed), tuple(unknown))

    def line(self) -> str:
        """What is left, for a progress line."""
        left = self.left()
        if not left.unknown:
            return f"about {told_seconds(left.seconds)} left in all"
        return f"at least {told_seconds(left.seconds)} left in all ({_unknown_kinds(left)} not yet known)"

    def plan_lines(self) -> list[str]:
        """Samples to make, judge passes, and how long it takes or why that is not known."""
        made = [piece for piece in self._pieces.values() if piece.name[0] == "row" and piece.count]
        judged = [piece for piece in self._pieces.values() if piece.name[0] == "judge" and piece.count]
        most = "at most " if made and judged else ""
        judges = len({piece.name[2] for piece in judged})
        left = self.left()
        lines = [
            f"samples to make: {sum(piece.count for piece in made)} in {_some(len(made), 'row')}",
            f"judge passes to do: {most}{sum(piece.count for piece in judged)} by {_some(judges, 'judge')}",
        ]

        def whose(names: Sequence[Name]) -> str:
            """Rows and judges among these, of all; empty for neither."""
            rows = sum(name[0] == "row" for name in names)
            strange = len({name[2] for name in names if name[0] == "judge"})
            parts = [f"{rows} of {_some(len(made), 'row')}"] if rows else []
            return " and ".join([*parts, *([f"{strange} of {_some(judges, 'judge')}"] if strange else [])])

        guessed = whose(left.guessed)
        likeness = f", {guessed} by the speed of others" if guessed else ""
        if not left.unknown:
            return [*lines, f"time: about {told_seconds(left.seconds)}{likeness}"]
        known = f"; the rest takes about {told_seconds(left.seconds)}{likeness}" if left.seconds else ""
        return [*lines, f"time: no past speed on this machine for {whose(left.unknown) or _unknown_kinds(left)}{known}"]

    def _tell_a_tenth(self) -> None:
        """Once: a tenth of the time where all speeds are known, else a tenth of the samples and passes."""
        left, worked = self.left(), self._elapsed() - self._began
        share = self._share_by_count() if left.unknown else worked / max(worked + left.seconds, 1e-9)
        if share < TENTH:
            return
        self._waits_for_a_tenth = False
        whole = self._elapsed() + left.seconds
        if left.unknown:
            self._say(f"forecast after a tenth: at least {whole:.0f} s in all ({_unknown_kinds(left)} not yet known)")
        else:
            self.tenth = whole
            self._say(f"forecast after a tenth: {whole:.0f} s in all")

    def _share_by_count(self) -> float:
        counted = [piece for piece in self._pieces.values() if piece.name[0] in ("row", "judge")]
        of = sum(piece.count for piece in counted)
        done = sum(self._done[piece.name].count for piece in counted if piece.name in self._done)
        return done / of if of else 1.0


def told_seconds(seconds: float) -> str:
    """Seconds below two minutes, else minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


_KINDS = {"start": "generation", "row": "generation", "load": "judging", "judge": "judging"}


def _unknown_kinds(left: Left) -> str:
    kinds = dict.fromkeys(_KINDS.get(name[0], "measuring and report") for name in left.unknown)
    return ", ".join(kinds)


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
