"""Score forecasts again that `tools/test.py --out FILE.pkl` wrote, without the network."""

import argparse

from mmforecast.apis.evaluate import load_config
from mmforecast.apis.offline import evaluate_results
from mmforecast.cli.common import add_cfg_options, add_traceback_option, cli_errors
from mmforecast.evaluation import format_table
from mmforecast.evaluation.scores_file import write_scores

EXAMPLES = """examples:
  python tools/test.py CONFIG CHECKPOINT --out results.pkl
  python tools/analysis_tools/eval_metric.py CONFIG results.pkl
  # with other options of the metric
  python tools/analysis_tools/eval_metric.py CONFIG results.pkl --cfg-options test_evaluator.classwise=True
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config that the forecasts were made with')
    parser.add_argument('results', metavar='results.pkl', help='file of forecasts')
    parser.add_argument('--out', metavar='FILE.json', help='write the metrics there')
    add_cfg_options(parser)
    add_traceback_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    metrics = evaluate_results(cfg, args.results)
    rows = [dict(metric=name, value=float(value)) for name, value in metrics.items()]
    print(format_table(rows, decimals=4))
    if args.out:
        write_scores(args.out, metrics)
        print(f'Wrote {args.out}.')


if __name__ == '__main__':
    with cli_errors():
        main()
