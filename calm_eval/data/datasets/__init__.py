"""Public data sets as items: one file a loader, registered here or by the entry-point group `calm_eval.datasets`."""

from __future__ import annotations

from calm_eval.registry import Registry

LOADERS = Registry(
    "datasets",
    {
        "librispeech": "calm_eval.data.datasets.librispeech:librispeech",
        "librispeech_pc": "calm_eval.data.datasets.librispeech_pc:librispeech_pc",
        "seed_tts": "calm_eval.data.datasets.seed_tts:seed_tts",
        "captions_csv": "calm_eval.data.datasets.captions:captions",
        "jsonl": "calm_eval.data.datasets.jsonl:jsonl",
        "hf": "calm_eval.data.datasets.hub:hub",
        "acestep": "calm_eval.data.datasets.acestep:acestep",
    },
)
"""Each is called with the root folder and the options of the suite as keywords; it returns a list of `Entry`."""
