"""Whatever is wrong with a file is said in one sentence that names the file and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelled_sets import paint, simple
from vedette.errors import LabelError
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.formats import FORMATS, read, write
from vedette.quality.labels.label_studio import labelling_config

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
CAR = {"id": 1, "name": "car"}


def coco(**changed: Any) -> str:
    return json.dumps({"images": [IMAGE], "annotations": [BOX], "categories": [CAR], **changed})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (coco(annotations=[BOX, BOX | {"category_id": 7}]), r"annotations\[1\]: no category 7"),
        (coco(annotations=[BOX | {"image_id": 7}]), r"annotations\[0\]: no image 7"),
        (coco(annotations=[BOX | {"bbox": [1, 2, 3]}]), r"annotations\[0\].bbox: has 3 numbers, not 4"),
        (
            coco(annotations=[BOX | {"bbox": [1, 2, "x", 4]}]),
            r"annotations\[0\].bbox\[2\]: is not a number but 'x'",
        ),
        (
            coco(annotations=[BOX | {"bbox": [1, 2, -3, 4]}]),
            r"bbox: its width or height is negative \(-3 × 4\)",
        ),
        (coco(annotations=[BOX | {"bbox": [1e9, 2, 3, 4]}]), r"bbox: a coordinate is not within"),
        (coco(annotations=[BOX | {"iscrowd": "no"}]), r"annotations\[0\].iscrowd: is neither true nor false"),
        (coco(annotations=[BOX | {"vedette": "{"}]), r"annotations\[0\].vedette: is not JSON"),
        (coco(annotations=[{}]), r"annotations\[0\]: has no image_id"),
        (coco(annotations={}), r"annotations: is not a list but \{\}"),
        (coco(annotations=None), r"has no annotations"),
        (coco(annotations=["x"]), r"annotations\[0\]: is not an object but 'x'"),
        (coco(images=[IMAGE, IMAGE]), r"images\[1\]: image 1 is there twice"),
        (coco(images=[IMAGE, IMAGE | {"id": 2}]), r"images\[1\]: 'a.jpg' is there twice"),
        (coco(images=[IMAGE | {"file_name": "../a.jpg"}]), r"file_name: '../a.jpg' leaves the folder"),
        (coco(images=[IMAGE | {"file_name": "a/..\\..\\b.jpg"}]), r"leaves the folder of the pictures"),
        (coco(images=[IMAGE | {"file_name": "/etc/passwd"}]), r"is not relative to the folder"),
        (coco(images=[IMAGE | {"file_name": "C:\\a.jpg"}]), r"is not relative to the folder"),
        (coco(images=[IMAGE | {"file_name": "a\x00.jpg"}]), r"has control characters"),
        (coco(images=[IMAGE | {"width": 0}]), r"images\[0\]: its size is 0 × 48"),
        (coco(images=[IMAGE | {"width": 1.5}]), r"images\[0\].width: is not a whole number but 1.5"),
        (coco(categories=[CAR, CAR]), r"categories\[1\]: category 1 is there twice"),
        (coco(categories=[CAR, CAR | {"id": 2}]), r"categories\[1\]: class 'car' is there twice"),
        (coco(categories=[CAR | {"name": ""}]), r"categories\[0\]: class '' is empty"),
        ("{", r"is not JSON"),
        ("\xff", r"is not JSON"),
        ("NaN", r"is not JSON"),
        ("[" * 100_000, r"is not JSON"),
    ],
)
def test_bad_coco(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(LabelError, match=says) as found:
        read(tmp_path / "set.json", "coco")
    assert str(found.value).startswith(f"{tmp_path / 'set.json'}: ")


TASK = {
    "data": {"image": "/data/upload/3/0a1b2c3d-a.jpg"},
    "annotations": [
        {
            "result": [
                {
                    "type": "rectanglelabels",
                    "original_width": 200,
                    "original_height": 100,
                    "value": {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["car"]},
                }
            ]
        }
    ],
}


def task(**changed: Any) -> str:
    """With the region's value changed."""
    made = json.loads(json.dumps(TASK))
    made["annotations"][0]["result"][0]["value"] |= changed
    return json.dumps([made])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (task(rotation=12), r"\[0\].annotations\[0\].result\[0\].value.rotation: rotated boxes are not read"),
        (task(rectanglelabels=["a", "b"]), r"value: has 2 classes, not one"),
        (task(width="wide"), r"value.width: is not a number but 'wide'"),
        (task(width=-1), r"value: its width or height is negative"),
        (json.dumps([TASK, TASK]), r"\[1\]: 'a.jpg' is there twice"),
        (json.dumps([TASK | {"annotations": []}]), r"\[0\]: nobody labelled it"),
        (json.dumps([TASK | {"annotations": [{"was_cancelled": True, "result": []}]}]), "nobody labelled it"),
        (json.dumps([TASK | {"annotations": [{"result": []}]}]), r"\[0\]: has no boxes, so nobody knows"),
        (
            json.dumps([TASK | {"data": {"image": "../a.jpg"}}]),
            r"\[0\].data.image: '../a.jpg' leaves the folder",
        ),
        (json.dumps([TASK | {"data": {}}]), r"\[0\].data: has no image"),
        (json.dumps([{"image": "a.jpg"}]), r"\[0\]: has no data"),
        (json.dumps({}), r"is not a list"),
    ],
)
def test_bad_label_studio(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "tasks.json").write_text(text)
    with pytest.raises(LabelError, match=says) as found:
        read(tmp_path / "tasks.json", "label-studio")
    assert str(found.value).startswith(f"{tmp_path / 'tasks.json'}: ")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/3/0a1b2c3d-a.jpg", "a.jpg"),
        ("/data/local-files/?d=yard/the%20gate.jpg", "yard/the gate.jpg"),
        ("s3://bucket/some/a.jpg", "a.jpg"),
        ("http://host/some/0a1b2c3d-a.jpg?token=x", "0a1b2c3d-a.jpg"),
        ("some/a.jpg", "some/a.jpg"),
    ],
)
def test_label_studio_addresses_are_turned_into_names(address: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "tasks.json").write_text(json.dumps([TASK | {"data": {"image": address}}]))
    (picture,) = read(tmp_path / "tasks.json").pictures
    assert (picture.name, picture.width, picture.height) == (name, 200, 100)
    assert picture.boxes == (Box((20.0, 20.0, 80.0, 60.0), "car"),)


