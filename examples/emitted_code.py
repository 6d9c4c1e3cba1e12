"""Use a trained model without caedsl: emitted source, weights, torch and safetensors are enough.

First run `caedsl emit specs/digits.cae -o digits.py` and `caedsl train specs/digits.cae --out run`; then, on any
machine, `python emitted_code.py digits.py run`.
"""

import argparse
import importlib.util
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file


def emitted_model(source: Path) -> Any:
    """Return the model of an emitted file: its only class with an `encode` method."""
    spec = importlib.util.spec_from_file_location(source.stem, source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (model,) = (found for found in vars(module).values() if isinstance(found, type) and hasattr(found, "encode"))
    return model()


def main() -> None:
    """Encode a few images and decode the codes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the file that `caedsl emit` wrote")
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder that `caedsl train` wrote")
    arguments = parser.parse_args()

    model = emitted_model(arguments.source)
    model.load_state_dict(load_file(arguments.run / "weights.safetensors"))
    model.eval()

    # A run folder contains the spec, whose `input` line gives the shape of the images.
    written = re.search(r"^input (\d+)x(\d+)x(\d+)", (arguments.run / "spec.cae").read_text("utf-8"), re.MULTILINE)
    assert written is not None
    images = torch.rand(4, *(int(number) for number in written.groups()))
    with torch.no_grad():
        codes = model.encode(images)
        reconstructions = model.decode(codes)
    print("images", tuple(images.shape), "codes", tuple(codes.shape), "reconstructions", tuple(reconstructions.shape))


if __name__ == "__main__":
    main()
