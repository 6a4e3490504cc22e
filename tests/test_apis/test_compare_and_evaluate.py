import sys

import pytest
import torch
from mmengine.config import Config

from mmforecast.apis import (
    Entry,
    baseline_entries,
    baselines_of,
    build_forecaster,
    build_loader,
    compare,
    comparison_columns,
    evaluate,
    load_config,
    save_comparison,
)
from mmforecast.cli.row_options import read_entries
from mmforecast.datasets import CityscapesSequenceDataset


@pytest.fixture
def cfg(repository, street_root):
    root = str(street_root)
    cfg = load_config(
        str(repository / 'configs/s2s/s2s_warp_tiny_synthetic.py'),
        {
            'val_dataloader.dataset.data_root': root,
            'test_dataloader.dataset.data_root': root,
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
            'test_evaluator.per_class_table': False,
        },
    )
    return cfg


def test_a_direct_forecast_stands_beside_rolled_out_ones(cfg):
    direct = dict(type='F2MFPredictor', radius=1, embedding=4, shared_widths=(4,), lead=3)
    entries = [
        *baseline_entries(cfg, ['copy-last']),
        Entry('rolled out', cfg, model=dict(predictor=dict(direct, lead=1))),
        Entry('direct', cfg, model=dict(predictor=direct)),
    ]
    _, rolled, row = compare(entries, horizons=[1, 3])
    assert {'mIoU @0.18s', 'mIoU @0.53s'} <= set(rolled) and 'note' not in rolled
    assert 'mIoU @0.53s' in row and 'mIoU @0.18s' not in row
    assert 'gives 3 steps per call' in row['note']
    (points,) = row['curves']['mIoU', 3]
    assert [round(time, 2) for time, _ in points] == [0.53]
    with pytest.raises(ValueError, match='gives 3 steps per call'):
        compare(entries[2:], horizons=[1, 2])


def test_baselines_in_one_table(cfg, tmp_path):
    seen = []
    rows = compare(
        baseline_entries(cfg, ['copy-last', 'flow', 'oracle']),
        horizons=[1, 3],
        on_sample=lambda name, steps, sample, clip: seen.append((name, steps)),
    )
    assert [row['method'] for row in rows] == ['copy-last', 'flow', 'oracle']
    copy, _, oracle = rows
    for column in ('mIoU @0.18s', 'IoU-MO @0.18s', 'mIoU @0.53s', 'IoU-MO @0.53s'):
        assert oracle[column] == pytest.approx(100)
        assert 0 < copy[column] < 100
    assert copy['mIoU @0.53s'] < copy['mIoU @0.18s']
    assert seen.count(('flow', 3)) == len(build_loader(cfg).dataset) == 2
    columns = comparison_columns(rows)
    assert columns == [
        'method',
        'parameters',
        'mIoU @0.18s',
        'IoU-MO @0.18s',
        'mIoU @0.53s',
        'IoU-MO @0.53s',
    ]
    save_comparison(rows, columns, tmp_path)
    assert '| oracle' in (tmp_path / 'table.md').read_text()
    times, scores = zip(*copy['curves']['mIoU', 3][0])
    assert times == pytest.approx([3 / 17, 6 / 17, 9 / 17])
    assert list(scores) == sorted(scores, reverse=True)
    assert scores[-1] == copy['mIoU @0.53s']
    assert (tmp_path / 'curve_IoU-MO.png').stat().st_size > 5000
    assert (tmp_path / 'table.csv').read_text().count('\n') == 4


def test_data_without_a_common_frame_rate_are_compared_by_steps(cfg, tmp_path, monkeypatch):
    monkeypatch.setitem(CityscapesSequenceDataset.METAINFO, 'fps', None)
    rows = compare(baseline_entries(cfg, ['copy-last']), horizons=[3])
    columns = comparison_columns(rows)
    assert columns == ['method', 'parameters', 'mIoU @3 steps', 'IoU-MO @3 steps']
    save_comparison(rows, columns, tmp_path)
    assert [time for time, _ in rows[0]['curves']['mIoU', 3][0]] == [1, 2, 3]
    assert rows[0]['unit'] == 'steps' and (tmp_path / 'curve_mIoU.png').stat().st_size > 5000


def test_seeds_of_one_name_share_a_row(cfg):
    entries = [Entry('model', cfg), Entry('model', cfg)]
    torch.manual_seed(0)
    (row,) = compare(entries, horizons=[1])
    assert len(row['mIoU @0.18s']) == 2
    assert row['parameters'] == sum(p.numel() for p in build_forecaster(cfg).predictor.parameters())


def test_a_saved_forecaster_scores_as_before(cfg, tmp_path):
    model = build_forecaster(cfg)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    loader = build_loader(cfg)
    before = evaluate(model, loader, cfg.test_evaluator)
    again = evaluate(build_forecaster(cfg, str(tmp_path / 'model.pth')), loader, cfg.test_evaluator)
    assert before == again