def test_label_studio_asks_the_picture_for_its_size_where_there_is_no_box(tmp_path: Path) -> None:
    (tmp_path / "tasks.json").write_text(json.dumps([TASK | {"annotations": [{"result": []}]}]))
    paint(tmp_path, Dataset((), (Picture("a.jpg", 32, 24),)))
    (picture,) = read(tmp_path / "tasks.json", pictures=tmp_path).pictures
    assert (picture.width, picture.height, picture.boxes) == (32, 24, ())


def test_label_studio_is_offered_every_class() -> None:
    assert '<Label value="a &lt;b&gt;"/>' in labelling_config(Dataset(("a <b>",)))


def cvat(inside: str, image: str = 'id="0" name="a.jpg" width="64" height="48"') -> str:
    return f"<annotations>\n<version>1.1</version>\n<image {image}>\n{inside}\n</image>\n</annotations>"


def box(**changed: str) -> str:
    head = {"label": "car", "xtl": "1", "ytl": "2", "xbr": "3", "ybr": "4"} | changed
    return f"<box {' '.join(f'{key}={chr(34)}{value}{chr(34)}' for key, value in head.items())}></box>"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (cvat(box(xbr="0")), r"line 4: box: its width or height is negative"),
        (cvat(box(xbr="x")), r"line 4: box: xbr is not a number but 'x'"),
        (cvat(box(xbr="nan")), r"line 4: box: a coordinate is not within"),
        (cvat(box(rotation="30")), r"line 4: box: rotated boxes are not read"),
        (cvat("<box/>"), r"line 4: box: has no xtl"),
        (cvat('<polygon label="car" points="1,2"/>'), r"line 4: polygon: only boxes are read"),
        (
            cvat("", 'name="../a.jpg" width="1" height="1"'),
            r"line 3: image: name '../a.jpg' leaves the folder",
        ),
        (cvat("", 'name="a.jpg" width="0" height="1"'), r"line 3: image: its size is 0 × 1"),
        (cvat("", 'name="a.jpg" height="1"'), r"line 3: image: has no width"),
        ("<annotations><track/></annotations>", r'line 1: track: this is CVAT "for video"'),
        ("<annotation/>", r"is not CVAT's <annotations>"),
        ("<annotations>", r"line 1: is not XML: no element found"),
        ("", r"is not XML"),
        ("<a>" * 100, r"is nested too deep"),
        ('<?xml version="1.0" encoding="none"?><a/>', r"is not XML"),
    ],
)
def test_bad_cvat(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "boxes.xml").write_text(text)
    with pytest.raises(LabelError, match=says) as found:
        read(tmp_path / "boxes.xml")
    assert str(found.value).startswith(f"{tmp_path / 'boxes.xml'}: ")


