"""The model room: from a syntax tree to an ``Autoencoder`` whose every size is known, and the facts that follow."""

from caedsl.model.autoencoder import Autoencoder
from caedsl.model.resolve import resolve

__all__ = ["Autoencoder", "resolve"]
