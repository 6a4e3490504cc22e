"""Extraction by several processes: the stores are those of one, byte for byte."""

import io
import json
import shutil
from contextlib import redirect_stdout

import pytest
import torch

from mmforecast.apis.batch.pool import DIED, READY, RESULT, Event
from mmforecast.apis.batch.units import Shard
from mmforecast.apis.extract_by_workers import build_worker, extract_by_workers
from mmforecast.apis.extract_job import ExtractionJob, extract_here
from mmforecast.cli.errors import explain
from mmforecast.datasets import RepresentationStore, StoreError


@pytest.fixture
def street(street_root, tmp_path):
    """A copy of the street, in which frames can be broken."""
    return shutil.copytree(street_root, tmp_path / 'street')


@pytest.fixture
def job(street, tmp_path):
    """Scores of a small segmentor, whose weights lie beside its config."""
    config = tmp_path / 'tiny_segmentor.py'
    segmentor = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor'),
        backbone=dict(
            type='UNet',
            base_channels=4,
            num_stages=2,
            strides=(1, 1),
            enc_num_convs=(1, 1),
            dec_num_convs=(1,),
            downsamples=(True,),
            enc_dilations=(1, 1),
            dec_dilations=(1,),
        ),
        decode_head=dict(
            type='FCNHead',
            in_channels=4,
            in_index=1,
            channels=4,
            num_convs=0,
            concat_input=False,
            num_classes=3,
        ),
        test_cfg=dict(mode='whole'),
    )
    loaders = [
        f"{split}_dataloader = dict(dataset=dict(type='CityscapesSequenceDataset', data_root={str(street)!r}, "
        f'split={split!r}, num_future=1))'
        for split in ('train', 'val')
    ]
    encoder = dict(type='SegmentorEncoder', segmentor=segmentor, stride=4)
    config.write_text('\n'.join([f'model = dict(encoder={encoder!r})', *loaders]))

    def make(folder, **changes):
        out = str(tmp_path / folder)
        return ExtractionJob(**{**dict(config=str(config), checkpoint=weights, out=out), **changes})

    weights = None
    torch.manual_seed(0)
    state = make('x').build_encoder('cpu').network.state_dict()
    weights = str(tmp_path / 'weights.pth')
    torch.save(dict(state_dict=state, meta={}), weights)
    return make


def content(job):
    """All files of the stores, and what is in them."""
    root = shutil.os.path
    return {
        root.relpath(root.join(folder, name), job.out): open(root.join(folder, name), 'rb').read()
        for folder, _, names in shutil.os.walk(job.out)
        for name in names
    }


def quiet(extract, *args, **kwargs):
    with redirect_stdout(io.StringIO()) as printed:
        reports = extract(*args, **kwargs)
    return reports, printed.getvalue()


class HerePool:
    """A pool whose workers are in this process.

    Args:
        build: Makes them.
        deaths: How often the process of a sequence dies, by its id.
    """

    def __init__(self, build, deaths=None):
        self.build, self.deaths = build, dict(deaths or {})
        self.workers, self.events = {}, []

    def start(self, worker):
        self.workers[worker] = self.build(worker)
        self.events.append(Event(worker, READY, self.workers[worker].built))

    def send(self, worker, unit):
        if self.deaths.get(unit.sequence, 0):
            self.deaths[unit.sequence] -= 1
            self.events.append(Event(worker, DIED, 'SIGKILL'))
        else:
            self.events.append(Event(worker, RESULT, self.workers[worker](unit)))

    def wait(self, seconds):
        events, self.events = self.events[::-1], []  # the last one first
        return events

    def kill(self, worker):
        del self.workers[worker]

    def close(self):
        self.workers.clear()


@pytest.fixture
def here(monkeypatch):
    """Let workers be in this process."""
    deaths = {}

    def open_pool(build, workers, threads, ray):
        return HerePool(build, deaths), workers

    monkeypatch.setattr('mmforecast.apis.extract_by_workers.open_pool', open_pool)
    return deaths


def break_frame(street, split='val'):
    path = sorted((street / 'leftImg8bit_sequence' / split).rglob('*.png'))[10]
    path.write_bytes(path.read_bytes()[:100])
    return path.name


