import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from experiments.captioning.align import align
from experiments.captioning.alignment import (
    Labelled,
    as_said,
    generic,
    learn_to_read,
    learn_to_say,
    saying_loss,
)
from experiments.captioning.captioners import prefix
from experiments.captioning.captioners import saved as models
from experiments.captioning.captioners.prefix import Mapper, PrefixCaptioner
from experiments.config.captioner import PrefixCaptionerConfig, Reading, Saying
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.photos import CaptionedPhotos
from experiments.models.libraries import prepare_transformers
from tests.support.captioners import GREEDY, random_captioner
from tests.support.contexts import context, killed_at, silently

CLASSES = ("cat", "dog")
OFTEN: dict[str, Any] = {"batch_size": 8, "templates": ("{}", "see {}")}
READING = Reading(photos=8, steps=120, learning_rate=5e-3, class_weight=10.0, interpolation=1.0, **OFTEN)
SAYING = Saying(epochs=40, batch_size=8, learning_rate=1e-2, label_smoothing=0.0, dropout=0.1, nearness=2.0)
PARTS: dict[str, Any] = {"image_size": 64, "photos": 8, "saying": SAYING, "reading": READING}
SECTION = PrefixCaptionerConfig(kind="prefix", seed=0, precision="fp32", held_out=1, **PARTS)


class Tower(nn.Module):
    """A stand-in for the image classifier: colours on a grid of 4 by 4."""

    num_features = 8

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 8, kernel_size=16, stride=16)

    def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.layer(pixels)


@pytest.fixture
def captioner() -> PrefixCaptioner:
    """A captioner of the same make as the real one, small and knowing nothing."""
    prepare_transformers()
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = random_captioner().tokenizer
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True,
            bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
        )  # fmt: skip
        network: Any = LlamaForCausalLM(config)
        # They stay as they are when the rest is trained, and must tell tokens apart from the start.
        network.get_input_embeddings().weight.data.mul_(30)
        tower = Tower().requires_grad_(False)
        mapper = Mapper(tower.num_features, network.get_input_embeddings().weight)
    return PrefixCaptioner(SECTION, tower, mapper, network, tokenizer)


def photos(count: int = 16) -> list[np.ndarray]:
    """Return photos of which every second is red and the others are blue, with some noise."""
    random = np.random.default_rng(0)
    made = random.integers(0, 60, (count, 20, 30, 3), dtype=np.uint8)
    made[::2, ..., 0] += 180
    made[1::2, ..., 2] += 180
    return list(made)


def labelled(captioner: PrefixCaptioner) -> Labelled:
    return Labelled(captioner.tower_features(photos()).numpy(), torch.arange(16) % 2, CLASSES)


def embedded(captioner: PrefixCaptioner) -> torch.Tensor:
    """Return the embedding of each class's word, as it stands within a sentence."""
    table = captioner.network.get_input_embeddings().weight.detach()
    rows = [captioner.tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in CLASSES]
    return torch.stack([table[row].mean(dim=0) for row in rows])


def differing(words: torch.Tensor) -> torch.Tensor:
    return nn.functional.normalize(words - words.mean(dim=0), dim=1)


def copied(captioner: PrefixCaptioner) -> PrefixCaptioner:
    """Copy what is trained; through a file, since weights that are tied must stay so."""
    content = io.BytesIO()
    torch.save((captioner.mapper, captioner.network), content)
    content.seek(0)
    mapper, network = torch.load(content, weights_only=False)
    return dataclasses.replace(captioner, mapper=mapper, network=network)


def test_photos_of_any_size_become_one_token_for_each_quarter(captioner: PrefixCaptioner):
    small, large = np.zeros((5, 9, 3), np.uint8), np.zeros((300, 200, 3), np.uint8)
    assert captioner.tower_features([small, large]).shape == (2, 4, 8)
    assert captioner.encode([small, large]).shape == (2, 4, 32)


def test_prefixes_have_the_length_of_the_embeddings_and_do_not_depend_on_the_network(
    captioner: PrefixCaptioner,
):
    before = captioner.encode(photos())
    usual = captioner.network.get_input_embeddings().weight.norm(dim=1).mean()
    assert torch.allclose(before.norm(dim=2), usual.expand(16, 4))
    with torch.no_grad():
        for part in captioner.network.parameters():
            part.zero_()
    assert torch.equal(captioner.encode(photos()), before)


def test_the_fingerprint_follows_the_mapper_and_the_towers_does_not(captioner: PrefixCaptioner):
    whole, tower = captioner.image_fingerprint(), captioner.tower_fingerprint()
    with torch.no_grad():
        next(captioner.mapper.parameters()).add_(1)
    assert captioner.image_fingerprint() != whole
    assert captioner.tower_fingerprint() == tower
    other = dataclasses.replace(captioner, config=SECTION.model_copy(update={"image_size": 96}))
    assert other.tower_fingerprint() != tower


