import json
import shutil
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch as Patch
from safetensors.torch import load_file, save_file

from experiments.captioning.captioners import saved
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner
from experiments.captioning.captioners.untrained import vit_gpt2_on_meta
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.tuning import GenerationConfig
from experiments.models import hub
from experiments.models.torchvision_shim import declare_missing_operators
from experiments.results.caption import Caption
from experiments.results.source import Source
from pipeline.files import sha256_of
from tests.support.captioners import (
    BEAMS,
    CAPTIONS,
    GREEDY,
    captioner_config,
    load_captioner,
    odd_photos,
    random_captioner,
)
from tests.support.hub_cache import COMMIT, keep, lose, turn_off
from tests.support.refusals import refusal

declare_missing_operators()  # PEFT imports what imports torchvision

from peft import LoraConfig, get_peft_model  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT's own

HOSTILE: dict[str, Any] = {"max_length": 3, "min_length": 14, "num_beams": 4, "num_return_sequences": 2}
HOSTILE |= {"no_repeat_ngram_size": 1, "repetition_penalty": 5.0, "length_penalty": -3.0}
HOSTILE |= {"forced_bos_token_id": 7, "forced_eos_token_id": 8}
HOSTILE |= {"suppress_tokens": [*range(0, 256, 2)], "bad_words_ids": [[odd] for odd in range(1, 100, 2)]}
HOSTILE |= {"return_dict_in_generate": True}
ALL_TARGETS = ["c_attn", "c_proj", "c_fc"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ViT-GPT2 with the very files, and the same old formats of them, that the brief's has."""
    folder = tmp_path_factory.mktemp("hub") / "tiny"
    captioner = random_captioner(seed=3)
    captioner.network.save_pretrained(folder)
    letters = captioner.tokenizer.get_vocab()
    end = "<|endoftext|>"
    special = {"bos_token": end, "eos_token": end, "pad_token": end, "unk_token": end}
    photos = {"feature_extractor_type": "ViTFeatureExtractor", "do_normalize": True, "do_resize": True}
    pixels = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2, "size": 32}
    tokens = {f"{name}_token_id": letters[end] for name in ("bos", "eos", "pad", "decoder_start")}
    tokens["tie_word_embeddings"] = False
    for name, content in (
        ("vocab", letters),
        ("tokenizer_config", {"tokenizer_class": "GPT2Tokenizer", **special}),
        ("special_tokens_map", special),
        ("preprocessor_config", photos | pixels),
        ("config", json.loads((folder / "config.json").read_text()) | tokens),
        ("generation_config", HOSTILE),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "README.md").write_text("---\ntags:\n- captions\nlicense: apache-2.0\n---\nlicense: mine\n")
    return folder


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint, to be changed."""
    return shutil.copytree(checkpoint, tmp_path / "copy")


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: Patch) -> None:
    turn_off(tmp_path / "cache", monkeypatch)


def adapted(captioner: EncoderDecoderCaptioner, *encoder_targets: str) -> EncoderDecoderCaptioner:
    """Wrap the captioner's network as the brief does, with an adapter that changes something at once."""
    targets = list(encoder_targets) or ALL_TARGETS
    transposed = not encoder_targets and captioner.stores_transposed
    config = LoraConfig(r=16, lora_alpha=32, target_modules=targets, fan_in_fan_out=transposed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = get_peft_model(captioner.network, config)
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.05)
    return replace(captioner, network=network)


