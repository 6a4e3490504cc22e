"""One training at a time in a work directory."""

import multiprocessing
import os
import signal
import time

import pytest

from mmforecast.engine.work_dir import WorkDirInUseError, exclusive_work_dir


def hold(folder, ready, with_child):
    """Hold the folder until killed, perhaps with a child process as a data loader has."""
    with exclusive_work_dir(folder):
        if with_child and os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        ready.set()
        time.sleep(20)


@pytest.fixture
def holder(tmp_path):
    """A process that holds ``tmp_path/run``."""
    processes = []

    def start(with_child=False):
        context = multiprocessing.get_context('fork')
        ready = context.Event()
        process = context.Process(target=hold, args=(str(tmp_path / 'run'), ready, with_child))
        process.start()
        processes.append(process)
        assert ready.wait(20)
        return process

    yield start
    for process in processes:
        process.kill()
        process.join()


def test_second_training_is_refused_with_the_first_ones_name(holder, tmp_path):
    process = holder()
    with (
        pytest.raises(
            WorkDirInUseError, match=rf'run is in use by a training \(process {process.pid} on .* --work-dir'
        ),
        exclusive_work_dir(str(tmp_path / 'run')),
    ):
        pass
    with exclusive_work_dir(str(tmp_path / 'other')):  # another folder is free
        pass


def test_killed_training_holds_nothing_though_its_workers_live(holder, tmp_path):
    process = holder(with_child=True)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with exclusive_work_dir(str(tmp_path / 'run')):
        pass


def test_other_processes_of_a_training_do_not_ask(holder, tmp_path, monkeypatch):
    holder()
    monkeypatch.setenv('RANK', '1')
    with exclusive_work_dir(str(tmp_path / 'run'), launcher='pytorch'):
        pass
    with pytest.raises(WorkDirInUseError), exclusive_work_dir(str(tmp_path / 'run')):
        pass


def test_folder_is_free_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), exclusive_work_dir(str(tmp_path / 'run')):
            raise KeyError
