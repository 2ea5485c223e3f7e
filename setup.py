"""All metadata of the package; `pyproject.toml` holds settings of tools only."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "keras_pix2pix/__init__.py").read_text(encoding="utf-8"))[1]
ONNX = ["onnx>=1.18", "onnxruntime>=1.22", "tf2onnx>=1.17"]

setup(
    name="keras-pix2pix",
    version=VERSION,
    description="Paired image-to-image translation (pix2pix) for Keras 3: a folder of pairs in, a TFLite file out.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["keras_pix2pix", "keras_pix2pix.*"]),
    package_data={
        "keras_pix2pix": ["*.pyi", "py.typed"],
        "keras_pix2pix.deploy": ["page/*"],
        "keras_pix2pix.report": ["*.jinja"],
    },
    install_requires=[
        "tensorflow>=2.20",
        "keras>=3.15",
        "ai-edge-litert>=2.1.5",
        "ai-edge-quantizer>=0.7",
        "tensorboard>=2.20",
        "numpy>=1.26.4",
        "pillow>=11",
        "matplotlib>=3.9",
        "jinja2>=3.1",
        "lazy-loader>=0.4",
        "rich>=14",
        "typer>=0.20",
        "wrapt>=1.17",
    ],
    extras_require={
        "onnx": ONNX,
        "safetensors": ["safetensors>=0.4.3"],
        "torch": ["torch>=2.6"],  # Before it, reading weights alone could still run code.
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "hypothesis>=6.100",
            "ruff>=0.12",
            "safetensors>=0.4.3",
            "scikit-image>=0.26",
            "selenium>=4.20",
            *ONNX,
        ],
        "benchmark": ["torch>=2.6"],
    },
    entry_points={"console_scripts": ["keras-pix2pix = keras_pix2pix.cli.main:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
