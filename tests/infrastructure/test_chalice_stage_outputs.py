"""The stacks have the outputs from which a stage of Chalice is written."""

from collections.abc import Mapping

import pytest

from cdk.application.chalice_stage import DICOMWEB_ROOT, OUTPUTS, SUBNETS
from tests.infrastructure.support.synthesis import Template


@pytest.mark.parametrize(
    "output", sorted({*OUTPUTS.values(), SUBNETS, DICOMWEB_ROOT}), ids=lambda output: "-".join(output)
)
def test_each_output_that_a_stage_needs_is_there(templates: Mapping[str, Template], output: tuple[str, str]) -> None:
    part, key = output
    assert key in templates[part]["Outputs"]
