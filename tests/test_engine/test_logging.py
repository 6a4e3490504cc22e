"""What a run tells of itself while it trains."""

import json
import re

import pytest
from mmengine.config import Config, DictAction

from mmforecast.visualization import ForecastLocalVisualizer

VISUALIZER = 'mmforecast.ForecastLocalVisualizer'


def test_log_tells_the_time_left_and_the_losses_of_the_validation(toy_runner):
    options = {'default_hooks.val_loss.type': 'mmforecast.ValLossHook'}
    runner, lines = toy_runner('iters', options=options), []
    runner.logger.info = lines.append
    runner.train()
    text = '\n'.join(lines)
    assert len(re.findall(r'Iter\(train\) \[ ?\d+/20\].* eta: \d+:\d\d:\d\d .* loss: ', text)) == 4
    assert len(re.findall(r'Iter\(val\) \[2/2\] .*val_loss: \d', text)) == 4


def test_validations_of_schedules_in_iterations_stand_at_their_iteration(repository, toy_runner, tmp_path):
    """And not all of them at epoch 0, as by mmengine's default."""
    runtime = Config.fromfile(repository / 'configs/_base_/default_runtime_iter.py')
    by_epoch = runtime.default_hooks.logger.log_metric_by_epoch
    options = {'default_hooks.logger.log_metric_by_epoch': by_epoch}
    toy_runner('iters', options=options).train()
    (file,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    records = map(json.loads, file.read_text().splitlines())
    assert [record['step'] for record in records if 'size' in record] == [6, 12, 18, 20]


def test_scalars_go_to_tensorboard_too(toy_runner, tmp_path):
    pytest.importorskip('tensorboard', reason='tensorboard is not installed')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    # as --cfg-options gives it
    backends = DictAction._parse_iterable('LocalVisBackend,TensorboardVisBackend')
    options = {'visualizer.type': VISUALIZER, 'visualizer.vis_backends': backends}
    ForecastLocalVisualizer._instance_dict.clear()
    toy_runner('iters', options=options).train()
    (folder,) = (tmp_path / 'run').glob('*/vis_data')
    assert (folder / 'scalars.json').is_file()
    events = EventAccumulator(str(folder))
    events.Reload()
    assert {'loss', 'lr', 'time', 'size'} <= set(events.Tags()['scalars'])
    assert [event.step for event in events.Scalars('loss')] == [5, 10, 15, 20]


def test_tensorboard_is_asked_for_before_the_training(monkeypatch, tmp_path):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ImportError, match='not installed: pip install tensorboard'):
        ForecastLocalVisualizer(vis_backends=['TensorboardVisBackend'], save_dir=str(tmp_path))