def test_a_billion_laughs_are_refused_unread(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><annotations>&l9;</annotations>'
    (tmp_path / "boxes.xml").write_text(text)
    with pytest.raises(LabelError, match=r"line 1: a DOCTYPE is not read"):
        read(tmp_path / "boxes.xml")


def test_no_file_is_fetched_by_an_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    text = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{tmp_path}/secret">]><annotations>&x;</annotations>'
    (tmp_path / "boxes.xml").write_text(text)
    with pytest.raises(LabelError, match="a DOCTYPE is not read"):
        read(tmp_path / "boxes.xml")


def test_what_cvat_notes_of_a_box_is_kept(tmp_path: Path) -> None:
    inside = (
        '<box label="car" source="auto" occluded="1" xtl="1.5" ytl="2" xbr="3" ybr="4" z_order="2" '
        'group_id="5">'
        '<attribute name="colour">dark red</attribute></box><tag label="rain"/>'
    )
    (tmp_path / "boxes.xml").write_text(
        cvat(inside, 'id="7" name="a.jpg" width="64" height="48" subset="train"')
    )
    (picture,) = read(tmp_path / "boxes.xml").pictures
    assert picture.attributes == {"subset": "train", "tags": ["rain"]}
    assert picture.boxes[0].attributes == {
        "source": "auto",
        "occluded": True,
        "z_order": 2,
        "group_id": 5,
        "colour": "dark red",
    }
    write(Dataset(("car",), (picture,)), tmp_path / "again.xml", "cvat")
    assert 'source="auto" occluded="1"' in (tmp_path / "again.xml").read_text()


def yolo(folder: Path, line: str = "", **head: Any) -> None:
    paint(folder / "images", Dataset((), (Picture("a.jpg", 64, 48),)))
    (folder / "labels").mkdir()
    (folder / "labels/a.txt").write_text(line)
    (folder / "data.yaml").write_text(json.dumps({"train": "images", "names": ["car"]} | head))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 0.5 0.5 0.1", r"labels/a.txt: line 1: has 4 numbers, not 5"),
        ("0 0.5 0.5 0.1 0.1\n\n0 1 2 3 4 5 6 7 8", r"line 3: has 9 numbers, not 5 \(polygons are not read\)"),
        ("1 0.5 0.5 0.1 0.1", r"line 1: no class 1; there are 1, from 0"),
        ("-1 0.5 0.5 0.1 0.1", r"line 1: no class -1"),
        ("nan 0.5 0.5 0.1 0.1", r"line 1: no class nan"),
        ("car 0.5 0.5 0.1 0.1", r"line 1: 'car 0.5 0.5 0.1 0.1' is not 5 numbers"),
        ("0 inf 0.5 0.1 0.1", r"line 1: a coordinate is not within"),
        ("0 0.5 0.5 -0.1 0.1", r"line 1: its width or height is negative"),
    ],
)
def test_bad_lines_of_yolo(line: str, says: str, tmp_path: Path) -> None:
    yolo(tmp_path, line)
    with pytest.raises(LabelError, match=says):
        read(tmp_path)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ({"train": "../elsewhere"}, r"data.yaml: train: '../elsewhere' leaves the folder"),
        ({"train": "/elsewhere"}, r"data.yaml: train: '/elsewhere' is not relative"),
        ({"path": "../.."}, r"data.yaml: path: '../..' leaves the folder"),
        ({"train": "nowhere"}, r"data.yaml: train: there is no folder 'nowhere'"),
        ({"train": None}, r"data.yaml: has neither train nor val"),
        ({"names": None}, r"data.yaml: has no names"),
        ({"names": "car"}, r"data.yaml: names: is not a list"),
        ({"names": {"0": "car"}}, r"data.yaml: names: its numbers are not 0 to 0"),
        ({"names": [[]]}, r"data.yaml: names\[0\]: is not text"),
        ({"names": ["car", "car"]}, r"data.yaml: names: class 'car' is there twice"),
    ],
)
def test_bad_heads_of_yolo(head: dict[str, Any], says: str, tmp_path: Path) -> None:
    yolo(tmp_path, **head)
    with pytest.raises(LabelError, match=says):
        read(tmp_path)


@pytest.mark.parametrize("text", ["{", "a: &a [1]\nb: *a", "- \x00", "? [a]\n: b"])
def test_a_head_that_is_no_yaml_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(LabelError, match=r"data.yaml: "):
        read(tmp_path)


def test_a_yolo_picture_that_is_none_is_refused(tmp_path: Path) -> None:
    yolo(tmp_path)
    (tmp_path / "images/b.jpg").write_text("not a picture")
    with pytest.raises(LabelError, match=r"images/b.jpg: is not a picture"):
        read(tmp_path)


