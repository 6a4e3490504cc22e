"""Score a trained forecaster, or a baseline on its data."""

import argparse
import os

from mmforecast.utils.check_env import assert_environment

assert_environment()  # before the libraries, so that a broken environment gets a sentence

from mmengine.config import Config  # noqa: E402
from mmengine.dist import is_main_process  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

from mmforecast.apis.compare import apply_baseline  # noqa: E402
from mmforecast.cli.common import add_runner_arguments, cli_errors, read_config  # noqa: E402
from mmforecast.engine import launch  # noqa: E402
from mmforecast.evaluation.scores_file import write_scores  # noqa: E402
from mmforecast.models.utils.load_network import weights_to_train  # noqa: E402

EXAMPLES = """examples:
  python tools/test.py configs/s2s/s2s_warp_tiny_synthetic.py work_dirs/s2s_warp_tiny_synthetic/iter_500.pth
  # pictures of the forecasts, the forecasts as a file to score again, and the metrics as a file
  python tools/test.py CONFIG CHECKPOINT --show-dir pictures --out results.pkl metrics.json
  python tools/analysis_tools/eval_metric.py CONFIG results.pkl
  # a baseline in place of the config's forecaster
  python tools/test.py configs/s2s/s2s_warp_tiny_synthetic.py --baseline flow
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help="checkpoint file or address; 'none', or left out with --baseline, for a model without weights",
    )
    parser.add_argument(
        '--baseline',
        metavar='NAME',
        help='score this baseline on the data and the encoder of the config: copy-last, flow, oracle, ...',
    )
    parser.add_argument(
        '--out',
        nargs='+',
        default=[],
        metavar='FILE',
        help='files to write: the forecasts as FILE.pkl, to score them again, and the metrics as FILE.json',
    )
    parser.add_argument('--show-dir', metavar='DIR', help='write pictures of forecasts there')
    parser.add_argument(
        '--show-interval',
        type=int,
        default=1,
        metavar='N',
        help='of every Nth batch (default: every batch)',
    )
    add_runner_arguments(parser)
    return parser.parse_args()


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Put what this tool's own options say into the config; in place."""
    cfg.load_from = checkpoint_of(args)
    if args.baseline is not None:
        apply_baseline(cfg, args.baseline)
    cfg.resume = False
    cfg.model_wrapper_cfg = dict(type='mmforecast.Unwrapped')  # nothing to keep in step
    if args.show_dir:
        hook = dict(
            type='mmforecast.ForecastVisualizationHook',
            draw=True,
            interval=args.show_interval,
            out_dir=os.path.abspath(args.show_dir),
        )
        cfg.merge_from_dict(dict(default_hooks=dict(visualization=dict(_delete_=True, **hook))))
    for path in args.out:
        check_writable(path)
    for path in files_of_kind(args, '.pkl'):
        evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
        dump = dict(type='mmforecast.DumpForecastResults', out_file_path=path)
        cfg.test_evaluator = [*evaluators, dump]


def files_of_kind(args: argparse.Namespace, suffix: str) -> list[str]:
    """The files of ``--out`` with an ending."""
    return [path for path in args.out if path.endswith(suffix)]


def check_writable(path: str) -> None:
    """Refuse a file of ``--out`` before the test, not after it."""
    if not path.endswith(('.pkl', '.json')):
        raise ValueError(f'--out must name .pkl files (forecasts) or .json files (metrics), got {path!r}')
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    if os.path.isdir(path) or not os.access(folder, os.W_OK):
        raise ValueError(f'--out: {path} can not be written; name a file in a folder that you may write to')


def checkpoint_of(args: argparse.Namespace) -> str | None:
    """The checkpoint to score, None for a model without weights."""
    if args.checkpoint is None and args.baseline is None:
        raise ValueError("Give a checkpoint, 'none' for a model without weights, or --baseline NAME")
    if args.checkpoint is None or args.checkpoint.lower() == 'none':
        return None
    if args.baseline is not None:
        raise ValueError(
            f'The baseline {args.baseline} has nothing to train, so it takes no checkpoint: leave '
            f'{args.checkpoint} out, or --baseline'
        )
    return args.checkpoint


def require_no_weights(runner: Runner) -> None:
    """Refuse 'none' as the checkpoint of a model that learns: it would score random weights."""
    trainable = weights_to_train(runner.model)
    if trainable:
        raise ValueError(
            f'The model has {len(trainable)} trainable weights ({trainable[0]}, ...): '
            "checkpoint 'none' is for baselines without any; pass the checkpoint to score"
        )


def main() -> None:
    args = parse_args()
    cfg = read_config(args)
    with launch.processes(cfg):
        merge_args(cfg, args)
        runner = launch.build_runner(cfg)
        if cfg.load_from is None:
            require_no_weights(runner)
        metrics = runner.test()
        if is_main_process():
            for path in files_of_kind(args, '.json'):
                write_scores(path, metrics)
                print(f'Wrote {path}.')


if __name__ == '__main__':
    with cli_errors():
        main()
