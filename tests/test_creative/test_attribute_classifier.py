"""The classifier of attributes: its loss by hand, its ranges, and that it learns."""

import pytest
import torch
from torch import nn

from mmforecast.creative import CreativeDataSample
from mmforecast.creative.models.classifiers import AttributeClassifier
from mmforecast.registry import METRICS, MODELS


@MODELS.register_module(force=True)
class MeanColor(nn.Module):
    """Feature maps that are the image itself, once for a detector's list of levels."""

    def forward(self, images):
        return (images[..., :1, :1], images)


def classifier(**options):
    return AttributeClassifier(
        **{
            **dict(
                backbone=dict(type='MeanColor'),
                in_channels=3,
                attributes=dict(shape=3, texture=2),
            ),
            **options,
        }
    )


def samples(*labels):
    found = []
    for shape, texture in labels:
        sample = CreativeDataSample()
        sample.gt_labels = dict(shape=shape, texture=texture)
        found.append(sample)
    return found


def linear(model, **rows):
    """Set the heads: weights by attribute, no bias."""
    for name, weight in rows.items():
        model.heads[name].weight.data = torch.tensor(weight)
        model.heads[name].bias.data.zero_()
    return model


EYE = [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_loss_is_the_cross_entropy_of_labelled_images():
    model = linear(classifier(), shape=EYE, texture=[[0.0, 0, 0], [0, 0, 0]])
    images = torch.zeros(3, 3, 4, 4)
    images[0, 0] = 255  # features (1, -1, -1)
    losses = model(images, samples((0, 1), (-1, -1), (2, -1)), mode='loss')
    e, f = torch.tensor(1.0).exp(), torch.tensor(-1.0).exp()
    expected = (-(e / (e + 2 * f)).log() + torch.tensor(3.0).log()) / 2
    assert losses['loss_shape'].item() == pytest.approx(float(expected), abs=1e-6)
    assert losses['loss_texture'].item() == pytest.approx(0.693147, abs=1e-5)
    assert losses['acc_shape'] == 50 and set(losses) == {
        'loss_shape',
        'acc_shape',
        'loss_texture',
        'acc_texture',
    }


def test_batch_without_any_label_of_an_attribute():
    model = classifier()
    losses = model(torch.rand(2, 3, 4, 4), samples((0, -1), (1, -1)), mode='loss')
    assert losses['loss_texture'] == 0 and 'acc_texture' not in losses
    sum(loss for name, loss in losses.items() if 'loss' in name).backward()
    assert all(p.grad is not None for p in model.parameters())
    assert (model.heads['texture'].weight.grad == 0).all()


def test_images_are_standardised_and_resized():
    model = classifier(mean=(0, 0, 0), std=(255, 255, 255), input_size=8)
    image = torch.tensor([255.0, 51, 0]).view(1, 3, 1, 1).expand(1, 3, 32, 20)
    assert model.features(image)[0].tolist() == pytest.approx([1, 0.2, 0])
    assert model.features(image.byte()).allclose(model.features(image))
    assert model.backbone(torch.zeros(1, 3, 8, 8))[-1].shape[-1] == 8
    half = torch.zeros(1, 3, 16, 16)
    half[..., 1::2] = 255  # columns in turn: averaged when it shrinks
    assert classifier(input_size=8).features(half).abs().max() < 0.2


def test_prediction():
    model = linear(classifier(), shape=EYE, texture=[[0.0, 0, 0], [0, 1, 0]])
    images = torch.zeros(2, 3, 4, 4)
    images[0, 2], images[1, 1] = 255, 255
    found = model(images, samples((2, 0), (1, -1)), mode='predict')
    assert [sample.pred_labels for sample in found] == [
        dict(shape=2, texture=0),
        dict(shape=1, texture=1),
    ]
    assert found[0].pred_scores['shape'].sum() == pytest.approx(1, abs=1e-6)
    features, probabilities = model.classify(images)
    assert features.shape == (2, 3) and probabilities['texture'].shape == (2, 2)
    assert model(images)['shape'].softmax(1).allclose(probabilities['shape'])


@pytest.mark.parametrize(
    'call, sentence',
    [
        (lambda: classifier(attributes={}), 'at least two classes for at least one attribute'),
        (lambda: classifier(attributes=dict(shape=1)), 'at least two classes'),
        (lambda: classifier(input_size=0), 'input_size must be an integer >= 1, got 0'),
        (
            lambda: classifier()(torch.zeros(1, 3, 2, 2), samples((3, 0)), 'loss'),
            r"label 3 of 'shape', but the classifier was given 3 classes",
        ),
        (
            lambda: classifier(attributes=dict(color=2))(torch.zeros(1, 3, 2, 2), samples((0, 0)), 'loss'),
            r"no attribute 'color', only \['shape', 'texture'\]",
        ),
        (lambda: classifier()(torch.zeros(1, 3, 2, 2), mode='train'), "got 'train'"),
    ],
)
def test_bad_arguments(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_real_backbone_learns_to_tell_colors_apart():
    torch.manual_seed(0)
    backbone = dict(
        type='mmdet.ResNet',
        depth=18,
        base_channels=4,
        stem_channels=4,
        out_indices=(3,),
        norm_eval=False,
    )
    model = classifier(backbone=backbone, in_channels=32, attributes=dict(shape=2, texture=2))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    labels = samples(*[(number % 2, -1) for number in range(16)])
    images = torch.randint(0, 120, (16, 3, 32, 32)).float()
    images[1::2, 0] += 120
    for _ in range(25):
        loss = model(images, labels, mode='loss')['loss_shape']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_accuracy_ignores_what_is_not_labelled():
    metric = METRICS.build(dict(type='AttributeAccuracy'))
    found = samples((0, -1), (1, -1), (2, 1), (-1, 0))
    for sample, shape in zip(found, (0, 2, 2, 1)):
        sample.pred_labels = dict(shape=shape, texture=1)
    metric.process(None, [sample.to_dict() for sample in found])
    scores = metric.evaluate(4)
    assert scores == dict(shape_accuracy=pytest.approx(200 / 3), texture_accuracy=50.0)


def test_accuracy_of_nothing():
    metric = METRICS.build(dict(type='AttributeAccuracy'))
    with pytest.raises(ValueError, match='no pred_labels'):
        metric.process(None, samples((0, 0)))
    (sample,) = samples((-1, -1))
    sample.pred_labels = dict(shape=0)
    metric.process(None, [sample])
    with pytest.raises(ValueError, match='no image is labelled'):
        metric.evaluate(1)
