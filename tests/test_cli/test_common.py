import argparse
import os
import sys

import pytest
from mmengine.config import Config

from mmforecast.cli.common import add_runner_arguments, cli_errors, read_config
from mmforecast.engine import TrainingInterrupted
from mmforecast.fileio import CheckpointError
from mmforecast.fileio.checkpoint import ALLOW_UNSAFE_ENV
from mmforecast.registry import HOOKS


def run(error):
    with cli_errors():
        raise error


def test_explained_error_is_a_sentence_and_status_2(capsys):
    with pytest.raises(SystemExit) as exit_info:
        run(CheckpointError('The checkpoint is refused.'))
    assert exit_info.value.code == 2
    err = capsys.readouterr().err
    assert 'Error: The checkpoint is refused.' in err and '--traceback' in err and 'Traceback' not in err


def test_traceback_on_request(capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['tool', '--traceback', 'config'])
    with pytest.raises(SystemExit), cli_errors():
        assert sys.argv == ['tool', 'config']
        raise CheckpointError('The checkpoint is refused.')
    err = capsys.readouterr().err
    assert 'Traceback (most recent call last)' in err and 'Error: The checkpoint is refused.\n' in err


@pytest.mark.parametrize(
    'argv', [['--out', 's3://bucket/out'], ['--out=s3://bucket/out'], ['x', '--work-dir', 'gs://bucket']]
)
def test_results_are_not_written_to_addresses(argv, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['tool', *argv])
    with pytest.raises(SystemExit) as exit_info, cli_errors():
        os.makedirs(argv[-1])
    assert exit_info.value.code == 2
    assert 'is an address, and results are written to a folder: mount' in capsys.readouterr().err
    assert not os.listdir(tmp_path)


def test_addresses_that_are_not_for_results_pass(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, 'argv', ['tool', 's3://bucket/a.mp4', '--out', str(tmp_path), '--ray', 'ray://a'])
    with cli_errors():
        pass


def test_defect_passes():
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())


@pytest.mark.parametrize(
    'error, text',
    [(KeyboardInterrupt(), 'Interrupted.'), (TrainingInterrupted('Saved it.'), 'Saved it.')],
)
def test_interruption_has_its_own_status(capsys, error, text):
    with pytest.raises(SystemExit) as exit_info:
        run(error)
    assert exit_info.value.code == 130
    assert capsys.readouterr().err == f'\n{text}\n'


def test_config_on_the_way_of_the_error_gives_the_place(capsys):

    def main():
        cfg = Config(dict(default_hooks=dict(timer=dict(type='ItrTimerHook'))))
        HOOKS.build(cfg.default_hooks.timer)

    with pytest.raises(SystemExit), cli_errors():
        main()
    assert '(in the config at default_hooks.timer.type); did you mean IterTimerHook' in capsys.readouterr().err


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a config of the given text with the given options."""
    monkeypatch.setattr(os, 'environ', dict(os.environ))

    def read(text, *options):
        (tmp_path / 'mine.py').write_text(text)
        parser = argparse.ArgumentParser()
        parser.add_argument('config')
        add_runner_arguments(parser)
        return read_config(parser.parse_args([str(tmp_path / 'mine.py'), *options]))

    return read


def test_work_dir_of_command_line_config_and_name(read):
    assert read('a = 1').work_dir == os.path.join('work_dirs', 'mine')
    assert read("work_dir = 'here'").work_dir == 'here'
    assert read("work_dir = 'here'", '--work-dir', 'there').work_dir == 'there'


def test_options_reach_the_config(read):
    cfg = read(
        'model = dict(width=1, names=[1])',
        '--cfg-options',
        'model.width=2',
        'test_evaluator=[1,2]',
        '--launcher',
        'slurm',
    )
    assert cfg.model == dict(width=2, names=[1]) and cfg.test_evaluator == [1, 2] and cfg.launcher == 'slurm'


def test_unsafe_checkpoints_are_a_choice(read):
    read('a = 1')
    assert ALLOW_UNSAFE_ENV not in os.environ
    read('a = 1', '--allow-unsafe-checkpoint')
    assert os.environ[ALLOW_UNSAFE_ENV] == '1'


def test_config_that_is_not_python(read):
    with pytest.raises(
        ValueError, match=r"mine.py, or one that it inherits, is not valid Python: '\(' was never"
    ):
        read('model = dict(')
