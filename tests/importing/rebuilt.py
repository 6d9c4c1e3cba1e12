"""Emitted files as modules."""

import torch
from torch import nn

import caedsl
from caedsl.backends.torch.render import class_name
from caedsl.importing.imported import ImportedModel, imported
from caedsl.importing.torch.modules import module_network
from caedsl.model.autoencoder import Autoencoder


def emitted(model: Autoencoder) -> nn.Module:
    """Return the module that the emitted file of ``model`` defines, with the same initial weights each time."""
    names: dict[str, object] = {"__name__": "emitted"}
    exec(compile(caedsl.emit(model), "emitted.py", "exec"), names)
    module = names[class_name(model.name)]
    assert isinstance(module, type) and issubclass(module, nn.Module)
    torch.manual_seed(0)
    made: nn.Module = module()
    return made


def unsettled(module: nn.Module, scale: float = 0.2) -> nn.Module:
    """Give every weight another value, statistics and biases too, so that none can be forgotten."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.rand(tensor.shape, generator=generator) * scale
                tensor.add_(noise if name.endswith(("running_var", "codebook", "taken")) else noise - scale / 2)
    return module


def again(module: nn.Module, model: Autoencoder) -> ImportedModel:
    return imported(module_network(module, model.input.shape, model.input.range))
