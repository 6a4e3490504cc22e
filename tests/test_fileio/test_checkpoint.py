import http.server
import os
import pickle
import threading
from functools import partial

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner import load_checkpoint as load_into_model

from mmforecast.fileio import CheckpointError, install_safe_loaders, load_checkpoint
from mmforecast.fileio.checkpoint import ALLOW_UNSAFE_ENV


class Payload:
    """Pickles to a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.fixture
def evil(tmp_path):
    """What runs a shell command when it is unpickled, and the file that this would make."""
    return Payload(os.system, f'touch {tmp_path}/executed'), tmp_path / 'executed'


def save_zip(content, path):
    torch.save(content, path)


def save_legacy(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def save_pickle(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize('save', [save_zip, save_legacy, save_pickle])
def test_code_is_refused_and_not_run(evil, tmp_path, save):
    payload, executed = evil
    save(dict(meta=payload, state_dict=dict(w=torch.zeros(1))), tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError, match=r'evil.pth is refused: .*system.*--allow-unsafe-checkpoint'):
        load_checkpoint(str(tmp_path / 'evil.pth'))
    assert not executed.exists()


def test_nothing_but_the_explicit_choice_runs_code(evil, tmp_path, monkeypatch):
    payload, executed = evil
    save_zip(payload, tmp_path / 'evil.pth')
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    with pytest.raises(CheckpointError):
        load_checkpoint(str(tmp_path / 'evil.pth'))
    assert os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] == '1'
    monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')

    load_checkpoint(str(tmp_path / 'evil.pth'), allow_unsafe=True)
    assert executed.exists()  # so the tests above would notice
    executed.unlink()

    with pytest.raises(CheckpointError):  # the choice was for one call
        load_checkpoint(str(tmp_path / 'evil.pth'))
    monkeypatch.setenv(ALLOW_UNSAFE_ENV, '1')
    load_checkpoint(str(tmp_path / 'evil.pth'))
    assert executed.exists()


def test_mmengines_own_ways_to_load_refuse_too(evil, tmp_path):
    payload, executed = evil
    save_zip(payload, tmp_path / 'evil.pth')
    for load in (CheckpointLoader.load_checkpoint, partial(load_into_model, torch.nn.Linear(1, 1))):
        with pytest.raises(CheckpointError):
            load(str(tmp_path / 'evil.pth'))
    assert not executed.exists()


def test_downloads_are_read_like_files(evil, tmp_path, monkeypatch):
    payload, executed = evil
    save_zip(payload, tmp_path / 'evil.pth')
    save_zip(dict(state_dict=dict(w=torch.ones(2))), tmp_path / 'good.pth')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}'
        assert load_checkpoint(f'{address}/good.pth')['state_dict']['w'].tolist() == [1, 1]
        with pytest.raises(CheckpointError, match='refused'):
            load_checkpoint(f'{address}/evil.pth')
        server.shutdown()
    assert not executed.exists()


def test_checkpoint_of_plain_mmengine_is_read(tmp_path):
    hub = MessageHub('hub of a test')
    hub.update_scalar('train/loss', 1.5)
    hub.update_scalar('train/loss', np.float64(2.5))
    info = dict(
        array=np.arange(3),
        scalar=np.float32(2),
        names=np.array(['a', 'bc']),
        flags=np.array([True]),
    )
    hub.update_info_dict(info)
    torch.save(dict(message_hub=hub.state_dict()), tmp_path / 'mmengine.pth')
    loaded = load_checkpoint(str(tmp_path / 'mmengine.pth'))['message_hub']
    history = loaded['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer) and history.mean() == 2
    for name, value in info.items():
        assert np.array_equal(loaded['runtime_info'][name], value)
        assert loaded['runtime_info'][name].dtype == value.dtype


@pytest.mark.parametrize(
    'payload',
    [
        Payload(getattr, np.ndarray, 'tofile'),
        Payload(getattr, HistoryBuffer, '__init__'),
        Payload(np.array(0).__reduce__()[0], np.memmap, (0,), b'b'),
        Payload(np.fromfile, 'file'),
    ],
    ids=[
        'getattr of another class',
        'getattr of another name',
        'subclass of ndarray',
        'another function',
    ],
)
def test_what_mmengine_needs_allows_nothing_else(tmp_path, payload):
    torch.save(payload, tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError, match='refused'):
        load_checkpoint(str(tmp_path / 'evil.pth'))


@pytest.mark.parametrize('payload', ['getattr', 'system'])
def test_no_list_of_an_engine_counts(evil, tmp_path, payload):
    """onedl-mmengine puts `getattr` on torch's list of safe globals."""
    call, executed = evil
    torch.save(Payload(getattr, np.ndarray, 'tofile') if payload == 'getattr' else call, tmp_path / 'evil.pth')
    with torch.serialization.safe_globals([getattr, os.system]):
        with pytest.raises(CheckpointError, match=f'refused: .*{payload}'):
            load_checkpoint(str(tmp_path / 'evil.pth'))
    assert not executed.exists()


def test_no_second_attempt_of_an_engine_counts(evil, tmp_path, monkeypatch):
    """onedl-mmengine reads without the check what was refused; so does this loader."""
    attempts = []

    def load_from_local(filename, map_location=None):
        try:
            attempts.append('safe')
            return torch.load(filename, map_location=map_location, weights_only=True)
        except pickle.UnpicklingError:
            attempts.append('unsafe')
            return torch.load(filename, map_location=map_location, weights_only=False)

    payload, executed = evil
    torch.save(payload, tmp_path / 'evil.pth')
    monkeypatch.setattr(mmengine_checkpoint, 'load_from_local', load_from_local)
    try:
        install_safe_loaders()
        with pytest.raises(CheckpointError, match='refused'):
            load_checkpoint(str(tmp_path / 'evil.pth'))
    finally:
        monkeypatch.undo()
        install_safe_loaders()
    assert attempts == ['safe'] and not executed.exists()


def test_torch_load_itself_is_left_alone(evil, tmp_path):
    payload, _ = evil
    torch.save(payload, tmp_path / 'evil.pth')
    before = torch.load
    with pytest.raises(CheckpointError):
        load_checkpoint(str(tmp_path / 'evil.pth'))
    assert torch.load is before


def test_what_was_allowed_before_stays_allowed(tmp_path):
    torch.save(dict(w=torch.zeros(1)), tmp_path / 'good.pth')
    before = set(map(str, torch.serialization.get_safe_globals()))
    with torch.serialization.safe_globals([np.ndarray]):
        load_checkpoint(str(tmp_path / 'good.pth'))
        assert np.ndarray in torch.serialization.get_safe_globals()
    assert set(map(str, torch.serialization.get_safe_globals())) == before


@pytest.mark.parametrize(
    'spoil',
    [lambda data: data[:-200], lambda data: b'', lambda data: b'hello world' * 9],
    ids=['cut short', 'empty', 'no checkpoint'],
)
def test_broken_file_is_named(tmp_path, spoil):
    torch.save(dict(w=torch.zeros(100)), tmp_path / 'good.pth')
    (tmp_path / 'broken.pth').write_bytes(spoil((tmp_path / 'good.pth').read_bytes()))
    with pytest.raises(CheckpointError, match="broken.pth (can't be read|is not a checkpoint)"):
        load_checkpoint(str(tmp_path / 'broken.pth'))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='missing.pth'):
        load_checkpoint(str(tmp_path / 'missing.pth'))
