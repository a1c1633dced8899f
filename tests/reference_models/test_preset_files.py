import pytest
import yaml

from reference_models.build import make_codec, make_model, make_tokenizer
from reference_models.catalogue import catalogue
from reference_models.errors import ModelError
from reference_models.models.language_model import count_parameters
from reference_models.presets import CodecPreset, load_codec_preset, load_model_preset, load_preset, names

PAPERS = [
    "calm-music", "calm-speech", "calm-tts", "pocket-tts", "rq-speech-8", "rq-music-16", "rq-music-32",
    "musicgen-medium",
]  # fmt: skip
MINIS = [
    "mini-calm-speech", "mini-rq-speech", "mini-calm-tts", "mini-rq-tts", "mini-calm-music", "mini-trigflow-music",
    "mini-rq-music", "mini-delay-music", "mini-calm-text2music", "mini-delay-text2music",
    "mini-vae-speech", "mini-rvq-speech", "mini-vae-music", "mini-rvq-music",
]  # fmt: skip


def build(preset):
    return make_codec(preset, "meta") if isinstance(preset, CodecPreset) else make_model(preset, "meta")


def test_every_preset_that_is_promised_is_there():
    assert set(PAPERS + MINIS) <= set(names())
    assert all(load_preset(name).name == name for name in names())


@pytest.mark.parametrize("name", names())
def test_a_preset_has_the_parameters_that_it_says(name):
    preset = load_preset(name)
    assert count_parameters(build(preset)) == preset.parameters


@pytest.mark.parametrize("name", [name for name in names() if load_preset(name).published])
def test_parameters_are_the_published_ones(name):
    preset = load_preset(name)
    parts = {**preset.parameters, "total": sum(preset.parameters.values())}
    for part, published in preset.published.items():
        ours = sum(parts[one] for one in part.split("+"))
        # The sizes that are published to three digits are held closer.
        tolerance = 0.005 if published in (601.1e6, 9.76e6) else 0.03
        assert ours == pytest.approx(published, rel=tolerance), part


def test_the_published_sizes_that_this_was_built_on():
    published = {name: load_preset(name).published for name in PAPERS}
    assert published["calm-music"] == {"backbone": 1.35e9, "short_context": 113e6, "head": 601.1e6}
    assert published["calm-speech"] == {"backbone+text_stream": 2.2e9, "head": 10e6}
    assert published["calm-tts"] == {"backbone": 302e6, "head": 9.76e6}
    assert published["pocket-tts"] == {"total": 90e6, "head": 9.76e6}
    assert all(published[name] for name in PAPERS)


@pytest.mark.parametrize("name", MINIS)
def test_a_mini_fits_its_share_of_the_repository(name):
    assert 2 * sum(load_preset(name).parameters.values()) < 8_000_000


@pytest.mark.parametrize("name", [name for name in PAPERS if name.startswith("rq")])
def test_what_is_not_published_is_called_an_assumption(name):
    assert any("depth transformer" in note for note in load_preset(name).assumptions)


def test_cards_say_what_lists_show():
    cards = catalogue()
    card = cards["calm-music"]
    assert (card.kind, card.family, card.sample_rate, card.frame_rate, card.width) == (
        "calm",
        "continuous",
        32000,
        25,
        128,
    )
    assert card.head_evaluations_per_second == 25
    assert cards["rq-speech-8"].head_evaluations_per_second == 8 * 12.5
    assert cards["rq-music-32"].head_evaluations_per_second == 32 * 25
    assert cards["musicgen-medium"].head_evaluations_per_second == 0
    assert cards["mini-trigflow-music"].head_evaluations_per_second == 16 * 25
    assert (cards["musicgen-medium"].frame_rate, cards["musicgen-medium"].width) == (50, 4)
    assert cards["mini-rvq-speech"].tasks == ()
    assert card.parameters == sum(card.parts.values())


BAD = [
    ({"dim": "wide"}, "dim: Input should be a valid integer"),
    ({"colour": 1}, "colour: Extra inputs are not permitted"),
    ({"head": {"kind": "magic"}}, "head.kind must be one of consistency"),
    ({"head": {"kind": "rq_depth"}}, "a continuous model cannot have the head 'rq_depth'"),
    ({"stop": None}, "a model for tts needs 'text' and 'stop'"),
    ({"backbone": {"layers": 0, "heads": 3, "feedforward": 640}}, "backbone.layers"),
]


@pytest.mark.parametrize(("change", "expected"), BAD)
def test_a_bad_preset_is_refused_with_the_place(tmp_path, change, expected):
    data = {**yaml.safe_load(names()["mini-calm-tts"].read_text()), **change}
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(ModelError) as error:
        load_preset(str(file))
    assert expected in str(error.value)
    assert str(file) in str(error.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"backbone": {"layers": 1, "heads": 5, "feedforward": 64}}, "does not divide into 5 heads"),
        ({"head": {"kind": "lsd", "blocks": 1, "width": 8, "colour": 2}}, "unexpected keyword argument 'colour'"),
        ({"codec": "mini-rvq-speech"}, "is an RVQ codec"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(tmp_path, change, expected):
    data = {**yaml.safe_load(names()["mini-calm-tts"].read_text()), **change}
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(ModelError, match=expected):
        make_model(load_model_preset(str(file)), "meta")


def test_names_are_suggested_and_kinds_are_not_mixed_up():
    with pytest.raises(ModelError, match="did you mean 'mini-calm-tts'"):
        load_preset("mini-calm-tss")
    with pytest.raises(ModelError, match="is a codec, not a language model"):
        load_model_preset("mini-vae-music")
    with pytest.raises(ModelError, match="is a language model, not a codec"):
        load_codec_preset("pocket-tts")


def test_a_preset_for_sentencepiece_says_what_it_needs():
    with pytest.raises(ModelError, match="option 'tokenizer'"):
        make_tokenizer(load_model_preset("pocket-tts"))


def test_titles_and_notes_do_not_change_the_identity():
    preset = load_preset("mini-calm-tts")
    assert preset.model_copy(update={"title": "other", "parameters": {}, "sampling": {}}).digest == preset.digest
    assert preset.model_copy(update={"name": "other"}).digest != preset.digest
    assert preset.model_copy(update={"dim": 96}).digest != preset.digest
