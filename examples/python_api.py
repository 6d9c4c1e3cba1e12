"""The whole Python interface in one script: parse, check, load, build, emit and train.

Train a tiny model on scikit-learn's digits, in seconds and without any download.
"""

import argparse
from pathlib import Path

import torch

import caedsl

SPEC = """
autoencoder tiny
input 1x8x8
data digits limit=400
encoder { conv 8 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { optimizer adam lr=3e-3; batch 32; epochs 3 }
"""


def main() -> None:
    """Run through the interface."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of the run; a fresh one below runs/ by default")
    arguments = parser.parse_args()

    # A spec is a path or a text. `parse` returns its statements, `check` everything that is wrong with it.
    tree, _ = caedsl.parse(SPEC)
    print("statements:", ", ".join(statement.head.text for statement in tree.statements))
    for finding in caedsl.check(SPEC.replace("maxpool 2", "conv 16 relu strde=2")):
        print(f"{finding.rule}: {finding.message} ({finding.advice})")

    # `load` returns the model with every size known, and raises `SpecError` if the spec has errors.
    model = caedsl.load(SPEC)
    print(f"{model.name}: code {model.code_shape}, {model.compression:g} times smaller than the image")

    # `build` returns the module, `emit` the same module as source.
    module = caedsl.build(model)
    images = torch.rand(4, *model.input.shape)
    print("codes", tuple(module.encode(images).shape), "reconstructions", tuple(module(images).shape))
    print(caedsl.emit(model))

    # `train` runs the `train` block, compares the result with PCA and saves everything in a folder.
    trained = caedsl.train(model, out=arguments.out)
    for name, scores in trained.evaluation.scores.items():
        print(f"{name:<12} mean squared error {scores.mse:.4f}")
    print("run", trained.run.folder.path)


if __name__ == "__main__":
    main()
