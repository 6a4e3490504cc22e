"""Reports of real comparisons."""

import argparse
import io
import re
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from PIL import Image

from mmforecast.apis import build_forecaster, load_config
from mmforecast.apis.report import ClipCollector
from mmforecast.apis.report_parts import (
    charts_of,
    data_sentence,
    environment,
    styled_series,
    table_of,
)
from mmforecast.cli import report
from mmforecast.structures import ForecastDataSample


@pytest.fixture
def on_street(street_root):
    return [
        f'test_dataloader.dataset.data_root={street_root}',
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
    ]


@pytest.fixture
def street_sections(repository, tmp_path):
    """S2S with two seeds, F2F and D2D, as in docs/examples/street_report.yml, with random weights."""
    content = yaml.safe_load((repository / 'docs/examples/street_report.yml').read_text())
    for section in content['sections']:
        section.update(baselines=['copy-last', 'oracle'], horizons=[2])
    s2s, f2f, d2d = content['sections']
    for seed in range(2):
        torch.manual_seed(seed)
        weights = tmp_path / f'{seed}.pth'
        model = build_forecaster(load_config(str(repository / s2s['config'])))
        torch.save(dict(state_dict=model.state_dict()), weights)
        s2s['models'] += [['S2S-warp', s2s['config'], str(weights)]]
    s2s['models'] = s2s['models'][1:]
    f2f['baselines'], f2f['models'] = ['copy-last'], f2f['models']
    d2d['models'] = []
    (tmp_path / 'sections.yml').write_text(yaml.safe_dump(content))
    return tmp_path / 'sections.yml'


@pytest.mark.slow
def test_report_of_all_systems(
    run_tool, monkeypatch, repository, street_sections, on_street, tmp_path, capsys, open_page
):
    monkeypatch.chdir(repository)
    out = tmp_path / 'new/street.html'
    options = ['--sections', street_sections, '--out', out, '--clips', 1, '--height', 96]
    run_tool('analysis_tools/report.py', *options, '--cfg-options', *on_street)
    assert re.search(rf'written to {out} \(0\.\d MB\)', capsys.readouterr().out)
    page = open_page(out, width=360)
    assert page.locator('h1').inner_text() == 'Half a second ahead on the synthetic street'
    assert page.locator('nav a').count() == 4
    rows = [[t.strip() for t in page.locator(f'#section-{n} tbody th').all_inner_texts()] for n in (1, 2, 3)]
    assert rows == [
        ['copy-last', 'S2S-warp', 'oracle'],
        ['copy-last', 'F2F-warp'],
        ['copy-last', 'oracle'],
    ]
    assert page.locator('#section-1 td', has_text='±').count() == 2
    assert [page.locator(f'#section-{n} .clip').count() for n in (1, 2, 3)] == [1, 1, 1]
    assert all(page.locator(f'#section-{n} svg.chart').count() >= 2 for n in (1, 2, 3))
    broken = page.evaluate('[...document.images].filter(image => !image.naturalWidth).length')
    assert broken == 0 and page.evaluate('document.documentElement.scrollWidth') == 360
    page.locator('#section-1 summary').first.click()
    assert "type='WarpCorrectPredictor'" in page.locator('#section-1 pre').first.inner_text()
    assert str(tmp_path / '1.pth') in page.locator('#section-1 details').first.inner_text()
    picture = page.locator('#section-2 .panels').screenshot()
    assert np.asarray(Image.open(io.BytesIO(picture)).convert('RGB')).std() > 15


def test_clips_lie_evenly_and_are_those_of_the_first_seed():
    def sample(index, seed):
        meta = dict(sequence_id=f's{index}', frame_indices=[0, 1], num_past=1, seed=seed)
        return ForecastDataSample(metainfo=meta)

    collector = ClipCollector(2, horizon=3, total=8)
    for steps in (1, 3):
        for name, seed in (('a', 0), ('a', 1), ('b', 0), ('oracle', 0)):
            for index in range(8):
                collector(name, steps, sample(index, seed), index)
    assert list(collector.clips) == [('s2', 0, 1), ('s6', 0, 1)]
    clip, samples = collector.clips['s2', 0, 1]
    assert clip == 2 and list(samples) == ['a', 'b'] and samples['a'].seed == 0
    none = ClipCollector(0, 3, 8)
    none('a', 3, sample(0, 0), 0)
    assert none.clips == {}


