"""State dicts of the released layouts, name by name, in our transformers and our head."""

import runpy
import sys

import pytest
import torch

from mmforecast.registry import MODELS
from mmforecast.weight_conversion import (
    dino_foresight_to_forecaster,
    dpt_to_segmentor,
    futurist_to_predictor,
    read_lightning,
)

DIMS, LAYERS = 12, 2
SIZES = dict(embed_dims=DIMS, num_layers=LAYERS, num_heads=2)


def drawn(shapes):
    torch.manual_seed(0)
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def transformer(out_channels, grid=(4, 8)):
    """Shapes of the part that both systems share, under the authors' names."""
    shapes = {'maskvit.fc_out.weight': (out_channels, DIMS), 'maskvit.fc_out.bias': (out_channels,)}
    for axis, length in enumerate((5, *grid)):
        shapes[f'maskvit.pos_embd.emb.d_{axis}'] = length, DIMS // 3
    for layer in range(LAYERS):
        stem = f'maskvit.transformer.layers.{layer}'
        for part in range(3):
            shapes |= {f'{stem}.{part}.norm.{name}': (DIMS,) for name in ('weight', 'bias')}
        for part in range(2):
            shapes[f'{stem}.{part}.fn.mha.in_proj_weight'] = 3 * DIMS, DIMS
            shapes[f'{stem}.{part}.fn.mha.in_proj_bias'] = (3 * DIMS,)
            shapes[f'{stem}.{part}.fn.mha.out_proj.weight'] = DIMS, DIMS
            shapes[f'{stem}.{part}.fn.mha.out_proj.bias'] = (DIMS,)
        for number, (given, seen) in ((0, (4 * DIMS, DIMS)), (3, (DIMS, 4 * DIMS))):
            shapes[f'{stem}.2.fn.net.{number}.weight'] = given, seen
            shapes[f'{stem}.2.fn.net.{number}.bias'] = (given,)
    return shapes


def futurist():
    shapes = dict(emb_s=(19, 10), emb_d=(256, 10), embed_segm=(6, 160), embed_depth=(6, 160))
    shapes = {f'{name}.weight': shape for name, shape in shapes.items()}
    shapes |= {'embed_segm.bias': (6,), 'embed_depth.bias': (6,), 'bias_s': (19,), 'bias_d': (256,)}
    shapes |= {f'replace_vector_{name}': (1, 1, 1, 1, 6) for name in ('segm', 'depth')}
    return drawn({**shapes, 'color_per_class': (19, 3), **transformer(320)})


def dino_foresight():
    shapes = {'embed.weight': (DIMS, 6), 'embed.bias': (DIMS,), 'replace_vector': (1, 1, 1, 1, DIMS)}
    shapes |= {
        'pca_mean': (1, 9),
        'pca_components': (6, 9),
        'mean': (9,),
        'std': (9,),
        'dino_v2.norm.bias': (3,),
    }
    return drawn({**shapes, **transformer(6)})


def dpt_head(channels=8, widths=(4, 6, 8, 8), seen=12, classes=5):
    shapes = {}

    def conv(name, *shape, bias=None):
        shapes[f'{name}.weight'] = shape
        if bias is not None:
            shapes[f'{name}.bias'] = (bias,)

    for index, width in enumerate(widths):
        conv(f'projects.{index}', width, seen, 1, 1, bias=width)
        conv(f'scratch.layer{index + 1}_rn', channels, width, 3, 3)
        stem = f'scratch.refinenet{index + 1}'
        conv(f'{stem}.out_conv', channels, channels, 1, 1, bias=channels)
        for unit in (1, 2):
            for number in (1, 2):
                conv(f'{stem}.resConfUnit{unit}.conv{number}', channels, channels, 3, 3, bias=channels)
                _norm(shapes, f'{stem}.resConfUnit{unit}.bn{number}', channels)
    conv('resize_layers.0', widths[0], widths[0], 4, 4, bias=widths[0])
    conv('resize_layers.1', widths[1], widths[1], 2, 2, bias=widths[1])
    conv('resize_layers.3', widths[3], widths[3], 3, 3, bias=widths[3])
    conv('scratch.output_conv.0', channels, channels, 3, 3)
    _norm(shapes, 'scratch.output_conv.1', channels)
    conv('scratch.output_conv.4', classes, channels, 1, 1, bias=classes)
    return drawn({f'head.{name}': shape for name, shape in shapes.items()})


def _norm(shapes, name, channels):
    for part in ('weight', 'bias', 'running_mean', 'running_var'):
        shapes[f'{name}.{part}'] = (channels,)
    shapes[f'{name}.num_batches_tracked'] = ()


