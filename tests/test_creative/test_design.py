"""Designs: what is asked for, what is scored, and the page, in a real browser."""

import json
import re

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmforecast.cli.main import main
from mmforecast.creative.apis import design as design_module
from mmforecast.creative.apis.design import Studio, read_mix, read_sketch
from mmforecast.creative.apis.design_page import write_design_page
from mmforecast.creative.evaluation import RealismScale
from mmforecast.creative.models import AttributeClassifier, GarmentGenerator
from mmforecast.registry import DATASETS

CLASSES = dict(
    shape=('dress', 'skirt', 'jacket', 'pullover', 't-shirt', 'coat'),
    texture=('plain', 'tiled', 'striped', 'animal skin', 'dotted', 'print', 'graphical'),
)
DATA = dict(type='SyntheticGarmentDataset', num_images=42, size=32)


@pytest.fixture(scope='module')
def studio():
    """Networks that were not trained."""
    torch.manual_seed(0)
    counts = {name: len(classes) for name, classes in CLASSES.items()}
    backbone = dict(
        type='mmdet.ResNet', depth=18, base_channels=4, stem_channels=4, out_indices=(3,), norm_eval=False
    )
    classifier = AttributeClassifier(backbone, 32, counts, input_size=32).eval()
    data = DATASETS.build(dict(DATA, pipeline=[]))
    images = np.stack([data.get_data_info(number)['img'] for number in range(42)])
    with torch.no_grad():
        features = classifier.features(torch.from_numpy(images).permute(0, 3, 1, 2).float()).numpy()
    generator = GarmentGenerator(counts, output_scale=32, base_channels=16)
    return Studio(generator, classifier, features, DATA, CLASSES)


def test_mixes_of_words():
    assert read_mix('', CLASSES) == {}
    assert read_mix('dress=.5, coat=.5,dotted', CLASSES) == dict(
        shape=dict(dress=0.5, coat=0.5), texture=dict(dotted=1.0)
    )
    assert read_mix('dress=3,coat=1', CLASSES) == dict(shape=dict(dress=0.75, coat=0.25))


@pytest.mark.parametrize(
    'text, sentence',
    [
        ('gown=1', "there is no class 'gown'; the classes are shape: dress, skirt"),
        ('dress=much', "'dress=much' must give a class once, with a share above 0"),
        ('dress=-1', 'share above 0'),
        ('dress=nan', 'share above 0'),
        ('dress,dress=1', 'must give a class once'),
    ],
)
def test_bad_mixes(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_mix(text, CLASSES)


def draw(path, filled, dark):
    """A triangle that is higher than wide, away from the middle."""
    picture = np.full((200, 300), 255 if dark else 0, np.uint8)
    points = np.array([[40, 20], [100, 20], [70, 140]])
    value = 0 if dark else 255
    if filled:
        cv2.fillPoly(picture, [points], value)
    else:
        cv2.polylines(picture, [points], True, value, 3)
    Image.fromarray(picture).save(path)


@pytest.mark.parametrize('filled', [False, True])
@pytest.mark.parametrize('dark', [False, True])
def test_sketches_become_masks(tmp_path, filled, dark):
    draw(tmp_path / 'sketch.png', filled, dark)
    mask = read_sketch(str(tmp_path / 'sketch.png'), 64)[0, 0]
    assert mask.shape == (64, 64) and 0 <= mask.min() and mask.max() <= 1
    rows, cols = (torch.nonzero(mask.amax(dim) > 0.5).flatten() for dim in (1, 0))
    assert len(rows) == pytest.approx(0.88 * 64, abs=2) and len(cols) == pytest.approx(0.44 * 64, abs=2)
    for line in (rows, cols):
        assert line.float().mean() == pytest.approx(31.5, abs=1)
    # half of its box, and wide at the top
    assert mask.sum() / (len(rows) * len(cols)) == pytest.approx(0.5, abs=0.08)
    assert mask[rows[2]].sum() > 4 * mask[rows[-6]].sum()


def test_sketch_without_a_shape(tmp_path):
    Image.fromarray(np.full((64, 64), 200, np.uint8)).save(tmp_path / 'empty.png')
    with pytest.raises(ValueError, match=r'no shape was found in .*empty.png'):
        read_sketch(str(tmp_path / 'empty.png'), 64)
    with pytest.raises(FileNotFoundError, match='there is no sketch'):
        read_sketch(str(tmp_path / 'none.png'), 64)


def test_realism_and_novelty_by_hand():
    real = np.array(
        [[0.0], [1.0], [3.0], [7.0]]
    )  # nearest: 1, 1, 2, 4, median 1.5; radii with k = 2: 3, 2, 3, 6
    numbers, novelty, realism = RealismScale(real, k=2).score(np.array([[3.0], [1.5], [9.0]]))
    assert numbers.tolist() == [2, 1, 3]
    assert novelty.tolist() == pytest.approx([0, 0.5 / 1.0, 2 / 1.0])  # torch takes the lower median
    assert realism[1] == pytest.approx(2 / 0.5) and realism[2] == pytest.approx(6 / 2)


def test_designs_are_what_was_asked_for(studio):
    designs = studio.design(5, read_mix('dress=.5,coat=.5', CLASSES), creativity=0.5, seed=3, zoom=2)
    assert [one.number for one in designs] == [0, 1, 2, 3, 4]
    for one in designs:
        assert one.image.shape == (64, 64, 3) and one.nearest.shape == (32, 32, 3)
        shape = one.mix['shape']
        assert shape['dress'] == pytest.approx(0.25 + 0.5 / 6) and shape['skirt'] == pytest.approx(0.5 / 6)
        assert max(one.mix['texture'].values()) == pytest.approx(0.5 + 0.5 / 7)
        assert all(
            sum(part.values()) == pytest.approx(1) for part in (*one.mix.values(), *one.classes.values())
        )
        assert (one.nearest == studio.data.get_data_info(one.nearest_number)['img']).all()
    again = studio.design(2, read_mix('dress=.5,coat=.5', CLASSES), creativity=0.5, seed=3, zoom=2)
    assert np.abs(again[1].image.astype(int) - designs[1].image).max() <= 1
    assert len({max(one.mix['texture'], key=one.mix['texture'].get) for one in designs}) > 1
    uniform = studio.design(1, creativity=1.0)[0]
    assert set(np.round(list(uniform.mix['shape'].values()), 4)) == {round(1 / 6, 4)}


def test_a_training_image_has_no_novelty(studio, monkeypatch):
    images = np.stack([studio.data.get_data_info(number)['img'] for number in (3, 17)])
    images = torch.from_numpy(images).permute(0, 3, 1, 2)
    monkeypatch.setattr(studio, 'paint', lambda *_: images)
    designs = studio.design(2)
    assert [one.nearest_number for one in designs] == [3, 17]
    assert all(one.novelty < 0.02 and one.realism > 10 for one in designs)


def test_a_mask_is_the_shape_of_all(studio):
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 10:20] = 1
    for one in studio.design(3, mask=mask, zoom=1):
        assert (one.image[:6] == 255).all() and (one.image[:, 22:] == 255).all()
        assert (one.image[10:22, 12:18].min(axis=2) < 255).mean() > 0.5


