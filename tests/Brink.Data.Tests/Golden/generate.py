"""Writes resize.json, the results of torchvision's Resize(256) and CenterCrop(224) for pictures that are drawn by a formula, and
transforms.json, the hashes of the results of other lengths and channels.

Needs torchvision and PIL (Debian: python3-torchvision). The test draws the same pictures and compares every byte.
"""
import hashlib
import json
import pathlib

import numpy
import PIL
import torchvision
from PIL import Image

SIZES = [(500, 375), (375, 500), (300, 257), (256, 256), (224, 224), (100, 80), (64, 900), (1021, 333), (2000, 1500), (256, 301), (7, 5)]


def picture(width, height):
    x, y = numpy.meshgrid(numpy.arange(width), numpy.arange(height))
    return numpy.stack([x * 7 + y * 3 + x * y // 5, (x ^ y) * 5, (x * x + 3 * y) // 4], axis=2).astype(numpy.uint8)


transform = torchvision.transforms.Compose([torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224)])
cases = []
for width, height in SIZES:
    crop = numpy.asarray(transform(Image.fromarray(picture(width, height)))).transpose(2, 0, 1)
    cases.append({
        "width": width,
        "height": height,
        # Every 37th pixel of every 37th row, to locate a difference if the hash is wrong.
        "samples": crop[:, ::37, ::37].flatten().tolist(),
        "sha256": hashlib.sha256(numpy.ascontiguousarray(crop).tobytes()).hexdigest(),
    })

golden = {"pillow": PIL.__version__, "torchvision": torchvision.__version__, "cases": cases}
path = pathlib.Path(__file__).with_name("resize.json")
path.write_text("{\n" + ",\n".join(f' "{key}": ' + (json.dumps(value) if key != "cases" else "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]") for key, value in golden.items()) + "\n}\n")

# width, height, mode of the picture, length of Resize, length of CenterCrop
TRANSFORMS = [(width, height, mode, resize, crop)
              for width, height in [(50, 37), (37, 50), (32, 32), (301, 64), (7, 5)]
              for mode in ["RGB", "L", "RGBA"]
              for resize, crop in [(32, 32), (32, None), (None, 32), (40, 32), (20, 33), (256, 224), (None, 224)]]


def transparent(width, height):
    x, y = numpy.meshgrid(numpy.arange(width), numpy.arange(height))
    return numpy.dstack([picture(width, height), (x * 11 + y * 13).astype(numpy.uint8)])


def transformed(width, height, mode, resize, crop):
    image = Image.fromarray(transparent(width, height), "RGBA") if mode == "RGBA" else Image.fromarray(picture(width, height)).convert(mode)
    steps = ([torchvision.transforms.Resize(resize)] if resize else []) + ([torchvision.transforms.CenterCrop(crop)] if crop else [])
    array = numpy.asarray(torchvision.transforms.Compose(steps)(image))
    planes = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return {"width": width, "height": height, "mode": mode, "resize": resize, "crop": crop, "shape": list(planes.shape),
            "sha256": hashlib.sha256(numpy.ascontiguousarray(planes).tobytes()).hexdigest()}


lines = ",\n".join(json.dumps(transformed(*case)) for case in TRANSFORMS)
pathlib.Path(__file__).with_name("transforms.json").write_text(f"[\n{lines}\n]\n")
