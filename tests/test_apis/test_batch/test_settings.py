"""A folder holds the results of one batch."""

import pytest

from mmforecast.apis.batch.settings import BatchSettings, check_run, settle_run
from mmforecast.apis.batch.writing import ResultsError

MODEL = dict(model='video', device='cpu', stride=3)
BUILT = dict(title='video', every=3, classes=('road', 'car'))


def test_the_same_batch_goes_on(tmp_path):
    settings = BatchSettings(str(tmp_path), MODEL, every=3)
    assert check_run(settings) is None
    run = settle_run(settings, BUILT)
    elsewhere = BatchSettings(f'{tmp_path}/.', dict(MODEL, device='cuda:1'), every=3)
    assert settle_run(elsewhere, BUILT) == check_run(elsewhere) == run
    assert run['schema_version'] == 1 and run['built']['classes'] == ['road', 'car']


@pytest.mark.parametrize(
    'change, sentence',
    [
        (dict(every=5), 'every was 3, and is 5 now'),
        (dict(model=dict(MODEL, stride=4)), 'stride was 3, and is 4 now'),
        (dict(model=dict(MODEL, scale=(8, 4))), r'scale was None, and is \[8, 4\] now'),
        (dict(unit_frames=9), 'unit_frames was None, and is 9 now'),
        (dict(render=True), 'render was False, and is True now'),
    ],
)
def test_another_batch_is_refused(tmp_path, change, sentence):
    settle_run(BatchSettings(str(tmp_path), MODEL, every=3), BUILT)
    with pytest.raises(ValueError, match=f'holds results of another batch: {sentence}. Give'):
        check_run(BatchSettings(str(tmp_path), **{**dict(model=MODEL, every=3), **change}))


def test_another_model_is_refused(tmp_path):
    settings = BatchSettings(str(tmp_path), MODEL)
    settle_run(settings, dict(BUILT, weights='a1'))
    with pytest.raises(ValueError, match="weights was 'a1', and is 'b2' now"):
        settle_run(settings, dict(BUILT, weights='b2'))
    (tmp_path / 'run.json').write_text((tmp_path / 'run.json').read_text().replace(': 1,', ': 7,'))
    with pytest.raises(ValueError, match='its schema has version 7, and this program writes version 1'):
        check_run(settings)
    (tmp_path / 'run.json').write_text('{')
    with pytest.raises(ValueError, match='run.json is not the file that a batch writes'):
        check_run(settings)


def test_arguments():
    with pytest.raises(ValueError, match='every must be an integer >= 1, got 0'):
        BatchSettings('x', every=0)
    with pytest.raises(ResultsError, match='/proc/self/run.json cannot be written'):
        settle_run(BatchSettings('/proc/self'), {})
