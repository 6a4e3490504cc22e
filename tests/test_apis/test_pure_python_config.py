"""mmengine's pure-Python configs, whose types are classes, in ``compare``."""

import torch

from mmforecast.apis import Entry, build_forecaster, compare, load_config
from mmforecast.apis.compare import with_baselines

CONFIG = """
from mmdet.models.losses import L1Loss
from mmengine.dataset import DefaultSampler

from mmforecast.datasets import CityscapesSequenceDataset
from mmforecast.datasets.transforms import LoadClipFrames, LoadClipSemSeg, PackForecastInputs
from mmforecast.evaluation.metrics import FutureSemSegMetric
from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.encoders import LabelMapEncoder
from mmforecast.models.forecasters import S2SForecaster
from mmforecast.models.predictors import MultiScalePredictor

default_scope = 'mmforecast'
model = dict(
    type=S2SForecaster,
    num_past=4,
    encoder=dict(type=LabelMapEncoder, num_classes=19),
    predictor=dict(
        type=MultiScalePredictor,
        in_channels=19,
        widths=((4, 4, 4), (4, 4, 4)),
        losses=dict(l1=dict(type=L1Loss)),
    ),
    decoder=dict(type=SemSegDecoder),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=CityscapesSequenceDataset,
        data_root=DATA_ROOT,
        data_prefix=dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence'),
        num_past=4,
        stride=3,
        split='val',
        num_future=3,
        anchor='annotated',
        test_mode=True,
        pipeline=[dict(type=LoadClipFrames), dict(type=LoadClipSemSeg), dict(type=PackForecastInputs)],
    ),
)
test_evaluator = dict(type=FutureSemSegMetric, per_class_table=False)
"""


def test_pure_python_config_is_compared(street_root, tmp_path):
    path = tmp_path / 'lazy.py'
    path.write_text(CONFIG.replace('DATA_ROOT', repr(str(street_root))))
    cfg = load_config(str(path))
    model = build_forecaster(cfg)
    checkpoint = str(tmp_path / 'weights.pth')
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    rows = compare(with_baselines(cfg, [Entry('mine', cfg, checkpoint)], ['copy-last', 'oracle']), [1])
    assert [row['method'] for row in rows] == ['copy-last', 'mine', 'oracle']
    assert rows[2]['mIoU @0.18s'] == 100 and rows[1]['parameters'] > 0
