import pytest
import torch

from mmforecast.models.encoders import BaseEncoder, CachedEncoder
from mmforecast.registry import MODELS


@MODELS.register_module()
class CountingEncoder(BaseEncoder):
    """Two levels by a frozen convolution; counts the frames that it sees."""

    from_rgb, level_names, channels = True, ('fine', 'coarse'), 2

    def __init__(self, trained=False, network=True):
        super().__init__()
        self.network = torch.nn.Conv2d(3, 2, 3).requires_grad_(trained) if network else None
        self.seen = 0

    def encode(self, frames, samples):
        self.seen += frames.shape[0] * frames.shape[1]
        maps = self.network(frames.flatten(0, 1))
        return [level.unflatten(0, frames.shape[:2]) for level in (maps, maps[..., ::2, ::2])]


def cached(**kwargs):
    return CachedEncoder(dict(type='CountingEncoder', **kwargs.pop('encoder', {})), **kwargs)


def test_is_the_encoder_itself_and_sees_each_frame_once():
    encoder, frames = cached(), torch.rand(2, 3, 3, 16, 16)
    plain = [
        torch.stack([encoder.encoder.encode(frames[b : b + 1, t : t + 1], [])[level][0, 0]
                     for b in range(2) for t in range(3)]).unflatten(0, (2, 3))
        for level in range(2)
    ]  # fmt: skip
    encoder.encoder.seen = 0
    for clip in (frames, frames.flip(1), frames[:1]):
        levels = encoder.encode(clip, [])
        assert encoder.encoder.seen == 6
    levels = encoder.encode(frames, [])
    assert all(torch.equal(*pair) for pair in zip(levels, plain))
    levels[0].zero_()  # what is kept is not what was given away
    assert torch.equal(encoder.encode(frames, [])[0], plain[0])
    assert (encoder.level_names, encoder.channels) == (('fine', 'coarse'), 2)
    assert encoder.network is encoder.encoder.network
    assert encoder.map_size(frames, []) == (14, 14)


def test_a_frame_is_known_by_all_its_pixels_and_its_shape():
    encoder, frame = cached(), torch.rand(1, 1, 3, 8, 8)
    other = frame.clone()
    other[..., -1, -1] += 1
    for clip in (frame, other, frame.reshape(1, 1, 3, 4, 16), frame.double().float()):
        encoder.encode(clip, [])
    assert encoder.encoder.seen == 3


def test_frames_used_longest_ago_make_room():
    side = 258  # (2, 256, 256) and (2, 128, 128) floats: 640 KiB a frame, 6 in 4 MiB
    encoder, frames = cached(cache_mb=4), torch.rand(1, 7, 3, side, side)
    encoder.encode(frames[:, :6], [])
    encoder.encode(frames[:, :1], [])  # used again
    encoder.encode(frames[:, 6:], [])  # the second goes
    assert encoder.encoder.seen == 7 and encoder._bytes <= encoder.limit
    encoder.encode(frames[:, [0, 2, 3, 4, 5, 6]], [])
    assert encoder.encoder.seen == 7
    encoder.encode(frames[:, 1:2], [])
    assert encoder.encoder.seen == 8


@pytest.mark.parametrize(
    'kwargs, sentence',
    [
        (dict(encoder=dict(trained=True)), 'is trained, .* freeze it'),
        (dict(encoder=dict(network=False)), 'CountingEncoder has no network that sees frames'),
        (dict(cache_mb=0), 'cache_mb must be an integer >= 1'),
    ],
)
def test_refuses_what_it_cannot_remember(kwargs, sentence):
    with pytest.raises(ValueError, match=sentence):
        cached(**kwargs)


def test_says_when_there_are_no_frames():
    with pytest.raises(ValueError, match='CachedEncoder works on RGB frames'):
        cached().encode(torch.rand(1, 0, 3, 8, 8), [])
