import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch

from experiments.captioning.captioners import saved
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner, load_encoder_decoder
from experiments.captioning.captioners.untrained import random_encoder_decoder, vit_gpt2_on_meta
from experiments.config.captioner import EncoderDecoderConfig, RandomCaptionerConfig
from experiments.config.tuning import GenerationConfig
from experiments.models import hub
from experiments.models.precision import best_device
from experiments.models.torchvision_shim import declare_missing_operators
from experiments.results.caption import Caption
from pipeline.errors import UserError

declare_missing_operators()  # PEFT imports what imports torchvision

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT's own

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CAPTIONS = ("a cat", "two dogs run", "a red car.", "ship")
GREEDY = GenerationConfig(max_new_tokens=16, beams=1)
BEAMS = GenerationConfig(max_new_tokens=16, beams=3)
HOSTILE = {
    "max_length": 3,
    "min_length": 14,
    "num_beams": 4,
    "num_return_sequences": 2,
    "no_repeat_ngram_size": 1,
    "repetition_penalty": 5.0,
    "length_penalty": -3.0,
    "forced_bos_token_id": 7,
    "forced_eos_token_id": 8,
    "suppress_tokens": list(range(0, 256, 2)),
    "bad_words_ids": [[token] for token in range(1, 100, 2)],
    "eos_token_id": 9,
    "return_dict_in_generate": True,
}


def random_captioner(seed: int = 0, precision: Any = "fp32") -> EncoderDecoderCaptioner:
    config = RandomCaptionerConfig(kind="random", seed=seed, precision=precision, held_out=1)
    return random_encoder_decoder(config)


def config(model: Path | str, revision: str | None = None) -> EncoderDecoderConfig:
    return EncoderDecoderConfig(
        kind="vision_encoder_decoder",
        model=str(model),
        revision=revision,
        seed=0,
        precision="fp32",
        held_out=1,
    )


def load(
    model: Path | str, revision: str | None = None, root: Path = Path("/nowhere")
) -> EncoderDecoderCaptioner:
    return load_encoder_decoder(config(model, revision), root)


def publish(folder: Path, rules: dict[str, Any] | None = None) -> Path:
    """Write a tiny ViT-GPT2 with the very files, and the same old formats of them, that the brief's has."""
    captioner = random_captioner(seed=3)
    captioner.network.save_pretrained(folder)
    letters = captioner.tokenizer.get_vocab()
    (folder / "vocab.json").write_text(json.dumps(letters))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    end = "<|endoftext|>"
    special = {"bos_token": end, "eos_token": end, "pad_token": end, "unk_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer", **special}))
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    photos = {"feature_extractor_type": "ViTFeatureExtractor", "do_normalize": True, "do_resize": True}
    pixels = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2, "size": 32}
    (folder / "preprocessor_config.json").write_text(json.dumps(photos | pixels))
    config = json.loads((folder / "config.json").read_text())
    tokens = {f"{name}_token_id": letters[end] for name in ("bos", "eos", "pad", "decoder_start")}
    config |= tokens | {"tie_word_embeddings": False}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({} if rules is None else rules))
    (folder / "README.md").write_text("---\ntags:\n- captions\nlicense: apache-2.0\n---\nlicense: mine\n")
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("hub") / "tiny", HOSTILE)


def photos(n: int = 4) -> list[np.ndarray]:
    """Return photos of differing sizes: one three pixels high, one three wide."""
    generator = np.random.default_rng(0)
    sizes = [(32, 32), (3, 50), (64, 3), (100, 40)]
    return [generator.integers(0, 256, (*sizes[i % 4], 3), dtype=np.uint8) for i in range(n)]


