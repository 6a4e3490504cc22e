"""One optimizer per named child of a model."""

from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_CONSTRUCTORS
from torch import nn

from mmforecast.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmforecast.utils.unwrap import unwrap

from .accumulation import CountingOptimWrapperDict


@MMENGINE_CONSTRUCTORS.register_module(force=True)  # for configs with another default_scope
@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class MultiOptimWrapperConstructor:
    """Builds an ``OptimWrapperDict`` from optimizer wrappers by the names of a model's children.

    Of the same name and form as mmagic's::

        optim_wrapper = dict(
            constructor='MultiOptimWrapperConstructor',
            generator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4)),
            discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4)))

    Args:
        optim_wrapper_cfg: Child name to config of its wrapper; each may have a ``constructor`` and a
            ``paramwise_cfg`` of its own.
        paramwise_cfg: None is possible over all children.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None):
        if paramwise_cfg:
            raise ValueError(
                'MultiOptimWrapperConstructor takes no paramwise_cfg of its own; set it inside the '
                f'optimizer wrapper of a child ({", ".join(optim_wrapper_cfg)})'
            )
        wrong = [name for name, cfg in optim_wrapper_cfg.items() if not isinstance(cfg, dict)]
        if wrong or not optim_wrapper_cfg:
            raise ValueError(
                'MultiOptimWrapperConstructor needs one optimizer wrapper config per child of the '
                f'model, e.g. generator=dict(optimizer=dict(...)), but {wrong or "nothing"} was given'
            )
        self.optim_wrapper_cfg = optim_wrapper_cfg

    def __call__(self, module: nn.Module) -> OptimWrapperDict:
        module = unwrap(module)
        wrappers = {}
        for name, cfg in self.optim_wrapper_cfg.items():
            child = getattr(module, name, None)
            if not isinstance(child, nn.Module):
                children = ', '.join(key for key, _ in module.named_children())
                raise ValueError(
                    f'optim_wrapper names {name!r}, but {type(module).__name__} has no such part; '
                    f'it has {children}'
                )
            if not any(parameter.requires_grad for parameter in child.parameters()):
                raise ValueError(
                    f'optim_wrapper.{name} has nothing to train: the {name} has no trainable weights; leave '
                    'its optimizer out, or unfreeze it'
                )
            wrappers[name] = build_optim_wrapper(child, cfg)
        return CountingOptimWrapperDict(**wrappers)