def test_the_layout_of_roboflow_is_read(tmp_path: Path) -> None:
    paint(tmp_path / "train/images", Dataset((), (Picture("a.jpg", 64, 48),)))
    (tmp_path / "train/labels").mkdir()
    (tmp_path / "train/labels/a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnc: 1\nnames: [7]\nmade: 2026-11-29\n")
    found = read(tmp_path)
    assert found.labels == ("7",)
    assert found.attributes == {"made": "2026-11-29"}
    (picture,) = found.pictures
    assert (picture.name, picture.boxes) == ("train/images/a.jpg", (Box((24.0, 12.0, 40.0, 36.0), "7"),))
    assert picture.attributes == {"split": "train"}


@pytest.mark.parametrize("format", FORMATS)
def test_files_beyond_the_limit_are_not_read(format: str, tmp_path: Path) -> None:
    path = tmp_path / ("set" if format == "yolo" else "set.json")
    write(simple(), path, format)
    with pytest.raises(LabelError, match=r"is larger than 20 bytes"):
        read(path, format, at_most=20)


@pytest.mark.parametrize(
    ("dataset", "says"),
    [
        (Dataset(("a", "a")), "class 'a' is there twice"),
        (Dataset(("a\n",)), "has control characters"),
        (
            Dataset((), (Picture("a.jpg", 1, 1, (Box((0, 0, 1, 1), "a"),)),)),
            "'a' is none of the set's classes",
        ),
        (Dataset((), (Picture("../a.jpg", 1, 1),)), "its name leaves the folder of the pictures"),
        (Dataset((), (Picture("./a.jpg", 1, 1),)), "needless slashes or dots"),
        (Dataset((), (Picture("a.jpg", 1, 1), Picture("a.jpg", 1, 1))), "picture 'a.jpg' is there twice"),
        (Dataset((), (Picture("a.jpg", 0, 1),)), "its size is 0 × 1"),
        (Dataset((), (Picture("a.jpg", 1, 1, captured_at=float("nan")),)), "captured_at is nan"),
        (
            Dataset((), (Picture("a.jpg", 1, 1, attributes={"a": float("inf")}),)),
            "nothing that JSON can hold",
        ),
        (Dataset(("a",), (Picture("a.jpg", 1, 1, (Box((1, 0, 0, 1), "a"),)),)), "box 0: its width or height"),
        (Dataset((), attributes={"a": "\ud800"}), "the set: attributes"),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_sets_that_no_format_can_hold_are_not_written(
    format: str, dataset: Dataset, says: str, tmp_path: Path
) -> None:
    with pytest.raises(LabelError, match=says) as found:
        write(dataset, tmp_path / "out", format)
    assert str(tmp_path / "out") in str(found.value)
    assert not list(tmp_path.iterdir())


def test_two_pictures_that_would_share_a_file_of_yolo_are_refused(tmp_path: Path) -> None:
    dataset = Dataset((), (Picture("a.jpg", 1, 1), Picture("a.png", 1, 1)))
    with pytest.raises(LabelError, match=r"pictures 'a.jpg' and 'a.png' would share labels/a.txt"):
        write(dataset, tmp_path, "yolo")


def test_a_format_that_cannot_be_recognised_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text("3")
    with pytest.raises(LabelError, match=r"is none of coco, yolo, label-studio, cvat as far as one can see"):
        read(tmp_path / "set.json")
    with pytest.raises(LabelError, match=r"there is no such file or folder"):
        read(tmp_path / "nowhere.json")
    with pytest.raises(LabelError, match=r"there is no format 'voc'"):
        read(tmp_path / "set.json", "voc")
    with pytest.raises(LabelError, match=r"cannot be read"):
        read(tmp_path / "nowhere.json", "coco")


def _spoilt(data: bytes, cuts: list[tuple[float, bytes]]) -> bytes:
    for share, instead in cuts:
        at = int(share * len(data))
        data = data[:at] + instead + data[at + len(instead) :]
    return data


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.binary(max_size=3) | st.sampled_from([b"..", b"-", b'"', b"0"])),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_files_are_read_or_refused_and_nothing_else(
    format: str, cuts: list[tuple[float, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / ("set" if format == "yolo" else "set.file")
    write(simple(), path, format)
    for file in [each for each in path.rglob("*") if each.is_file()] or [path]:
        file.write_bytes(_spoilt(file.read_bytes(), cuts))
    try:
        found = read(path, format)
    except LabelError as err:
        said = str(err)
    else:
        said = str(path)
        write(found, folder / "again.json", "coco")
    assert str(path) in said
