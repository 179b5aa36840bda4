"""A checkpoint set by hand, for machines without the published one: the picture itself moves with its keypoints.

The architecture is the real one and nothing is trained. F keeps the picture's colours, small, in every slice of the
volume; M finds the same keypoints in every picture, where a face that fills the crop as LivePortrait's does has them;
W lets each keypoint take its surroundings along, where its heat grew; G shows the moved colours. So a test or a person
sees where every keypoint goes and that nothing is upside down, blurred as the 64x64 volume is.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from avatar_runtime.liveportrait.graphs import KEYPOINTS
from export.liveportrait.appearance import AppearanceExtractor
from export.liveportrait.generator import Generator
from export.liveportrait.model import LivePortrait
from export.liveportrait.motion import BINS, Detector
from export.liveportrait.retargeting import KeypointMlp, Retargeting
from export.liveportrait.warping import MOTIONS, WarpingModule
from export.liveportrait.widths import Widths

COLOURS = 3
#: Where the keypoints of a face are in its crop (x right, y down): the mean of MediaPipe's
#: landmarks on the four default portraits. Which is which is read from the official edits: 11 and 15 lids and irises,
#: 13 and 16 under the eyes, 1 and 2 brows, 19 the lower lip, 17 the upper lip, 14 and 20 the corners, 3 and 7 the
#: cheeks; the others lie around the face.
PLACES: dict[int, tuple[float, float]] = {
    0: (-0.13, -0.4), 1: (-0.33, -0.17), 2: (0.1, -0.17), 3: (-0.37, 0.2),
    4: (-0.42, 0.0), 5: (-0.12, 0.1), 6: (-0.22, 0.36), 7: (0.19, 0.2), 8: (0.4, 0.05),
    9: (-0.1, 0.67), 10: (-0.16, 0.25), 11: (-0.29, -0.05), 12: (0.0, 0.36),
    13: (-0.29, 0.04), 14: (-0.24, 0.41), 15: (0.07, -0.05), 16: (0.07, 0.04),
    17: (-0.14, 0.38), 18: (-0.14, -0.08), 19: (-0.14, 0.47), 20: (0.03, 0.42),
}  # fmt: skip
GRIP, HOLD = 100.0, 8.0  # how much a keypoint's grown heat weighs, and the background that stays
CONTRAST = 4.5  # of the last sigmoid at middle grey
#: Towards black and white the sigmoid flattens: beyond these the colour is stretched by as much again, times STRETCH.
DARK, BRIGHT, STRETCH = 0.14, 0.86, 4.5
LIFT = 1.0  # added before the leaky ReLU, which would dampen what is below zero, and taken off after it
LIP_STEP, EYE_STEP = 0.16, 0.12  # how far 19 goes for a lip ratio of 1, and 11 and 15 for an eye ratio of 1
SMOOTH = torch.tensor([0.25, 0.5, 0.25])  # what takes the steps off the enlarged volume


def puppet(widths: Widths) -> LivePortrait:
    """The networks with weights set by hand."""
    model = LivePortrait(widths)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
                module.weight.zero_()
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
                module.weight.fill_(math.sqrt(1 + module.eps))  # with the statistics 0 and 1: nothing changes
        _colours(model.appearance)
        _keypoints(model.motion.detector, widths)
        _moves(model.warping, widths)
        _shows(model.generator)
        _opens(model.retargeting)
    return model


def _slice(widths: Widths) -> int:
    """The slice of the volume that is shown; the keypoints' heat lies there."""
    return (widths.volume_depth - 1) // 2


def _pass(conv: nn.Conv2d | nn.Conv3d, pairs: list[tuple[int, int]], kernel: torch.Tensor | None = None) -> None:
    """Lets channel a come out as channel b, through the kernel's middle or through `kernel`."""
    for into, out in pairs:
        if kernel is None:
            _middle(conv, out, into, 1.0)
        else:
            conv.weight[out, into] = kernel


