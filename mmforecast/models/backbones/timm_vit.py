"""Vision transformers of timm as backbones."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from mmforecast.models.utils import KeepFrozen, freeze
from mmforecast.registry import MODELS


@MODELS.register_module()
class TimmViT(KeepFrozen, BaseModule):
    """Maps of several layers of any vision transformer of timm, such as DINOv2's, for images of any size.

    Class and register tokens are dropped. timm is an optional extra, and loaded when a model is built.

    Args:
        name: Of the model, e.g. 'vit_base_patch14_reg4_dinov2.lvd142m'.
        layers: Blocks whose output is taken, counted from 0.
        pretrained: Download timm's weights.
        norm: Apply the model's last norm to every layer that is taken, as DINOv2's own code does.
        frozen: Whether it keeps its weights and stays in eval mode, in the training of a head.
        init_cfg: See mmengine's ``BaseModule``.
        kwargs: Of the model, e.g. ``depth`` and ``embed_dim`` of a smaller one.

    Raises:
        ImportError: timm, or torchvision, which it needs, is not installed.
    """

    def __init__(
        self,
        name: str,
        layers: Sequence[int] = (2, 5, 8, 11),
        pretrained: bool = False,
        norm: bool = True,
        frozen: bool = False,
        init_cfg: dict | None = None,
        **kwargs,
    ):
        super().__init__(init_cfg=init_cfg)
        try:
            import timm
        except ImportError as error:
            raise ImportError(
                f"TimmViT: {name} is a model of timm, which can't be imported ({error}); install it with "
                "pip install 'mmforecast[vit]'"
            ) from error
        self.layers, self.norm = tuple(layers), norm
        self.vit = timm.create_model(
            name, pretrained=pretrained, num_classes=0, dynamic_img_size=True, **kwargs
        )
        if frozen:
            self.frozen_children = ('vit',)
            freeze(self.vit)
        patch = self.vit.patch_embed.patch_size
        self.patch_size = patch[0] if isinstance(patch, Sequence) else patch

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W), normalized, to (N, C, H/p, W/p) per layer."""
        maps = self.vit.forward_intermediates(
            images, indices=list(self.layers), norm=self.norm, output_fmt='NCHW', intermediates_only=True
        )
        return tuple(maps)
