"""The synthetic dataset on disk: layout, determinism, resuming, refusals."""

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmforecast.street import (
    FPS,
    MANIFEST_NAME,
    SequenceRenderer,
    decode_depth,
    decode_flow,
    generate_sequence,
    population,
    sequence_files,
    write_dataset,
    writer,
)
from mmforecast.street.road import sample_center_line, sample_layout

SIZE = dict(height=32, width=64, progress=False)
TOOL = Path(__file__).parents[2] / 'tools' / 'dataset_converters' / 'synthetic_cityscapes.py'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp('street')
    write_dataset(path, {'train': 1, 'val': 2}, seed=3, depth=True, flow=True, **SIZE)
    return path


@pytest.fixture
def copy(root, tmp_path):
    return Path(shutil.copytree(root, tmp_path / 'copy'))


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob('*.png'))
    }


def test_layout_is_that_of_cityscapes(root):
    frames = sorted((root / 'leftImg8bit_sequence' / 'val' / 'street').iterdir())
    assert len(frames) == 60
    assert frames[0].name == 'street_000000_000000_leftImg8bit.png'
    assert frames[-1].name == 'street_000001_000029_leftImg8bit.png'
    fine = sorted(path.name for path in (root / 'gtFine' / 'train' / 'street').iterdir())
    assert fine == [
        f'street_000000_000019_gtFine_{kind}.png' for kind in ('instanceIds', 'labelIds', 'labelTrainIds')
    ]
    assert len(list((root / 'gtFine_sequence' / 'val' / 'street').iterdir())) == 2 * 30 * 3
    annotated = sorted(path.name for path in (root / 'leftImg8bit' / 'val' / 'street').iterdir())
    assert annotated == [f'street_00000{i}_000019_leftImg8bit.png' for i in (0, 1)]
    manifest = json.loads((root / MANIFEST_NAME).read_text())
    assert manifest['seed'] == 3 and manifest['splits'] == {'train': 1, 'val': 2}
    assert manifest['complete'] and manifest['depth'] and manifest['flow']
    assert not list(root.rglob('*.partial'))


def test_files_hold_what_was_generated(root):
    sequence = generate_sequence(3, 'val', 1, 32, 64, depth=True, flow=True)
    files = sequence_files(root, 'val', 1, depth=True, flow=True)

    def read(kind, frame=19):
        return cv2.imread(str(files[kind, frame]), cv2.IMREAD_UNCHANGED)

    np.testing.assert_array_equal(read('leftImg8bit_sequence')[..., ::-1], sequence['frames'][19])
    for kind, key in (('labelIds', 'label_ids'), ('instanceIds', 'instance_ids')):
        for prefix in ('', 'gtFine/'):
            picture = read(prefix + kind)
            assert picture.dtype == sequence[key].dtype
            np.testing.assert_array_equal(picture, sequence[key][19])
    depth, truth = decode_depth(read('depth', 7)), sequence['depth'][7]
    near = truth < 600
    np.testing.assert_allclose(depth[near], truth[near], atol=0.006)
    np.testing.assert_array_equal(np.isinf(depth), np.isinf(truth))
    flow, valid = decode_flow(read('flow', 7)[..., ::-1])
    np.testing.assert_allclose(flow[valid], sequence['flow'][7][valid], atol=1 / 127)
    assert valid.mean() > 0.95


@pytest.mark.slow
def test_workers_do_not_change_a_byte(root, tmp_path):
    write_dataset(tmp_path, {'train': 1, 'val': 1}, seed=3, workers=2, depth=True, flow=True, **SIZE)
    written = digests(tmp_path)
    assert len(written) == 2 * (30 * 6 + 4)
    assert written.items() <= digests(root).items()


def test_resume_writes_only_what_is_missing(copy):
    before = digests(copy)
    untouched = sequence_files(copy, 'val', 0)['labelIds', 0]
    time = untouched.stat().st_mtime_ns
    missing = sequence_files(copy, 'val', 1)['labelIds', 11]
    missing.unlink()
    # What a killed run leaves: half a file, but not under the final name.
    missing.with_name(f'.{missing.name}.4711.partial').write_bytes(b'\x89PNG half')
    again = write_dataset(copy, {'train': 1, 'val': 2}, seed=3, depth=True, flow=True, **SIZE)
    assert (again['written'], again['skipped']) == (1, 2)
    assert digests(copy) == before
    assert untouched.stat().st_mtime_ns == time
    assert not list(copy.rglob('*.partial'))


