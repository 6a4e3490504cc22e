"""Forecasters under latency, on a CamVid-like folder where every score can be counted by hand."""

import copy
from fractions import Fraction

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmforecast.apis import (
    StreamProtocol,
    StreamRow,
    evaluate_streams,
    load_config,
    measure_latency,
    stream_rows,
)
from mmforecast.apis.stream_frames import FrameForecasts, frame_rate, iterate_streams
from mmforecast.evaluation.functional import Latency, confusion_matrix, mean_iou
from mmforecast.evaluation.stream_scorer import query_sample
from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.encoders import LabelMapEncoder, detect
from mmforecast.registry import METRICS, MODELS

FRAMES, SIZE = 12, (16, 32)
ROAD, CAR = 3, 8
COPY = dict(predictor=dict(type='CopyLast'))
ORACLE = dict(predictor=dict(type='Oracle'))
LAG_1, LAG_2 = Latency('1/15'), Latency('2/15')


@MODELS.register_module()
class ToyForecastDecoder(SemSegDecoder):
    """Reads nothing off a single frame, as D2D's, which needs the tracks of several."""

    def decode(self, future, samples, context=None, target='pred'):
        return super().decode(future, samples, context, target) if target == 'pred' else samples


def label_map(frame):
    labels = np.full(SIZE, ROAD, dtype=np.uint8)
    labels[6:10, 2 + 2 * frame : 6 + 2 * frame] = CAR
    return labels


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp('camvid')
    for name in ('images', 'labels'):
        (root / name).mkdir()
    for frame in range(FRAMES):
        name = f'0001TP_{2 * frame:05d}.png'  # every second frame of 30 per second
        image = np.random.default_rng(frame).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
        cv2.imwrite(str(root / 'images' / name), image)
        cv2.imwrite(str(root / 'labels' / name), label_map(frame))
    return root


@pytest.fixture
def config(folder):
    dataset = dict(
        type='CamVidSequenceDataset',
        data_root=str(folder),
        split='all',
        num_past=2,
        num_future=1,
        stride=1,
        test_mode=True,
        pipeline=[
            dict(type='LoadClipFrames'),
            dict(type='LoadClipSemSeg'),
            dict(type='ClipCameraSpeed'),
            dict(type='PackForecastInputs'),
        ],
    )
    return Config(
        dict(
            model=dict(
                type='S2SForecaster',
                num_past=2,
                encoder=dict(type='LabelMapEncoder', num_classes=11),
                predictor=dict(type='FlowWarp'),
            ),
            test_dataloader=dict(
                batch_size=4,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type='DefaultSampler', shuffle=False),
            ),
            test_evaluator=dict(type='FutureSemSegMetric', by_speed=True, per_class_table=False),
        )
    )


def by_hand(pairs):
    """mIoU of (queried frame, frame whose labels are said; None for a miss), and IoU-MO."""
    total = 0
    for query, said in pairs:
        pred = np.full(SIZE, 255) if said is None else label_map(said)
        total = total + confusion_matrix(pred, label_map(query), 11)
    return pytest.approx(mean_iou(total)), pytest.approx(mean_iou(total, [CAR]))


def scores(row, latency, **protocol):
    ((result,),) = evaluate_streams([row], [latency], StreamProtocol(**protocol))
    return result


def test_the_rate_is_that_of_the_data(config):
    assert frame_rate(config) == 15
    assert frame_rate(config, '30000/1001') == Fraction(30000, 1001)


def test_without_latency_it_is_the_offline_score(config):
    for row in (StreamRow('labels', config, model=COPY, horizon=0), StreamRow('flow', config)):
        result = scores(row, Latency(0))
        assert (result.scores['mIoU'], result.scores['IoU-MO']) == (100, 100)
        assert (result.summary.queries, result.summary.in_time) == (FRAMES - 1, FRAMES - 1)


