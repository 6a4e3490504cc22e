"""The shipped weights of the motion forecaster, on the street and on what they were not trained on."""

import numpy as np
import pytest
import torch

from mmforecast.models.predictors import EgoMotion, MotionForecaster
from mmforecast.street import SequenceRenderer
from mmforecast.utils.flow import backward_warp

WEIGHTS = 'zoo://motion-forecaster_varied_street'


def agreement(model, frames, labels, target, steps):
    """Share of the pixels of ``target`` that get their class when the newest labels are warped."""
    with torch.no_grad():
        field, _ = model.backward_field(model.observe(frames), steps)
    classes = torch.nn.functional.one_hot(labels.long(), 256).permute(2, 0, 1)[None].float()
    return (backward_warp(classes, field)[0].argmax(0) == target).float().mean().item()


@pytest.mark.slow
def test_as_good_as_geometry_on_streets_it_has_not_seen():
    """There the two are within noise of each other; on real video the weights are ahead."""
    ego, learned = EgoMotion(), MotionForecaster(checkpoint=WEIGHTS).eval()
    gains = []
    for index in range(3):
        renderer = SequenceRenderer(91, 'val', index, 128, 256, 22, vary_camera=True)
        seen = {i: renderer.render(i) for i in (6, 9, 12, 15, 21)}
        frames = torch.from_numpy(np.stack([seen[i][0] for i in (6, 9, 12)])).permute(0, 3, 1, 2)[None].float()
        labels = {i: torch.from_numpy(renderer.labels_of[seen[i][1]]) for i in (12, 15, 21)}
        for steps, target in ((1, 15), (3, 21)):
            scores = [agreement(model, frames, labels[12], labels[target], steps) for model in (learned, ego)]
            gains.append(scores[0] - scores[1])
    assert np.mean(gains) > -0.005 and max(map(abs, gains)) > 1e-5


def test_a_still_scene_stays():
    frame = torch.from_numpy(SequenceRenderer(91, 'val', 0, 64, 128, 1).render(0)[0]).permute(2, 0, 1)
    frames = frame[None, None].expand(1, 3, -1, -1, -1).float()
    model = MotionForecaster(checkpoint=WEIGHTS).eval()
    with torch.no_grad():
        field, _ = model.backward_field(model.observe(frames), 3)
    assert field.abs().max() < 0.2
