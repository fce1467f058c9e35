"""Weights in files beside an ONNX file are part of it: they are found, hashed, and watched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from quality.validate.models import ELSEWHERE, HERE, SIDE, always
from vedette.errors import DetectorError
from vedette.infer.external import locations
from vedette.infer.load import BUNDLED, DetectorSpec, LoadedDetector, load_detector
from vedette.infer.made_of import ModelFile

GREY = np.full((1, SIDE, SIDE, 3), 114, np.uint8)
DATA = "weights.data"


def load(model: Path, judged: str = "", runtime: str = "onnxruntime") -> LoadedDetector:
    return load_detector(DetectorSpec(model=str(model), runtime=runtime, device="cpu", threads=1), judged)


def split(path: Path, box: tuple[float, ...] = HERE, data: str = DATA) -> Path:
    """A model that finds one square in any picture: there, as a file beside it says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model = onnx.load(str(always(path, box)))
    [constant] = model.graph.node
    weights = constant.attribute[0].t
    weights.name = "weights"
    model.graph.initializer.append(weights)
    model.graph.ClearField("node")
    model.graph.node.append(helper.make_node("Identity", ["weights"], ["output0"]))
    (path.parent / data).unlink(missing_ok=True)  # else it would be written behind what is there
    (path.parent / data).parent.mkdir(exist_ok=True)
    onnx.save_model(model, str(path), save_as_external_data=True, location=data, size_threshold=0)
    return path


def rewrite(model: Path, box: tuple[float, ...], folder: Path) -> None:
    """Other weights, in the same file beside it; not a byte of the model itself changes."""
    before = model.read_bytes()
    other = split(folder / model.name, box)
    (model.parent / DATA).write_bytes((other.parent / DATA).read_bytes())
    assert model.read_bytes() == before


def found(detector: LoadedDetector) -> list[float]:
    [boxes] = detector.detect_boxes(GREY)
    return [float(edge) for edge in boxes.xyxy[0]]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_other_weights_make_another_model(tmp_path: Path, runtime: str) -> None:
    model = split(tmp_path / "one" / "new.onnx")
    detector = load(model, runtime=runtime)
    judged = detector.made_of
    assert judged != hashlib.sha256(model.read_bytes()).hexdigest()
    assert load(model, judged, runtime).made_of == judged
    assert found(detector) == pytest.approx(HERE, abs=0.01)
    rewrite(model, ELSEWHERE, tmp_path / "other")
    with pytest.raises(DetectorError, match=r"new\.onnx is not what was judged: it was replaced"):
        load(model, judged, runtime)
    assert found(load(model, runtime=runtime)) == pytest.approx(ELSEWHERE, abs=0.01)


def test_the_same_model_in_another_folder_is_the_same(tmp_path: Path) -> None:
    one, other = split(tmp_path / "one" / "new.onnx"), split(tmp_path / "other" / "called.onnx")
    assert ModelFile.at(one).hash == ModelFile.at(other).hash


def test_whatever_is_done_to_its_weights_it_is_not_untouched(tmp_path: Path) -> None:
    model = split(tmp_path / "new.onnx")
    data = model.parent / DATA
    times = data.stat()

    def written_and_set_back() -> None:
        data.write_bytes(data.read_bytes())
        os.utime(data, ns=(times.st_atime_ns, times.st_mtime_ns))

    def replaced() -> None:
        (tmp_path / "next").write_bytes(data.read_bytes())
        (tmp_path / "next").replace(data)

    for disturb in (written_and_set_back, replaced, data.unlink):
        file = ModelFile.at(model)
        assert file.untouched
        disturb()
        assert not file.untouched
    with pytest.raises(
        DetectorError, match=r"it keeps weights in 'weights\.data', and there is no such file"
    ):
        ModelFile.at(model)


def test_they_may_lie_in_a_folder_below(tmp_path: Path) -> None:
    model = split(tmp_path / "new.onnx", data="deep/weights.data")
    assert found(load(model)) == pytest.approx(HERE, abs=0.01)


@pytest.mark.parametrize(
    "location", ["/etc/hostname", "../weights.data", "deep/../../weights.data", "", ".", "a\0b"]
)
def test_paths_that_leave_the_folder_are_refused_and_nothing_there_is_read(
    tmp_path: Path, location: str
) -> None:
    (tmp_path / "weights.data").write_bytes(b"no business of the model's")
    folder = tmp_path / "models"
    folder.mkdir()
    model = written(folder / "new.onnx", graph(external(location)))
    with pytest.raises(DetectorError, match=r"new\.onnx: it keeps weights in .*(no path|no such file)"):
        load(model)


