import pytest
from mmengine.config import Config
from mmengine.registry import build_from_cfg

from mmforecast.engine import EpochBasedTrainLoop, ForecastCheckpointHook, IterBasedTrainLoop
from mmforecast.registry import HOOKS, LOOPS, VISUALIZERS


@pytest.fixture(scope='module')
def runtime(repository):
    return Config.fromfile(repository / 'configs/_base_/default_runtime.py')


def test_every_hook_builds(runtime):
    hooks = {name: build_from_cfg(hook, HOOKS) for name, hook in runtime.default_hooks.items()}
    assert isinstance(hooks['checkpoint'], ForecastCheckpointHook)


def test_visualizer_builds(runtime, tmp_path):
    visualizer = VISUALIZERS.build({**runtime.visualizer, 'name': 'of a test', 'save_dir': str(tmp_path)})
    assert type(visualizer).__name__ == 'ForecastLocalVisualizer'


def test_names_of_mmengines_loops_are_ours():
    assert LOOPS.get('EpochBasedTrainLoop') is EpochBasedTrainLoop
    assert LOOPS.get('IterBasedTrainLoop') is IterBasedTrainLoop
    assert LOOPS.get('ValLoop').__module__ == 'mmengine.runner.loops'
    assert LOOPS.get('mmengine.EpochBasedTrainLoop').__module__ == 'mmengine.runner.loops'
