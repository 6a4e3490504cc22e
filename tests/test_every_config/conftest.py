"""Tiny data in the layout of every public dataset that a shipped config reads, under one folder ``data``."""

import csv
import json
import runpy
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.datasets import Level, StoreManifest, StoreWriter
from mmforecast.registry import MODELS
from mmforecast.street import write_dataset

SPLITS = dict(train=3, val=2)
DRIVES = ['residential', 'avenue', 'highway']
SIZE = 128, 256
SHAPES = [f'shape{number}' for number in range(10)]
STYLES = [f'style{number:02d}' for number in range(27)]


def noise(height, width, seed=0):
    """A smooth random picture (H, W, 3) uint8."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def moving_frames(count, size, speed=2):
    """Frames of a picture that moves to the left."""
    height, width = size
    picture = noise(height, width + speed * count + 8)
    return [picture[:, speed * step : speed * step + width] for step in range(count)]


def write_image(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


def write_movie(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), 'rgb24')))
        container.mux(stream.encode())


def run_tool(repository, script, *arguments):
    before, sys.argv = sys.argv, [script, *map(str, arguments)]
    try:
        runpy.run_path(str(repository / 'tools' / script), run_name='__main__')
    finally:
        sys.argv = before


def cityscapes(root, repository):
    """Cityscapes' sequences and labels, by the synthetic street; COCO annotations; stores of three kinds."""
    for name in ('cityscapes', 'synthetic_street', 'street_400', 'varied_street'):
        if name == 'cityscapes':
            write_dataset(root / name, SPLITS, height=SIZE[0], width=SIZE[1], depth=True, progress=False)
            (root / name / 'disparity_sequence').symlink_to(root / name / 'depth_sequence')
        else:
            (root / name).symlink_to(root / 'cityscapes')
    convert = 'dataset_converters/cityscapes_to_coco.py'
    run_tool(repository, convert, root / 'cityscapes', '--splits', *SPLITS)
    for split in SPLITS:
        store(root / f'cityscapes/scores/{split}', root, split, 'scores', (19, 64, 64))
        store(root / f'cityscapes/distance_maps/{split}', root, split, 'scores', (9, *SIZE))


def store(folder, root, split, level, shape):
    """A store of random representations of every frame of a split."""
    manifest = StoreManifest(
        model='tiny', weights_sha256='0' * 64, dataset='tiny', levels=(Level(level, shape),)
    )
    writer = StoreWriter(str(folder), manifest)
    frames = sorted((root / f'cityscapes/leftImg8bit_sequence/{split}/street').iterdir())
    rng = np.random.default_rng(0)
    for number in range(SPLITS[split]):
        prefix = f'street_{number:06d}_'
        names = [path.name for path in frames if path.name.startswith(prefix)]
        names = [name.removesuffix('_leftImg8bit.png') for name in names]
        array = rng.uniform(-1, 1, (len(names), *shape)).astype(np.float16)
        writer.write_sequence(level, f'{split}_{prefix.rstrip("_")}_000000', names, array)


