"""Writes synthetic sequences to disk in Cityscapes' layout, in parallel, resumable, and never half
a file."""

import json
import os
from concurrent.futures import as_completed
from pathlib import Path

import cv2
import numpy as np

from mmforecast.fileio.atomic import remove_leftovers, write_atomically
from mmforecast.fileio.flow_png import encode_flow
from mmforecast.fileio.partial_file import partial_file
from mmforecast.utils.checks import check_integer, check_positive
from mmforecast.utils.progress import progress_bar

from .labels import to_train_ids
from .parallel import worker_pool
from .sequence import FPS, check_size, generate_sequence

__all__ = [
    'ANNOTATED_FRAME',
    'CITY',
    'GENERATOR_VERSION',
    'MANIFEST_NAME',
    'SEQUENCE_LENGTH',
    'decode_depth',
    'sequence_files',
    'write_dataset',
    'write_sequence',
]

# Raise it whenever the same (seed, split, sequence) would give other bytes than before. Version 2 differs in
# sequences of more than 50 frames: the camera car stays where the street goes on.
GENERATOR_VERSION = 2
_VERSION_OF_SHORT, _SHORT = 1, 50
CITY = 'street'
SEQUENCE_LENGTH = 30
ANNOTATED_FRAME = 19
MANIFEST_NAME = 'synthetic_street.json'
_DEPTH_SCALE = 100.0
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def sequence_files(
    root,
    split: str,
    index: int,
    depth: bool = False,
    flow: bool = False,
    num_frames: int = SEQUENCE_LENGTH,
) -> dict[tuple[str, int], Path]:
    """Every file of one sequence, keyed by (kind, frame).

    Kinds are ``leftImg8bit_sequence``, ``leftImg8bit``, ``labelIds``, ``labelTrainIds`` and
    ``instanceIds`` (all frames, under gtFine_sequence), the same with the prefix ``gtFine/``
    (annotated frame), ``depth``, ``flow``.
    """
    root, files = Path(root), {}

    def add(kind, folder, frame, suffix):
        files[kind, frame] = root / folder / split / CITY / f'{CITY}_{index:06d}_{frame:06d}_{suffix}.png'

    for frame in range(num_frames):
        add('leftImg8bit_sequence', 'leftImg8bit_sequence', frame, 'leftImg8bit')
        for kind in ('labelIds', 'labelTrainIds', 'instanceIds'):
            add(kind, 'gtFine_sequence', frame, f'gtFine_{kind}')
        if depth:
            add('depth', 'depth_sequence', frame, 'depth')
        if flow:
            add('flow', 'flow_sequence', frame, 'flow')
    add('leftImg8bit', 'leftImg8bit', ANNOTATED_FRAME, 'leftImg8bit')
    for kind in ('labelIds', 'labelTrainIds', 'instanceIds'):
        add(f'gtFine/{kind}', 'gtFine', ANNOTATED_FRAME, f'gtFine_{kind}')
    return files


def _encode_depth(depth: np.ndarray) -> np.ndarray:
    """uint16 centimeters; 0 at the sky, 65535 for 655.35 m and beyond."""
    centimeters = np.clip(np.where(np.isfinite(depth), depth, 0) * _DEPTH_SCALE, 0, 65535)
    return np.round(centimeters).astype(np.uint16)


def decode_depth(image: np.ndarray) -> np.ndarray:
    """Metres (H, W) float32, inf at the sky, from the uint16 picture in a depth file."""
    return np.where(image == 0, np.inf, image / _DEPTH_SCALE).astype(np.float32)


def _save(path: Path, image: np.ndarray):
    """Write a PNG under a temporary name, then rename it: a file that has its name is whole."""
    if image.ndim == 3:
        image = image[..., ::-1]
    done, data = cv2.imencode('.png', image, _PNG)
    if not done:
        raise OSError(f'OpenCV could not encode {path.name} ({image.shape}, {image.dtype})')
    with partial_file(path) as partial:
        partial.write_bytes(data.tobytes())


def write_sequence(
    root,
    split: str,
    index: int,
    height: int,
    width: int,
    seed: int,
    depth: bool = False,
    flow: bool = False,
    vary_camera: bool = False,
    num_frames: int = SEQUENCE_LENGTH,
) -> bool:
    """Render and write one sequence unless all its files are there; True if it was written."""
    files = sequence_files(root, split, index, depth, flow, num_frames)
    if all(path.exists() for path in files.values()):
        return False
    for folder in {path.parent for path in files.values()}:
        folder.mkdir(parents=True, exist_ok=True)
    sequence = generate_sequence(
        seed, split, index, height, width, num_frames, depth, flow, vary_camera=vary_camera
    )
    pictures = {
        'leftImg8bit_sequence': sequence['frames'],
        'labelIds': sequence['label_ids'],
        'labelTrainIds': to_train_ids(sequence['label_ids']),
        'instanceIds': sequence['instance_ids'],
    }
    if depth:
        pictures['depth'] = np.stack([_encode_depth(frame) for frame in sequence['depth']])
    if flow:
        pictures['flow'] = np.stack([encode_flow(frame) for frame in sequence['flow']])
    pictures['leftImg8bit'] = sequence['frames']
    for kind in ('labelIds', 'labelTrainIds', 'instanceIds'):
        pictures[f'gtFine/{kind}'] = pictures[kind]
    for (kind, frame), path in files.items():
        _save(path, pictures[kind][frame])
    return True


