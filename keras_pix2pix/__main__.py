"""`python -m keras_pix2pix` is `keras-pix2pix`."""

import signal


def main():
    """Start the program; until it is there, Ctrl-C ends it without a traceback."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from keras_pix2pix.cli.main import main

    signal.signal(signal.SIGINT, before)
    main()


if __name__ == "__main__":
    main()
