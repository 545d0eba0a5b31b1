#!/usr/bin/env python3
"""Writes the checkpoints in this folder. Needs PyTorch (1.13 was used); run it again only to add a checkpoint.

Values follow formulas (arange), so that the tests can compute the expected values.
"""

import json
import pathlib
import struct
import zipfile
from collections import OrderedDict

import torch

FOLDER = pathlib.Path(__file__).parent
DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"]


def assorted():
    """Each dtype, and each kind of view of a storage."""
    tensors = OrderedDict((name, torch.arange(6).reshape(2, 3).to(getattr(torch, name))) for name in DTYPES)
    tensors["bool"] = torch.arange(6).reshape(2, 3) % 2 == 1
    tensors["transposed"] = torch.arange(6.0).reshape(2, 3).t()
    base = torch.arange(20.0)
    tensors["base"] = base
    tensors["every_second"] = base[5:15:2]
    tensors["window"] = base.as_strided((3, 4), (2, 1), 7)
    tensors["expanded"] = torch.tensor([7.0]).expand(3, 4)
    tensors["scalar"] = torch.tensor(3.5)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["parameter"] = torch.nn.Parameter(torch.arange(4.0))
    tensors._metadata = OrderedDict([("", {"version": 1})])
    return tensors


def checkpoint():
    """A training checkpoint: the weights of a network in DataParallel, with other data."""
    weights = OrderedDict([("module.weight", torch.arange(6.0).reshape(2, 3)), ("module.bias", -torch.arange(2.0))])
    return {
        "epoch": 3,
        "arch": "résumé",
        "best": 0.5,
        "huge": 2**70,
        "nothing": None,
        "shape": torch.Size([1, 2]),
        "optimizer": {"state": {0: {"exp_avg": torch.ones(5)}}, "param_groups": [{"lr": 0.1, "nesterov": True, "params": [0, 1]}]},
        "state_dict": weights,
    }


def save(name, value, **options):
    torch.save(value, FOLDER / f"{name}_zip.pt", **options)
    torch.save(value, FOLDER / f"{name}_legacy.pt", _use_new_zipfile_serialization=False, **options)


def safetensors():
    """A file written from the specification of the format, without the library."""
    header = {
        "__metadata__": {"format": "pt"},
        "b": {"dtype": "I16", "shape": [3], "data_offsets": [16, 22]},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    }
    text = json.dumps(header).encode()
    data = struct.pack("<4f3h", *range(4), *range(3))
    (FOLDER / "by_hand.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def hostile():
    """A pickle that executes the harmless command `true` in an unsafe reader."""
    calls = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
    with zipfile.ZipFile(FOLDER / "hostile_zip.pt", "w") as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), calls)


save("assorted", assorted())
save("assorted_protocol4", assorted(), pickle_protocol=4)
save("checkpoint", checkpoint())
save("two_networks", {"model": {"w": torch.arange(2.0)}, "ema": {"w": torch.arange(2.0)}})
torch.save(torch.nn.Linear(2, 2), FOLDER / "whole_module_zip.pt")
torch.jit.script(torch.nn.Linear(2, 2)).save(str(FOLDER / "torchscript.pt"))
torch.manual_seed(0)
classifier = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.SiLU(), torch.nn.Dropout(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 10))
classifier[1].running_mean.uniform_(-0.1, 0.1)
classifier[1].running_var.uniform_(0.05, 0.2)
classifier[6].weight.data *= 20
with torch.no_grad():
    # Centres the logits of random images, so that all classes occur.
    classifier[6].bias -= classifier.eval()(torch.rand(100, 3, 8, 8)).mean(0)
classifier.train()
torch.jit.script(classifier).save(str(FOLDER / "torchscript_classifier.pt"))
torch.jit.trace(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3)).eval(), torch.zeros(1, 3, 4, 4)).save(str(FOLDER / "torchscript_traced.pt"))


class Pair(torch.nn.Module):
    def forward(self, x):
        return x, x


torch.jit.script(Pair()).save(str(FOLDER / "torchscript_pair.pt"))
safetensors()
hostile()