def test_a_link_that_leads_out_is_refused_and_one_that_goes_with_the_model_is_not(tmp_path: Path) -> None:
    model = split(tmp_path / "blobs" / "ab12")
    (tmp_path / "blobs" / DATA).rename(tmp_path / "blobs" / "cd34")
    shown = tmp_path / "snapshot" / "new.onnx"
    shown.parent.mkdir()
    (shown.parent / DATA).symlink_to("../blobs/cd34")
    shown.symlink_to("../blobs/ab12")
    assert len(ModelFile.at(shown).hash) == 64
    shown.unlink()
    shown.write_bytes(model.read_bytes())
    with pytest.raises(DetectorError, match="which leads out of its folder"):
        ModelFile.at(shown)


# ---- where they may be in the file


def external(location: str, name: str = "w") -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), name)
    onnx.external_data_helper.set_external_data(tensor, location, offset=0, length=16)
    tensor.ClearField("raw_data")
    return tensor


def graph(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.graph.initializer.append(tensor)
    return made


def constant(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.graph.node.add().attribute.add().t.CopyFrom(tensor)
    return made


def list_of_tensors(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.graph.node.add().attribute.add().tensors.append(tensor)
    return made


def branch(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    inner = made.graph.node.add().attribute.add().g
    inner.node.add().attribute.add().graphs.add().initializer.append(tensor)
    return made


def function(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.functions.add().node.add().attribute.add().t.CopyFrom(tensor)
    return made


def default_of_a_function(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.functions.add().attribute_proto.add().t.CopyFrom(tensor)
    return made


def sparse(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.graph.sparse_initializer.add().values.CopyFrom(tensor)
    return made


def indices_of_a_sparse_one(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.graph.node.add().attribute.add().sparse_tensor.indices.CopyFrom(tensor)
    return made


def list_of_sparse_ones(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.graph.node.add().attribute.add().sparse_tensors.add().values.CopyFrom(tensor)
    return made


def training(tensor: TensorProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.training_info.add().algorithm.initializer.append(tensor)
    return made


PLACES: list[Callable[[TensorProto], onnx.ModelProto]] = [
    *(graph, constant, list_of_tensors, branch, function, default_of_a_function),
    *(sparse, indices_of_a_sparse_one, list_of_sparse_ones, training),
]


def written(path: Path, model: onnx.ModelProto) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def read(path: Path) -> set[str]:
    with path.open("rb") as file:
        return locations(path, file)


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("external") / "model.onnx"


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.text(min_size=1, max_size=9), st.booleans()), max_size=6)
)
def test_they_are_found_wherever_a_tensor_may_be_and_only_where_it_says_that_it_is_elsewhere(
    anywhere: Path, tensors: list[tuple[Callable[[TensorProto], onnx.ModelProto], str, bool]]
) -> None:
    model = onnx.load(str(BUNDLED))
    model.graph.ClearField("initializer")
    for place, location, elsewhere in tensors:
        tensor = external(location)
        if not elsewhere:
            tensor.data_location = TensorProto.DEFAULT
        model.MergeFrom(place(tensor))
    assert read(written(anywhere, model)) == {location for _, location, elsewhere in tensors if elsewhere}


def test_a_model_without_such_weights_has_none() -> None:
    assert read(BUNDLED) == set()


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_an_onnx_file_or_it_is_said_that_it_is_not(
    anywhere: Path, data: bytes
) -> None:
    anywhere.write_bytes(data)
    try:
        read(anywhere)
    except DetectorError as err:
        assert "is not an ONNX model" in str(err)  # noqa: PT017 - or nothing at all


@given(st.integers(0, 2000), st.integers(0, 255))
def test_one_that_is_cut_off_or_damaged_is_read_or_refused_and_nothing_else(
    anywhere: Path, place: int, byte: int
) -> None:
    whole = branch(external("weights.data")).SerializeToString() + function(external("b")).SerializeToString()
    damaged = bytearray(whole)
    damaged[place % len(whole)] = byte
    for data in (whole[: place % len(whole)], bytes(damaged)):
        anywhere.write_bytes(data)
        try:
            read(anywhere)
        except DetectorError as err:
            assert "is not an ONNX model" in str(err)  # noqa: PT017 - or nothing at all


def test_messages_in_messages_without_end_are_refused(anywhere: Path) -> None:
    data = b""
    for _ in range(60):
        for tag in (b"\x32", b"\x2a", b"\x0a"):  # a graph of an attribute of a node
            data = tag + _length(data) + data
    anywhere.write_bytes(b"\x3a" + _length(data) + data)
    with pytest.raises(DetectorError, match="more than 100 deep"):
        read(anywhere)


def _length(data: bytes) -> bytes:
    length, said = len(data), b""
    while length > 0x7F:
        said += bytes([length & 0x7F | 0x80])
        length >>= 7
    return said + bytes([length])


def test_what_onnx_runtime_writes_in_its_own_format_is_left_to_it(anywhere: Path) -> None:
    anywhere.write_bytes(b"\x20\x00\x00\x00ORTM" + b"\xff" * 100)
    assert read(anywhere) == set()
