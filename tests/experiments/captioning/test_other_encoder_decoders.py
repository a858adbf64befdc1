"""Encoders and decoders beside the brief's ViT and GPT-2, tiny and random, loaded from a folder."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner, load_encoder_decoder
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.tuning import GenerationConfig
from experiments.models.libraries import prepare_transformers
from experiments.results.caption import Caption
from pipeline.errors import UserError

prepare_transformers()

import transformers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT's own

CAPTIONS = ("a cat", "two dogs run", "a red car.", "ship")
GREEDY = GenerationConfig(max_new_tokens=16, beams=1)
BEAMS = GenerationConfig(max_new_tokens=16, beams=3)
ROOM = 20
SIZE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
READS_PICTURES: dict[str, Any] = {"is_decoder": True, "add_cross_attention": True}
SQUARE = {"height": 32, "width": 32}

ENCODERS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "vit": (
        lambda: transformers.ViTConfig(image_size=32, patch_size=8, initializer_range=0.4, **SIZE),
        {"image_processor_type": "ViTImageProcessor", "size": SQUARE},
    ),
    "deit": (
        lambda: transformers.DeiTConfig(image_size=32, patch_size=8, initializer_range=0.4, **SIZE),
        {
            "image_processor_type": "DeiTImageProcessor",
            "size": {"height": 40, "width": 40},
            "crop_size": SQUARE,
        },
    ),
    "beit": (
        lambda: transformers.BeitConfig(
            image_size=32, patch_size=8, use_relative_position_bias=True, initializer_range=0.4, **SIZE
        ),
        {"image_processor_type": "BeitImageProcessor", "size": SQUARE, "crop_size": SQUARE},
    ),
    "swin": (
        lambda: transformers.SwinConfig(
            image_size=32, patch_size=2, embed_dim=16, depths=[1, 1], num_heads=[2, 2], window_size=4
        ),
        {"image_processor_type": "ViTImageProcessor", "size": SQUARE},
    ),
}
DECODERS: dict[str, Callable[[int], Any]] = {
    "bert": lambda size: transformers.BertConfig(
        vocab_size=size, max_position_embeddings=ROOM, **READS_PICTURES, **SIZE
    ),
    "roberta": lambda size: transformers.RobertaConfig(
        vocab_size=size, max_position_embeddings=ROOM + 2, **READS_PICTURES, **SIZE
    ),
    "trocr": lambda size: transformers.TrOCRConfig(
        vocab_size=size,
        d_model=32,
        decoder_layers=2,
        decoder_attention_heads=2,
        decoder_ffn_dim=64,
        max_position_embeddings=ROOM,
        **READS_PICTURES,
    ),
}
KINDS = [*((encoder, "bert") for encoder in ENCODERS), ("vit", "roberta"), ("vit", "trocr")]


def tokenizer_of_bert(folder: Path) -> int:
    letters = [*map(chr, range(ord("a"), ord("z") + 1)), "."]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + letter for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(pieces))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    return len(pieces)


def tokenizer_of_roberta(folder: Path) -> int:
    from tokenizers import pre_tokenizers

    marks = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({mark: number for number, mark in enumerate(marks)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer"}))
    return len(marks)


def publish(encoder: str, decoder: str, folder: Path, spread: float = 0.4) -> Path:
    """Write a captioner whose decoder's weights are drawn with that standard deviation."""
    folder.mkdir()
    size = (tokenizer_of_bert if decoder == "bert" else tokenizer_of_roberta)(folder)
    vision, pictures = ENCODERS[encoder]
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        vision(), DECODERS[decoder](size)
    )
    config.decoder.initializer_range = config.decoder.init_std = spread
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: Any = transformers.VisionEncoderDecoderModel(config)
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    return folder


def load(folder: Path) -> EncoderDecoderCaptioner:
    return load_encoder_decoder(
        EncoderDecoderConfig(
            kind="vision_encoder_decoder", model=str(folder), seed=0, precision="fp32", held_out=1
        ),
        Path("/nowhere"),
    )


