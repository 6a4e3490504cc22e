"""The converters as a user calls them, on files in the formats of their authors."""

import hashlib
import os
import pickle

import numpy as np
import pytest
import torch

from mmforecast.models.predictors.f2f import F2FPredictor

MODEL_CONVERTERS = 'model_converters'
WIDTHS = (6, 64, 64, 64, 32, 32, 32, 2)  # 3 frames of 2 channels, model size 1
KERNELS = (1, 3, 3, 3, 3, 3, 7)


class Touch:
    """Creates a file when it is read from a pickle."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


def network(prefix):
    state = {}
    for number, kernel in enumerate(KERNELS):
        seen, given = WIDTHS[number : number + 2]
        state[f'{prefix}conv{number + 1}.weight'] = torch.randn(given, seen, kernel, kernel)
        state[f'{prefix}conv{number + 1}.bias'] = torch.randn(given)
    return state


def neck(num_levels=1):
    return F2FPredictor(
        channels=2, num_past=3, size_factor=1, num_levels=num_levels, num_scales=(1,) * num_levels
    )


def read(path):
    """By torch's own safe reader, without any of ours."""
    checkpoint = torch.load(path, weights_only=True)
    assert set(checkpoint) == {'state_dict', 'meta'}
    return checkpoint['state_dict'], checkpoint['meta']


def without(prefix, state):
    return {name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)}


@pytest.fixture
def run(run_tool, capsys):
    """Run a converter; its output, and what it says before it exits with 2."""

    def run(tool, *arguments, fails=False):
        script = f'{MODEL_CONVERTERS}/{tool}.py'
        if not fails:
            run_tool(script, *arguments)
            return capsys.readouterr().out
        with pytest.raises(SystemExit, match='2'):
            run_tool(script, *arguments)
        return capsys.readouterr().err

    return run


@pytest.fixture
def f2f_file(tmp_path):
    path = tmp_path / 'F2F.net'
    state = {**network('0.'), **network('1.')}
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return path, state


def small_blobs():
    """The names of a Mask R-CNN of Detectron, with as few numbers as the class rows allow."""
    rows = dict(cls_score=9, bbox_pred=36, mask_fcn_logits=9)
    tops = ('res2_2_sum_lateral', 'res3_3_sum_lateral', 'res4_5_sum_lateral', 'res5_2_sum')
    names = [f'fpn_inner_{top}' for top in tops]
    names += [f'fpn_{top.removesuffix("_lateral")}' for top in tops]
    names += ['conv_rpn_fpn2', 'rpn_cls_logits_fpn2', 'rpn_bbox_pred_fpn2', 'fc6', 'fc7']
    names += [*(f'_[mask]_fcn{n}' for n in range(1, 5)), 'conv5_mask', *rows]
    blobs = {
        f'{name}_{part}': np.arange(rows.get(name, 1), dtype=np.float32).reshape(shape)
        for name in names
        for part, shape in (('w', (-1, 1)), ('b', (-1,)))
    }
    convs = {'conv1': 'res_conv1_bn'}
    for stage, blocks in zip((2, 3, 4, 5), (3, 4, 6, 3)):
        for block in range(blocks):
            for branch in ('2a', '2b', '2c') if block else ('1', '2a', '2b', '2c'):
                conv = f'res{stage}_{block}_branch{branch}'
                convs[conv] = f'{conv}_bn'
    for conv, bn in convs.items():
        blobs.update({n: np.ones(1, np.float32) for n in (f'{conv}_w', f'{bn}_s', f'{bn}_b')})
    return blobs


@pytest.fixture
def detectron_file(tmp_path):
    path = tmp_path / 'model_final.pkl'
    cfg = 'MODEL:\n  BBOX_REG_WEIGHTS: !!python/tuple [10.0, 10.0, 5.0, 5.0]\n'
    path.write_bytes(pickle.dumps(dict(blobs=small_blobs(), cfg=cfg), protocol=2))
    return path


def test_f2f_writes_the_predictor_of_a_forecaster(run, f2f_file, tmp_path):
    path, theirs = f2f_file
    out = run('f2f', path, tmp_path / 'new' / 'f2f.pth', '--levels', 'P5', 'P4')
    weights = sum(value.numel() for value in theirs.values())
    assert f'{weights:,} weights, num_scales=[1, 1]' in out
    state, meta = read(tmp_path / 'new' / 'f2f.pth')
    neck(2).load_state_dict(without('predictor.', state), strict=True)
    assert torch.equal(state['predictor.nets.1.scales.0.0.conv.weight'], theirs['0.conv1.weight'])
    assert meta['converted_from'] == 'F2F.net' and str(tmp_path) not in str(meta)


def test_f2f_needs_the_levels_of_an_odd_file(run, f2f_file, tmp_path):
    assert '--levels of the tool' in run('f2f', f2f_file[0], tmp_path / 'x.pth', fails=True)
    assert not (tmp_path / 'x.pth').exists()


