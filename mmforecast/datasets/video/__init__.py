from .frame_paths import VIDEO_SUFFIXES, NumberedFrames, is_video, split_frame_path
from .index import VideoIndex, index_video
from .opening import VideoError
from .reader import VideoReader

__all__ = [
    'NumberedFrames',
    'VIDEO_SUFFIXES',
    'VideoError',
    'VideoIndex',
    'VideoReader',
    'index_video',
    'is_video',
    'split_frame_path',
]
