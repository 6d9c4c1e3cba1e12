"""Draw the dataset of docs/journeys/anomaly.md: washers on a belt, normal, scratched and stained.

The folders are named as in MVTec AD: ``train/good``, ``test/good``, ``test/DEFECT`` and ``ground_truth/DEFECT``.

    python examples/make_parts.py parts
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE, SUPERSAMPLING = 48, 4
NORMALS = {"train": 600, "test": 60}
DEFECTS = {"scratch": 20, "stain": 20}


def washer(rng: np.random.Generator) -> tuple[Image.Image, np.ndarray]:
    """Draw a washer at a random position under light from a random direction; return the image and the position."""
    side = SIZE * SUPERSAMPLING
    image = Image.new("L", (side, side), int(rng.integers(28, 36)))
    centre = side / 2 + rng.uniform(-3.5 * SUPERSAMPLING, 3.5 * SUPERSAMPLING, 2)
    outer, inner = 0.38 * side, 0.15 * side
    light = rng.uniform(0, 360)
    pen = ImageDraw.Draw(image)
    for start in range(0, 360, 3):
        shade = int(150 + 45 * np.cos(np.radians(start - light)) ** 2)
        pen.pieslice([*(centre - outer), *(centre + outer)], start, start + 4, fill=shade)
    pen.ellipse([*(centre - inner), *(centre + inner)], fill=int(rng.integers(28, 36)))
    return image, centre


def defect(kind: str, centre: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Draw the mask of a defect on the metal of a washer."""
    side = SIZE * SUPERSAMPLING
    mask = Image.new("L", (side, side))
    angle = rng.uniform(0, 2 * np.pi)
    place = centre + 0.27 * side * np.array([np.cos(angle), np.sin(angle)])
    pen = ImageDraw.Draw(mask)
    if kind == "scratch":
        turn = angle + rng.uniform(0.3, 2.8)
        reach = rng.uniform(0.07, 0.12) * side * np.array([np.cos(turn), np.sin(turn)])
        pen.line([*(place - reach), *(place + reach)], fill=255, width=int(1.4 * SUPERSAMPLING))
    else:
        radius = rng.uniform(0.035, 0.065) * side * np.array([1.0, rng.uniform(0.6, 1.0)])
        pen.ellipse([*(place - radius), *(place + radius)], fill=255)
    return mask


def photograph(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Blur and shrink the drawing, and add the noise of a sensor."""
    small = image.filter(ImageFilter.GaussianBlur(SUPERSAMPLING / 2)).resize((SIZE, SIZE), Image.Resampling.BOX)
    pixels = np.asarray(small, np.float64) + rng.normal(0, 3, (SIZE, SIZE))
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def main() -> None:
    """Write the images, and the masks of the defects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder to create")
    root: Path = parser.parse_args().folder
    rng = np.random.default_rng(0)
    for part, count in NORMALS.items():
        (root / part / "good").mkdir(parents=True)
        for number in range(count):
            photograph(washer(rng)[0], rng).save(root / part / "good" / f"{number:03}.png")
    for kind, count in DEFECTS.items():
        images, masks = root / "test" / kind, root / "ground_truth" / kind
        images.mkdir(parents=True)
        masks.mkdir(parents=True)
        for number in range(count):
            normal, centre = washer(rng)
            mask = defect(kind, centre, rng)
            shade = int(rng.integers(70, 100)) if kind == "stain" else int(rng.integers(225, 250))
            image = Image.composite(Image.new("L", mask.size, shade), normal, mask)
            photograph(image, rng).save(images / f"{number:03}.png")
            mask.resize((SIZE, SIZE), Image.Resampling.NEAREST).save(masks / f"{number:03}_mask.png")


if __name__ == "__main__":
    main()
