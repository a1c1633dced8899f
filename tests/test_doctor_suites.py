"""What `doctor` tells of each suite: the one command, its size, extras, environments and licences."""

from __future__ import annotations

import sys

import pytest

from calm_eval.assets import load_catalogue
from calm_eval.cli import main
from calm_eval.doctor import suite_lines
from calm_eval.doctor_suites import SuiteNeeds, suite_assets, suite_needs, told_size
from calm_eval.errors import UnavailableError
from calm_eval.judges.readiness import readiness
from calm_eval.specs.locate import bundled_names

WHISPER, WAVLM, RESEMBLYZER, DNSMOS = "whisper-large-v3-transformers", "wavlm-large-ecapa", "resemblyzer", "dnsmos"
BY_HAND = {
    "paper/audiocaps": ("vggish", "panns-cnn14-16k", "clap-music-speech", "roberta-base"),
    "paper/calm_speech_continuation": ("whisper-large-v3-openai", RESEMBLYZER, DNSMOS),
    "paper/librispeech_pc": ("whisper-large-v3-ct2", WHISPER, WAVLM, "utmos22-strong", RESEMBLYZER, DNSMOS),
    "paper/music_continuation": ("vggish", "musicnn-mtt"),
    "paper/musiccaps": (
        "vggish", "passt-20s", "clap-music", "roberta-base", "ms-clap-2023", "gpt2-tokens", "musicnn-mtt",
        "minilm-l6-v2",
    ),
    "paper/pocket_tts": (WHISPER, "wavlm-base-plus-sv", "utmos22-strong", RESEMBLYZER, DNSMOS),
    "paper/seed_tts_en": (WHISPER, WAVLM, RESEMBLYZER, DNSMOS),
    "paper/song_describer": (
        "openl3-music", "passt-10s", "clap-fusion", "roberta-base", "clap-music", "vggish", "musicnn-mtt",
        "minilm-l6-v2",
    ),
}  # fmt: skip
"""What the judges of the papers' suites have weights in, those of packages last."""


@pytest.fixture(autouse=True)
def _nothing_cached(tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("suite", BY_HAND)
def test_everything_that_a_paper_suite_needs_once_and_its_size(suite) -> None:
    needs, catalogue = suite_needs(suite), load_catalogue()
    assert needs.assets == BY_HAND[suite] == suite_assets(suite)
    size = sum(file.size for name in BY_HAND[suite] for file in catalogue[name].files)
    assert needs == SuiteNeeds(assets=BY_HAND[suite], size=size)
    command = f"calm-eval assets fetch --suite {suite} ({told_size(size)}: {', '.join(BY_HAND[suite])})"
    assert needs.told(suite) == command


def test_sizes_in_words() -> None:
    assert told_size(4_393_400_000) == "4.4 GB"
    assert told_size(288_000_000) == "288.0 MB"


def test_doctor_has_a_line_for_every_bundled_suite() -> None:
    told = dict(line.split(": ", 1) for line in suite_lines())
    assert list(told) == list(bundled_names("suite"))
    assert set(BY_HAND) == {name for name in told if name.startswith("paper/")}
    assert "(4.4 GB: " in told["paper/seed_tts_en"]
    # 3.09 GB twice, 1.30 GB and 0.41 GB.
    assert "(7.9 GB: " in told["paper/librispeech_pc"]


def test_what_is_there_is_not_asked_for_again(monkeypatch) -> None:
    from calm_eval import doctor_suites

    first = suite_needs("paper/seed_tts_en")
    asked = doctor_suites.status
    monkeypatch.setattr(doctor_suites, "status", lambda name: "present" if name == WHISPER else asked(name))
    needs = suite_needs("paper/seed_tts_en")
    assert needs.assets == (WAVLM, RESEMBLYZER, DNSMOS)
    assert first.size - needs.size == load_catalogue()[WHISPER].size > 3e9
    assert suite_assets("paper/seed_tts_en") == first.assets


def test_on_first_use_only_what_a_run_can_name_before() -> None:
    assert readiness("utmos").told.endswith("utmos22-strong (411.2 MB; or on first use)")
    assert readiness("vggish").told.endswith("vggish (288.0 MB)")


def test_the_extra_of_a_package_that_cannot_be_imported(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    needs = suite_needs("paper/pocket_tts")
    assert needs.extras == ("language-model",)
    assert needs.told("paper/pocket_tts").endswith("), then pip install 'calm-eval[language-model]'")
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    assert suite_needs("paper/librispeech_pc").extras == ("mini", "language-model")


def test_the_options_of_the_suite_and_not_the_judges_own_defaults(tone_suite) -> None:
    def of(judge, **options):
        use = {"name": "kl_audiocraft", "judge": {"name": judge, "options": options}}
        return suite_needs(str(tone_suite(metrics=[use])))

    assert of("passt").assets == ("passt-20s",)
    assert of("passt", seconds=10).assets == ("passt-10s",)
    assert of("passt", random=1) == SuiteNeeds()
    assert of("passt", random=1).told("mine") == "all judges are ready"


def test_an_environment_that_is_not_made(tone_suite) -> None:
    use = {"name": "fad", "judge": {"name": "laion-clap"}}
    needs = suite_needs(str(tone_suite(metrics=[use])))
    assert needs.environments == ("laion-clap",)
    assert "calm-eval environments make laion-clap (about 3.5 GB from the package index)" in needs.told("mine")


def test_a_licence_to_be_accepted(tone_suite) -> None:
    def of(**options):
        return str(tone_suite(metrics=["utmos", {"name": "nisqa_mos", "judge": {"name": "nisqa", "options": options}}]))

    needs = suite_needs(of())
    assert needs.assets == ("utmos22-strong",)
    (refused,) = needs.refused
    assert refused.startswith("nisqa: its weights are CC-BY-NC-SA-4.0")
    assert needs.told("mine").endswith("accept_licence: CC-BY-NC-SA-4.0")
    with pytest.raises(UnavailableError, match="accept_licence"):
        suite_assets(of())
    accepted = suite_needs(of(accept_licence="CC-BY-NC-SA-4.0"))
    assert (accepted.assets, accepted.refused) == (("utmos22-strong", "nisqa"), ())


def test_the_command_takes_suites(capsys, tone_suite) -> None:
    assert main(["assets", "verify", "dnsmos", "--suite", "paper/music_continuation"]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["dnsmos", "vggish", "musicnn-mtt"]
    bare = str(tone_suite(metrics=["rtf"]))
    assert main(["assets", "fetch", "--suite", bare]) == 0
    assert capsys.readouterr().out == "no assets are needed\n"
