"""The tables, plots and files of streaming evaluation."""

import csv
import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmforecast.apis import StreamProtocol, StreamScore, stream_rows, streaming_report
from mmforecast.apis.streaming_evaluation import evaluate_streams
from mmforecast.apis.streaming_report import load_row_configs
from mmforecast.apis.streaming_table import (
    column_names,
    first_ahead,
    network_name,
    network_row,
    read_latencies,
    sweep_table,
    with_segmentor,
    write_latencies,
)
from mmforecast.evaluation.functional import Latency

from .conftest import SEGMENTOR


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """CamVid-like: a textured block that moves 2 pixels a frame, over 10 frames of 15 Hz."""
    root = tmp_path_factory.mktemp('camvid')
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    texture = cv2.GaussianBlur(noise, (0, 0), 2)
    for name in ('images', 'labels'):
        (root / name).mkdir()
    for frame in range(10):
        image, labels = texture[:32, :64].copy(), np.full((32, 64), 3, dtype=np.uint8)
        block = slice(8, 24), slice(8 + 2 * frame, 32 + 2 * frame)
        image[block], labels[block] = texture[40:56, 60:84], 8
        cv2.imwrite(str(root / f'images/0001TP_{2 * frame:05d}.png'), image)
        cv2.imwrite(str(root / f'labels/0001TP_{2 * frame:05d}.png'), labels)
    return root


@pytest.fixture
def config(folder):
    pipeline = [dict(type='LoadClipFrames'), dict(type='LoadClipSemSeg'), dict(type='PackForecastInputs')]
    dataset = dict(
        type='CamVidSequenceDataset',
        data_root=str(folder),
        split='all',
        num_past=2,
        stride=1,
        test_mode=True,
        pipeline=pipeline,
    )
    model = dict(
        type='S2SForecaster',
        num_past=2,
        encoder=dict(type='LabelMapEncoder', num_classes=11),
        predictor=dict(type='FlowWarp'),
    )
    loader = dict(
        batch_size=1, num_workers=0, dataset=dataset, sampler=dict(type='DefaultSampler', shuffle=False)
    )
    return Config(
        dict(
            model=model,
            test_dataloader=loader,
            test_evaluator=dict(type='FutureSemSegMetric', per_class_table=False),
        )
    )


def test_the_whole_report(config, tmp_path):
    rows = stream_rows(
        config,
        models=[('trained', config, None)],
        networks=[('weak', config, '1/2')],
        baselines=['copy-last', 'flow'],
    )
    names = ['true labels', 'weak', 'copy-last', 'flow', 'trained']
    assert [row.name for row in rows] == names
    protocol = StreamProtocol(workers=None, warm_up=3)
    out = tmp_path / 'out'
    lines = streaming_report(rows, delays=[0, 2, 3], measure=1, protocol=protocol, out=out)
    with open(out / 'sweep.csv') as file:
        table = {row['method']: row for row in csv.DictReader(file)}
    assert list(table) == ['without latency', *names]
    columns = ['mIoU @0 ms', 'mIoU @133 ms', 'mIoU @200 ms']
    assert [table['without latency'][name] for name in columns] == ['100.0'] * 3
    assert table['true labels'] == {**table['copy-last'], 'method': 'true labels'}
    assert table['trained'] == {**table['flow'], 'method': 'trained'}  # which it is
    for name in ('flow', 'weak'):
        assert float(table[name]['mIoU @133 ms']) > float(table['true labels']['mIoU @133 ms'])
    text = '\n'.join(lines)
    assert 'mIoU above true labels: copy-last nowhere, flow from 133 ms on, trained from 133 ms on' in text
    assert 'mean lag (frames)' in text and 'AP50' not in text
    streams = list(csv.DictReader((out / 'streams.csv').open()))
    assert len(streams) == 15
    (line,) = [row for row in streams if row['method'] == 'flow' and row['latency (ms)'] == '133.3']
    assert (line['queries'], line['misses'], line['mean lag (frames)']) == ('6', '0', '2.000')
    times = json.loads((out / 'times.json').read_text())
    assert times['weak'][1]['latency'] == ['1/15']
    assert times['weak'][1]['outputs']['0001TP_00000'][1] == [1, '1/15', '2/15']
    assert sorted(path.name for path in out.iterdir()) == [
        *('latencies.json', 'latency_IoU-MO.png', 'latency_mIoU.png', 'own.csv', 'own.md', 'own.txt'),
        *('streams.csv', 'sweep.csv', 'sweep.md', 'sweep.txt', 'times.json'),
    ]
    # the measured times are a file: what they give can be had again
    again = streaming_report(
        rows, delays=[0, 2, 3], latencies_of=read_latencies(out / 'latencies.json'), protocol=protocol
    )
    assert again == lines