def test_the_network_without_forecasting(config):
    # frame 0 is history, so the stream begins with frame 1; a run of 1.5 frames, the hand case
    paired = [None, None, 0, 1, 1, 3, 4, 4, 6, 7, 7]
    rows = [StreamRow('labels', config, model=COPY, horizon=0), StreamRow('copy-last', config, model=COPY)]
    table = evaluate_streams(rows, [Latency('1/10'), LAG_1])
    expected = by_hand([(q + 1, None if a is None else a + 1) for q, a in enumerate(paired)])
    for results in table:  # repeating the last frame is the network as it is
        assert (results[0].scores['mIoU'], results[0].scores['IoU-MO']) == expected
        assert results[0].summary.misses == 2
        assert results[1].scores['mIoU'] == by_hand([(1, None), *((q, q - 1) for q in range(2, FRAMES))])[0]


def test_decoders_of_forecasts_alone_give_the_network_by_copying(config):
    expected = scores(StreamRow('labels', config, model=COPY, horizon=0), LAG_1)
    config.model.decoder = dict(type='ToyForecastDecoder')
    row = StreamRow('flow', config, horizon=0)
    assert scores(row, LAG_1).scores == expected.scores
    flow = FrameForecasts(row.build(), next(iterate_streams(config)[1]), 1)
    parts = flow.model.predictor, flow.model.decoder
    flow.read(1, [0, 1])
    assert (flow.model.predictor, flow.model.decoder) == parts


@pytest.mark.slow
def test_streaming_ap_of_the_shipped_detector(repository, street_root):
    config = load_config(str(repository / 'configs/f2f/f2f_tiny_synthetic.py'))
    config.test_dataloader.dataset.data_root = str(street_root)
    (row,) = stream_rows(config, baselines=[])
    table = evaluate_streams([row], [Latency(0), Latency('3/17')], StreamProtocol(workers=None, lead=12))
    model, metric = row.build(), METRICS.build(dict(config.test_evaluator))
    for stream in iterate_streams(config)[1]:  # the offline metric on the same frames
        for frame, sample in list(zip(stream.frames, stream.samples))[12:]:
            levels = [level[0] for level in model.encoder.encode(frame[None].float(), [sample])]
            clip = query_sample(sample, dict(pred_instances=detect(model.encoder, levels, sample.img_shape)))
            metric.process(None, [clip.to_dict()])
    offline = metric.evaluate(len(metric.results))
    assert table[0][0].scores['AP50'] == pytest.approx(offline['AP50']) and offline['AP50'] > 5
    assert table[0][1].scores['AP50'] < offline['AP50']


def test_a_perfect_forecast_is_right_from_the_first_answer_on(config):
    row = StreamRow('oracle', config, model=ORACLE)
    result = scores(row, LAG_1)
    share = 100 * (FRAMES - 2) / (FRAMES - 1)  # of one size in all frames, and one frame is missed
    assert result.scores['mIoU'] == pytest.approx(share)
    assert scores(row, LAG_1, warm_up=1).scores['mIoU'] == 100
    assert scores(row, LAG_2, warm_up=2).scores['mIoU'] == 100  # lags 2 and 3 by turns


def test_a_horizon_of_its_latency_is_right_when_the_answer_arrives(config):
    row = StreamRow('oracle', config, model=ORACLE, horizon='latency')
    assert scores(row, LAG_2, warm_up=2, workers=None).scores['mIoU'] == 100
    # a single worker answers every second frame; in between, the answer is one frame old
    expected = by_hand([(q, q - (q - 1) % 2) for q in range(3, FRAMES)])
    result = scores(row, LAG_2, warm_up=2)
    assert (result.scores['mIoU'], result.scores['IoU-MO']) == expected
    fixed = StreamRow('oracle', config, model=ORACLE, horizon=2)
    assert scores(fixed, LAG_2, warm_up=2).scores == result.scores


