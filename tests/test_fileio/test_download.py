import hashlib
import http.server
import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmforecast.fileio import DownloadError, cached_download
from mmforecast.fileio.download import cache_folder

CONTENT = bytes(range(256)) * 20_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:8]
NAME = f'tiny-{DIGEST}.pth'


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT under any name; the server says how."""

    def do_GET(self):
        ranges = self.headers.get('Range')
        self.server.requests.append(ranges)
        if self.path.startswith('/missing'):
            return self.send_error(404)
        if self.path.startswith('/elsewhere'):
            self.send_response(302)
            self.send_header('Location', self.server.location)
            self.end_headers()
            return None
        start = int(ranges[6:-1]) if ranges and self.server.takes_ranges else 0
        if start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header('Content-Length', str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.server.breaks_at])
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.requests, server.takes_ranges, server.breaks_at, server.location = [], True, None, None
        server.address = f'http://127.0.0.1:{server.server_port}'
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def files():
    return sorted(path.name for path in cache_folder().iterdir())


def test_file_is_downloaded_once(server):
    for _ in range(2):
        path = cached_download(f'{server.address}/{NAME}?download=1')
        assert path == cache_folder() / NAME
        assert path.read_bytes() == CONTENT
    assert server.requests == [None]
    assert files() == [NAME]


@pytest.mark.parametrize('takes_ranges', [True, False])
def test_broken_download_goes_on_where_it_broke_off(server, takes_ranges):
    server.takes_ranges, server.breaks_at = takes_ranges, 3_000_000
    with pytest.raises(DownloadError, match=rf'{NAME} broke off after 3.0 of 5.1 MB .*goes on from there'):
        cached_download(f'{server.address}/{NAME}')
    assert files() == [f'{NAME}.partial']
    server.breaks_at = None
    assert cached_download(f'{server.address}/{NAME}').read_bytes() == CONTENT
    assert server.requests == [None, 'bytes=3000000-']
    assert files() == [NAME]


def test_download_that_was_killed_at_its_end_is_taken(server):
    cache_folder().mkdir(parents=True)
    (cache_folder() / f'{NAME}.partial').write_bytes(CONTENT)
    assert cached_download(f'{server.address}/{NAME}').read_bytes() == CONTENT


def test_file_without_a_hash_starts_again(server):
    server.breaks_at = 3_000_000
    with pytest.raises(DownloadError, match='starts again'):
        cached_download(f'{server.address}/plain.pth')
    server.breaks_at = None
    assert cached_download(f'{server.address}/plain.pth').read_bytes() == CONTENT
    assert server.requests == [None, None]


def test_wrong_hash_is_refused_and_removed(server):
    with pytest.raises(DownloadError, match=f'its SHA-256 begins with {DIGEST}; it was removed'):
        cached_download(f'{server.address}/tiny-01234567.pth')
    assert files() == []


def test_mixture_of_two_files_is_refused(server):
    cache_folder().mkdir(parents=True)
    (cache_folder() / f'{NAME}.partial').write_bytes(b'another version')
    with pytest.raises(DownloadError, match='not the file that its name says'):
        cached_download(f'{server.address}/{NAME}')
    assert cached_download(f'{server.address}/{NAME}').read_bytes() == CONTENT


def test_truncated_file_in_the_cache_is_named_and_kept(server):
    cache_folder().mkdir(parents=True)
    (cache_folder() / NAME).write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match=rf'{cache_folder() / NAME} is not the file .* remove it'):
        cached_download(f'{server.address}/{NAME}')
    assert files() == [NAME]
    assert server.requests == []


def test_missing_file_is_named(server):
    with pytest.raises(DownloadError, match=rf'404 .*{server.address}/missing/{NAME} .*put .* at .*/{NAME}$'):
        cached_download(f'{server.address}/missing/{NAME}')
    assert files() == []


def test_no_network_says_which_file_belongs_where(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(
        DownloadError, match=rf'refused\): download {server.address}/{NAME} .*/checkpoints/{NAME}'
    ):
        cached_download(f'{server.address}/{NAME}')
    assert files() == []


@pytest.mark.parametrize('url', ['ftp://host/a.pth', 'a.pth', 'data:,a.pth', 'http://host/', 'http://host/..'])
def test_other_addresses_are_refused(url):
    with pytest.raises(DownloadError, match='must begin with http://, https:// or file://'):
        cached_download(url)


@pytest.mark.parametrize('target', ['ftp://127.0.0.1/a.pth', 'file:///etc/hostname'])
def test_redirection_leads_to_http_alone(server, target):
    server.location = target
    with pytest.raises(DownloadError, match='cannot be downloaded'):
        cached_download(f'{server.address}/elsewhere/{NAME}')
    assert files() == []


def test_file_address_is_copied(server, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    assert cached_download(f'file://{tmp_path / NAME}').read_bytes() == CONTENT


def test_cache_that_is_a_file_is_named(tmp_path, monkeypatch):
    (tmp_path / 'cache').write_text('')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    with pytest.raises(
        DownloadError, match=r'cache/hub/checkpoints.* cannot be written \(Not a directory\).*TORCH_HOME'
    ):
        cached_download('http://127.0.0.1:1/a.pth')


def test_full_disk_is_named(server, monkeypatch):
    class Full(io.BufferedWriter):
        def write(self, data):
            raise OSError(28, 'No space left on device')

    real = open
    monkeypatch.setattr(
        'builtins.open',
        lambda path, mode='r', *args: Full(io.FileIO(path, 'a')) if mode == 'ab' else real(path, mode, *args),
    )
    with pytest.raises(DownloadError, match=r'cannot be written \(No space left on device\)'):
        cached_download(f'{server.address}/{NAME}')


def test_callers_at_the_same_time_download_once(server):
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(cached_download, [f'{server.address}/{NAME}'] * 4))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert server.requests == [None]
    assert files() == [NAME]


def test_progress_is_shown_on_a_terminal(server, terminal, monkeypatch):
    monkeypatch.setattr('sys.stderr', terminal)
    cached_download(f'{server.address}/{NAME}')
    assert re.search(rf'{NAME}: .*/5.12M', terminal.getvalue())
