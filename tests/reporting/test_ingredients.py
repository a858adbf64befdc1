"""The page of what results were made from names all code: functions and files beside modules as well."""

from dataclasses import replace

from pipeline import keys
from pipeline.project import Project
from reporting.document import open_document
from tests.support.results import classifier
from tests.support.stored import put


def test_functions_that_are_called_and_files_that_are_read_stand_among_the_code(filled: Project) -> None:
    code = {**keys.ingredients(filled, "cnn").code, "experiments/classification/table.v2.json": "ab" * 32}
    put(filled, "cnn", classifier("cnn", 0.9), code=code)
    document = open_document(replace(filled, stages={"cnn": filled.stages["cnn"]}))
    for name in ("experiments.classification.cnn:cnn", "experiments/classification/table.v2.json"):
        path = f"cnn:provenance.ingredients.code[{name}]"
        assert document.numbers.at(path) == code[name]
        assert code[name][:10] in document.numbers.short(path)
