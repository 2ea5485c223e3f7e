"""All metadata of the package; `pyproject.toml` holds settings of tools only."""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "keras_pix2pix/__init__.py").read_text(encoding="utf-8"))[1]
TIFF = ["tifffile>=2026.3.3", "imagecodecs>=2026.3.6"]
ONNX = ["onnx>=1.18", "onnxruntime>=1.22", "tf2onnx>=1.17"]


class SourceDistribution(sdist):
    """With what is not installed, too: setuptools finds the package only."""

    def make_distribution(self):
        for folder in ("benchmarks", "docs", "examples", "tests"):
            self.filelist.graft(folder)
        for name in ("CHANGELOG.md", "CONTRIBUTING.md", "Makefile"):
            self.filelist.include(name)
        self.filelist.global_exclude("*.py[cod]")
        super().make_distribution()


def outside_the_repository(readme):
    """README without its pictures and their captions; a link to a file of the repository becomes the file's name."""
    readme = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n+(\*[^*]+\*\n+)?", "", readme)
    link = r"\[([^]]+)\]\((?!https?:|#)([^)]+)\)"
    return re.sub(link, lambda found: found[1] if found[2] in found[1] else f"{found[1]} (`{found[2]}`)", readme)


setup(
    name="keras-pix2pix",
    version=VERSION,
    description="Paired image-to-image translation (pix2pix) for Keras 3: a folder of pairs in, a TFLite file out.",
    long_description=outside_the_repository((HERE / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    author="The keras_pix2pix authors",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords="pix2pix, image-to-image translation, conditional GAN, Keras, TensorFlow, TFLite",
    python_requires=">=3.11",
    packages=find_packages(include=["keras_pix2pix", "keras_pix2pix.*"]),
    package_data={
        "keras_pix2pix": ["*.pyi", "py.typed", "weights/*"],
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
        "pyyaml>=6.0.1",
        "rich>=14",
        "typer>=0.20",
        "wrapt>=1.17",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.20"],
        "onnx": ONNX,
        "safetensors": ["safetensors>=0.4.3"],
        "tiff": TIFF,
        "torch": ["torch>=2.6"],  # Before it, reading weights alone could still run code.
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "hypothesis>=6.100",
            "build>=1.2.1",
            "mypy>=1.15",
            "twine>=6.1",
            "ruff>=0.12",
            "safetensors>=0.4.3",
            "scikit-image>=0.26",
            "scipy>=1.11",
            "selenium>=4.20",
            *ONNX,
            *TIFF,
        ],
        "benchmark": ["torch>=2.6"],
        "docs": ["mkdocs>=1.6", "mkdocs-material>=9.6", "mkdocstrings[python]>=1.0"],
    },
    entry_points={"console_scripts": ["keras-pix2pix = keras_pix2pix.__main__:main"]},
    cmdclass={"sdist": SourceDistribution},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
)