@pytest.mark.parametrize(("targets", "trainable"), [(ALL_TARGETS, 6_193_152), (["c_attn"], 2_064_384)])
def test_the_briefs_architecture_and_adapters_have_their_sizes(targets: list[str], trainable: int):
    model = vit_gpt2_on_meta()
    assert sum(parameter.numel() for parameter in model.parameters()) == 239_195_904
    config = LoraConfig(r=32, target_modules=targets, fan_in_fan_out=True)
    parameters = get_peft_model(model, config).parameters()  # pyright: ignore[reportArgumentType]
    assert sum(parameter.numel() for parameter in parameters if parameter.requires_grad) == trainable
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_a_random_captioner_follows_its_seed_and_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    one, same, other = random_captioner(1), random_captioner(1), random_captioner(2)
    assert torch.equal(torch.random.get_rng_state(), state)
    features = one.encode(odd_photos())
    assert torch.equal(features, same.encode(odd_photos()))
    assert not torch.equal(features, other.encode(odd_photos()))
    written = one.generate(features, GREEDY)
    assert written == same.generate(features, GREEDY)
    assert len({caption.text for caption in written}) > 1
    assert one.image_fingerprint() == same.image_fingerprint() != other.image_fingerprint()
    assert replace(one, precision="bf16").image_fingerprint() != one.image_fingerprint()
    assert one.weights == ()
    assert one.parameters() == 75_072
    protocol: Captioner = one
    assert protocol.stores_transposed


def test_features_are_the_encoders_for_photos_of_any_size_and_fit_for_training():
    captioner = random_captioner()
    features = captioner.encode(odd_photos(34))  # two batches
    assert features.shape == (34, 17, 32)
    assert (features.dtype, features.device.type) == (torch.float32, "cpu")
    assert not features.is_inference()
    for position in (0, 1, 2, 33):
        alone = captioner.encode([odd_photos(34)[position]])
        assert torch.allclose(features[position], alone[0], atol=1e-5)
    white = captioner.processor([np.full((9, 5, 3), 255, np.uint8)], return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        hidden = captioner.network.encoder(white.to(captioner.device)).last_hidden_state
    assert torch.allclose(captioner.encode([np.full((9, 5, 3), 255, np.uint8)]), hidden.cpu(), atol=1e-6)


def test_neither_an_adapter_on_the_encoder_nor_training_mode_reaches_encode():
    captioner = random_captioner()
    before = captioner.encode(odd_photos())
    pairs = zip(captioner.tower.parameters(), captioner.network.encoder.parameters(), strict=True)
    assert all(own is shared for own, shared in pairs), "the tower takes memory of its own"
    wrapped = adapted(captioner, "q_proj", "fc1")
    wrapped.network.train()
    inner = wrapped.network.get_base_model().encoder
    assert any("lora" in name for name, _ in inner.named_parameters())
    assert torch.equal(wrapped.encode(odd_photos()), before)
    assert wrapped.image_fingerprint() == captioner.image_fingerprint()
    assert not any(parameter.requires_grad for parameter in wrapped.tower.parameters())


@pytest.mark.parametrize("rules", [GREEDY, BEAMS])
def test_the_checkpoints_own_rules_do_not_leak_in(rules: GenerationConfig, checkpoint: Path, copy: Path):
    (copy / "generation_config.json").unlink()
    hostile, tame = load_captioner(checkpoint), load_captioner(copy)
    features = tame.encode(odd_photos())
    assert hostile.generate(features, rules) == tame.generate(features, rules)
    assert adapted(hostile).generate(features, rules) == adapted(tame).generate(features, rules)


@pytest.mark.parametrize("rules", [GREEDY, BEAMS])
def test_neither_batches_nor_an_idle_wrapper_change_captions(rules: GenerationConfig, monkeypatch: Patch):
    captioner = random_captioner()
    features = captioner.encode(odd_photos(7))
    together = captioner.generate(features, rules)
    assert len(together) == 7
    monkeypatch.setattr("experiments.captioning.captioners.encoder_decoder.CAPTIONS", 3)
    assert captioner.generate(features, rules) == together
    assert [captioner.generate(features[i : i + 1], rules)[0] for i in range(7)] == together
    wrapped = adapted(captioner)
    with wrapped.network.disable_adapter():
        assert wrapped.generate(features, rules) == together
    assert captioner.generate(features[:0], rules) == []


def test_a_caption_without_an_end_is_cut_off_at_the_limit_and_says_so():
    captioner = random_captioner()
    features = captioner.encode(odd_photos(2))
    head = torch.nn.Linear(32, len(captioner.tokenizer)).to(captioner.device).requires_grad_(False)
    head.weight.zero_()
    head.bias.zero_()
    head.bias[captioner.tokenizer.convert_tokens_to_ids("x")] = 9
    captioner.network.decoder.set_output_embeddings(head)
    assert captioner.generate(features, GREEDY) == [Caption(text="x" * 16, ended=False)] * 2
    head.bias[captioner.start] = 99
    assert captioner.generate(features, GREEDY) == [Caption(text="", ended=True)] * 2, "it ends at once"


def test_bf16_is_close_to_fp32_and_trains():
    exact, rough = random_captioner(), random_captioner(precision="bf16")
    features = rough.encode(odd_photos())
    assert features.dtype == torch.float32
    assert torch.allclose(features, exact.encode(odd_photos()), atol=0.1)
    loss = rough.loss(features, CAPTIONS)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(exact.loss(features, CAPTIONS).detach()), rel=0.02)
    assert not torch.equal(loss.detach(), exact.loss(features, CAPTIONS).detach())
    assert len(rough.generate(features, BEAMS)) == 4


