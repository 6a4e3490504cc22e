"""The metric of forecast frames: keys, values, masks, processes, bad input."""

import multiprocessing

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData

from mmforecast.evaluation import FramePredictionMetric
from mmforecast.evaluation.functional import (
    gradient_energy,
    lpips_distance,
    moving_pixels,
    psnr,
    psnr_iclr16,
    sharpness_difference,
    sharpness_iclr16,
    ssim,
    ssim_iclr16,
)
from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

NUM_PAST = 2
AUTHORS = ('PSNR', 'SSIM', 'sharpness')
NAMES = (*AUTHORS, 'energy')


def make_clip(seed=0, num_future=2, height=32, width=40, speed=3):
    """(T, 3, H, W) uint8: the left half of a texture moves down, the right half stays."""
    rng = np.random.default_rng(seed)
    texture = rng.integers(0, 256, (3, height // 4, width // 4), dtype=np.uint8)
    texture = texture.repeat(4, axis=1).repeat(4, axis=2)
    clip = np.stack([texture] * (NUM_PAST + num_future))
    for index, frame in enumerate(clip):
        half = frame[:, :, : width // 2]
        half[:] = np.roll(half, speed * index, axis=1)
    return torch.from_numpy(clip)


def make_sample(pred, moving=None):
    sample = ForecastDataSample(
        metainfo=dict(sequence_id='street/7', frame_names=['a', 'b'], num_past=NUM_PAST, stride=3, fps=15.0)
    )
    sample.pred_frames = pred.float()
    if moving is not None:
        sample.gt_motion_mask = PixelData(data=moving)
    return sample


def copy_last(clip):
    """A forecast sample that repeats the last observed frame of a clip."""
    return make_sample(clip[NUM_PAST - 1 : NUM_PAST].expand(len(clip) - NUM_PAST, -1, -1, -1))


def evaluate(samples, clips, **kwargs):
    evaluator = Evaluator(METRICS.build(dict(type='FramePredictionMetric', **kwargs)))
    evaluator.dataset_meta = {}
    for sample, clip in zip(samples, clips, strict=True):
        evaluator.process(data_samples=[sample], data_batch={'inputs': [clip]})
    return evaluator.evaluate(len(samples))


def split(clip):
    """Copy-last forecast, true frames and moving pixels of each step."""
    clip = clip.numpy().astype(float)
    truth = clip[NUM_PAST:]
    return [clip[NUM_PAST - 1]] * len(truth), truth, moving_pixels(clip[NUM_PAST - 1 :])


def test_every_key_is_the_mean_of_its_function_over_clips():
    clips = [make_clip(seed) for seed in range(3)]
    result = evaluate([copy_last(clip) for clip in clips], clips, protocols=['standard', 'iclr16'])
    functions = {
        **dict(zip(NAMES, (psnr, ssim, sharpness_difference, gradient_energy))),
        **dict(zip((f'{n}-iclr16-flow' for n in AUTHORS), (psnr_iclr16, ssim_iclr16, sharpness_iclr16))),
    }
    expected = {}
    for step in range(2):
        for name, function in functions.items():
            masked, whole = [], []
            for clip in clips:
                pred, truth, moving = (item[step] for item in split(clip))
                masked.append(function(pred, truth, moving))
                if '-' not in name:
                    whole.append(function(pred, truth))
            if '-' in name:
                expected[f't+{step + 1}/{name}'] = np.mean(masked)
            else:
                expected[f't+{step + 1}/{name}'] = np.mean(whole)
                expected[f't+{step + 1}/{name}-MO'] = np.mean(masked)
    expected.update({key[4:]: value for key, value in expected.items() if key[:3] == 't+2'})
    assert result == pytest.approx(expected)
    assert result['PSNR-MO'] < result['PSNR'] and result['SSIM-MO'] < result['SSIM']


def test_keys_come_whole_frames_first_and_can_be_the_last_step_alone():
    clip = make_clip()
    result = evaluate([copy_last(clip)], [clip], steps='last', prefix='video')
    assert list(result) == [f'video/{name}{suffix}' for suffix in ('', '-MO') for name in NAMES]
    assert list(evaluate([copy_last(clip)], [clip], mask='none', steps='last')) == list(NAMES)


def test_batches_of_tensors_and_of_lists_are_the_same():
    clips = torch.stack([make_clip(seed) for seed in range(2)])
    samples = [copy_last(clip) for clip in clips]
    metric = FramePredictionMetric()
    metric.process({'inputs': clips}, samples)
    assert metric.evaluate(2) == evaluate(samples, clips)


def test_clips_of_other_sizes_average_as_clips():
    clips = [make_clip(), make_clip(height=48, width=64)]
    samples = [copy_last(clip) for clip in clips]
    single = [evaluate([sample], [clip]) for sample, clip in zip(samples, clips)]
    both = evaluate(samples, clips)
    assert both == pytest.approx({key: (single[0][key] + single[1][key]) / 2 for key in both})


def test_a_perfect_forecast_is_cut_off_at_100_db():
    clip = make_clip()
    result = evaluate([make_sample(clip[NUM_PAST:])], [clip])
    assert [result[name] for name in NAMES] == pytest.approx([100, 1, 100, 1])
    assert [result[f'{name}-MO'] for name in NAMES] == pytest.approx([100, 1, 100, 1])


def test_the_mask_of_the_sample_has_names_of_its_own():
    clip = make_clip()
    moving = torch.zeros(2, 32, 40, dtype=torch.bool)
    moving[:, 8:24, 8:30] = True
    sample = copy_last(clip)
    sample.gt_motion_mask = PixelData(data=moving)
    protocols = ['standard', 'iclr16']
    given = evaluate([sample], [clip], protocols=protocols, steps='last')
    pred, truth, _ = (item[1] for item in split(clip))
    mask = moving[1].numpy()
    assert given['PSNR-MO-given'] == pytest.approx(psnr(pred, truth, mask))
    assert given['SSIM-iclr16'] == pytest.approx(ssim_iclr16(pred, truth, mask))
    assert 'PSNR-MO' not in given and 'PSNR-iclr16-flow' not in given
    flow = evaluate([sample], [clip], protocols=protocols, steps='last', mask='flow')
    assert flow == evaluate([copy_last(clip)], [clip], protocols=protocols, steps='last')
    # Clips with and without a mask keep apart, each mean over its own.
    both = evaluate([sample, copy_last(clip)], [clip, clip], protocols=protocols, steps='last')
    assert both == pytest.approx({**given, **flow})


def test_the_threshold_is_the_users():
    clip = make_clip(speed=2)
    slow, fast = (
        evaluate([copy_last(clip)], [clip], motion_threshold=threshold, steps='last')
        for threshold in (0.5, 50.0)
    )
    assert slow['PSNR'] == fast['PSNR']
    assert np.isfinite(slow['PSNR-MO']) and np.isnan(fast['PSNR-MO'])


def test_the_authors_gate_drops_clips_that_hardly_move_step_by_step():
    """One clip is nearly exact at the first step: its mean there is the other clip's alone."""
    clips = [make_clip(0), make_clip(1)]
    samples = [copy_last(clip) for clip in clips]
    near = clips[1][NUM_PAST:].float()
    near[0] += 0.5  # 54.1 dB; in step 2 it is far off
    near[1] += 20
    samples[1] = make_sample(near)
    result = evaluate(samples, clips, protocols='iclr16', mask='flow')
    one = evaluate(samples[:1], clips[:1], protocols='iclr16')
    other = evaluate(samples[1:], clips[1:], protocols='iclr16')
    for name in AUTHORS:
        assert result[f't+1/{name}-iclr16-flow'] == one[f't+1/{name}-iclr16-flow']
        assert np.isnan(other[f't+1/{name}-iclr16-flow'])
        assert result[f't+2/{name}-iclr16-flow'] == pytest.approx(
            (one[f't+2/{name}-iclr16-flow'] + other[f't+2/{name}-iclr16-flow']) / 2
        )


def test_the_log_tells_how_many_clips_count(monkeypatch):
    logged = []
    monkeypatch.setattr(
        'mmforecast.evaluation.metrics.frame_prediction_metric.print_log',
        lambda text, **kwargs: logged.append(text),
    )
    clips = [make_clip(), make_clip(speed=0)]
    evaluate([copy_last(clip) for clip in clips], clips)
    header, _, first, _ = (line.split() for line in logged[0].strip().splitlines())
    assert dict(zip(header, first))['clips-MO'] == '1' and first[:2] == ['t+1', '0.200']
    assert len(logged) == 1
    evaluate([copy_last(clip) for clip in clips[1:]], clips[1:])
    assert "no frame of 1 clip counts for ['PSNR-MO', 'SSIM-MO', 'sharpness-MO', 'energy-MO']" in logged[2]


class Distance(torch.nn.Module):
    """In the place of LPIPS: the mean distance of two batches in [-1, 1], in its shape."""

    def forward(self, a, b):
        return (a - b).abs().mean(dim=(1, 2, 3), keepdim=True)


def test_lpips_is_the_network_of_a_file(tmp_path):
    path = tmp_path / 'lpips.pt'
    x = torch.zeros(1, 3, 16, 16)
    torch.jit.trace(Distance(), (x, x)).save(str(path))
    clip = make_clip()
    sample = make_sample(clip[NUM_PAST:].float() + 51)
    result = evaluate([sample], [clip], lpips=str(path), mask='none')
    assert result['t+1/LPIPS'] == result['LPIPS'] == pytest.approx(0.4)
    frame = clip[0].numpy()
    assert lpips_distance(torch.jit.load(str(path)), frame, frame) == 0


def test_lpips_without_a_network_says_how_to_get_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'there is none at .*lpips.LPIPS\(net='):
        FramePredictionMetric(lpips=str(tmp_path / 'none.pt'))
    (tmp_path / 'text.pt').write_text('no network')
    with pytest.raises(ValueError, match='is no TorchScript file of LPIPS; where torchvision'):
        FramePredictionMetric(lpips=str(tmp_path / 'text.pt'))


def test_gt_frames_stand_in_for_a_clip():
    clip = make_clip()
    sample = copy_last(clip)
    sample.gt_frames = clip[NUM_PAST:]
    metric = FramePredictionMetric(mask='none')
    metric.process(None, [sample.to_dict()])
    assert metric.evaluate(1) == evaluate([sample], [clip], mask='none')
    with pytest.raises(ValueError, match='starts from the last observed frame'):
        FramePredictionMetric().process(None, [sample])


def test_what_cannot_be_scored_is_named():
    clip = make_clip()
    sample = copy_last(clip)
    with pytest.raises(ValueError, match='predicts 2 steps but the clip carries 1 future frame: set '):
        evaluate([sample], [clip[:-1]])
    with pytest.raises(ValueError, match="clip 'street/7' .* comes without its true frames"):
        FramePredictionMetric().process({}, [sample])
    with pytest.raises(ValueError, match='add LoadClipFrames to the pipeline'):
        evaluate([sample], [torch.zeros(4, 3, 0, 0)])
    with pytest.raises(ValueError, match='frames are 32x40 but the true ones are 32x39'):
        evaluate([sample], [clip[..., 1:]])
    with pytest.raises(ValueError, match=r'gt_motion_mask is \(1, 32, 40\), but the forecast needs'):
        evaluate([make_sample(sample.pred_frames, torch.ones(1, 32, 40, dtype=bool))], [clip])
    with pytest.raises(ValueError, match="no gt_motion_mask: .* or set mask='flow'"):
        evaluate([sample], [clip], mask='given')
    with pytest.raises(ValueError, match=r'differ in their number of forecast steps: \[1, 2\]'):
        evaluate([sample, make_sample(sample.pred_frames[:1])], [clip, clip])
    with pytest.raises(ValueError, match='has no clips to score'):
        FramePredictionMetric().compute_metrics([])
    del sample.pred_frames
    with pytest.raises(ValueError, match="clip 'street/7' .* has no pred_frames"):
        evaluate([sample], [clip])


@pytest.mark.parametrize(
    'kwargs, message',
    [
        ({'protocols': 'iclr17'}, "protocols must be one or more of .*'iclr17'"),
        ({'protocols': []}, 'protocols must be one or more of'),
        ({'mask': None}, 'mask must be one of .*got None'),
        ({'protocols': 'iclr16', 'mask': 'none'}, "protocol 'iclr16' is of moving pixels"),
        ({'motion_threshold': 0}, 'motion_threshold must be above 0, got 0'),
        ({'steps': 'first'}, "steps must be one of 'all', 'last', got 'first'"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        FramePredictionMetric(**kwargs)


def score_share(rank, store, samples, clips, results):
    """Score the samples that mmengine's DefaultSampler deals to a process: by turns, then the first again."""
    torch.distributed.init_process_group('gloo', init_method=f'file://{store}', rank=rank, world_size=2)
    metric = FramePredictionMetric()
    for index in [*range(len(samples)), 0][rank::2]:
        metric.process(dict(inputs=clips[index][None]), [samples[index]])
    results.put(metric.evaluate(len(samples)))
    torch.distributed.destroy_process_group()


def test_two_processes_score_as_one(tmp_path):
    """Three clips on two processes: the sampler repeats one, which must not count twice."""
    clips = [make_clip(seed) for seed in range(3)]
    samples = [copy_last(clip).to_dict() for clip in clips]
    context = multiprocessing.get_context('fork')  # everything is imported already
    results = context.Queue()
    workers = [
        context.Process(target=score_share, args=(rank, tmp_path / 'store', samples, clips, results))
        for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    expected = evaluate(samples, clips)
    for got in found:
        assert got == pytest.approx(expected, rel=1e-12)
    assert evaluate([*samples, samples[0]], [*clips, clips[0]]) != pytest.approx(expected)
