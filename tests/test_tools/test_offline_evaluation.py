"""Forecasts written by tools/test.py and scored again: equal scores, without the network."""

import csv
import json
import pickle

import numpy as np
import pytest
from mmengine.config import Config

from mmforecast.apis.offline import confusion_of_results
from mmforecast.evaluation.functional import mean_iou
from mmforecast.models import BaseForecaster

ORACLE = ['model.predictor._delete_=True', 'model.predictor.type=Oracle']
COPY = ['model.predictor._delete_=True', 'model.predictor.type=CopyLast']
CLASSWISE = ['test_evaluator.classwise=True']


@pytest.fixture
def score_twice(run_tool, repository, monkeypatch, data, tmp_path):
    """Metrics of a test, and those of its file of forecasts; building a model fails in between."""
    monkeypatch.chdir(repository)

    def run(config, checkpoint, *options):
        config = f'configs/{config}.py'
        results, online, offline = (tmp_path / name for name in ('results.pkl', 'on.json', 'off.json'))
        run_tool(
            'test.py',
            *[config, checkpoint, '--work-dir', tmp_path / 'test', '--out', results, online],
            *['--cfg-options', *data, *options],
        )
        with monkeypatch.context() as patch:
            patch.setattr(BaseForecaster, '__init__', lambda *_, **__: pytest.fail('a network is built'))
            run_tool(
                'analysis_tools/eval_metric.py',
                *[config, results, '--out', offline, '--cfg-options', *data, *options],
            )
        return results, *(json.loads(path.read_text()) for path in (online, offline))

    return run


def assert_equal(online, offline, *keys):
    assert {*keys} <= online.keys()
    assert online == pytest.approx(offline, rel=0, abs=0, nan_ok=True)


def test_label_maps(score_twice, run_tool, data, capsys, tmp_path):
    config = 's2s/s2s_warp_tiny_synthetic'
    results, online, offline = score_twice(config, 'none', *COPY, *CLASSWISE)
    assert_equal(online, offline, 'mIoU', 'SEG/t+1/IoU-MO', 'IoU/car', 'SEG/Acc/road')
    assert 0 < online['mIoU'] < 100
    assert 'IoU/car' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run_tool(
            'analysis_tools/eval_metric.py',
            *[f'configs/{config}.py', results, '--cfg-options', *data],
            'test_dataloader.dataset.num_past=2',
        )
    error = capsys.readouterr().err
    assert 'stands where the data set has clip' in error and 'Traceback' not in error
    broken = tmp_path / 'broken.pkl'
    broken.write_bytes(results.read_bytes()[:-100])
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/eval_metric.py', f'configs/{config}.py', broken)
    error = capsys.readouterr().err
    assert f"{broken} can't be read as a pickle" in error and 'Traceback' not in error
    content = pickle.loads(results.read_bytes())
    content['results'].pop()
    broken.write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/eval_metric.py', f'configs/{config}.py', broken, '--cfg-options', *data)
    assert "holds 1 forecasts, but the config's test data have 2 clips" in capsys.readouterr().err


@pytest.mark.slow
def test_confusion_of_label_maps(score_twice, run_tool, data, capsys, tmp_path):
    config = 's2s/s2s_warp_tiny_synthetic'
    results, online, _ = score_twice(config, 'none', *COPY, *CLASSWISE)

    def confusion(folder, *options):
        arguments = [f'configs/{config}.py', results, tmp_path / folder, *options, '--cfg-options', *data]
        run_tool('analysis_tools/confusion_matrix.py', *arguments)
        picture = tmp_path / folder / 'confusion_matrix.png'
        assert picture.stat().st_size > 10_000
        rows = list(csv.reader(picture.with_suffix('.csv').open()))
        assert rows[0][1:] == [row[0] for row in rows[1:]]  # nothing is forecast as no class
        return rows[0][1:], np.array([row[1:] for row in rows[1:]], dtype=int)

    classes, counts = confusion('last')
    assert 100 * np.trace(counts) / counts.sum() == pytest.approx(online['aAcc'])
    car = classes.index('car')
    assert 100 * counts[car, car] / counts[car].sum() == pytest.approx(online['Acc/car'])
    share = f'{100 * counts[car, car] / counts[car].sum():.1f}'
    printed = capsys.readouterr().out.rpartition('true class')[2].splitlines()
    assert share in next(line for line in printed if line.startswith('car '))
    _, first = confusion('first', '--step', 1, '--reference')
    union = first.sum(0) + first.sum(1) - np.diag(first)
    present = first.sum(1) > 0
    assert 100 * (np.diag(first)[present] / union[present]).mean() == pytest.approx(online['SEG/t+1/mIoU'])
    with pytest.raises(SystemExit):
        confusion('fourth', '--step', 4)
    assert f'--step must be 1 to 3, the steps of {results}, got 4' in capsys.readouterr().err


@pytest.mark.slow
def test_instances(score_twice, repository, data):
    (weights,) = (repository / 'configs/f2f/weights').glob('f2f_warp_tiny_synthetic-*.pth')
    options = [*CLASSWISE, 'model.test_cfg.rollout_steps=1', 'model.test_cfg.reference=True']
    options += ['test_dataloader.dataset.num_future=1']
    results, online, offline = score_twice('f2f/f2f_warp_tiny_synthetic', weights, *options)
    assert_equal(online, offline, 'AP', 'REF/IoU-MO', 'AP50/car')
    assert online['AP50'] > 0
    cfg = Config.fromfile('configs/f2f/f2f_warp_tiny_synthetic.py')
    cfg.merge_from_dict(dict(option.split('=') for option in data if 'data_root' in option))
    cfg.test_dataloader.dataset.num_future = 1
    for reference, key in ((False, 'IoU-MO'), (True, 'REF/IoU-MO')):
        classes, counts = confusion_of_results(cfg, results, reference)
        assert classes[:4] == ('background', 'person', 'rider', 'car') and counts.shape == (1, 9, 10)
        assert mean_iou(counts[0], range(1, 9)) == online[key]


@pytest.mark.slow
def test_tracks_and_disjoint_instances(score_twice):
    _, online, offline = score_twice('d2d/d2d_warp_tracks_tiny_synthetic', 'none', *ORACLE)
    assert_equal(online, offline, 'IDF1', 'IDSW')
    assert online['IDF1'] > 50