def photos() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    sizes = [(32, 32), (3, 50), (64, 3), (100, 40)]
    return [generator.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def captioner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> EncoderDecoderCaptioner:
    encoder, decoder = request.param
    return load(publish(encoder, decoder, tmp_path_factory.mktemp("kind") / f"{encoder}-{decoder}"))


def test_a_caption_begins_and_ends_with_tokens_that_every_tokenizer_of_its_kind_has(
    captioner: EncoderDecoderCaptioner,
):
    tokenizer = captioner.tokenizer
    begins_with = {"vit-trocr": "</s>", "vit-roberta": "<s>"}  # the first is what its configuration says
    assert tokenizer.convert_ids_to_tokens(captioner.start) == begins_with.get(captioner.model, "[CLS]")
    assert tokenizer.eos_token == ("</s>" if captioner.model in begins_with else "[SEP]")


def test_greedy_captions_are_those_of_a_plain_loop_over_the_most_likely_token(
    captioner: EncoderDecoderCaptioner,
):
    features = captioner.encode(photos())
    tokens = torch.full((len(features), 1), captioner.start, device=captioner.device)
    with torch.no_grad():
        for _ in range(GREEDY.max_new_tokens):
            logits = captioner.network(
                encoder_outputs=(features.to(captioner.device),), decoder_input_ids=tokens, use_cache=False
            ).logits
            tokens = torch.cat([tokens, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    end = captioner.tokenizer.eos_token_id
    expected = []
    for row in tokens[:, 1:].tolist():
        kept = row[: row.index(end)] if end in row else row
        text = " ".join(captioner.tokenizer.decode(kept, skip_special_tokens=True).split())
        expected.append(Caption(text="".join(filter(str.isprintable, text)), ended=end in row))
    assert captioner.generate(features, GREEDY) == expected
    assert len({caption.text for caption in expected}) > 1 or not expected[0].text
    assert len(captioner.generate(features, BEAMS)) == 4


def test_padding_does_not_count(captioner: EncoderDecoderCaptioner):
    features = captioner.encode(photos()[:2])
    with torch.no_grad():
        together = float(captioner.loss(features, CAPTIONS[:2]))
        alone = [float(captioner.loss(features[i : i + 1], [CAPTIONS[i]])) for i in range(2)]
    sizes = [
        len(captioner.tokenizer(text, add_special_tokens=False)["input_ids"]) + 1 for text in CAPTIONS[:2]
    ]
    assert together == pytest.approx(np.average(alone, weights=sizes), abs=1e-4)


def test_as_many_tokens_as_there_is_room_for_are_written_and_no_more(captioner: EncoderDecoderCaptioner):
    features = captioner.encode(photos()[:1])
    full = GenerationConfig(max_new_tokens=ROOM, beams=1)
    assert len(captioner.generate(features, full)) == 1
    with torch.no_grad():
        captioner.loss(features, ["x" * (ROOM - 1)])
    with pytest.raises(UserError, match=f"room for {ROOM} tokens a caption, but {ROOM + 1}"):
        captioner.generate(features, full.model_copy(update={"max_new_tokens": ROOM + 1}))


@pytest.mark.parametrize("kind", [("vit", "bert"), ("swin", "bert"), ("vit", "roberta")])
def test_captions_are_learnt_by_heart_with_their_ends(kind: tuple[str, str], tmp_path: Path):
    captioner = load(publish(*kind, tmp_path / "new", spread=0.02))
    features = captioner.encode(photos())
    captioner.network.decoder.requires_grad_(True)
    optimizer = torch.optim.AdamW(captioner.network.decoder.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        captioner.loss(features, CAPTIONS).backward()
        optimizer.step()
    written = captioner.generate(features, GREEDY)
    assert all(caption.ended for caption in written)
    assert ["".join(caption.text.split()) for caption in written] == [
        "".join(text.split()) for text in CAPTIONS
    ]


def test_an_adapter_reaches_a_decoder_of_linear_layers(tmp_path: Path):
    from peft import LoraConfig, get_peft_model

    captioner = load(publish("vit", "bert", tmp_path / "new"))
    features = captioner.encode(photos())
    plain = captioner.generate(features, GREEDY)
    assert not captioner.stores_transposed
    config = LoraConfig(
        r=2, target_modules=["crossattention.self.query", "attention.self.query"], task_type=None
    )
    tuned = replace(captioner, network=get_peft_model(captioner.network, config))
    assert tuned.generate(features, GREEDY) == plain
    tuned.loss(features, CAPTIONS).backward()
    adapted = [name for name, tensor in tuned.network.named_parameters() if tensor.grad is not None]
    assert adapted and all("decoder" in name and "lora_" in name for name in adapted)


def test_what_old_checkpoints_kept_beside_their_weights_is_ignored(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    for encoder, decoder, name in (
        ("swin", "bert", "decoder.bert.embeddings.position_ids"),
        ("vit", "roberta", "decoder.roberta.embeddings.position_ids"),
    ):
        folder = publish(encoder, decoder, tmp_path / decoder)
        weights = folder / "model.safetensors"
        save_file(load_file(weights) | {name: torch.zeros(3)}, weights, metadata={"format": "pt"})
        assert load(folder)


def test_a_tokenizer_that_ends_nothing_is_one_sentence(tmp_path: Path):
    from tokenizers import Tokenizer, models

    folder = publish("vit", "bert", tmp_path / "endless")
    (folder / "vocab.txt").unlink()
    Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, "[UNK]")).save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"})
    )
    with pytest.raises(UserError, match=r"^endless does not say how a caption ends: add eos_token"):
        load(folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "eos_token": "a"})
    )
    with pytest.raises(UserError, match=r"^endless does not say how a caption begins: add decoder_start"):
        load(folder)
