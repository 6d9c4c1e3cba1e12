"""Fit the offsets and scales of a network's preprocessing on the training samples."""

from torch import Tensor, nn

from caedsl.backends.torch import preprocessing
from caedsl.backends.torch.modules import Normalise, SampleNormalise
from caedsl.data.stacks.pixels import Pixels
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.batches import Batches

BLOCK = 512


def normalise_of(module: nn.Module) -> Normalise | SampleNormalise | None:
    """Return the preprocessing module of a network that undoes it at its end, or None.

    Losses and metrics compare the outputs of such a network as preprocessed; separate targets are never preprocessed.
    """
    encoder, decoder = getattr(module, "encoder", None), getattr(module, "decoder", None)
    if not (isinstance(encoder, nn.Sequential) and isinstance(decoder, nn.Sequential) and encoder and decoder):
        return None
    first, last = encoder[0], decoder[-1]
    undone = isinstance(last, Normalise | SampleNormalise) and last.undo
    return first if undone and isinstance(first, Normalise | SampleNormalise) else None


def fit_preprocessing(module: nn.Module, model: Autoencoder, images: Pixels, train: Tensor) -> None:
    """Fit the preprocessing of the spec on the samples at ``train``, and store it in the buffers of the network."""
    kind = model.preprocessing
    if kind is None or not kind.found_by:
        return
    blocks = (sample.seen for sample in Batches(images, train).in_order(BLOCK))
    offset, scale = getattr(preprocessing, kind.found_by)(blocks)
    for part in module.modules():
        if isinstance(part, Normalise | SampleNormalise):
            part.offset.copy_(offset)
            part.scale.copy_(scale)