def adapted(captioner: EncoderDecoderCaptioner, *encoder_targets: str) -> EncoderDecoderCaptioner:
    """Wrap the captioner's network as the brief does, with an adapter that changes something at once."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=16,
        lora_alpha=32,
        target_modules=list(encoder_targets or ("c_attn", "c_proj", "c_fc")),
        fan_in_fan_out=not encoder_targets and captioner.stores_transposed,
        task_type=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = get_peft_model(captioner.network, config)
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.05)
    return replace(captioner, network=network)


@pytest.mark.parametrize(
    ("targets", "trainable"), [(("c_attn", "c_proj", "c_fc"), 6_193_152), (("c_attn",), 2_064_384)]
)
def test_the_briefs_architecture_and_adapters_have_the_expected_size(
    targets: tuple[str, ...], trainable: int
):
    from peft import LoraConfig, get_peft_model

    model = vit_gpt2_on_meta()
    assert sum(parameter.numel() for parameter in model.parameters()) == 239_195_904
    config = LoraConfig(r=32, target_modules=list(targets), fan_in_fan_out=True, task_type=None)
    parameters = get_peft_model(model, config).parameters()  # pyright: ignore[reportArgumentType]
    assert sum(parameter.numel() for parameter in parameters if parameter.requires_grad) == trainable
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_a_random_captioner_follows_its_seed_and_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    one, same, other = random_captioner(1), random_captioner(1), random_captioner(2)
    assert torch.equal(torch.random.get_rng_state(), state)
    features = one.encode(photos())
    assert torch.equal(features, same.encode(photos()))
    assert not torch.equal(features, other.encode(photos()))
    written = one.generate(features, GREEDY)
    assert written == same.generate(features, GREEDY)
    assert len({caption.text for caption in written}) > 1
    assert one.image_fingerprint() == same.image_fingerprint() != other.image_fingerprint()
    assert replace(one, precision="bf16").image_fingerprint() != one.image_fingerprint()
    assert one.weights == "random, seed 1 (75,072 parameters)"
    assert one.parameters() == 75_072
    protocol: Captioner = one
    assert protocol.stores_transposed


def test_features_are_the_encoders_for_photos_of_any_size_and_fit_for_training():
    captioner = random_captioner()
    features = captioner.encode(photos(34))  # two batches
    assert features.shape == (34, 17, 32)
    assert (features.dtype, features.device.type) == (torch.float32, "cpu")
    assert not features.is_inference()
    for position in (0, 1, 2, 33):
        alone = captioner.encode([photos(34)[position]])
        assert torch.allclose(features[position], alone[0], atol=1e-5)
    white = captioner.processor([np.full((9, 5, 3), 255, np.uint8)], return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        hidden = captioner.network.encoder(white.to(captioner.device)).last_hidden_state
    assert torch.allclose(captioner.encode([np.full((9, 5, 3), 255, np.uint8)]), hidden.cpu(), atol=1e-6)


def test_neither_an_adapter_on_the_encoder_nor_training_mode_reaches_encode():
    captioner = random_captioner()
    before = captioner.encode(photos())
    wrapped = adapted(captioner, "q_proj", "fc1")
    wrapped.network.train()
    inner = wrapped.network.get_base_model().encoder
    assert any("lora" in name for name, _ in inner.named_parameters())
    assert torch.equal(wrapped.encode(photos()), before)
    assert wrapped.image_fingerprint() == captioner.image_fingerprint()
    assert not any(parameter.requires_grad for parameter in wrapped.tower.parameters())


def test_the_tower_takes_no_memory_of_its_own():
    captioner = random_captioner()
    pairs = zip(captioner.tower.parameters(), captioner.network.encoder.parameters(), strict=True)
    assert all(own is shared for own, shared in pairs)


def test_the_loss_is_that_of_transformers_with_padding_masked():
    captioner = random_captioner()
    features = captioner.encode(photos(2))
    end = captioner.tokenizer.eos_token_id
    rows = [[*captioner.tokenizer(text)["input_ids"], end] for text in ("a dog", "cat")]
    labels = torch.tensor([rows[0], rows[1] + [-100] * (len(rows[0]) - len(rows[1]))])
    captioner.network.config.pad_token_id = captioner.network.config.decoder_start_token_id = end
    with torch.no_grad():
        expected = captioner.network(
            encoder_outputs=(features.to(captioner.device),), labels=labels.to(captioner.device)
        ).loss
        found = captioner.loss(features, ["a dog", "cat"])
        assert captioner.logits(features, ["a dog", "cat"]).shape == (2, len(rows[0]), 257)
    assert torch.allclose(found, expected, atol=1e-6)


def test_padding_does_not_count_and_the_end_does():
    captioner = random_captioner()
    features = captioner.encode(photos(2))
    long, short = "a dog that runs", "cat"
    with torch.no_grad():
        alone = [float(captioner.loss(features[i : i + 1], [text])) for i, text in enumerate((long, short))]
        together = float(captioner.loss(features, [long, short]))
        ends = [float(captioner.loss(features[1:], [text])) for text in ("cat", "catc")]
    sizes = [len(long) + 1, len(short) + 1]  # bytes, and the end
    assert together == pytest.approx(np.average(alone, weights=sizes), abs=1e-5)
    assert together != pytest.approx(np.average(alone), abs=1e-3)
    assert ends[0] != pytest.approx(ends[1], abs=1e-3)
    with torch.no_grad():
        empty = captioner.loss(features[1:], [""])
    assert torch.isfinite(empty) and empty > 0  # the end alone


def test_greedy_captions_are_those_of_a_plain_loop_over_the_most_likely_token(checkpoint: Path):
    captioner = load(checkpoint)
    features = captioner.encode(photos())
    states = (features.to(captioner.device),)
    tokens = torch.full((len(features), 1), captioner.start, device=captioner.device)
    with torch.no_grad():
        for _ in range(GREEDY.max_new_tokens):
            best = (
                captioner.network(encoder_outputs=states, decoder_input_ids=tokens).logits[:, -1].argmax(-1)
            )
            tokens = torch.cat([tokens, best[:, None]], dim=1)
    expected = []
    for row in tokens[:, 1:].tolist():
        ended = captioner.start in row  # start and end are one token here
        kept = row[: row.index(captioner.start)] if ended else row
        text = " ".join(captioner.tokenizer.decode(kept).split())
        expected.append(("".join(mark for mark in text if mark.isprintable()), ended))
    assert [(c.text, c.ended) for c in captioner.generate(features, GREEDY)] == expected


def test_the_checkpoints_own_rules_of_generation_do_not_leak_in(checkpoint: Path, tmp_path: Path):
    plain = shutil.copytree(checkpoint, tmp_path / "plain")
    (plain / "generation_config.json").unlink()
    hostile, tame = load(checkpoint), load(plain)
    features = tame.encode(photos())
    for rules in (GREEDY, BEAMS):
        assert hostile.generate(features, rules) == tame.generate(features, rules)
        assert adapted(hostile).generate(features, rules) == adapted(tame).generate(features, rules)
        hostile, tame = load(checkpoint), load(plain)


@pytest.mark.parametrize("rules", [GREEDY, BEAMS])
def test_captions_do_not_depend_on_the_batching_or_on_an_idle_wrapper(
    rules: GenerationConfig, monkeypatch: pytest.MonkeyPatch
):
    captioner = random_captioner()
    features = captioner.encode(photos(7))
    together = captioner.generate(features, rules)
    assert len(together) == 7
    monkeypatch.setattr("experiments.captioning.captioners.encoder_decoder.CAPTIONS", 3)
    assert captioner.generate(features, rules) == together
    assert [captioner.generate(features[i : i + 1], rules)[0] for i in range(7)] == together
    wrapped = adapted(captioner)
    with wrapped.network.disable_adapter():
        assert wrapped.generate(features, rules) == together
    assert captioner.generate(features[:0], rules) == []


def test_generation_is_without_dropout_and_puts_each_modules_mode_back():
    captioner = random_captioner()
    features = captioner.encode(photos())
    expected = captioner.generate(features, GREEDY)
    captioner.network.train()
    captioner.network.encoder.eval()
    assert captioner.generate(features, GREEDY) == expected
    assert captioner.network.training and captioner.network.decoder.transformer.drop.training
    assert not captioner.network.encoder.training


def test_a_caption_without_an_end_is_cut_off_at_the_limit_and_says_so():
    captioner = random_captioner()
    features = captioner.encode(photos(2))
    with torch.no_grad():  # a network that never ends and one that ends at once
        captioner.network.decoder.set_output_embeddings(
            torch.nn.Linear(32, len(captioner.tokenizer)).to(captioner.device)
        )
        head = captioner.network.decoder.lm_head
        head.weight.zero_()
        head.bias.zero_()
        head.bias[captioner.tokenizer.convert_tokens_to_ids("x")] = 9
    assert captioner.generate(features, GREEDY) == [Caption(text="x" * 16, ended=False)] * 2
    with torch.no_grad():
        head.bias[captioner.start] = 99
    assert captioner.generate(features, GREEDY) == [Caption(text="", ended=True)] * 2


def test_more_tokens_than_the_decoder_has_room_for_are_refused():
    captioner = random_captioner()
    features = captioner.encode(photos(1))
    with pytest.raises(UserError, match="room for 512 tokens a caption, but 513"):
        captioner.generate(features, GenerationConfig(max_new_tokens=513, beams=1))
    with pytest.raises(UserError, match="room for 512 tokens a caption, but 601"):
        captioner.loss(features, ["x" * 600])


def test_bf16_is_close_to_fp32_and_trains():
    exact, rough = random_captioner(), random_captioner(precision="bf16")
    features = rough.encode(photos())
    assert features.dtype == torch.float32
    assert torch.allclose(features, exact.encode(photos()), atol=0.1)
    loss = rough.loss(features, CAPTIONS)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(exact.loss(features, CAPTIONS).detach()), rel=0.02)
    assert not torch.equal(loss.detach(), exact.loss(features, CAPTIONS).detach())
    assert len(rough.generate(features, BEAMS)) == 4


def test_another_width_of_the_encoder_is_projected_once_by_the_network():
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    captioner = random_captioner()
    vit = ViTConfig(
        image_size=32,
        patch_size=16,
        hidden_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    gpt2 = GPT2Config(
        vocab_size=257, n_embd=32, n_layer=1, n_head=2, add_cross_attention=True, eos_token_id=256
    )
    network = VisionEncoderDecoderModel(VisionEncoderDecoderConfig.from_encoder_decoder_configs(vit, gpt2))
    network.eval().to(best_device())  # pyright: ignore[reportArgumentType]
    wide = replace(captioner, network=network, tower=network.encoder)
    features = wide.encode(photos(2))
    assert features.shape == (2, 5, 48)
    pixels = wide.processor(photos(2), return_tensors="pt", input_data_format="channels_last").pixel_values
    before = torch.tensor([[256, *wide.tokenizer("cat")["input_ids"]]] * 2, device=wide.device)
    with torch.no_grad():
        scores = network(pixel_values=pixels.to(wide.device), decoder_input_ids=before).logits
        expected = torch.nn.functional.cross_entropy(
            scores.flatten(0, 1), before.roll(-1, dims=1).flatten(), reduction="mean"
        )
        assert torch.allclose(wide.loss(features, ["cat", "cat"]), expected, atol=1e-5)
    assert len(wide.generate(features, BEAMS)) == 2


def in_the_hubs_cache(published: Path, cache: Path, name: str = "org/tiny") -> Path:
    """Keep a repository as the hub's client does, in blobs, and return the folder of links to them."""
    place = cache / f"models--{name.replace('/', '--')}"
    kept = place / "snapshots" / COMMIT
    for part in (place / "blobs", place / "refs", kept):
        part.mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    for number, file in enumerate(sorted(published.iterdir())):
        blob = shutil.copyfile(file, place / "blobs" / f"{number:040x}")
        (kept / file.name).symlink_to(Path("../../blobs") / blob.name)
    return kept


