"""Live video: a stream that is decoded as it comes, with a time limit, until it ends or is stopped."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue

from mmforecast.utils.checks import check_above

from .live_inputs import Decoder, LiveError, LiveInput, live_input
from .sources import TimedFrame

__all__ = ['LiveVideo', 'live_input', 'stops_on_interrupt']

_QUEUED_FRAMES = 4
_POLL = 0.1  # seconds after which a waiting thread checks whether it must stop
_GRACE = 1  # seconds that FFmpeg, which knows more of the reason, has to notice a timeout first


class LiveVideo:
    """Frames of a live input, decoded in a thread of their own, so that no wait is without a limit.

    It is opened at once, and can be gone through once. It ends with the input, after ``max_frames``, by
    :meth:`stop`, or where no frame comes for ``timeout`` seconds or the connection is lost; ``problem``
    then says so in a sentence. Decoding waits for whoever reads the frames: no frame is dropped here.

    Args:
        live: The input.
        fps: Frames per second, in place of what the input says.
        max_frames: Frames to read; by default all.
        timeout: Seconds to wait for the input to open, and for each frame.

    Raises:
        ValueError: It cannot be opened, or not in time.
    """

    num_frames = None
    times = None
    reuses_buffers = False

    def __init__(
        self, live: LiveInput, fps: float | None = None, max_frames: int | None = None, timeout: float = 10
    ):
        check_above('open_frames', 0, timeout=timeout)
        self.path = live.shown
        self.name = live.name
        self.num_read = 0
        self.problem: str | None = None
        self.stopped = False
        self._given_fps = fps
        self._max_frames = max_frames
        self._timeout = float(timeout)
        self._queue: Queue = Queue(_QUEUED_FRAMES)
        self._start = threading.Event()
        self._closed = threading.Event()
        self._decoder = Decoder(live, self._timeout)
        threading.Thread(target=self._decode, daemon=True).start()
        rate = self._receive()
        if isinstance(rate, LiveError):
            raise ValueError(f'{self.path} {rate}') from rate
        self.fps = fps or rate

    def stop(self) -> None:
        """End the stream after the current frame; may be called from a signal handler."""
        self.stopped = True

    def __iter__(self) -> Iterator[TimedFrame]:
        if self._start.is_set():
            raise ValueError(f'{self.path} has been read already: open it again')
        self._start.set()
        try:
            while not self.stopped and self.num_read != self._max_frames:
                item = self._receive()
                if isinstance(item, LiveError):
                    self.problem = f'{self.path} {item}'
                if not isinstance(item, TimedFrame):
                    return
                self.num_read += 1
                yield item
        finally:
            self._closed.set()

    def _receive(self):
        """The next of what the thread sends: the frame rate, frames, None at the end, or a LiveError."""
        limit = time.monotonic() + self._timeout + _GRACE
        while not self.stopped:
            try:
                return self._queue.get(timeout=_POLL)
            except Empty:
                if time.monotonic() > limit:
                    self._closed.set()
                    place = f', after frame {self.num_read - 1}' if self.num_read else ''
                    return LiveError(f'has stalled: nothing came for {self._timeout:g} s{place}')
        return None

    # The thread.

    def _decode(self) -> None:
        try:
            self._send(self._decoder.open())
            while not self._start.wait(_POLL):
                if self._closed.is_set():
                    return
            for number, (image, seconds) in enumerate(self._decoder.frames()):
                if self._given_fps is not None:
                    seconds = number / self._given_fps
                if not self._send(TimedFrame(number, image, seconds)):
                    return
            self._send(None)
        except LiveError as error:
            self._send(error)
        except Exception as error:  # whatever it is, whoever waits must hear of it
            self._send(LiveError(f'cannot be read ({type(error).__name__}: {error})'))
        finally:
            self._decoder.close()

    def _send(self, item) -> bool:
        """Hand an item over; False where nobody takes it any more."""
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_POLL)
                return True
            except Full:
                continue
        return False


@contextmanager
def stops_on_interrupt(source) -> Iterator[None]:
    """Let the first Ctrl-C end a source that has ``stop`` as if it were over; the second one interrupts.

    Only in the main thread, and only where Ctrl-C has Python's own handler.
    """
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    if not (in_main and hasattr(source, 'stop') and handler is signal.default_int_handler):
        yield
        return

    def stop(number, frame):
        source.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
