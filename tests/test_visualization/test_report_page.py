"""A page of known numbers, opened in a real browser."""

import io

import numpy as np
import pytest
from PIL import Image

from mmforecast.apis.compare import comparison_columns, comparison_table
from mmforecast.apis.report import ClipCollector, view_of
from mmforecast.visualization.report import ConfigView, Page, write_page

NASTY = '<script>alert(1)</script> & "quotes" \'</style>'
META = dict(classes=('road', 'square'), palette=((128, 64, 128), (0, 0, 142)), moving_ids=None)


def row(method, values, **more):
    """Scores of one or more seeds, short and mid term, and curves of three steps."""
    scores = {
        f'{metric} @{time}': value
        for time, value in zip(('0.18s', '0.53s'), values)
        for metric in ('mIoU', 'IoU-MO')
    }
    seeds = [v if isinstance(v, list) else [v] for v in values]
    curve = [[(0.18, a), (0.35, (a + b) / 2), (0.53, b)] for a, b in zip(*seeds)]
    curves = {('mIoU', 3): curve, ('IoU-MO', 3): curve}
    return dict(method=method, parameters=0, unit='seconds', curves=curves, **scores, **more)


ROWS = [
    row('copy-last', (52.5, 35.75)),
    row(NASTY, ([71.1, 70.7, 70.9], [50.5, 51.5, 50.3]), note='a note with <b>'),
    row('oracle', (100.0, 100.0)),
]


@pytest.fixture
def view(make_clip):
    sample, frames = make_clip(num_past=2, num_future=3)
    collector = ClipCollector(1, 3, 1)
    for name in ('copy-last', NASTY, 'oracle'):
        collector(name, 3, sample, frames)
    view = view_of('Label maps', ROWS, comparison_columns(ROWS), collector, META, height=64)
    view.configs = [ConfigView(NASTY, 'configs/x.py', f"model = '{NASTY}'", 'whole', 'a.pth')]
    return view


@pytest.fixture
def path(view, tmp_path):
    page = Page(f'Title {NASTY}', '2026-01-01', [view, view], NASTY, [('Command', NASTY)])
    write_page(tmp_path / 'new/report.html', page)
    return tmp_path / 'new/report.html'


def texts(page, selector):
    return [text.strip() for text in page.locator(selector).all_inner_texts()]


def shown(page):
    """(method, frame) of the pictures that are seen in the first clip."""
    return page.locator('.clip').first.evaluate(
        """clip => [...clip.querySelectorAll('img')]
            .filter(image => getComputedStyle(image).visibility === 'visible' && image.naturalWidth > 0)
            .map(image => Number(image.dataset.frame))"""
    )


def wait_for(page, slider, frame, seconds=10):
    """Until a clip is at a frame; the page's security policy forbids playwright's own waiting for scripts."""
    for _ in range(50 * seconds):
        if slider.input_value() == str(frame):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f'the clip never came to frame {frame}')


def test_table_shows_the_numbers_of_the_text_table(open_page, path):
    page = open_page(path)
    lines = comparison_table(ROWS, comparison_columns(ROWS), 'csv').splitlines()
    assert lines[0].startswith('method,parameters,mIoU @0.18s')
    assert texts(page, '#section-1 tbody th') == ['copy-last', NASTY, 'oracle']
    cells = [texts(page, f'#section-1 tbody tr:nth-child({n}) td') for n in (1, 2, 3)]
    assert cells == [
        ['0', '52.5', '52.5', '35.8', '35.8'],
        ['0', *['70.9 ± 0.2'] * 2, *['50.8 ± 0.6'] * 2],
        ['0', *['100.0'] * 4],
    ]
    assert texts(page, '#section-1 td strong') == cells[1][1:]  # and never the oracle's
    assert texts(page, '#section-1 .group') == ['0.18 s ahead', '0.53 s ahead']
    assert texts(page, '#section-1 .meanings dt') == ['mIoU', 'IoU-MO']
    assert any('a note with <b>' in note for note in texts(page, '#section-1 .note'))


def test_page_holds_nothing_but_what_was_said(open_page, path):
    """Names and configs are text; that nothing is logged, loaded or run is open_page's business."""
    page = open_page(path)
    assert page.locator('script').count() == 1 and page.locator('b').count() == 0
    assert page.locator('h1').inner_text() == f'Title {NASTY}'
    page.locator('details').first.click()
    assert NASTY in page.locator('pre').first.inner_text()
    assert page.title() == f'Title {NASTY}'


