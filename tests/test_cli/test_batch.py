"""`mmforecast batch` before its workers start: options, inputs and packages."""

import sys

import pytest

from mmforecast.cli import batch, predict
from mmforecast.cli.main import build_parser, main


@pytest.fixture(autouse=True)
def command_line(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['mmforecast'])


def status(*argv):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in argv])
    return end.value.code


def options(name):
    """Options of a subcommand, with their help."""
    import argparse

    parser = argparse.ArgumentParser()
    dict(batch=batch, predict=predict)[name].add_arguments(parser)
    return {action.dest: action.help for action in parser._actions}


def test_model_options_are_those_of_predict():
    ours, theirs = options('batch'), options('predict')
    shared = ('system', 'model', 'baseline', 'device', 'scale', 'horizon', 'stride', 'fps', 'max_frames')
    for name in (*shared, 'batch_size', 'allow_unsafe_checkpoint', 'cfg_options', 'no_streaming', 'score_thr'):
        assert ours[name] == theirs[name]
    given = ['--model', 'c.py', 'w.pth', '--baseline', 'flow', '--stride', '4', '--scale', '8', '6']
    parsed = [
        build_parser([name]).parse_args([name, 'v.mp4', *given, *more])
        for name, more in (('predict', ()), ('batch', ('--out', 'x')))
    ]
    one, two = map(predict.model_arguments, parsed)
    assert one == two and (one['model'], one['weights'], one['stride']) == ('c.py', 'w.pth', 4)


@pytest.mark.parametrize(
    'given, shard',
    [('1/1', (1, 1)), ('3/8', (3, 8)), ('0/2', None), ('3/2', None), ('a', None), ('1/x', None)],
)
def test_shards(given, shard, capsys):
    argv = ['batch', 'v', '--out', 'x', '--shard', given]
    if shard is None:
        assert status(*argv) == 2
        assert f"'{given}' is not I/N" in capsys.readouterr().err
    else:
        assert build_parser(['batch']).parse_args(argv).shard == shard


def test_a_package_that_is_missing_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    assert status('batch', tmp_path, '--out', tmp_path / 'out') == 1
    assert "pip install 'mmforecast[batch]'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, 'pyarrow', sys)
    monkeypatch.setitem(sys.modules, 'ray', None)
    assert status('batch', tmp_path, '--out', tmp_path / 'out', '--ray', 'auto') == 1
    assert "pip install 'mmforecast[ray]'" in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_inputs_are_looked_at_before_a_worker_starts(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, 'pyarrow', sys)
    assert status('batch', tmp_path, '--out', tmp_path / 'out') == 1
    assert 'no videos under' in capsys.readouterr().err
    assert status('batch', '@none', '--out', tmp_path / 'out') == 1
    assert 'there is no list of videos none' in capsys.readouterr().err
    (tmp_path / 'v.mp4').touch()
    (tmp_path / 'file').touch()
    assert status('batch', tmp_path, '--out', tmp_path / 'file') == 1
    assert 'cannot be created' in capsys.readouterr().err
    assert status('batch', tmp_path, '--out', tmp_path / 'out', '--unit-timeout', '0') == 1
    assert 'unit_timeout must be above 0' in capsys.readouterr().err
