# Predictor and discriminator as narrow as the authors' code has them by default.
_base_ = './multiscale_adversarial.py'
model = dict(
    predictor=dict(widths=((16, 32, 16), (16, 32, 16), (16, 32, 64, 32, 16), (16, 32, 64, 32, 16))),
    discriminator=dict(
        widths=((32, ), (32, 32, 64), (32, 32, 64), (32, 32, 64, 128)),
        hidden=((256, 128), (256, 128), (256, 128), (256, 128))))
