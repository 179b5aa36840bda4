"""What is arranged for inference computes what the plain networks compute."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.liveportrait.graphs import Frame, Source
from export.liveportrait.inference import EnlargedConv, FastGenerator, VolumeExtractor, Warp, i420
from export.liveportrait.model import LivePortrait, seeded
from export.liveportrait.motion import keypoints
from export.liveportrait.parity import example
from export.liveportrait.planes import SliceConv, slices
from export.liveportrait.widths import narrow


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= 2e-5 * wanted.abs().max()


@pytest.mark.parametrize("times", [2, 4])
def test_enlarged_conv(times: int) -> None:
    weight, bias, x = torch.randn(5, 3, 3, 3), torch.randn(5), torch.randn(2, 3, 6, 7)
    wanted = F.conv2d(F.interpolate(x, scale_factor=times), weight, bias, padding=1)
    close(EnlargedConv(weight, bias, times)(x), wanted)


@pytest.mark.parametrize("pad", [False, True])
def test_slice_conv(pad: bool) -> None:
    conv, norm = nn.Conv3d(17, 18, 3, padding=1), nn.BatchNorm3d(18).eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 17, 4, 5, 6)
    given = slices(x)
    if pad:
        given = F.pad(given, (0, 0, 0, 0, 0, 15))
    found = SliceConv(conv, norm, 4, pad)(given)
    close(found[:, :18], slices(norm(conv(x))))
    assert not found[:, 18:].any()


@pytest.mark.parametrize("divisor", [16, 8])
def test_the_networks(divisor: int) -> None:
    model = seeded(narrow(divisor))
    given = example(model, 2)
    feature, compressed = given["FEATURE"], given["COMPRESSED"]
    close(VolumeExtractor(model.appearance)(given["IMAGE"].permute(0, 3, 1, 2) / 255), feature)
    label = model.warping(feature, compressed, given["SOURCE"], given["DRIVEN"])
    depth = model.widths.volume_depth
    close(Warp(model.warping, depth)(feature, compressed, given["SOURCE"], given["DRIVEN"]), label)
    close(FastGenerator(model.generator)(label), model.generator(label))


def test_a_frame_of_the_source_keypoints_needs_no_warp(twin: LivePortrait) -> None:
    given = example(twin, 1)
    place, _ = twin.warping.dense_motion_network(given["COMPRESSED"], given["SOURCE"], given["SOURCE"])
    x = torch.arange(64) * (2 / 63) - 1
    assert torch.allclose(place[0, 0, 5, :, 0], x, atol=1e-6)
    assert torch.allclose(place[0, 0, :, 7, 1], x, atol=1e-6)


def test_frames_of_a_batch_are_those_alone(twin: LivePortrait) -> None:
    frame, given = Frame(twin), example(twin, 3)
    names = ("FEATURE", "COMPRESSED", "SOURCE", "DRIVEN")
    together, _ = frame(*(given[name] for name in names))
    for index in range(3):
        alone, _ = frame(*(given[name][index : index + 1] for name in names))
        assert (together[index].int() - alone[0].int()).abs().max() <= 1


def test_source_says_what_the_networks_say(twin: LivePortrait) -> None:
    given = example(twin, 2)
    motion = twin.motion(given["IMAGE"].permute(0, 3, 1, 2) / 255)
    close(Source(twin)(given["IMAGE"])[-1], keypoints(motion))


def test_half_precision_keeps_keypoints_in_f32(twin: LivePortrait) -> None:
    found = Source(twin, half=True)(example(twin, 1)["IMAGE"])
    assert [each.dtype for each in found] == [torch.float16] * 2 + [torch.float32] * 6


def test_i420_is_opencvs() -> None:
    picture = torch.rand(2, 3, 8, 8).repeat_interleave(64, 2).repeat_interleave(64, 3)
    for found, rgb in zip(i420(picture), picture, strict=True):
        pixels = (rgb.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        wanted = cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420)
        assert np.abs(found.numpy().astype(int) - wanted).max() <= 1
