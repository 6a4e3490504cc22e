"""The synthetic street: procedural driving sequences in Cityscapes' layout."""

from mmforecast.fileio.flow_png import decode_flow

from .scene import Track
from .sequence import FPS, SequenceRenderer, generate_sequence
from .writer import (
    ANNOTATED_FRAME,
    CITY,
    GENERATOR_VERSION,
    MANIFEST_NAME,
    SEQUENCE_LENGTH,
    decode_depth,
    sequence_files,
    write_dataset,
    write_sequence,
)

__all__ = [
    'ANNOTATED_FRAME',
    'CITY',
    'FPS',
    'GENERATOR_VERSION',
    'MANIFEST_NAME',
    'SEQUENCE_LENGTH',
    'SequenceRenderer',
    'Track',
    'decode_depth',
    'decode_flow',
    'generate_sequence',
    'sequence_files',
    'write_dataset',
    'write_sequence',
]
