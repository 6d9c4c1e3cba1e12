"""The single table of causes of failing training: the evidence that distinguishes them, and the remedy.

Static findings, monitors and ``caedsl doctor`` share it; ``symptoms`` says which causes a symptom may have.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Cause(NamedTuple):
    """One reason why training fails.

    ``name`` is the name of the rule that finds it in a spec, if there is one. ``what`` completes "the cause is that …";
    ``evidence`` distinguishes it from the other causes of the same symptoms; ``remedy`` says what to change.
    """

    name: str
    what: str
    evidence: str
    remedy: str


_TABLE = (
    # Visible in a spec.
    Cause(
        "output-range",
        "the output's activation cannot reach the images' values",
        "the range of the activation compared with that of the images",
        "use an activation with the range of the images",
    ),
    Cause(
        "bce-range",
        "binary cross-entropy gets values outside 0..1",
        "the range of the images, or of the output",
        "use `loss mse`, or declare the images `in 0..1`",
    ),
    Cause(
        "mismatched-sgd-rate",
        "the learning rate of SGD does not suit the reduction of the loss",
        "the effective rate (with momentum) compared with the rates that are known to train",
        "use `optimizer adam lr=1e-3`",
    ),
    Cause(
        "high-learning-rate",
        "the learning rate is too high",
        "updates larger than a tenth of the weights, a rising loss, and a lower rate that trains",
        "divide the learning rate by ten",
    ),
    Cause(
        "low-learning-rate",
        "the learning rate is too low",
        "updates smaller than 2e-4 of the weights, and a higher rate that trains",
        "multiply the learning rate by ten",
    ),
    Cause(
        "tight-clip",
        "the gradients are clipped to almost nothing",
        "the norm of the gradients before and after clipping, and updates smaller than 2e-4 of the weights",
        "clip at a larger norm, such as 1.0",
    ),
    Cause(
        "saturating-hidden",
        "sigmoid or tanh activations in hidden layers shrink the gradient",
        "a gradient that shrinks at each such layer",
        "use `relu` or `leaky_relu` in hidden layers",
    ),
    Cause(
        "fading-signal",
        "the signal fades on its way through the layers",
        "an initial output that does not depend on the image, with any seed",
        "use `init=he`, or `norm=batch`",
    ),
    Cause(
        "exploding-signal",
        "the signal grows on its way through the layers",
        "initial outputs that grow from layer to layer",
        "use `init=he`, or `norm=batch`",
    ),
    Cause(
        "strong-l2",
        "the L2 penalty outweighs the images' error",
        "the penalty's share of the loss, at the start and after the first steps",
        "divide the penalty by a hundred",
    ),
    Cause(
        "strong-weight-decay",
        "the weight decay outweighs the images' error",
        "weights that shrink while the error stays the same",
        "divide the weight decay by a hundred",
    ),
    Cause(
        "strong-divergence",
        "the divergence of the code outweighs the images' error",
        "`beta` compared with the variance of the images",
        "use `beta=1` or less",
    ),
    Cause(
        "normalised-output",
        "the output layer is normalised over the batch",
        "a `norm` on the output layer",
        "remove the `norm` of the output layer",
    ),
    Cause(
        "channel-pinch",
        "one layer has far fewer channels than its neighbours",
        "the number of values that the layer passes, compared with the code",
        "give the layer as many channels as its neighbours",
    ),
    Cause(
        "too-few-steps",
        "the run is too short",
        "a loss that still falls at the end, and the number of steps",
        "train for more epochs, or use a smaller batch",
    ),
    Cause(
        "oversized-batch",
        "the batch is so large that there are too few steps",
        "the number of images compared with the batch size",
        "use a smaller batch",
    ),
    Cause(
        "unscaled-data",
        "the pixels are not scaled",
        "the range of the images",
        "declare the images `in 0..1`, which scales integers",
    ),
    Cause(
        "relu-code",
        "a ReLU on the code sets part of it to 0",
        "numbers of the code that are 0 for every image",
        "remove the activation of the code",
    ),
    Cause(
        "small-batch-norm",
        "batch normalisation sees too few images at a time",
        "the error in train mode compared with that in eval mode",
        "use a larger batch, or `norm=group`",
    ),
    Cause(
        "fp16-overflow",
        "numbers exceed the range of 16-bit floats",
        "`precision fp16`, and the size of the numbers",
        "use `precision bf16`",
    ),
    Cause(
        "final-relu",
        "a ReLU at the output is dead",
        "an output of zeros with some seeds",
        "use `sigmoid`, or no activation, at the output",
    ),
    Cause(
        "heavy-dropout",
        "dropout removes most of the features",
        "the error in train mode compared with that in eval mode",
        "use a dropout of 10% to 20%",
    ),
    Cause(
        "code-too-small",
        "the code is too small for these images",
        "the share of the variance that PCA leaves with a code of the same size",
        "use a code with as many numbers as PCA needs components",
    ),
    Cause(
        "tiny-dataset",
        "there are few images for the number of weights",
        "the error on held-out images compared with that on training images",
        "add images or augmentation, or use a smaller network",
    ),
    # Visible in the data only.
    Cause(
        "image-scale",
        "the images use a small part of the declared range",
        "the smallest and the largest value of the images compared with the declared range",
        "scale the images only once, or declare their actual range",
    ),
    Cause(
        "constant-images",
        "the images hardly differ from each other",
        "the variance over the images, or the number of distinct images",
        "check how the images were created or loaded",
    ),
    Cause(
        "duplicate-images",
        "most images are duplicates",
        "the number of distinct images",
        "remove the duplicates before you split the images",
    ),
    Cause(
        "leaking-split",
        "held-out images, or nearly the same, are also trained on",
        "the number of held-out images that are also training images, or hardly differ from one",
        "remove the duplicates before you split the images",
    ),
    Cause(
        "evaluation-preprocessing",
        "held-out images were preprocessed differently from training images",
        "the scale and the offset that map one to the other",
        "apply the preprocessing of the training images to all images",
    ),
    Cause(
        "shifted-split",
        "held-out images come from another distribution",
        "the distance of their mean, in standard deviations of the training images",
        "hold out images from the same distribution; with batch normalisation, try `norm=group`",
    ),
    Cause(
        "unrelated-target",
        "the targets do not follow from the inputs",
        "the share of the targets' variance that the inputs explain",
        "check that inputs and targets are paired in the same order",
    ),
    Cause(
        "label-target",
        "the targets are labels instead of images",
        "targets that have a single value each",
        "use the images themselves as targets",
    ),
    # Visible in the network or its first steps only.
    Cause(
        "frozen-layer",
        "some weights are not trained",
        "weights that do not change although the others do",
        "let the optimizer train them: set `requires_grad=True` (in Keras `trainable=True`), and remove `detach` calls "
        "after them",
    ),
    Cause(
        "dead-start",
        "the initial weights make a layer dead",
        "a layer that is 0 for every image with this seed, but not with others",
        "use `leaky_relu`, or `init=he`; another seed only hides it",
    ),
    Cause(
        "dead-layer",
        "every ReLU of a layer dies in the first steps",
        "a layer that is active at the start but 0 after some steps",
        "use a lower learning rate, or `leaky_relu`",
    ),
    Cause(
        "empty-background",
        "most pixels are background, so that an image of background alone is a cheap optimum",
        "an output that is background everywhere, and its loss compared with that of the mean image",
        "use `loss bce` or `loss mse worst=10%`, or `norm=batch` in hidden layers",
    ),
)

KNOWN: Mapping[str, Cause] = {cause.name: cause for cause in _TABLE}
"""Map the name of every cause to the cause."""