def result(name, *values):
    return [StreamScore(name, Latency(0), dict(mIoU=float(value))) for value in values]


def test_from_where_on_a_method_is_above_another():
    seconds = [Fraction(0), Fraction(1, 10), Fraction(2, 10)]
    table = [result('net', 50, 40, 30), result('ours', 49, 45, 40), result('ours', 49, 37, 40)]
    assert first_ahead(table, seconds, 'mIoU', 'ours', 'net') == Fraction(1, 10)  # the mean of seeds
    assert first_ahead(table, seconds, 'mIoU', 'net', 'ours') is None
    table = [result('net', 50, 40, 30), result('ours', 60, 39, 30)]
    assert first_ahead(table, seconds, 'mIoU', 'ours', 'net') is None  # once ahead, but equal at the end


def test_seeds_share_a_row_of_the_table():
    bound = result('net', 90)[0]
    table = [result('net', 50), result('ours', 60), result('ours', 62)]
    lines = sweep_table(table, [Fraction(1, 17)], ['mIoU', 'AP'], bound, 'markdown').splitlines()
    assert [[cell.strip() for cell in line.split('|')[1:-1]] for line in lines[2:]] == [
        ['without latency', '90.0'],
        ['net', '50.0'],
        ['ours', '**61.0 ± 1.4**'],
    ]


def test_latencies_have_names_that_tell_them_apart():
    assert column_names([Fraction(1, 17), Fraction(2, 17)]) == ['59 ms', '118 ms']
    assert column_names([Fraction(1, 1000), Fraction(11, 10000)]) == ['1.0 ms', '1.1 ms']


def test_networks_by_name(config):
    assert network_name(config) == 'true labels'
    over = with_segmentor(config, Config(dict(model=SEGMENTOR)), None)
    assert network_name(over) == 'segmentor'
    assert network_name(config) == 'true labels'
    over.model.encoder = dict(type='mmforecast.CachedEncoder', encoder=over.model.encoder)
    assert network_name(over) == 'segmentor'
    over.model.encoder = dict(type='DetectorEncoder', detector=dict(type='MaskRCNN'))
    assert network_name(over) == 'detector'
    parts = dict(instances=over.model.encoder, semantics=dict(type='LabelMapEncoder', num_classes=19))
    over.model.encoder = dict(type='ToyPairedEncoder', **parts)
    assert network_name(over) == 'detector + true labels'
    over.model.encoder = dict(type='DistanceMapEncoder')
    assert network_name(over) == 'true instances'
    over.model.encoder.detector = dict(type='MaskRCNN')
    assert network_name(over) == 'detector'
    over.model.encoder = dict(type='ToyEncoder')
    assert network_name(over) == 'network'


def test_a_segmentor_takes_the_place_of_true_labels(config):
    segmentor = dict(SEGMENTOR, decode_head=dict(SEGMENTOR['decode_head'], num_classes=11))
    rows = stream_rows(with_segmentor(config, Config(dict(model=segmentor)), None), baselines=[])
    (line,) = [line for line in streaming_report(rows, delays=[1]) if line.startswith('method')]
    assert 'segmentor' in line and 'true labels' not in line


def test_the_upper_bound_is_the_mean_over_seeds(config, tmp_path):
    segmentor = Config(dict(model=dict(SEGMENTOR, decode_head=dict(SEGMENTOR['decode_head'], num_classes=11))))
    drawn = network_row(with_segmentor(config, segmentor, None)).build()
    torch.save(drawn.encoder.network.state_dict(), tmp_path / 'weights.pth')
    other = network_row(with_segmentor(config, segmentor, str(tmp_path / 'weights.pth')), 'true labels')
    rows = stream_rows(config, networks=[('weak', config, 1), ('weak', config, '1/2')], baselines=[])
    assert [row.name for row in rows] == ['true labels', 'weak', 'weak']
    (score,) = evaluate_streams([other], [Latency(0)])[0]
    lines = streaming_report([rows[0], other], delays=[0, 1], metrics=['mIoU'])
    text = '\n'.join(lines).splitlines()
    (bound,) = [line.split()[2:] for line in text if line.startswith('without latency')]
    expected = (100 + score.scores['mIoU']) / 2
    assert expected < 90 and bound == [f'{expected:.1f}'] * 2