def _middle(conv: nn.Conv2d | nn.Conv3d, out: int, into: int, weight: float) -> None:
    """Sets the weight in the middle of the kernel from channel `into` to `out`."""
    conv.weight[(out, into, *(size // 2 for size in conv.kernel_size))] = weight


def _colours(network: AppearanceExtractor) -> None:
    """Red, green, blue in the first channels of every slice."""
    same = [(colour, colour) for colour in range(COLOURS)]
    _pass(network.first.conv, same)
    for block in network.down_blocks:
        _pass(block.conv, same)
    depth = network.shape[1]
    _pass(network.second, [(colour, colour * depth + d) for colour in range(COLOURS) for d in range(depth)])


def _keypoints(detector: Detector, widths: Widths) -> None:
    """The same keypoints, a face straight ahead, at its own size, whatever the picture."""
    for linear in (block.pwconv2 for stage in detector.stages for block in stage):
        linear.weight.zero_()
    depth = _slice(widths) / (widths.volume_depth - 1) * 2 - 1
    detector.fc_kp.bias.copy_(torch.tensor([(*PLACES[i], depth) for i in range(KEYPOINTS)]).flatten())
    detector.fc_scale.bias.fill_(1.0)
    for head in (detector.fc_pitch, detector.fc_yaw, detector.fc_roll):
        head.bias.fill_(-40.0)
        head.bias[BINS // 2 - 1 : BINS // 2 + 1] = 40.0  # between them lies 0 degrees


def _moves(network: WarpingModule, widths: Widths) -> None:
    """A keypoint's surroundings move with it where its heat grew; the rest stays, and everything is seen."""
    dense = network.dense_motion_network
    _pass(dense.compress, [(colour, colour) for colour in range(min(COLOURS, widths.compressed))])
    heats = [widths.dense + motion * (widths.compressed + 1) for motion in range(MOTIONS)]
    _pass(dense.hourglass.decoder.conv, [(channel, channel) for channel in heats])
    assert dense.mask.bias is not None and dense.occlusion.bias is not None
    for motion, channel in enumerate(heats[1:], 1):
        _middle(dense.mask, motion, channel, GRIP)
    dense.mask.bias[0] = HOLD
    dense.occlusion.bias.fill_(20.0)
    depth = widths.volume_depth
    _pass(network.third.conv, [(colour * depth + _slice(widths), colour) for colour in range(COLOURS)])
    _pass(network.fourth, [(colour, colour) for colour in range(COLOURS)])


def _shows(network: Generator) -> None:
    """The label's colours through the last block's shortcut, smoothed; the other ways carry nothing."""
    same = [(colour, colour) for colour in range(COLOURS)]
    soft = torch.outer(SMOOTH, SMOOTH)
    for name, block in network.named_children():
        if name in ("fc", "conv_img"):
            continue
        for norm in (block.norm_0, block.norm_1, *([block.norm_s] if block.learned else [])):
            norm.mlp_gamma.bias.fill_(-1.0)  # nothing of the block's own input
        for conv in (block.conv_0, block.conv_1, *([block.conv_s] if block.learned else [])):
            conv.weight_orig.fill_(1.0)  # of nothing, but a weight with a norm
            conv.iterate(2)
            if conv.bias is not None:
                conv.bias.zero_()
    last = network.up_1
    shared, beta = last.norm_s.mlp_shared[0], last.norm_s.mlp_beta
    _pass(shared, same, soft)
    _pass(shared, [(colour, COLOURS + colour) for colour in range(COLOURS)], soft)
    _pass(shared, [(colour, 2 * COLOURS + colour) for colour in range(COLOURS)], -soft)
    shared.bias[COLOURS : 2 * COLOURS], shared.bias[2 * COLOURS : 3 * COLOURS] = -BRIGHT, DARK
    _pass(beta, same, soft)
    _pass(beta, [(COLOURS + colour, colour) for colour in range(COLOURS)], soft * STRETCH)
    _pass(beta, [(2 * COLOURS + colour, colour) for colour in range(COLOURS)], -soft * STRETCH)
    beta.bias[:COLOURS] = LIFT
    last.conv_s.weight_orig.zero_()
    for colour in range(COLOURS):
        last.conv_s.weight_orig[colour, colour] = 1.0
    last.conv_s.iterate(2)
    image = network.conv_img[0]
    for colour in range(COLOURS):
        for place in range(4):
            image.weight[colour * 4 + place, colour] = CONTRAST * _half_step(place)
    image.bias.fill_(-CONTRAST * (LIFT + 0.5))


def _half_step(place: int) -> torch.Tensor:
    """The kernel that reads a quarter pixel up or down, left or right, as PixelShuffle's `place` asks."""
    axis = {0: torch.tensor([0.25, 0.75, 0.0]), 1: torch.tensor([0.0, 0.75, 0.25])}
    return torch.outer(axis[place // 2], axis[place % 2])


def _opens(network: Retargeting) -> None:
    """Stitching changes nothing; lips and lids go as far as the ratio wanted differs from the present one."""
    now, wanted = 3 * KEYPOINTS, 3 * KEYPOINTS + 1
    _difference(network.lip, {wanted: 1.0, now: -1.0}, {3 * 19 + 1: LIP_STEP, 3 * 17 + 1: -LIP_STEP / 8})
    both = {now: -0.5, now + 1: -0.5, now + 2: 1.0}
    _difference(network.eye, both, {3 * 11 + 1: -EYE_STEP, 3 * 15 + 1: -EYE_STEP})


def _difference(network: KeypointMlp, inputs: dict[int, float], outputs: dict[int, float]) -> None:
    """Output = weights of `outputs` times the sum of `inputs`; its two signs pass the ReLUs side by side."""
    linears = [layer for layer in network.mlp if isinstance(layer, nn.Linear)]
    for index, weight in inputs.items():
        linears[0].weight[0, index], linears[0].weight[1, index] = weight, -weight
    for linear in linears[1:-1]:
        linear.weight[0, 0] = linear.weight[1, 1] = 1.0
    for index, weight in outputs.items():
        linears[-1].weight[index, 0], linears[-1].weight[index, 1] = weight, -weight
