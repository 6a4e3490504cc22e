"""Fingerprints of network weights: equal for equal weights only."""

import hashlib

import torch
from torch import nn


def weights_fingerprint(module: nn.Module) -> str:
    """SHA-256 over a network's parameters and buffers, in hexadecimal.

    Names, types, shapes and bytes count, in the order of the names; the device, ``requires_grad``
    and the module's mode don't. Buffers that are left out of checkpoints count too, as the mean and
    deviation that a data preprocessor normalizes with: they decide what the network computes.
    """
    digest = hashlib.sha256()
    tensors = dict(module.named_parameters(remove_duplicate=False))
    tensors.update(module.named_buffers(remove_duplicate=False))
    for name, tensor in sorted(tensors.items()):
        digest.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
        data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(data.numpy())
    return digest.hexdigest()
