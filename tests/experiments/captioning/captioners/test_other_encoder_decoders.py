"""Encoders and decoders, the brief's ViT and GPT-2 among them, tiny and random, loaded from a folder."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner
from experiments.config.tuning import GenerationConfig
from experiments.models.libraries import prepare_transformers
from experiments.results.caption import Caption
from tests.support.captioners import BEAMS, CAPTIONS, GREEDY, load_captioner, odd_photos
from tests.support.refusals import refusal

prepare_transformers()

import transformers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT's own

ROOM = 20
SIZE: dict[str, Any] = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
VISION: dict[str, Any] = {"image_size": 32, "patch_size": 8, "initializer_range": 0.4, **SIZE}
READS_PICTURES: dict[str, Any] = {"is_decoder": True, "add_cross_attention": True, "hidden_size": 32}
GPT2: dict[str, Any] = {"n_embd": 32, "n_layer": 2, "n_head": 2, "add_cross_attention": True}
TROCR: dict[str, Any] = {"decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 64}
SWIN: dict[str, Any] = {"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 1]}
SWIN |= {"num_heads": [2, 2], "window_size": 4}

ENCODERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "vit": (transformers.ViTConfig, {"hidden_size": 32, **VISION}),
    "deit": (transformers.DeiTConfig, {"hidden_size": 48, **VISION}),  # of another width than its decoder
    "beit": (transformers.BeitConfig, {"hidden_size": 32, "use_relative_position_bias": True, **VISION}),
    "swin": (transformers.SwinConfig, SWIN),
}
DECODERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "gpt2": (transformers.GPT2Config, {"n_positions": ROOM, **GPT2}),
    "bert": (transformers.BertConfig, {"max_position_embeddings": ROOM, **READS_PICTURES, **SIZE}),
    "roberta": (transformers.RobertaConfig, {"max_position_embeddings": ROOM + 2, **READS_PICTURES, **SIZE}),
    "trocr": (transformers.TrOCRConfig, {"max_position_embeddings": ROOM, **READS_PICTURES, **TROCR}),
}
PHOTOS: dict[str, tuple[str, int]] = {"deit": ("DeiT", 40), "beit": ("Beit", 32)}
"""The processor of an encoder's photos, and to what size it brings them before it crops them."""

KINDS = [*((encoder, "bert") for encoder in ENCODERS)]
KINDS += [("vit", "gpt2"), ("vit", "roberta"), ("vit", "trocr")]
MARKS = {"vit-gpt2": ("<|endoftext|>",) * 2, "vit-roberta": ("<s>", "</s>"), "vit-trocr": ("</s>", "</s>")}
"""How a caption begins and ends where it is not as with BERT; TrOCR's configuration says how it begins."""


def write_tokenizer(decoder: str, folder: Path) -> int:
    """Write the files of a tokenizer of letters or bytes, and return how many tokens it has."""
    kind = {"bert": "Bert", "gpt2": "GPT2"}.get(decoder, "Roberta")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": f"{kind}Tokenizer"}))
    if kind == "Bert":
        letters = [*map(chr, range(ord("a"), ord("z") + 1)), "."]
        pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *map("##{}".format, letters)]
        (folder / "vocab.txt").write_text("\n".join(pieces))
        return len(pieces)
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    others = ["<s>", "<pad>", "</s>", "<unk>", *characters, "<mask>"]
    pieces = [*characters, "<|endoftext|>"] if kind == "GPT2" else others
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return len(pieces)