def test_the_nearest_step_that_is_not_later(config):
    row = StreamRow('oracle', config, model=ORACLE).with_stride(3)
    assert row.lead == 3 and config.test_dataloader.dataset.stride == 1
    for lag, behind in ((1, 1), (2, 2), (3, 0), (4, 1)):
        result = scores(row, Latency(Fraction(lag, 15)), workers=None, warm_up=4)
        assert result.scores['mIoU'] == by_hand([(q, q - behind) for q in range(7, FRAMES)])[0]


def test_the_longest_horizon(config):
    row = StreamRow('oracle', config, model=ORACLE)
    result = scores(row, LAG_2, workers=None, warm_up=2, max_steps=1)
    assert result.beyond == result.summary.queries == FRAMES - 3
    assert result.scores['mIoU'] == by_hand([(q, q - 1) for q in range(3, FRAMES)])[0]


def test_latencies_of_rows(config):
    fast = StreamRow('fast', config, model=COPY, horizon=0, factor='1/2')
    slow = StreamRow('slow', config, model=COPY, horizon=0, extra='1/15')
    table = evaluate_streams([fast, slow], [LAG_2])
    assert [row[0].latency.samples for row in table] == [(Fraction(1, 15),), (Fraction(1, 5),)]
    assert [row[0].summary.misses for row in table] == [1, 3]
    own = evaluate_streams([fast, slow], dict(fast=[LAG_2], slow=[Latency(0)]))
    assert [row[0].summary.misses for row in own] == [1, 1]
    with pytest.raises(ValueError, match=r"no latencies of \['slow'\], there are those of \['fast'\]"):
        evaluate_streams([fast, slow], dict(fast=[LAG_2]))


def test_batches_do_not_matter_and_configs_stay(config):
    before = copy.deepcopy(config)
    flow = scores(StreamRow('flow', config), LAG_1)
    assert config.to_dict() == before.to_dict()
    config.test_dataloader.batch_size = 1
    assert scores(StreamRow('flow', config), LAG_1).scores == flow.scores


def test_each_frame_is_encoded_once_and_forgotten(config, monkeypatch):
    row, seen = StreamRow('flow', config), []
    encode = LabelMapEncoder.encode

    def counted(self, frames, samples):
        seen.append(samples[0].frame_indices[0])
        return encode(self, frames, samples)

    monkeypatch.setattr(LabelMapEncoder, 'encode', counted)
    evaluate_streams([row], [LAG_1, LAG_2, Latency('1/10')], StreamProtocol(workers=None))
    assert seen == list(range(FRAMES - 1))  # the last one is never finished in time
    _, streams = iterate_streams(config)
    forecasts = FrameForecasts(row.build(), next(streams), 1)
    for frame in range(1, FRAMES):
        forecasts.read(frame, [1])
        assert sorted(forecasts._encoded) == [frame - 1, frame]


def test_measured_latency(config):
    for horizon in (0, 'query'):
        latency = measure_latency(StreamRow('flow', config, horizon=horizon), repeats=3)
        assert len(latency.samples) == 3 and min(latency.samples) > 0
        assert all(10**9 % sample.denominator == 0 for sample in latency.samples)  # whole nanoseconds


def test_too_short_streams(config):
    with pytest.raises(ValueError, match='has 12 frames, of which 12 are history and 0 warm-up'):
        scores(StreamRow('flow', config).with_stride(12), LAG_1)
    with pytest.raises(ValueError, match='too few for one forecast'):
        measure_latency(StreamRow('flow', config).with_stride(12))
    with pytest.raises(ValueError, match='from 3 frames before the newest one, but lead=1'):
        scores(StreamRow('flow', config).with_stride(3), LAG_1, lead=1)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(horizon='soon'), "horizon must be one of 'query', 'latency'"),
        (dict(horizon=-1), 'horizon must be an integer >= 0'),
        (dict(factor=-1), 'factor must be'),
    ],
)
def test_bad_rows(config, arguments, message):
    with pytest.raises(ValueError, match=message):
        StreamRow('row', config, **arguments)