def camvid(root, repository):
    """Consecutive frames of CamVid with labels and instances, and stills."""
    for folder, count in (('camvid', 65), ('camvid_stills', 12)):
        frames = moving_frames(count, (72, 96), speed=1)
        for number, frame in enumerate(frames):
            name = f'0016E5_{7959 + 2 * number:05d}.png'
            labels = np.full((72, 96), 3, np.uint8)
            labels[20:50, 10 + number // 2 : 40 + number // 2] = 8
            labels[10:30, 60:75] = 9
            write_image(root / folder / 'images' / name, frame)
            write_image(root / folder / 'labels' / name, labels)
        options = ['--min-area', 10, '--val-fraction', 0.4]
        out = root / f'{folder}_instances'
        run_tool(repository, 'dataset_converters/camvid_instances.py', root / folder, '--out', out, *options)


def videos(root):
    """Frames without labels, three clips, UCF101 and the authors' test frames of it."""
    for split in ('train', 'val'):
        for number, frame in enumerate(moving_frames(24, (64, 128))):
            write_image(root / f'frames/{split}/drive/{number:04d}.png', frame)
    for drive in DRIVES[:2]:
        for number, frame in enumerate(moving_frames(20, (64, 128))):
            write_image(root / f'driving_10hz/{drive}/{number:010d}.jpg', frame)
    write_movie(root / 'driving_10hz/highway/highway_25hz.mp4', moving_frames(40, (64, 128)))
    for name, count in (('demo.mp4', 229), ('part_0.mp4', 24), ('test.avi', 24)):
        write_movie(root / 'videos' / name, moving_frames(count, (120, 160)))
    lists = root / 'ucf101/ucfTrainTestlist'
    lists.mkdir(parents=True)
    clips = [f'{kind}/v_{kind}_g{group:02d}_c01.avi' for kind in ('Run', 'Swim') for group in (1, 8)]
    for clip in clips:
        write_movie(root / 'ucf101/UCF-101' / clip, moving_frames(16, (64, 96)))
    (lists / 'classInd.txt').write_text('1 Run\n2 Swim\n')
    (lists / 'trainlist01.txt').write_text(f'{clips[1]} 1\n{clips[3]} 2\n')
    (lists / 'testlist01.txt').write_text(f'{clips[0]}\n{clips[2]}\n')
    names = ['pred_1', 'pred_2', 'pred_3', 'pred_4', 'target_1', 'target_2']
    for name, frame in zip(names, moving_frames(6, (64, 96))):
        write_image(root / f'ucf101_test_frames/1/{name}.png', frame)
    for name in ('pred_4_flow', 'target_1_flow'):
        flow = np.full((64, 96, 3), 255, np.uint8)
        flow[20:40, 20:60] = (0, 0, 255)
        write_image(root / f'ucf101_test_frames/1/{name}.png', flow)


def images(root):
    """Clothing in folders, a list of product photographs with masks, paintings."""
    for split in ('train', 'validation', 'test'):
        for shape in SHAPES:
            # A config divides them anew, 70 to 15 to 15: of six, one is for validation and one for the test.
            for number in range(6):
                write_image(root / f'clothing/{split}/{shape}/{number}.jpg', noise(64, 64, number))
    for number, style in enumerate(STYLES):
        write_image(root / f'wikiart/train/{style}/{number}.jpg', noise(288, 288, number))
    rows = []
    for number in range(42):
        split = 'train' if number < 14 else 'val' if number < 28 else 'test'
        mask = np.zeros((96, 96), np.uint8)
        mask[20:80, 30:70] = 255
        write_image(root / f'rtw/images/{number}.png', noise(96, 96, number))
        write_image(root / f'rtw/masks/{number}.png', mask)
        row = (f'images/{number}.png', f's{number % 7}', f't{number // 2 % 7}', f'masks/{number}.png', split)
        rows.append(row)
    with open(root / 'rtw/images.csv', 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(('img_path', 'shape', 'texture', 'mask_path', 'split'))
        writer.writerows(rows)


def link_detector(folder):
    """The detector of the street in the place of CamVid's: without its weights, no run could be resumed."""
    (weights,) = (folder / 'configs/detectors/weights').glob('mask-rcnn_tiny_synthetic-*.pth')
    place = folder / 'work_dirs/mask-rcnn_tiny_camvid/iter_600.pth'
    place.parent.mkdir(parents=True)
    place.symlink_to(weights)


@pytest.fixture(scope='session')
def workspace(tmp_path_factory, repository):
    """A folder with ``configs`` and all of ``data``, where the tools run as in a checkout."""
    folder = tmp_path_factory.mktemp('workspace')
    root = folder / 'data'
    root.mkdir()
    (folder / 'configs').symlink_to(repository / 'configs')
    link_detector(folder)
    cityscapes(root, repository)
    camvid(root, repository)
    videos(root)
    images(root)
    return folder


@pytest.fixture(scope='session')
def long_street(workspace):
    """Sequences that are long enough for a forecast of ten seconds."""
    folder = workspace / 'data/long_street'
    write_dataset(folder, dict(train=1, val=2), height=SIZE[0], width=SIZE[1], num_frames=230, progress=False)
    return folder


@pytest.fixture(scope='session')
def stored_features(workspace, repository):
    """Weights of the detector of Cityscapes, random ones, whose features are in a store."""
    out = ['--out', 'data/cityscapes/features', '--levels', 'P5', '--splits', 'train']
    return extract_features(workspace, repository, 'configs/f2f/f2f5_cityscapes.py', out)


@pytest.fixture(scope='session')
def street_features(workspace, repository):
    """Weights of the street's detector, random ones, whose features are in a store."""
    out = ['--out', 'data/synthetic_street_features', '--splits', 'train']
    steps = ['train_dataloader.dataset.num_future=3']
    return extract_features(workspace, repository, 'configs/f2f/f2f_small_synthetic.py', out, steps)


@pytest.fixture(scope='session')
def driving_features(workspace, repository):
    """Weights of YOLOX-nano, random ones, whose features of the driving video are in stores."""
    out = ['--out', 'data/driving_10hz/features', '--splits', *DRIVES]
    small = [f'{drive}_dataloader.dataset.pipeline.1.scale=(256,128)' for drive in DRIVES]
    config = 'configs/motion/f2f_net_yolox-nano_driving.py'
    return extract_features(workspace, repository, config, out, small)


@pytest.fixture(scope='session')
def segmentor_features(workspace, repository):
    """Weights of the segmentor of Cityscapes, random ones, whose features are in a store."""
    out = ['--out', 'data/cityscapes/spp_features', '--splits', 'train']
    return extract_features(workspace, repository, 'configs/f2mf/f2mf_cityscapes.py', out)


def extract_features(workspace, repository, config, arguments, options=()):
    """Write features of a config's network with random weights; returns the path of these weights."""
    encoder = Config.fromfile(workspace / config).model.encoder
    scope, network = ('mmdet', encoder.detector) if 'detector' in encoder else ('mmseg', encoder.segmentor)
    with DefaultScope.overwrite_default_scope(scope):
        network = MODELS.build(network)
    weights = workspace / f'network_of_{Path(config).stem}.pth'
    torch.save(dict(state_dict=network.state_dict()), weights)
    options = ['--cfg-options', f'model.encoder.checkpoint={weights}', *options]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        run_tool(repository, 'extract_representations.py', config, 'none', *arguments, *options)
    return weights


@pytest.fixture
def scalars():
    """What a run logged, a dict per line."""

    def read(work_dir):
        files = sorted(work_dir.glob('*/vis_data/scalars.json'))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    return read
