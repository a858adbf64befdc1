"""What the profile `assignment` names, at its size and in the hubs' layouts, with nothing fetched.

Run as ``python -m benchmarks.assignment_inputs FOLDER``. What is made follows from seeds: ViT-GPT2 and
ViT-B-32 with random weights, and photos of coloured shapes with captions. What is there is left alone.
"""

import io
import json
import re
import string
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from experiments.config.photos import GeneratedPhotos
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.photos import Photo
from experiments.models.libraries import open_clip_library, prepare_transformers

CAPTIONER = "vit-gpt2-image-captioning"
TOWER = "ViT-B-32"
PHOTOS = "flickr30k"
TUNING, EVALUATION = 50, 60
"""How many photos the profile asks for."""
WIDTH, HEIGHT = 500, 375
END = "<|endoftext|>"
_SPREAD = 0.1
"""The standard deviation of GPT-2's random weights: at the usual 0.02 all photos would get one caption."""


def main(folder: Path) -> None:
    """Make what is not there."""
    for name, make in ((CAPTIONER, save_captioner), (TOWER, save_tower), (PHOTOS, save_photos)):
        whole(folder / name, make)


def whole(folder: Path, make: Callable[[Path], None]) -> None:
    """Let `make` fill a folder, which appears when it is whole, unless it is there."""
    if folder.is_dir():
        return
    part = folder.with_name(f"{folder.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    make(part)
    part.rename(folder)


def architecture() -> Any:
    """Return the configuration of ``nlpconnect/vit-gpt2-image-captioning``: ViT-B/16, and GPT-2 that sees."""
    prepare_transformers()
    from transformers import GPT2Config, VisionEncoderDecoderConfig, ViTConfig

    decoder = GPT2Config(add_cross_attention=True, initializer_range=_SPREAD)
    return VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(), decoder)


def save_captioner(folder: Path, config: Any = None) -> None:
    """Save a VisionEncoderDecoder, by default of the real size, with its tokenizer and preprocessing.

    It never ends a caption before it is tuned: each costs as much as one can.
    """
    config = config or architecture()
    import torch
    from transformers import VisionEncoderDecoderModel
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    words = tokenizer(_words(), config.decoder.vocab_size)
    for key in ("decoder_start_token_id", "bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, key, words.eos_token_id)
    torch.manual_seed(0)
    network: Any = VisionEncoderDecoderModel(config)
    with torch.no_grad():  # logits are products with these rows, and that of the end is never the largest
        network.decoder.get_input_embeddings().weight[words.eos_token_id] = 0.0
    side = config.encoder.image_size
    for part in (network, words, ViTImageProcessorPil(size={"height": side, "width": side})):
        part.save_pretrained(folder)


def tokenizer(words: Iterable[str], size: int) -> Any:
    """Return a byte-level BPE tokenizer as GPT-2's, with `size` tokens, whose merges spell `words` in order.

    Each merge adds a letter to the beginning of a word, which follows a space; there must be enough words.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens: dict[str, None] = dict.fromkeys(sorted(pre_tokenizers.ByteLevel.alphabet()))
    merges: list[tuple[str, str]] = []
    for word in words:
        for end in range(1, len(word) + 1):
            before, letter = f"Ġ{word[: end - 1]}", word[end - 1]
            if before + letter not in tokens and len(tokens) < size - 1:
                tokens[before + letter] = None
                merges.append((before, letter))
        if len(tokens) == size - 1:
            break
    vocabulary = {token: code for code, token in enumerate((*tokens, END))}
    made = Tokenizer(models.BPE(vocabulary, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token=END, eos_token=END, unk_token=END)


def _words() -> Iterator[str]:
    """Yield the words of the captions, then made-up ones, the short ones first."""
    captions = [caption for photo in _drawn() for caption in photo.references]
    letters = string.ascii_lowercase
    made_up = ("".join(each) for length in range(1, 5) for each in product(letters, repeat=length))
    return chain(re.findall(r"\w+", " ".join(captions)), made_up)


def save_tower(folder: Path, name: str = TOWER) -> None:
    """Save a model of open_clip's with random weights as a hub's repository that describes it by itself."""
    library = open_clip_library()
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = library.create_model(name)
    described = {
        "model_cfg": library.get_model_config(name),
        "preprocess_cfg": {
            "mean": library.OPENAI_DATASET_MEAN,
            "std": library.OPENAI_DATASET_STD,
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }
    (folder / "open_clip_config.json").write_text(json.dumps(described, indent=1))
    state = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")


def save_photos(folder: Path, side: int = HEIGHT, width: int = WIDTH) -> None:
    """Save captioned photos as the parquet file that ``lmms-lab/flickr30k`` begins with."""
    import pyarrow
    from pyarrow import parquet

    photos = _drawn(side)
    rows = {
        "image": [{"bytes": _jpeg(photo.pixels, width), "path": f"{photo.name}.jpg"} for photo in photos],
        "caption": [list(photo.references) for photo in photos],
        "img_id": [str(number) for number in range(len(photos))],
        "filename": [f"{photo.name}.jpg" for photo in photos],
    }
    (folder / "data").mkdir(exist_ok=True)
    parquet.write_table(pyarrow.table(rows), folder / "data" / "test-00000-of-00001.parquet")


def _drawn(side: int = 8) -> tuple[Photo, ...]:
    options = {"tuning": TUNING, "evaluation": EVALUATION, "size": side}
    photos = generate_photos(GeneratedPhotos(kind="generated", seed=0, **options))
    return (*photos.tuning, *photos.evaluation)


def _jpeg(pixels: np.ndarray, width: int) -> bytes:
    """Return a photo as a file, as wide as `width` by dark bars at its sides."""
    bars = max(0, width - pixels.shape[1])
    content = io.BytesIO()
    wide = np.pad(pixels, ((0, 0), (bars // 2, bars - bars // 2), (0, 0)))
    Image.fromarray(wide).save(content, "JPEG", quality=90)
    return content.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
