"""Shipped configs on two processes: in step in training, exact in tests; two machines; restarts."""

import json
import shutil
import subprocess
import sys
import threading

import pytest
import torch

F2F = 'f2f/f2f_tiny_synthetic'
D2D = 'd2d/d2d_tiny_synthetic'
SMALL_D2D = 'model = dict(predictor=dict(widths=[8, 8], dilations=[1, 2, 1]))\n'


def weights(folder, rank, iteration):
    return torch.load(folder / f'{iteration}_{rank}.pth')


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def write_config(repository, street_root, tmp_path):
    """A shipped config on the small street, that notes the weights of each process after each step."""

    def write(name, more=''):
        path = tmp_path / 'config.py'
        path.write_text(
            f"_base_ = '{repository}/configs/{name}.py'\n"
            "custom_imports = dict(imports=['toy_task'], allow_failed_imports=False)\n"
            "custom_hooks = [dict(type='SaveEveryStepHook')]\n"
            f"train_dataloader = dict(batch_size=1, dataset=dict(data_root='{street_root}'))\n"
            f"test_dataloader = dict(dataset=dict(data_root='{street_root}', split='train'))\n"
            'train_cfg = dict(max_iters=3, val_interval=100)\n'
            'param_scheduler = None\n'
            'val_dataloader = val_cfg = val_evaluator = None\n' + more
        )
        return path

    return write


@pytest.mark.slow
@pytest.mark.parametrize('name, more', [(F2F, ''), (D2D, SMALL_D2D)])
def test_two_processes_keep_a_forecaster_in_step(
    repository, run, write_config, tmp_path, monkeypatch, name, more
):
    script, config = repository / 'tools/dist_train.sh', write_config(name, more)
    (tmp_path / 'configs').symlink_to(repository / 'configs')  # weights that ship, by relative paths
    run('bash', script, config, 2, '--work-dir', tmp_path / 'run', STEPS=str(tmp_path))
    for iteration in (1, 2, 3):
        assert same(weights(tmp_path, 0, iteration), weights(tmp_path, 1, iteration))
    assert not same(weights(tmp_path, 0, 1), weights(tmp_path, 0, 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    'name, baseline',
    [
        (F2F, 'flow-warp'),
        ('s2s/s2s_warp_tiny_synthetic', 'copy-last'),
        ('d2d/d2d_warp_tiny_synthetic', 'copy-last'),
    ],
)
def test_two_processes_score_exactly_as_one(repository, run, write_config, tmp_path, name, baseline):
    """Three clips, which two processes can't share evenly."""
    config = write_config(name)
    (tmp_path / 'configs').symlink_to(repository / 'configs')
    found = []
    for command in (
        ['bash', repository / 'tools/dist_test.sh', config, 'none', 2],
        [sys.executable, repository / 'tools/test.py', config, 'none'],
    ):
        out = tmp_path / f'{len(found)}.json'
        run(*command, '--baseline', baseline, '--work-dir', tmp_path / 'test', '--out', out)
        found.append(json.loads(out.read_text()))
    two, one = ({k: v for k, v in scores.items() if 'time' not in k} for scores in found)
    assert two == one and len(one) > 3


TOY_OPTIONS = [
    'train_cfg.max_epochs=2',
    'train_dataloader.dataset.size=16',
    'val_cfg=None',
    'val_dataloader=None',
    'val_evaluator=None',
]


@pytest.mark.slow
def test_two_agents_on_loopback_train_one_model(repository, run, port, tmp_path):
    """As on two machines: dist_train.sh on each, with the address of the first."""
    script = repository / 'tools/dist_train.sh'
    config = repository / 'tests/toy_task/epochs.py'
    failures = []

    def node(rank):
        options = ['--work-dir', tmp_path / 'run', '--cfg-options', *TOY_OPTIONS]
        nodes = dict(NNODES='2', NODE_RANK=str(rank), MASTER_ADDR='127.0.0.1', PORT=port)
        try:
            run('bash', script, config, 1, *options, STEPS=str(tmp_path), **nodes)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=node, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for iteration in range(1, 9):
        assert same(weights(tmp_path, 0, iteration), weights(tmp_path, 1, iteration))


NAMESPACES = """
set -eu
ip link set lo up
ip link add first type veth peer name second
ip address add 10.9.0.1/24 dev first
ip link set first up
unshare -n sleep 200 & other=$!
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
ip link set second netns $other
nsenter -t $other -n sh -c 'ip link set lo up; ip address add 10.9.0.2/24 dev second; ip link set second up'
export NNODES=2 MASTER_ADDR=10.9.0.1
GLOO_SOCKET_IFNAME=second NODE_RANK=1 nsenter -t $other -n bash "$@" & node=$!
GLOO_SOCKET_IFNAME=first NODE_RANK=0 bash "$@"
wait $node
kill $other
"""


@pytest.mark.slow
def test_two_network_namespaces_train_one_model(repository, run, tmp_path):
    """Two machines, as far as the network goes: nothing but a cable between them."""
    tools = all(map(shutil.which, ('unshare', 'nsenter', 'ip')))
    if not tools or subprocess.run(['unshare', '-rn', 'true']).returncode:
        pytest.skip('network namespaces are not permitted here')
    script = repository / 'tools/dist_train.sh'
    config = repository / 'tests/toy_task/epochs.py'
    options = ['--work-dir', tmp_path / 'run', '--cfg-options', *TOY_OPTIONS]
    command = ['unshare', '-rn', 'bash', '-c', NAMESPACES, 'nodes', script, config, 1, *options]
    run(*command, STEPS=str(tmp_path))
    for iteration in range(1, 9):
        assert same(weights(tmp_path, 0, iteration), weights(tmp_path, 1, iteration))


@pytest.mark.slow
def test_killed_processes_are_restarted_and_go_on_exactly(repository, run, tmp_path):
    """Both processes are killed in the second epoch; torchrun starts them again."""
    config, script = repository / 'tests/toy_task/epochs.py', repository / 'tools/dist_train.sh'
    for folder, environment in (
        ('killed', dict(KILL_AT_ITER='6', MAX_RESTARTS='1')),
        ('whole', {}),
    ):
        options = ['--work-dir', tmp_path / folder, '--resume', '--cfg-options', *TOY_OPTIONS]
        run('bash', script, config, 2, *options, **environment)
    ours, theirs = (
        torch.load(tmp_path / folder / 'epoch_2.pth', weights_only=True)['state_dict']
        for folder in ('killed', 'whole')
    )
    assert same(ours, theirs)


@pytest.mark.slow
def test_processes_agree_that_a_step_diverged(repository, run, tmp_path):
    """A learning rate that no network survives: both stop in the same iteration, with one dump."""
    config, script = repository / 'tests/toy_task/epochs.py', repository / 'tools/dist_train.sh'
    hook = 'default_hooks.divergence.type=mmforecast.DivergenceHook'
    options = [*TOY_OPTIONS, 'optim_wrapper.optimizer.lr=1e30', hook]
    with pytest.raises(AssertionError, match='diverged: loss is (inf|nan)'):
        run('bash', script, config, 2, '--work-dir', tmp_path / 'run', '--cfg-options', *options)
    (dump,) = (tmp_path / 'run').glob('divergence_iter_*.pth')
    report = torch.load(dump, weights_only=True)
    assert len(report['steps']) == 2  # one of each process
    assert dump.with_name(f'before_iter_{report["iteration"]}.pth').exists()
