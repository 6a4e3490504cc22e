"""A study from its sheets to its tables, with invented answers of known means."""

import csv

import cv2
import numpy as np
import pytest

from mmforecast.creative.human_study import (
    QUESTIONS,
    assign,
    bootstrap_interval,
    draw_items,
    liking_by_metric,
)
from mmforecast.creative.human_study.answers import Answer

TOOL = 'analysis_tools/human_study.py'


@pytest.fixture
def folders(tmp_path):
    for number, (name, size) in enumerate(dict(real=20, dcgan=32, can=16).items()):
        (tmp_path / name).mkdir()
        for index in range(12):
            image = np.full((size, size, 3), 20 * index + number, np.uint8)
            cv2.imwrite(str(tmp_path / name / f'{name}_{index}.png'), image)
    return {name: str(tmp_path / name) for name in ('real', 'dcgan', 'can')}


def export(folders, run_tool, tmp_path, *options):
    sets = sum((['--set', name, folder] for name, folder in folders.items()), [])
    run_tool(
        TOOL,
        *['export', *sets, '--out', tmp_path / 'study', '--key', tmp_path / 'key.csv'],
        *['--per-set', 10, '--raters', 6, '--ratings', 4, '--size', 32, *options],
    )
    return tmp_path / 'study'


def fill_in(study, key, answer):
    """Fill all forms; ``answer`` gives the six fields of a set and an item."""
    for form in sorted(study.glob('rater_*.csv')):
        with open(form) as file:
            header, *rows = csv.reader(file)
        rows = [[row[0], *answer(key[row[0]], row[0], form.stem)] for row in rows]
        with open(form, 'w', newline='') as file:
            csv.writer(file).writerows([header, *rows])


def read_key(tmp_path):
    with open(tmp_path / 'key.csv') as file:
        return {row['item']: row for row in csv.DictReader(file)}


@pytest.mark.parametrize('raters, ratings, per_set', [(6, 4, 10), (10, 5, 8), (7, 3, 9), (5, 5, 4)])
def test_assignment_is_balanced(folders, raters, ratings, per_set):
    items = draw_items(folders, per_set)
    shares = assign(items, raters, ratings)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for name in folders:
        counts = [sum(item.set == name for item in share) for share in shares]
        assert max(counts) - min(counts) <= 1
    for item in items:
        assert sum(item in share for share in shares) == ratings
    assert all(len({item.id for item in share}) == len(share) for share in shares)
    assert assign(items, raters, ratings) == shares != assign(items, raters, ratings, seed=1)


def test_numbers_say_nothing(folders):
    items = draw_items(folders, 10)
    assert sorted(item.id for item in items) == [f'{n:02d}' for n in range(1, 31)]
    means = [np.mean([int(item.id) for item in items if item.set == name]) for name in folders]
    assert max(means) - min(means) < 10  # sets are mixed: in order they would be 10 apart
    assert [item.id for item in items] != sorted(item.id for item in items)


def test_sheets_hide_where_images_are_from(folders, run_tool, tmp_path):
    study = export(folders, run_tool, tmp_path)
    key = read_key(tmp_path)
    assert len(key) == 30 == len(list((study / 'images').iterdir()))
    for item, row in key.items():
        shown = cv2.imread(str(study / 'images' / f'{item}.png'))
        source = cv2.imread(f'{folders[row["set"]]}/{row["image"]}')
        assert shown.shape == (32, 32, 3) and (shown == source[0, 0]).all()
    texts = [path.read_text() for path in study.glob('rater_*.[ct][sx][vt]')]
    assert len(texts) == 12 and not any(name in text for name in folders for text in texts)
    pages = sorted(study.glob('rater_01_page_*.png'))
    assert len(pages) == 2 and cv2.imread(str(pages[0])).shape[1] == 4 * 40 + 8
    with open(study / 'rater_01.csv') as file:
        header, *rows = csv.reader(file)
    assert header == ['item', *(question.name for question in QUESTIONS)]
    assert len(rows) == 20 and all(not any(row[1:]) for row in rows)


