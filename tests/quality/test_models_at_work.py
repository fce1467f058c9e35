"""What a process found is its model's, whatever detects when that is told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from vedette.infer.load import DetectorSpec
from vedette.quality.identity import identity_of
from vedette.quality.models_at_work import REMEMBERED, ModelsAtWork


def packed(model: str) -> bytes:
    return msgspec.msgpack.encode(DetectorSpec(model=model))


def test_two_processes_of_one_name_are_two_models_where_they_loaded_others() -> None:
    models = ModelsAtWork()
    first, second = models.begins(packed("new.onnx")), models.begins(packed("new.onnx"))
    models.loaded(first, "ab" * 32)
    models.loaded(second, "cd" * 32)
    assert models.of(first) != models.of(second)
    third = models.begins(packed("new.onnx"))
    assert models.of(third) == "", "it has not said yet what it loaded"
    models.loaded(third, "ab" * 32)
    assert models.of(third) == models.of(first)


def test_it_is_the_identity_that_the_file_has(tmp_path: Path) -> None:
    """So that what was kept before goes on."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"\x08\x0a")  # ir_version: 10
    models = ModelsAtWork()
    process = models.begins(packed(str(model)))
    models.loaded(process, "01" * 32)
    other = models.of(process)
    models.loaded(process, hashlib.sha256(b"\x08\x0a").hexdigest())
    assert models.of(process) == identity_of(packed(str(model))) != other


def test_those_of_long_ago_are_forgotten() -> None:
    models = ModelsAtWork()
    numbers = [models.begins(packed("new.onnx")) for _ in range(REMEMBERED + 5)]
    for number in numbers:
        models.loaded(number, "ab" * 32)
    assert sum(models.of(number) != "" for number in numbers) == REMEMBERED


def test_files_that_are_written_anew_or_are_gone_change_nothing_of_what_is_loaded(tmp_path: Path) -> None:
    """Nor does a canary of the same name: what the detector finds is its own model's as before."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"weights")
    models = ModelsAtWork()
    detector = models.begins(packed(str(model)))
    models.loaded(detector, "ab" * 32)
    at_work = models.of(detector)
    model.write_bytes(b"others, of the same name")
    canary = models.begins(packed(str(model)))
    models.loaded(canary, "cd" * 32)
    model.unlink()
    assert models.of(detector) == at_work != models.of(canary)
