"""Tries detectors of mmdet and segmentors of mmseg under F2F and S2S, and writes docs/compatibility.md.

Each network is built from its own config with random weights, trains a predictor for one iteration of a
Runner, forecasts, and is scored; then the oracle is compared with the network's own output on the true frame.

    python tools/misc/compatibility.py                                  # all, about an hour; writes the page
    python tools/misc/compatibility.py --networks mask-rcnn pspnet      # a few, printed

Rows are kept in --rows as they come, so that a run that was stopped goes on where it was.
"""

import argparse
import json
import logging
import tempfile
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.dataset import pseudo_collate
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.encoders.frozen import FrozenEncoder
from mmforecast.models.forecasters.base import BaseForecaster
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO

PAGE = Path(__file__).resolve().parents[2] / 'docs/compatibility.md'
SIZES = dict(detector=(120, 152), segmentor=(128, 160))
NUM_PAST = 2

DETECTORS = {
    'mask-rcnn': 'mask_rcnn/mask-rcnn_r50_fpn_1x_coco',
    'mask-rcnn-c4': 'mask_rcnn/mask-rcnn_r50-caffe-c4_1x_coco',
    'mask-rcnn-hrnet': 'hrnet/mask-rcnn_hrnetv2p-w18-1x_coco',
    'mask-rcnn-swin': 'swin/mask-rcnn_swin-t-p4-w7_fpn_1x_coco',
    'faster-rcnn': 'faster_rcnn/faster-rcnn_r50_fpn_1x_coco',
    'faster-rcnn-pafpn': 'pafpn/faster-rcnn_r50_pafpn_1x_coco',
    'cascade-mask-rcnn': 'cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco',
    'htc': 'htc/htc_r50_fpn_1x_coco',
    'scnet': 'scnet/scnet_r50_fpn_1x_coco',
    'detectors': 'detectors/detectors_cascade-rcnn_r50_1x_coco',
    'ms-rcnn': 'ms_rcnn/ms-rcnn_r50_fpn_1x_coco',
    'point-rend': 'point_rend/point-rend_r50-caffe_fpn_ms-1x_coco',
    'libra-rcnn': 'libra_rcnn/libra-faster-rcnn_r50_fpn_1x_coco',
    'grid-rcnn': 'grid_rcnn/grid-rcnn_r50_fpn_gn-head_2x_coco',
    'dynamic-rcnn': 'dynamic_rcnn/dynamic-rcnn_r50_fpn_1x_coco',
    'sparse-rcnn': 'sparse_rcnn/sparse-rcnn_r50_fpn_1x_coco',
    'panoptic-fpn': 'panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco',
    'solo': 'solo/solo_r50_fpn_1x_coco',
    'solov2': 'solov2/solov2_r50_fpn_1x_coco',
    'condinst': 'condinst/condinst_r50_fpn_ms-poly-90k_coco_instance',
    'boxinst': 'boxinst/boxinst_r50_fpn_ms-90k_coco',
    'yolact': 'yolact/yolact_r50_1xb8-55e_coco',
    'rtmdet': 'rtmdet/rtmdet_tiny_8xb32-300e_coco',
    'rtmdet-ins': 'rtmdet/rtmdet-ins_tiny_8xb32-300e_coco',
    'yolox': 'yolox/yolox_tiny_8xb8-300e_coco',
    'retinanet': 'retinanet/retinanet_r50_fpn_1x_coco',
    'nas-fpn': 'nas_fpn/retinanet_r50_nasfpn_crop640-50e_coco',
    'fcos': 'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco',
    'ssd': 'ssd/ssd300_coco',
    'fsaf': 'fsaf/fsaf_r50_fpn_1x_coco',
    'atss': 'atss/atss_r50_fpn_1x_coco',
    'dyhead': 'dyhead/atss_r50_fpn_dyhead_1x_coco',
    'gfl': 'gfl/gfl_r50_fpn_1x_coco',
    'vfnet': 'vfnet/vfnet_r50_fpn_1x_coco',
    'tood': 'tood/tood_r50_fpn_1x_coco',
    'deformable-detr': 'deformable_detr/deformable-detr_r50_16xb2-50e_coco',
    'dino': 'dino/dino-4scale_r50_8xb2-12e_coco',
    'detr': 'detr/detr_r50_8xb2-150e_coco',
}
SEGMENTORS = {
    'fcn': 'fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024',
    'fcn-hrnet': 'hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024',
    'pspnet': 'pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024',
    'deeplabv3plus': 'deeplabv3plus/deeplabv3plus_r18-d8_4xb2-80k_cityscapes-512x1024',
    'upernet': 'upernet/upernet_r18_4xb2-40k_cityscapes-512x1024',
    'upernet-swin': 'swin/swin-tiny-patch4-window7-in1k-pre_upernet_8xb2-160k_ade20k-512x512',
    'ocrnet': 'ocrnet/ocrnet_hr18s_4xb2-40k_cityscapes-512x1024',
    'segformer': 'segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024',
    'segnext': 'segnext/segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512',
    'segmenter': 'segmenter/segmenter_vit-s_fcn_8xb1-160k_ade20k-512x512',
    'segmenter-mask': 'segmenter/segmenter_vit-s_mask_8xb1-160k_ade20k-512x512',
    'dpt': 'dpt/dpt_vit-b16_8xb2-160k_ade20k-512x512',
    'mask2former-seg': 'mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024',
    'maskformer-seg': 'maskformer/maskformer_r50-d32_8xb2-160k_ade20k-512x512',
    'point-rend-seg': 'point_rend/pointrend_r50_4xb2-80k_cityscapes-512x1024',
    'knet': 'knet/knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512',
    'stdc': 'stdc/stdc1_4xb12-80k_cityscapes-512x1024',
    'bisenetv2': 'bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024',
    'pidnet': 'pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes',
    'ddrnet': 'ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024',
    'fast-scnn': 'fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024',
    'icnet': 'icnet/icnet_r18-d8_4xb2-80k_cityscapes-832x832',
    'ccnet': 'ccnet/ccnet_r50-d8_4xb2-40k_cityscapes-512x1024',
    'danet': 'danet/danet_r50-d8_4xb2-40k_cityscapes-512x1024',
    'semantic-fpn': 'sem_fpn/fpn_r50_4xb2-80k_cityscapes-512x1024',
    'erfnet': 'erfnet/erfnet_fcn_4xb4-160k_cityscapes-512x1024',
    'cgnet': 'cgnet/cgnet_fcn_4xb4-60k_cityscapes-680x680',
    'unet-binary': 'unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64',
}
# Detections are few and sure to exist, whatever random weights say.
_LIMITS = dict(score_thr=0.0, mask_thr=0.3, filter_thr=0.0, update_thr=0.0)
_AT_MOST = dict(nms_pre=200, max_per_img=20, num_queries=100, samples_per_gpu=1)
_FIXED_QUERIES = ('sparse-rcnn',)


