import cv2
import pytest

S2S = 'configs/s2s'


@pytest.fixture(autouse=True)
def in_repository(monkeypatch, repository):
    monkeypatch.chdir(repository)


def on_street(root, *loaders):
    """Options that point a config's loaders to the small street, and load in this process."""
    options = []
    for loader in loaders or ('test_dataloader',):
        options += [
            f'{loader}.dataset.data_root={root}',
            f'{loader}.num_workers=0',
            f'{loader}.persistent_workers=False',
        ]
    return options


def test_compare_prints_and_writes_the_table(run_tool, street_root, tmp_path, capsys):
    run_tool(
        'analysis_tools/compare.py',
        f'{S2S}/s2s_warp_tiny_synthetic.py',
        '--horizons',
        1,
        '--out',
        tmp_path,
        '--cfg-options',
        *on_street(street_root),
    )
    text = (tmp_path / 'table.txt').read_text()
    assert [line.split()[0] for line in text.splitlines()[2:]] == [
        'copy-last',
        'flow',
        'ego-motion',
        'ego-regions',
        'oracle',
    ]
    assert text in capsys.readouterr().out
    assert {p.suffix for p in tmp_path.iterdir()} == {'.txt', '.md', '.csv', '.json'}


def test_browse_dataset_draws_clips(run_tool, street_root, tmp_path, capsys):
    run_tool(
        'analysis_tools/browse_dataset.py',
        f'{S2S}/s2s_warp_tiny_synthetic.py',
        '--number',
        2,
        '--out-dir',
        tmp_path,
        '--cfg-options',
        *on_street(street_root, 'val_dataloader'),
    )
    pictures = sorted(tmp_path.glob('*.png'))
    assert len(pictures) == 2 and '2 of 2 clips' in capsys.readouterr().out
    assert cv2.imread(str(pictures[0])).std() > 10


def test_benchmarks_run(run_tool, street_root, capsys):
    run_tool(
        'analysis_tools/benchmark.py',
        'train',
        f'{S2S}/s2s_2scale_tiny_synthetic.py',
        '--blocks',
        1,
        '--steps',
        1,
        '--cfg-options',
        'model.predictor.widths=[[8],[8]]',
        'model.predictor.kernels=[[3,3],[3,3]]',
        *on_street(street_root, 'train_dataloader'),
    )
    assert 'runner / bare: median' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/benchmark.py', 'train', f'{S2S}/s2s_warp_tiny_synthetic.py')
    assert 'MultiScalePredictor' in capsys.readouterr().err


def test_an_empty_data_root_ends_in_one_sentence(run_tool, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run_tool(
            'analysis_tools/browse_dataset.py',
            f'{S2S}/s2s_warp_tiny_synthetic.py',
            '--cfg-options',
            *on_street(tmp_path, 'val_dataloader'),
        )
    assert end.value.code == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_extract_representations_needs_a_segmentor(run_tool, street_root, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_tool(
            'extract_representations.py',
            f'{S2S}/s2s_warp_tiny_synthetic.py',
            'none',
            '--out',
            tmp_path,
            '--splits',
            'val',
            '--cfg-options',
            *on_street(street_root, 'val_dataloader'),
        )
    assert 'SegmentorEncoder' in capsys.readouterr().err
