"""The lists of what reproduces a system's tables, and the tool that runs them."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from mmforecast.apis.compare import baselines_of
from mmforecast.apis.reproduce import read_config, read_steps, remaining_minutes, run_steps

ROOT = Path(__file__).resolve().parents[2]
LISTS = sorted(path.parent.name for path in ROOT.glob('configs/*/reproduce.yml'))


def write_list(folder, **sections):
    path = folder / 'reproduce.yml'
    path.write_text(yaml.safe_dump(sections, sort_keys=False))
    return path


def counting(folder, name, status=0, minutes=2):
    """A command that adds a line to a file of its own."""
    script = f'import sys; open(r"{folder}/{name}.txt", "a").write("x"); print("ran"); sys.exit({status})'
    return dict(name=name, run=f"python -c '{script}'", minutes=minutes)


def runs(folder, name):
    path = folder / f'{name}.txt'
    return len(path.read_text()) if path.exists() else 0


def test_done_steps_are_skipped_and_a_changed_one_runs_again(tmp_path):
    work = tmp_path / 'work'
    listed = write_list(tmp_path, commands=[counting(tmp_path, 'a'), counting(tmp_path, 'b', status=3)])
    shown = []
    assert not run_steps(read_steps(listed, work), work, shown.append)
    assert (runs(tmp_path, 'a'), runs(tmp_path, 'b')) == (1, 1)
    assert shown[0] == '[1/2] a: about 2 min, 4 min to go in all'
    assert shown[1].startswith('[2/2] b: about 2 min')
    assert 'b failed with status 3' in shown[2] and 'ran\n' in shown[2]

    listed = write_list(tmp_path, commands=[counting(tmp_path, 'a'), counting(tmp_path, 'b')])
    shown.clear()
    assert run_steps(read_steps(listed, work), work, shown.append)
    assert shown[0] == '[1/2] a: done before'
    assert (runs(tmp_path, 'a'), runs(tmp_path, 'b')) == (1, 2)
    assert run_steps(read_steps(listed, work), work, shown.append)
    assert (runs(tmp_path, 'a'), runs(tmp_path, 'b')) == (1, 2)
    assert (work / 'logs' / 'a.log').read_text().endswith('ran\n')


def test_the_estimate_goes_by_the_pace_of_what_is_done(tmp_path):
    commands = [counting(tmp_path, name, minutes=minutes) for name, minutes in (('a', 2), ('b', 4), ('c', 6))]
    listed = write_list(tmp_path, commands=commands)
    assert remaining_minutes(read_steps(listed, tmp_path)) == 12
    step = read_steps(listed, tmp_path)[0]
    mark = tmp_path / 'done' / 'a.json'
    mark.parent.mkdir()
    mark.write_text(json.dumps(dict(command=step.text, seconds=180)))  # three minutes instead of two
    assert remaining_minutes(read_steps(listed, tmp_path)) == pytest.approx(15)


def test_trainings_and_tables_become_commands(tmp_path):
    train, ft = 'configs/s2s/s2s_last_tiny_synthetic.py', 'configs/s2s/s2s_2scale_ar-ft_tiny_synthetic.py'
    listed = write_list(
        tmp_path,
        trainings=[
            dict(name='one', config=str(ROOT / train), seeds=[0, 1], minutes=5),
            {'name': 'two', 'config': str(ROOT / ft), 'from': 'one', 'seeds': [1], 'minutes': 5},
        ],
        tables=[
            dict(
                name='street',
                config=str(ROOT / train),
                rows={
                    'S2S': 'one',
                    'other': dict(training='two', config='other.py'),
                    'untrained': dict(config='plain.py'),
                },
                horizons=[1, 3],
                costs=True,
                options={'test_dataloader.dataset.split': 'test'},
                minutes=3,
            )
        ],
    )
    steps = read_steps(listed, Path('work'), ['train_cfg.max_iters=7'])
    assert [step.name for step in steps] == ['one-seed0', 'one-seed1', 'two-seed1', 'table-street']
    first, _, second, table = (step.command for step in steps)
    assert first[0] == sys.executable and first[1:] == [
        *('tools/train.py', str(ROOT / train), '--resume', '--work-dir', 'work/one-seed0'),
        *('--cfg-options', 'randomness.seed=0', 'train_cfg.max_iters=7'),
    ]
    assert 'load_from=work/one-seed1/iter_7.pth' in second
    at = [index for index, word in enumerate(table) if word == '--model']
    assert [table[index + 1 : index + 4] for index in at] == [
        ['S2S', 'work/one-seed0/s2s_last_tiny_synthetic.py', 'work/one-seed0/iter_7.pth'],
        ['S2S', 'work/one-seed1/s2s_last_tiny_synthetic.py', 'work/one-seed1/iter_7.pth'],
        ['other', 'other.py', 'work/two-seed1/iter_7.pth'],
        ['untrained', 'plain.py', 'none'],
    ]
    assert table[-4:] == [
        *('--costs', '--cfg-options', 'test_dataloader.dataset.split=test', 'train_cfg.max_iters=7')
    ]
    (whole, *_) = read_steps(listed, Path('work'), seeds=[4])
    assert whole.name == 'one-seed4'
    assert 'work/one-seed4/iter_500.pth' in read_steps(listed, Path('work'), seeds=[4])[-1].command


def test_image_tables_name_every_seed_and_the_folder_of_a_timed_run(tmp_path):
    gan, timed, judge = (
        str(ROOT / 'configs/creative_gan' / name)
        for name in (
            'dcgan_tiny_garments-64.py',
            'dcgan_300s_textures-64.py',
            'attribute-classifier_tiny_textures-64.py',
        )
    )
    listed = write_list(
        tmp_path,
        trainings=[
            dict(name='judge', config=judge, minutes=1),
            dict(name='gan', config=gan, seeds=[0, 1], options={'train_cfg.max_iters': 9}, minutes=1),
            dict(name='timed', config=timed, minutes=5),
        ],
        image_tables=[
            dict(
                name='sheet',
                data='data.py',
                classifiers=['judge'],
                rows={'DCGAN': 'gan', 'timed': 'timed'},
                number=500,
                features='efficientnet-lite0',
                calibrate=True,
                options={'train_dataloader.dataset.num_images': 40},
                minutes=2,
            )
        ],
    )
    table = read_steps(listed, Path('work'))[-1]
    assert table.name == 'table-sheet' and table.shows == Path('work/tables/sheet/table.md')
    assert table.command[1:] == [
        *('tools/analysis_tools/evaluate_images.py', 'data.py', '--out', 'work/tables/sheet'),
        # the configs that the runs dumped, with the overrides of their networks
        *('--classifier', f'work/judge-seed0/{Path(judge).name}', 'work/judge-seed0/iter_2000.pth'),
        *('--sampler', 'DCGAN', f'work/gan-seed0/{Path(gan).name}', 'work/gan-seed0/iter_9.pth'),
        *('--sampler', 'DCGAN', f'work/gan-seed1/{Path(gan).name}', 'work/gan-seed1/iter_9.pth'),
        *('--sampler', 'timed', f'work/timed-seed0/{Path(timed).name}', 'work/timed-seed0'),
        *('--number', '500', '--features', 'efficientnet-lite0', '--calibrate'),
        *('--cfg-options', 'train_dataloader.dataset.num_images=40'),
    ]


@pytest.mark.parametrize(
    'sections, message',
    [
        (dict(train=[]), "unknown names .'train'."),
        (dict(commands=[dict(name='a', run='x', minutes=1, when=2)]), "unknown names .'when'."),
        (dict(commands=[dict(name='a', run='x')]), "the entry 'a' lacks minutes"),
        (dict(trainings=[dict(name='a', minutes=1)]), "the entry 'a' lacks config"),
        (dict(commands=['ls']), 'must list entries with a name'),
        (dict(commands=[dict(name='a', run='x', minutes=1)] * 2), 'several steps of the name a'),
        (
            dict(image_tables=[dict(name='t', data='x', classifiers=['c'], minutes=1)]),
            "the entry 't' lacks rows",
        ),
        (
            dict(tables=[dict(name='t', config='x', rows={'S2S': 'none'}, minutes=1)]),
            "t needs a training 'none', but there are none",
        ),
    ],
)
def test_a_bad_list_is_refused_in_a_sentence(sections, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_steps(write_list(tmp_path, **sections), tmp_path)


@pytest.mark.parametrize('system', LISTS)
def test_the_lists_name_what_is_there(system, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    path = Path('configs', system, 'reproduce.yml')
    steps = read_steps(path, tmp_path)
    content = yaml.safe_load(path.read_text())
    for step in steps:
        for word in step.command[1:3]:
            assert not word.endswith('.py') or Path(word).is_file(), word
    tables = content.get('tables') or []
    image_tables = content.get('image_tables') or []
    rows = [row for table in (*tables, *image_tables) for row in (table.get('rows') or {}).values()]
    rows += [name for table in image_tables for name in table['classifiers']]
    used = {row.get('training') if isinstance(row, dict) else row for row in rows} - {None}
    trainings = content.get('trainings') or []
    used |= {entry['from'] for entry in trainings if 'from' in entry}
    assert used == {entry['name'] for entry in trainings}  # nothing is trained for no table
    for table in tables:
        if table.get('baselines'):
            assert set(table['baselines']) <= set(baselines_of(Config.fromfile(table['config'])))
    for entry in trainings:  # the options name keys that the configs have, or that parts take
        assert read_config(entry['config']).train_cfg['max_iters'] > 0


def test_the_list_of_all_systems_runs_steps_and_merges_tables_of_the_others(monkeypatch):
    monkeypatch.chdir(ROOT)
    work = Path('work_dirs/reproduce')
    *systems, merge = read_steps(Path('configs/all_systems/reproduce.yml'), work / 'all_systems')
    produced = set()
    for step in systems:
        tool, system, *only = step.command[1:]
        assert tool == 'tools/reproduce.py' and only[:1] in ([], ['--only'])
        there = read_steps(Path('configs', system, 'reproduce.yml'), work / system)
        assert set(only[1:]) <= {other.name for other in there}
        run = [other for other in there if not only or other.name in only]
        produced |= {str(other.shows.parent) for other in run if other.shows is not None}
        words = [word for other in run for word in other.command]
        trained = {Path(words[at + 1]) for at, word in enumerate(words) if word == '--work-dir'}
        read = {Path(word.removeprefix('load_from=')).parent for word in words if word.endswith('.pth')}
        assert read and read <= trained
    words = merge.command
    assert {word for word in words if '/tables/' in word} <= produced
    assert str(merge.shows) == words[words.index('--out') + 1]


def test_what_a_command_writes_is_shown(tmp_path):
    write = f'python -c \'open(r"{tmp_path}/t.md", "w").write("a table")\''
    listed = write_list(
        tmp_path, commands=[dict(name='a', run=write, minutes=1, shows=str(tmp_path / 't.md'))]
    )
    shown = []
    assert run_steps(read_steps(listed, tmp_path / 'work'), tmp_path / 'work', shown.append)
    assert shown[-1] == 'a table'


def test_seeds_and_options_are_refused_where_they_reach_nothing(tmp_path):
    listed = write_list(tmp_path, commands=[counting(tmp_path, 'a')])
    for given in (dict(seeds=[1]), dict(options=['a.b=1'])):
        with pytest.raises(ValueError, match='has only commands, which no option and no seed reaches'):
            read_steps(listed, tmp_path / 'work', **given)


def run_tool(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['reproduce.py', *map(str, arguments)])
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / 'tools/reproduce.py'), run_name='__main__')


def test_a_dry_run_prints_the_estimate_and_runs_nothing(monkeypatch, tmp_path, capsys):
    run_tool(monkeypatch, 'd2d', '--dry-run', '--work-dir', tmp_path / 'work', '--seeds', 5)
    first, *rest = capsys.readouterr().out.splitlines()
    steps = read_steps(ROOT / 'configs/d2d/reproduce.yml', tmp_path / 'work', seeds=[5])
    total = round(sum(step.minutes for step in steps))
    assert first == f'{len(steps)} steps, 0 of them done; about {total} min to go'
    assert any(line.startswith('d2d-seed5 (') for line in rest)
    assert not (tmp_path / 'work').exists()


def test_an_unknown_step_is_named(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_tool(monkeypatch, 'd2d', '--only', 'dinner', '--work-dir', tmp_path)
    assert 'there is no step dinner; the steps are street' in capsys.readouterr().err


@pytest.mark.slow
def test_a_whole_list_with_tiny_steps(data, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    config = 'configs/s2s/s2s_last_tiny_synthetic.py'
    listed = write_list(
        tmp_path,
        trainings=[
            dict(name='one', config=config, minutes=1),
            {'name': 'two', 'config': config, 'from': 'one', 'minutes': 1},
        ],
        tables=[
            dict(
                name='t', config=config, rows={'S2S': 'two'}, baselines=['copy-last'], horizons=[1], minutes=1
            )
        ],
    )
    options = [*map(str, data), 'train_cfg.max_iters=2', 'param_scheduler.1.end=60']
    work, shown = tmp_path / 'work', []
    assert run_steps(read_steps(listed, work, options), work, shown.append), shown
    assert (work / 'two-seed0' / 'iter_2.pth').exists()
    assert '| S2S' in shown[-1] and '| copy-last' in shown[-1]
    again = read_steps(listed, work, options)
    assert all(step.seconds is not None for step in again) and remaining_minutes(again) == 0