@pytest.fixture
def cached(copy: Path, tmp_path: Path) -> Path:
    """The files of org/tiny in the hub's cache, as the brief's: the weights in torch's old format alone."""
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    return keep(tmp_path / "cache", "org/tiny", {file.name: file for file in copy.iterdir()})


@pytest.mark.usefixtures("cached")
def test_a_checkpoint_is_found_in_the_hubs_cache_without_the_network(
    checkpoint: Path, copy: Path, monkeypatch: Patch
):
    monkeypatch.setattr(hub, "unreachable", lambda: pytest.fail("the network was used"))
    captioner, local = load_captioner("org/tiny", COMMIT), load_captioner(checkpoint)
    assert captioner.model == "org/tiny"
    assert captioner.weights == (
        Source(
            name="org/tiny",
            revision=COMMIT,
            sha256=sha256_of(copy / "pytorch_model.bin"),
            licence="apache-2.0",
            url="https://huggingface.co/org/tiny",
        ),
    )
    assert load_captioner("org/tiny", "refs/heads/main").weights == captioner.weights
    assert captioner.start == 256
    assert local.model == "tiny"
    (own,) = local.weights
    assert (own.name, own.revision, own.url) == ("local folder tiny", None, None)
    assert own.sha256 == sha256_of(checkpoint / "model.safetensors")
    assert str(checkpoint.parent) not in local.model
    assert captioner.image_fingerprint() == local.image_fingerprint()
    features = captioner.encode(odd_photos())
    assert torch.equal(features, random_captioner(3).encode(odd_photos()))
    for same in (local, random_captioner(3)):
        assert captioner.generate(features, GREEDY) == same.generate(features, GREEDY)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "vocab.json"])
@pytest.mark.parametrize("broken_off", [True, False])
def test_a_link_to_nowhere_in_the_hubs_cache_is_a_missing_file(file: str, broken_off: bool, cached: Path):
    lose(cached / file, broken_off=broken_off)
    part = "weights (model.safetensors or pytorch_model.bin)" if file.endswith(".bin") else "a tokenizer"
    sentence = refusal(load_captioner, "org/tiny", COMMIT)
    assert sentence.startswith(f"org/tiny at revision {COMMIT} lacks {part} ")
    assert "it is off" in sentence and "HF_HOME" in sentence
    assert sentence.endswith("local folder with its files as captioner.model.")