@pytest.mark.slow
def test_workers_and_one_process_write_the_same_store(job, street, here):
    broken = break_frame(street)
    alone, together = job('alone'), job('together')
    expected, sizes = quiet(extract_here, alone)
    reports, printed = quiet(extract_by_workers, together, 2)
    assert printed == sizes.replace('/alone/', '/together/')
    for split in ('train', 'val'):
        del expected[split]['bytes']
    assert reports == expected and broken in reports['val']['corrupt'][0]
    assert reports['val']['written'] == 1 and reports['train']['written'] > 1
    assert content(together) == content(alone) and len(content(alone)) == 4 + 1 + reports['train']['written']
    # again: everything is there, and the index is not touched
    again, _ = quiet(extract_by_workers, together, 2)
    assert (again['train']['written'], again['train']['kept']) == (0, reports['train']['written'])
    assert content(together) == content(alone)


def test_shards_write_the_same_store(job, here):
    alone, together = job('alone'), job('together')
    quiet(extract_here, alone)
    quiet(extract_here, together, shard=Shard(1, 2))
    half = RepresentationStore(together.root('train')).num_frames('scores')
    assert 0 < half < RepresentationStore(alone.root('train')).num_frames('scores')
    quiet(extract_by_workers, together, 1, shard=Shard(2, 2))
    assert content(together) == content(alone)


def test_a_shard_that_is_at_work_is_read_and_left_alone(job, here):
    alone, together = job('alone', splits=('train',)), job('together', splits=('train',))
    quiet(extract_here, alone)
    quiet(extract_here, together, shard=Shard(1, 2))
    # as if shard 1 were still at work: its lines in its own file, and an array in the making
    root = shutil.os.path.join(together.root('train'), '')
    shutil.move(f'{root}index.jsonl', f'{root}index-1-of-2.jsonl')
    first = json.loads(open(f'{root}index-1-of-2.jsonl').readline())['sequence_id']
    partial = f'{root}data/scores/.{first}.npy.123.partial'
    open(partial, 'w').close()
    quiet(extract_here, together, shard=Shard(2, 2))
    assert shutil.os.path.exists(partial) and shutil.os.path.exists(f'{root}index-1-of-2.jsonl')
    store = RepresentationStore(together.root('train'))
    assert store.num_frames('scores') == RepresentationStore(alone.root('train')).num_frames('scores')
    quiet(extract_here, together, shard=Shard(1, 2))
    assert content(together) == content(alone)


@pytest.mark.slow
def test_a_process_that_dies(job, here):
    alone, together = job('alone', splits=('train',)), job('together', splits=('train',))
    quiet(extract_here, alone)
    names = [json.loads(line)['sequence_id'] for line in open(f'{alone.root("train")}/index.jsonl')]
    here.update({names[0]: 1, names[1]: 2})
    reports, _ = quiet(extract_by_workers, together, 2)
    sentence = f'the process that worked on sequence {names[1]} of train ended 2 times (SIGKILL)'
    assert reports['train']['corrupt'] == [sentence]
    here.clear()
    quiet(extract_by_workers, together, 2)
    assert content(together) == content(alone)


def test_what_ends_the_whole_extraction(job, here, tmp_path):
    together = job('together', splits=('train',))
    with pytest.raises(ValueError, match=r'each process builds another model \(weights\): give a checkpoint'):
        quiet(extract_by_workers, job('drawn', checkpoint=None, splits=('train',)), 2)
    (tmp_path / 'together/train/data').mkdir(parents=True)
    (tmp_path / 'together/train/data/scores').touch()
    with pytest.raises(FileExistsError):
        quiet(extract_by_workers, together, 2)
    with pytest.raises(ValueError, match='has the levels scores'):
        build_worker(0, job('x', levels=('P5',)))


def test_an_array_that_cannot_be_written_ends_it(job, here, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('numpy.save', full)
    for extract in (extract_here, lambda job: extract_by_workers(job, 2, explain=explain)):
        with pytest.raises((StoreError, OSError), match='cannot be written .No space left on device.: free'):
            quiet(extract, job('full', splits=('train',)))


@pytest.mark.slow
def test_processes(job, street):
    """The real pool, one thread each."""
    break_frame(street)
    alone, together = job('alone'), job('together')
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected, _ = quiet(extract_here, alone)
    finally:
        torch.set_num_threads(threads)
    reports, _ = quiet(extract_by_workers, together, 2, 1, explain=explain)
    assert reports['val']['corrupt'] == expected['val']['corrupt'] != []
    assert content(together) == content(alone)