def test_a_complete_data_set_is_left_alone(copy):
    result = write_dataset(copy, {'train': 1, 'val': 2}, seed=3, **SIZE)
    assert (result['written'], result['skipped']) == (0, 3)


def test_extending_keeps_what_is_there(copy):
    before = digests(copy)
    result = write_dataset(copy, {'val': 3}, seed=3, **SIZE)
    assert (result['written'], result['skipped']) == (1, 2)
    assert before.items() <= digests(copy).items()
    assert json.loads((copy / MANIFEST_NAME).read_text())['splits'] == {'train': 1, 'val': 3}


def test_a_killed_write_leaves_no_file_that_counts(tmp_path, monkeypatch):
    target = tmp_path / 'picture.png'

    def killed(source, destination):
        raise KeyboardInterrupt

    monkeypatch.setattr(writer.os, 'replace', killed)
    with pytest.raises(KeyboardInterrupt):
        writer._save(target, np.zeros((4, 8), np.uint8))
    assert not target.exists()


@pytest.mark.parametrize(
    'change, message',
    [(dict(seed=4), 'seed 3, not 4'), (dict(height=64, width=128), 'height 32, not 64')],
)
def test_another_data_set_in_the_folder_is_refused(root, change, message):
    before = (root / MANIFEST_NAME).read_bytes()
    with pytest.raises(ValueError, match=message):
        write_dataset(root, {'val': 1}, **{**SIZE, 'seed': 3, **change})
    assert (root / MANIFEST_NAME).read_bytes() == before


