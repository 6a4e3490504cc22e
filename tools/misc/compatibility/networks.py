"""The networks that are tried, by name, with the configs of their libraries made small."""

from mmengine.hub import get_config

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
    'queryinst': 'queryinst/queryinst_r50_fpn_1x_coco',
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
    'ddq': 'ddq/ddq-detr-4scale_r50_8xb2-12e_coco',
    'dino': 'dino/dino-4scale_r50_8xb2-12e_coco',
    'reppoints': 'reppoints/reppoints-moment_r50_fpn_1x_coco',
    'efficientnet-fpn': 'efficientnet/retinanet_effb3_fpn_8xb4-crop896-1x_coco',
    'mask2former': 'mask2former/mask2former_r50_8xb2-lsj-50e_coco',
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
NETWORKS = [*DETECTORS, *SEGMENTORS]

# Few detections, which exist whatever the random weights are.
_THRESHOLDS = dict(score_thr=0.0, mask_thr=0.3, filter_thr=0.0, update_thr=0.0)
_AT_MOST = dict(nms_pre=200, max_per_img=20, num_queries=100, samples_per_gpu=1)
# The number of proposals is the number of detections.
_FIXED_PROPOSALS = ('sparse-rcnn', 'queryinst')


def is_detector(name: str) -> bool:
    """Whether a network is tried under F2F; the others are segmentors, tried under S2S."""
    return name in DETECTORS


def source_config(name: str) -> str:
    """The name of a network's config in its library, without the suffix."""
    return DETECTORS[name] if is_detector(name) else SEGMENTORS[name]


def network_config(name: str) -> dict:
    """A network's config: without pretrained weights, and with Cityscapes' classes and few proposals."""
    library, num_classes = ('mmdet', 8) if is_detector(name) else ('mmseg', 19)
    model = get_config(f'{library}::{source_config(name)}.py').model.to_dict()
    model.pop('_scope_', None)
    model['data_preprocessor'].pop('batch_augments', None)
    if name in _FIXED_PROPOSALS:
        model['test_cfg'] = dict(rpn=None, rcnn=dict(max_per_img=100, mask_thr_binary=0.5))
        return _small(model, num_classes, dict(samples_per_gpu=1))
    model = _small(model, num_classes, _AT_MOST)
    if name.startswith('solo'):
        model['test_cfg']['mask_thr'] = 0.005  # its masks start near 0.01
    return model


def _small(node, num_classes: int, at_most: dict[str, int]):
    """A copy of a part of a model's config, see :func:`network_config`."""
    if isinstance(node, (list, tuple)):
        return type(node)(_small(item, num_classes, at_most) for item in node)
    if not isinstance(node, dict):
        return node
    out = {key: _small(value, num_classes, at_most) for key, value in node.items()}
    for key, value in out.items():
        if key == 'pretrained' or (key == 'init_cfg' and value and dict(value).get('type') == 'Pretrained'):
            out[key] = None
        elif key == 'type' and value == 'SyncBN':
            out[key] = 'BN'
        elif key in ('num_classes', 'num_things_classes') and isinstance(value, int) and value > 2:
            out[key] = num_classes
        elif key == 'class_weight' and isinstance(value, list) and len(value) > 2:
            no_object = [weight for weight in value[-1:] if weight == 0.1]  # of networks with queries
            out[key] = [1.0] * num_classes + no_object
        elif key in _THRESHOLDS and isinstance(value, float):
            out[key] = _THRESHOLDS[key]
        elif key in at_most and isinstance(value, int):
            out[key] = min(value, at_most[key])
    return out
