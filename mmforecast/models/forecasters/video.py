"""Video prediction: forecasting the frames themselves.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", ICLR 2016.
"""

from mmforecast.registry import MODELS

from .adversarial import AdversarialForecaster


@MODELS.register_module()
class VideoForecaster(AdversarialForecaster):
    """Forecasts RGB frames in [-1, 1], with a discriminator or without.

    Args:
        predictor: config, e.g. of a ``MultiScalePredictor`` with ``out_act='tanh'``.
        encoder, decoder: ``RGBEncoder`` and ``RGBDecoder`` by default.
        kwargs: See :class:`AdversarialForecaster`.
    """

    baselines = {
        'copy-last': AdversarialForecaster.baselines['copy-last'],
        # of the score "sharpness", which it gains in; see the metric's energy
        'blurred-copy-last': dict(predictor=dict(type='BlurredCopyLast')),
        **AdversarialForecaster.baselines,
    }

    def __init__(
        self,
        predictor: dict,
        encoder: dict | None = None,
        decoder: dict | None = None,
        **kwargs,
    ):
        encoder, decoder = encoder or dict(type='RGBEncoder'), decoder or dict(type='RGBDecoder')
        super().__init__(encoder, predictor, decoder, **kwargs)