def test_means_intervals_and_correlations(folders, run_tool, tmp_path, capsys):
    study = export(folders, run_tool, tmp_path)
    key = read_key(tmp_path)
    liking = dict(real='4', dcgan='2', can='3')

    def answer(row, item, rater):
        texture = '' if rater == 'rater_01' else '5'
        judged = 'Designer' if row['set'] == 'real' else 'computer'
        return [liking[row['set']], '1', texture, '1', str(1 + int(item) % 5), judged]

    fill_in(study, key, answer)
    metrics = tmp_path / 'per_image.csv'
    lines = ['set,image,novelty,noise,nearest']
    for row in key.values():
        lines.append(f'{row["set"]},{row["image"]},{-2 * int(liking[row["set"]])},,a.png')
    metrics.write_text('\n'.join(lines))
    run_tool(
        TOOL,
        *['aggregate', '--key', tmp_path / 'key.csv', '--metrics', metrics],
        *['--out', tmp_path / 'tables', '--answers', *sorted(study.glob('rater_*.csv'))],
    )
    with open(tmp_path / 'tables' / 'summary.csv') as file:
        rows = {row['set']: row for row in csv.DictReader(file)}
    assert rows['real']['liking'] == '4.00 [4.00, 4.00]' and rows['can']['liking'].startswith('3.00')
    assert rows['real']['images'] == '10' and rows['real']['ratings'] == '40'
    assert rows['real']['taken for human-made %'] == '100.00 [100.00, 100.00]'
    assert rows['dcgan']['taken for human-made %'].startswith('0.00')
    own = [1 + int(item) % 5 for item, row in key.items() if row['set'] == 'can']
    low, high = bootstrap_interval(own)
    expected = f'{np.mean(own):.2f} [{low:.2f}, {high:.2f}]'
    assert rows['can']['texture complexity'] == expected
    with open(tmp_path / 'tables' / 'correlations.csv') as file:
        (row,) = csv.DictReader(file)
    assert row['metric'] == 'novelty' and row['images'] == '30' and row['liking'] == '-1.00'
    assert row.get('shape novelty', '') == ''  # the same for all
    assert 'bootstrap intervals over images' in capsys.readouterr().out


def test_bootstrap_interval():
    assert bootstrap_interval([3.0]) == (3.0, 3.0)
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = bootstrap_interval(values)
    expected = 1.96 * values.std() / 20
    assert high - values.mean() == pytest.approx(expected, rel=0.1)
    assert values.mean() - low == pytest.approx(expected, rel=0.1)
    with pytest.raises(ValueError, match='values must not be empty'):
        bootstrap_interval([])


def fail(run_tool, capsys, *args):
    with pytest.raises(SystemExit) as exit:
        run_tool(TOOL, *args)
    assert exit.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_bad_exports(folders, run_tool, tmp_path, capsys):
    good = ['--set', 'real', folders['real'], '--per-set', 4, '--raters', 5]
    out = ['--out', tmp_path / 'study', '--key', tmp_path / 'key.csv']
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'a').touch()
    for options, sentence in (
        ([*good, '--out', tmp_path / 'study', '--key', tmp_path / 'study/k.csv'], 'the raters get'),
        ([*good, '--out', tmp_path / 'full', '--key', tmp_path / 'key.csv'], 'is not overwritten'),
        ([*good, *out, '--ratings', 6], 'needs 6 different raters, but there are 5'),
        ([*good, *out, '--per-set', 13], "'real' has 12 images"),
        ([*good, *out, '--per-set', 0], 'per_set must be an integer >= 1'),
        ([*good, *out, '--set', 'x', tmp_path / 'none'], 'there is no folder'),
        ([*good, *out, '--set', 'real', folders['can']], 'two sets have one name'),
    ):
        assert sentence in fail(run_tool, capsys, 'export', *options), sentence
    assert not (tmp_path / 'study').exists() and not (tmp_path / 'key.csv').exists()


HEADER = 'item,' + ','.join(question.name for question in QUESTIONS)


@pytest.mark.parametrize(
    'text, sentence',
    [
        (HEADER, 'none of the forms holds an answer'),
        (f'{HEADER}\n1,,,,,,', 'none of the forms holds an answer'),
        (f'{HEADER}\n1,6,1,1,1,1,designer', "line 2: liking is '6', but must be one of 1, 2, 3"),
        (f'{HEADER}\n1,5,1,1,1,1,robot', "made_by is 'robot', but must be one of designer, comp"),
        (f'{HEADER}\n9,5,1,1,1,1,designer', "item '9' is not in the key"),
        (f'{HEADER}\n1,5,1,1,1,1,\n1,5,1,1,1,1,', 'line 3 repeats item 1'),
        (f'{HEADER}\n1,5', 'line 2 has not as many fields as the first line (7)'),
        ('item,liking\n1,5', 'has no column shape_novelty'),
        (f'{HEADER}\n"1,5', 'is no CSV file'),
        ('', 'has no column item'),
    ],
)
def test_bad_forms(run_tool, tmp_path, capsys, text, sentence):
    (tmp_path / 'key.csv').write_text('item,set,image\n1,real,a.png\n2,can,b.png\n')
    (tmp_path / 'rater.csv').write_text(text)
    args = ['aggregate', '--key', tmp_path / 'key.csv', '--answers', tmp_path / 'rater.csv']
    assert sentence in fail(run_tool, capsys, *args)