def test_padding_does_not_count_and_the_end_of_a_caption_does(captioner: PrefixCaptioner):
    features, captions = captioner.encode(photos(2)), ["a", "a much longer one"]
    alone = [captioner.loss(features[at : at + 1], captions[at : at + 1]).item() for at in (0, 1)]
    lengths = [len(caption) + 1 for caption in captions]  # one token a letter, and the end
    together = captioner.loss(features, captions).item()
    assert together == pytest.approx(np.average(alone, weights=lengths), rel=1e-5)
    with torch.no_grad():
        logits = captioner.logits(features[:1], ["a"])
    assert logits.shape[1] == 2
    tokens = torch.tensor([*captioner.tokenizer("a")["input_ids"], captioner.tokenizer.eos_token_id])
    assert alone[0] == pytest.approx(nn.functional.cross_entropy(logits[0], tokens).item(), rel=1e-5)


def test_logits_are_those_of_the_language_model_after_the_prefix(captioner: PrefixCaptioner):
    features = captioner.encode(photos(1))
    tokens = torch.tensor([captioner.tokenizer("cat")["input_ids"]])
    embedded = torch.cat([features, captioner.network.get_input_embeddings()(tokens)], dim=1)
    whole = captioner.network(inputs_embeds=embedded).logits
    # The last token of the prefix predicts the first letter, and the last letter the end.
    assert torch.allclose(captioner.logits(features, ["cat"]), whole[:, 3:], atol=1e-5)


def test_alignment_teaches_a_captioner_that_knows_nothing_to_name_the_class_and_stop(
    captioner: PrefixCaptioner, tmp_path: Path
):
    data = labelled(captioner)
    learn_to_say(captioner, data.at(np.arange(8)), SAYING, seed=0)
    seen = data.at(np.arange(8, 16))
    losses = learn_to_read(captioner, seen, READING, seed=0, path=tmp_path / "c", progress=silently)
    assert len(losses) == 10
    assert losses[-1] < losses[0] / 3
    written = captioner.generate(captioner.encode(photos()), GREEDY)
    assert all(caption.ended for caption in written)
    assert all(CLASSES[at % 2] in caption.text for at, caption in enumerate(written))
    again = [captioner.generate(captioner.encode([photo]), GREEDY)[0] for photo in photos()]
    assert again == written, "captions must not depend on the batch"


def test_a_mapper_says_words_that_differ_and_comes_nearer_to_them_where_nearness_counts(
    captioner: PrefixCaptioner,
):
    data, words = labelled(captioner), embedded(captioner)
    found = {}
    for nearness in (0.0, 2.0):
        copy = copied(captioner)
        learn_to_say(copy, data, SAYING.model_copy(update={"nearness": nearness}), seed=0)
        said = copy.mapper(torch.tensor(data.features)).mean(dim=1)
        assert torch.equal((said @ differing(words).T).argmax(dim=1), data.labels)
        found[nearness] = nn.functional.cosine_similarity(said, words[data.labels]).mean().item()
    assert found[2.0] > found[0.0] + 0.1
    assert found[2.0] > 0.8


def test_captions_to_read_name_what_the_mapper_says_and_not_what_is_right(captioner: PrefixCaptioner):
    data = labelled(captioner)
    learn_to_say(captioner, data, SAYING, seed=0)
    wrong = dataclasses.replace(data, labels=1 - data.labels)
    heard = as_said(captioner, wrong)
    assert torch.equal(heard.labels, data.labels)
    assert heard.features is wrong.features
    assert heard.classes == wrong.classes


def test_the_loss_of_saying_is_that_of_telling_words_apart_and_nearness_times_the_distance():
    words = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    prefixes = torch.tensor([[[2.0, 0.0], [2.0, 0.0]]])  # both vectors say the first word, at another length
    config = SAYING.model_copy(update={"nearness": 3.0})
    differing = 20 / np.sqrt(2)
    for label, cosine in ((0, 1.0), (1, 0.0)):
        logits = torch.tensor([[differing, -differing]])
        telling = nn.functional.cross_entropy(logits, torch.tensor([label])).item()
        loss = saying_loss(prefixes, torch.tensor([label]), words, config).item()
        assert loss == pytest.approx(telling + 3 * (1 - cosine), rel=1e-4, abs=1e-5)


