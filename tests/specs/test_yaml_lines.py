from __future__ import annotations

from pathlib import Path

import pytest

from calm_eval.errors import InputError
from calm_eval.specs.yaml_lines import read_yaml


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    return path


def test_every_key_knows_its_line(tmp_path):
    file = read_yaml(write(tmp_path, "# comment\nname: x\nitems:\n  manifest: m\nlist:\n  - a\n  - b: 1\n"))
    assert file.data == {"name": "x", "items": {"manifest": "m"}, "list": ["a", {"b": 1}]}
    assert file.line(("name",)) == 2
    assert file.line(("items", "manifest")) == 4
    assert file.line(("list", 1, "b")) == 7
    assert file.line(("items", "not there")) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", r"spec.yaml:3: key 'a' stands twice \(first in line 1\)"),
        ("a: [1, 2\nb: 3\n", r"spec.yaml:2: not valid YAML"),
        ("", r"spec.yaml:1: the file is empty"),
        ("a: !!python/object/apply:os.system ['true']\n", r"spec.yaml:1: the tag .* is not allowed"),
        ("1: x\n", r"key 1 is not text"),
        ("a: 2024-13-45\n", r"spec.yaml:1: cannot read this value"),
    ],
)
def test_broken_yaml_names_the_line(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_yaml(write(tmp_path, text))


def test_a_tag_executes_nothing(tmp_path):
    witness = tmp_path / "witness"
    path = write(tmp_path, f"a: !!python/object/apply:os.mkdir ['{witness}']\n")
    with pytest.raises(InputError):
        read_yaml(path).data["a"]
    assert not witness.exists()


def test_aliases_that_explode_are_refused(tmp_path):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join(['*' + before] * 10)}]")
    with pytest.raises(InputError, match="repeats itself too often"):
        read_yaml(write(tmp_path, "\n".join(lines) + "\n"))
