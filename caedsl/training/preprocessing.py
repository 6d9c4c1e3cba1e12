"""Give a network the offsets and scales of its preprocessing, found from the training samples."""

from torch import Tensor, nn

from caedsl.backends.torch import preprocessing
from caedsl.backends.torch.modules import GlobalContrast, Normalise
from caedsl.data.pixels import Pixels
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.batches import Batches

BLOCK = 512


def normalise_of(module: nn.Module) -> Normalise | GlobalContrast | None:
    """Return what a network does to its input, None where it takes it as it is."""
    encoder = getattr(module, "encoder", None)
    first = encoder[0] if isinstance(encoder, nn.Sequential) and len(encoder) else None
    return first if isinstance(first, Normalise | GlobalContrast) else None


def fit_preprocessing(module: nn.Module, model: Autoencoder, images: Pixels, train: Tensor) -> None:
    """Find what the spec asks for from the samples ``train``, and keep it in the network, whose weights hold it."""
    kind = model.preprocessing
    if kind is None or not kind.found_by:
        return
    blocks = (sample.seen for sample in Batches(images, train).in_order(BLOCK))
    offset, scale = getattr(preprocessing, kind.found_by)(blocks)
    for part in module.modules():
        if isinstance(part, Normalise | GlobalContrast):
            part.offset.copy_(offset)
            part.scale.copy_(scale)