def test_detectron_writes_a_detector_with_our_classes(run, detectron_file, tmp_path):
    out = run('detectron_mask_rcnn', detectron_file, tmp_path / 'x.pth')
    assert '(10.0, 10.0, 5.0, 5.0)' in out and '102.9801' in out and "style='caffe'" in out
    assert 'up to\none pixel' in out
    state, meta = read(tmp_path / 'x.pth')
    assert meta['dataset_meta']['classes'][:3] == ['person', 'rider', 'car']
    # bicycle, car, person, train, truck, motorcycle, bus, rider are rows 1 to 8 there
    bias = state['roi_head.bbox_head.fc_cls.bias'].tolist()
    assert bias == [3, 8, 2, 5, 7, 4, 6, 1, 0]
    assert state['roi_head.mask_head.conv_logits.bias'].tolist() == bias[:-1]
    assert state['roi_head.bbox_head.fc_reg.bias'].tolist()[:4] == [12, 13, 14, 15]


def test_detectron_takes_other_classes_and_box_weights(run, detectron_file, tmp_path):
    order = 'bg person rider car truck bus train motorcycle bicycle'.split()
    arguments = ['--classes', *order, '--bbox-reg-weights', 1, 1, 1, 1]
    run('detectron_mask_rcnn', detectron_file, tmp_path / 'x.pth', *arguments)
    state, _ = read(tmp_path / 'x.pth')
    assert state['roi_head.bbox_head.fc_cls.bias'].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert state['roi_head.bbox_head.fc_reg.bias'].tolist()[:4] == [40, 50, 30, 35]


@pytest.mark.parametrize('tool', ['f2f', 'detectron_mask_rcnn'])
def test_converters_run_no_code_and_name_what_they_refuse(run, tmp_path, tool):
    source, mark = tmp_path / 'weights', tmp_path / 'mark'
    content = dict(blobs=dict(conv1_w=np.zeros(1)), model=Touch(mark))
    if tool == 'f2f':
        torch.save(content, source, _use_new_zipfile_serialization=False)
    else:
        source.write_bytes(pickle.dumps(content, protocol=2))
    error = run(tool, source, tmp_path / 'x.pth', fails=True)
    assert 'weights is refused: ' in error and f'{os.system.__module__}.system' in error
    assert not mark.exists() and not (tmp_path / 'x.pth').exists()


def test_converters_name_each_other(run, f2f_file, detectron_file, tmp_path):
    out = tmp_path / 'x.pth'
    assert 'detectron_mask_rcnn.py' in run('f2f', detectron_file, out, fails=True)
    error = run('detectron_mask_rcnn', f2f_file[0], out, fails=True)
    assert 'is a file of torch' in error and 'model_converters/f2f.py' in error
    torch.save({'a': torch.zeros(1)}, tmp_path / 'zip.net')
    assert 'is a file of torch' in run('detectron_mask_rcnn', tmp_path / 'zip.net', out, fails=True)
    assert "'a' is no weight of F2F" in run('f2f', tmp_path / 'zip.net', out, fails=True)
    torch.save([1], tmp_path / 'list.net')
    assert 'holds no named tensors' in run('f2f', tmp_path / 'list.net', out, fails=True)
    (tmp_path / 'other.pkl').write_bytes(pickle.dumps({'x': 1}))
    error = run('detectron_mask_rcnn', tmp_path / 'other.pkl', out, fails=True)
    assert "holds no blobs: expected a Detectron .pkl, a dict with 'blobs'" in error
    assert "got a dict of 'x'" in error


@pytest.mark.parametrize('tool', ['f2f', 'detectron_mask_rcnn'])
def test_converters_know_the_stand_ins_of_git_lfs(run, tmp_path, tool):
    (tmp_path / 'F2F').write_text('version https://git-lfs.github.com/spec/v1\noid sha256:0\n')
    error = run(tool, tmp_path / 'F2F', tmp_path / 'x.pth', fails=True)
    assert 'run `git lfs pull`' in error


def stage(path, num_levels=1, detector=0.0):
    state = {f'predictor.{name}': v for name, v in neck(num_levels).state_dict().items()}
    state['encoder.detector.conv.weight'] = torch.full((2,), detector)
    torch.save(dict(state_dict=state, meta=dict(epoch=1), optimizer={}), path)
    return state


def test_assembled_levels_stand_finest_first(run, tmp_path):
    coarse, fine = stage(tmp_path / 'p5.pth'), stage(tmp_path / 'p3.pth')
    arguments = ['--p5', tmp_path / 'p5.pth', '--p3', tmp_path / 'p3.pth', tmp_path / 'x.pth']
    assert 'P3, P5, ' in run('assemble_f2f', *arguments)
    state, meta = read(tmp_path / 'x.pth')
    neck(2).load_state_dict(without('predictor.', state), strict=True)
    for level, expected in enumerate((fine, coarse)):
        for name, value in without('predictor.nets.0.', expected).items():
            assert torch.equal(state[f'predictor.nets.{level}.{name}'], value)
    assert state['encoder.detector.conv.weight'].tolist() == [0, 0]
    assert meta['assembled_from'] == dict(P3='p3.pth', P5='p5.pth')