def publish(encoder: str, decoder: str, folder: Path, spread: float = 0.4) -> Path:
    """Write a captioner whose decoder's weights are drawn with that standard deviation."""
    folder.mkdir()
    (vision, sizes), (language, others) = ENCODERS[encoder], DECODERS[decoder]
    parts = vision(**sizes), language(vocab_size=write_tokenizer(decoder, folder), **others)
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(*parts)
    config.decoder.initializer_range = config.decoder.init_std = spread
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: Any = transformers.VisionEncoderDecoderModel(config)
    network.save_pretrained(folder)
    kind, side = PHOTOS.get(encoder, ("ViT", 32))
    square, crop = ({"height": size, "width": size} for size in (side, 32))
    pictures = {"image_processor_type": f"{kind}ImageProcessor", "size": square, "crop_size": crop}
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    return folder


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def captioner(request: Any, tmp_path_factory: pytest.TempPathFactory) -> EncoderDecoderCaptioner:
    encoder, decoder = request.param
    folder = tmp_path_factory.mktemp("kind") / f"{encoder}-{decoder}"
    return load_captioner(publish(encoder, decoder, folder))


def test_a_caption_begins_and_ends_with_tokens_of_its_tokenizers_kind(captioner: EncoderDecoderCaptioner):
    begins = captioner.tokenizer.convert_ids_to_tokens(captioner.start)
    assert (begins, captioner.tokenizer.eos_token) == MARKS.get(captioner.model, ("[CLS]", "[SEP]"))


def test_greedy_captions_are_those_of_a_plain_loop(captioner: EncoderDecoderCaptioner):
    features = captioner.encode(odd_photos())
    states = (features.to(captioner.device),)
    tokens = torch.full((len(features), 1), captioner.start, device=captioner.device)
    with torch.no_grad():
        for _ in range(GREEDY.max_new_tokens):
            found = captioner.network(encoder_outputs=states, decoder_input_ids=tokens, use_cache=False)
            tokens = torch.cat([tokens, found.logits[:, -1:].argmax(-1)], dim=1)
    end = captioner.tokenizer.eos_token_id
    expected = []
    for row in tokens[:, 1:].tolist():
        kept = row[: row.index(end)] if end in row else row
        text = " ".join(captioner.tokenizer.decode(kept, skip_special_tokens=True).split())
        expected.append(Caption(text="".join(filter(str.isprintable, text)), ended=end in row))
    captioner.network.train()
    captioner.network.encoder.eval()
    assert captioner.generate(features, GREEDY) == expected, "without dropout"
    assert captioner.network.training and captioner.network.decoder.training, "each mode is put back"
    assert not captioner.network.encoder.training
    captioner.network.eval()
    assert len({caption.text for caption in expected}) > 1 or not expected[0].text
    assert len(captioner.generate(features, BEAMS)) == 4


def test_the_loss_is_that_of_the_whole_network_with_padding_masked(captioner: EncoderDecoderCaptioner):
    photos = odd_photos()[:2]
    pixels = captioner.processor(photos, return_tensors="pt", input_data_format="channels_last").pixel_values
    rows = [captioner.tokenizer(text, add_special_tokens=False)["input_ids"] for text in CAPTIONS[:2]]
    padding = len(rows[1]) - len(rows[0])
    assert padding > 0
    before = torch.tensor([[captioner.start, *rows[0], *rows[0][:1] * padding], [captioner.start, *rows[1]]])
    end = captioner.tokenizer.eos_token_id
    after = torch.tensor([[*rows[0], end, *[-100] * padding], [*rows[1], end]])
    fed = {"pixel_values": pixels.to(captioner.device), "decoder_input_ids": before.to(captioner.device)}
    with torch.no_grad():
        logits = captioner.network(**fed).logits.cpu()
        found = captioner.loss(captioner.encode(photos), CAPTIONS[:2])
        assert 0 < captioner.loss(captioner.encode(photos[:1]), [""]) < float("inf")  # the end alone
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), after.flatten(), ignore_index=-100)
    assert float(found) == pytest.approx(float(expected), abs=1e-4)


def test_as_many_tokens_as_there_is_room_for_are_written_and_no_more(captioner: EncoderDecoderCaptioner):
    features = captioner.encode(odd_photos()[:1])
    full = GenerationConfig(max_new_tokens=ROOM, beams=1)
    assert len(captioner.generate(features, full)) == 1
    with torch.no_grad():
        captioner.loss(features, ["x" * (ROOM - 1)])
    sentence = f"room for {ROOM} tokens a caption, but {ROOM + 1}"
    longer = full.model_copy(update={"max_new_tokens": ROOM + 1})
    assert sentence in refusal(captioner.generate, features, longer)
    assert sentence in refusal(captioner.loss, features, ["x" * ROOM])