def as_the_brief_has_it(checkpoint: Path, folder: Path) -> Path:
    """Copy a checkpoint with its weights in torch's old format alone."""
    from safetensors.torch import load_file

    shutil.copytree(checkpoint, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def test_a_checkpoint_is_found_in_the_hubs_cache_without_the_network(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    in_the_hubs_cache(as_the_brief_has_it(checkpoint, tmp_path / "published"), tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "unreachable", lambda: pytest.fail("the network was used"))
    captioner, local = load("org/tiny", COMMIT), load(checkpoint)
    assert captioner.model == "org/tiny"
    assert captioner.weights == "org/tiny at revision 0123456789ab (75,072 parameters), licence apache-2.0"
    assert load("org/tiny", "refs/heads/main").weights == captioner.weights
    assert captioner.start == 256
    assert local.model == "tiny"
    assert local.weights.startswith("local folder tiny, sha256 ")
    assert str(checkpoint.parent) not in local.model + local.weights
    assert captioner.image_fingerprint() == local.image_fingerprint()
    features = captioner.encode(photos())
    assert torch.equal(features, random_captioner(3).encode(photos()))
    assert captioner.generate(features, GREEDY) == local.generate(features, GREEDY)
    assert captioner.generate(features, GREEDY) == random_captioner(3).generate(features, GREEDY)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "vocab.json"])