def test_foreign_frames_and_broken_manifests_are_refused(tmp_path):
    (tmp_path / 'cityscapes' / 'leftImg8bit_sequence').mkdir(parents=True)
    with pytest.raises(ValueError, match='not a synthetic street'):
        write_dataset(tmp_path / 'cityscapes', {'val': 1}, **SIZE)
    (tmp_path / MANIFEST_NAME).write_text('{"seed": ')
    with pytest.raises(ValueError, match='not a readable manifest'):
        write_dataset(tmp_path, {'val': 1}, **SIZE)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(workers=0), 'workers must be an integer >= 1'),
        (dict(splits={'val': -1}), 'counts >= 0'),
        (dict(splits={'../val': 1}), 'splits must map names'),
        (dict(height=64, width=100), 'size must be H x 2H'),
    ],
)
def test_bad_arguments_write_nothing(tmp_path, kwargs, message):
    arguments = {**dict(splits={'val': 1}), **SIZE, **kwargs}
    with pytest.raises(ValueError, match=message):
        write_dataset(tmp_path / 'out', **arguments)
    assert not (tmp_path / 'out').exists()


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('synthetic_cityscapes_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_command_line_writes_a_data_set(tool, tmp_path, capsys):
    out = str(tmp_path / 'out')
    assert tool.main(['--out', out, '--size', '32x64', '--train', '0', '--val', '1', '--seed', '3']) == 0
    assert '1 sequences written' in capsys.readouterr().out


def test_command_line_reports_bad_values_in_one_sentence(tool, tmp_path, capsys):
    out = str(tmp_path / 'out')
    assert tool.main(['--out', out, '--size', '128x200']) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith('error: size must be') and '\n' not in error
    with pytest.raises(SystemExit):
        tool.parse_args(['--out', out, '--size', 'huge'])
    assert '--size must be HEIGHTxWIDTH' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        tool.parse_args(['--out', out, '--train', '0', '--val', '0'])
    assert 'nothing to write' in capsys.readouterr().err


def test_varied_cameras_are_another_dataset(root, tmp_path):
    with pytest.raises(ValueError, match='vary_camera False, not True'):
        write_dataset(root, {'train': 1}, seed=3, vary_camera=True, **SIZE)
    write_dataset(tmp_path, {'val': 1}, seed=3, vary_camera=True, **SIZE)
    frame = sequence_files(tmp_path, 'val', 0)['leftImg8bit_sequence', 4]
    expected = generate_sequence(3, 'val', 0, 32, 64, vary_camera=True)['frames'][4]
    assert np.array_equal(cv2.imread(str(frame))[..., ::-1], expected)
    assert json.loads((tmp_path / MANIFEST_NAME).read_text())['vary_camera'] is True


@pytest.mark.parametrize('num_frames', [20, 34])
def test_sequences_of_another_length(num_frames, tool, tmp_path):
    out = tmp_path / 'out'
    arguments = ['--out', str(out), '--size', '32x64', '--train', '0', '--val', '0', '--test', '1']
    assert tool.main([*arguments, '--frames', str(num_frames)]) == 0
    frames = sorted((out / 'leftImg8bit_sequence' / 'test' / 'street').iterdir())
    assert [path.name.split('_')[2] for path in frames] == [f'{frame:06d}' for frame in range(num_frames)]
    assert len(list((out / 'gtFine_sequence' / 'test' / 'street').iterdir())) == 3 * num_frames
    (annotated,) = (out / 'leftImg8bit' / 'test' / 'street').iterdir()
    assert annotated.name.split('_')[2] == '000019'
    expected = generate_sequence(0, 'test', 0, 32, 64, num_frames)['frames'][-1]
    assert np.array_equal(cv2.imread(str(frames[-1]))[..., ::-1], expected)
    again = write_dataset(out, {'test': 1}, num_frames=num_frames, **SIZE)
    assert (again['written'], again['skipped']) == (0, 1)
    with pytest.raises(ValueError, match=f'num_frames {num_frames}, not 30'):
        write_dataset(out, {'test': 1}, **SIZE)


def test_a_sequence_without_its_annotated_frame_is_refused(tmp_path):
    with pytest.raises(ValueError, match='num_frames must be an integer >= 20'):
        write_dataset(tmp_path / 'out', {'val': 1}, num_frames=19, **SIZE)
    assert not (tmp_path / 'out').exists()


def test_short_sequences_are_those_of_version_1(tmp_path):
    for num_frames, version in ((30, 1), (50, 1), (51, 2)):
        out = tmp_path / str(num_frames)
        write_dataset(out, {}, num_frames=num_frames, **SIZE)
        assert json.loads((out / MANIFEST_NAME).read_text())['generator_version'] == version


def test_short_worlds_do_not_depend_on_where_the_street_ends(monkeypatch):
    """What makes sequences of up to 50 frames those of version 1."""

    def paths(num_frames):
        found = []
        for seed in range(600):
            rng = np.random.default_rng(seed)
            line = sample_center_line(rng)
            found.append(
                population.ego_path(rng, np.arange(num_frames + 1) / FPS, line, sample_layout(rng, line)).s
            )
        return np.array(found)

    near = {length: paths(length) for length in (30, 50, 80)}
    monkeypatch.setattr(population, '_REACH', 120.0)
    assert all(np.array_equal(near[length], paths(length)) for length in (30, 50))
    assert not np.array_equal(near[80], paths(80))


def test_the_camera_car_stays_where_the_street_goes_on():
    for index in range(8):
        longest = SequenceRenderer(0, 'test', index, 32, 64, 300)
        poses = [longest.camera_pose(frame) for frame in (0, 299)]
        assert np.hypot(poses[1].x - poses[0].x, poses[1].z - poses[0].z) <= 52  # on an outer lane


@pytest.mark.slow
def test_a_long_world_does_not_run_out():
    """After ten seconds as much stands and moves along the road as at first."""
    standing = []
    for index in (0, 5, 18):
        renderer = SequenceRenderer(0, 'test', index, 32, 64, 240)
        surfaces = [renderer.render(frame)[1] for frame in (0, 40, 190, 235)]
        assert (renderer.instances_of[np.stack(surfaces[2:])] >= 24000).any()  # something that can move
        labels = [renderer.labels_of[surface] for surface in surfaces]
        assert all((frame == 7).mean() > 0.1 for frame in labels)  # road
        # buildings, walls, fences, poles, signs, trees, people and vehicles; not terrain and sky
        upright = [((frame >= 11) & (frame < 34) & (frame != 22) & (frame != 23)).mean() for frame in labels]
        standing.append(upright)
    first, last = np.array(standing)[:, :2].mean(), np.array(standing)[:, 2:].mean()
    assert last > 0.75 * first
