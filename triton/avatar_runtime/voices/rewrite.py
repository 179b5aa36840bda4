"""A quantized network's graph rewritten for speed: the same arithmetic by ONNX Runtime's faster kernels.

Measured on Kokoro's largest convolution, on a core with AMX: `ConvInteger` with u8 weights does 65 Gmac/s, a matrix
product of u8 by constant s8 weights 500. What Kokoro says differs from before by no more than if its style vector had
been changed by a ten-millionth: it follows the phases of its own sound, which no two roundings leave alike.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from avatar_runtime.voices.products import blocked, signed, signed_products_are_exact, width, windowed

Node = NodeProto
#: Channels that one row of a product makes: with few channels it makes several steps of time at once, which needs
#: fewer bytes copied for more multiplications: of Kokoro's 128 by 128 by 11 weights 9 % more in 256 channels, 45 % more
#: in 512. That is worth it where they are quick.
ROW, FAST_ROW = 256, 512
_END = 2**40  # "to the end", for Slice


def faster(model: onnx.ModelProto) -> None:
    """Rewrites `model` in place; its inputs and outputs stay as they are."""
    rewriter = Rewriter(model)
    rewriter.convolutions()
    rewriter.norms()
    rewriter.spectra()
    rewriter.finish()


class Rewriter:
    """A model's nodes by their outputs and inputs, and what shall replace them; `finish` puts it in place."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._producers = {output: node for node in model.graph.node for output in node.output}
        self._consumers: dict[str, list[Node]] = defaultdict(list)
        for node in model.graph.node:
            for name in node.input:
                self._consumers[name].append(node)
        self._instead: dict[str, list[Node]] = {}  # by the output that the new nodes make

    def finish(self) -> None:
        """The new nodes stand where the nodes stood whose outputs they make; what nobody needs any more is gone."""
        nodes: list[Node] = []
        for node in self._graph.node:
            new = [self._instead[output] for output in node.output if output in self._instead]
            nodes.extend(new[0] if new else [node])
        needed = {output.name for output in self._graph.output}
        kept: list[Node] = []
        for node in reversed(nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                kept.append(node)
        constants = [tensor for name, tensor in self._constants.items() if name in needed]
        del self._graph.node[:], self._graph.initializer[:], self._graph.value_info[:]
        self._graph.node.extend(reversed(kept))
        self._graph.initializer.extend(constants)

    def convolutions(self) -> None:
        """Each `ConvInteger` of one dimension and stride 1, with its scale and bias, as a matrix product."""
        for node in list(self._graph.node):
            if node.op_type == "ConvInteger":
                self._convolution(node)

    def norms(self) -> None:
        """Each adaptive instance norm, written out in nine nodes, as one `InstanceNormalization`, with its Snake."""
        for node in list(self._graph.node):
            if node.op_type == "Div":
                self._norm(node)

    def spectra(self) -> None:
        """Each `STFT`, a slow kernel, as a convolution with windowed waves."""
        for node in list(self._graph.node):
            if node.op_type == "STFT":
                self._spectrum(node)

    def _convolution(self, node: Node) -> None:
        conv = self._read(node)
        if conv is None:
            return
        outputs, _, taps = conv.weights.shape
        weights, weight_zero = conv.weights, conv.weight_zero
        row = ROW
        if signed_products_are_exact():
            row = FAST_ROW
            if weights.dtype == np.uint8:
                weights, weight_zero = signed(weights), signed(weight_zero)
        same = sum(conv.pads) == taps - 1 > 0  # as long as before
        block = max(1, row // outputs) if conv.dilation == 1 and same else 1
        make = _Maker(node.name)
        rows = make("Transpose", conv.quantized, perm=[0, 2, 1])  # u8 [1, time, in]
        if block > 1:
            rows = self._blocks(make, rows, conv, block)
        elif taps > 1:
            padded = make("Pad", rows, self._ints(0, conv.pads[0], 0, 0, conv.pads[1], 0), conv.zero)
            steps = [(tap * conv.dilation, -(taps - 1 - tap) * conv.dilation or _END) for tap in range(taps)]
            rows = self._beside(make, padded, steps)
        product = make(
            "MatMulIntegerToFloat",
            rows,  # u8 [1, time / block, steps * in]
            self._constant(f"{node.name}/weights", blocked(weights, block, weight_zero)),
            conv.scale,
            conv.weight_scale,
            conv.zero,
            self._constant(f"{node.name}/weight_zero", weight_zero),
            *([self._constant(f"{node.name}/bias", np.tile(self._value(conv.bias), block))] if conv.bias else []),
            domain="com.microsoft",
        )
        if block > 1:
            length = make("Shape", conv.quantized, start=2, end=3)
            apart = make("Reshape", product, self._ints(1, -1, outputs))
            product = make("Slice", apart, self._ints(0), length, self._ints(1))
        make("Transpose", product, perm=[0, 2, 1], output=conv.output)
        self._instead[conv.output] = make.nodes

    def _read(self, node: Node) -> _Convolution | None:
        """What is around a `ConvInteger`, if it can be a product."""
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        weights = self._value(node.input[1])
        if weights.ndim != 3 or attributes.get("strides", [1]) != [1] or attributes.get("group", 1) != 1:
            return None
        quantized, _, zero, weight_zero = node.input
        (following,) = self._consumers[node.output[0]]
        bias = ""
        if following.op_type == "Add":  # the bias in units of the scale, rounded; its own numbers are better
            rounded = self._producers[_other(following, node.output[0])]
            while rounded.op_type != "Div":
                rounded = self._producers[rounded.input[0]]
            bias = rounded.input[0]
            (following,) = self._consumers[following.output[0]]
        (scaled,) = self._consumers[following.output[0]]
        if following.op_type != "Cast" or scaled.op_type != "Mul":
            raise ValueError(f"{node.name} is not followed by what this code knows")
        scales = self._producers[_other(scaled, following.output[0])].input
        return _Convolution(
            quantized=quantized,
            scale=self._producers[quantized].output[1],
            zero=zero,
            weights=weights,
            weight_scale=next(name for name in scales if name in self._constants),
            weight_zero=self._value(weight_zero).reshape(-1)[0],
            bias=bias,
            dilation=attributes.get("dilations", [1])[0],
            pads=tuple(attributes.get("pads", [0, 0])),
            output=scaled.output[0],
        )

    def _blocks(self, make: _Maker, rows: str, conv: _Convolution, block: int) -> str:
        """Rows u8 [1, time, in] -> [1, time / block, width * in]: all that `block` steps of output need."""
        _, inputs, taps = conv.weights.shape
        count = width(taps, block) // block
        length = make("Shape", rows, start=1, end=2)
        missing = make("Mod", make("Neg", length), self._ints(block))
        right = make("Add", missing, self._ints((count - 1) * block - conv.pads[0]))
        padding = make("Concat", self._ints(0, conv.pads[0], 0, 0), right, self._ints(0), axis=0)
        padded = make("Pad", rows, padding, conv.zero)
        apart = make("Reshape", padded, self._ints(1, -1, block * inputs))
        return self._beside(make, apart, [(i, i + 1 - count or _END) for i in range(count)])

    def _beside(self, make: _Maker, rows: str, spans: list[tuple[int, int]]) -> str:
        """The spans of rows (from, to) side by side."""
        along = self._ints(1)
        pieces = [make("Slice", rows, self._ints(start), self._ints(end), along) for start, end in spans]
        return make("Concat", *pieces, axis=2)

    def _norm(self, div: Node) -> None:
        centred, root = (self._producers.get(name) for name in div.input)
        if centred is None or root is None or (centred.op_type, root.op_type) != ("Sub", "Sqrt"):
            return
        mean, variance = self._producers.get(centred.input[1]), self._producers.get(root.input[0])
        if mean is None or variance is None or (mean.op_type, variance.op_type) != ("ReduceMean", "Add"):
            return
        if mean.input[0] != centred.input[0] or self._value(mean.input[1]).tolist() not in ([2], [-1]):
            return
        epsilon = next(float(self._value(name).reshape(-1)[0]) for name in variance.input if name in self._constants)
        for product in self._consumers[div.output[0]]:
            (total,) = self._consumers[product.output[0]]
            if (product.op_type, total.op_type) != ("Mul", "Add"):
                raise ValueError(f"{div.name} is not followed by what this code knows")
            make = _Maker(total.name)
            scale, shift = _other(product, div.output[0]), _other(total, product.output[0])
            snake = self._snake(total.output[0])
            if snake is None:
                self._normed(make, centred.input[0], scale, shift, epsilon, total.output[0])
                self._instead[total.output[0]] = make.nodes
                continue
            alpha, reciprocal, output = snake
            scale, shift = make("Mul", scale, alpha), make("Mul", shift, alpha)
            angle = self._normed(make, centred.input[0], scale, shift, epsilon)
            sine = make("Sin", angle)
            make("Mul", make("Add", angle, make("Mul", sine, sine)), reciprocal, output=output)
            self._instead[output] = make.nodes

    def _normed(self, make: _Maker, sound: str, scale: str, shift: str, epsilon: float, output: str = "") -> str:
        flat = self._ints(-1)
        scale, shift = make("Reshape", scale, flat), make("Reshape", shift, flat)
        return make("InstanceNormalization", sound, scale, shift, epsilon=epsilon, output=output)

    def _snake(self, name: str) -> tuple[str, str, str] | None:
        """alpha, 1 / alpha and the output, if what follows is Snake: y + sin²(alpha y) / alpha, and nothing else."""
        following = {node.op_type: node for node in self._consumers[name]}
        if len(self._consumers[name]) != 2 or set(following) != {"Mul", "Add"}:
            return None
        kinds, alpha = ("Sin", "Pow", "Mul"), _other(following["Mul"], name)
        node, before = following["Mul"], ""
        for kind in kinds:
            before = node.output[0]
            if [n.op_type for n in self._consumers[before]] != [kind]:
                return None
            (node,) = self._consumers[before]
        if following["Add"] not in self._consumers[node.output[0]]:
            return None
        return alpha, _other(node, before), following["Add"].output[0]

    def _spectrum(self, node: Node) -> None:
        sound, step, window, _ = node.input
        waves = windowed(self._value(window))  # [bins * 2, 1, size]
        make = _Maker(node.name)
        row = make("Reshape", sound, self._ints(1, 1, -1))
        kernel = self._constant(f"{node.name}/waves", waves)
        spectrum = make("Conv", row, kernel, strides=[int(self._value(step))])
        apart = make("Reshape", spectrum, self._ints(1, len(waves) // 2, 2, -1))
        make("Transpose", apart, perm=[0, 3, 1, 2], output=node.output[0])
        self._instead[node.output[0]] = make.nodes

    def _value(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self._constants[name])

    def _constant(self, name: str, value: Any) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _ints(self, *values: int) -> str:
        return self._constant("ints/" + ",".join(map(str, values)), np.array(values, np.int64))


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A quantized convolution: names of tensors, but for what is known before it runs."""

    quantized: str  # u8 [1, in, time]
    scale: str
    zero: str
    weights: NDArray[Any]  # u8 or s8 [out, in, taps]
    weight_scale: str
    weight_zero: Any
    bias: str  # f32 [out], or ""
    dilation: int
    pads: tuple[int, ...]  # before and after
    output: str  # f32 [1, out, time]


class _Maker:
    """Makes nodes whose names and outputs begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.nodes: list[Node] = []

    def __call__(self, kind: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        name = f"{self._prefix}/{len(self.nodes)}"
        output = output or name
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=name, domain=domain, **attributes))
        return output


def _other(node: Node, name: str) -> str:
    return next(str(other) for other in node.input if other != name)