def test_once_it_says_words_the_mapper_is_frozen_and_random_numbers_drawn_elsewhere_stay(
    captioner: PrefixCaptioner, tmp_path: Path
):
    data = labelled(captioner)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    learn_to_say(captioner, data, SAYING, seed=0)
    assert torch.equal(torch.rand(2), expected)
    assert not any(part.requires_grad for part in captioner.mapper.parameters())
    said = captioner.encode(photos())
    learn_to_read(captioner, data, READING, seed=0, path=tmp_path / "c", progress=silently)
    assert torch.equal(captioner.encode(photos()), said)


def test_parts_learn_the_same_whatever_precision_the_captioner_computes_at_afterwards(
    captioner: PrefixCaptioner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pictures, labels = np.stack(photos()), np.arange(16) % 2
    images = ClassifiedImages(CLASSES, pictures, labels, pictures[:2], labels[:2])
    nobody = CaptionedPhotos(source=(), classes=(), tuning=(), evaluation=())
    short = {
        "saying": SAYING.model_copy(update={"epochs": 2}),
        "reading": READING.model_copy(update={"steps": 3}),
    }
    aligned = {}
    for precision in ("fp32", "bf16"):
        built = copied(captioner)
        monkeypatch.setattr(
            prefix, "build", lambda config, fetch, made=built: dataclasses.replace(made, config=config)
        )
        folder = tmp_path / precision
        folder.mkdir()
        lent = context(folder, images=lambda: images, photos=lambda: nobody, fetch=lambda archive: tmp_path)
        config = SECTION.model_copy(update={**short, "precision": precision, "held_out": 0})
        assert align(config, {}, lent).precision == precision
        assert models.read_config(folder).precision == precision
        aligned[precision] = {**built.mapper.state_dict(), **built.network.state_dict()}
    assert all(torch.equal(value, aligned["bf16"][name]) for name, value in aligned["fp32"].items())


def test_an_alignment_that_was_killed_goes_on_from_its_checkpoint_with_the_same_numbers(
    captioner: PrefixCaptioner, tmp_path: Path
):
    other, data = copied(captioner), labelled(captioner)
    rules: dict[str, Any] = {"config": READING.model_copy(update={"steps": 45}), "seed": 0}
    whole = learn_to_read(captioner, data, path=tmp_path / "whole", progress=silently, **rules)
    with pytest.raises(KeyboardInterrupt):
        learn_to_read(other, data, path=tmp_path / "killed", progress=killed_at(37), **rules)
    with torch.no_grad():
        next(other.network.parameters()).zero_()  # what was in memory is gone
    notes: list[str] = []
    rules["progress"] = lambda *report: notes.append(report[2])
    resumed = learn_to_read(other, data, path=tmp_path / "killed", **rules)
    assert notes[0] == "resumed after step 30"
    assert resumed == whole
    weights = zip(other.network.parameters(), captioner.network.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in weights)


def test_the_language_model_keeps_its_embeddings_and_goes_a_part_of_the_way(
    captioner: PrefixCaptioner, tmp_path: Path
):
    data, reading = labelled(captioner), READING.model_copy(update={"steps": 10})
    copies = [copied(captioner), copied(captioner)]
    published = {name: part.detach().clone() for name, part in captioner.network.named_parameters()}
    weights = []
    for share, copy in zip((1.0, 0.25), copies, strict=True):
        config = reading.model_copy(update={"interpolation": share})
        learn_to_read(copy, data, config, seed=0, path=tmp_path / f"{share}", progress=silently)
        weights.append(dict(copy.network.named_parameters()))
    for name, part in published.items():
        whole, quarter = (found[name] for found in weights)
        assert torch.allclose(quarter, part + 0.25 * (whole - part), atol=1e-6), name
        assert torch.equal(whole, part) == (name == "model.embed_tokens.weight"), name


def test_a_saved_captioner_comes_back_frozen_and_writes_the_same(
    captioner: PrefixCaptioner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(prefix, "_tower", lambda: captioner.tower)
    models.save(SECTION, captioner, tmp_path, tmp_path)
    loaded = models.load(tmp_path)
    assert isinstance(loaded, PrefixCaptioner)
    assert models.read_config(tmp_path) == SECTION
    assert not any(part.requires_grad for part in loaded.network.parameters())
    features = captioner.encode(photos())
    assert torch.equal(loaded.encode(photos()), features)
    assert loaded.generate(features, GREEDY) == captioner.generate(features, GREEDY)
    assert loaded.parameters() == captioner.parameters()


def test_generation_leaves_the_network_in_the_mode_that_it_was_in(captioner: PrefixCaptioner):
    for training in (True, False):
        captioner.network.train(training)
        captioner.generate(captioner.encode(photos(1)), GREEDY)
        assert captioner.network.training is training


def test_a_generic_caption_has_the_right_article():
    assert generic("a photo of {}", "airplane") == "a photo of an airplane"
    assert generic("there is {} here", "ship") == "there is a ship here"
