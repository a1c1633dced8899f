"""Which recogniser the suites of papers hear with, and what their titles say of it."""

from __future__ import annotations

import pytest

from calm_eval.judges.readiness import readiness
from calm_eval.metrics.bound import bind, judge_use, make_judge
from calm_eval.metrics.error_rate_protocols import title_with
from calm_eval.specs.suite import load_suite

GRANITE = "(whisper-large-v3/transformers, not granite-speech-4.1-2b/transformers)"


def uses(suite):
    return {use.name: use for use in load_suite(f"paper/{suite}").spec.metric_uses()}


@pytest.mark.parametrize(
    ("suite", "metric", "title"),
    [
        # The resampler is calm-eval's own; all else is as the tool does it.
        ("seed_tts_en", "wer_seed_tts_eval", "WER, seed-tts-eval rules (other resampler)"),
        ("seed_tts_en", "wer_tts_longeval_seed", "WER, tts-longeval-seed rules"),
        ("librispeech_pc", "wer_f5_librispeech_pc", "WER, f5-librispeech-pc rules"),
        ("librispeech_pc", "wer_tts_longeval", "WER, tts-longeval rules"),
        ("pocket_tts", "wer_pocket_tts", f"WER, pocket-tts rules {GRANITE}"),
    ],
)
def test_titles_of_protocols_name_what_is_done_otherwise(suite, metric, title) -> None:
    use = uses(suite)[metric]
    spec = bind(use).spec
    assert title_with(spec, make_judge(judge_use(use, spec)).info) == title


@pytest.mark.parametrize("suite", ["seed_tts_en", "librispeech_pc", "pocket_tts", "calm_speech_continuation"])
def test_every_recogniser_is_large_v3_and_says_what_to_install(suite, monkeypatch) -> None:
    import sys

    extras = {"transformers": "language-model", "whisper": "openai-whisper", "faster_whisper": "mini"}
    for package in extras:
        monkeypatch.setitem(sys.modules, package, None)
    heard = 0
    for use in uses(suite).values():
        spec = bind(use).spec
        if use.judge is None and spec.judge is None:
            continue
        wanted = judge_use(use, spec)
        judge = make_judge(wanted)
        # Other judges may not know their weights' identity before these are fetched.
        package = next((one for one in judge.requires.packages if one in extras), None)
        if package is None:
            continue
        heard += 1
        assert (judge.info.output, judge.info.name.split("/")[0]) == ("transcript", "whisper-large-v3")
        assert f"calm-eval[{extras[package]}]" in readiness(wanted.name, wanted.options).told
    assert heard