def test_forms_as_spreadsheets_write_them(run_tool, tmp_path, capsys):
    (tmp_path / 'key.csv').write_text('item,set,image\n1,real,a.png\n')
    text = f'\ufeff{HEADER}\r\n1, 4 ,1,1,1,1,COMPUTER\r\n'.replace(',', ';')
    (tmp_path / 'rater.csv').write_text(text)
    run_tool(TOOL, 'aggregate', '--key', tmp_path / 'key.csv', '--answers', tmp_path / 'rater.csv')
    assert '4.00 [4.00, 4.00]' in capsys.readouterr().out


def test_bad_keys_and_metrics(run_tool, tmp_path, capsys):
    key, form, metrics = (tmp_path / f'{name}.csv' for name in ('key', 'form', 'metrics'))
    form.write_text(f'{HEADER}\n1,5,1,1,1,1,designer')
    args = ['aggregate', '--key', key, '--answers', form]
    assert 'there is no file' in fail(run_tool, capsys, *args)
    key.write_text('item,set,image\n1,real,a.png\n1,can,b.png\n')
    assert 'line 3 repeats item 1' in fail(run_tool, capsys, *args)
    key.write_text('item,set,image\n1,real,a.png\n')
    metrics.write_text('set,image,novelty\nother,a.png,3\n')
    assert 'none of the images of the study' in fail(run_tool, capsys, *args, '--metrics', metrics)
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b' / 'form.csv').write_text(form.read_text())
    assert 'are of one rater' in fail(run_tool, capsys, *args, tmp_path / 'b' / 'form.csv')


def simulated(page, form):
    """Answers of a simulated rater, by clicks, who likes even numbers; the last picture is left out."""
    items = page.locator('.item')
    for index in range(items.count() - 1):
        item = items.nth(index)
        number = int(item.get_attribute('data-item'))
        answers = dict(liking=5 - number % 2, shape_novelty=3, made_by=('computer', 'designer')[number % 2])
        for name, value in answers.items():
            item.locator(f'input[name$="/{name}"][value="{value}"]').check()
        page.click('#next')
    with page.expect_download() as download:
        page.click('#save')
    assert download.value.suggested_filename == form.name
    download.value.save_as(form)


@pytest.mark.slow
def test_form_in_a_browser_is_read_back(folders, run_tool, tmp_path, open_page, capsys):
    study = export(folders, run_tool, tmp_path, '--raters', 2, '--ratings', 2, '--per-set', 3)
    for number in (1, 2):
        page = open_page(study / f'rater_0{number}.html')
        assert page.locator('.item.shown').count() == 1
        assert page.locator('#place').inner_text() == 'picture 1 of 9, 0 answered'
        simulated(page, study / f'rater_0{number}.csv')
        assert page.locator('#place').inner_text() == 'picture 9 of 9, 8 answered'
    key = read_key(tmp_path)
    rows = [
        dict(set=row['set'], image=row['image'], **{'NN distance': int(item)}) for item, row in key.items()
    ]
    with open(tmp_path / 'metrics.csv', 'w', newline='') as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    run_tool(
        TOOL,
        *['aggregate', '--key', tmp_path / 'key.csv', '--answers', *sorted(study.glob('rater_*.csv'))],
        *['--metrics', tmp_path / 'metrics.csv', '--out', tmp_path / 'tables', '--title', 'simulated raters'],
    )
    assert cv2.imread(str(tmp_path / 'tables/liking.png')).shape[1] > 400
    with open(tmp_path / 'tables/summary.csv') as file:
        summary = {row['set']: row for row in csv.DictReader(file)}
    assert set(summary) == {'can', 'dcgan', 'real'}
    assert 'liking' in capsys.readouterr().out


def test_rows_of_the_figure_by_hand():
    key = {'1': ('a', 'x'), '2': ('a', 'y'), '3': ('b', 'z')}
    answers = [Answer('r', item, dict(liking=liked)) for item, liked in (('1', 2.0), ('2', 4.0), ('3', 5.0))]
    answers.append(Answer('s', '1', dict(liking=4.0)))
    metrics = {place: {'NN distance': value} for place, value in zip(key.values(), (1.0, 3.0, 7.0))}
    first, second = liking_by_metric(answers, key, metrics)
    assert (first['set'], first['images'], first['liking'], first['NN distance']) == ('a', 2, 3.5, 2.0)
    assert (
        first['points'].tolist() == [[1, 3], [3, 4]] and first['liking low'] == 3 and first['liking high'] == 4
    )
    assert (second['liking'], second['NN distance low']) == (5, 7)
    with pytest.raises(ValueError, match="no image of the study has both 'FID'"):
        liking_by_metric(answers, key, metrics, 'FID')
