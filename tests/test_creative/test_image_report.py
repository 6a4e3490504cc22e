"""Pictures of an evaluation."""

import numpy as np
import pytest
import torch

from mmforecast.creative.apis.image_report import sheet
from mmforecast.creative.apis.image_sets import ImageSet


@pytest.mark.parametrize('side, scale', [(32, 3), (48, 2), (64, 2), (100, 1), (256, 1)])
def test_images_are_shown_at_a_whole_number_scale(side, scale):
    images = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    picture = sheet(ImageSet('noise', images, ['a', 'b']))
    cell = scale * side
    shown = [picture[2 : 2 + cell, 2 + n * (cell + 2) :][:, :cell] for n in range(2)]
    for part in shown:
        # every pixel is a block of one color, and all blocks are of one size
        assert (part == part[::scale, ::scale].repeat(scale, 0).repeat(scale, 1)).all()
    found = {part[::scale, ::scale].tobytes() for part in shown}
    assert found == {np.ascontiguousarray(image.numpy().transpose(1, 2, 0)).tobytes() for image in images}