@pytest.mark.parametrize("broken_off", [True, False])
def test_a_link_to_nowhere_in_the_hubs_cache_is_a_missing_file(
    file: str, broken_off: bool, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = in_the_hubs_cache(as_the_brief_has_it(checkpoint, tmp_path / "published"), tmp_path / "cache")
    blob = (kept / file).resolve()
    if broken_off:
        blob.rename(blob.with_suffix(".incomplete"))
    else:
        blob.unlink()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "unreachable", lambda: "https://hub did not answer")
    with pytest.raises(UserError) as caught:
        load("org/tiny", COMMIT)
    part = "weights (model.safetensors or pytorch_model.bin)" if file.endswith(".bin") else "a tokenizer"
    assert f"org/tiny at revision {COMMIT} lacks {part} " in str(caught.value)


def test_weights_in_several_files_must_all_be_there(checkpoint: Path, tmp_path: Path):
    folder = shutil.copytree(checkpoint, tmp_path / "several")
    whole = load(checkpoint)
    (folder / "model.safetensors").unlink()
    whole.network.save_pretrained(folder, max_shard_size="50KB")
    parts = sorted(folder.glob("model-*.safetensors"))
    assert len(parts) > 1
    several = load(folder)
    assert several.image_fingerprint() == whole.image_fingerprint()
    assert several.weights.partition(" (")[2] == whole.weights.partition(" (")[2]
    parts[-1].unlink()
    with pytest.raises(UserError, match="several lacks weights"):
        load(folder)