def tamed(node, num_classes: int):
    """A copy of a model's config without pretrained weights and SyncBN, with few classes and proposals."""
    if isinstance(node, (list, tuple)):
        return type(node)(tamed(item, num_classes) for item in node)
    if not isinstance(node, dict):
        return node
    out = {key: tamed(value, num_classes) for key, value in node.items()}
    for key, value in out.items():
        if key == 'pretrained' or (key == 'init_cfg' and value and dict(value).get('type') == 'Pretrained'):
            out[key] = None
        elif key == 'type' and value == 'SyncBN':
            out[key] = 'BN'
        elif key in ('num_classes', 'num_things_classes') and isinstance(value, int) and value > 2:
            out[key] = num_classes
        elif key == 'class_weight' and isinstance(value, list) and len(value) > 2:
            out[key] = [1.0] * num_classes + value[-1:] * (len(value) % 10 == 1 or len(value) == 20)
        elif key == 'rand_init':  # SegNeXt draws bases in every pass, so that no two are the same
            out[key] = False
        elif key in _LIMITS and isinstance(value, float):
            out[key] = _LIMITS[key]
        elif key in _AT_MOST and isinstance(value, int):
            out[key] = min(value, _AT_MOST[key])
    return out


def network_config(kind: str, name: str) -> dict:
    library, table = ('mmdet', DETECTORS) if kind == 'detector' else ('mmseg', SEGMENTORS)
    model = get_config(f'{library}::{table[name]}.py').model.to_dict()
    model.pop('_scope_', None)
    if name in _FIXED_QUERIES:
        model['test_cfg'].pop('rcnn')
        kept = dict(max_per_img=100, mask_thr_binary=0.5)
        return dict(tamed(model, 8), test_cfg=dict(rpn=None, rcnn=kept))
    model = tamed(model, 8 if kind == 'detector' else 19)
    if name.startswith('solo'):
        model['test_cfg']['mask_thr'] = 0.005  # its masks start near 0.01
    model['data_preprocessor'].pop('batch_augments', None)
    return model


