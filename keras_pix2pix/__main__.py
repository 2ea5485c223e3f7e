"""`python -m keras_pix2pix` is `keras-pix2pix`."""

from keras_pix2pix.cli.main import main

main()
