"""One training step of two networks against each other."""

import copy

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from torch import nn

from mmforecast.models.utils import AdversarialTrainMixin, real_fake_accuracy

SETTINGS = dict(
    constructor='mmforecast.MultiOptimWrapperConstructor',
    generator=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01)),
)


class Points(AdversarialTrainMixin, BaseModel):
    """A generator of points and its critic; notes the order of what happens."""

    def __init__(self, frozen_bias=False):
        super().__init__()
        self.generator = nn.Linear(2, 2)
        self.discriminator = nn.Linear(2, 1)
        self.discriminator.bias.requires_grad_(not frozen_bias)
        self.calls = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        trains = [
            all(p.requires_grad for p in net.parameters()) for net in (self.generator, self.discriminator)
        ]
        self.calls.append((mode, *trains))
        fake = self.generator(inputs)
        if mode == 'loss_discriminator':
            logits = self.discriminator(fake.detach())
            return dict(loss_d=nn.functional.softplus(logits).mean(), accuracy=logits.mean() * 0 + 1)
        return dict(loss_g=nn.functional.softplus(-self.discriminator(fake)).mean())

    def after_generator_step(self):
        self.calls.append('after')


def train(model, steps=1, settings=SETTINGS):
    optimizers = build_optim_wrapper(model, settings)
    data = dict(inputs=torch.arange(6.0).view(3, 2))
    return [model.train_step(data, optimizers) for _ in range(steps)]


def test_discriminator_steps_first_and_each_with_the_other_frozen():
    model = Points()
    model.discriminator_steps, model.generator_steps = 2, 1
    (logs,) = train(model)
    assert model.calls == [
        ('loss_discriminator', False, True),
        ('loss_discriminator', False, True),
        ('loss_generator', True, False),
        'after',
    ]
    torch.testing.assert_close(logs['loss'], logs['loss_d'] + logs['loss_g'])
    assert set(logs) == {'loss', 'loss_d', 'loss_g', 'accuracy'} and logs['accuracy'] == 1


def test_step_is_that_of_two_hand_written_optimizers():
    model = Points()
    other = copy.deepcopy(model)
    train(model, steps=3)
    sgd = torch.optim.SGD(other.generator.parameters(), lr=0.1)
    adam = torch.optim.Adam(other.discriminator.parameters(), lr=0.01)
    inputs = torch.arange(6.0).view(3, 2)
    for _ in range(3):
        for optimizer, mode in ((adam, 'loss_discriminator'), (sgd, 'loss_generator')):
            losses = other(inputs, mode=mode)
            other.zero_grad()
            next(iter(losses.values())).backward()
            optimizer.step()
    for ours, theirs in zip(model.parameters(), other.parameters()):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_what_was_frozen_stays_so():
    model = Points(frozen_bias=True)
    before = model.discriminator.bias.clone()
    train(model)
    assert not model.discriminator.bias.requires_grad
    assert torch.equal(model.discriminator.bias, before)


def test_accumulation_steps_after_as_many_batches():
    settings = copy.deepcopy(SETTINGS)
    settings['generator']['accumulative_counts'] = 2
    model = Points()
    before = model.generator.weight.clone()
    optimizers = build_optim_wrapper(model, settings)
    data = dict(inputs=torch.arange(6.0).view(3, 2))
    model.train_step(data, optimizers)
    assert torch.equal(model.generator.weight, before)
    model.train_step(data, optimizers)
    assert not torch.equal(model.generator.weight, before)


@pytest.mark.parametrize('single', [True, False])
def test_needs_an_optimizer_for_each(single):
    model = Points()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    given = optimizer if single else OptimWrapperDict(generator=optimizer)
    with pytest.raises(ValueError, match='one optimizer each for generator and discriminator'):
        model.train_step(dict(inputs=torch.zeros(1, 2)), given)


@pytest.mark.parametrize(
    'settings, message',
    [
        (
            dict(predictor=dict(optimizer=dict(type='SGD', lr=1))),
            "names 'predictor', but Points has",
        ),
        (dict(paramwise_cfg=dict(x=1), generator={}), 'takes no paramwise_cfg of its own'),
        (dict(type='OptimWrapper'), 'needs one optimizer wrapper config per child'),
        (dict(), 'needs one optimizer wrapper config per child'),
    ],
)
def test_constructor_refuses(settings, message):
    settings = dict(constructor='mmforecast.MultiOptimWrapperConstructor', **settings)
    with pytest.raises(ValueError, match=message):
        build_optim_wrapper(Points(), settings)


def test_accuracy_by_hand():
    assert real_fake_accuracy(torch.tensor([1.0, -1.0]), torch.tensor([[-2.0], [-3.0]])) == 0.75
