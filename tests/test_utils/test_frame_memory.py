"""The memory of what was computed of frames."""

import pytest
import torch

from mmforecast.utils.flow import dis_flow
from mmforecast.utils.frame_memory import FrameMemory, remembered


@pytest.fixture
def frames():
    return list(torch.rand(5, 1, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 255)


def test_equal_frames_are_computed_once_and_others_anew(frames):
    memory = FrameMemory()
    first = dis_flow(frames[0], frames[1])
    with memory.in_use():
        kept = dis_flow(frames[0], frames[1])
        assert dis_flow(frames[0].clone(), frames[1].clone()) is kept
        assert dis_flow(frames[1], frames[0]) is not kept
    assert torch.equal(kept, first)
    assert memory.num_computed == {'dis_flow': 2}
    assert dis_flow(frames[0], frames[1]) is not kept  # outside, nothing is remembered


def test_what_was_not_asked_for_longest_goes_first(frames):
    memory, computed = FrameMemory(size=2), []

    def ask(index, **settings):
        return remembered('kind', [frames[index]], None, lambda: computed.append(index) or index, **settings)

    with memory.in_use():
        assert [ask(index) for index in (0, 1, 0, 2, 0, 1)] == [0, 1, 0, 2, 0, 1]
        assert computed == [0, 1, 2, 1]
        remembered('other', [frames[0]], None, lambda: computed.append('other'))
        remembered('kind', [frames[1]], 'setting', lambda: computed.append('setting'))
        assert computed[4:] == ['other', 'setting']
        assert [ask(index, keep=1) for index in (3, 4)] == [3, 4]
    with pytest.raises(ValueError, match='size'):
        FrameMemory(size=0)
