"""Representations of frames on disk: computed once, mapped into memory by every training run.

A store is a folder of plain files; nothing in it is pickled::

    manifest.json                   whose representations they are: model, weights, levels, dataset
    index.jsonl                     one line per whole array: level, sequence, frame names in order
    data/<level>/<sequence_id>.npy  (frames, C, h, w) float16

It holds one level (a segmentor's scores) or several (a feature pyramid, or as many of its levels as
the disk can take); levels can be added later. Frames are stored once, however many clips share them.

An array is written under another name, renamed, and entered in the index only then: whatever the
index names is whole, and a writer that was killed goes on after it. Several writers with a part of the
sequences each have an index file of their own (``index-1-of-8.jsonl``), which goes into the whole one at
their end.
"""

from .files import Level, StoreError, StoreManifest
from .reader import RepresentationStore
from .writer import StoreWriter

__all__ = ['Level', 'RepresentationStore', 'StoreError', 'StoreManifest', 'StoreWriter']
