"""Classify pictures without Askwell: pip install onnxruntime pillow numpy; python predict.py PICTURE ..."""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

model = onnxruntime.InferenceSession(__file__.replace("predict.py", "model.onnx"))
about = model.get_modelmeta().custom_metadata_map
classes, size = about["classes"].split("\n"), int(about["size"])
for name in sys.argv[1:]:
    picture = Image.open(name)
    picture.draft(None, (2 * size, 2 * size))  # a large JPEG is decoded smaller, as in training
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # grey of 10 to 16 bits
        top = 2 ** max(8, -(-picture.getextrema()[1].bit_length() // 2) * 2) - 1
        picture = Image.fromarray(np.rint(np.float32(picture) * (255 / top)).astype(np.uint8))
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    pixels = np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size)))  # middle square, bicubic
    probs = model.run(None, {"images": pixels[None]})[0][0]
    print(name, *(f"{classes[i]} {probs[i]:.4f}" for i in probs.argsort()[::-1][:3]), sep="\t")
