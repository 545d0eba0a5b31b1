"""Writes resize.json: the results of torchvision's Resize(256) and CenterCrop(224) for pictures that are drawn by a formula.

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