def test_other_clips_are_refused(cfg):
    other = Config(cfg.to_dict())
    other.test_dataloader.dataset.indices = 1
    entries = [
        Entry('a', cfg, model=dict(predictor=dict(type='CopyLast'))),
        Entry('b', other, model=dict(predictor=dict(type='CopyLast'))),
    ]
    with pytest.raises(ValueError, match='b is evaluated on other clips'):
        compare(entries, horizons=[1])


def test_a_method_that_cannot_roll_out_leaves_its_cell_empty(cfg):
    xs2s = Config(cfg.to_dict())
    xs2s.model.variant = 'XS2S'
    xs2s.model.train_cfg = None
    xs2s.model.predictor = dict(
        type='MultiScalePredictor',
        channels=22,
        out_channels=19,
        widths=((4,),),
        kernels=((3, 3),),
    )
    (row,) = compare([Entry('XS2S', xs2s)], horizons=[1, 3])
    assert 'mIoU @0.18s' in row and 'mIoU @0.53s' not in row
    assert 'XS2S predicts no RGB' in row['note']


def test_unknown_baseline(cfg):
    with pytest.raises(ValueError, match='unknown baselines'):
        baseline_entries(cfg, ['psychic'])


@pytest.fixture
def f2f_cfg(repository, street_root):
    """F2F over a detector of random weights, which finds something in everything."""
    return load_config(
        str(repository / 'configs/f2f/f2f_tiny_synthetic.py'),
        {
            'model.encoder.checkpoint': None,
            'model.encoder.size': (64, 128),
            'model.encoder.detector.test_cfg.rcnn.score_thr': 0.0,
            'model.encoder.detector.test_cfg.rcnn.max_per_img': 5,
            'test_dataloader.dataset.data_root': str(street_root),
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
        },
    )


def test_each_forecaster_has_its_own_baselines(cfg, f2f_cfg):
    assert list(baselines_of(cfg)) == ['copy-last', 'flow', 'ego-motion', 'ego-regions', 'oracle']
    f2f = ['copy-last', 'flow-shift', 'flow-warp', 'flow-features', 'ego-motion', 'ego-objects', 'oracle']
    assert [entry.name for entry in baseline_entries(f2f_cfg)] == f2f
    for entry in baseline_entries(f2f_cfg):
        model = build_forecaster(entry.config, changes=entry.model)
        assert sum(p.numel() for p in model.predictor.parameters()) == 0
        assert model.train_steps == 1 and model.test_steps == 3
        modes = {'flow-shift': 'shift', 'flow-warp': 'warp', 'ego-objects': 'ego-motion'}
        assert getattr(model.decoder, 'mode', None) == modes.get(entry.name)
    with pytest.raises(ValueError, match="'mmdet.MaskRCNN', which has no baselines"):
        baselines_of(Config(dict(model=dict(type='mmdet.MaskRCNN'))))


def test_baselines_of_instances_in_one_table(f2f_cfg, tmp_path):
    rows = compare(baseline_entries(f2f_cfg, ['flow-shift', 'oracle']), horizons=[1, 2])
    columns = comparison_columns(rows)
    assert columns == [
        'method',
        'parameters',
        *(
            f'{metric} @{time}s'
            for time in ('0.18', '0.35')
            for metric in ('AP50', 'AP', 'NO-AP50', 'NO-AP50-const', 'IoU-MO')
        ),
    ]
    assert all(0 <= row[column] <= 100 for row in rows for column in columns[2:])
    save_comparison(rows, columns, tmp_path)
    assert (tmp_path / 'curve_AP50.png').is_file()


def test_columns_are_in_reading_order():
    rows = [
        {'method': 'a', 'IoU-MO @1s': 1, 'AP @1s': 1, 'AP50 @1s': 1, 'AP/person @1s': 1},
        {'method': 'b', 'mIoU @1s': 1, 'IoU-MO @1s': 1, 'AP @2s': 1, 'note': 'too far'},
    ]
    scores = ['AP50 @1s', 'AP @1s', 'mIoU @1s', 'IoU-MO @1s', 'AP @2s']
    assert comparison_columns(rows) == ['method', 'parameters', *scores]
    assert comparison_columns(rows, ['AP/person', 'AP'])[2:] == ['AP/person @1s', *scores[1::3]]