def test_every_metric_has_a_chart(open_page, path):
    page = open_page(path)
    charts = page.locator('#section-1 svg.chart')
    assert charts.count() == 2
    assert charts.first.locator('.line').count() == 2  # the oracle is off the chart
    assert charts.first.locator('.mark').count() == 6
    assert charts.first.locator('.band').count() == 1
    assert texts(page, '#section-1 .legend.lines li') == ['copy-last', NASTY, 'oracle']
    drawn = charts.first.locator('.s0 .line').evaluate(
        'line => [line.getTotalLength(), getComputedStyle(line).stroke]'
    )
    assert drawn[0] > 200 and drawn[1] == 'rgb(0, 114, 178)'


@pytest.mark.parametrize('width', [360, 768, 1280])
def test_page_does_not_scroll_sideways(open_page, path, width):
    page = open_page(path, width=width)
    page.locator('details').first.click()
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    outside = page.evaluate(
        """width => [...document.querySelectorAll('h1, h2, p, svg.chart, .controls > *, .panels img')]
            .filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML)""",
        width,
    )
    assert outside == []


def test_table_scrolls_inside_its_own_box_on_a_phone(open_page, path):
    page = open_page(path, width=360)
    box = page.locator('#section-1 .scroll')
    assert box.evaluate('box => box.scrollWidth > box.clientWidth && box.clientWidth <= 328')
    before = page.locator('#section-1 tbody th').first.bounding_box()['x']
    box.evaluate('box => box.scrollTo(200, 0)')
    assert page.locator('#section-1 tbody th').first.bounding_box()['x'] == before  # stays in sight


def test_player_plays_pauses_and_jumps(open_page, path):
    page = open_page(path)
    clip = page.locator('.clip').first
    button, slider, output = (clip.locator(name) for name in ('button', 'input', 'output'))
    assert output.inner_text() == 't + 0.53 s · forecast'  # motion isn't wanted: it waits
    assert shown(page) == [4, 4, 4]
    slider.fill('0')
    assert output.inner_text() == 't - 0.18 s · past'
    assert shown(page) == [0, 0, 0]  # the truth's past, in every panel
    slider.press('ArrowRight')
    slider.press('ArrowRight')
    assert shown(page) == [2, 2, 2] and output.inner_text() == 't + 0.18 s · forecast'
    assert slider.get_attribute('aria-valuetext') == 't + 0.18 s · forecast'
    button.click()
    assert button.inner_text() == 'Pause'
    wait_for(page, slider, 3)
    wait_for(page, slider, 4)
    wait_for(page, slider, 0)  # from the beginning
    button.click()
    frame = shown(page)
    page.wait_for_timeout(500)
    assert button.inner_text() == 'Play' and shown(page) == frame


def test_clips_play_by_themselves_where_motion_is_welcome(open_page, path):
    page = open_page(path, reduced_motion='no-preference')
    page.locator('.clip').first.scroll_into_view_if_needed()
    wait_for(page, page.locator('.clip input').first, 1)
    page.locator('.clip input').first.fill('3')
    page.wait_for_timeout(500)
    assert shown(page) == [3, 3, 3]


def test_pictures_stand_still_without_scripts(open_page, path):
    page = open_page(path, java_script_enabled=False)
    visible = [image for image in page.locator('.clip').first.locator('img').all() if image.is_visible()]
    assert [image.get_attribute('data-frame') for image in visible] == ['4', '4', '4']
    assert not page.locator('.controls').first.is_visible()
    assert page.locator('.no-script').first.is_visible()


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_picture_of_the_page(open_page, path, scheme):
    page = open_page(path, color_scheme=scheme)
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert('RGB'))
    assert picture.std() > 15 and (picture.mean() > 128) == (scheme == 'light')
    contrast = page.evaluate(
        """() => ['body', '.muted', 'td strong', '.clip output'].map(name => {
            const light = color => color.match(/[0-9]+/g).slice(0, 3).map(Number).map(v => v / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
            const [a, b] = [light(getComputedStyle(document.querySelector(name)).color),
                light(getComputedStyle(document.body).backgroundColor)].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        })"""
    )
    assert min(contrast) >= 4.5  # WCAG 2, AA
