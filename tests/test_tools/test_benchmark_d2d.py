"""The benchmark of D2D runs, and measures what it says."""

import re


def test_decoding_is_timed_by_size(run_tool, capsys):
    run_tool(
        'analysis_tools/benchmark_d2d.py',
        *('decode', '--heights', 32, 64, '--objects', 5, '--repeats', 1),
    )
    out = capsys.readouterr().out
    rows = re.findall(r'^(\d+x\d+) +(\d) +(\d) +([\d.]+)', out, re.MULTILINE)
    assert [row[0] for row in rows] == ['32x64', '64x128']
    assert all(0 < int(found) <= int(objects) <= 5 for _, objects, found, _ in rows)


def test_forecasters_are_timed_side_by_side(run_tool, capsys, monkeypatch, repository, street_root):
    monkeypatch.chdir(repository)
    config = 'configs/d2d/d2d_warp_tiny_synthetic.py'
    run_tool(
        'analysis_tools/benchmark_d2d.py',
        *('inference', config, f'{config}:flow-shift', '--clips', 1, '--repeats', 1),
        *('--cfg-options', f'test_dataloader.dataset.data_root={street_root}'),
        *('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False'),
    )
    out = capsys.readouterr().out
    rows = re.findall(r'^(d2d_\S+) +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)', out, re.MULTILINE)
    assert [row[:2] for row in rows] == [
        ('d2d_warp_tiny_synthetic', '118235'),
        ('d2d_warp_tiny_synthetic:flow-shift', '0'),
    ]
    for *_, encode, rollout, decode, total in rows:
        parts = [float(encode), float(rollout), float(decode)]
        assert abs(sum(parts) - float(total)) < 0.2 and min(float(encode), float(decode)) > 0
