"""The one table of causes of failing trainings: the evidence that tells them apart, and the remedy.

Static findings, monitors and ``caedsl doctor`` share it; ``symptoms`` says which causes a symptom may have.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Cause(NamedTuple):
    """One reason why training fails.

    ``name`` is that of the rule which finds it in a spec, where one does. ``what`` completes "the cause is that …";
    ``evidence`` is what tells it from the other causes of the same symptoms, ``remedy`` what to change.
    """

    name: str
    what: str
    evidence: str
    remedy: str


_TABLE = (
    # What a spec shows.
    Cause(
        "output-range",
        "the output's activation cannot reach the images' values",
        "the range of the activation beside that of the images",
        "use the activation whose range is that of the images",
    ),
    Cause(
        "bce-range",
        "binary cross-entropy is given values outside 0..1",
        "the range of the images, or of the output",
        "use `loss mse`, or declare the images `in 0..1`",
    ),
    Cause(
        "mismatched-sgd-rate",
        "the learning rate of SGD does not suit the reduction of the loss",
        "the rate times the momentum's gain, beside the range measured to train",
        "use `optimizer adam lr=1e-3`",
    ),
    Cause(
        "high-learning-rate",
        "the learning rate is too high",
        "updates above a tenth of the weights, a rising loss, and a lower rate that trains",
        "divide the learning rate by ten",
    ),
    Cause(
        "low-learning-rate",
        "the learning rate is too low",
        "updates below 2e-4 of the weights, and a higher rate that trains",
        "multiply the learning rate by ten",
    ),
    Cause(
        "saturating-hidden",
        "sigmoids or tanhs in hidden layers shrink the gradient",
        "the gradient that shrinks at each such layer",
        "use `relu` or `leaky_relu` in hidden layers",
    ),
    Cause(
        "fading-signal",
        "the signal fades on its way through the layers",
        "an output that does not depend on the image at the start, with any seed",
        "use `init=he`, or `norm=batch`",
    ),
    Cause(
        "exploding-signal",
        "the signal grows on its way through the layers",
        "outputs that grow from layer to layer at the start",
        "use `init=he`, or `norm=batch`",
    ),
    Cause(
        "strong-l2",
        "the L2 penalty outweighs the images' error",
        "the penalty at the start beside the mean image's error",
        "divide the penalty by a hundred",
    ),
    Cause(
        "strong-weight-decay",
        "the weight decay outweighs the images' error",
        "weights that shrink while the error stays",
        "divide the weight decay by a hundred",
    ),
    Cause(
        "normalised-output",
        "the output layer is normalised over the batch",
        "a `norm` on the layer that gives the output its values",
        "remove the `norm` of the output layer",
    ),
    Cause(
        "channel-pinch",
        "one layer has far fewer channels than its neighbours",
        "the values that the layer passes, beside the code",
        "give the layer as many channels as its neighbours",
    ),
    Cause(
        "too-few-steps",
        "the run is too short",
        "a loss that is still falling, and the number of steps",
        "train for more epochs, or use a smaller batch",
    ),
    Cause(
        "oversized-batch",
        "the batch is so large that there are few steps",
        "the number of images beside the batch",
        "use a smaller batch",
    ),
    Cause(
        "unscaled-data",
        "the pixels are large numbers",
        "the range of the images",
        "declare the images `in 0..1`, which scales them",
    ),
    Cause(
        "relu-code",
        "a ReLU on the code silences half of it",
        "numbers of the code that are 0 for every image",
        "remove the activation of the code",
    ),
    Cause(
        "small-batch-norm",
        "batch normalisation sees too few images at a time",
        "the error in train mode beside that in eval mode",
        "use a larger batch, or `norm=group`",
    ),
    Cause(
        "fp16-overflow",
        "numbers exceed what 16 bits hold",
        "`precision fp16`, and the size of the loss",
        "use `precision bf16`",
    ),
    Cause(
        "final-relu",
        "a ReLU at the output is dead where it starts below zero",
        "an output of zeros with some seeds",
        "use `sigmoid`, or no activation, at the output",
    ),
    Cause(
        "heavy-dropout",
        "dropout removes most of the features",
        "the error in train mode beside that in eval mode",
        "use a dropout of 0.1 to 0.2",
    ),
    Cause(
        "code-too-small",
        "the code is too small for these images",
        "the share of the variance that PCA leaves with as many numbers",
        "use a code as large as the number of components that PCA needs",
    ),
    Cause(
        "tiny-dataset",
        "there are few images for the number of weights",
        "the error of held-out images beside that of training images",
        "add images or augmentation, or use a smaller network",
    ),
    # What only the data show.
    Cause(
        "image-scale",
        "the images use a small part of the declared range",
        "the least and the largest value of the images beside the range",
        "scale the images once: remove the second division, or declare the range that they have",
    ),
    Cause(
        "constant-images",
        "the images hardly differ from each other",
        "the variance over the images, or the number of different ones",
        "check how the images were made or loaded",
    ),
    Cause(
        "duplicate-images",
        "most images are copies of a few",
        "the number of different images",
        "remove the copies before the images are split",
    ),
    Cause(
        "leaking-split",
        "held-out images are also trained on",
        "the number of held-out images that are in the training images",
        "split the images after the copies are removed",
    ),
    Cause(
        "evaluation-preprocessing",
        "held-out images were prepared otherwise than training images",
        "the scale and the offset that make the one look like the other",
        "apply the preprocessing of the training images to all images",
    ),
    Cause(
        "shifted-split",
        "held-out images come from another distribution",
        "their mean, in standard deviations of the training images",
        "hold out images of the same distribution; with batch normalisation, try `norm=group`",
    ),
    Cause(
        "unrelated-target",
        "the targets do not follow from the inputs",
        "the share of the targets' variance that the inputs explain",
        "check that inputs and targets are paired in the same order",
    ),
    Cause(
        "label-target",
        "the targets are labels, not images",
        "targets that are one value each",
        "train an autoencoder on the images as targets",
    ),
    # What only the network or its first steps show.
    Cause(
        "frozen-layer",
        "weights are not trained",
        "weights that do not change although the others do",
        "let the optimizer train them: `requires_grad=True`, and no `detach` before them",
    ),
    Cause(
        "dead-start",
        "these random weights start dead",
        "a layer that is 0 for every image with this seed, and not with others",
        "use `leaky_relu`, or `init=he`; another seed only hides it",
    ),
    Cause(
        "dead-layer",
        "every ReLU of a layer dies in the first steps",
        "a layer that fires at the start and not after some steps",
        "use a lower learning rate, or `leaky_relu`",
    ),
)

KNOWN: Mapping[str, Cause] = {cause.name: cause for cause in _TABLE}
"""Every cause by its name."""