def random_network(config: dict, scope: str) -> nn.Module:
    """A network with its own initialization, some noise against equal scores, and calibrated BatchNorms."""
    torch.manual_seed(0)
    encoder = (
        MODELS.build(dict(type='DetectorEncoder', detector=config, chunk=1))
        if scope == 'mmdet'
        else (MODELS.build(dict(type='SegmentorEncoder', segmentor=config, chunk=1)))
    )
    encoder.init_weights()
    with torch.no_grad():
        for weight in encoder.network.parameters():
            weight += 0.003 * torch.randn_like(weight)
        _calibrate(encoder)
    return encoder.network


def _calibrate(encoder: FrozenEncoder) -> None:
    """Set the statistics of BatchNorms on a clip: without them, deep random networks overflow in eval mode."""
    norms = [module for module in encoder.network.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean of what it sees
        norm.reset_running_stats()
        norm.train()
    encoder.encode_frames(clip((128, 160))['inputs'].float())
    for norm in norms:
        norm.eval()
        if not norm.num_batches_tracked:  # in a head that was not run
            norm.reset_running_stats()


def clip(size: tuple[int, int]) -> dict:
    """Smooth noise with two cars, as a data set gives it."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand((NUM_PAST + 1, 3, size[0] // 8, size[1] // 8), generator=generator) * 255
    frames = F.interpolate(noise, size, mode='bilinear').round().to(torch.uint8)
    ids, labels = torch.zeros(NUM_PAST + 1, *size).int(), torch.zeros(NUM_PAST + 1, *size).to(torch.uint8)
    for index, (top, left) in enumerate(((10, 12), (60, 70))):
        ids[:, top : top + 40, left : left + 50] = 26001 + index
        labels[:, top : top + 40, left : left + 50] = 13
    sample = ForecastDataSample(
        metainfo=dict(
            sequence_id='noise',
            frame_indices=[0, 1, 2],
            frame_names=list('abc'),
            num_past=NUM_PAST,
            num_future=1,
            stride=1,
            fps=10.0,
            labelled=[True] * 3,
            img_shape=size,
            ori_shape=size,
        )
    )
    sample.gt_instance_map, sample.gt_sem_seg = PixelData(data=ids), PixelData(data=labels)
    return dict(inputs=frames, data_samples=sample)


class _Clips(torch.utils.data.Dataset):
    def __init__(self, size: tuple[int, int]):
        self.size, self.metainfo = size, CITYSCAPES_METAINFO

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return clip(self.size)


def forecaster(kind: str, network: nn.Module, predictor: dict, **settings) -> BaseForecaster:
    encoder = dict(type='DetectorEncoder', detector=network, chunk=1)
    if kind == 'segmentor':
        encoder = dict(type='SegmentorEncoder', segmentor=network, chunk=1)
    config = dict(type='F2FForecaster' if kind == 'detector' else 'S2SForecaster', encoder=encoder)
    return MODELS.build(
        dict(config, predictor=predictor, num_past=NUM_PAST, test_cfg=dict(rollout_steps=1), **settings)
    )


def run_once(model: BaseForecaster, size: tuple[int, int], metric: dict, folder: str) -> dict[str, float]:
    """One iteration, forecast and score of a Runner; the scores, and the loss as ``loss``."""
    loader = DataLoader(_Clips(size), collate_fn=pseudo_collate)
    runner = Runner(
        model=model,
        work_dir=folder,
        train_dataloader=loader,
        val_dataloader=loader,
        val_cfg=dict(),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=1, val_interval=1),
        val_evaluator=metric,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-6)),
        experiment_name=Path(folder).name,
        default_hooks=dict(checkpoint=None, logger=dict(type='LoggerHook', interval=1)),
        log_level='WARNING',
        default_scope='mmforecast',
    )
    runner.train()
    scalars = runner.message_hub.log_scalars
    loss = float(scalars['train/loss'].current())
    if not torch.isfinite(torch.tensor(loss)):
        raise FloatingPointError(f'the loss is {loss}')
    return dict(loss=loss, **{k: float(scalars[k].current()) for k in scalars if k.startswith('val/')})


@torch.no_grad()
def own_output(kind: str, network: nn.Module, frame: Tensor):
    """Instances or (H, W) labels that the network gives for a frame (3, H, W) RGB, by its own test step."""
    size = tuple(frame.shape[-2:])
    meta = dict(ori_shape=size, img_shape=size, pad_shape=size, scale_factor=(1.0, 1.0), img_id=0)
    sample = DetDataSample(metainfo=meta)
    if kind == 'segmentor':
        sample = SegDataSample(metainfo=dict(meta, padding_size=[0, 0, 0, 0]))
    network.eval()
    data = network.data_preprocessor(dict(inputs=[frame.flip(0)], data_samples=[sample]), False)
    if kind == 'segmentor':
        return network.predict(data['inputs'], data['data_samples'])[0].pred_sem_seg.data[0]
    if hasattr(network, 'panoptic_fusion_head'):
        features, samples = network.extract_feat(data['inputs']), data['data_samples']
        proposals = network.rpn_head.predict(features, samples, rescale=False)
        return network.roi_head.predict(features, proposals, samples, rescale=True)[0]
    return network.predict(data['inputs'], data['data_samples'])[0].pred_instances


def agreement(found, own) -> tuple[float, int]:
    """Share of instances, or of pixels, that are the same, and how many instances or classes there are."""
    if isinstance(own, Tensor):
        return float((found == own).float().mean()), len(own.unique())
    own: InstanceData = own[own.scores.argsort(descending=True, stable=True)]
    if len(found) != len(own):
        return 0.0, len(own)
    same = [
        all(torch.equal(torch.as_tensor(found[k][i]), torch.as_tensor(own[k][i])) for k in own.keys())
        for i in range(len(own))
    ]
    return sum(same) / max(1, len(same)), len(own)


def try_network(kind: str, name: str) -> dict:
    """A row of the page: what of a network works.

    Returns:
        ``network``, ``kind`` and ``config``; then either ``refused``, a sentence, or ``representation``,
        ``loss``, ``scores``, ``agreement`` with the network's own output, ``found``, the number of
        instances or classes in it, and for detectors ``detector_loss``, a number or a sentence.
    """
    config, size = network_config(kind, name), SIZES[kind]
    row = dict(network=name, kind=kind, config=(DETECTORS if kind == 'detector' else SEGMENTORS)[name])
    try:
        network = random_network(config, 'mmdet' if kind == 'detector' else 'mmseg')
    except ValueError as error:
        return dict(row, refused=str(error))
    if getattr(network.data_preprocessor, 'pad_size_divisor', 32) == 1:
        size = SIZES['segmentor']  # it takes multiples of 32 alone
    losses = dict(mse=dict(type='mmdet.MSELoss'))
    metric = dict(type='CityscapesInstanceMetric' if kind == 'detector' else 'FutureSemSegMetric')
    if kind == 'detector':
        metric['min_region_size'] = 10
    with tempfile.TemporaryDirectory() as folder:
        model = forecaster(kind, network, dict(type='FeatureFusion', losses=losses))
        scores = run_once(model, size, metric, folder)
    row.update(representation=_representation(model), loss=scores.pop('loss'), scores=scores)
    if kind == 'detector':
        row['detector_loss'] = _detector_loss(network, size)
    oracle = forecaster(kind, network, dict(type='Oracle')).eval()
    data = pseudo_collate([clip(size)])
    with torch.no_grad():
        (sample,) = oracle.test_step(data)
    found = sample.pred_instances[-1] if kind == 'detector' else sample.pred_sem_seg.data[-1]
    share, count = agreement(found, own_output(kind, network, data['inputs'][0][-1].float()))
    return dict(row, agreement=share, found=count)


def _representation(model: BaseForecaster) -> str:
    encoder = model.encoder
    names = ' '.join(encoder.level_names) if isinstance(encoder, DetectorEncoder) else 'scores'
    return f'{names}, {encoder.channels} channels'


def _detector_loss(network: nn.Module, size: tuple[int, int]) -> float | str:
    """The loss of training through the network's own heads, or why there is none."""
    model = forecaster(
        'detector', network, dict(type='FeatureFusion'), train_cfg=dict(rollout_steps=1, detector_loss=1.0)
    ).train()
    try:
        losses = model(**model.data_preprocessor(pseudo_collate([clip(size)]), True), mode='loss')
        loss, _ = model.parse_losses(losses)
    except ValueError as error:
        return str(error)
    loss.backward()
    reached = sum(float(p.grad.abs().sum()) for p in model.predictor.parameters() if p.grad is not None)
    return float(loss) if reached > 0 else 'its losses do not reach the predictor'


def kind_of(name: str) -> str:
    if name not in DETECTORS and name not in SEGMENTORS:
        raise SystemExit(f'unknown network {name!r}; choose from {", ".join([*DETECTORS, *SEGMENTORS])}')
    return 'detector' if name in DETECTORS else 'segmentor'


def page_of(rows: list[dict]) -> str:
    """The page, Markdown."""
    refused = [row for row in rows if 'refused' in row]
    lines = [
        '# Compatibility',
        '',
        "Generated by `python tools/misc/compatibility.py`. Each network is built from its library's config",
        'with random weights, trains a predictor for one iteration of a Runner, forecasts and is scored.',
        "*Oracle* is the share of instances or pixels in which the oracle's forecast is the network's own",
        'output on the true frame, and in how many instances or classes. *Detector loss* is training through',
        'its heads (`train_cfg.detector_loss`).',
        '',
        f'{len(rows)} networks, {len(refused)} of them refused.',
    ]
    for kind, title in (('detector', 'Detectors under F2F'), ('segmentor', 'Segmentors under S2S')):
        worked = [row for row in rows if row['kind'] == kind and 'refused' not in row]
        head = ['network', 'representation', 'trained', *(['detector loss'] * (kind == 'detector')), 'oracle']
        lines += ['', f'## {title}', '', _table_row(head), _table_row(['---'] * len(head))]
        lines += [_table_row(_cells(row)) for row in worked]
    lines += ['', '## Refused', '', '| network | reason |', '|---|---|']
    lines += [_table_row([f'`{row["config"]}`', row['refused']]) for row in refused]
    return '\n'.join(lines) + '\n'


def _cells(row: dict) -> list[str]:
    cells = [f'`{row["config"]}`', row['representation'], 'yes, scored']
    if row['kind'] == 'detector':
        loss = row['detector_loss']
        cells.append(loss if isinstance(loss, str) else 'yes')
    things = 'instances' if row['kind'] == 'detector' else 'classes'
    return [*cells, f'{row["agreement"]:.3f} of {row["found"]} {things}']


def _table_row(cells: list[str]) -> str:
    return '| ' + ' | '.join(cell.replace('|', '/').replace('\n', ' ') for cell in cells) + ' |'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--networks', nargs='+', help='try these alone and print their rows')
    parser.add_argument('--rows', type=Path, default=Path('work_dirs/compatibility.jsonl'))
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings('ignore')
    logging.disable(logging.WARNING)
    init_default_scope('mmforecast')
    if args.networks:
        for name in args.networks:
            print(json.dumps(try_network(kind_of(name), name)), flush=True)
        return
    args.rows.parent.mkdir(parents=True, exist_ok=True)
    lines = args.rows.read_text().splitlines() if args.rows.exists() else []
    rows = {row['network']: row for row in map(json.loads, lines)}
    for name in [*DETECTORS, *SEGMENTORS]:
        if name not in rows:
            rows[name] = try_network(kind_of(name), name)
            with open(args.rows, 'a') as file:
                file.write(json.dumps(rows[name]) + '\n')
    PAGE.write_text(page_of([rows[name] for name in [*DETECTORS, *SEGMENTORS]]))


if __name__ == '__main__':
    main()
