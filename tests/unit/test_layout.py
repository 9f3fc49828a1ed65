"""The folders held to their order: unit tests mirror the modules, and no folder of code grows too large to survey."""

from pathlib import Path

import pytest

from cdk.project import PROJECT

UNIT_TESTS = PROJECT / "tests" / "unit"
CHALICELIB = PROJECT / "chalicelib"

MAX_MODULES = 14
FOLDERS_OF_CODE = sorted(
    {
        module.parent
        for root in ("chalicelib", "cdk", "edge", "localstack", "stow_nlb", "benchmarks", "tests")
        for module in (PROJECT / root).rglob("*.py")
        if "node_modules" not in module.parts
    }
)

# Folders of chalicelib whose unit tests stand at the same path. Each module of the first two has some.
MIRRORED = ("dicomweb", "services", "adapters", "entrypoints")
COMPLETE = ("dicomweb", "services")
TESTED_ELSEWHERE = {
    "dicomweb/instance/image_pixel.py": "by way of find_frames, in test_pixel_data.py",
    "dicomweb/instance/native_frames.py": "by way of find_frames, in test_pixel_data.py",
    "dicomweb/qido/matches.py": "values only, which test_parse_match.py makes",
    "dicomweb/wado/representation.py": "two headers, which test_media_types.py and test_make_representation.py read",
    "dicomweb/wado/static_object.py": "values only, which test_static_instance.py makes",
    "services/receive_part.py": "half of test_store_instances.py, which needs both to see an upload end",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def modules_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


def mirror_of(module: Path) -> Path:
    path = module.relative_to(CHALICELIB)
    return UNIT_TESTS / path.parent / f"test_{path.name}"


MODULES = [module for folder in COMPLETE for module in modules_of(CHALICELIB / folder)]
TEST_MODULES = [test for folder in MIRRORED for test in sorted((UNIT_TESTS / folder).rglob("test_*.py"))]


@pytest.mark.parametrize("test", TEST_MODULES, ids=name_of)
def test_a_unit_test_stands_where_its_module_does(test: Path) -> None:
    module = CHALICELIB / test.relative_to(UNIT_TESTS).parent / test.name.removeprefix("test_")
    assert module.exists(), f"{name_of(test)} tests no {name_of(module)}"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_of_the_core_has_unit_tests_or_a_reason_to_have_none(module: Path) -> None:
    reason = TESTED_ELSEWHERE.get(str(module.relative_to(CHALICELIB)))
    assert mirror_of(module).exists() is (reason is None)


def test_reasons_are_given_for_modules_that_exist() -> None:
    assert {path for path in TESTED_ELSEWHERE if not (CHALICELIB / path).exists()} == set()


@pytest.mark.parametrize("folder", FOLDERS_OF_CODE, ids=name_of)
def test_a_folder_of_code_has_few_modules(folder: Path) -> None:
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MAX_MODULES, f"{name_of(folder)} is due to be split"
