"""The base of encoders that wrap a trained network."""

import copy
from collections.abc import Iterable, Sequence

import torch
import torch.nn as nn
from mmengine.config import ConfigDict
from mmengine.model import PretrainedInit
from torch import Tensor

from mmforecast.fileio import CheckpointError, weights_fingerprint
from mmforecast.models.utils import KeepFrozen, Pyramid, freeze
from mmforecast.models.utils.feature_pca import FeaturePCA
from mmforecast.models.utils.load_network import decides, load_network
from mmforecast.models.utils.standardization import ChannelStandardizer, measure
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_positive
from mmforecast.utils.seeded import seeded

from .base import BaseEncoder


class FrozenEncoder(KeepFrozen, BaseEncoder):
    """An encoder over one trained network, which keeps its weights.

    The network stays in eval mode and without gradients, and sees frames as its own ``data_preprocessor``
    gives them. Where it draws random numbers (SegNeXt's head does), they are the same for every frame. Weights
    from a file win over any initialization, also over an ``init_cfg`` of the whole forecaster.

    A subclass names the attribute that holds the network and the scope that its config is built in, and
    implements :meth:`encode_frames`.

    Args:
        network: Config of the network, or the network itself.
        checkpoint: Path or address of its weights, all of which must be there. None keeps what the network's
            ``init_cfg``, or the checkpoint of the whole forecaster, gives.
        frozen: False trains the network along.
        chunk: Frames per forward pass, to bound memory on large frames.

    Some subclasses have one more argument, ``standardize``: every channel of a level has zero mean and unit
    variance. ``FeatureStatisticsHook`` measures the statistics before training, and checkpoints hold them;
    without them the encoder refuses to work. Decoders get the network's own values back by :meth:`raw`.

    Raises:
        CheckpointError: ``checkpoint`` lacks weights of the network, or a checkpoint of the whole forecaster
            has other ones than ``checkpoint``, or none where nothing else gives them.
    """

    network_name: str
    scope: str
    from_rgb = True
    standardize = False

    def __init__(
        self, network: dict | nn.Module, checkpoint: str | None = None, frozen: bool = True, chunk: int = 8
    ):
        super().__init__()
        check_positive(type(self).__name__, chunk=chunk)
        given = isinstance(network, nn.Module)
        if not given:
            # The libraries read their configs by attribute, and change them.
            network = MODELS.build(ConfigDict(copy.deepcopy({'_scope_': self.scope, **network})))
        setattr(self, self.network_name, network)
        self.checkpoint = checkpoint
        self.frozen = frozen
        self.chunk = chunk
        self._fingerprint: str | None = None
        self._file = (checkpoint, '') if checkpoint is not None else None if given else _pretrained(network)
        self._has_weights = given or self._file is not None
        if self._file is not None:
            load_network(network, *self._file)
        if frozen:
            self.frozen_children = (self.network_name,)
            freeze(network)

    @property
    def network(self) -> nn.Module:
        return getattr(self, self.network_name)

    def init_weights(self) -> None:
        """Initialize the network, unless it has its weights already."""
        if self._file is not None:
            # again, because an init_cfg of the whole forecaster may have reached the network
            load_network(self.network, *self._file)
            self._fingerprint = None
        elif not self._has_weights:
            self.network.init_weights()

    def set_up_standardizers(self, standardize: bool, num_components: int | None = None) -> None:
        """Standardize the levels, or not; for constructors that know ``channels`` and ``level_names``.

        Args:
            standardize: Whether to.
            num_components: Principal components that the standardized channels are projected to; ``channels``
                is their number then. None for no projection.
        """
        self.standardize = standardize
        if standardize:
            parts = (
                ChannelStandardizer(self.channels)
                if num_components is None
                else FeaturePCA(self.channels, num_components)
                for _ in self.level_names
            )
            self.standardizers = nn.ModuleList(parts)
            self.channels = num_components or self.channels

    @property
    def needs_statistics(self) -> bool:
        """Whether features are standardized and nothing was measured for it."""
        return self.standardize and not all(part.is_measured for part in self.standardizers)

    def measure(self, pyramids: Iterable[Pyramid]) -> None:
        """Measure the statistics of standardized features, given as :meth:`encode_raw` gives them."""
        measure(self.standardizers, pyramids)

    def standardized(self, levels: Sequence[Tensor]) -> Pyramid:
        """(..., C, h, w) by level, of the network's features, as the encoder gives them."""
        if not self.standardize:
            return list(levels)
        return [part(maps) for part, maps in zip(self.standardizers, levels, strict=True)]

    def raw(self, levels: Sequence[Tensor]) -> Pyramid:
        """The inverse of :meth:`standardized`."""
        if not self.standardize:
            return list(levels)
        return [part.undo(maps) for part, maps in zip(self.standardizers, levels, strict=True)]

    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        return self.standardized(self.encode_raw(frames, samples))

    def encode_raw(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        """See ``BaseEncoder``; clips that carry stored features are not encoded again."""
        if samples and 'features' in samples[0]:
            return self._stored(samples)
        self.require_frames(frames)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            parts = [self._encode_chunk(part) for part in frames.flatten(0, 1).split(self.chunk)]
        return [torch.cat(level).unflatten(0, frames.shape[:2]) for level in zip(*parts)]

    def _stored(self, samples: list[ForecastDataSample]) -> Pyramid:
        """Features that ``LoadClipFeatures`` read, if they are this network's."""
        if not self.frozen:
            raise ValueError(
                f'{type(self).__name__}: stored features stay as they are while frozen=False trains the '
                f'{self.network_name}; drop LoadClipFeatures from the pipeline'
            )
        fingerprint = self.fingerprint()
        for sample in samples:
            source, levels = sample.feature_source, tuple(sample.feature_levels)
            if source != fingerprint:
                raise ValueError(
                    f'the stored features were computed by other weights ({source[:12]}...) than '
                    f'the {self.network_name} has ({fingerprint[:12]}...): extract them again with '
                    f'tools/extract_representations.py, or load the {self.network_name} they are of'
                )
            if levels != self.level_names:
                raise ValueError(
                    f'the clip brings stored features of the levels {levels}, but the encoder is '
                    f'set to {self.level_names}; set levels of LoadClipFeatures or of the encoder'
                )
        device = next(self.network.parameters()).device
        levels = zip(*(sample.features for sample in samples))
        return [torch.stack(level).to(device).float() for level in levels]

    def _encode_chunk(self, frames: Tensor) -> Pyramid:
        """As ``encode_frames``, with the same random numbers for each frame, if the network draws any."""
        if not self.frozen:
            return self.encode_frames(frames)
        with seeded(0):
            before = _random_state()
            levels = self.encode_frames(frames)
            draws = not torch.equal(before, _random_state())
        if draws and len(frames) > 1:
            self.chunk = 1
            levels = [torch.cat(level) for level in zip(*map(self._encode_chunk, frames.split(1)))]
        return levels

    def encode_frames(self, frames: Tensor) -> Pyramid:
        """(N, 3, H, W) RGB in [0, 255] to one (N, C, h, w) tensor per level."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        """The fingerprint of the network's weights, see ``weights_fingerprint``."""
        if self._fingerprint is None or not self.frozen:
            self._fingerprint = weights_fingerprint(self.network)
        return self._fingerprint

    def _load_from_state_dict(self, state_dict, prefix, *args) -> None:
        self._fingerprint = None
        start = f'{prefix}{self.network_name}.'
        theirs = {name[len(start) :]: value for name, value in state_dict.items() if name.startswith(start)}
        if self.frozen:
            self._require_same_network(theirs)
        if theirs:
            self._has_weights = True
            self._file = self._file if self.checkpoint is not None else None  # these come after init_cfg's
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _require_same_network(self, theirs: dict[str, Tensor]) -> None:
        """Refuse weights of another network than ``checkpoint``, and none where there are no others."""
        kind = f'{type(self).__name__}: the {self.network_name}'
        missing = [name for name in self.network.state_dict() if name not in theirs and decides(name)]
        if missing and not self._has_weights:
            lacks = f'lacks {len(missing)} weights of it, such as {missing[0]}' if theirs else 'has none of it'
            raise CheckpointError(
                f'{kind} would keep random weights: the checkpoint {lacks}, and the encoder has no '
                f'checkpoint of its own; set model.encoder.checkpoint to that of the {self.network_name}'
            )
        if self.checkpoint is None:
            return
        ours = self.network.state_dict()
        other = [
            name
            for name, value in theirs.items()
            if name in ours and ours[name].is_floating_point() and not _same(value, ours[name])
        ]
        if other:
            raise CheckpointError(
                f'{kind} of the checkpoint is another one than that of model.encoder.checkpoint='
                f'{self.checkpoint} ({len(other)} of {len(ours)} weights differ, first {other[0]}); set '
                'model.encoder.checkpoint=None to take that of the checkpoint'
            )


def _same(theirs: Tensor, ours: Tensor) -> bool:
    """Whether two weights are the same, as far as the type of ``theirs`` can tell."""
    return theirs.shape == ours.shape and torch.equal(theirs, ours.to(theirs))


def _random_state() -> Tensor:
    """The states of torch's generators."""
    states = [torch.get_rng_state()]
    if torch.cuda.is_initialized():
        states.append(torch.cuda.get_rng_state())
    return torch.cat(states)


def _pretrained(network: nn.Module) -> tuple[str, str] | None:
    """The file, and the prefix in it, that the network's own ``init_cfg`` loads all of it from."""
    init_cfg = getattr(network, 'init_cfg', None)
    entries = [init_cfg] if isinstance(init_cfg, dict) else init_cfg or []
    for entry in entries:
        if entry.get('type') in ('Pretrained', PretrainedInit):
            prefix = entry.get('prefix') or ''
            return entry['checkpoint'], prefix and f'{prefix.rstrip(".")}.'
    return None
