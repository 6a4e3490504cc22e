"""Which weights a predictor starts from: those of a file, or else its own start after any initialization."""

import pytest
import torch
from mmengine.model import BaseModule

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.predictors import BasePredictor, ForecastContext
from mmforecast.models.utils.initialization import split_init_cfg
from mmforecast.registry import MODELS

SMALL = dict(num_past=3)
STACK = dict(widths=((4,), (4,)), kernels=((3, 3), (3, 3)))
# Every predictor with a start of its own, and the baseline that it starts as.
STARTS = {
    'multi-scale': (
        dict(type='MultiScalePredictor', channels=2, base='last', **STACK, **SMALL),
        'CopyLast',
    ),
    'd2d': (
        dict(type='D2DPredictor', channels=2, residual=True, widths=(4,), dilations=(1, 1), **SMALL),
        'CopyLast',
    ),
    'multi-scale copy': (
        dict(type='MultiScalePredictor', channels=2, init='copy', **STACK, **SMALL),
        'CopyLast',
    ),
    'dilated copy': (
        dict(
            type='MultiScalePredictor',
            channels=2,
            init='copy',
            init_bound=1.0,
            widths=((3, 2, 5),),
            kernels=((1, 3, 3, 7),),
            dilations=((1, 2, 4, 1),),
            **SMALL,
        ),
        'CopyLast',
    ),
    'd2d copy': (
        dict(type='D2DPredictor', channels=2, init='copy', widths=(4, 6), dilations=(1, 2, 1), **SMALL),
        'CopyLast',
    ),
    'f2f copy': (
        dict(
            type='F2FPredictor',
            channels=2,
            num_levels=1,
            num_scales=(3,),
            size_factor=1,
            init='copy',
            **SMALL,
        ),
        'CopyLast',
    ),
    'fusion': (dict(type='FeatureFusion', channels=2, num_levels=1, **SMALL), 'CopyLast'),
    'warp-correct': (
        dict(type='WarpCorrectPredictor', channels=2, motion_widths=(4,), motion_dilations=(1,), **SMALL),
        'FlowWarp',
    ),
    'masked features': (
        dict(
            type='MaskedFeatureTransformer',
            channels=2,
            size=(16, 32),
            embed_dims=6,
            num_layers=1,
            num_heads=2,
            residual=True,
            **SMALL,
        ),
        'CopyLast',
    ),
    'conv-lstm': (dict(type='PyramidConvLSTM', channels=2, hidden=4, **SMALL), 'CopyLast'),
    'conv-lstm from motion': (
        dict(type='PyramidConvLSTM', channels=2, hidden=4, motion=dict(type='EgoMotion'), **SMALL),
        'EgoMotion',
    ),
    'motion': (dict(type='MotionForecaster', widths=(4, 8), **SMALL), 'EgoMotion'),
    'corrected motion': (
        dict(
            type='CorrectedMotion',
            channels=2,
            motion=dict(type='EgoMotion'),
            widths=(4,),
            dilations=(1, 1),
            **SMALL,
        ),
        'EgoMotion',
    ),
}
OTHERS = {
    'multi-scale of the paper': dict(type='MultiScalePredictor', channels=2, **STACK, **SMALL),
    'd2d of the paper': dict(type='D2DPredictor', channels=2, widths=(4,), dilations=(1, 1), **SMALL),
    'f2f': dict(type='F2FPredictor', channels=2, num_levels=1, num_scales=(2,), size_factor=1, **SMALL),
    'deform-f2f': dict(type='DeformF2FPredictor', channels=2, num_layers=2, **SMALL),
    'masked labels': dict(
        type='MaskedLabelTransformer',
        channels=3,
        size=(16, 32),
        patch_size=8,
        embed_dims=6,
        num_layers=1,
        num_heads=2,
        **SMALL,
    ),
    'f2mf': dict(type='F2MFPredictor', channels=2, radius=1, embedding=4, shared_widths=(4,), **SMALL),
}
ALL = {**{name: cfg for name, (cfg, _) in STARTS.items()}, **OTHERS}
CONTAINERS = {'PairedPredictor'}  # all weights are those of its parts, see test_panoptic_forecaster.py
DRAWN = dict(type='Kaiming', layer='Conv2d', bias=0.5)
START = pytest.mark.parametrize('name', STARTS)
EVERY = pytest.mark.parametrize('name', ALL)


def built(name, init_cfg=None):
    predictor = MODELS.build(dict(ALL[name], init_cfg=init_cfg))
    predictor.init_weights()
    return predictor


def constant_file(path, predictor, value=0.25, prefix=''):
    """A checkpoint of constant weights."""
    state = {prefix + key: torch.full_like(tensor, value) for key, tensor in predictor.state_dict().items()}
    torch.save(dict(state_dict=state), path)
    return str(path)


def is_constant(module, value=0.25):
    return all(tensor.eq(value).all() for tensor in module.state_dict().values() if tensor.is_floating_point())


