"""The extraction tool on the command line."""

import pytest

from mmforecast.datasets import RepresentationStore


@pytest.fixture
def segmentor_config(street_root, tmp_path):
    """A config with a segmentor of three channels at 1/4, over the synthetic street."""
    path = tmp_path / 'tiny_segmentor.py'
    path.write_text(
        f"""
model = dict(
    encoder=dict(
        type='SegmentorEncoder',
        segmentor=dict(
            type='EncoderDecoder',
            data_preprocessor=dict(type='SegDataPreProcessor'),
            backbone=dict(type='UNet', base_channels=4, num_stages=2, strides=(1, 1),
                          enc_num_convs=(1, 1), dec_num_convs=(1,), downsamples=(True,),
                          enc_dilations=(1, 1), dec_dilations=(1,)),
            decode_head=dict(type='FCNHead', in_channels=4, in_index=1, channels=4, num_convs=0,
                             concat_input=False, num_classes=3),
            test_cfg=dict(mode='whole')),
        stride=4))
val_dataloader = dict(
    dataset=dict(type='CityscapesSequenceDataset', data_root={str(street_root)!r}, split='val'))
"""
    )
    return path


def test_extract_representations(run_tool, segmentor_config, tmp_path, capsys):
    out = tmp_path / 'out'
    options = (segmentor_config, 'none', '--out', out, '--splits', 'val')
    run_tool('extract_representations.py', *options, '--dry-run')
    # 14 frames of 3x16x32 in two bytes.
    assert 'scores (3, 16, 32): 4.3e-05 GB' in capsys.readouterr().out
    assert not out.exists()
    with pytest.raises(SystemExit):
        run_tool('extract_representations.py', *options, '--levels', 'P5')
    assert 'SegmentorEncoder has the levels scores' in capsys.readouterr().err
    run_tool('extract_representations.py', *options, '--levels', 'scores')
    assert '2 sequences written, 0 were there' in capsys.readouterr().out
    assert RepresentationStore(str(out / 'val')).num_frames('scores') == 14
    # Weights drawn anew are not those of the store.
    with pytest.raises(SystemExit):
        run_tool('extract_representations.py', *options)
    assert 'has weights_sha256' in capsys.readouterr().err
