"""Forecasters that can be trained against a discriminator.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", ICLR 2016, section 3.2.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.losses.gan_loss import penalty_loss
from mmforecast.models.utils import AdversarialTrainMixin, Pyramid, real_fake_scalars, time_slice
from mmforecast.models.utils.adversarial_balance import AdversarialBalance, gradient_norm
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_at_least, check_choice

from .base import BaseForecaster, Samples


@dataclass
class RolledOut:
    """A roll-out that is trained on.

    Attributes:
        target: What was to be predicted.
        calls: By call of the predictor, the window that it saw (B, T*C, h, w), its guesses by scale, and the
            index of its first step.
        losses: The predictor's own.
    """

    target: Pyramid
    calls: list[tuple[Tensor, list[Tensor], int]]
    losses: dict[str, Tensor]


class AdversarialForecaster(AdversarialTrainMixin, BaseForecaster):
    """A forecaster on one level, with or without a discriminator of its predictions.

    With one, a training step is a step of the discriminator, then one of the predictor, on the same batch
    unless ``split_batch`` is set; the predictor's losses are its own and the adversarial one. In each step of
    a roll-out the discriminator judges every scale of the predictor's guess, given the window that it saw.
    On the same batch, frames are encoded once and rolled out once: the predictor does not change in the
    discriminator's step.

    Args:
        discriminator: config, e.g. of a ``MultiScaleDiscriminator``; None trains without. It is called with
            the window (B, T*C, h, w) and candidates (B, n*C', h_k, w_k) by scale.
        gan_loss: config, ``GANLoss`` by default; its ``loss_weight`` is that of the predictor's term.
        penalty: 'gp' or 'r1', on the gradient of the discriminator, summed over scales; see ``penalty_loss``.
        penalty_weight: Factor on it.
        balance: Arguments of an ``AdversarialBalance`` (``ratio``, ``momentum``), which makes ``loss_weight``
            of ``gan_loss`` the largest weight of a scale rather than the weight; None keeps it fixed.
        feature_matching: Weight of the distance (L1) between the discriminator's features of the prediction
            and of the truth, averaged over convolutions and scales (Salimans et al., 2016; Wang et al.,
            pix2pixHD, 2018); 0 leaves it out.
        split_batch: Train the discriminator on the first half of each batch and the predictor on the second,
            as the authors' code draws a batch for each.
        kwargs: See ``BaseForecaster``.
    """

    generator_name = 'predictor'
    # Parts that only training uses; weights to start from may lack them.
    only_trained = ('discriminator',)

    def __init__(
        self,
        *args,
        discriminator: dict | None = None,
        gan_loss: dict | None = None,
        penalty: str | None = None,
        penalty_weight: float = 10.0,
        balance: dict | None = None,
        feature_matching: float = 0.0,
        split_batch: bool = False,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        check_choice(type(self).__name__, (None, 'gp', 'r1'), penalty=penalty)
        check_at_least(type(self).__name__, 0, feature_matching=feature_matching)
        self.feature_matching = feature_matching
        self.split_batch = split_batch
        self._rolled_out: RolledOut | None = None
        self.balance = None
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.discriminator = None
        self.gan_loss = None
        if discriminator is not None:
            self.discriminator = MODELS.build(discriminator)
            self.gan_loss = MODELS.build(gan_loss or dict(type='GANLoss'))
            if balance is not None:
                scales = len(self.discriminator.scales)
                self.balance = AdversarialBalance(scales, self.gan_loss.loss_weight, **balance)
        elif gan_loss is not None or penalty is not None or balance is not None or feature_matching:
            raise ValueError(
                f'{type(self).__name__}: gan_loss, penalty, balance and feature_matching are of a '
                'discriminator, but there is none; '
                "set e.g. discriminator=dict(type='MultiScaleDiscriminator')"
            )

    def forward(self, inputs: Tensor, data_samples: Samples | None = None, mode='tensor'):
        """As ``BaseForecaster``, with the modes 'loss_discriminator' and 'loss_generator'."""
        if mode == 'loss_discriminator':
            return self.loss_discriminator(inputs, data_samples)
        if mode == 'loss_generator':
            return self.loss_generator(inputs, data_samples)
        return super().forward(inputs, data_samples, mode)

    def begin_step(self, inputs: Tensor, data_samples: Samples) -> None:
        """Roll the predictor out for both passes of a training step."""
        self._rolled_out = self._roll_out(inputs, data_samples)

    def end_step(self) -> None:
        self._rolled_out = None

    def _roll_out(self, inputs: Tensor, samples: Samples, own_losses: bool = True) -> RolledOut:
        past, target, context = self.observe_training(inputs, samples)
        calls: list[tuple[Tensor, list[Tensor], int]] = []

        def collect(window: Pyramid, guesses: list[Tensor], start: int) -> dict:
            calls.append((_flat(window[0]), [_flat(guess) for guess in guesses], start))
            return {}

        if not own_losses:
            self.rollout(past, self.train_steps, context, critic=collect)
            return RolledOut(target, calls, {})
        losses, _ = self.rollout(past, self.train_steps, context, target, critic=collect)
        return RolledOut(target, calls, losses)

    def loss_discriminator(self, inputs: Tensor, samples: Samples) -> dict[str, Tensor]:
        """Losses of the discriminator on the truth and on a roll-out.

        Beside the losses, summed over scales and averaged over steps: ``d_accuracy``, the share of the finest
        scale's logits on the right side, and ``d_real`` and ``d_fake``, what it takes for real, in [0, 1].
        """
        rolled = self._rolled_out
        if rolled is None:
            with torch.no_grad():
                rolled = self._roll_out(inputs, samples, own_losses=False)
        terms = [
            self._judge_call(
                window.detach(), [fake.detach() for fake in fakes], self._truth(rolled.target, start)
            )
            for window, fakes, start in rolled.calls
        ]
        return {name: sum(term[name] for term in terms) / len(terms) for name in terms[0]}

    def loss_generator(self, inputs: Tensor, samples: Samples) -> dict[str, Tensor]:
        """The predictor's own losses of a roll-out, and those by the discriminator, one each by step as they.

        These are ``loss_gan`` and, where they are switched on, ``loss_features``. With ``balance`` there is
        ``gan_weight``, the weight of the finest scale, to be logged.
        """
        rolled = self._rolled_out or self._roll_out(inputs, samples)
        self._rolled_out = None  # after this pass the predictor is another one
        losses = dict(rolled.losses)
        for window, fakes, start in rolled.calls:
            truth = self._truth(rolled.target, start)
            terms = self._fooling_loss(window, fakes, truth)
            if self.feature_matching:
                terms['loss_features'] = self._feature_distance(window, fakes, truth)
            self._add_losses(losses, terms, start, self.train_steps)
        return losses

    def _fooling_loss(self, window: Tensor, fakes: list[Tensor], truth: Tensor) -> dict[str, Tensor]:
        """The adversarial loss of one call of the predictor, each scale with its weight."""
        logits = self.discriminator(window, fakes)
        if self.balance is None:
            return dict(loss_gan=self.gan_loss(logits, target_is_real=True))
        weights = self._balanced_weights(window, fakes, truth)
        factors = weights / self.gan_loss.loss_weight  # which the loss has in it
        terms = [self.gan_loss(scale, target_is_real=True) for scale in logits]
        return dict(
            loss_gan=sum(factor * term for factor, term in zip(factors, terms)), gan_weight=weights[-1]
        )

    def _balanced_weights(self, window: Tensor, fakes: list[Tensor], truth: Tensor) -> Tensor:
        """(scales,) weights of the adversarial loss, coarsest first."""
        own, theirs = [], []
        for scale, (fake, real) in enumerate(zip(fakes, self.discriminator.candidates_of(truth))):

            def reconstruction(maps: Tensor, real: Tensor = real) -> Tensor:
                steps = (self.predictor.num_outputs, -1)
                pair = ([[flat.unflatten(1, steps)]] for flat in (maps, real))
                return sum(self.predictor.compute_losses(*pair).values())

            def fooling(maps: Tensor, scale: int = scale) -> Tensor:
                loss = self.gan_loss(self.discriminator.judge(scale, window, maps), target_is_real=True)
                return loss / self.gan_loss.loss_weight

            own.append(gradient_norm(reconstruction, fake))
            theirs.append(gradient_norm(fooling, fake))
        return self.balance(torch.stack(own), torch.stack(theirs))

    def _feature_distance(self, window: Tensor, fakes: list[Tensor], truth: Tensor) -> Tensor:
        """The weighted distance of the discriminator's features of a prediction to those of the truth."""
        distances = []
        for scale, (fake, real) in enumerate(zip(fakes, self.discriminator.candidates_of(truth))):
            with torch.no_grad():
                wanted = self.discriminator.features(scale, window, real)
            ours = self.discriminator.features(scale, window, fake)
            distances += [F.l1_loss(one, other) for one, other in zip(ours, wanted)]
        return self.feature_matching * sum(distances) / len(distances)

    def _truth(self, target: Pyramid, start: int) -> Tensor:
        (maps,) = time_slice(target, start, start + self.predictor.num_outputs)
        return _flat(maps)

    def _judge_call(self, window: Tensor, fakes: list[Tensor], truth: Tensor) -> dict[str, Tensor]:
        """Losses and values to log of one call of the predictor."""
        judge = self.discriminator
        reals = judge.candidates_of(truth)
        on_real, on_fake = judge(window, reals), judge(window, fakes)
        losses = dict(
            loss_disc_real=self.gan_loss(on_real, target_is_real=True, is_disc=True),
            loss_disc_fake=self.gan_loss(on_fake, target_is_real=False, is_disc=True),
        )
        if self.penalty is not None:
            losses['loss_penalty'] = self.penalty_weight * sum(
                penalty_loss(self.penalty, lambda maps, k=k: judge.judge(k, window, maps), real, fake)
                for k, (real, fake) in enumerate(zip(reals, fakes))
            )
        return {**losses, **real_fake_scalars(on_real[-1], on_fake[-1])}


def _flat(maps: Tensor) -> Tensor:
    """(B, T, C, h, w) to (B, T*C, h, w)."""
    return maps.flatten(1, 2)