def test_assembling_checks_detectors_and_levels(run, tmp_path):
    for name, options in (('a', {}), ('b', dict(detector=1.0)), ('c', dict(num_levels=2))):
        stage(tmp_path / name, **options)
    out = tmp_path / 'x.pth'
    error = run('assemble_f2f', '--p2', tmp_path / 'a', '--p4', tmp_path / 'b', out, fails=True)
    assert 'P2 and P4 were trained with different detectors' in error
    error = run('assemble_f2f', '--p2', tmp_path / 'a', '--p4', tmp_path / 'c', out, fails=True)
    assert 'The checkpoint of P4 should have one net' in error
    error = run('assemble_f2f', '--p2', tmp_path / 'a', out, fails=True)
    assert 'at least two of --p2, --p3, --p4 and --p5' in error


@pytest.mark.parametrize('half', [False, True])
def test_published_models_are_named_by_their_content(run, tmp_path, half):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    model[1].running_var.fill_(1e-9)  # nothing in half precision
    source = tmp_path / 'iter_3.pth'
    content = dict(state_dict=model.state_dict(), meta=dict(iter=3, cfg='a path'), optimizer=dict(lr=0.1))
    torch.save(content, source)
    out = run('publish_model', source, tmp_path / 'm.pth', *(['--fp16'] if half else []))
    (published,) = set(tmp_path.iterdir()) - {source}
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    assert published.name == f'm-{digest[:8]}.pth'
    assert published.name in out and 'left out: optimizer' in out
    state, meta = read(published)
    assert meta == dict(iter=3)
    assert state['0.weight'].dtype == (torch.float16 if half else torch.float32)
    other = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    other.load_state_dict(state, strict=True)
    for name, value in other.state_dict().items():
        tolerance = 1e-3 if half and not name.startswith('1.running') else 0
        torch.testing.assert_close(value, model.state_dict()[name], rtol=tolerance, atol=tolerance)


def test_a_part_is_published_alone(run, tmp_path):
    state = {'predictor.w': torch.ones(2), 'encoder.w': torch.ones(3)}
    torch.save(dict(state_dict=state), tmp_path / 'a.pth')
    run('publish_model', tmp_path / 'a.pth', tmp_path / 'b.pth', '--prefix', 'predictor.')
    (published,) = tmp_path.glob('b-*.pth')
    assert set(read(published)[0]) == {'predictor.w'}
    error = run('publish_model', tmp_path / 'a.pth', tmp_path / 'b.pth', '--prefix', 'neck.', fails=True)
    assert "no weights under 'neck.'" in error and "['encoder', 'predictor']" in error


def test_publishing_refuses_what_half_precision_cannot_hold(run, tmp_path):
    torch.save(dict(state_dict=dict(w=torch.tensor([7e4]))), tmp_path / 'a.pth')
    error = run('publish_model', tmp_path / 'a.pth', tmp_path / 'b.pth', '--fp16', fails=True)
    assert 'w reaches 7e+04, more than half precision holds' in error
    torch.save(dict(w=torch.tensor([1.0])), tmp_path / 'c.pth')
    error = run('publish_model', tmp_path / 'c.pth', tmp_path / 'b.pth', fails=True)
    assert "has no 'state_dict'" in error


def test_yolox_names_the_config_of_its_weights(tmp_path, run):
    state = {
        'backbone.backbone.stem.conv.conv.weight': torch.zeros(32, 12, 3, 3),
        'backbone.backbone.dark2.1.m.0.conv1.conv.weight': torch.ones(32, 32, 1, 1),
        'head.cls_preds.0.weight': torch.zeros(80, 128, 1, 1),
    }
    torch.save(dict(model=state, start_epoch=300), tmp_path / 'yolox_s.pth')
    out = run('yolox', tmp_path / 'yolox_s.pth', tmp_path / 'new/converted.pth')
    assert 'of mmdet config yolox_s_8xb8-300e_coco' in out
    weights, meta = read(tmp_path / 'new/converted.pth')
    assert weights['backbone.stage1.1.blocks.0.conv1.conv.weight'].sum() == 1024
    assert meta['converted_from'] == 'yolox_s.pth'


def test_yolox_refuses_code(tmp_path, run):
    torch.save(dict(model={}, optimizer=Touch(tmp_path / 'executed')), tmp_path / 'evil.pth')
    assert 'refused' in run('yolox', tmp_path / 'evil.pth', tmp_path / 'out.pth', fails=True)
    assert not (tmp_path / 'executed').exists()