def test_weights_in_several_files_must_all_be_there(checkpoint: Path, copy: Path):
    whole = load_captioner(checkpoint)
    (copy / "model.safetensors").unlink()
    whole.network.save_pretrained(copy, max_shard_size="50KB")
    parts = sorted(copy.glob("model-*.safetensors"))
    assert len(parts) > 1
    several = load_captioner(copy)
    assert several.image_fingerprint() == whole.image_fingerprint()
    assert several.weights[0].licence == whole.weights[0].licence
    parts[-1].unlink()
    assert "copy lacks weights" in refusal(load_captioner, copy)
    elsewhere = [f"../{checkpoint.name}/model.safetensors", str(checkpoint / "model.safetensors")]
    for odd in ([], {"a": 1}, {"a": None, "b": "c"}, {"a": ["b"]}, "a", *({"a": name} for name in elsewhere)):
        (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": odd}))
        assert "copy lacks weights" in refusal(load_captioner, copy)


def test_a_folder_is_found_from_the_projects_root(checkpoint: Path, tmp_path: Path, monkeypatch: Patch):
    monkeypatch.chdir(tmp_path)
    found = load_captioner(checkpoint.name, root=checkpoint.parent)
    assert found.image_fingerprint() == load_captioner(checkpoint).image_fingerprint()
    saved.save(captioner_config(checkpoint.name), found, tmp_path, checkpoint.parent)
    assert saved.load(tmp_path).model == found.model


def test_what_align_leaves_of_a_folder_is_alike_wherever_that_lies(checkpoint: Path, tmp_path: Path):
    left = []
    for name in ("here", "there/below"):
        place, folder = tmp_path / name / "model", tmp_path / name.partition("/")[0] / "left"
        shutil.copytree(checkpoint, place)
        folder.mkdir(exist_ok=True)
        saved.save(captioner_config(place), load_captioner(place), folder, tmp_path)
        left.append((folder / "captioner.json").read_bytes())
    assert left[0] == left[1]
    saved.point(folder, tmp_path / "here" / "model")
    shutil.rmtree(tmp_path / "there" / "below")
    assert saved.load(folder).image_fingerprint() == load_captioner(checkpoint).image_fingerprint()


def test_a_captioner_that_became_another_is_not_taken_for_the_one_that_was_aligned(
    checkpoint: Path, tmp_path: Path
):
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    saved.save(captioner_config(copy), load_captioner(copy), tmp_path, tmp_path)
    saved.load(tmp_path)
    other = load_captioner(copy).network
    with torch.no_grad():
        next(other.parameters()).add_(1)
    other.save_pretrained(copy)
    assert "are others than when stage align read them" in refusal(saved.load, tmp_path)


@pytest.mark.usefixtures("cached")
def test_what_was_aligned_of_a_branch_is_its_commit_then(copy: Path, tmp_path: Path):
    config = captioner_config("org/tiny", "refs/heads/main")
    saved.save(config, load_captioner("org/tiny", "refs/heads/main"), tmp_path, tmp_path)
    again = saved.read_config(tmp_path)
    assert isinstance(again, EncoderDecoderConfig) and again.revision == COMMIT
    assert saved.load(tmp_path).weights == load_captioner("org/tiny", COMMIT).weights


def test_a_folder_that_is_not_there_is_one_sentence_and_no_other_name_is_one(tmp_path: Path):
    for model in (tmp_path / "none", "nlpconnect/vit-gpt2-image-captioning"):
        sentence = refusal(load_captioner, model)
        assert sentence.startswith("There is no folder ")
        assert "captioner.model" in sentence and "captioner.revision" in sentence
    with pytest.raises(ValueError, match="has no revision"):
        load_captioner("./none", COMMIT)
    assert "captioner.revision is 'dc68f91'" in refusal(load_captioner, "org/tiny", "dc68f91")
    assert "is not in the hub's cache" in refusal(load_captioner, "org/tiny", COMMIT)


def test_half_precision_with_the_buffers_of_old_versions_and_no_pooler_loads(checkpoint: Path, copy: Path):
    state = load_file(copy / "model.safetensors")
    assert any(".attention.attention.query" in name for name in state)  # the names of 2021
    state = {name: tensor.half() for name, tensor in state.items() if "pooler" not in name}
    for part in ("attn", "crossattention"):
        state[f"decoder.transformer.h.0.{part}.bias"] = torch.ones(1, 1, 4, 4, dtype=torch.uint8)
        state[f"decoder.transformer.h.0.{part}.masked_bias"] = torch.tensor(-1e4)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    (copy / "model.safetensors").unlink()
    torch.save(state, copy / "pytorch_model.bin")
    captioner = load_captioner(copy)
    assert {parameter.dtype for parameter in captioner.network.parameters()} == {torch.float32}
    exact = load_captioner(checkpoint).encode(odd_photos())
    assert torch.allclose(captioner.encode(odd_photos()), exact, atol=0.02)


def test_weights_as_a_training_left_them_load_and_a_whole_model_is_told_as_such(checkpoint: Path, copy: Path):
    exact, state = load_captioner(checkpoint), load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    lightning = {f"model._orig_mod.{name}": tensor for name, tensor in state.items()}
    beside = {"loss": np.float64(0.1), "args": Namespace(lr=1.0)}
    for content in ({"state_dict": lightning, **beside}, {"model": state, **beside}):
        torch.save(content, copy / "pytorch_model.bin")
        assert load_captioner(copy).generate(exact.encode(odd_photos()), GREEDY) == exact.generate(
            exact.encode(odd_photos()), GREEDY
        )
    torch.save(exact.network, copy / "pytorch_model.bin")
    assert "pytorch_model.bin holds a whole model (transformers." in refusal(load_captioner, copy)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("decoder.transformer.h.1.crossattention.c_attn.weight", "1 missing keys, such as decoder"),
        ("encoder.layernorm.bias", "1 missing keys, such as encoder"),
        ("decoder.transformer.h.2.attn.c_attn.weight", "1 unexpected keys, such as decoder"),
    ],
)
def test_weights_that_would_be_random_or_dropped_are_refused(name: str, sentence: str, copy: Path):
    state = load_file(copy / "model.safetensors")
    if state.pop(name, None) is None:
        state[name] = torch.zeros(32, 96)
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})
    told = refusal(load_captioner, copy)
    assert told.startswith(f"The checkpoint of copy does not fit its config.json: {sentence}")


