"""LAION-CLAP's four checkpoints by name, and as three tools ask it for their scores."""

from __future__ import annotations

from calm_eval.judges.clap import MOST_TOKENS, ClapJudge


def clap_music(
    framing: str = "mean",
    steps: bool = True,
    peak: bool = False,
    most_tokens: int = MOST_TOKENS,
    path: str | None = None,
    tokens: str | None = None,
    random: int | None = None,
) -> ClapJudge:
    """HTSAT-base trained on music and AudioSet: `music_audioset_epoch_15_esc_90.14.pt`. Options as of `ClapJudge`."""
    return ClapJudge("music", framing, steps, peak, most_tokens, path, tokens, random)


def clap_general(
    framing: str = "mean",
    steps: bool = True,
    peak: bool = False,
    most_tokens: int = MOST_TOKENS,
    path: str | None = None,
    tokens: str | None = None,
    random: int | None = None,
) -> ClapJudge:
    """HTSAT-tiny trained on 630k pairs and AudioSet: `630k-audioset-best.pt`. Options as of `ClapJudge`."""
    return ClapJudge("general", framing, steps, peak, most_tokens, path, tokens, random)


def clap_music_speech(
    framing: str = "mean",
    steps: bool = True,
    peak: bool = False,
    most_tokens: int = MOST_TOKENS,
    path: str | None = None,
    tokens: str | None = None,
    random: int | None = None,
) -> ClapJudge:
    """HTSAT-base trained on music, speech and AudioSet: `music_speech_audioset_epoch_15_esc_89.98.pt`."""
    return ClapJudge("music-speech", framing, steps, peak, most_tokens, path, tokens, random)


def clap_fusion(
    framing: str = "fusion",
    steps: bool = True,
    peak: bool = False,
    most_tokens: int = MOST_TOKENS,
    path: str | None = None,
    tokens: str | None = None,
    random: int | None = None,
) -> ClapJudge:
    """HTSAT-tiny with fusion of a shrunk clip and three windows: `630k-audioset-fusion-best.pt`."""
    return ClapJudge("fusion", framing, steps, peak, most_tokens, path, tokens, random)


def clap_audiocraft(path: str | None = None, tokens: str | None = None, random: int | None = None) -> ClapJudge:
    """As audiocraft asks it (metrics/clap_consistency.py): music, a random crop, samples as they are."""
    return ClapJudge("music", "randcrop", steps=False, path=path, tokens=tokens, random=random)


def clap_music_fadtk(path: str | None = None, tokens: str | None = None, random: int | None = None) -> ClapJudge:
    """As fadtk asks it for `clap-laion-music`: a file of 16 bits, the package's steps, 10 s each second."""
    return ClapJudge("music", "fadtk", path=path, tokens=tokens, random=random, file=True)


def clap_general_fadtk(path: str | None = None, tokens: str | None = None, random: int | None = None) -> ClapJudge:
    """As fadtk asks it for `clap-laion-audio`: a file of 16 bits, the package's steps, 10 s each second."""
    return ClapJudge("general", "fadtk", path=path, tokens=tokens, random=random, file=True)


def clap_sam(path: str | None = None, tokens: str | None = None, random: int | None = None) -> ClapJudge:
    """As stable-audio-metrics asks it (src/clap_score.py): fusion of random windows, the peak at -1 dB, 16 bits."""
    return ClapJudge("fusion", "randcrop", peak=True, path=path, tokens=tokens, random=random)


def clap_audioldm2(path: str | None = None, tokens: str | None = None, random: int | None = None) -> ClapJudge:
    """As audioldm_eval asks it (clap_score): music and speech, the first 10 s, samples as they are, 512 tokens."""
    return ClapJudge("music-speech", "first", steps=False, most_tokens=512, path=path, tokens=tokens, random=random)