def write_dataset(
    root,
    splits: dict[str, int] | None = None,
    height: int = 128,
    width: int = 256,
    seed: int = 0,
    workers: int = 1,
    depth: bool = False,
    flow: bool = False,
    progress: bool = True,
    vary_camera: bool = False,
    num_frames: int = SEQUENCE_LENGTH,
) -> dict:
    """Write a whole synthetic dataset; run it again to finish or extend one.

    Args:
        root: Folder to write to; made if missing. A dataset of another seed, size, length or
            generator version in it is refused.
        splits: Sequences per split; default ``{'train': 120, 'val': 50}``.
        height, width: 2:1, from 32x64 to 1024x2048.
        seed: Of the dataset; a split's sequences don't depend on how many there are.
        workers: processes; the files don't depend on it. More than one needs the usual
            ``if __name__ == '__main__'`` guard in the calling script.
        depth, flow: Also write ``depth_sequence`` (uint16 cm, see `decode_depth`) and
            ``flow_sequence`` (KITTI's 16-bit PNG, see `mmforecast.fileio.flow_png`).
        progress: Show a progress bar on stderr.
        vary_camera: Give each sequence a camera of its own, see ``CameraVariation``.
        num_frames: Frames of a sequence, 17 a second, at least 20; the annotated frame is the 20th whatever
            the length. Other lengths show other worlds.

    Returns:
        dict: ``written`` and ``skipped`` sequence counts, and ``manifest``, the manifest's path.
    """
    splits = {'train': 120, 'val': 50} if splits is None else dict(splits)
    check_size(height, width)
    check_positive('write_dataset', workers=workers)
    check_integer('write_dataset', ANNOTATED_FRAME + 1, num_frames=num_frames)
    for split, count in splits.items():
        if not split.isidentifier() or count < 0:
            raise ValueError(f'splits must map names to counts >= 0, got {split!r}: {count}')
    root = Path(root)
    manifest = _open_manifest(
        root,
        dict(
            generator='mmforecast synthetic street',
            generator_version=GENERATOR_VERSION if num_frames > _SHORT else _VERSION_OF_SHORT,
            seed=seed,
            height=height,
            width=width,
            num_frames=num_frames,
            fps=FPS,
            annotated_frame=ANNOTATED_FRAME,
            vary_camera=vary_camera,
        ),
        splits,
    )
    for folder, _, _ in os.walk(root):
        remove_leftovers(folder)
    jobs = [
        (root, split, index, height, width, seed, depth, flow, vary_camera, num_frames)
        for split, count in splits.items()
        for index in range(count)
    ]
    written = _run(jobs, workers, progress)
    manifest.update(
        complete=True,
        depth=manifest.get('depth', False) or depth,
        flow=manifest.get('flow', False) or flow,
    )
    _write_manifest(root, manifest)
    return dict(written=written, skipped=len(jobs) - written, manifest=root / MANIFEST_NAME)


def _run(jobs: list[tuple], workers: int, progress: bool) -> int:
    """Write the sequences; returns how many were not there before."""
    bar = progress_bar(total=len(jobs), unit='seq', desc='synthetic street', disable=not progress)
    written = 0
    with bar:
        if workers == 1 or len(jobs) < 2:
            for job in jobs:
                written += write_sequence(*job)
                bar.update()
            return written
        with worker_pool(workers) as pool:
            futures = [pool.submit(write_sequence, *job) for job in jobs]
            try:
                for future in as_completed(futures):
                    written += future.result()
                    bar.update()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return written


def _open_manifest(root: Path, identity: dict, splits: dict[str, int]) -> dict:
    """Start or take up the manifest; refuse a folder that holds another dataset."""
    path, counts = root / MANIFEST_NAME, {}
    manifest = dict(identity)
    if path.exists():
        try:
            manifest = json.loads(path.read_text())
            counts = manifest['splits']
            manifest.setdefault('vary_camera', False)  # older manifests do not have it
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{path} is not a readable manifest ({error}); delete it, or write to another folder'
            ) from error
        for key, value in identity.items():
            if manifest.get(key) != value:
                raise ValueError(
                    f'{root} already holds a synthetic street with {key} {manifest.get(key)}, '
                    f'not {value}; write to another folder or delete that one'
                )
    elif any((root / folder).exists() for folder in ('leftImg8bit_sequence', 'gtFine_sequence')):
        raise ValueError(
            f'{root} holds frames but no {MANIFEST_NAME}: it is not a synthetic street; '
            'write to another folder'
        )
    manifest['splits'] = {**counts, **{s: max(n, counts.get(s, 0)) for s, n in splits.items()}}
    manifest['complete'] = False
    _write_manifest(root, manifest)
    return manifest


def _write_manifest(root: Path, manifest: dict):
    root.mkdir(parents=True, exist_ok=True)
    text = json.dumps(manifest, indent=2, sort_keys=True) + '\n'
    write_atomically(str(root / MANIFEST_NAME), text.encode())
