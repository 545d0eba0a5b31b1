"""Writes architectures.json: the logits of torchvision's networks, and of the CIFAR networks as their public PyTorch programs define them.

Checkpoints of these networks are too large to commit. Therefore the weights, and the input image, are computed by a formula from a tensor's
name and the index of a value; the test computes the same values, equal in every bit. The file has the logits and a hash of all names and
shapes.

    generate.py                      writes architectures.json beside this file
    generate.py --checkpoints DIR    also writes NAME_zip.pt and NAME_legacy.pt into DIR; the tests read them from there
                                     if the environment variable BRINK_CHECKPOINTS names it
    generate.py --only NAME ...      only these networks, for inspection; writes no architectures.json

Needs torch and torchvision (Debian: python3-torch, python3-torchvision).
"""
import argparse
import hashlib
import json
import math
import pathlib

import numpy
import torch
import torchvision
from torch import nn
from torch.nn import functional


def uniform(name, count):
    """Pseudo-random numbers in [-1, 1): a hash of 32 bits (FNV-1a of the name, then the mixing of "lowbias32") of the indices 0, 1, ..."""
    start = 2166136261
    for byte in name.encode():
        start = (start ^ byte) * 16777619 % 2**32
    bits = (numpy.arange(count, dtype=numpy.uint64) * 2654435761 % 2**32).astype(numpy.uint32) ^ numpy.uint32(start)
    bits ^= bits >> numpy.uint32(16)
    bits *= numpy.uint32(0x7FEB352D)
    bits ^= bits >> numpy.uint32(15)
    bits *= numpy.uint32(0x846CA68B)
    bits ^= bits >> numpy.uint32(16)
    return (bits >> numpy.uint32(8)) * 2.0**-23 - 1


def values(name, shape):
    """Values with which activations neither vanish nor explode, and every part of a normalisation has an effect."""
    if name.endswith("num_batches_tracked"):
        return numpy.array(7)
    numbers = uniform(name, math.prod(shape)).reshape(shape)
    if len(shape) >= 2:
        return (numbers * math.sqrt(6 * shape[0] / math.prod(shape))).astype(numpy.float32)
    if name.endswith("running_var"):
        return (1 + 0.5 * numbers).astype(numpy.float32)
    if name.endswith("weight"):
        return (1 + 0.25 * numbers).astype(numpy.float32)
    return (0.125 * numbers).astype(numpy.float32)


class BasicBlock(nn.Module):
    def __init__(self, inputs, channels, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.path = lambda x: x
        if stride != 1 or inputs != channels:
            path = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
            setattr(self, shortcut, path)
            self.path = path.forward

    def forward(self, x):
        return functional.relu(self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))) + self.path(x))


class CifarResNet(nn.Module):
    """The authors' ResNet-20 (state dict beside the paper), github.com/chenyaofo/pytorch-cifar-models, and with 64 channels github.com/kuangliu/pytorch-cifar."""

    def __init__(self, blocks, channels, shortcut, last):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.stages = []
        inputs = channels[0]
        for number, outputs in enumerate(channels, start=1):
            strides = [1 if number == 1 else 2] + [1] * (blocks - 1)
            stage = nn.Sequential(*[BasicBlock(inputs if i == 0 else outputs, outputs, stride, shortcut) for i, stride in enumerate(strides)])
            setattr(self, f"layer{number}", stage)
            self.stages.append(stage.forward)
            inputs = outputs
        setattr(self, last, nn.Linear(inputs, 10))
        self.last = [getattr(self, last).forward]

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        for stage in self.stages:
            x = stage(x)
        return self.last[0](functional.avg_pool2d(x, x.shape[-1]).flatten(1))


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x):
        activated = functional.relu(self.bn1(x))
        residual = self.conv2(functional.relu(self.bn2(self.conv1(activated))))
        return (x if self.convShortcut is None else self.convShortcut(activated)) + residual


class WideStage(nn.Module):
    def __init__(self, blocks, inputs, outputs, stride):
        super().__init__()
        self.layer = nn.Sequential(*[WideBlock(inputs if i == 0 else outputs, outputs, stride if i == 0 else 1) for i in range(blocks)])

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """github.com/xternalz/WideResNet-pytorch."""

    def __init__(self, depth, width):
        super().__init__()
        blocks = (depth - 4) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = WideStage(blocks, 16, 16 * width, 1)
        self.block2 = WideStage(blocks, 16 * width, 32 * width, 2)
        self.block3 = WideStage(blocks, 32 * width, 64 * width, 2)
        self.bn1 = nn.BatchNorm2d(64 * width)
        self.fc = nn.Linear(64 * width, 10)

    def forward(self, x):
        x = functional.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))))
        return self.fc(functional.avg_pool2d(x, 8).flatten(1))