def test_image_scores_have_their_own_digits_units_and_directions(tmp_path, monkeypatch):
    labels = {}
    monkeypatch.setattr(
        sys.modules['mmforecast.apis.compare'],
        'plot_metric_curve',
        lambda path, curves, ylabel, xlabel: labels.update({path.name: ylabel}),
    )
    rows = [
        {
            'method': name,
            'SSIM-MO @1s': ssim,
            'PSNR @1s': psnr,
            'LPIPS @1s': lpips,
            'mIoU @1s': 50.0,
        }
        for name, ssim, psnr, lpips in [('a', 0.9124, 24.5, 0.25), ('b', 0.9136, 24.506, 0.5)]
    ]
    for row in rows:
        row['curves'] = {(m, 2): [[(0.1, 1.0), (0.2, 0.9)]] for m in ('SSIM-MO', 'PSNR', 'mIoU')}
    columns = comparison_columns(rows)
    assert columns[2:] == ['mIoU @1s', 'PSNR @1s', 'SSIM-MO @1s', 'LPIPS @1s']
    save_comparison(rows, columns, tmp_path)
    a, b = (tmp_path / 'table.md').read_text().splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip('|').split('|')] for row in (a, b)]
    assert cells[0] == ['a', '-', '**50.0**', '24.50', '0.912', '**0.250**']
    assert cells[1] == ['b', '-', '**50.0**', '**24.51**', '**0.914**', '0.500']
    assert labels == {
        'curve_SSIM-MO.png': 'SSIM-MO',
        'curve_PSNR.png': 'PSNR (dB)',
        'curve_mIoU.png': 'mIoU (%)',
    }


def test_none_as_a_checkpoint():
    """For configs that name the weights of their predictor, and no others."""
    with pytest.raises(ValueError, match='has weights to train'):
        read_entries([('S2S', 'configs/s2s/s2s_warp_tiny_synthetic.py', 'none')], None)
    motion = dict(type='MotionForecaster', checkpoint='zoo://motion-forecaster_varied_street', _delete_=True)
    options = {'model.predictor': motion}
    (entry,) = read_entries([('motion', 'configs/s2s/s2s_warp_tiny_synthetic.py', 'none')], options)
    assert entry.checkpoint is None


@pytest.mark.slow
def test_processes_score_exactly_as_one(cfg):
    """Real processes, one thread each: rows, curves, notes and collected clips."""
    from mmforecast.apis.compare_by_workers import run_by_workers
    from mmforecast.apis.report import ClipCollector

    direct = dict(type='F2MFPredictor', radius=1, embedding=4, shared_widths=(4,), lead=3)
    entries = [
        *baseline_entries(cfg, ['copy-last', 'flow', 'oracle']),
        *[Entry('drawn', cfg, model=dict(predictor=dict(direct, lead=1)))] * 2,
        Entry('direct', cfg, model=dict(predictor=direct)),
    ]
    collectors = [ClipCollector(2, 3, 2) for _ in range(2)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one = compare(entries, [1, 3], collectors[0])
    finally:
        torch.set_num_threads(threads)
    two = compare(entries, [1, 3], collectors[1], run_by_workers(2, 1))
    assert two == one and 'note' in one[-1]
    clips = [collector.clips for collector in collectors]
    assert list(clips[0]) == list(clips[1]) and clips[0]
    for (clip, samples), (other_clip, other) in zip(*(found.values() for found in clips)):
        assert torch.equal(clip, other_clip) and list(samples) == list(other)
        for name in samples:
            assert (samples[name].pred_sem_seg.data == other[name].pred_sem_seg.data).all()


def test_runs_by_workers_in_this_process(cfg, monkeypatch):
    from functools import partial

    from mmforecast.apis import compare_by_workers
    from mmforecast.apis.batch.pool import READY, RESULT, Event
    from mmforecast.apis.report import ClipCollector

    class HerePool:
        def __init__(self, build):
            self.worker, self.events = build(0), []

        def start(self, worker):
            self.events.append(Event(worker, READY, {}))

        def send(self, worker, unit):
            self.events.append(Event(worker, RESULT, self.worker(unit)))

        def wait(self, seconds):
            events, self.events = self.events[::-1], []
            return events

        def close(self):
            pass

    threads = partial(torch.get_num_threads)
    monkeypatch.setattr(
        compare_by_workers,
        'open_pool',
        lambda build, workers, _, has_children: (HerePool(partial(build, threads=threads())), workers),
    )
    entries = baseline_entries(cfg, ['copy-last', 'flow'])
    collectors = [ClipCollector(1, 3, 2) for _ in range(2)]
    one = compare(entries, [1, 3], collectors[0])
    two = compare(entries, [1, 3], collectors[1], compare_by_workers.run_by_workers(2))
    assert one == two
    (samples,), (other,) = ([found[1] for found in one.clips.values()] for one in collectors)
    assert list(samples) == list(other) == ['copy-last', 'flow']


def test_an_error_of_a_run_ends_a_comparison_by_workers(cfg):
    from mmforecast.apis.batch.states import FATAL
    from mmforecast.apis.compare_by_workers import RunUnit, RunWorker
    from mmforecast.cli.errors import explain

    worker = RunWorker([Entry('gone', cfg, checkpoint='gone.pth')], explain=explain)
    result = worker(RunUnit(0, 1, 'gone'))
    assert result['state'] == FATAL and 'gone.pth' in result['sentence'] and 'traceback' not in result
