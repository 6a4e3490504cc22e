# Narrow predictor, and a small discriminator of ours: kernels of 3x3, and the largest response anywhere in the
# patch. The authors' own, with larger kernels and all places kept apart, is still at chance after the few
# thousand iterations of a CPU.
_base_ = './multiscale_adversarial.py'
model = dict(
    predictor=dict(widths=((16, 32, 16), (16, 32, 16), (16, 32, 64, 32, 16), (16, 32, 64, 32, 16))),
    discriminator=dict(
        widths=((32, ), (32, 32), (32, 32, 64), (32, 32, 64)),
        kernels=((3, ), (3, 3), (3, 3, 3), (3, 3, 3)),
        hidden=((64, ), (64, ), (64, ), (64, )),
        pools=(2, 4, 10, 26)))