class AlexLike(nn.Module):
    """C1 of the paper's authors."""

    def __init__(self, activation):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 5, padding=2)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 5, padding=2)
        self.bn2 = nn.BatchNorm2d(64)
        self.fc1 = nn.Linear(4096, 384)
        self.fc2 = nn.Linear(384, 192)
        self.fc3 = nn.Linear(192, 10)
        self.activation = activation

    def forward(self, x):
        x = functional.max_pool2d(self.bn1(self.activation(self.conv1(x))), 3, 2, 1)
        x = functional.max_pool2d(self.bn2(self.activation(self.conv2(x))), 3, 2, 1).flatten(1)
        return self.fc3(self.activation(self.fc2(self.activation(self.fc1(x)))))


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [3072, 1024, 512, 512, 256, 256, 10]
        for number in range(1, 7):
            setattr(self, f"fc{number}", nn.Linear(widths[number - 1], widths[number]))

    def forward(self, x):
        x = x.flatten(1)
        for number in range(1, 6):
            x = functional.silu(getattr(self, f"fc{number}")(x))
        return self.fc6(x)


def swish(network):
    for name, part in network.named_modules():
        if isinstance(part, nn.ReLU):
            parent, _, place = name.rpartition(".")
            network.get_submodule(parent)[int(place)] = nn.SiLU()
    return network


models = torchvision.models
NETWORKS = {
    **{f"resnet{6 * n + 2}": (32, lambda n=n: CifarResNet(n, [16, 32, 64], "downsample", "fc")) for n in (3, 5, 7, 9, 18)},
    "resnet18-cifar": (32, lambda: CifarResNet(2, [64, 128, 256, 512], "shortcut", "linear")),
    "wresnet16-4": (32, lambda: WideResNet(16, 4)),
    "wresnet28-10": (32, lambda: WideResNet(28, 10)),
    "mlp-swish": (32, Perceptron),
    "alexlike": (32, lambda: AlexLike(nn.ReLU())),
    "alexlike-s": (32, lambda: AlexLike(nn.SiLU())),
    "alexnet": (224, models.alexnet),
    "alexnet-swish": (224, lambda: swish(models.alexnet())),
    "vgg16": (224, models.vgg16),
    "vgg16-bn": (224, models.vgg16_bn),
    "resnet18": (224, models.resnet18),
    "resnet50": (224, models.resnet50),
    "densenet121": (224, models.densenet121),
}


def describe(name, checkpoints):
    side, create = NETWORKS[name]
    network = create().eval()
    state = {key: torch.from_numpy(values(key, tuple(tensor.shape))) for key, tensor in network.state_dict().items()}
    network.load_state_dict(state)
    image = torch.from_numpy(uniform("image", 3 * side * side).astype(numpy.float32)).reshape(1, 3, side, side)
    with torch.no_grad():
        logits = network(image)[0]
    if checkpoints:
        for form, zipped in (("zip", True), ("legacy", False)):
            torch.save(network.state_dict(), checkpoints / f"{name}_{form}.pt", _use_new_zipfile_serialization=zipped)
    lines = sorted(f"{key} {','.join(map(str, tensor.shape))}\n" for key, tensor in state.items())
    print(name, f"{logits.norm():.4g}", flush=True)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "tensors": len(state),
        "names": hashlib.sha256("".join(lines).encode()).hexdigest(),
        "logits": [float(f"{logit:.6g}") for logit in logits],
    }


parser = argparse.ArgumentParser()
parser.add_argument("--checkpoints", type=pathlib.Path)
parser.add_argument("--only", nargs="+", choices=list(NETWORKS))
arguments = parser.parse_args()
described = {name: describe(name, arguments.checkpoints) for name in arguments.only or NETWORKS}
if not arguments.only:
    lines = [f' "{name}": {json.dumps(golden)}' for name, golden in described.items()]
    pathlib.Path(__file__).with_name("architectures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
