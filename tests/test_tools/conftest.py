"""What the tests of the street's configs share: options for the small data, and scores by the real tool."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys

import pytest


def free_port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return str(server.getsockname()[1])


@pytest.fixture
def port():
    """A port that nobody listens at."""
    return free_port()


@pytest.fixture
def run(repository, tmp_path):
    """Run a command, with the toy task on the path; its output."""

    def call(*command, **environment):
        path = [repository / 'tests/toy_task', repository, os.environ.get('PYTHONPATH', '')]
        settings = dict(
            os.environ,
            PYTHON=sys.executable,
            PORT=free_port(),
            OMP_NUM_THREADS='1',
            CUDA_VISIBLE_DEVICES='',
            PYTHONPATH=os.pathsep.join(map(str, path)),
        )
        done = subprocess.run(
            [*map(str, command)],
            env={**settings, **environment},
            cwd=tmp_path,
            text=True,
            timeout=300,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    return call


@pytest.fixture(scope='module')
def start_tool(repository):
    """Processes with everything imported, forked from one that imported it once."""
    toy_task = str(repository / 'tests/toy_task')
    before = os.environ.get('PYTHONPATH', '')
    os.environ['PYTHONPATH'] = os.pathsep.join([toy_task, str(repository), before])
    sys.path.append(toy_task)
    import toy_task

    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['toy_task', 'mmforecast.engine', 'mmforecast.utils.check_env'])
    context.Process(target=int).start()  # starts the server under this PYTHONPATH
    os.environ['PYTHONPATH'] = before
    yield lambda *args: context.Process(target=toy_task.run_tool, args=args)


@pytest.fixture
def data(street_root):
    """The small street, loaded in this process."""
    options = []
    for loader in ('train', 'val', 'test'):
        options += [
            f'{loader}_dataloader.dataset.data_root={street_root}',
            f'{loader}_dataloader.num_workers=0',
            f'{loader}_dataloader.persistent_workers=False',
        ]
    return options


@pytest.fixture
def scores(run_tool, repository, monkeypatch, data, tmp_path):
    monkeypatch.chdir(repository)

    def run(config, checkpoint, *options, baseline=None):
        out = tmp_path / 'scores.json'
        scored = ['--baseline', baseline] if baseline else [checkpoint]
        run_tool(
            'test.py',
            f'configs/{config}.py',
            *[*scored, '--work-dir', tmp_path / 'test', '--out', out],
            *['--cfg-options', *data, *options],
        )
        return json.loads(out.read_text())

    return run
