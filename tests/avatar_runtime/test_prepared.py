"""A network that was prepared once is read back, as long as nothing that it hangs on has changed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from avatar_runtime import prepared
from avatar_runtime.prepared import FOLDER, KEPT, prepared_session


class Network:
    """y = x * factor; counts how often it was made."""

    def __init__(self, source: Path) -> None:
        self.source, self.made = source, 0
        self.become(2.0)

    def become(self, factor: float) -> None:
        x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
        weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [factor])
        graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["y"])], "g", [x], [y], [weight])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), self.source)
        os.utime(self.source, ns=(0, int(factor)))

    def make(self) -> ModelProto:
        self.made += 1
        return onnx.load(self.source)

    def says(self, *code: ModuleType) -> float:
        session = prepared_session(self.source, "network", self.make, 1, *code)
        return float(session.run(["y"], {"x": np.ones(1, np.float32)})[0][0])

    @property
    def kept(self) -> list[Path]:
        return sorted((self.source.parent / FOLDER).iterdir())


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path / "network.onnx")


def test_it_is_made_once(network: Network) -> None:
    assert [network.says() for _ in range(3)] == [2.0] * 3
    assert network.made == 1 and len(network.kept) == 1


def test_another_file_other_code_or_another_machine_makes_it_anew(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.says()
    network.become(3.0)
    assert network.says() == 3.0 and network.made == 2
    network.says(onnx.helper)
    assert network.made == 3
    monkeypatch.setattr(prepared, "_processor", lambda: ("another",))
    network.says()
    assert network.made == 4
    monkeypatch.setattr(prepared.ort, "__version__", "0")
    network.says()
    assert network.made == 5 and len(network.kept) == KEPT


def test_what_cannot_be_read_is_made_anew(network: Network) -> None:
    network.says()
    (kept,) = network.kept
    kept.write_bytes(kept.read_bytes()[:20])
    assert network.says() == 2.0 and network.made == 2
    assert network.says() == 2.0 and network.made == 2
    assert network.kept == [kept]


def test_what_a_killed_process_left_is_gone_after_a_while(network: Network) -> None:
    folder = network.source.parent / FOLDER
    folder.mkdir()
    for name, age in (("old.part", prepared.ABANDONED + 60), ("new.part", 0.0)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    network.says()
    assert [path.name for path in network.kept if path.suffix == ".part"] == ["new.part"]


def test_where_nothing_can_be_kept_it_is_made_each_time(network: Network) -> None:
    (network.source.parent / FOLDER).write_text("a file")
    assert [network.says(), network.says()] == [2.0, 2.0] and network.made == 2


def test_one_that_is_gone_as_soon_as_it_is_kept_is_used_all_the_same(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def taken_away(part: Path, target: Path) -> None:
        replace(part, target)
        target.unlink()

    monkeypatch.setattr(Path, "replace", taken_away)
    assert network.says() == 2.0 and network.made == 1


def test_a_full_disk_leaves_nothing_half_written(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(part: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert network.says() == 2.0
    assert network.kept == []
