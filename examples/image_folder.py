"""From a folder of images to a trained autoencoder, with generated images.

Draw small coloured shapes into FOLDER/photos, write a spec for them with `caedsl new`, train it for a few epochs and
print how good the result is.
"""

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw

import caedsl

SIDE = 64


def shape(rng: random.Random) -> Image.Image:
    """Return a disc or a square of some colour, somewhere on a background of another one."""
    background, colour = ((rng.randrange(256), rng.randrange(256), rng.randrange(256)) for _ in range(2))
    image = Image.new("RGB", (SIDE, SIDE), background)
    left, top, side = rng.randrange(SIDE // 2), rng.randrange(SIDE // 2), rng.randrange(SIDE // 4, SIDE // 2)
    draw = ImageDraw.Draw(image)
    outline = draw.ellipse if rng.random() < 0.5 else draw.rectangle
    outline((left, top, left + side, top + side), fill=colour)
    return image


def main() -> None:
    """Make the images, the spec and the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder")
    parser.add_argument("--images", type=int, default=200, help="number of images to draw (200)")
    parser.add_argument("--epochs", type=int, default=3, help="number of epochs (3)")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    if folder.exists() and any(folder.iterdir()):
        parser.error(f"{folder} is not empty: name another folder")

    photos = folder / "photos"
    photos.mkdir(parents=True)
    rng = random.Random(0)
    for number in range(arguments.images):
        shape(rng).save(photos / f"{number:04}.png")

    new = [sys.executable, "-m", "caedsl", "new", "shapes", "--template", "photos"]
    subprocess.run(new, cwd=folder, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    trained = caedsl.train(folder / "shapes.cae", out=folder / "run", settings={"train.epochs": arguments.epochs})
    for name, scores in trained.evaluation.scores.items():
        print(f"{name:<12} mean squared error {scores.mse:.4f}, PSNR {scores.psnr:.1f} dB")
    print(f"originals over reconstructions: {trained.picture}")


if __name__ == "__main__":
    main()