@pytest.mark.parametrize("option", ["image_std", "image_mean"])
def test_a_preprocessing_that_makes_no_numbers_is_refused(option: str, copy: Path):
    file = copy / "preprocessor_config.json"
    value = 0.0 if option == "image_std" else float("nan")
    file.write_text(json.dumps(json.loads(file.read_text()) | {option: [0.5, value, 0.5]}))
    assert "makes of a photo is no numbers: mend image_mean and image_std" in refusal(load_captioner, copy)


def test_a_preprocessing_that_makes_all_photos_one_is_refused_as_such(copy: Path):
    file = copy / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"rescale_factor": 0.0}))
    assert refusal(load_captioner, copy).startswith("All photos are one to copy: mend rescale_factor")


def test_a_card_in_another_encoding_still_tells_the_licence(copy: Path):
    (copy / "README.md").write_bytes("---\nlanguage: Französisch\nlicense: mit\n---\n".encode("latin-1"))
    assert load_captioner(copy).weights[0].licence == "mit"


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("config.json", b'{"model_type": "gpt2"}', "no VisionEncoderDecoder"),
        ("config.json", b"{", "model_type None"),
        ("config.json", None, "lacks its configuration"),
        ("model.safetensors", None, "lacks weights"),
        ("vocab.json", None, "lacks a tokenizer"),
        ("preprocessor_config.json", None, "lacks the preprocessing"),
        ("model.safetensors", b"not tensors at all", "cannot be read as a checkpoint ("),
    ],
)
def test_foreign_and_broken_folders_are_a_sentence(file: str, content: Any, sentence: str, copy: Path):
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_bytes(content)
    assert sentence in refusal(load_captioner, copy)
