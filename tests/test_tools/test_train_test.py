import json
import os
import signal

import pytest
import torch


@pytest.fixture
def tool(start_tool, repository, tmp_path):
    """Status and output of a tool: ``tool('train', 'epochs', *arguments, **environment)``."""

    def run(name, config, *arguments, **environment):
        log = tmp_path / 'log.txt'
        config = repository / f'tests/toy_task/{config}.py'
        process = start_tool(
            str(repository / f'tools/{name}.py'),
            [str(config), *map(str, arguments)],
            environment,
            str(log),
        )
        process.start()
        process.join(120)
        return process.exitcode, log.read_text()

    return run


@pytest.fixture
def train(tool, tmp_path):
    """Train into a folder of ``tmp_path`` and give status and output."""
    return lambda config, folder, *args, **env: tool(
        'train', config, '--work-dir', tmp_path / folder, *args, **env
    )


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def assert_same_weights(path, other):
    ours, theirs = weights(path), weights(other)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def last(folder):
    return os.path.basename((folder / 'last_checkpoint').read_text())


@pytest.mark.slow
@pytest.mark.parametrize(
    'config, killed_in, half_written, checkpoints',
    [
        # Files are written in turn: a checkpoint, then the note which is the last.
        ('epochs', 8, 3, ['epoch_1.pth', 'epoch_2.pth', 'epoch_4.pth']),
        ('iters', 11, 3, ['iter_8.pth', 'iter_12.pth', 'iter_20.pth']),
    ],
)
def test_sigkill_in_an_epoch_and_in_a_write_changes_nothing(
    train, tmp_path, config, killed_in, half_written, checkpoints
):
    options = '--cfg-options', 'train_dataloader.num_workers=2'
    assert train(config, 'whole', *options)[0] == 0
    run = tmp_path / 'killed'

    assert train(config, 'killed', *options, KILL_AT_ITER=str(killed_in))[0] == -signal.SIGKILL
    assert last(run) == checkpoints[0]

    status, _ = train(config, 'killed', '--resume', *options, KILL_AT_WRITE=str(half_written))
    assert status == -signal.SIGKILL
    assert last(run) == checkpoints[1] and (run / checkpoints[1]).exists()
    assert any(name.endswith('.partial') for name in os.listdir(run))

    status, log = train(config, 'killed', '--resume', *options)
    assert status == 0 and 'which a killed run left half-written' in log
    assert last(run) == checkpoints[2] and not any(name.endswith('.partial') for name in os.listdir(run))
    assert_same_weights(run / checkpoints[2], tmp_path / 'whole' / checkpoints[2])


def test_ctrl_c_saves_says_so_and_changes_nothing(train, tmp_path):
    assert train('epochs', 'whole')[0] == 0
    status, log = train('epochs', 'cut', KILL_AT_ITER='8', KILL_BY='SIGINT')
    assert status == 130
    path = f'{tmp_path}/cut/interrupted.pth'
    assert f'stopped after iteration 8 and saved {path}; continue with --resume.' in log
    assert train('epochs', 'cut', '--resume')[0] == 0
    assert_same_weights(tmp_path / 'cut/epoch_4.pth', tmp_path / 'whole/epoch_4.pth')


def test_resume_before_the_first_checkpoint_trains_from_the_start(train, tmp_path):
    status, log = train('epochs', 'new', '--resume')
    assert status == 0 and f'There is no checkpoint in {tmp_path}/new yet' in log
    assert last(tmp_path / 'new') == 'epoch_4.pth'


@pytest.mark.parametrize(
    'arguments, sentence',
    [
        (
            ['--cfg-options', 'model.type=ToyModl'],
            "There is no model called 'ToyModl' (in the config at model.type); did you mean ToyModel?",
        ),
        (
            ['--cfg-options', 'model.widht=3'],
            "ToyModel (in the config at model.type) takes no argument 'widht'; did you mean width?",
        ),
        (['--cfg-options', 'train_dataloader.dataset.size=0'], 'train_dataloader has no batch'),
        (['--auto-scale-lr'], '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...)'),
        (['--resume', 'missing.pth'], 'missing.pth can not be found'),
    ],
)
def test_wrong_input_is_one_sentence(train, arguments, sentence):
    status, log = train('epochs', 'run', *arguments)
    assert status == 2 and f'\nError: {sentence}' in log and 'Traceback' not in log


def test_traceback_is_there_for_who_wants_it(train):
    status, log = train('epochs', 'run', '--traceback', '--cfg-options', 'model.type=ToyModl')
    assert (
        status == 2 and 'Traceback (most recent call last)' in log and 'Error: There is no model called' in log
    )


class Payload:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def save(start_tool, tmp_path):
    """Save the weights of a toy model, and more, as ``tmp_path/<name>``; its path."""
    import toy_task

    def save_model(name, width=16, **content):
        torch.save(dict(state_dict=toy_task.ToyModel(width=width).state_dict(), **content), tmp_path / name)
        return tmp_path / name

    return save_model


def test_checkpoint_that_runs_code_is_refused_unless_wanted(train, save, tmp_path):
    executed = tmp_path / 'executed'
    evil = save('evil.pth', extra=Payload(f'touch {executed}'))
    options = '--cfg-options', f'load_from={evil}', 'train_cfg.max_epochs=1'
    status, log = train('epochs', 'run', *options)
    assert status == 2 and f'Error: {evil} is refused: besides tensors and plain containers it holds' in log
    assert not executed.exists()
    assert train('epochs', 'run', '--resume', evil)[0] == 2 and not executed.exists()
    assert train('epochs', 'run', '--allow-unsafe-checkpoint', *options)[0] == 0
    assert executed.exists()


def test_checkpoint_of_another_model_is_one_sentence(train, tool, save, tmp_path):
    path = save('other.pth', width=5)
    sentence = 'Error: The checkpoint is of another model: only 1 of 4 trainable weights of the model'
    for status, log in (
        train('epochs', 'run', '--resume', path),
        tool('test', 'epochs', path, '--work-dir', tmp_path),
    ):
        assert status == 2 and sentence in log and 'Traceback' not in log


def test_test_scores_and_writes(tool, save, tmp_path):
    scores = tmp_path / 'new/scores.json'
    arguments = [save('model.pth'), '--work-dir', tmp_path / 'test', '--out']
    assert tool('test', 'epochs', *arguments, scores)[0] == 0
    (size,) = json.loads(scores.read_text()).values()
    assert size > 0
    status, log = tool('test', 'epochs', *arguments, tmp_path / 'results.pkl')
    assert status == 2 and 'Error: DumpForecastResults writes forecasts of clips, but' in log
    assert not (tmp_path / 'results.pkl').exists()


def test_test_needs_weights_only_where_there_are_any(tool, tmp_path):
    arguments = ['none', '--work-dir', tmp_path]
    status, log = tool('test', 'epochs', *arguments)
    assert status == 2 and 'Error: The model has 4 trainable weights (layers.0.weight, ...)' in log
    status, log = tool('test', 'epochs', *arguments, '--cfg-options', 'model.type=ToyBaseline')
    assert status == 0 and 'Epoch(test) [2/2]' in log
    status, log = tool('test', 'epochs', *arguments, '--out', 'scores.txt')
    assert (
        status == 2
        and "Error: --out must name .pkl files (forecasts) or .json files (metrics), got 'scores.txt'" in log
    )