def test_one_step_has_no_charts_and_steps_have_no_seconds():
    rows = [{'method': 'a', 'parameters': 1234567, 'mIoU @2 steps': 50.0, 'unit': 'steps', 'curves': {}}]
    series = styled_series(rows)
    assert charts_of(rows, ['mIoU'], series) == ([], [])
    table = table_of(rows, list(rows[0])[:3], series)
    assert table.lead == ['method', 'parameters'] and table.groups[0].time == '2 steps'
    assert [cell.text for cell in table.rows[0].cells] == ['1,234,567', '50.0']
    rows[0]['curves'] = {('mIoU', 2): [[(1, 60.0), (2, 50.0)]]}
    charts, shown = charts_of(rows, ['mIoU', 'AP'], series)
    assert [chart.title for chart in charts] == ['mIoU'] and shown == [series['a']]
    assert 'steps ahead' in charts[0].svg


def test_what_was_forecast_is_said_in_a_sentence():
    settings = dict(type='Clips', data_root='data/x', num_past=4, stride=3)
    cfg = Config(dict(test_dataloader=dict(dataset=settings)))
    dataset = type('Clips', (list,), dict(metainfo=dict(fps=17.0)))([0] * 5)
    assert data_sentence(cfg, dataset, [3, 1]) == (
        'Data: 5 clips of Clips (data/x). From 4 past frames, 0.18 s apart, each method forecasts '
        '0.18 s and 0.53 s ahead.'
    )
    dataset.metainfo = {}
    assert data_sentence(cfg, dataset, [1, 2]).endswith(
        'From 4 past frames, each method forecasts 1 step and 2 steps ahead.'
    )


def test_environment_names_versions_and_the_command(monkeypatch):
    monkeypatch.setattr('sys.argv', ['report.py', 'a b'])
    found = dict(environment())
    assert found['torch'] == version('torch') and found['Command'] == "report.py 'a b'"
    assert {'mmforecast', 'Python', 'mmengine', 'mmcv', 'mmdet', 'Device'} <= set(found)


@pytest.mark.parametrize(
    'content, sentence',
    [
        ('[1, 2]', 'needs sections, a list of one or more dicts'),
        ('sections: []', 'needs sections, a list of one or more dicts'),
        ('title: [', 'can not be read'),
        ('titel: x', r"has unknown keys \['titel'\]; known are \['sections', 'text', 'title'\]"),
        ('sections: [{title: x}]', 'section 1 of .* lacks config'),
        ('sections: [{config: x, model: y}]', r"section 1 of .* has unknown keys \['model'\]"),
        ('sections: [{config: x, models: [[a, b]]}]', r'is \[name, config, checkpoint\], got'),
    ],
)
def test_bad_section_files_end_in_one_sentence(tmp_path, content, sentence):
    (tmp_path / 'sections.yml').write_text(content)
    with pytest.raises(ValueError, match=sentence):
        report.read_sections(str(tmp_path / 'sections.yml'))


def test_bad_options_end_in_one_sentence(repository):
    parser = argparse.ArgumentParser()
    report.add_parser(parser.add_subparsers())
    config = str(repository / 'configs/s2s/s2s_warp_tiny_synthetic.py')
    for options, sentence in (
        ([], 'give a config, or --sections FILE, and not both'),
        ([config, '--sections', 'x.yml'], 'give a config, or --sections FILE, and not both'),
        (['--sections', 'x.yml', '--model', 'a', 'b', 'c'], '--model belongs to a config'),
        (['--sections', 'x.txt'], 'takes a .yml, .yaml or .json file, got x.txt'),
        ([config, '--clips', '-1'], 'clips must be 0 or more, got -1'),
    ):
        with pytest.raises(ValueError, match=sentence):
            report.main(parser.parse_args(['report', *options]))


def test_revision_is_of_the_checkout(monkeypatch, tmp_path):
    from mmforecast.apis import report_parts

    package = SimpleNamespace(__file__=str(tmp_path / 'mmforecast/__init__.py'))
    monkeypatch.setattr(report_parts, 'mmforecast', package)
    assert report_parts._revision() == ''  # installed, not checked out
    (tmp_path / '.git').mkdir()
    assert report_parts._revision() == ''  # git can't read it