def test_a_walk_comes_back(studio):
    pictures = studio.walk([0, 1, 2], steps=4, zoom=1)
    assert len(pictures) == 12 and pictures[0].shape == (32, 32, 3)
    ends = [one.image.astype(int) for one in studio.design(3, zoom=1)]
    for index, end in enumerate(ends):
        assert np.abs(pictures[4 * index] - end).max() <= 1


@pytest.fixture
def path(studio, tmp_path):
    request = dict(designs=6, mix='dress=1 </script><b>', seed=0)
    write_design_page(tmp_path / 'new/designs.html', studio.design(6), request, 'Title <b>', 'A <i>note')
    return tmp_path / 'new/designs.html'


def test_page_in_a_browser(path, open_page, tmp_path):
    page = open_page(path)
    cards = page.locator('article')
    assert cards.count() == 6 and page.locator('h1').inner_text() == 'Title <b>'
    assert page.evaluate('[...document.images].every((i) => i.complete && i.naturalWidth > 0)')

    def order(key):
        return [float(card.get_attribute(f'data-{key}')) for card in cards.all()]

    for key in ('novelty', 'realism', 'confusion'):
        page.select_option('#sort', key)
        assert order(key) == sorted(order(key), reverse=True)
    page.select_option('#sort', 'number')
    assert order('number') == [0, 1, 2, 3, 4, 5]
    for number in (1, 4):
        cards.nth(number).locator('.star').click()
    page.check('#only')
    shown = [card.get_attribute('data-number') for card in cards.all() if card.is_visible()]
    assert shown == ['1', '4'] and page.locator('#count').inner_text() == '2'
    with page.expect_download() as download:
        page.click('#json')
    content = json.loads(download.value.path().read_text())
    assert [one['number'] for one in content['designs']] == [1, 4]
    assert content['request']['mix'] == 'dress=1 </script><b>'
    with page.expect_download() as download:
        page.click('#png')
    download.value.save_as(tmp_path / 'designs.png')
    assert Image.open(tmp_path / 'designs.png').size == (2 * 96, 96)


def test_command_writes_its_page(studio, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(design_module, 'load_studio', lambda: studio)
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / 'sketch.png', False, True)
    options = ['--num', '3', '--shape', 'dress', '--mix', 'dotted=.5,plain=.5', '--mask', 'sketch.png']
    main(['design', *options, '--creativity', '.2', '--animate', 'walk.gif'])
    assert '3 designs written to designs.html' in capsys.readouterr().out
    text = (tmp_path / 'designs.html').read_text()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    assert len(data['designs']) == 3 and data['request']['mask'] == 'sketch.png'
    assert data['designs'][0]['asked']['shape']['dress'] == pytest.approx(0.8 + 0.2 / 6, abs=1e-3)
    assert Image.open(tmp_path / 'walk.gif').n_frames == 36
    for options, sentence in (
        (['--shape', 'gown'], "there is no shape 'gown'; there are dress, skirt"),
        (['--creativity', '2'], r'creativity must lie in [0, 1], got 2.0'),
        (['--num', '0'], 'num must be an integer >= 1, got 0'),
        (['--mask', 'none.png'], 'there is no sketch none.png'),
    ):
        with pytest.raises(SystemExit) as end:
            main(['design', *options])
        assert end.value.code == 1 and sentence in capsys.readouterr().err
