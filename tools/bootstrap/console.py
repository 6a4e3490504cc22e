"""What a person sees of the set-up: numbered steps, a ticking line, one sentence when it fails."""

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

COMPILER = r'\S*(?:gcc|g\+\+|cc|c\+\+|clang)\S*'
# What pip says of a download that may succeed the next time.
DOWNLOAD_BROKE = (
    r'IncompleteRead|Connection broken|Connection aborted|Connection ?[rR]eset|Read ?[tT]imed? ?out|'
    r'incomplete-download|DO NOT MATCH THE HASHES'
)
# What an output says, what most likely is wrong, and what to do; the first match wins.
CAUSES = (
    (
        r'No space left on device|Disk quota exceeded',
        'the disk is full: free some space (the temporary folder counts too; TMPDIR moves it) and run '
        'the same again',
    ),
    (
        r'Killed signal terminated|signal 9|std::bad_alloc|out of memory|Cannot allocate memory',
        'the memory ran out: run it with fewer compilers at a time, as in `MAX_JOBS=1 make setup`',
    ),
    (
        r'ensurepip is not available|No module named .?(venv|ensurepip)',
        'this Python lacks its venv module: install it (Debian, Ubuntu: `apt-get install python3-venv`)',
    ),
    (
        r'Python\.h: No such file',
        "Python's headers are missing: install them (Debian, Ubuntu: `apt-get install python3-dev`)",
    ),
    (
        rf"command '{COMPILER}' failed: No such file|No such file or directory: '{COMPILER}'|"
        rf"unable to execute '?{COMPILER}|\b{COMPILER}: (command )?not found",
        'there is no C++ compiler: install one (Debian, Ubuntu: `apt-get install g++`)',
    ),
    (
        r'CERTIFICATE_VERIFY_FAILED|SSLError',
        'this machine does not trust the certificate of the package index: set PIP_CERT, or the clock',
    ),
    (
        r'ProxyError|Cannot connect to proxy|Tunnel connection failed|407 Proxy',
        'the proxy does not let pip through: check HTTPS_PROXY (and its user and password), add the '
        "index's host to NO_PROXY, or unset both",
    ),
    (
        DOWNLOAD_BROKE,
        'the download broke off: run the same again, what has arrived is kept',
    ),
    (
        r'name resolution|Name or service not known|Network is unreachable|NewConnectionError|'
        r'ConnectTimeout|Connection refused|'
        r'nodename nor servname',
        'the package index cannot be reached: check the network and the proxy, or point '
        'PIP_INDEX_URL or PIP_FIND_LINKS at a mirror',
    ),
    (
        r'No matching distribution found for (?P<what>\S+)',
        'pip found no {what} for this Python and platform: check PIP_INDEX_URL and PIP_FIND_LINKS, '
        'or use Python 3.11',
    ),
    (
        r"(Read-only file system|Permission denied): '(?P<what>[^']+)'",
        '{what} cannot be written: run it as its owner, on a disk that is not read-only',
    ),
)


RETRY_AFTER_S = 3


class SetupError(Exception):
    """A step failed; the message is the one sentence to show."""


def duration(seconds: float) -> str:
    """`'12 s'` or `'8 min 05 s'`."""
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes} min {rest:02d} s' if minutes else f'{rest} s'


def likely_cause(output: str) -> str | None:
    """What most likely made a command with this output fail, and what to do; None if unknown."""
    for pattern, cause in CAUSES:
        match = re.search(pattern, output)
        if match:
            return cause.format(**match.groupdict())
    return None


class Console:
    """Prints the steps and keeps everything the commands say in a log file.

    Args:
        log: The log file; started afresh.
        num_steps: How many steps there will be.
    """

    def __init__(self, log: Path, num_steps: int):
        self.log = log
        self.num_steps = num_steps
        self.current = 0
        self.is_terminal = sys.stdout.isatty()
        log.write_text('', encoding='utf-8')

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Frames one step: its number and title before, the time it took after."""
        self.current += 1
        print(f'[{self.current}/{self.num_steps}] {title}', flush=True)
        start = time.monotonic()
        yield
        self.note(f'done in {duration(time.monotonic() - start)}')

    def note(self, text: str) -> None:
        """Prints an indented line under the current step."""
        print(f'      {text}', flush=True)

    def run(
        self,
        command: Sequence[str],
        env: dict[str, str] | None = None,
        progress: Callable[[str], str] = lambda output: '',
        attempts: int = 1,
    ) -> None:
        """Runs a command with its output in the log, while a line on the screen ticks.

        Args:
            command: Program and arguments.
            env: The whole environment; by default this process's own.
            progress: From the last output, a few words to show beside the elapsed time.
            attempts: How often it is run at most, where a download breaks off.

        Raises:
            SetupError: The command failed.
        """
        for attempt in range(1, attempts + 1):
            code, output = self._run_once(command, env, progress)
            if code == 0:
                return
            if attempt == attempts or not re.search(DOWNLOAD_BROKE, output):
                raise SetupError(self._failure(command, code, output))
            self.note(f'the download broke off; continued by attempt {attempt + 1} of {attempts}')
            time.sleep(RETRY_AFTER_S)

    def _run_once(
        self, command: Sequence[str], env: dict[str, str] | None, progress: Callable[[str], str]
    ) -> tuple[int, str]:
        """The exit code and the output of one run; ends the command when it is interrupted itself."""
        with self.log.open('ab') as log:
            log.write(f'\n$ {shlex.join(command)}\n'.encode())
            log.flush()
            begin = log.tell()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        try:
            code = self._wait(process, lambda: progress(self._output(begin, last_bytes=2**16)))
        except BaseException:
            process.terminate()
            process.wait()
            raise
        return code, self._output(begin)

    def _wait(self, process: subprocess.Popen, progress: Callable[[], str]) -> int:
        """Waits for the process; says how far it is each second on a terminal, else each minute."""
        start = time.monotonic()
        while True:
            try:
                code = process.wait(timeout=1 if self.is_terminal else 60)
                break
            except subprocess.TimeoutExpired:
                words = [duration(time.monotonic() - start), progress()]
                self._tick(', '.join(filter(None, words)))
        if self.is_terminal:
            print('\r\033[K', end='', flush=True)
        return code

    def _tick(self, text: str) -> None:
        if self.is_terminal:
            print(f'\r\033[K      {text}', end='', flush=True)
        else:
            self.note(text)

    def _output(self, begin: int, last_bytes: int = 2**24) -> str:
        with self.log.open('rb') as log:
            log.seek(max(begin, self.log.stat().st_size - last_bytes))
            return log.read().decode(errors='replace')

    def _failure(self, command: Sequence[str], code: int, output: str) -> str:
        cause = likely_cause(output)
        if cause:
            return f'{cause[0].upper()}{cause[1:]}. The whole output: {self.log}'
        lines = '\n'.join(f'    {line}' for line in output.strip().splitlines()[-12:])
        return (
            f'`{shlex.join(command)}` ended with code {code}; its last lines follow, the whole '
            f'output is in {self.log}\n{lines}'
        )
