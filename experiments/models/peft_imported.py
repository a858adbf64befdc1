"""PEFT and transformers, imported: once, in a process from which others are forked that need them."""

from importlib import import_module

from experiments.models.libraries import prepare_transformers

prepare_transformers()
import_module("peft")