@pytest.mark.parametrize("kind", [("vit", "gpt2"), ("vit", "bert"), ("swin", "bert"), ("vit", "roberta")])
def test_captions_are_learnt_by_heart_with_their_ends(kind: tuple[str, str], tmp_path: Path):
    captioner = load_captioner(publish(*kind, tmp_path / "new", spread=0.02))
    features = captioner.encode(odd_photos())
    captioner.network.decoder.requires_grad_(True)
    optimizer = torch.optim.AdamW(captioner.network.decoder.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        captioner.loss(features, CAPTIONS).backward()
        optimizer.step()
    for rules in (GREEDY, BEAMS):
        written = captioner.generate(features, rules)
        assert all(caption.ended for caption in written)
        learnt = ["".join(caption.text.split()) for caption in written]
        assert learnt == ["".join(text.split()) for text in CAPTIONS]


def test_an_adapter_reaches_a_decoder_of_linear_layers(tmp_path: Path):
    from peft import LoraConfig, get_peft_model

    captioner = load_captioner(publish("vit", "bert", tmp_path / "new"))
    features = captioner.encode(odd_photos())
    plain = captioner.generate(features, GREEDY)
    assert not captioner.stores_transposed
    targets = ["crossattention.self.query", "attention.self.query"]
    config = LoraConfig(r=2, target_modules=targets, task_type=None)
    tuned = replace(captioner, network=get_peft_model(captioner.network, config))
    assert tuned.generate(features, GREEDY) == plain
    tuned.loss(features, CAPTIONS).backward()
    adapted = [name for name, tensor in tuned.network.named_parameters() if tensor.grad is not None]
    assert adapted and all("decoder" in name and "lora_" in name for name in adapted)


@pytest.mark.parametrize("kind", [("swin", "bert"), ("vit", "roberta")])
def test_what_old_checkpoints_kept_beside_their_weights_is_ignored(kind: tuple[str, str], tmp_path: Path):
    folder = publish(*kind, tmp_path / "old")
    weights = folder / "model.safetensors"
    kept = {f"decoder.{kind[1]}.embeddings.position_ids": torch.zeros(3)}
    save_file(load_file(weights) | kept, weights, metadata={"format": "pt"})
    assert load_captioner(folder)


def test_a_tokenizer_that_ends_nothing_is_one_sentence(tmp_path: Path):
    folder = publish("vit", "bert", tmp_path / "endless")
    (folder / "vocab.txt").unlink()
    words = {"a": 0, "[UNK]": 1} | {f"word{number}": number for number in range(2, 40)}
    Tokenizer(models.WordLevel(words, "[UNK]")).save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    for more, sentence in (
        ({}, "endless does not say how a caption ends: add eos_token"),
        ({"eos_token": "a"}, "endless does not say how a caption begins: add decoder_start"),
    ):
        (folder / "tokenizer_config.json").write_text(json.dumps(config | more))
        assert refusal(load_captioner, folder).startswith(sentence)


START, END, PAD = "decoder_start_token_id", "eos_token_id", "pad_token_id"


def say(folder: Path, place: str, told: dict[str, Any]) -> None:
    """Let one place of a folder tell the special tokens, and no other."""
    (folder / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text())
    for part in (config, config["decoder"]):
        for name in (START, END, PAD, "bos_token_id"):
            part.pop(name, None)
    if config["decoder"]["model_type"] in {"bert", "gpt2"}:  # the others can not be without
        config["decoder"] |= dict.fromkeys((START, END, PAD, "bos_token_id"))
    if place == "generation_config.json":
        (folder / place).write_text(json.dumps(told))
    else:
        {"config.json": config, "its decoder": config["decoder"]}[place].update(told)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("place", ["config.json", "its decoder", "generation_config.json"])
@pytest.mark.parametrize("decoder", list(DECODERS))
def test_captions_are_those_of_generate_wherever_the_special_tokens_stand(
    decoder: str, place: str, tmp_path: Path
):
    folder = publish("vit", decoder, tmp_path / "told")
    for told in ({START: 7, END: 11, PAD: 1}, {"bos_token_id": 8, END: [9, 10], PAD: 1}):
        say(folder, place, told)
        captioner = load_captioner(folder)
        reference: Any = transformers.VisionEncoderDecoderModel.from_pretrained(folder).eval()
        pixels = captioner.processor(odd_photos(), return_tensors="pt", input_data_format="channels_last")
        for rules in (GREEDY, BEAMS):
            length = {"max_new_tokens": rules.max_new_tokens, "num_beams": rules.beams, "do_sample": False}
            with torch.no_grad():
                tokens = reference.generate(pixel_values=pixels["pixel_values"], **length)
            ends = np.atleast_1d(reference.generation_config.eos_token_id).tolist()
            assert tokens[0, 0] == captioner.start
            assert (captioner.start, ends) == (told.get(START, 8), np.atleast_1d(told[END]).tolist()) or (
                decoder in {"roberta", "trocr"}
            )
            assert set(captioner.ends) == set(ends) and captioner.tokenizer.eos_token_id in ends
            written = [found.text for found in captioner.generate(captioner.encode(odd_photos()), rules)]
            expected = []
            for row in tokens[:, 1:].tolist():
                length_of = next((at for at, token in enumerate(row) if token in ends), len(row))
                text = captioner.tokenizer.decode(row[:length_of], skip_special_tokens=True)
                expected.append("".join(filter(str.isprintable, " ".join(text.split()))))
            assert written == expected


@pytest.mark.parametrize("start", [300, -1, "7", True, 2.0, [7], [7, 8], []])
@pytest.mark.parametrize("place", ["config.json", "its decoder", "generation_config.json"])
def test_a_start_that_is_no_token_of_the_decoder_is_refused_as_generate_does(
    start: Any, place: str, tmp_path: Path
):
    folder = publish("vit", "gpt2", tmp_path / "told")
    say(folder, place, {START: start, END: 11, PAD: 1, "bos_token_id": 8})
    sentence = refusal(load_captioner, folder)
    assert f"told says that a caption begins with the token {start!r}, which is none of" in sentence


@pytest.mark.parametrize("cut", ["", "{", "[]", '{"decoder_start_token_id": 7', "[" * 100_000])
def test_damaged_rules_of_generation_are_told_and_never_passed_over(cut: str, tmp_path: Path):
    folder = publish("vit", "gpt2", tmp_path / "told")
    say(folder, "generation_config.json", {START: 7, END: 11, PAD: 1})
    assert load_captioner(folder).start == 7
    (folder / "generation_config.json").write_text(cut)
    assert "generation_config.json of told is damaged" in refusal(load_captioner, folder)


def test_a_decoder_that_is_blind_is_refused_by_its_logits(tmp_path: Path):
    for name, config in (
        ("opt", transformers.OPTConfig(hidden_size=32, ffn_dim=64, num_hidden_layers=1,
         num_attention_heads=2, word_embed_proj_dim=32, vocab_size=300, max_position_embeddings=64)),
        ("llama", transformers.LlamaConfig(hidden_size=32, vocab_size=300, **SIZE)),
        ("biogpt", transformers.BioGptConfig(hidden_size=32, vocab_size=300, **SIZE)),
        ("plain", transformers.GPT2Config(**{**GPT2, "add_cross_attention": False, "vocab_size": 300})),
    ):  # fmt: skip
        folder = publish("vit", "gpt2", tmp_path / name)
        encoder = transformers.ViTConfig(hidden_size=32, **VISION)
        both = transformers.VisionEncoderDecoderConfig(encoder=encoder.to_dict(), decoder=config.to_dict())
        transformers.VisionEncoderDecoderModel(both).save_pretrained(folder)
        sentence = refusal(load_captioner, folder)
        assert sentence.startswith(name) and "captioner.model" in sentence, sentence


def test_an_adapter_beside_a_whole_model_is_refused(tmp_path: Path):
    folder = publish("vit", "gpt2", tmp_path / "tuned")
    (folder / "adapter_config.json").write_text("{}")
    sentence = refusal(load_captioner, folder)
    assert "tuned already" in sentence and "adapter_config.json" in sentence


def spoil(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "mlp.c_fc.weight" in name)
    weights[name][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def another_size(folder: Path) -> None:
    path = folder / "preprocessor_config.json"
    path.write_text(path.read_text().replace("32", "64"))


def another_shape(folder: Path) -> None:
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"size": {"shortest_edge": 32}}))


