"""CreativeGAN: images that look real, and like none of the known classes.

Sbai et al., "DeSIGN: Design inspiration from generative networks", ECCV Workshops 2018; Elgammal et al., "CAN:
Creative adversarial networks", 2017.
"""

import logging
from collections.abc import MutableMapping

import torch
from mmengine.logging import MessageHub, print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmforecast.creative.models.discriminators import REAL_FAKE
from mmforecast.models.losses.gan_loss import penalty_loss
from mmforecast.models.utils import unit_to_rgb
from mmforecast.models.utils.adversarial import AdversarialTrainMixin
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive

from .conditions import Condition, Samples, collect_labels
from .diagnostics import discriminator_scalars, generator_scalars
from .mixes import draw_mixes, split_mix
from .noise import draw_noise, truncate
from .sampling import SamplingMixin
from .settings import Augmentation, LossSettings, read_mix_config, take_start

Losses = dict[str, Tensor]


@MODELS.register_module()
class CreativeGAN(SamplingMixin, AdversarialTrainMixin, BaseModel):
    """A generator against a discriminator with a real/fake head and branches that classify attributes.

    Named as in mmagic. With the auxiliary losses of DeSIGN, the discriminator learns real against fake, and
    the classes of real images; the generator learns to pass as real, and to leave its class open.

    Args:
        generator, discriminator: configs.
        data_preprocessor: config, ``ImageDataPreprocessor`` by default.
        generator_steps, discriminator_steps: Backward passes on each batch, each with an optimizer step unless
            the optimizer wrapper accumulates gradients.
        noise_size: Of z; the generator's by default.
        ema_config: Of an average of the generator's weights, which sampling uses: mmengine's
            ``ExponentialMovingAverage`` by default, ``momentum``, ``interval``, and ``start_iter``, before
            which it follows the generator.
        loss_config: ``gan_loss``; ``disc_auxiliary_loss`` and ``gen_auxiliary_loss``, an ``AuxiliaryLoss`` or
            a list of them; ``disc_weight`` on the discriminator's real/fake loss; ``penalty``, 'r1' or 'gp',
            with ``penalty_weight``. See :class:`LossSettings`.
        condition: 'label:<attribute>', 'mask', 'mix', or None. Where data has no label, a class is drawn.
        mix_config: Of condition 'mix', in training: ``pure``, the share of images that are asked for single
            classes, those of an image in the batch, see :func:`draw_mixes`; ``mask_share``, the share of
            images whose shape is a mask of the batch. Defaults to 0.5 and 0.
        augmentation: Of real and generated images, for small data: ``flip`` and ``translation`` of
            :func:`diff_augment`, and ``noise``, the deviation of :func:`instance_noise` on images in [-1, 1].
        test_cfg: Of ``predict``: ``seed``, ``truncation``, ``use_ema``.

    A checkpoint of a run without an average gives the generator's weights to the average too, with a warning.

    Images of ``predict`` depend on the seed and the sample's ``sample_idx`` alone, not on batches or
    processes.
    """

    def __init__(
        self,
        generator: dict,
        discriminator: dict,
        data_preprocessor: dict | None = None,
        generator_steps: int = 1,
        discriminator_steps: int = 1,
        noise_size: int | None = None,
        ema_config: dict | None = None,
        loss_config: dict | None = None,
        condition: str | None = None,
        augmentation: dict | None = None,
        mix_config: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        # Built here, because BaseModel would look the type up in the root registry.
        preprocessor = MODELS.build(data_preprocessor or dict(type='ImageDataPreprocessor'))
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.generator: nn.Module = MODELS.build(generator)
        self.discriminator: nn.Module = MODELS.build(discriminator)
        self.noise_size = self.generator.noise_size if noise_size is None else noise_size
        self._check_sizes()
        check_positive('CreativeGAN', generator_steps=generator_steps, discriminator_steps=discriminator_steps)
        self.generator_steps = generator_steps
        self.discriminator_steps = discriminator_steps
        self.condition = Condition(condition, self.generator, self.discriminator)
        self.losses = LossSettings(self.discriminator.attributes, **(loss_config or {}))
        self.augmentation = Augmentation(**(augmentation or {}))
        self.mixing = read_mix_config(mix_config)
        self.sampling = self.read_test_cfg(test_cfg)
        self.generator_ema = None
        if ema_config is not None:
            averaged, self.ema_start = take_start(ema_config)
            self.generator_ema = MODELS.build(averaged, default_args=dict(model=self.generator))
            self._register_load_state_dict_pre_hook(self._complete_average)

    def _check_sizes(self) -> None:
        generator, disc = self.generator, self.discriminator
        if generator.output_scale != disc.input_scale:
            raise ValueError(
                f'CreativeGAN: the generator draws images of {generator.output_scale}x'
                f'{generator.output_scale}, the discriminator takes {disc.input_scale}x{disc.input_scale}; '
                'set output_scale and input_scale to the same number'
            )
        if generator.noise_size != self.noise_size:
            raise ValueError(
                f'CreativeGAN: noise_size={self.noise_size}, but the generator has '
                f'noise_size={generator.noise_size}; set both to the same number'
            )

    def _complete_average(self, state_dict: MutableMapping[str, Tensor], prefix: str, *_) -> None:
        """Take what a checkpoint lacks of the averaged generator from its generator; in place."""
        average = f'{prefix}generator_ema.module.'
        lacking = [name for name in self.generator.state_dict() if f'{average}{name}' not in state_dict]
        found = [name for name in lacking if f'{prefix}generator.{name}' in state_dict]
        if not found:
            return
        for name in found:
            state_dict[f'{average}{name}'] = state_dict[f'{prefix}generator.{name}']
        state_dict[f'{prefix}generator_ema.steps'] = torch.zeros_like(self.generator_ema.steps)
        print_log(
            f'The checkpoint lacks {len(found)} weights of the averaged generator (ema_config): the average '
            "starts as a copy of the checkpoint's generator.",
            logger='current',
            level=logging.WARNING,
        )

    # Entry points of mmengine and of the adversarial step.

    def forward(
        self, inputs: Tensor, data_samples: Samples | None = None, mode: str = 'tensor'
    ) -> Losses | Samples | Tensor:
        """Losses of either network, the samples with images, or images (B, 3, H, W) in [-1, 1]."""
        if mode == 'loss_discriminator':
            return self.loss_discriminator(inputs, data_samples)
        if mode == 'loss_generator':
            return self.loss_generator(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            noise, condition, outputs = self._draw(inputs, data_samples)
            return self._paint(noise, condition, outputs['mask'])
        raise ValueError(
            f"mode must be 'loss_discriminator', 'loss_generator', 'predict' or 'tensor', got {mode!r}"
        )

    def loss_discriminator(self, real: Tensor, samples: Samples | None) -> Losses:
        """Losses of real images and as many generated ones, and :func:`discriminator_scalars`."""
        noise, condition, outputs = self._draw(real, samples)
        with torch.no_grad():
            fake = self._paint(noise, condition, outputs['mask'])
        judged = self._augment(real, condition)
        on_real = self.discriminator(*judged)
        judged_fake = self._augment(fake, condition)
        on_fake = self.discriminator(*judged_fake)
        pred_real, pred_fake = on_real.pop(REAL_FAKE), on_fake[REAL_FAKE]
        gan, weight = self.losses.gan_loss, self.losses.disc_weight
        losses = dict(
            loss_disc_real=weight * gan(pred_real, target_is_real=True, is_disc=True),
            loss_disc_fake=weight * gan(pred_fake, target_is_real=False, is_disc=True),
        )
        if self.losses.penalty is not None:
            penalty = penalty_loss(self.losses.penalty, self._judge(judged[1]), judged[0], judged_fake[0])
            losses['loss_penalty'] = self.losses.penalty_weight * penalty
        outputs.update(
            fake_imgs=fake,
            disc_pred_real=pred_real,
            disc_pred_fake=pred_fake,
            cls_pred_real=on_real,
        )
        losses.update({loss.loss_name(): loss(outputs) for loss in self.losses.disc_auxiliary})
        labels = outputs['gt_labels']
        return {**losses, **discriminator_scalars(pred_real, pred_fake, on_real, labels)}

    def loss_generator(self, real: Tensor, samples: Samples | None) -> Losses:
        """Losses of as many generated images, and :func:`generator_scalars`."""
        noise, condition, outputs = self._draw(real, samples)
        fake = self._paint(noise, condition, outputs['mask'])
        on_fake = self.discriminator(*self._augment(fake, condition))
        pred = on_fake.pop(REAL_FAKE)
        losses = dict(loss_gen=self.losses.gan_loss(pred, target_is_real=True))
        outputs.update(fake_imgs=fake, disc_pred_fake_g=pred, cls_pred_fake_g=on_fake)
        losses.update({loss.loss_name(): loss(outputs) for loss in self.losses.gen_auxiliary})
        return {**losses, **generator_scalars(fake, real, on_fake)}

    def after_generator_step(self) -> None:
        """Average the generator's weights."""
        if self.generator_ema is not None:
            if self._iteration() < self.ema_start:
                self.generator_ema.steps.zero_()  # the next update copies
            self.generator_ema.update_parameters(self.generator)

    @torch.no_grad()
    def predict(self, inputs: Tensor, samples: Samples) -> Samples:
        """Write an image into each sample, ``pred_img``, and the classes of its condition, ``pred_labels``."""
        numbers = [sample.get('sample_idx', place) for place, sample in enumerate(samples)]
        noise, drawn = draw_noise(self.sampling['seed'], numbers, self.noise_size, self.condition.num_classes)
        noise = truncate(noise, self.sampling['truncation']).to(inputs.device)
        condition = self._wanted(samples, drawn, inputs.device)
        images = unit_to_rgb(self._run(noise, condition, self.sampling['use_ema']).float())
        for number, sample in enumerate(samples):
            sample.pred_img = images[number]
            sample.pred_labels = {}
            if self.condition.kind == 'label':
                sample.pred_labels = {self.condition.attribute: int(condition[number])}
            elif self.condition.kind == 'mix':
                shares = split_mix(condition[number : number + 1], self.condition.attributes)
                sample.pred_labels = {name: int(share.argmax()) for name, share in shares.items()}
        return samples

    # The parts of a step.

    def _draw(self, real: Tensor, samples: Samples | None) -> tuple:
        """Noise and condition, drawn from torch's global generator; what auxiliary losses read."""
        batch, device = len(real), real.device
        noise = torch.randn(batch, self.noise_size, device=device)
        drawn = self._draw_classes(batch, device)
        if self.condition.kind == 'mix':
            labels = self.condition.mixed_labels(samples, drawn)
            condition = draw_mixes(labels, self.condition.attributes, self.mixing['pure'], device)
        else:
            condition = self._wanted(samples, drawn, device)
        fake_labels = {self.condition.attribute: condition} if self.condition.kind == 'label' else {}
        outputs = dict(
            gen=self.generator,
            disc=self.discriminator,
            real_imgs=real,
            batch_size=batch,
            iteration=self._iteration(),
            gt_labels=collect_labels(samples, device),
            fake_labels=fake_labels,
            mask=self._masks(samples, condition, device),
            mixes=split_mix(condition, self.condition.attributes) if self.condition.kind == 'mix' else {},
        )
        return noise, condition, outputs

    def _draw_classes(self, batch: int, device: torch.device) -> Tensor | None:
        """(B,) classes of the attribute of labels, or (B, A) of all attributes that are mixed."""
        classes = self.condition.num_classes
        if isinstance(classes, tuple):
            return torch.stack([torch.randint(k, (batch,), device=device) for k in classes], dim=1)
        return torch.randint(classes, (batch,), device=device) if classes else None

    def _masks(self, samples: Samples | None, condition: Tensor | None, device: torch.device) -> Tensor | None:
        """The shapes that a step fills; with mixes, those of some of the images, the others being empty."""
        if self.condition.kind == 'mask':
            return condition
        share = self.mixing['mask_share']
        if self.condition.kind != 'mix' or not share:
            return None
        masks = self.condition.masks(samples).to(device)
        chosen = torch.rand(len(masks), 1, 1, 1, device=device) < share
        return masks.float() * chosen

    def _paint(self, noise: Tensor, condition: Tensor | None, mask: Tensor | None) -> Tensor:
        """Images of the generator; ``mask`` is what fills some of the shapes of a mix."""
        if self.condition.kind != 'mix':
            return self.generator(noise, condition)
        return self.generator(noise, condition, mask=mask)

    def _wanted(self, samples: Samples | None, drawn: Tensor | None, device: torch.device) -> Tensor | None:
        """The generator's condition for the samples."""
        if self.condition.kind == 'label':
            return self.condition.labels(samples, drawn.to(device))
        if self.condition.kind == 'mix':
            return self.condition.pure_mix(samples, drawn.to(device))
        return self.condition.masks(samples).to(device) if self.condition.kind == 'mask' else None

    def _augment(self, images: Tensor, condition: Tensor | None) -> list[Tensor | None]:
        """Images, and masks where the discriminator sees them, changed in the same way."""
        return self.augmentation(images, condition if self.discriminator.disc_sees_mask else None)

    def _judge(self, mask: Tensor | None):
        """The discriminator as a function of images alone."""
        return lambda images: self.discriminator(images, mask)[REAL_FAKE]

    @staticmethod
    def _iteration() -> int:
        return MessageHub.get_current_instance().get_info('iter', 0)
