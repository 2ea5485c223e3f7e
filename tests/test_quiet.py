"""Native code is hushed, and the screen comes back."""

import os

import pytest

from keras_pix2pix.quiet import quiet_native_code


def test_what_is_written_to_the_descriptor_is_hidden_until_the_block_ends(capfd):
    with quiet_native_code():
        os.write(2, b"hidden")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


def test_an_error_gets_through_and_the_screen_comes_back(capfd):
    with pytest.raises(ValueError, match="could not convert"), quiet_native_code():
        float("mine")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"