def with_merges(folder: Path, made: int) -> None:
    """Give a tokenizer of bytes sixty tokens of two, in place of others, and merges for some of these."""
    pieces = json.loads((folder / "vocab.json").read_text())
    others = [piece for piece in pieces if not piece.isascii()][:60]
    pairs = [f"{first}{second}" for first in "abcdefgh" for second in "ijklmnop"][:60]
    named = dict(zip(others, pairs, strict=True))
    vocabulary = {named.get(piece, piece): number for piece, number in pieces.items()}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    lines = [f"{pair[0]} {pair[1]}" for pair in pairs[:made]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines, ""]))


def lost_merges(folder: Path) -> None:
    with_merges(folder, 0)


def another_tokenizer(folder: Path) -> None:
    pieces = json.loads((folder / "vocab.json").read_text())
    (folder / "vocab.json").write_text(json.dumps(pieces | {"more": 400}))


def hardly_a_tokenizer(folder: Path) -> None:
    (folder / "vocab.json").write_text("{}")
    (folder / "tokenizer.json").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (hardly_a_tokenizer, "tokens, but the decoder knows 257"),
        (spoil, "is damaged: 1 of its tensors hold values that are no numbers, such as decoder."),
        (another_size, "do not fit its encoder"),
        (another_shape, "do not fit its encoder"),
        (lost_merges, "has 60 tokens of several letters, of which its merges make 0"),
        (another_tokenizer, "has 401 tokens, but the decoder knows 257"),
    ],
)
def test_parts_that_do_not_belong_together_are_found_before_any_work(
    damage: Callable[[Path], None], said: str, tmp_path: Path
):
    folder = publish("vit", "gpt2", tmp_path / "odd")
    damage(folder)
    assert said in refusal(load_captioner, folder)