def test_futurist_fills_every_weight_of_ours():
    theirs = futurist()
    model = MODELS.build(
        dict(type='MaskedLabelTransformer', channels=20, size=(16, 32), patch_size=4, depth_bins=256, **SIZES)
    )
    converted = futurist_to_predictor(theirs)
    model.load_state_dict(converted)
    assert len(converted) == len(theirs) - 1  # without the colors
    assert torch.equal(model.planes[1].replacement, theirs['replace_vector_depth'].flatten())
    assert torch.equal(model.transformer.positions.columns, theirs['maskvit.pos_embd.emb.d_2'])
    layer, stem = model.transformer.layers[1], 'maskvit.transformer.layers.1'
    assert torch.equal(layer.space.in_proj_weight, theirs[f'{stem}.1.fn.mha.in_proj_weight'])
    assert torch.equal(layer.time_norm.bias, theirs[f'{stem}.0.norm.bias'])
    assert torch.equal(layer.mlp[3].weight, theirs[f'{stem}.2.fn.net.3.weight'])


def test_dino_foresight_fills_the_predictor_and_the_projection():
    theirs = dino_foresight()
    converted = dino_foresight_to_forecaster(theirs)
    model = MODELS.build(dict(type='MaskedFeatureTransformer', channels=6, size=(4, 8), **SIZES))
    own = {k.removeprefix('predictor.'): v for k, v in converted.items() if k.startswith('predictor.')}
    model.load_state_dict(own)
    statistics = {k.rpartition('.')[2]: v for k, v in converted.items() if k.startswith('encoder.')}
    assert {name: tuple(value.shape) for name, value in statistics.items()} == dict(
        mean=(9,), std=(9,), center=(9,), components=(6, 9)
    )
    assert len(converted) == len(theirs) - 1  # without the vision transformer


def test_the_second_stage_starts_from_resampled_positions():
    own = dino_foresight_to_forecaster(dino_foresight())
    own = {k.removeprefix('predictor.'): v for k, v in own.items() if k.startswith('predictor.')}
    model = MODELS.build(dict(type='MaskedFeatureTransformer', channels=6, size=(8, 16), **SIZES))
    model.load_state_dict(own)
    assert model.transformer.positions.rows.shape == (8, DIMS // 3)


def test_a_head_fills_neck_and_head_of_a_segmentor():
    theirs = dpt_head()
    converted = dpt_to_segmentor({**theirs, 'dino.norm.bias': torch.zeros(3)})
    neck = MODELS.build(dict(type='DPTNeck', in_channels=12, channels=8, widths=(4, 6, 8, 8)))
    head = MODELS.build(
        dict(
            _scope_='mmseg',
            type='FCNHead',
            in_channels=8,
            channels=8,
            num_convs=1,
            concat_input=False,
            num_classes=5,
            norm_cfg=dict(type='BN'),
        )
    )
    torch.nn.ModuleDict(dict(neck=neck, decode_head=head)).load_state_dict(converted)
    stem = 'head.scratch.refinenet3.resConfUnit1'
    assert torch.equal(neck.fusions[2].skip.layers[4].weight, theirs[f'{stem}.conv2.weight'])
    assert torch.equal(head.conv_seg.weight, theirs['head.scratch.output_conv.4.weight'])


@pytest.mark.parametrize(
    'convert, state',
    [(futurist_to_predictor, futurist), (dino_foresight_to_forecaster, dino_foresight)],
)
def test_unknown_and_missing_names_are_refused(convert, state):
    with pytest.raises(ValueError, match=r"'stem.weight' is no weight of \w+"):
        convert({**state(), 'stem.weight': torch.zeros(1)})
    lacking = state()
    del lacking['maskvit.fc_out.bias']
    with pytest.raises(ValueError, match=r'the file lacks maskvit.fc_out.bias of \w+'):
        convert(lacking)


def test_unknown_heads_are_refused():
    with pytest.raises(ValueError, match='there is no DPT head'):
        dpt_to_segmentor(futurist())
    with pytest.raises(ValueError, match="'scratch.refinenet5.out_conv.bias' is no weight of the DPT head"):
        dpt_to_segmentor({'scratch.refinenet5.out_conv.bias': torch.zeros(1)})


@pytest.mark.parametrize('kind, state', [('futurist', futurist), ('dino-foresight', dino_foresight)])
def test_the_tool_writes_a_checkpoint(kind, state, tmp_path, repository, monkeypatch, capsys):
    given, out = tmp_path / 'released.ckpt', tmp_path / 'out/ours.pth'
    torch.save(dict(state_dict=state(), epoch=3), given)
    monkeypatch.setattr(sys, 'argv', ['masked_transformer.py', kind, str(given), str(out)])
    runpy.run_path(str(repository / 'tools/model_converters/masked_transformer.py'), run_name='__main__')
    written = torch.load(out, weights_only=True)
    assert 'predictor.transformer.out.weight' in written['state_dict']
    assert f'of {len(written["state_dict"])} names' in capsys.readouterr().out
    assert len(read_lightning(out)) == len(written['state_dict'])


def test_a_file_without_weights_is_refused(tmp_path):
    torch.save(dict(epoch=3), tmp_path / 'empty.ckpt')
    with pytest.raises(ValueError, match='holds no named tensors'):
        read_lightning(tmp_path / 'empty.ckpt')
