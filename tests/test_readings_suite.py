"""The suite of read sentences for real: real synthesisers, real judges, the order that controls must keep."""

from __future__ import annotations

import jiwer
import numpy as np
import pandas as pd
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from calm_eval import evaluate
from calm_eval.data.load import suite_items
from calm_eval.specs.suite import load_suite

LIMIT = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        return evaluate("more/readings", out=tmp_path_factory.mktemp("mini") / "run", limit=LIMIT)


@pytest.fixture(scope="module")
def cells(run):
    return run.summary().set_index(["variant", "metric"])


def test_everything_is_made_and_scored_or_named(run, cells):
    assert run.unavailable == {}
    assert run.samples()["failure"].isna().all()
    assert len(run.samples()["variant"].unique()) <= 10
    wer = cells.xs("wer", level="metric")
    assert (wer["n_scored"] == LIMIT).all()
    assert cells.loc[("silence", "speaker_similarity"), "n_scored"] == 0


def test_controls_keep_their_order(cells):
    wer = cells.xs("wer", level="metric")["value"]
    assert wer["reference"] < wer["noise-5db"] < wer["silence"]
    assert wer["silence"] >= 0.99
    assert wer["shuffled-texts"] > 0.9
    mos = cells.xs("dnsmos_ovrl", level="metric")["value"]
    assert mos["noise-5db"] < mos["reference"]


def test_the_same_voice_is_more_alike_than_another(run):
    speakers = {item.id: item.speaker for item in suite_items(load_suite("more/readings"))}
    values = run.values()
    similar = values[values["metric"] == "speaker_similarity"]
    piper = similar[similar["variant"] == "piper"]
    same = piper["item"].map(lambda item: speakers[item].startswith("piper"))
    assert piper.loc[same, "value"].min() > piper.loc[~same, "value"].max()
    reference = similar[similar["variant"] == "reference"]["value"]
    assert reference.mean() > piper.loc[~same, "value"].mean() + 0.1


def test_wer_is_that_of_jiwer_called_by_hand(run, cells):
    normalise = EnglishTextNormalizer()
    items = {item.id: item for item in suite_items(load_suite("more/readings"))}
    values = run.values()
    for variant in ("piper", "espeak-en-us", "noise-5db", "shuffled-texts"):
        rows = values[(values["variant"] == variant) & (values["metric"] == "wer")]
        import json

        said = [json.loads(parts)["hypothesis"] for parts in rows["parts"]]
        asked = [" ".join(normalise(items[item].text).split()) for item in rows["item"]]
        assert cells.loc[(variant, "wer"), "value"] == pytest.approx(jiwer.wer(asked, said), abs=1e-12)
        assert cells.loc[(variant, "cer"), "value"] == pytest.approx(jiwer.cer(asked, said), abs=1e-12)
        by_hand = np.mean([jiwer.wer(one, other) for one, other in zip(asked, said, strict=True)])
        assert cells.loc[(variant, "wer_mean"), "value"] == pytest.approx(by_hand, abs=1e-12)


def test_speed_is_that_of_the_stored_seconds(run, cells):
    samples = run.samples()
    part = samples[samples["variant"] == "piper"]
    by_hand = part["generate_seconds"].sum() / part["seconds"].sum()
    assert cells.loc[("piper", "rtf"), "value"] == pytest.approx(by_hand, rel=1e-12)
    assert cells.loc[("piper", "first_audio"), "value"] == pytest.approx(part["first_audio_seconds"].mean(), rel=1e-12)
    assert cells.loc[("reference", "rtf"), "n_scored"] == 0


def test_the_report_says_that_the_readings_are_synthetic(run):
    report = (run.folder / "report.md").read_text()
    assert "synthetic" in report
    assert (run.folder / "figures" / "more-readings-wer-rtf.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_run_that_grew_says_what_a_run_at_once_says(tmp_path):
    """Other neighbours in a judge's batch, as after a kill and a resume: the same numbers to the last digit."""
    systems = ["espeak-en-us", "reference"]
    for limit in (1, 3, LIMIT):
        grown = evaluate("more/readings", systems, out=tmp_path / "grown", limit=limit)
    once = evaluate("more/readings", systems, out=tmp_path / "once", limit=LIMIT)
    columns = ["variant", "metric", "value", "low", "high", "n_scored", "fingerprint"]
    tables = [run.summary()[columns].set_index(["variant", "metric"]) for run in (grown, once)]
    quality = [table.drop(["rtf", "first_audio"], level="metric") for table in tables]
    pd.testing.assert_frame_equal(*quality, check_exact=True)