def test_a_few_tokens_that_no_merge_makes_are_no_damage(tmp_path: Path):
    folder = publish("vit", "gpt2", tmp_path / "odd")
    with_merges(folder, 59)
    assert load_captioner(folder).tokenizer("ai bj hx").input_ids
    with_merges(folder, 40)
    assert "its merges make 40" in refusal(load_captioner, folder)


def test_a_configuration_that_denies_what_it_is_captions_all_the_same(tmp_path: Path):
    folder = publish("vit", "gpt2", tmp_path / "odd")
    captions = load_captioner(folder).generate(load_captioner(folder).encode(odd_photos()), GREEDY)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"is_encoder_decoder": False}))
    denied = load_captioner(folder)
    assert denied.generate(denied.encode(odd_photos()), GREEDY) == captions


def test_a_target_that_the_image_tower_has_as_well_means_the_decoders_layers(tmp_path: Path):
    from experiments.captioning.adapter import matching_layers, with_adapter

    captioner = load_captioner(publish("vit", "trocr", tmp_path / "both"))
    shared = {
        name.rpartition(".")[2] for name in matching_layers(captioner, ("decoder.layers.0.fc1", "q_proj"))
    }
    assert shared == {"fc1", "q_proj"}
    tuned = with_adapter(captioner, r=2, alpha=2, dropout=0.0, targets=("q_proj", "fc1"), seed=0)
    adapted = [name for name, _ in tuned.network.named_parameters() if "lora_" in name]
    assert adapted and not any(".encoder." in name for name in adapted)
