"""Registered names: the public interface of configs."""

import pytest

from mmforecast import registry

# A config refers to a class by its name here, so a name that goes away or changes breaks configs.
NAMES = dict(
    DATASETS="""
        CamVidSequenceDataset CityscapesSequenceDataset FashionDataset FashionMNISTDataset
        SyntheticGarmentDataset SyntheticTextureDataset UCF101Dataset UCF101TestFramesDataset
        VideoFolderDataset
    """,
    HOOKS="""
        DataFaultHook DivergenceHook FeatureStatisticsHook ForecastCheckpointHook ForecastVisualizationHook
        GANHealthHook ProcessorTimeHook SampleGridHook ValLossHook VanishingGradientHook
    """,
    LOOPS='EpochBasedTrainLoop IterBasedTrainLoop',
    METRICS="""
        AttributeAccuracy CityscapesInstanceMetric ClipDetectionMetric DetectionAgreementMetric
        DumpForecastResults
        FramePredictionMetric FutureSemSegMetric KernelDistanceMetric PanopticMetric TrackingMetric
    """,
    MODELS="""
        AttributeClassificationLoss AttributeClassifier AttributeMixLoss BlurredCopyLast CANDiscriminator
        CANGenerator CachedEncoder ClipDetDataPreprocessor CopyLast CorrectedMotion CreativeGAN
        CreativityLoss D2DForecaster D2DPredictor DCGANDiscriminator DCGANGenerator DPTNeck
        DeformF2FPredictor DetectionDecoder DetectorEncoder DetectorMapEncoder DistanceMapDecoder
        DistanceMapEncoder EgoMotion EndpointLoss F2FForecaster F2FNeck F2FPredictor F2MFPredictor
        FeatureFusion FlowInstanceDecoder FlowObjectDecoder FlowWarp ForecastDataPreprocessor GANLoss GDLoss
        GarmentGenerator ImageDataPreprocessor InstanceMapEncoder LabelDepthEncoder LabelMapEncoder
        MaskReconstructionLoss MaskStyleDiscriminator MaskStyleGenerator MaskedFeatureTransformer
        MaskedLabelTransformer MotionForecaster MultiScaleDiscriminator MultiScalePredictor ObjectL1Loss
        Oracle PairedDecoder PairedEncoder PairedPredictor PanopticDecoder PanopticForecaster
        PrecomputedEncoder PyramidConvLSTM RGBDecoder RGBEncoder S2SForecaster ScoreCrossEntropyLoss
        SegmentorEncoder SegmentorFeatureDecoder SegmentorFeatureEncoder SegmentorFeatureForecaster
        SemSegDecoder SpatialPyramidPooling StackGANGenerator TimmViT ViTFeatureEncoder VideoForecaster
        WarpCorrectPredictor WaveTextureGenerator
    """,
    MODEL_WRAPPERS='AdversarialDistributedDataParallel Unwrapped',
    OPTIM_WRAPPER_CONSTRUCTORS='MultiOptimWrapperConstructor',
    TRANSFORMS="""
        CacheTransforms ClipCameraSpeed ClipCropToMultiple ClipMotionCrop ClipPadToMultiple ClipRandomCrop
        ClipRandomFeatureCrop ClipRandomFlip ClipResize FitToSquare LoadClipDepth LoadClipFeatures
        LoadClipFrames
        LoadClipInstances LoadClipMotion LoadClipScores LoadClipSemSeg LoadGarmentMask LoadMotionMasks
        LoadRGBImage PackCreativeInputs PackForecastInputs RandomJitter
    """,
    VISUALIZERS='ForecastLocalVisualizer',
)


def test_every_registry_has_its_names():
    assert sorted(NAMES) == sorted(registry.__all__)


@pytest.mark.parametrize('name', registry.__all__)
def test_registered_names(name):
    node = getattr(registry, name)
    node.import_all()
    # tests register classes too, which live outside the package
    registered = {key for key, cls in node.module_dict.items() if cls.__module__.startswith('mmforecast.')}
    assert registered == set(NAMES[name].split())


@pytest.mark.parametrize('name', registry.__all__)
def test_names_are_found(name):
    for key in NAMES[name].split():
        assert getattr(registry, name).get(f'mmforecast.{key}').__name__ == key
