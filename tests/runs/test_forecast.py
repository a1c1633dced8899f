"""How long a run will take: the arithmetic by hand, and past speeds that survive trouble with their file."""

from __future__ import annotations

import pytest

from calm_eval.runs.forecast import Forecast, told_seconds
from calm_eval.runs.speeds import Speed, SpeedBook
from calm_eval.runs.work import Left, Pace, Piece, pace, slowdown

MACHINE = {"processor": "abacus", "cores": 2}
ROW = ("row", "s", "calm")
JUDGE = ("judge", "s", "ears")


def row(count=100, units=100.0):
    return Piece(ROW, ("near", "far"), count, units, ("family",))


def judge(count=100):
    return Piece(JUDGE, ("ears",), count, count)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def told():
    return []


class Clock:
    """Seconds since the run's start, moved by hand."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def forecast(cache, told, clock):
    """A forecast with a past of these speeds, and `work(name, count, seconds each)`."""

    def make(pieces, **past):
        book = SpeedBook(MACHINE, told.append)
        book.past.update(past)
        one = Forecast(book, clock, told.append)
        one.plan(pieces)
        return one

    return make


def work(forecast, clock, name, count, each):
    for _ in range(count):
        clock.seconds += each
        forecast.did(name, each)


@pytest.mark.parametrize(
    ("live", "past", "slower", "speed"),
    [
        ({}, {"near": Speed(3, 6.0, 12.0)}, 1.5, 3.0),  # 2 s a unit, half as slow again
        ({"near": Speed(2, 6.0, 12.0)}, {}, 1.5, 2.0),  # this run needs no correction
        # Two pieces of 3 units took 12 s; the past, 5 s a unit, weighs as four such pieces: (12 + 60) / (6 + 12).
        ({"near": Speed(2, 6.0, 12.0)}, {"near": Speed(9, 9.0, 45.0)}, 1.0, 4.0),
        ({"far": Speed(1, 1.0, 9.0)}, {"near": Speed(1, 1.0, 2.0)}, 1.0, 2.0),  # nearest likeness first
        ({"family": Speed(5, 5.0, 20.0)}, {}, 1.0, Pace(4.0, guessed=True)),
        # 7 s a piece of the same kind, and a piece of 0.5 units.
        ({"any/row": Speed(2, 2, 14.0), "any/judge": Speed(2, 2, 1.0)}, {}, 1.0, Pace(14.0, guessed=True)),
        ({"other": Speed(5, 5.0, 20.0)}, {"other": Speed(5, 5.0, 20.0)}, 1.0, None),
    ],
)
def test_pace_of_a_piece(live, past, slower, speed):
    assert pace(row(100, 50.0), live, past, slower) == (Pace(speed) if isinstance(speed, float) else speed)


def test_slowdown_is_drawn_to_one_while_little_is_done():
    assert slowdown(0, 0) == 1
    assert slowdown(20, 10) == 1.5  # (20 + 10) / (10 + 10)
    assert slowdown(2e6, 1e6) == pytest.approx(2, abs=1e-4)


def test_at_the_speed_of_the_past_the_forecast_is_exact_from_the_start(forecast, clock, told):
    clock.seconds = 7.0
    one = forecast([row(40, 80.0), judge(20)], near=Speed(1, 1.0, 0.5), ears=Speed(1, 1.0, 3.0))
    assert one.left() == Left(80 * 0.5 + 20 * 3.0)
    for _ in range(40):
        clock.seconds += 1.0
        one.did(ROW, 1.0, units=2.0)
    work(one, clock, JUDGE, 20, 3.0)
    assert one.left() == Left(0.0)
    assert told == ["forecast after a tenth: 107 s in all"]  # 7 s before, 40 s of samples, 60 s of judging
    assert one.tenth == pytest.approx(clock.seconds)


def test_a_slower_run_is_noticed(forecast, clock, told):
    one = forecast([row()], near=Speed(5, 5.0, 5.0))
    work(one, clock, ROW, 9, 1.2)
    assert told == []  # 10.8 s of 10.8 + 106.25: below a tenth
    work(one, clock, ROW, 1, 1.2)
    # 12 s where 10 were foretold: 22 / 20 slower. (12 + 4 * 1.1) / (10 + 4) s for each of 90.
    assert one.tenth == pytest.approx(12 + 90 * 16.4 / 14)
    assert told == ["forecast after a tenth: 117 s in all"]


def test_a_piece_whose_time_is_counted_elsewhere_tells_no_speed(forecast, clock):
    one = forecast([row(3, 3.0)])
    one.did(ROW, 0.0, timed=False)
    assert one.left() == Left(0.0, unknown=(ROW,))
    one.did(ROW, 2.0)
    assert one.left() == Left(2.0)


def test_other_work_is_as_much_slower(forecast, clock):
    one = forecast([row(20, 20.0), judge(5)], near=Speed(5, 5.0, 5.0), ears=Speed(1, 1.0, 4.0))
    work(one, clock, ROW, 20, 2.0)
    assert one.left() == Left(pytest.approx(5 * 4.0 * 50 / 30))


def test_what_is_not_known_is_named(forecast, clock, told):
    one = forecast([row(50, 50.0), judge(50)])
    assert one.plan_lines() == [
        "samples to make: 50 in 1 row",
        "judge passes to do: at most 50 by 1 judge",
        "time: no past speed on this machine for 1 of 1 row and 1 of 1 judge",
    ]
    work(one, clock, ROW, 10, 2.0)  # a tenth of the 100 samples and passes; 40 more of 2 s are foreseen
    assert told == ["forecast after a tenth: at least 100 s in all (judging not yet known)"]
    assert one.line() == "at least 80 s left in all (judging not yet known)"
    assert one.tenth is None


def test_a_row_that_was_not_started_goes_by_its_family_and_a_dropped_one_costs_nothing(forecast, clock):
    other = Piece(("row", "s", "calm steps=8"), ("new",), 6, 6.0, ("family",))
    one = forecast([row(4, 4.0), other])
    work(one, clock, ROW, 4, 3.0)
    assert one.left() == Left(18.0, guessed=(other.name,))
    assert one.plan_lines()[-1] == "time: about 18 s, 1 of 2 rows by the speed of others"
    one.drop(other.name)
    assert one.left() == Left(0.0)


def test_passes_are_counted_anew_when_the_sounds_are_there(forecast, clock):
    one = forecast([judge(50)], ears=Speed(1, 1.0, 2.0))
    one.revise([judge(30)])
    assert one.left() == Left(60.0)


def test_told_seconds():
    assert [told_seconds(one) for one in (0.4, 119.0, 120.0, 1000.0)] == ["0 s", "119 s", "2 min", "17 min"]


def test_speeds_are_kept_and_the_old_ones_weigh_half(forecast, cache, clock, told):
    first = forecast([row()])
    work(first, clock, ROW, 4, 2.0)
    first.did(ROW, 500.0, good=False)  # a failure says nothing of the next run
    first.keep()
    second = forecast([row()])
    assert second.book.past == dict.fromkeys(("near", "far", "family", "any/row"), Speed(4, 4, 8))
    work(second, clock, ROW, 2, 1.0)
    second.keep()
    second.keep()  # again, with nothing new
    assert SpeedBook(MACHINE, told.append).past["near"] == Speed(2 + 2, 2 + 2, 4 + 2)
    assert SpeedBook({**MACHINE, "cores": 4}, told.append).past == {}


def test_two_runs_at_a_time_keep_both_their_speeds(cache, told):
    one, two = SpeedBook(MACHINE, told.append), SpeedBook(MACHINE, told.append)
    one.keep({"a": Speed(1, 1, 1)})
    two.keep({"b": Speed(1, 1, 2)})
    assert SpeedBook(MACHINE, told.append).past == {"a": Speed(1, 1, 1), "b": Speed(1, 1, 2)}
    assert [path.suffix for path in (cache / "speeds").iterdir()] == [".json"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"speeds": {"near": [1, 0, 5, "2026"]}}',
        '{"speeds": {"near": [1, 1, NaN, "2026"]}}',
        '{"speeds": {"near": [1]}}',
        "\x80",
    ],
)
def test_a_damaged_file_is_named_and_moved_aside(cache, told, text):
    book = SpeedBook(MACHINE, told.append)
    book.keep({"near": Speed(1, 1, 1)})
    book.path.write_bytes(text.encode("latin-1"))
    again = SpeedBook(MACHINE, told.append)
    assert again.past == {}
    assert len(told) == 1
    assert str(book.path) in told[0]
    assert book.path.with_suffix(".damaged").read_bytes() == text.encode("latin-1")
    again.keep({"near": Speed(1, 1, 3)})
    assert SpeedBook(MACHINE, told.append).past == {"near": Speed(1, 1, 3)}


def test_a_cache_that_cannot_be_written_is_said_once(cache, told):
    cache.mkdir()
    book = SpeedBook(MACHINE, told.append)
    (cache / "speeds").write_text("a file where the folder should be")
    book.keep({"near": Speed(1, 1, 1)})
    book.keep({"near": Speed(2, 2, 2)})
    assert len(told) == 1
    assert str(cache / "speeds") in told[0]
