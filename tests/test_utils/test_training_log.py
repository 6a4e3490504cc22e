import json

import numpy as np
import pytest

from mmforecast.utils.training_log import read_log, smooth, time_statistics


def train(step, loss, time=1.0, **more):
    return dict(loss=loss, time=time, data_time=time / 4, iter=step, step=step, **more)


def write(folder, records):
    file = folder / 'vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join(map(json.dumps, records)) + '\n')
    return file


def test_curves_of_a_run_by_iterations(tmp_path):
    file = write(
        tmp_path / 'work/1',
        [
            train(5, 3.0),
            dict(mIoU=10.0, time=9.0, step=6),
            train(10, 2.0),
            dict(mIoU=12.0, step=12),
        ],
    )
    (tmp_path / 'work/1/1.log').touch()
    for path in (file, tmp_path / 'work/1', tmp_path / 'work', tmp_path / 'work/1/1.log'):
        log = read_log(path)
        assert [axis.tolist() for axis in log.curve('loss')] == [[5, 10], [3, 2]]
        assert [axis.tolist() for axis in log.curve('mIoU')] == [[6, 12], [10, 12]]
        assert log.keys() == ['loss', 'time', 'data_time', 'mIoU']
    assert read_log(tmp_path / 'work').name == 'work' and read_log(file).name == '1'


def test_validations_by_epoch_stand_where_the_training_was(tmp_path):
    records = [
        *(train(50, 3.0, epoch=1), train(100, 2.0, epoch=1), dict(mIoU=1.0, step=1)),
        *(train(150, 2.0, epoch=2), train(200, 1.0, epoch=2), dict(mIoU=2.0, step=2)),
    ]
    steps, _ = read_log(write(tmp_path, records)).curve('mIoU')
    assert steps.tolist() == [100, 200]


def test_a_resumed_run_takes_the_place_of_what_was_lost(tmp_path):
    write(tmp_path / '20260101', [train(5, 5.0), train(10, 4.0), train(15, 3.0)])
    write(tmp_path / '20260102', [train(10, 4.5), train(20, 2.0)])
    assert [a.tolist() for a in read_log(tmp_path).curve('loss')] == [[5, 10, 20], [5, 4.5, 2]]


def test_smoothing_is_an_unbiased_average():
    assert smooth([4.0, 4.0, 4.0], 0.9) == pytest.approx([4, 4, 4])
    # by hand: (0.5 * 2) / 0.5, (0.5 * 1 + 0.5 * 6) / 0.75
    assert smooth([2.0, 6.0], 0.5) == pytest.approx([2, 3.5 / 0.75])
    assert smooth([1.0, 9.0], 0).tolist() == [1, 9]
    with pytest.raises(ValueError, match=r'smoothing must lie in \[0, 1\), got 1'):
        smooth([1.0], 1)


def test_time_statistics(tmp_path):
    times = [9.0, 1.0, 2.0, 6.0]
    records = [train(step, 0.0, time) for step, time in enumerate(times, 1)]
    log = read_log(write(tmp_path, [*records, dict(mIoU=1.0, time=100.0, step=4)]))
    found = time_statistics(log)
    assert found == pytest.approx(
        dict(
            mean=3,
            median=2,
            std=np.sqrt((4 + 1 + 9) / 3),
            fastest=1,
            slowest=6,
            data=0.75,
            values=3,
        )
    )
    assert time_statistics(log, include_outliers=True)['mean'] == 4.5


def test_bad_logs_end_in_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match='no log at .*LocalVisBackend'):
        read_log(tmp_path)
    file = write(tmp_path, [])
    file.write_text('')
    with pytest.raises(ValueError, match='is empty: nothing was logged yet'):
        read_log(tmp_path)
    file.write_text('{"mIoU": 3}\n')
    with pytest.raises(ValueError, match='line 1, is no record of a training'):
        read_log(tmp_path)
    file.write_text(json.dumps(train(1, 1.0)) + '\n')
    with pytest.raises(ValueError, match="has no 'mIoU'; it has: loss, time, data_time"):
        read_log(tmp_path).curve('mIoU')
    with pytest.raises(ValueError, match='--include-outliers'):
        time_statistics(read_log(tmp_path))


def test_the_tool_draws_and_prints(run_tool, tmp_path, capsys):
    for name in ('a', 'b'):
        write(tmp_path / name / '1', [train(5 * k, 9.0 / k) for k in (1, 2, 3)])
    logs, out = [tmp_path / 'a', tmp_path / 'b'], tmp_path / 'pictures/curves.svg'
    options = [
        '--keys',
        'loss',
        '--keys',
        'time',
        '--smooth',
        0.5,
        '--title',
        'Losses',
        '--out',
        out,
    ]
    run_tool('analysis_tools/analyze_logs.py', 'plot_curve', *logs, *options)
    assert out.read_text().count('<!-- a: ') == 2 and '<!-- Losses -->' in out.read_text()
    run_tool('analysis_tools/analyze_logs.py', 'cal_train_time', *logs)
    assert 'b: 1.0000 s per iteration, 0.2500 s of it' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/analyze_logs.py', 'plot_curve', *logs, '--legend', 'one')
    assert '--legend has 1 names for 2 logs' in capsys.readouterr().err
