import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import LOOPS as ROOT_LOOPS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import VISBACKENDS
from torch._utils import ExceptionWrapper

from mmforecast.cli import errors
from mmforecast.cli.errors import explain
from mmforecast.engine import ForecastCheckpointHook
from mmforecast.fileio import CheckpointError
from mmforecast.registry import HOOKS, LOOPS


def caught(function, *args, **kwargs):
    with pytest.raises(Exception) as info:
        function(*args, **kwargs)
    return info.value


def test_misspelt_type_is_found_and_corrected():
    cfg = Config(dict(train_cfg=dict(type='EpochBasdTrainLoop', max_epochs=1), model=dict(type='X')))
    error = caught(LOOPS.build, cfg.train_cfg)
    assert explain(error, cfg).startswith(
        "There is no loop called 'EpochBasdTrainLoop' (in the config at train_cfg.type); "
        'did you mean EpochBasedTrainLoop'
    )


def test_every_place_of_the_type_is_named():
    cfg = Config(
        dict(
            custom_hooks=[dict(type='EMAHook'), dict(type='EMAHok')],
            a=dict(b=[[dict(type='EMAHok')]]),
        )
    )
    sentence = explain(caught(HOOKS.build, cfg.custom_hooks[1]), cfg)
    assert '(in the config at custom_hooks.1.type and a.b.0.0.type); did you mean EMAHook?' in sentence


def test_type_of_another_library_is_given_with_its_prefix():
    assert 'mmforecast.ForecastCheckpointHook' in errors._known_types('hook', 'mmengine')
    assert 'ForecastCheckpointHook' in errors._known_types('hook', 'mmforecast')
    assert 'EMAHook' in errors._known_types('hook', 'mmforecast')


def test_nothing_alike_gets_no_suggestion():
    sentence = explain(caught(ROOT_LOOPS.build, dict(type='Qqqqq')))
    assert sentence.startswith("There is no loop called 'Qqqqq'. A class of your own")
    assert 'custom_imports' in sentence and '__init__.py' in sentence


def test_argument_that_is_not_taken_or_lacks():
    ROOT_MODELS.register_module(name='LinearOfATest', module=torch.nn.Linear, force=True)
    cfg = Config(dict(model=dict(head=dict(type='Linear', in_feature=3, out_features=2))))
    error = caught(ROOT_MODELS.build, dict(type='LinearOfATest', in_feature=3, out_features=2))
    assert explain(error, cfg) == (
        "Linear (in the config at model.head.type) takes no argument 'in_feature'; did you "
        'mean in_features or out_features?'
    )
    assert explain(caught(ROOT_MODELS.build, dict(type='LinearOfATest', in_features=3))) == (
        "Linear lacks 1 required positional argument: 'out_features'."
    )


def test_a_call_within_a_constructor_is_not_blamed_on_the_config():

    class Wrapper:
        def __init__(self):
            torch.nn.Linear(1, 1, wrong=1)

    ROOT_MODELS.register_module(name='WrapperOfATest', module=Wrapper, force=True)
    assert explain(caught(ROOT_MODELS.build, dict(type='WrapperOfATest'))) is None


def test_own_sentences_pass_and_defects_do_not():
    assert (
        explain(caught(ForecastCheckpointHook, min_matched=3))
        == 'ForecastCheckpointHook: min_matched must lie in [0, 1], got 3'
    )
    assert explain(CheckpointError('is refused')) == 'is refused'
    assert 'missing.py' in explain(caught(Config.fromfile, 'missing.py'))
    assert explain(caught(torch.zeros, -1)) is None
    assert explain(caught(int, 'x')) is None
    assert explain(caught({}.__getitem__, 'key')) is None


def fail_in_package():
    ForecastCheckpointHook(min_matched=5)


def fail_elsewhere():
    int('x')


def from_worker(function):
    """What torch raises in the main process when ``function`` fails in a data-loading worker."""
    try:
        function()
    except ValueError:
        wrapper = ExceptionWrapper(where='in DataLoader worker process 0')
    return caught(wrapper.reraise)


def test_sentence_of_a_data_worker_arrives():
    error = from_worker(fail_in_package)
    assert str(error).startswith('Caught ValueError in DataLoader worker process 0')
    assert explain(error) == 'ForecastCheckpointHook: min_matched must lie in [0, 1], got 5'
    assert explain(from_worker(fail_elsewhere)) is None


@pytest.mark.parametrize(
    'backend, package',
    [('WandbVisBackend', 'wandb'), ('MLflowVisBackend', 'mlflow'), ('NeptuneVisBackend', 'neptune')],
)
def test_missing_logging_back_end_is_one_sentence(backend, package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    cfg = Config(dict(visualizer=dict(vis_backends=[dict(type='LocalVisBackend'), dict(type=backend)])))
    error = caught(lambda: VISBACKENDS.build(dict(type=backend, save_dir=str(tmp_path))).experiment)
    assert explain(error, cfg) == (
        f'{backend} (in the config at visualizer.vis_backends.1.type) needs the package {package}, which is '
        'not installed; install it, or take the back end out of visualizer.vis_backends'
    )


def test_custom_imports_that_are_not_there_are_named(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text("custom_imports = dict(imports=['no_such_package.models'], allow_failed_imports=False)")
    sentence = explain(caught(Config.fromfile, str(path)))
    assert sentence.startswith(
        "custom_imports of the config can't be imported (No module named 'no_such_package')"
    )
    assert 'PYTHONPATH' in sentence


def test_a_broken_import_elsewhere_keeps_its_traceback():
    assert explain(caught(__import__, 'mmforecast.no_such_module')) is None
