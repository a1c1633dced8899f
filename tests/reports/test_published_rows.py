"""Published rows: the bundled ones against values typed from the papers' notes, each error of a file, the table."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from calm_eval.errors import InputError
from calm_eval.metrics import METRICS
from calm_eval.reports import published
from calm_eval.reports.published import COLUMNS, load_published, published_for, published_frame
from calm_eval.reports.published_table import printed, published_block
from calm_eval.specs import locate

SUITES = {
    "paper/calm_speech_continuation", "paper/librispeech_pc", "paper/seed_tts_en", "paper/pocket_tts",
    "paper/music_continuation", "paper/musiccaps", "paper/song_describer", "paper/audiocaps",
}  # fmt: skip

BY_HAND = [
    # table, system, variant, metric, as printed
    ("CALM Table 1", "VQ-VAE (Mimi)", "8 RVQ, 12.5 Hz, 1.1 kbit/s", "acoustic quality", "57.7 ± 1.3"),
    ("CALM Table 1", "VAE", "32 dims, 12.5 Hz", "ABX", "8.1"),
    ("CALM Table 2", "reference", "", "PPX", "20.2"),
    ("CALM Table 2", "RQ-Transformer", "8 RVQ, temperature 0.8", "VERT", "33.1"),
    ("CALM Table 2", "CALM, consistency", "1 step, temperature 0.8", "meaningfulness Elo", "2023 ± 27"),
    ("CALM Table 2", "CALM, consistency", "1 step, temperature 1.0", "sampler speed-up", "12.3"),
    ("CALM Table 3", "SALAD", "NFE 20, 350M parameters", "CER", "0.74"),
    ("CALM Table 3", "CALM, LSD", "NFE 1, CFG 1.5, 313M parameters", "WER", "1.81"),
    ("CALM Table 3", "reference through the VAE", "", "SIM", "0.57"),
    ("CALM Table 3", "F5-TTS", "NFE 32, 336M parameters", "WER", "2.42"),
    ("CALM Table 4", "CALM, TrigFlow", "100 steps", "head time", "86.6"),
    ("CALM Table 4", "CALM, consistency", "4 steps", "FAD", "0.71 ± 0.05"),
    ("CALM Table 4", "RQ-Transformer", "16 RVQ", "rank", "5"),
    ("CALM Table 4", "MusicGen medium", "retrained on the same data", "acoustic MOS", "2.62 ± 0.07"),
    ("CALM Table 6", "CALM, consistency, 4 steps", "without short-context transformer", "FAD", "4.03 ± 0.16"),
    ("CALM Table 7", "VAE", "96 dims, 25 Hz", "SI-SNR", "9.76"),
    ("CALM Table 7", "EnCodec", "4 RVQ, 50 Hz, 2.2 kbit/s", "ViSQOL", "2.41"),
    ("CALM Table 9", "RQ-Transformer, 32 RVQ", "3B backbone", "FAD", "0.98 ± 0.06"),
    ("CALM Table 12", "MusicLM", "", "FAD", "4.00"),
    ("CALM Table 12", "CALM, consistency", "4 steps", "KLD", "1.30"),
    ("CALM Table 13", "F5-TTS", "336M parameters, not faster than real time on a CPU", "WER", "2.21"),
    (
        "CALM Table 13",
        "Chatterbox Turbo",
        "350M parameters, not faster than real time on a CPU",
        "audio quality Elo",
        "2055",
    ),
    ("Pocket TTS training evaluation", "Pocket TTS, released English", "6 layers, CFG 1", "UTMOS", "4.36"),
    (
        "Pocket TTS training evaluation",
        "Pocket TTS, distilled student",
        "6 layers, from the 31,700-h teacher",
        "WER",
        "0.76",
    ),
    ("Pocket TTS README, speed", "Pocket TTS", "MacBook Air M4, 2 cores", "first audio", "200"),
    ("Pocket TTS quantization", "Pocket TTS", "int8", "WER change", "-0.022 ± 0.032"),
    ("Pocket TTS quantization", "Pocket TTS", "int8, Apple M4", "audio seconds per second", "7.76"),
    ("F5-TTS Table 1", "reference", "", "UTMOS", "4.09"),
    ("MusicGen model cards", "MusicGen", "melody", "chroma cosine", "0.44"),
    ("AudioGen model card", "AudioGen", "medium, 1.5B parameters", "KLD", "1.58"),
    ("AudioMNTP stated results", "AudioMNTP Large", "against AudioGen Large", "relative FAD change", "-33"),
    ("AudioCALM Table 1, LibriTTS test-clean", "UniAudio", "", "WER", "0.120"),
    ("AudioCALM Table 1, Seed-TTS en", "CosyVoice 3.0", "", "SIM", "0.695"),
    ("AudioCALM Table 2, AudioCaps", "TangoFlux", "", "MOS-T", "3.85 ± 0.08"),
    ("AudioCALM Table 2, Song Describer", "UniAudio", "", "FAD", "11.25"),
    ("AudioCALM Table 3, sound", "AudioCALM, sound training", "with speech added", "FAD", "3.30"),
    ("AudioCALM Table 3, music", "AudioCALM ablation (b)", "continuous flow head", "FAD", "3.45"),
]


def test_values_by_hand_from_every_table() -> None:
    rows = load_published()
    shown = {row.key: printed(row) for row in rows}
    for table, system, variant, metric, text in BY_HAND:
        assert shown[table, system, variant, metric] == text
    assert {row.table for row in rows} == {table for table, *_ in BY_HAND}


def test_bundled_suites_metrics_and_directions() -> None:
    rows = load_published()
    assert {row.suite for row in rows} == SUITES | {""}
    known = METRICS.targets()
    assert {row.our_metric for row in rows} - {""} <= set(known)
    for row in rows:
        spec = getattr(METRICS.load(row.our_metric), "spec", None) if row.our_metric else None
        assert spec is None or spec.higher_is_better == row.higher_is_better, row


def test_an_interval_as_printed_is_around_its_value() -> None:
    with_interval = [row for row in load_published() if row.low is not None]
    assert len(with_interval) > 80
    for row in with_interval:
        assert row.low < row.value < row.high
        assert math.isclose(row.high - row.value, row.value - row.low, abs_tol=1e-9)


def test_two_protocols_of_one_system_stay_apart() -> None:
    f5 = {row.table: row for row in load_published() if row.system == "F5-TTS" and row.metric == "WER"}
    assert f5["CALM Table 3"].suite != f5["CALM Table 13"].suite
    assert "Table 13" in f5["CALM Table 3"].note
    assert "Table 3" in f5["CALM Table 13"].note
    assert f5["AudioCALM Table 1, Seed-TTS en"].unit == "fraction"


def test_rows_of_a_suite_and_frame() -> None:
    rows = published_for("paper/musiccaps")
    assert {row.table for row in rows} == {"CALM Table 12", "MusicGen model cards"}
    assert published_for("mini/tts") == []
    frame = published_frame(rows)
    assert list(frame.columns) == list(COLUMNS)
    assert frame.loc[frame["system"] == "MusicLM", "value"].tolist() == [4.0]
    assert frame["low"].isna().all()
    assert frame["higher_is_better"].dtype == bool
    assert len(published_frame()) == len(load_published())
    assert list(published_frame([]).columns) == list(COLUMNS)


def test_an_installed_package_has_its_own_copy(tmp_path, monkeypatch) -> None:
    package = tmp_path / "calm_eval"
    (package / "bundled_published").mkdir(parents=True)
    monkeypatch.setattr(locate, "__file__", str(package / "specs" / "locate.py"))
    assert published.bundled_published() == package / "bundled_published"
    (package / "bundled_published").rmdir()
    assert published.bundled_published() == tmp_path / "reports" / "published"


ONE = {
    "table": "P Table 1", "task": "tts", "suite": "paper/x", "system": "A", "variant": "", "metric": "WER",
    "our_metric": "wer", "value": "2.50", "low": "", "high": "", "unit": "%", "higher_is_better": "false",
    "protocol": "data; judge", "source": "P (2026), Table 1", "evidence": "primary", "note": "",
}  # fmt: skip


def write(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS, name: str = "a.csv") -> Path:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**ONE, **row} for row in rows)
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "2,5"}, "value '2,5' is not a number"),
        ({"value": ""}, "value '' is not a number"),
        ({"value": "nan"}, "value 'nan' is not a number"),
        ({"value": "1e3"}, "value '1e3' is not a number"),
        ({"value": "x1.3"}, "value 'x1.3' is not a number"),
        ({"low": "2.4", "high": "±0.1"}, "high '±0.1' is not a number"),
        ({"low": "2.4"}, "both 'low' and 'high'"),
        ({"low": "2.6", "high": "2.7"}, "the value 2.5 is not between low 2.6 and high 2.7"),
        ({"evidence": "hearsay"}, "evidence 'hearsay' is none of primary, secondary"),
        ({"evidence": ""}, "evidence '' is none of"),
        ({"task": "speech"}, "task 'speech' is none of speech_continuation"),
        ({"higher_is_better": "yes"}, "higher_is_better 'yes' is none of true, false"),
        ({"source": " "}, "'source' is empty"),
        ({"table": ""}, "'table' is empty"),
        ({"unit": ""}, "'unit' is empty"),
        ({"protocol": ""}, "'protocol' is empty"),
        ({"system": "A"}, r"'P Table 1 / A /  / WER' stands twice \(first in .*a\.csv:2\)"),
        ({"unit": "fraction"}, "another unit or direction"),
        ({"higher_is_better": "true"}, "another unit or direction"),
    ],
)
def test_errors_name_file_and_line(tmp_path, change, message) -> None:
    folder = write(tmp_path, {}, {"system": "B", **change})
    with pytest.raises(InputError, match=message) as caught:
        load_published(folder)
    assert str(caught.value).startswith(f"{tmp_path / 'a.csv'}:3: ")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((*COLUMNS, "p_value"), "unknown column 'p_value'"),
        (tuple(name for name in COLUMNS if name != "note"), "missing column 'note'"),
        ((*COLUMNS, "unit"), "double column 'unit'"),
    ],
)
def test_errors_of_the_header(tmp_path, columns, message) -> None:
    with pytest.raises(InputError, match=rf"a\.csv:1: {message}"):
        load_published(write(tmp_path, {}, columns=columns))


def test_errors_of_files(tmp_path) -> None:
    with pytest.raises(InputError, match="no published rows"):
        load_published(tmp_path)
    path = tmp_path / "a.csv"
    path.write_text("")
    with pytest.raises(InputError, match=r"a\.csv:1: missing column 'table'"):
        load_published(tmp_path)
    path.write_text(",".join(COLUMNS) + "\na,b\n")
    with pytest.raises(InputError, match=r"a\.csv:2: 2 cells, but the header has 16 columns"):
        load_published(tmp_path)
    path.write_text(",".join(COLUMNS) + '\n"open\n')
    with pytest.raises(InputError, match=r"a\.csv:2: not CSV"):
        load_published(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        load_published(tmp_path)


def test_a_double_row_is_found_across_files(tmp_path) -> None:
    write(tmp_path, {})
    write(tmp_path, {}, name="b.csv")
    with pytest.raises(InputError, match=r"b\.csv:2: .* stands twice \(first in .*a\.csv:2\)"):
        load_published(tmp_path)


def test_commas_quotes_line_breaks_and_other_scripts(tmp_path) -> None:
    odd = 'with "quotes", commas\nand a second line'
    write(tmp_path, {"note": odd}, {"system": "Система, 音"}, {"system": "C", "value": "x"})
    with pytest.raises(InputError, match=r"a\.csv:5: value 'x'"):  # the first record takes two lines
        load_published(tmp_path)
    write(tmp_path, {"note": odd}, {"system": "Система, 音"})
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n")  # as spreadsheets leave it
    first, second = load_published(tmp_path)
    assert first.note == odd
    assert second.system == "Система, 音"


def test_a_table_by_hand(tmp_path) -> None:
    quoted = {"source": "P (2026), Table 1, as given by Q", "evidence": "secondary"}
    mos = {"metric": "MOS", "unit": "1 to 5", "higher_is_better": "true", "protocol": "listeners"}
    write(
        tmp_path,
        {"value": "2.50"},
        {"system": "B|C", "variant": "4 steps", "value": "12", **quoted},
        {"system": "B|C", "variant": "4 steps", "value": "3.9", "low": "3.75", "high": "4.05", **mos, "note": "Odd."},
        {"system": "D", "value": "4.00", "low": "3.90", "high": "4.30", **mos, **quoted},
    )
    assert published_block(load_published(tmp_path)) == "\n".join(
        [
            "### Published, not measured here; never ranked with the rows above",
            "",
            "**P Table 1.** WER: data; judge. MOS: listeners.",
            "",
            "|  | WER (%) ↓ | MOS (1 to 5) ↑ |",
            "| :-- | --: | --: |",
            "| A | 2.50 | – |",
            "| B\\|C (4 steps) | 12 † | 3.90 ± 0.15 |",
            "| D | – | 4.00 [3.90, 4.30] † |",
            "",
            "- Without a dagger: P (2026), Table 1.",
            "- † Secondary, not read in the authors' own text: P (2026), Table 1, as given by Q.",
            "- B\\|C (4 steps), MOS: Odd.",
        ]
    )


def test_each_secondary_source_has_its_own_dagger(tmp_path) -> None:
    rows = [
        {"system": name, "source": source, "evidence": evidence, "note": note}
        for name, source, evidence, note in [
            ("A", "Q", "secondary", "n"), ("B", "R", "secondary", "n"), ("C", "Q", "primary", "n"),
        ]
    ]  # fmt: skip
    block = published_block(load_published(write(tmp_path, *rows)))
    assert block is not None
    assert block.splitlines()[6:] == [
        "| A | 2.50 †a |",
        "| B | 2.50 †b |",
        "| C | 2.50 |",
        "",
        "- Without a dagger: Q.",
        "- †a Secondary, not read in the authors' own text: Q.",
        "- †b Secondary, not read in the authors' own text: R.",
        "- n",
    ]


@pytest.mark.parametrize(
    ("noted", "where"),
    [
        ({("A", "WER"), ("B", "WER")}, "WER: n"),
        ({("A", "WER"), ("A", "CER")}, "A: n"),
        ({("A", "WER")}, "A, WER: n"),
        ({("A", "WER"), ("B", "WER"), ("B", "CER")}, "A, WER; B: n"),
    ],
)
def test_a_note_names_its_cells(tmp_path, noted, where) -> None:
    places = [(system, metric) for system in "AB" for metric in ("WER", "CER")]
    rows = [{"system": one, "metric": two, "note": "n" if (one, two) in noted else ""} for one, two in places]
    block = published_block(load_published(write(tmp_path, *rows)))
    assert block is not None
    assert block.splitlines()[-1] == f"- {where}"


def test_every_secondary_value_of_the_bundled_rows_has_a_dagger() -> None:
    assert published_block([]) is None
    for suite in SUITES:
        rows = published_for(suite)
        block = published_block(rows)
        assert block is not None
        cells = [cell.strip() for line in block.splitlines() if line.startswith("| ") for cell in line.split("|")[2:-1]]
        assert sum("†" in cell for cell in cells) == sum(row.evidence == "secondary" for row in rows)
        assert sum(cell[-1:] not in "–:↑↓" and "†" not in cell for cell in cells) == sum(
            row.evidence == "primary" for row in rows
        )
        assert block.count("\n**") == len({row.table for row in rows})