def test_all_predictors_with_weights_are_tested():
    known = {
        name
        for name, kind in MODELS.module_dict.items()
        if issubclass(kind, BasePredictor) and kind.__module__.startswith('mmforecast.')
    }
    tested = {cfg['type'] for cfg in ALL.values()}
    assert tested < known
    for name in known - tested - CONTAINERS:
        assert not list(MODELS.build(dict(type=name)).parameters()), name


def assert_is_the_baseline(predictor, name):
    baseline = MODELS.build(dict(type=STARTS[name][1]))
    frames = torch.rand(1, 3, 3, 16, 32) * 255
    past = [torch.rand(1, 3, 2, 16, 32) * 2 - 1]
    ours, theirs = (net(past, ForecastContext(frames=frames, samples=[]))[0] for net in (predictor, baseline))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def zeros_of(name):
    """Names of the weights that the start of a predictor sets to zero."""
    return [key for key, value in built(name, DRAWN).state_dict().items() if not value.any()]


@START
@pytest.mark.parametrize('init_cfg', [None, DRAWN, [DRAWN, dict(type='Normal', layer='Conv2d', std=1.0)]])
def test_any_initialization_is_followed_by_the_start_as_a_baseline(name, init_cfg):
    assert_is_the_baseline(built(name, init_cfg), name)


@START
def test_the_initialization_of_the_whole_model_is_followed_by_it_too(name):
    class Whole(BaseModule):
        def __init__(self):
            super().__init__(init_cfg=DRAWN)
            self.predictor = MODELS.build(ALL[name])

    whole = Whole()
    whole.init_weights()
    assert_is_the_baseline(whole.predictor, name)


@EVERY
@pytest.mark.parametrize('others', [[], [DRAWN]])
def test_weights_from_a_file_win(name, others, tmp_path):
    path = constant_file(tmp_path / 'constant.pth', built(name))
    init_cfg = [dict(type='Pretrained', checkpoint=path), *others]
    assert is_constant(built(name, init_cfg if others else init_cfg[0]))


@START
def test_weights_from_a_file_for_one_child_win_and_the_rest_starts_as_ever(name, tmp_path):
    zeros = zeros_of(name)
    child = zeros[0].partition('.')[0]
    path = constant_file(tmp_path / 'child.pth', getattr(built(name), child))
    override = dict(type='Pretrained', name=child, checkpoint=path)
    predictor = built(name, dict(DRAWN, override=override))
    assert is_constant(getattr(predictor, child))
    for key in zeros:
        assert key.startswith(child) or not predictor.state_dict()[key].any()


@START
def test_what_a_file_lacks_starts_as_ever(name, tmp_path):
    last = zeros_of(name)[-1]
    path = tmp_path / 'part.pth'
    state = built(name).state_dict()
    torch.save({key: torch.ones_like(value) for key, value in state.items() if key != last}, path)
    predictor = built(name, [DRAWN, dict(type='Pretrained', checkpoint=str(path))])
    for key, value in predictor.state_dict().items():
        assert not value.any() if key == last else value.eq(1).all(), key


def test_a_file_wins_over_the_coarsest_scale_of_f2f(tmp_path):
    stage = MODELS.build(dict(ALL['f2f'], num_scales=(1,)))
    whole = constant_file(tmp_path / 'whole.pth', built('f2f'))
    coarsest = constant_file(tmp_path / 'stage.pth', stage, value=0.5, prefix='predictor.')
    cfg = dict(ALL['f2f'], coarsest_from=coarsest)
    predictor = MODELS.build(cfg)
    predictor.init_weights()
    assert is_constant(predictor.nets[0].scales[-1], 0.5)
    predictor = MODELS.build(dict(cfg, init_cfg=dict(type='Pretrained', checkpoint=whole)))
    predictor.init_weights()
    assert is_constant(predictor)


def test_a_file_for_the_whole_forecaster_wins(tmp_path):
    parts = dict(
        encoder=dict(type='RGBEncoder'),
        predictor=dict(type='WarpCorrectPredictor', channels=3, motion_widths=(4,), motion_dilations=(1,)),
        decoder=dict(type='RGBDecoder'),
    )
    path = constant_file(tmp_path / 'model.pth', BaseForecaster(**parts))
    model = BaseForecaster(**parts, init_cfg=dict(type='Pretrained', checkpoint=path))
    model.init_weights()
    assert is_constant(model)


def test_init_cfg_is_split_by_what_reads_files():
    assert split_init_cfg(None) == ([], [])
    pretrained = dict(type='Pretrained', checkpoint='a.pth')
    kept = dict(type='Constant', name='scales', val=1)
    cfg = dict(DRAWN, override=[kept, dict(pretrained, name='head')])
    assert split_init_cfg([pretrained, cfg]) == (
        [dict(DRAWN, override=[kept])],
        [('', pretrained), ('head', pretrained)],
    )
    assert split_init_cfg(dict(DRAWN, override=dict(pretrained, name='head'))) == (
        [DRAWN],
        [('head', pretrained)],
    )
