from mmforecast.utils.moved_names import forward_moved_names

from .cityscapes import THING_LABEL_IDS
from .forecast_data_sample import ForecastDataSample
from .instances import (
    box_regions,
    fill_boxes,
    instances_from_id_map,
    instances_to_index_map,
    instances_to_sem_seg,
)
from .panoptic import merge_panoptic, panoptic_from_id_map

__all__ = [
    'ForecastDataSample',
    'THING_LABEL_IDS',
    'box_regions',
    'fill_boxes',
    'instances_from_id_map',
    'instances_to_index_map',
    'instances_to_sem_seg',
    'merge_panoptic',
    'panoptic_from_id_map',
]

forward_moved_names(
    __name__,
    creative='CreativeDataSample MISSING_LABEL',
)