def test_rows_from_files(config, tmp_path):
    config.dump(tmp_path / 'forecaster.py')
    forecaster, segmentor = str(tmp_path / 'forecaster.py'), str(tmp_path / 'segmentor.py')
    Config(dict(model=SEGMENTOR)).dump(segmentor)
    files = dict(
        models=[('ours', forecaster, 'none'), ('seed', forecaster, 'a.pth')],
        networks=[('weak', segmentor, 'b.pth', '1/4'), ('labels', forecaster, 'none', '2')],
        options={'test_dataloader.dataset.split': 'val'},
    )
    given = load_row_configs(forecaster, segmentor=(segmentor, 'c.pth'), **files)
    encoders = [cfg.model.encoder for cfg in (given['config'], given['models'][0][1])]
    assert [(encoder.type, encoder.checkpoint) for encoder in encoders] == [('SegmentorEncoder', 'c.pth')] * 2
    assert [checkpoint for _, _, checkpoint in given['models']] == [None, 'a.pth']
    weak, labels = (cfg for _, cfg, _ in given['networks'])
    assert (weak.model.encoder.checkpoint, labels.model.encoder.type) == ('b.pth', 'LabelMapEncoder')
    assert [factor for _, _, factor in given['networks']] == ['1/4', '2']
    assert {cfg.test_dataloader.dataset.split for cfg in (given['config'], weak, labels)} == {'val'}
    plain = load_row_configs(forecaster)
    assert plain['config'].model.encoder.type == 'LabelMapEncoder' and not plain['models']


def test_latencies_are_read_as_written(tmp_path):
    path = tmp_path / 'latencies.json'
    write_latencies(path, dict(flow=Latency(['1/3', '0.25'])))
    assert read_latencies(path)['flow'].samples == (Fraction(1, 3), Fraction(1, 4))
    path.write_text('{"flow": 0.06}')
    assert read_latencies(path)['flow'].samples == (Fraction(3, 50),)
    for content in ('{', '[1]', '{"flow": "soon"}', '{"flow": []}', '{"flow": {"a": 1}}'):
        path.write_text(content)
        with pytest.raises(ValueError, match='latencies are a JSON object of seconds by method'):
            read_latencies(path)


def test_bad_rows_and_latencies(config, repository):
    trained = Config.fromfile(str(repository / 'configs/s2s/s2s_2scale_tiny_synthetic.py'))
    with pytest.raises(ValueError, match='net: its predictor has weights to train, so name a checkpoint'):
        stream_rows(config, models=[('net', trained, None)])
    with pytest.raises(ValueError, match='rows must have different names'):
        stream_rows(config, networks=[('flow', config, 1)])
    with pytest.raises(ValueError, match=r"unknown baselines \['still'\]"):
        stream_rows(config, baselines=['still'])
    rows = stream_rows(config, baselines=['flow'])
    with pytest.raises(ValueError, match=r"every row: \['true labels', 'flow'\]; it names \['flow'\]"):
        streaming_report(rows, delays=[1], latencies_of=dict(flow=Latency(0)))
    with pytest.raises(ValueError, match='latencies_of or measure, not both'):
        streaming_report(rows, delays=[1], latencies_of={}, measure=1)
    with pytest.raises(ValueError, match=r"none of the metrics \['PQ'\] was computed; there are \['IoU-MO'"):
        streaming_report(rows, delays=[1], metrics=['PQ'])


def test_the_command(config, run_tool, tmp_path, capsys):
    config.dump(tmp_path / 'config.py')
    tool, config = 'analysis_tools/streaming.py', tmp_path / 'config.py'
    options = ['--baselines', 'flow', '--delays', '1', '--horizon', 'latency', '--workers', 'all']
    run_tool(tool, config, *options, '--out', tmp_path / 'out')
    assert 'mIoU above true labels: flow from 67 ms on' in capsys.readouterr().out
    assert (tmp_path / 'out/latency_mIoU.png').stat().st_size > 5000
    with pytest.raises(SystemExit) as stopped:
        run_tool(tool, config, '--schedule', 'lazy')
    assert stopped.value.code == 2
    assert "schedule must be one of 'greedy'" in capsys.readouterr().err
