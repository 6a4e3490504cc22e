"""The round trip on the small street: nothing is lost that can be known."""

import re


def test_label_maps_and_objects_come_back(run_tool, capsys, monkeypatch, repository, street_root):
    monkeypatch.chdir(repository)
    run_tool(
        'analysis_tools/d2d_round_trip.py',
        'configs/d2d/d2d_warp_tiny_synthetic.py',
        *('--cfg-options', f'test_dataloader.dataset.data_root={street_root}'),
        *('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False'),
    )
    out = capsys.readouterr().out
    rows = re.findall(r'^(\w+) +(\d+) +(\d+) +([\d.]+) +(\d+) +([\d.]+)$', out, re.MULTILINE)
    assert [row[0] for row in rows] == ['core', 'centroid']
    for name, wrong, touching, touching_found, apart, apart_found in rows:
        assert wrong == '0' and int(touching) > 10 and int(apart) > 10
        if name == 'core':
            assert float(touching_found) >= 95 and float(apart_found) >= 99