def test_a_folder_is_found_from_the_projects_root_wherever_the_run_stands(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    found = load(checkpoint.name, root=checkpoint.parent)
    assert found.image_fingerprint() == load(checkpoint).image_fingerprint()
    saved.save(config(checkpoint.name), found, tmp_path)
    assert saved.load(tmp_path, checkpoint.parent).model == found.model


def test_a_folder_that_is_not_there_is_one_sentence_and_no_other_name_is_one(tmp_path: Path):
    for model in (tmp_path / "none", "nlpconnect/vit-gpt2-image-captioning"):
        with pytest.raises(
            UserError, match=r"^There is no folder .*captioner\.model.* captioner\.revision.*\.$"
        ):
            load(model)
    with pytest.raises(ValueError, match="has no revision"):
        config("./none", COMMIT)
    with pytest.raises(UserError, match=r"captioner\.revision is 'dc68f91'"):
        load("nlpconnect/vit-gpt2-image-captioning", "dc68f91")


def test_a_half_precision_checkpoint_with_the_buffers_of_old_versions_and_no_pooler_loads(
    checkpoint: Path, tmp_path: Path
):
    from safetensors.torch import load_file

    old = shutil.copytree(checkpoint, tmp_path / "old")
    state = load_file(old / "model.safetensors")
    assert any(".attention.attention.query" in name for name in state)  # the names of 2021
    state = {name: tensor.half() for name, tensor in state.items() if "pooler" not in name}
    for part in ("attn", "crossattention"):
        state[f"decoder.transformer.h.0.{part}.bias"] = torch.ones(1, 1, 4, 4, dtype=torch.uint8)
        state[f"decoder.transformer.h.0.{part}.masked_bias"] = torch.tensor(-1e4)
    config = json.loads((old / "config.json").read_text())
    (old / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    (old / "model.safetensors").unlink()
    torch.save(state, old / "pytorch_model.bin")
    captioner = load(old)
    assert {parameter.dtype for parameter in captioner.network.parameters()} == {torch.float32}
    features = captioner.encode(photos())
    assert torch.allclose(features, load(checkpoint).encode(photos()), atol=0.02)


@pytest.mark.parametrize(
    ("lost", "added", "sentence"),
    [
        ("decoder.transformer.h.1.crossattention.c_attn.weight", None, "1 missing keys, such as decoder"),
        ("encoder.layernorm.bias", None, "1 missing keys, such as encoder"),
        (None, "decoder.transformer.h.2.attn.c_attn.weight", "1 unexpected keys, such as decoder"),
    ],
)
def test_weights_that_would_be_random_or_dropped_are_refused(
    lost: str | None, added: str | None, sentence: str, checkpoint: Path, tmp_path: Path
):
    from safetensors.torch import load_file, save_file

    damaged = shutil.copytree(checkpoint, tmp_path / "damaged")
    state = load_file(damaged / "model.safetensors")
    if lost is not None:
        del state[lost]
    if added is not None:
        state[added] = torch.zeros(32, 96)
    save_file(state, damaged / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=f"checkpoint of damaged does not fit its config.json: {sentence}"):
        load(damaged)


def test_foreign_incomplete_and_broken_folders_are_one_sentence_each(checkpoint: Path, tmp_path: Path):
    def refused(change: str, content: bytes | None) -> str:
        folder = shutil.copytree(checkpoint, tmp_path / "copy")
        (folder / change).unlink() if content is None else (folder / change).write_bytes(content)
        with pytest.raises(UserError) as caught:
            load(folder)
        shutil.rmtree(folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "no VisionEncoderDecoder" in refused("config.json", b'{"model_type": "gpt2"}')
    assert "model_type None" in refused("config.json", b"{")
    assert "lacks its configuration" in refused("config.json", None)
    assert "lacks weights" in refused("model.safetensors", None)
    assert "lacks a tokenizer" in refused("vocab.json", None)
    assert "lacks the preprocessing" in refused("preprocessor_config.json", None)
    assert "could not load copy: " in refused("model.safetensors", b"not tensors at all")


def test_an_unreachable_hub_is_one_sentence_that_says_how_to_do_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "unreachable", lambda: "https://hub did not answer (no route to host)")
    with pytest.raises(UserError) as caught:
        load("nlpconnect/vit-gpt2-image-captioning", COMMIT)
    sentence = str(caught.value)
    assert sentence.startswith(f"nlpconnect/vit-gpt2-image-captioning at revision {COMMIT} is not in")
    assert "no route to host" in sentence
    assert sentence.endswith("local folder with its files as captioner.model.")
    assert "HF_HOME" in sentence
    assert "\n" not in sentence


def test_an_adapter_learns_captions_by_heart_and_survives_being_saved(checkpoint: Path, tmp_path: Path):
    from peft import PeftModel

    captioner = load(checkpoint)
    features = captioner.encode(photos())
    with torch.no_grad():
        base = captioner.logits(features, CAPTIONS)
    tuned = adapted(captioner)
    trainable = [parameter for parameter in tuned.network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=5e-3)
    first = float(tuned.loss(features, CAPTIONS).detach())
    for _ in range(100):
        optimizer.zero_grad()
        tuned.loss(features, CAPTIONS).backward()
        optimizer.step()
    last = float(tuned.loss(features, CAPTIONS).detach())
    assert last < first / 20
    written = tuned.generate(features, GREEDY)
    assert written == [Caption(text=text, ended=True) for text in CAPTIONS]
    assert tuned.generate(features, BEAMS) == written
    assert torch.equal(tuned.encode(photos()), features)
    with torch.no_grad():
        learnt = tuned.logits(features, CAPTIONS)
        assert not torch.allclose(learnt, base, atol=1)
        with tuned.network.disable_adapter():
            assert torch.equal(tuned.logits(features, CAPTIONS), base)

    tuned.network.save_pretrained(tmp_path, save_embedding_layers=False)
    fresh = load(checkpoint)
    again = replace(fresh, network=PeftModel.from_pretrained(fresh.network, str(tmp_path)))
    assert again.generate(features, GREEDY) == written
    with torch.no_grad():
        assert torch.equal(again.logits(features, CAPTIONS), learnt)
